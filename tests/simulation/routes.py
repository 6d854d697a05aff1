"""The routes of the scenario table: which servers listen, and what `connect` is given."""

from __future__ import annotations

import ssl
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import mint

from tests.tls import authority, server_context

from .http1_server import HTTP1Session
from .http2_server import HTTP2Session
from .servers import ConnectSession, Peer, TLSSession

if TYPE_CHECKING:
    from .record import Record
    from .scripts import Behaviour
    from .servers import Channel, Session
    from .streams import Stream

ORIGIN: Final = 80
PROXY: Final = 3128
HOST: Final = "127.0.0.1"

ROUTES: Final = ("plain", "HTTP/2", "TLS", "HTTP/2 over TLS", "TLS in TLS", "HTTP/2 tunnel", "shared tunnel")


@cache
def context(*alpn: str) -> ssl.SSLContext:
    """Return a server's context, the same for every run: certificates are dear."""
    return server_context(alpn=alpn)


@cache
def client_tls() -> mint.TLSOptions:
    """Return options that trust the servers, with a context that is made once."""
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority().configure_trust(trusting)
    return mint.TLSOptions(context=trusting)


def listen(record: Record, route: str, behave: Behaviour) -> None:
    """Let the servers of a route listen."""
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
        return TLSSession(channel, context("http/1.1"), lambda inner, _: http1(inner))

    def secured2(channel: Channel) -> Session:
        return TLSSession(channel, context("h2"), lambda inner, _: http2(inner))

    def https_proxy(channel: Channel) -> Session:
        return TLSSession(channel, context("http/1.1"), lambda inner, _: ConnectSession(inner, secured))

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

    kernel.listening[ORIGIN] = kernel.listening[PROXY] = accept


def arguments(route: str) -> tuple[tuple[mint.types.Scheme, str, int], dict[str, Any]]:
    """Return what `connect` of any event loop is given for a route."""
    if route == "plain":
        return ("http", HOST, ORIGIN), {}
    if route == "HTTP/2":
        return ("http", HOST, ORIGIN), {"protocols": ("http2",)}
    if route == "TLS":
        return ("https", HOST, ORIGIN), {"protocols": ("http1",), "tls": client_tls()}
    if route == "HTTP/2 over TLS":
        return ("https", HOST, ORIGIN), {"protocols": ("http2",), "tls": client_tls()}
    if route == "TLS in TLS":
        proxy = mint.Proxy("https", HOST, PROXY, tls=client_tls(), protocols=("http1",), tunnel=True)
        return ("https", HOST, ORIGIN), {"protocols": ("http1",), "tls": client_tls(), "proxy": proxy}
    if route == "HTTP/2 tunnel":
        proxy = mint.Proxy("http", HOST, PROXY, protocols=("http2",), tunnel=True)
        return ("http", HOST, ORIGIN), {"protocols": ("http1",), "proxy": proxy}
    raise ValueError(route)
