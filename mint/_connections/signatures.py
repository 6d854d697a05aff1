"""The keyword arguments of `connect` as its overloads see them: `protocols` says which connection comes.

Only overloads use them: `connect` itself names its arguments. A test compares the two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, TypedDict

if TYPE_CHECKING:
    import socket as sockets

    from .._transcripts.recorder import Record
    from ..options import HTTP1Options, HTTP2Options, TCPOptions, TLSOptions
    from ..proxy import Proxy
    from ..types import AsyncResolver, Inbox, Resolver

OnlyHTTP1: TypeAlias = tuple[Literal["http1"]]
OnlyHTTP2: TypeAlias = tuple[Literal["http2"]]


class _Common(TypedDict, total=False):
    """What `connect` takes in blocking code and under every event loop."""

    hostname: str | None
    proxy: Proxy | None
    tcp: TCPOptions
    tls: TLSOptions
    http1: HTTP1Options
    http2: HTTP2Options
    log: bool
    record: Record | None
    socket: sockets.socket | None


class Arguments(_Common, total=False):
    """What `connect` takes under every event loop, but for the mailbox."""

    resolver: Resolver | AsyncResolver | None


class TunnelArguments(TypedDict, total=False):
    """What `connect` of `Tunnels` takes, but for the mailbox."""

    hostname: str | None
    tcp: TCPOptions
    tls: TLSOptions
    http1: HTTP1Options
    http2: HTTP2Options
    log: bool
    record: Record | None
    tunnel_timeout: float | None


class AsyncTunnelArguments(TunnelArguments, total=False):
    """The same with a mailbox of asyncio or trio."""

    mailbox: Inbox | None


class BlockingArguments(_Common, total=False):
    """The same with a mailbox of any kind that blocks, and a resolver that does."""

    resolver: Resolver | None
    mailbox: Inbox | None
