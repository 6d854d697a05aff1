"""A socket with the number 0, which a program without standard input may get, is a socket as any other."""

from __future__ import annotations

import asyncio
import os
import selectors
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing
import uvloop

import mint
import mint.asyncio
import mint.trio
from mint._loops.system import SelectPoll
from mint.errors import TransportClosed, TransportTimeout
from mint.testing import Forever, ScriptedServer, frames, http2

from ..event_loops import PAGE, Loop, data, fed, fetch, run_trio
from .test_tunnel_flush import SAID, opened
from .test_tunnels import KINDS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

HEAD, END = PAGE[:-1], PAGE[-1:]
MUCH = bytes(8_388_608)
"""More than the system accepts at once."""


@contextmanager
def unused_0() -> Generator[None]:
    """Let the next socket have the number 0."""
    kept = os.dup(0)
    os.close(0)
    try:
        yield
    finally:
        os.dup2(kept, 0)
        os.close(kept)


@contextmanager
def numbered_0() -> Generator[tuple[socket.socket, socket.socket]]:
    """Return two connected sockets, of which the first has the number 0."""
    with unused_0():
        near, far = socket.socketpair()
        with near, far:
            assert near.fileno() == 0
            far.settimeout(10)
            yield near, far


def check_closed(near: socket.socket, far: socket.socket) -> None:
    assert near.fileno() == -1
    while far.recv(65_536):
        pass


@pytest.mark.parametrize("polls", [True, False], ids=["poll", "select"])
def test_blocking(polls: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not polls:
        monkeypatch.setattr("mint._loops.tcp.make_poll", SelectPoll)
    with numbered_0() as (near, far):
        conn: mint.Connection = mint.connect("http", "a.example", 80, socket=near)
        conn, _ = conn.request("GET", "/")
        far.sendall(HEAD)
        conn, responses = conn.recv(timeout=10)
        assert data(responses) == b"hell"
        with pytest.raises(TransportTimeout):
            conn.recv(timeout=0)
        far.sendall(END)
        conn, responses = conn.recv(timeout=10)
        assert data(responses) == b"o"
        conn.close()
        check_closed(near, far)


def test_a_mailbox_of_threads() -> None:
    with mint.Mailbox() as mailbox:
        for _ in range(2):
            with numbered_0() as (near, far):
                conn: mint.Connection = mint.connect("http", "a.example", 80, socket=near, mailbox=mailbox)
                conn, _ = conn.request("GET", "/")
                for piece in (HEAD, END):
                    far.sendall(piece)
                    conn, responses = fed(conn, mailbox.receive(10))
                    assert data(responses) == piece[-4:]
                conn.close()
                check_closed(near, far)


def test_a_mailbox_does_not_watch_a_connection_that_has_left_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise it would be woken without end by octets that it must not read."""
    made: list[selectors.BaseSelector] = []

    class Selector(selectors.DefaultSelector):
        def __init__(self) -> None:
            super().__init__()
            made.append(self)

    def watched() -> set[int]:
        return {key.fd for each in made for key in each.get_map().values()}

    monkeypatch.setattr(selectors, "DefaultSelector", Selector)
    with mint.Mailbox() as mailbox, numbered_0() as (near, far):
        conn: mint.Connection = mint.connect("http", "a.example", 80, socket=near, mailbox=mailbox)
        conn, _ = conn.request("GET", "/")
        far.sendall(HEAD)
        conn, _ = fed(conn, mailbox.receive(10))
        with pytest.raises(TransportTimeout):
            mailbox.receive(0)
        assert 0 in watched()
        conn = conn.set_mode("passive")
        assert 0 not in watched()
        far.sendall(END)
        with pytest.raises(TransportTimeout):
            mailbox.receive(0)
        conn, responses = conn.recv(timeout=10)
        assert data(responses) == END
        conn.close()


async def exchange(
    mailbox: mint.asyncio.Mailbox | mint.trio.Mailbox,
    connect: Callable[..., Awaitable[mint.Connection]],
    flush: Callable[[mint.Connection], Awaitable[None]],
) -> None:
    """Use the number twice: if the first connection was not forgotten, the second gets nothing."""
    with mailbox:
        for _ in range(2):
            with numbered_0() as (near, far):
                conn = await connect("http", "a.example", 80, socket=near, mailbox=mailbox)
                conn, _ = conn.request("GET", "/")
                await flush(conn)
                for piece in (HEAD, END):
                    far.sendall(piece)
                    conn, responses = fed(conn, await mailbox.receive())
                    assert data(responses) == piece[-4:]
                conn.close()
                check_closed(near, far)


@pytest.mark.parametrize("make", [asyncio.SelectorEventLoop, uvloop.new_event_loop])
def test_asyncio(make: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def main() -> None:
        await exchange(mint.asyncio.Mailbox(), mint.asyncio.connect, mint.asyncio.flush)

    Loop(make)(main())


def test_trio() -> None:
    async def main() -> None:
        await exchange(mint.trio.Mailbox(), mint.trio.connect, mint.trio.flush)

    run_trio(main)


@pytest.mark.parametrize("make", [asyncio.SelectorEventLoop, uvloop.new_event_loop])
def test_closing_ends_a_flush_in_asyncio(make: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def main() -> None:
        with numbered_0() as (near, far):
            conn = await mint.asyncio.connect("http", "a.example", 80, socket=near)
            conn, _ = conn.request("POST", "/", body=MUCH)
            flushing = asyncio.create_task(mint.asyncio.flush(conn))
            await asyncio.sleep(0)
            conn.close()
            with pytest.raises(TransportClosed):
                await flushing
            check_closed(near, far)

    Loop(make)(main())


def test_closing_ends_a_flush_in_trio() -> None:
    """The task that waits for the socket is told before the number can belong to another socket."""

    async def flush(conn: mint.Connection) -> None:
        with pytest.raises(TransportClosed):
            await mint.trio.flush(conn)

    async def main() -> None:
        with numbered_0() as (near, far):
            conn = await mint.trio.connect("http", "a.example", 80, socket=near)
            conn, _ = conn.request("POST", "/", body=MUCH)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(flush, conn)
                await trio.testing.wait_all_tasks_blocked()
                conn.close()
            check_closed(near, far)

    run_trio(main)


@pytest.mark.parametrize("kind", KINDS)
def test_tunnels_through_such_a_connection(kind: str) -> None:
    module = KINDS[kind].module

    async def main(server: ScriptedServer) -> None:
        with unused_0():
            near = socket.create_connection((server.address, server.port))
            assert near.fileno() == 0
            proxy = await module.connect(
                "http", server.address, server.port, protocols=("http2",), socket=near
            )
            with module.Tunnels(proxy) as tunnels, module.Mailbox() as mailbox:
                conn = await tunnels.connect("http", "one.example", 80, protocols=("http1",), mailbox=mailbox)
                conn, body = await fetch(conn, mailbox, "/")
                assert body == b"hello"
                conn.close()
            assert near.fileno() == -1

    with ScriptedServer(opened(SAID, http2.send(frames.data(1, PAGE)), Forever())) as server:
        KINDS[kind].run(main(server))
