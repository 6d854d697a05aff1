"""Read sizes, which grow if reads are filled, and reading before the event loop reports a socket."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import threading
from typing import TYPE_CHECKING, Literal

import pytest
import uvloop

import mint
import mint.asyncio
from mint import errors
from mint._loops.asyncio_link import AsyncioLink
from mint._loops.sockets import LARGE_READ
from mint.testing import Origin, Reset, Response, ScriptedServer, Send, Wait, request
from mint.transport import SocketLink
from tests.refs import ref_of

from ..event_loops import Loop, data, fed, no_socket_left
from ..routes import Narrow, Swallowing

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable

    from mint.testing import Request

BODY = b"".join(hashlib.sha256(bytes((at & 255, at >> 8))).digest() for at in range(1 << 16)) * 8  # 16 MiB


def test_reads_grow_for_streams_and_not_for_small_messages() -> None:
    near, far = socket.socketpair()
    link = SocketLink(near, mint.TCPOptions(receive_size=16))
    with far:
        far.sendall(bytes(16 + 32 + 64 + 8))
        assert [len(link.receive(None)) for _ in range(4)] == [16, 32, 64, 8]
        far.sendall(bytes(100))
        assert len(link.receive(None)) == 16
        link.close()


def test_reads_grow_up_to_a_limit() -> None:
    near, far = socket.socketpair()
    link = SocketLink(near, mint.TCPOptions(receive_size=LARGE_READ - 1))
    with far:
        far.sendall(b"there is something")  # some links wait before they read
        for _ in range(3):
            link._socket = Full(near)  # type: ignore[assignment]  # the link calls only `recv`
            link.receive(None)
            assert link._read_size == LARGE_READ
        link._socket = near
        link.close()


class Full:
    """A socket that fills every read."""

    def __init__(self, wire: socket.socket) -> None:
        self._wire = wire

    def recv(self, size: int, _: int = 0) -> bytes:
        return bytes(size)

    def fileno(self) -> int:
        return self._wire.fileno()


def test_a_receive_size_above_the_limit_is_kept() -> None:
    near, far = socket.socketpair()
    size = LARGE_READ + 1
    link = SocketLink(near, mint.TCPOptions(receive_size=size))
    with far:
        far.sendall(b"x")
        assert link.receive(None) == b"x"
        assert link._read_size == size
        link.close()


# -- asyncio: the receiver reads the socket


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Loop:
    return Loop(asyncio.SelectorEventLoop if request.param == "asyncio" else uvloop.new_event_loop)


class Flood:
    """A socket that fills a hundred reads, and then is not readable."""

    def __init__(self, wire: socket.socket) -> None:
        self._wire = wire
        self.reads = 0
        self.sizes: list[int] = []

    def recv(self, size: int, _: int = 0) -> bytes:
        if self.reads == 100:
            raise BlockingIOError
        self.reads += 1
        self.sizes.append(size)
        return bytes([self.reads]) * size

    def end(self, conn: mint.Connection) -> None:
        """Give the link its own socket back, and close the connection."""
        link = conn.transport
        assert isinstance(link, AsyncioLink)
        link._socket = self._wire
        conn.close()


async def flooded(server: ScriptedServer, mailbox: mint.asyncio.Mailbox) -> tuple[mint.Connection, Flood]:
    """Return a connection whose socket fills a hundred reads, and the socket."""
    conn = await mint.asyncio.connect("http", server.address, server.port, mailbox=mailbox)
    link = conn.transport
    assert isinstance(link, AsyncioLink)
    conn, _ = conn.request("GET", "/")
    conn, responses = fed(conn, await mailbox.receive())
    assert isinstance(responses[0], mint.Status)
    flood = Flood(link._socket)
    link._socket = flood  # type: ignore[assignment]  # the link calls only `recv`
    link.readable()
    return conn, flood


async def drunk(conn: mint.Connection, flood: Flood, receive: Callable[[], Awaitable[object]]) -> None:
    """Receive all of a flood in order, and close."""
    seen = []
    while flood.reads < 100:
        conn, responses = fed(conn, await receive())
        seen.append(data(responses)[:1])
    assert b"".join(seen) == bytes(range(1, 101))
    flood.end(conn)


def staying(over: threading.Event) -> ScriptedServer:
    """Return a server whose response ends when the event is set."""
    return ScriptedServer([request(), Send(b"HTTP/1.1 200 OK\r\n\r\n"), Wait(over)])


def test_other_tasks_run_during_a_flood(run: Loop) -> None:
    async def main(server: ScriptedServer) -> None:
        mailbox = mint.asyncio.Mailbox()
        conn, flood = await flooded(server, mailbox)
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        other = asyncio.create_task(others())
        await drunk(conn, flood, mailbox.receive)
        assert 5 <= turns <= 20
        assert flood.sizes == [65_536] + [LARGE_READ] * 99
        other.cancel()
        over.set()

    over = threading.Event()
    with no_socket_left(), staying(over) as server:
        run(main(server))


def test_cancelling_during_a_flood_loses_nothing(run: Loop) -> None:
    async def main(server: ScriptedServer) -> None:
        mailbox = mint.asyncio.Mailbox()
        conn, flood = await flooded(server, mailbox)
        cancelled = 0

        async def receive() -> object:
            nonlocal cancelled
            task = asyncio.create_task(mailbox.receive())
            await asyncio.sleep(0)
            if not task.done():  # it is letting other tasks run
                waiting = asyncio.create_task(mailbox.receive())
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                cancelled += 1
                task = waiting
            return await task

        await drunk(conn, flood, receive)
        assert cancelled >= 5
        over.set()

    over = threading.Event()
    with no_socket_left(), staying(over) as server:
        run(main(server))


def test_a_flood_without_plaintext_does_not_block_other_tasks(run: Loop) -> None:
    async def main() -> None:
        near, far = socket.socketpair()
        mailbox = mint.asyncio.Mailbox()
        link = AsyncioLink(near, mint.TCPOptions(), (Swallowing(),))
        conn: mint.Connection = mint.http1.initiate(link, scheme="http", hostname="a", mailbox=mailbox)
        flood = Flood(near)
        link._socket = flood  # type: ignore[assignment]  # the link calls only `recv`
        link.readable()
        receiving = asyncio.create_task(mailbox.receive())
        turns = 0
        while flood.reads < 100:
            turns += 1
            await asyncio.sleep(0)
        assert turns >= 5
        receiving.cancel()
        flood.end(conn)
        far.close()

    with no_socket_left():
        run(main())


# -- incomplete records, the queue, and ends


async def behind(
    server: ScriptedServer, mailbox: mint.asyncio.Mailbox
) -> tuple[mint.Connection, AsyncioLink]:
    """Return a connection and its link."""
    conn = await mint.asyncio.connect("http", server.address, server.port, mailbox=mailbox)
    link = conn.transport
    assert isinstance(link, AsyncioLink)
    return conn, link


class Lines(Narrow):
    """A layer that returns only complete lines."""

    def read(self) -> bytes:
        whole, end, self.came = self.came.rpartition(b"\n")
        return whole + end


def test_an_incomplete_record_is_waited_for(run: Loop) -> None:
    """If a read gives no plaintext, the loop must report the socket again."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        near, far = socket.socketpair()
        far.setblocking(False)
        mailbox = mint.asyncio.Mailbox()
        link = AsyncioLink(near, mint.TCPOptions(), (Lines(),))
        conn: mint.Connection = mint.http1.initiate(link, scheme="http", hostname="a", mailbox=mailbox)
        conn, _ = conn.request("GET", "/")
        far.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        conn, _ = fed(conn, await mailbox.receive())
        line = bytes(999) + b"\n"
        await loop.sock_sendall(far, line[:500])
        receiving = asyncio.create_task(mailbox.receive())
        for _ in range(5):
            await asyncio.sleep(0)
        await loop.sock_sendall(far, line[500:])
        conn, responses = fed(conn, await receiving)
        assert data(responses) == line
        conn.close()
        far.close()

    with no_socket_left():
        run(main())


