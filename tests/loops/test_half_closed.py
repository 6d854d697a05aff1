"""Tunnels whose peer has ended its side: all that the caller sends arrives, and no loss goes unnoticed."""

from __future__ import annotations

import select
import socket
import struct
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self  # the modules for the event loops have no common types

import pytest

import mint
from mint import errors
from mint.testing import (
    Do,
    Forever,
    Peer,
    Reset,
    ScriptedServer,
    Send,
    ShutWrite,
    Step,
    Wait,
    http2,
    request,
)
from mint.testing.frames import data, headers, rst_stream, serialize, window_update
from mint.transport import SocketLink

from ..event_loops import PATIENCE, fed
from ..tls import server_context, trusting
from .test_tunnels import KINDS

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from mint._core.events import RequestRef

UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n"
FIELDS = [("connection", "upgrade"), ("upgrade", "echo")]
BUFFER = 65_536
"""The size of the system's buffers. It is fixed, so that they never take all that the client queues."""
MUCH = 3_000_000
WINDOW = 1_000
NAMES = ("blocking", "mailbox", *KINDS)
OPEN = http2.send(headers(1, ((":status", "200"),)))
SAID = http2.ExpectFrame(http2.FrameType.DATA, 1)


class Program:
    """Uses a connection in one of the event loops, or with blocking calls; those never await anything."""

    def __init__(self, name: str) -> None:
        self.blocks = name in {"blocking", "mailbox"}
        self.module: Any = mint if self.blocks else KINDS[name].module
        self.mailbox = None if name == "blocking" else self.module.Mailbox()
        self.tunnels: Any = None
        self._conn: mint.Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._conn, self.tunnels, self.mailbox):
            if each is not None:
                each.close()

    async def connect(self, *where: Any, **given: Any) -> tuple[mint.Connection, RequestRef]:
        """Connect, and open a tunnel by an upgrade."""
        conn, ref = (await self.open(*where, **given)).request("GET", "/", FIELDS)
        return conn, ref

    async def open(self, *where: Any, **given: Any) -> mint.Connection:
        """Connect."""
        given = {"protocols": ("http1",), **given}
        conn: mint.Connection
        if self.tunnels is not None and self.blocks:
            conn = self.tunnels.connect(*where, **given)
            if self.mailbox is not None:
                self.tunnels.set_mode("active", self.mailbox)
                conn = conn.set_mode("active", self.mailbox)
        else:
            if self.mailbox is not None:
                given["mailbox"] = self.mailbox
            made = (self.tunnels or self.module).connect(*where, **given)
            conn = made if self.blocks else await made
        self._conn = conn
        return conn

    async def share(self, server: ScriptedServer) -> None:
        """Connect to a proxy that many tunnels share."""
        await self.share_with(server.address, server.port)

    async def share_with(self, address: str, port: int, **given: Any) -> None:
        """Connect to a proxy at this address that many tunnels share."""
        made = self.module.connect("http", address, port, protocols=("http2",), **given)
        self.tunnels = self.module.Tunnels(made if self.blocks else await made)

    async def receive(self, conn: mint.Connection) -> tuple[mint.Connection, list[mint.Response]]:
        if self.mailbox is None:
            return conn.recv(timeout=PATIENCE)
        message = self.mailbox.receive(PATIENCE) if self.blocks else await self.mailbox.receive()
        if self.blocks and self.tunnels is not None and self.tunnels.stream(message) is not mint.UNKNOWN:
            return conn, []
        return fed(conn, message)

    async def to_the_end(self, conn: mint.Connection) -> mint.Connection:
        """Receive until the peer has ended its side."""
        ended = False
        while not ended:
            conn, responses = await self.receive(conn)
            ended = any(isinstance(each, mint.Done) for each in responses)
        return conn

    async def flush(self, conn: mint.Connection) -> mint.Connection:
        if self.blocks:
            return conn.flush(PATIENCE)
        await self.module.flush(conn)
        return conn


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def run(name: str, work: Coroutine[object, object, None]) -> None:
    if name in KINDS:
        KINDS[name].run(work)
        return
    with pytest.raises(StopIteration):
        work.send(None)


class Server:
    """Opens a tunnel and ends its side; it reads when told to, to the end, or it resets the connection."""

    def __init__(self, first: bytes) -> None:
        self.first = first
        self.reads, self.resets = threading.Event(), threading.Event()
        self.count = 0
        self.ended = False
        self._listening = socket.socket()
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        self._listening.bind(("127.0.0.1", 0))
        self._listening.listen()
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        sock, _ = self._listening.accept()
        with sock:
            sock.recv(4096)
            sock.sendall(UPGRADED + self.first)
            sock.shutdown(socket.SHUT_WR)
            assert self.reads.wait(PATIENCE)
            if self.resets.is_set():
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            while octets := sock.recv(BUFFER):
                self.count += len(octets)
            self.ended = True

    def join(self) -> None:
        self.reads.set()
        self._thread.join(PATIENCE)
        self._listening.close()


