"""The socket of a connection that carries tunnels: who waits for it, and when it is closed."""

from __future__ import annotations

import asyncio
import gc
import select
import threading
import warnings
from typing import TYPE_CHECKING, Any

import pytest
import trio
import trio.testing

import mint
from mint._loops.asyncio_tunnels import LoopReader
from mint.testing import Drain, Forever, ScriptedServer, Set, Wait, http2
from mint.testing.frames import data, headers, ping, window_update

from ..event_loops import PAGE, no_socket_left
from .test_tunnels import KINDS, Kind, answered

if TYPE_CHECKING:
    from collections.abc import Callable

OPEN = ((":status", "200"),)
MUCH = 12 * 1_048_576
TCP = mint.TCPOptions(send_buffer=131_072, high_water=2 * MUCH)
ONE_TUNNEL = [
    *http2.handshake(),
    *(http2.ExpectHeaders(1), http2.send(headers(1, OPEN))),
    *(http2.ExpectFrame(http2.FrameType.DATA, 1), http2.send(data(1, PAGE))),
    Drain(),
]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


async def proxy_of(kind: Kind, server: ScriptedServer) -> Any:  # a connection to a server that expects HTTP/2
    return await kind.module.connect("http", server.address, server.port, protocols=("http2",), tcp=TCP)


async def turns(kind: Kind, number: int = 10) -> None:
    """Let the other tasks run as far as they can without input."""
    if kind is KINDS["trio"]:
        await trio.testing.wait_all_tasks_blocked()
    else:
        for _ in range(number):
            await asyncio.sleep(0)


def test_dropped_tunnels_free_their_socket(kind: Kind) -> None:
    """The next connection gets the same descriptor number, and nobody waits for that number any more."""

    async def main(server: ScriptedServer) -> None:
        numbers = set()
        with kind.module.Mailbox() as mailbox:
            for _ in range(3):
                proxy = await proxy_of(kind, server)
                numbers.add(proxy.socket.fileno())
                tunnels = kind.module.Tunnels(proxy)
                conn = await tunnels.connect("http", "one.example", 80, protocols=("http1",), mailbox=mailbox)
                conn, _ = conn.request("GET", "/")
                conn, body = await answered(conn, mailbox)
                assert body == b"hello"
                await turns(kind)
                del tunnels, proxy, conn
                gc.collect()
                await turns(kind)
        assert len(numbers) == 1

    with warnings.catch_warnings(), no_socket_left(), ScriptedServer(*[ONE_TUNNEL] * 3) as server:
        warnings.simplefilter("ignore", ResourceWarning)  # the connections are dropped on purpose
        kind.run(main(server))


@pytest.mark.parametrize("name", ["asyncio", "uvloop"])
def test_a_connection_whose_tunnels_were_dropped_is_no_longer_read(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody reads what arrives then, so the loop must not report it again and again."""
    kind, go, sent, reads = KINDS[name], threading.Event(), threading.Event(), []
    read: Callable[[LoopReader], None] = LoopReader._read

    def counted(self: LoopReader) -> None:
        reads.append(self)
        read(self)

    async def main(server: ScriptedServer) -> None:
        proxy = await proxy_of(kind, server)
        tunnels = kind.module.Tunnels(proxy)
        await turns(kind)
        del tunnels
        gc.collect()
        go.set()
        assert sent.wait(10)
        poll = select.poll()
        poll.register(proxy.socket, select.POLLIN)
        assert poll.poll(10_000)
        reads.clear()
        await turns(kind, 100)
        assert len(reads) < 5
        proxy.close()

    monkeypatch.setattr(LoopReader, "_read", counted)
    script = [*http2.handshake(), Wait(go), http2.send(ping()), Set(sent), Forever()]
    with ScriptedServer(script) as server:
        kind.run(main(server))


def test_tunnels_may_take_over_a_connection_whose_flush_waits(kind: Kind) -> None:
    go = threading.Event()
    script = [
        *http2.handshake((http2.Setting.INITIAL_WINDOW_SIZE, 2 * MUCH)),
        *(http2.send(window_update(0, 2 * MUCH)), Wait(go), Drain()),
    ]

    async def main(server: ScriptedServer) -> None:
        proxy = await proxy_of(kind, server)
        with kind.module.Mailbox() as mailbox:
            proxy = proxy.set_mode("active", mailbox)
            while proxy.get_server_setting("initial_window_size") != 2 * MUCH:
                proxy, _ = proxy.stream(await mailbox.receive())
            proxy, ref = proxy.request("POST", "/", body=mint.STREAM)
            while proxy.request_body_window(ref) < MUCH:
                proxy, _ = proxy.stream(await mailbox.receive())
            proxy = proxy.stream_request_body(ref, bytes(MUCH))
            assert proxy.transport.unsent
            with await flushing(kind, proxy, go) as tunnels:
                assert not tunnels.wire.unsent

    with ScriptedServer(script) as server:
        kind.run(main(server))


async def flushing(kind: Kind, proxy: Any, go: threading.Event) -> Any:  # as above
    """Make tunnels while a task flushes the connection, and wait for that task."""
    if kind is KINDS["trio"]:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(kind.module.flush, proxy)
            await turns(kind)
            tunnels = kind.module.Tunnels(proxy)
            await turns(kind)
            go.set()
        return tunnels
    task = asyncio.create_task(kind.module.flush(proxy))
    await turns(kind)
    tunnels = kind.module.Tunnels(proxy)
    await turns(kind)
    go.set()
    await task
    return tunnels
