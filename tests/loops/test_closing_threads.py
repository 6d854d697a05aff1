"""Connections through tunnels of an event loop that another thread closes."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING

import pytest
import trio

from mint import errors
from mint.testing import Drain, ScriptedServer, http2
from mint.testing.frames import data, headers

from ..event_loops import PAGE, fed
from .test_tunnels import KINDS, Kind, answered

if TYPE_CHECKING:
    from collections.abc import Callable

OPEN = ((":status", "200"),)
CANCELLED = [http2.ExpectFrame(http2.FrameType.DATA, 1), http2.ExpectFrame(http2.FrameType.RST_STREAM, 1)]
TWO_TUNNELS = [
    *http2.handshake(),
    *(http2.ExpectHeaders(1), http2.send(headers(1, OPEN)), http2.ExpectHeaders(3)),
    http2.send(headers(3, OPEN)),
]
ANSWERED = [http2.ExpectFrame(http2.FrameType.DATA, 3), http2.send(data(3, PAGE))]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


async def in_thread(kind: Kind, work: Callable[[], object]) -> None:
    """Call a function in another thread, and let the loop do what it was asked for."""
    if kind is KINDS["trio"]:
        await trio.to_thread.run_sync(work)
        await trio.lowlevel.checkpoint()
        return
    thread = threading.Thread(target=work)
    thread.start()
    thread.join(10)
    for _ in range(3):
        await asyncio.sleep(0)


def test_another_thread_closes_a_tunnel(kind: Kind) -> None:
    """Its stream is cancelled, and the other tunnels continue."""

    async def main(server: ScriptedServer) -> None:
        proxy = await kind.module.connect("http", server.address, server.port, protocols=("http2",))
        with kind.module.Tunnels(proxy) as tunnels, kind.module.Mailbox() as mailbox:
            conn = await tunnels.connect("http", "one.example", 80, protocols=("http1",), mailbox=mailbox)
            other = await tunnels.connect("http", "two.example", 80, protocols=("http1",), mailbox=mailbox)
            await in_thread(kind, conn.close)
            assert conn.transport.closed
            other, _ = other.request("GET", "/")
            other, body = await answered(other, mailbox)
            assert body == b"hello"

    with ScriptedServer([*TWO_TUNNELS, *CANCELLED, *ANSWERED, Drain()]) as server:
        kind.run(main(server))


def test_another_thread_closes_all_tunnels(kind: Kind) -> None:
    """A task that waits for a message of a tunnel learns that the tunnel has ended."""

    async def main(server: ScriptedServer) -> None:
        proxy = await kind.module.connect("http", server.address, server.port, protocols=("http2",))
        tunnels = kind.module.Tunnels(proxy)
        with kind.module.Mailbox() as mailbox:
            conn = await tunnels.connect("http", "one.example", 80, protocols=("http1",), mailbox=mailbox)
            other = await tunnels.connect("http", "two.example", 80, protocols=("http1",))
            conn, _ = conn.request("GET", "/")
            await in_thread(kind, tunnels.close)
            with pytest.raises(errors.TransportClosed):
                while True:
                    conn, _ = fed(conn, await mailbox.receive())
            assert not tunnels.connection.is_open()
            conn.close()
            other.close()

    with ScriptedServer([*TWO_TUNNELS, Drain()]) as server:
        kind.run(main(server))


@pytest.mark.parametrize("what", ["connection", "tunnels", "tunnel"])
def test_closing_after_the_loop_has_ended(kind: Kind, what: str) -> None:
    """Any thread may close a connection, also when nothing can be scheduled in its loop any more."""
    made = []

    async def main(server: ScriptedServer) -> None:
        conn = await kind.module.connect("http", server.address, server.port, protocols=("http2",))
        made.append(conn)
        if what != "connection":
            made.append(kind.module.Tunnels(conn))
        if what == "tunnel":
            made.append(await made[1].connect("http", "one.example", 80, protocols=("http1",)))

    script = [*(TWO_TUNNELS[:5] if what == "tunnel" else ()), Drain()]
    with ScriptedServer(script) as server:
        thread = threading.Thread(target=kind.run, args=(main(server),))
        thread.start()
        thread.join(10)
        wire = made[0].transport.socket
        assert isinstance(wire, socket.socket)
        made[-1].close()
        if what == "tunnel":
            assert made[-1].transport.closed
            made[1].close()
        assert wire.fileno() == -1
