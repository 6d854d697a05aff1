"""What every event loop passes from the connecting procedure to the link that it makes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import uvloop

import mint
import mint.asyncio
import mint.trio
from mint._wire.link import Link
from mint.testing import Drain, ScriptedServer, Send, http2, request

from ..event_loops import Loop, run_trio
from ..tls import server_context, trusting

if TYPE_CHECKING:
    from mint.types import ProtocolName, Scheme

ESTABLISHED = b"HTTP/1.1 200 OK\r\n\r\n"
TCP = mint.TCPOptions(high_water=1_234_567, max_read_ahead=2_345_678)


def connect_blocking(scheme: Scheme, proxy: mint.Proxy, protocol: ProtocolName) -> mint.Connection:
    return mint.connect(scheme, "localhost", 80, proxy=proxy, protocols=(protocol,), tcp=TCP, tls=trusting())


async def connect_asyncio(scheme: Scheme, proxy: mint.Proxy, protocol: ProtocolName) -> mint.Connection:
    return await mint.asyncio.connect(
        scheme, "localhost", 80, proxy=proxy, protocols=(protocol,), tcp=TCP, tls=trusting()
    )


async def connect_trio(scheme: Scheme, proxy: mint.Proxy, protocol: ProtocolName) -> mint.Connection:
    return await mint.trio.connect(
        scheme, "localhost", 80, proxy=proxy, protocols=(protocol,), tcp=TCP, tls=trusting()
    )


def in_asyncio(scheme: Scheme, proxy: mint.Proxy, protocol: ProtocolName) -> mint.Connection:
    return Loop(asyncio.SelectorEventLoop)(connect_asyncio(scheme, proxy, protocol))


def in_uvloop(scheme: Scheme, proxy: mint.Proxy, protocol: ProtocolName) -> mint.Connection:
    return Loop(uvloop.new_event_loop)(connect_asyncio(scheme, proxy, protocol))


def in_trio(scheme: Scheme, proxy: mint.Proxy, protocol: ProtocolName) -> mint.Connection:
    return run_trio(connect_trio, scheme, proxy, protocol)


CONNECT = {"blocking": connect_blocking, "asyncio": in_asyncio, "uvloop": in_uvloop, "trio": in_trio}


@pytest.mark.parametrize("first", [b"", http2.settings().serialize()], ids=["nothing", "SETTINGS"])
@pytest.mark.parametrize("loop", CONNECT)
def test_octets_that_arrive_with_the_answer_of_a_proxy(loop: str, first: bytes) -> None:
    """The socket would not report them again."""
    with ScriptedServer([request(rb"^CONNECT "), Send(ESTABLISHED + first), Drain()]) as server:
        proxy = mint.Proxy("http", server.address, server.port, tunnel=True)
        with CONNECT[loop]("http", proxy, "http2") as conn:
            link = conn.transport
            assert isinstance(link, Link)
            assert link.has_next is bool(first)


@pytest.mark.parametrize("loop", CONNECT)
def test_tls_with_a_proxy_alone_is_not_tls_with_the_server(loop: str) -> None:
    with ScriptedServer([Drain()], tls=server_context()) as server:
        proxy = mint.Proxy("https", "localhost", server.port, tls=trusting())
        with CONNECT[loop]("http", proxy, "http1") as conn:
            assert conn.tls is None


@pytest.mark.parametrize("loop", CONNECT)
def test_the_limits_of_the_queues(loop: str) -> None:
    with ScriptedServer([Drain()]) as server:
        proxy = mint.Proxy("http", server.address, server.port)
        conn = CONNECT[loop]("http", proxy, "http1")
        link = conn.transport
        conn.close()
    assert isinstance(link, Link)
    assert (link.high_water, link.max_read_ahead) == (1_234_567, 2_345_678)
