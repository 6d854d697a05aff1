"""`mint.connect`: from an address to a connection value, whichever protocol the server speaks.

All arguments are checked before connecting. Blocking code, asyncio and trio share the result, a `Checked`.
The procedure is in _connect/, the driver for blocking sockets in _loops/blocking.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias, overload

from .. import _checks
from .._connect.race import make_plan
from .._loops.blocking import open_link
from ..errors import BadALPNProtocol, ProtocolNotNegotiated
from ..options import HTTP1Options, HTTP2Options, TCPOptions, TLSOptions
from ..types import UnixAddress
from .arguments import check_mailbox, check_options
from .failures import connecting
from .http1 import HTTP1
from .http1 import initiate as initiate_http1
from .http2 import HTTP2, check_security
from .http2 import initiate as initiate_http2
from .recording import check_record

if TYPE_CHECKING:
    import socket as sockets
    from collections.abc import Sequence
    from typing import Unpack

    from .._connect.race import Established, Plan
    from .._transcripts.recorder import Record
    from .._wire.link import Link
    from ..proxy import Proxy
    from ..types import Address, Inbox, ProtocolName, Resolver, Scheme
    from .signatures import BlockingArguments, OnlyHTTP1, OnlyHTTP2

Connection: TypeAlias = HTTP1 | HTTP2
"""A connection of either protocol; most of their methods are the same."""

_HTTP1 = HTTP1Options()
_HTTP2 = HTTP2Options()
_TCP = TCPOptions()
_TLS = TLSOptions()
_ALPN: tuple[tuple[ProtocolName, str], ...] = (("http2", "h2"), ("http1", "http/1.1"))
_NAMES = frozenset(name for name, _ in _ALPN)
_BOTH: tuple[ProtocolName, ...] = ("http1", "http2")
_OFFERED = tuple(token for _, token in _ALPN)


def offered(protocols: Sequence[ProtocolName]) -> tuple[str, ...]:
    """Return the ALPN names of these protocols, the preferred first. Raises `ValueError` for invalid ones."""
    if protocols is _BOTH:
        return _OFFERED
    given = tuple(protocols) if isinstance(protocols, (tuple, list, set, frozenset)) else ()
    names = {str.__str__(name) for name in given if isinstance(name, str)}
    if not names or len(names) != len(given) or not names <= _NAMES:
        raise ValueError(f'protocols must be "http1", "http2" or both, not {_checks.shown(protocols)}')
    return tuple(token for name, token in _ALPN if name in names)


def choose(scheme: Scheme, offer: tuple[str, ...], alpn: str | None) -> ProtocolName:
    """Return the protocol to use, given the result of ALPN; in clear nothing is negotiated.

    9113-3.3-b: over TLS, HTTP/2 needs ALPN; in clear it needs prior knowledge, which only
    `protocols=("http2",)` expresses.
    """
    if alpn is not None and alpn not in offer:
        raise BadALPNProtocol(alpn)
    if alpn == "h2":
        return "http2"
    if offer == ("h2",):
        if scheme == "https":
            raise ProtocolNotNegotiated
        return "http2"
    return "http1"


class Checked(NamedTuple):
    """The checked arguments of `connect`; `begin` makes a connection once an event loop has opened a link."""

    plan: Plan
    scheme: Scheme
    offer: tuple[str, ...]
    http1: HTTP1Options
    http2: HTTP2Options
    log: bool
    record: Record | None

    def begin(self, link: Link, found: Established, mailbox: Inbox | None) -> Connection:
        """Make a connection of the negotiated protocol; close the link if that fails."""
        try:
            protocol = choose(self.scheme, self.offer, found.alpn)
            port = 0 if isinstance(self.plan.address, UnixAddress) else self.plan.port
            if protocol == "http1":
                return initiate_http1(
                    link,
                    scheme=self.scheme,
                    hostname=self.plan.hostname,
                    port=port,
                    http1=self.http1,
                    mailbox=mailbox,
                    log=self.log,
                    record=self.record,
                    forward_proxy=self.plan.forwarded,
                    proxy_headers=found.proxy_headers,
                )
            check_security(link.tls)
            return initiate_http2(
                link,
                scheme=self.scheme,
                hostname=self.plan.hostname,
                port=port,
                http2=self.http2,
                mailbox=mailbox,
                log=self.log,
                record=self.record,
                proxy_headers=found.proxy_headers,
            )
        except BaseException:
            link.close()
            raise


def check_connect(
    scheme: Scheme,
    address: Address,
    port: int,
    hostname: str | None,
    protocols: Sequence[ProtocolName],
    proxy: Proxy | None,
    tcp: TCPOptions,
    tls: TLSOptions,
    http1: HTTP1Options,
    http2: HTTP2Options,
    log: bool,
    record: Record | None = None,
) -> Checked:
    """Check the arguments of `connect`, for every event loop. Raises `ValueError` or `TypeError`."""
    offer = offered(protocols)
    check_options(log, http1, http2)
    plan = make_plan(scheme, address, port, hostname, tcp, tls, offer, proxy)
    return Checked(plan, scheme, offer, http1, http2, log, check_record(record))


@overload
def connect(
    scheme: Scheme, address: Address, port: int, *, protocols: OnlyHTTP1, **options: Unpack[BlockingArguments]
) -> HTTP1: ...
@overload
def connect(
    scheme: Scheme, address: Address, port: int, *, protocols: OnlyHTTP2, **options: Unpack[BlockingArguments]
) -> HTTP2: ...
@overload
def connect(
    scheme: Scheme,
    address: Address,
    port: int,
    *,
    protocols: Sequence[ProtocolName] = ...,
    **options: Unpack[BlockingArguments],
) -> Connection: ...
def connect(
    scheme: Scheme,
    address: Address,
    port: int,
    *,
    hostname: str | None = None,
    protocols: Sequence[ProtocolName] = _BOTH,
    proxy: Proxy | None = None,
    mailbox: Inbox | None = None,
    tcp: TCPOptions = _TCP,
    tls: TLSOptions = _TLS,
    http1: HTTP1Options = _HTTP1,
    http2: HTTP2Options = _HTTP2,
    log: bool = False,
    record: Record | None = None,
    resolver: Resolver | None = None,
    socket: sockets.socket | None = None,
) -> Connection:
    """Connect to a server and return the connection value.

    Args:
        scheme: `"http"` in clear, `"https"` over TLS.
        address: a host name, an IP address, or a `UnixAddress`.
        port: the port, 0 to 65535; ignored for a Unix socket.
        hostname: the name for Host, SNI and the certificate check; by default the address.
        protocols: the protocols that may be used, in any order. Over TLS the server chooses one of them
            (ALPN); without ALPN, HTTP/1 is used. In clear, HTTP/1 is used unless only `("http2",)` is given,
            for a server that is known to support HTTP/2.
        proxy: a `mint.Proxy` to connect through.
        mailbox: active mode with this mailbox; passive mode (`recv`) without.
        tcp: timeouts, families, socket options.
        tls: trust, certificates, versions.
        http1: limits and other options of HTTP/1.
        http2: settings, windows and limits of HTTP/2.
        log: log one record per message head or frame, to the logger `mint`.
        record: write a transcript, without secrets, for `python -m mint replay`: give the path of a file, a
            text file, or a `mint.transcripts.Recorder`, which may record many connections.
        resolver: a function that returns the addresses of a name, instead of the system. It runs in a
            thread, and cannot be a coroutine function (`TypeError`).
        socket: a socket that is already connected to the server, or to the proxy. mint takes it over and
            closes it with the connection, or when connecting fails. After a `ValueError` it is still yours.

    Raises:
        TransportError: the server cannot be reached (`ConnectionRefused`, `Unreachable`), its name cannot be
            resolved (`NameNotResolved`), TLS failed (`CertificateRejected`, `TLSFailed`, `BadALPNProtocol`),
            or the time limit expired (`TransportTimeout`).
        HTTPError: the proxy did not open the tunnel (`ProxyError`), TLS is too weak for HTTP/2
            (`InadequateSecurity`).
        ValueError: an option is invalid. This is raised before connecting.
        TypeError: an argument has the wrong type. This is raised before connecting.
        OSError: the file of `record` cannot be created. This is raised before connecting.

    """
    checked = check_connect(
        scheme, address, port, hostname, protocols, proxy, tcp, tls, http1, http2, log, record
    )
    check_mailbox(mailbox, "blocking")
    with connecting():
        link, found = open_link(checked.plan, resolver, socket)
        return checked.begin(link, found, mailbox)