def test_a_link_is_in_the_queue_once(run: Loop) -> None:
    """An upload that receives only at its end: every operation that leaves octets queued must be written."""
    over = threading.Event()

    async def main(server: ScriptedServer) -> None:
        mailbox = mint.asyncio.Mailbox()
        conn, link = await behind(server, mailbox)
        conn, ref = conn.request("POST", "/", body=mint.STREAM)
        conn, _ = fed(conn, await mailbox.receive())
        link.readable()
        for _ in range(100):
            conn = conn.stream_request_body(ref, b"x")
            conn = conn.stream_request_body(ref, b"x")
            await asyncio.sleep(0)
        assert len(mailbox._queue) == 1
        conn.close()
        over.set()

    with no_socket_left(), staying(over) as server:
        run(main(server))


def test_a_mailbox_belongs_to_one_loop(run: Loop) -> None:
    over = threading.Event()

    async def elsewhere() -> mint.asyncio.Mailbox:
        return mint.asyncio.Mailbox()

    async def main(server: ScriptedServer) -> None:
        conn = await mint.asyncio.connect("http", server.address, server.port)
        with pytest.raises(TypeError, match="another event loop"):
            conn.set_mode("active", other)
        conn.close()
        over.set()

    other = run(elsewhere())
    with no_socket_left(), ScriptedServer([Wait(over)]) as server:
        run(main(server))


