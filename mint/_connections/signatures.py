"""The keyword arguments of `connect` for its overloads, where `protocols` decides the type of connection.

Only overloads use them: `connect` itself declares its arguments. A test compares the two.
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
    """The arguments of `connect` that are the same in blocking code and in event loops."""

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
    """The arguments of `connect` in event loops, without the mailbox."""

    resolver: Resolver | AsyncResolver | None


class TunnelArguments(TypedDict, total=False):
    """The arguments of `Tunnels.connect`, without the mailbox."""

    hostname: str | None
    tcp: TCPOptions
    tls: TLSOptions
    http1: HTTP1Options
    http2: HTTP2Options
    log: bool
    record: Record | None
    tunnel_timeout: float | None


class AsyncTunnelArguments(TunnelArguments, total=False):
    """The arguments of `Tunnels.connect` in asyncio and trio, with a mailbox."""

    mailbox: Inbox | None


class BlockingArguments(_Common, total=False):
    """The arguments of the blocking `connect`, with a blocking mailbox and resolver."""

    resolver: Resolver | None
    mailbox: Inbox | None