@contextmanager
def serving(first: bytes = b"") -> Iterator[Server]:
    server = Server(first)
    try:
        yield server
    finally:
        server.join()


def connected(port: int) -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
    sock.connect(("127.0.0.1", port))
    return sock


TCP = mint.TCPOptions(high_water=4 * MUCH)


def test_what_is_queued_arrives_before_the_connection_is_closed(name: str) -> None:
    """The end of the caller's side closes the connection, but not before everything has been sent."""

    async def main() -> None:
        with serving() as server, Program(name) as program:
            where = ("http", "127.0.0.1", server.port)
            conn, ref = await program.connect(*where, socket=connected(server.port), tcp=TCP)
            conn = await program.to_the_end(conn)
            conn = conn.stream_request_body(ref, bytes(MUCH))
            assert conn.transport.unsent
            reading = threading.Timer(0.05, server.reads.set)  # blocking calls wait for it
            reading.start()
            conn = conn.stream_request_body(ref, mint.Eof())
            conn = await program.flush(conn)
            assert not conn.transport.unsent
            assert conn.transport.closed
            server.join()
        assert (server.count, server.ended) == (MUCH, True)

    run(name, main())


def test_what_is_queued_arrives_if_the_peer_ends_second(name: str) -> None:
    """Both sides have ended when the end of the peer is received, while output is still queued."""

    async def main() -> None:
        with serving() as server, Program(name) as program:
            where = ("http", "127.0.0.1", server.port)
            conn, ref = await program.connect(*where, socket=connected(server.port), tcp=TCP)
            opened = False
            while not opened:
                conn, responses = await program.receive(conn)
                opened = any(isinstance(each, mint.Headers) for each in responses)
                assert not any(isinstance(each, mint.Done) for each in responses)
            conn = conn.stream_request_body(ref, bytes(MUCH))
            conn = conn.stream_request_body(ref, mint.Eof())
            assert conn.transport.unsent
            reading = threading.Timer(0.05, server.reads.set)
            reading.start()
            conn = await program.to_the_end(conn)
            conn = await program.flush(conn)
            assert conn.transport.closed
            server.join()
        assert (server.count, server.ended) == (MUCH, True)

    run(name, main())


def test_closing_does_not_wait_for_what_is_queued(name: str) -> None:
    """`close` sends only what the system accepts at once."""

    async def main() -> None:
        with serving() as server, Program(name) as program:
            where = ("http", "127.0.0.1", server.port)
            conn, ref = await program.connect(*where, socket=connected(server.port), tcp=TCP)
            conn = await program.to_the_end(conn)
            conn = conn.stream_request_body(ref, bytes(MUCH))
            if program.mailbox is not None:  # in passive mode, blocking calls wait for the rest
                conn = conn.stream_request_body(ref, mint.Eof())
            conn = conn.close()
            assert conn.transport.closed
            server.join()
        assert server.count < MUCH

    run(name, main())


def test_a_reset_after_the_end_is_no_error_if_nothing_was_queued(name: str) -> None:
    """Only the close_notify of the client is lost then, which the peer did not wait for."""
    received = threading.Event()
    script = [request(), Send(UPGRADED), ShutWrite(), Wait(received), Reset()]

    async def main() -> None:
        with ScriptedServer(script, tls=server_context()) as server, Program(name) as program:
            conn, ref = await program.connect("https", "localhost", server.port, tls=trusting())
            conn = await program.to_the_end(conn)
            received.set()
            assert conn.socket is not None
            broken = select.poll()
            broken.register(conn.socket, 0)
            assert broken.poll(1_000 * PATIENCE)
            conn = conn.stream_request_body(ref, mint.Eof())
            assert conn.transport.closed

    run(name, main())


def test_the_window_is_open_if_there_is_nothing_to_receive(name: str) -> None:
    """A window of 0 asks the caller to receive, and after the end nothing can be received."""

    async def main() -> None:
        with serving(b"abc") as server, Program(name) as program:
            where = ("http", "127.0.0.1", server.port)
            tcp = mint.TCPOptions(high_water=1_000, send_timeout=PATIENCE)
            conn, ref = await program.connect(*where, socket=connected(server.port), tcp=tcp)
            conn = await program.to_the_end(conn)
            conn = conn.stream_request_body(ref, bytes(MUCH), flush=False)
            assert conn.transport.unsent == MUCH
            assert conn.request_body_window(ref)
            reading = threading.Timer(0.05, server.reads.set)
            reading.start()
            conn = conn.stream_request_body(ref, bytes(1_000))
            conn = conn.stream_request_body(ref, mint.Eof())
            conn = await program.flush(conn)
            server.join()
        assert (server.count, server.ended) == (MUCH + 1_000, True)

    run(name, main())


