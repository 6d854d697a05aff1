"""mint for asyncio: `connect` with `await`, a mailbox with `await receive()`, and `flush`.

Connections are the same values as elsewhere, and their methods never wait. A transport of the event loop
moves the bytes. uvloop is supported, too.

    mailbox = mint.asyncio.Mailbox()
    conn = await mint.asyncio.connect("https", "example.org", 443, mailbox=mailbox)
    conn, ref = conn.request("GET", "/")
    while conn.open_request_count:
        match conn.stream(await mailbox.receive()):
            case mint.UNKNOWN: ...
            case conn, responses: ...
"""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

from ._connections.arguments import check_mailbox
from ._connections.async_tunnels import Tunnels
from ._connections.failures import connecting
from ._connections.negotiation import check_connect
from ._loops.asyncio import Mailbox
from ._loops.asyncio_connecting import open_link
from ._loops.asyncio_link import AsyncioLink
from ._loops.shared import TunnelLink
from .errors import TransportError
from .options import HTTP1Options, HTTP2Options, TCPOptions, TLSOptions

if TYPE_CHECKING:
    import socket as sockets
    from collections.abc import Sequence
    from typing import Unpack

    from ._connections.http1 import HTTP1
    from ._connections.http2 import HTTP2
    from ._connections.negotiation import Connection
    from ._connections.signatures import Arguments, OnlyHTTP1, OnlyHTTP2
    from ._transcripts.recorder import Record
    from .proxy import Proxy
    from .types import Address, AsyncResolver, ProtocolName, Resolver, Scheme

__all__ = ["Mailbox", "Tunnels", "connect", "flush"]

_HTTP1 = HTTP1Options()
_HTTP2 = HTTP2Options()
_TCP = TCPOptions()
_TLS = TLSOptions()

if TYPE_CHECKING:

    class AsyncioArguments(Arguments, total=False):
        """The keyword arguments of `connect`, for its overloads."""

        mailbox: Mailbox | None


@overload
async def connect(
    scheme: Scheme, address: Address, port: int, *, protocols: OnlyHTTP1, **options: Unpack[AsyncioArguments]
) -> HTTP1: ...
@overload
async def connect(
    scheme: Scheme, address: Address, port: int, *, protocols: OnlyHTTP2, **options: Unpack[AsyncioArguments]
) -> HTTP2: ...
@overload
async def connect(
    scheme: Scheme,
    address: Address,
    port: int,
    *,
    protocols: Sequence[ProtocolName] = ...,
    **options: Unpack[AsyncioArguments],
) -> Connection: ...
async def connect(
    scheme: Scheme,
    address: Address,
    port: int,
    *,
    hostname: str | None = None,
    protocols: Sequence[ProtocolName] = ("http1", "http2"),
    proxy: Proxy | None = None,
    mailbox: Mailbox | None = None,
    tcp: TCPOptions = _TCP,
    tls: TLSOptions = _TLS,
    http1: HTTP1Options = _HTTP1,
    http2: HTTP2Options = _HTTP2,
    log: bool = False,
    record: Record | None = None,
    resolver: Resolver | AsyncResolver | None = None,
    socket: sockets.socket | None = None,
) -> Connection:
    """Connect to a server and return the connection value, as `mint.connect` does.

    The arguments are those of `mint.connect`. `mailbox` is a mailbox of this module; you can also give it to
    `set_mode` later. `resolver` may be a coroutine function, which runs in this task, within
    `TCPOptions.connect_timeout`. Cancelling `connect` at any point leaves no socket behind. Raises what
    `mint.connect` raises.
    """
    checked = check_connect(
        scheme, address, port, hostname, protocols, proxy, tcp, tls, http1, http2, log, record
    )
    check_mailbox(mailbox, "asyncio")
    with connecting():
        link, found = await open_link(checked.plan, resolver, socket)
        return checked.begin(link, found, mailbox)


async def flush(conn: Connection) -> None:
    """Wait until the system has taken everything that the connection has queued.

    If you call it, a server that reads slowly slows down the sender; otherwise the bytes that the system does
    not accept stay in memory. Bytes are also read meanwhile. When `TCPOptions.max_read_ahead` octets have
    arrived that were not received, `flush` returns although something is still queued: receive first. The
    connection value does not change.

    Raises `TransportClosed` if the connection broke before everything was accepted: continue with
    `conn.after(error)`, whose next message gives the reason. Cancelling `flush` changes nothing.
    """
    link = conn.transport
    try:
        if isinstance(link, AsyncioLink):
            await link.drain()
        elif isinstance(link, TunnelLink) and isinstance(link.tunnels, Tunnels):
            await link.tunnels.drain(link)
        else:
            raise TypeError("the connection must belong to asyncio, not to another event loop")
    except TransportError as error:
        conn.undelivered(error)
        raise