@pytest.mark.parametrize("way", ["clear", "tls", "http2"])
def test_content_is_received_in_order(
    run: Loop,
    way: Literal["clear", "tls", "http2"],
    server_tls: ssl.SSLContext,
    client_tls: ssl.SSLContext,
) -> None:
    async def main(origin: Origin) -> None:
        mailbox = mint.asyncio.Mailbox()
        conn = await mint.asyncio.connect(
            "http" if way == "clear" else "https",
            origin.address,
            origin.port,
            hostname="localhost",
            tls=mint.TLSOptions(context=client_tls),
            mailbox=mailbox,
        )
        assert conn.protocol == ("http2" if way == "http2" else "http1")
        conn, _ = conn.request("GET", "/")
        body = b""
        while conn.open_request_count:
            conn, responses = fed(conn, await mailbox.receive())
            body += data(responses)
        assert body == BODY
        conn.close()

    def answer(_: Request) -> Response:
        return Response(body=BODY)

    server_tls.set_alpn_protocols(["h2" if way == "http2" else "http/1.1"])
    tls = None if way == "clear" else server_tls
    with no_socket_left(), Origin(answer, tls=tls) as origin:
        run(main(origin))


@pytest.mark.parametrize("end", ["end", "reset"])
def test_the_end_follows_octets_that_were_read_ahead(run: Loop, end: Literal["end", "reset"]) -> None:
    async def main(server: ScriptedServer) -> None:
        mailbox = mint.asyncio.Mailbox()
        conn = await mint.asyncio.connect("http", server.address, server.port, mailbox=mailbox)
        conn, ref = conn.request("GET", "/")
        body, failed = b"", []
        try:
            while conn.open_request_count:
                conn, responses = fed(conn, await mailbox.receive())
                body += data(responses)
        except errors.TransportError as error:
            failed = [ref_of(each) for each in error.responses]
        assert failed == [ref] * (end == "reset")
        assert BODY.startswith(body)
        assert end == "reset" or len(body) == len(BODY)
        conn.close()

    script = [request(), Send(b"HTTP/1.1 200 OK\r\n\r\n" + BODY)]
    with no_socket_left(), ScriptedServer(script + [Reset()] * (end == "reset")) as server:
        run(main(server))
