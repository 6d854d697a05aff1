"""The options that mint sets on a socket, on and off, under every event loop.

mint sets them both on a socket that it opened and on one that the caller connected. The latter may have any
option set already, so an option that is off must be turned off.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import uvloop

import mint
import mint.asyncio
import mint.trio

from ..event_loops import Loop, run_trio

if TYPE_CHECKING:
    from collections.abc import Generator

    from mint import TCPOptions

NODELAY = (socket.IPPROTO_TCP, socket.TCP_NODELAY)
KEEPALIVE = (socket.SOL_SOCKET, socket.SO_KEEPALIVE)
SEND_BUFFER = (socket.SOL_SOCKET, socket.SO_SNDBUF)
RECEIVE_BUFFER = (socket.SOL_SOCKET, socket.SO_RCVBUF)
FLAGS = (NODELAY, KEEPALIVE)
BUFFERS = (SEND_BUFFER, RECEIVE_BUFFER)
# Each option of mint, and what the socket then has. Linux doubles the size of a buffer.
OPTIONS: dict[str, tuple[TCPOptions, dict[tuple[int, int], int]]] = {
    "default": (mint.TCPOptions(), {NODELAY: 1, KEEPALIVE: 0}),
    "nodelay": (mint.TCPOptions(nodelay=True), {NODELAY: 1, KEEPALIVE: 0}),
    "no nodelay": (mint.TCPOptions(nodelay=False), {NODELAY: 0, KEEPALIVE: 0}),
    "keepalive": (mint.TCPOptions(keepalive=True), {NODELAY: 1, KEEPALIVE: 1}),
    "no keepalive": (mint.TCPOptions(keepalive=False), {NODELAY: 1, KEEPALIVE: 0}),
    "send_buffer": (mint.TCPOptions(send_buffer=10_000), {SEND_BUFFER: 20_000}),
    "receive_buffer": (mint.TCPOptions(receive_buffer=12_000), {RECEIVE_BUFFER: 24_000}),
}


def connect_blocking(port: int, tcp: TCPOptions, given: socket.socket | None) -> mint.Connection:
    return mint.connect("http", "127.0.0.1", port, hostname="origin.test", tcp=tcp, socket=given)


async def connect_asyncio(port: int, tcp: TCPOptions, given: socket.socket | None) -> mint.Connection:
    return await mint.asyncio.connect(
        "http", "127.0.0.1", port, hostname="origin.test", tcp=tcp, socket=given
    )


async def connect_trio(port: int, tcp: TCPOptions, given: socket.socket | None) -> mint.Connection:
    return await mint.trio.connect("http", "127.0.0.1", port, hostname="origin.test", tcp=tcp, socket=given)


def in_asyncio(port: int, tcp: TCPOptions, given: socket.socket | None) -> mint.Connection:
    return Loop(asyncio.SelectorEventLoop)(connect_asyncio(port, tcp, given))


def in_uvloop(port: int, tcp: TCPOptions, given: socket.socket | None) -> mint.Connection:
    return Loop(uvloop.new_event_loop)(connect_asyncio(port, tcp, given))


def in_trio(port: int, tcp: TCPOptions, given: socket.socket | None) -> mint.Connection:
    return run_trio(connect_trio, port, tcp, given)


CONNECT = {"blocking": connect_blocking, "asyncio": in_asyncio, "uvloop": in_uvloop, "trio": in_trio}


@contextmanager
def listening() -> Generator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def values(sock: socket.socket | None) -> dict[tuple[int, int], int]:
    assert sock is not None
    return {each: sock.getsockopt(*each) for each in (*FLAGS, *BUFFERS)}


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("loop", CONNECT)
def test_a_socket_that_mint_opened(loop: str, option: str) -> None:
    tcp, expected = OPTIONS[option]
    with listening() as port, CONNECT[loop](port, tcp, None) as conn:
        found = values(conn.socket)
    assert found | expected == found


@pytest.mark.parametrize("before", [0, 1])
@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("loop", CONNECT)
def test_a_socket_of_the_caller(loop: str, option: str, before: int) -> None:
    tcp, expected = OPTIONS[option]
    with listening() as port:
        mine = socket.create_connection(("127.0.0.1", port))
        for each in FLAGS:
            mine.setsockopt(*each, before)
        had = values(mine)
        with CONNECT[loop](port, tcp, mine) as conn:
            assert conn.socket is mine
            # Blocking calls have their own way not to block.
            assert loop == "blocking" or not mine.getblocking()
            found = values(mine)
    assert found | expected == found
    # The buffers are left alone unless the caller asks for a size.
    assert {each for each in BUFFERS if found[each] != had[each]} == expected.keys() & set(BUFFERS)


@pytest.mark.parametrize("loop", CONNECT)
def test_a_unix_socket_keeps_the_options_of_its_caller(loop: str) -> None:
    mine, far = socket.socketpair()
    with far:
        mine.setsockopt(*KEEPALIVE, 1)
        with CONNECT[loop](80, mint.TCPOptions(keepalive=False, send_buffer=10_000), mine):
            assert mine.getsockopt(*KEEPALIVE) == 1
            assert mine.getsockopt(*SEND_BUFFER) == 20_000