def test_sending_after_the_connection_has_broken_is_an_error(name: str) -> None:
    """The peer's end was received in order, so no later read reports that the rest cannot be sent."""

    async def main() -> None:
        with serving() as server, Program(name) as program:
            conn, ref = await program.connect("http", "127.0.0.1", server.port)
            conn = await program.to_the_end(conn)
            server.resets.set()
            server.join()
            with pytest.raises(errors.TransportError):
                for _ in range(100):
                    conn = conn.stream_request_body(ref, bytes(BUFFER))
                    conn = await program.flush(conn)

    run(name, main())


def test_sending_reports_that_the_wire_is_broken_once_nothing_else_can() -> None:
    """As long as something can be received, the caller receives it first; after the end, nothing follows."""
    near, far = socket.socketpair()
    with far:
        link = SocketLink(near, mint.TCPOptions())
        far.sendall(b"last words")
        far.shutdown(socket.SHUT_WR)
        assert link.look() is not None
        link.fail_writing()
        link.send((b"octets",), flush=True)
        assert link.receive(None) == b"last words"
        link.send((b"octets",), flush=True)
        assert link.receive(None) == b""
        with pytest.raises(errors.TransportClosed):
            link.send((b"octets",), flush=True)
        link.close()


# Through a proxy that speaks HTTP/2, the octets also wait for its windows.


def proxy(*then: Step) -> list[Step]:
    """Return the steps of a proxy that opens one tunnel with a small window, and ends the origin's side."""
    return [
        *http2.handshake((http2.Setting.INITIAL_WINDOW_SIZE, WINDOW)),
        *(http2.ExpectHeaders(1), OPEN, SAID, http2.send(data(1, UPGRADED, end=True)), *then),
    ]


def reading(count: int) -> Step:
    """Return a step that reads octets of the tunnel, and gives the window back after each frame."""

    def read(peer: Peer) -> None:
        left = count
        while left:
            head = peer.read_exactly(9)
            size = int.from_bytes(head[:3])
            peer.read_exactly(size)
            if head[3] == http2.FrameType.DATA:
                assert head[4] == 0
                left -= size
                peer.send(serialize([window_update(1, size), window_update(0, size)]))

    return Do(read)


ROUTES = ("alone", "shared")


async def through(program: Program, route: str, server: ScriptedServer) -> Any:
    if route == "shared":
        await program.share(server)
        return await program.connect("http", "origin.example", 80)
    proxied = mint.Proxy("http", server.address, server.port, protocols=("http2",), tunnel=True)
    return await program.connect("http", "origin.example", 80, proxy=proxied)


@pytest.mark.parametrize("route", ROUTES)
def test_windows_are_still_heard_after_the_origin_has_ended(name: str, route: str) -> None:
    size = 300_000

    async def main(server: ScriptedServer) -> None:
        with Program(name) as program:
            conn, ref = await through(program, route, server)
            conn = await program.to_the_end(conn)
            for _ in range(3):
                conn = conn.stream_request_body(ref, bytes(size // 3))
            conn = conn.stream_request_body(ref, mint.Eof())
            if name == "mailbox" and route == "shared":
                while conn.transport.unsent:
                    conn, _ = await program.receive(conn)
            else:
                conn = await program.flush(conn)
            assert not conn.transport.unsent
            assert done.wait(PATIENCE)

    done = threading.Event()
    end = http2.ExpectFrame(http2.FrameType.DATA, 1, flags=http2.END_STREAM, payload=b"")
    with ScriptedServer(proxy(reading(size), end, Do(lambda _: done.set()), Forever())) as server:
        run(name, main(server))


@pytest.mark.parametrize("route", ROUTES)
def test_octets_that_a_reset_has_cost_are_reported(name: str, route: str) -> None:
    """After END_STREAM, a reset ends only the caller's side."""
    reset = threading.Event()

    async def main(server: ScriptedServer) -> None:
        with Program(name) as program:
            conn, ref = await through(program, route, server)
            conn = await program.to_the_end(conn)
            conn = conn.stream_request_body(ref, bytes(10 * WINDOW))
            assert conn.transport.unsent
            reset.set()
            if name == "mailbox" and route == "shared":
                with pytest.raises(errors.TransportError):
                    while True:
                        conn, _ = await program.receive(conn)
            else:
                with pytest.raises(errors.TransportError):
                    await program.flush(conn)

    with ScriptedServer(proxy(SAID, Wait(reset), http2.send(rst_stream(1, 8)), Forever())) as server:
        run(name, main(server))
