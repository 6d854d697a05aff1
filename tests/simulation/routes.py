"""The routes of the scenario table: which servers listen, and the arguments of `connect`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import mint

from .certificates import client_tls, server_context
from .http1_server import HTTP1Session
from .http2_server import HTTP2Session
from .servers import ConnectSession, Peer, TLSSession

if TYPE_CHECKING:
    from .kernel import Kernel
    from .record import Record
    from .scripts import Behaviour
    from .servers import Channel, Session
    from .streams import Stream

HOST: Final = "127.0.0.1"

ROUTES: Final = ("plain", "HTTP/2", "TLS", "HTTP/2 over TLS", "TLS in TLS", "HTTP/2 tunnel", "shared tunnel")


def listen(record: Record, route: str, behave: Behaviour) -> None:
    """Start the servers of a route."""
    record.route = route
    kernel = record.kernel
    window = (65_535, 1_000, 20_000)[kernel.choices.below(3)]

    def http1(channel: Channel) -> Session:
        return HTTP1Session(record, channel, behave)

    def http2(channel: Channel) -> Session:
        return HTTP2Session(record, channel, behave, window=window)

    def proxy2(channel: Channel) -> Session:
        return HTTP2Session(record, channel, behave, http1, window)

    def secured(channel: Channel) -> Session:
        return TLSSession(channel, server_context("http/1.1"), lambda inner, _: http1(inner))

    def secured2(channel: Channel) -> Session:
        return TLSSession(channel, server_context("h2"), lambda inner, _: http2(inner))

    def https_proxy(channel: Channel) -> Session:
        return TLSSession(
            channel, server_context("http/1.1"), lambda inner, _: ConnectSession(inner, secured)
        )

    serve = {
        "plain": http1,
        "HTTP/2": http2,
        "TLS": secured,
        "HTTP/2 over TLS": secured2,
        "TLS in TLS": https_proxy,
        "HTTP/2 tunnel": proxy2,
        "shared tunnel": proxy2,
    }[route]

    def accept(stream: Stream) -> None:
        Peer(kernel, stream, serve)

    kernel.listening[kernel.origin] = kernel.listening[kernel.proxy] = accept


class Route(NamedTuple):
    """The arguments of `connect` in any event loop."""

    where: tuple[mint.types.Scheme, str, int]
    protocols: tuple[mint.types.ProtocolName, ...] = ("http1",)
    secure: bool = False
    proxy: mint.Proxy | None = None

    @property
    def tls(self) -> mint.TLSOptions:
        """The options of TLS."""
        return client_tls() if self.secure else PLAIN


PLAIN: Final = mint.TLSOptions()


def arguments(route: str, kernel: Kernel) -> Route:
    """Return the arguments of `connect` for a route."""
    scheme: mint.types.Scheme = "https" if "TLS" in route else "http"
    where = (scheme, HOST, kernel.origin)
    secure = scheme == "https"
    if route in {"HTTP/2", "HTTP/2 over TLS"}:
        return Route(where, ("http2",), secure)
    if route == "TLS in TLS":
        outer = mint.Proxy("https", HOST, kernel.proxy, tls=client_tls(), protocols=("http1",), tunnel=True)
        return Route(where, secure=True, proxy=outer)
    if route == "HTTP/2 tunnel":
        return Route(where, proxy=mint.Proxy("http", HOST, kernel.proxy, protocols=("http2",), tunnel=True))
    return Route(where, secure=secure)
