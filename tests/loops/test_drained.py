"""HTTP/2 connections that end after GOAWAY: the content of their streams arrives before they are closed."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

import mint
from mint import errors
from mint.testing import http2
from mint.testing.frames import FrameType, data, goaway, headers, ping, serialize, settings, window_update

from ..event_loops import PATIENCE
from .test_half_closed import BUFFER, MUCH, NAMES, TCP, UPGRADED, Program, connected, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedReader

    from mint._core.events import RequestRef

PREFACE = 24
ROOM = 2 * MUCH


class Server:
    """Speaks HTTP/2: opens stream 1, ends it and the connection when told to, and reads the rest later.

    It credits every frame of content and answers pings, unless it is told to be silent.
    """

    def __init__(self) -> None:
        self.ends, self.reads = threading.Event(), threading.Event()
        self.is_silent = self.resets = self.leaves = self.shuts = False
        self.first = b""
        """What it sends with END_STREAM."""
        self.count = 0
        self.stream_ended = self.ended = False
        self.has_read = threading.Event()
        """Set when the end of the stream has been read."""
        self.kinds: list[int] = []
        """The types of the frames that it has read since the end of the stream."""
        self._listening = socket.socket()
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        self._listening.bind(("127.0.0.1", 0))
        self._listening.listen()
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        sock, _ = self._listening.accept()
        with sock, sock.makefile("rb") as file:
            file.read(PREFACE)
            sock.sendall(serialize([settings((4, ROOM)), settings(ack=True), window_update(0, ROOM)]))
            while self._frame(file)[0] != FrameType.HEADERS:
                pass
            sock.sendall(serialize([headers(1, ((":status", "200"),))]))
            assert self.ends.wait(PATIENCE)
            sock.sendall(serialize([data(1, self.first, end=True), goaway(1)]))
            if self.shuts:
                sock.shutdown(socket.SHUT_WR)
            assert self.reads.wait(PATIENCE)
            if self.resets:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            with contextlib.suppress(ConnectionError):
                self._read_rest(sock, file)
                self.ended = True

    def _read_rest(self, sock: socket.socket, file: BufferedReader) -> None:
        while not (self.leaves and self.stream_ended):
            kind, content = self._frame(file)
            if kind is None:
                break
            if self.is_silent or self.shuts:
                continue
            if kind == FrameType.DATA:
                sock.sendall(serialize([window_update(0, len(content) or 1)]))
            elif kind == FrameType.PING:
                sock.sendall(serialize([ping(content, ack=True)]))

    def _frame(self, file: BufferedReader) -> tuple[int | None, bytes]:
        """Read one frame, and return its type and its payload; the type is `None` at the end."""
        head = file.read(9)
        if len(head) < 9:
            return None, b""
        content = file.read(int.from_bytes(head[:3]))
        if self.stream_ended:
            self.kinds.append(head[3])
        if head[3] == FrameType.DATA:
            self.count += len(content)
            self.stream_ended = bool(head[4] & http2.END_STREAM)
            if self.stream_ended:
                self.has_read.set()
        return head[3], content

    def read(self) -> None:
        """Read the rest in a moment: blocking calls wait for that."""
        threading.Timer(0.05, self.reads.set).start()

    def join(self) -> None:
        self._thread.join(PATIENCE)

    def close(self) -> None:
        self.ends.set()
        self.reads.set()
        self.join()
        self._listening.close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    with contextlib.closing(made):
        yield made


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def begun(
    program: Program, server: Server, tcp: mint.TCPOptions = TCP
) -> tuple[mint.Connection, RequestRef]:
    """Open a tunnel in stream 1 of a connection, and return the connection and the ref."""
    given = {"socket": connected(server.port), "tcp": tcp, "protocols": ("http2",)}
    conn = await program.open("http", "127.0.0.1", server.port, **given)
    conn, ref = conn.request("CONNECT", "origin.example:443", body=mint.STREAM)
    while True:
        conn, responses = await program.receive(conn)
        if any(isinstance(each, mint.Headers) for each in responses):
            return conn, ref


async def until_told(program: Program, conn: mint.Connection, ref: RequestRef) -> mint.Connection:
    """Receive until the server has ended the stream and has sent GOAWAY."""
    done = False
    while conn.is_open() or not done:
        conn, responses = await program.receive(conn)
        done = done or mint.Done(ref) in responses
    return conn


async def until_closed(program: Program, conn: mint.Connection) -> mint.Connection:
    while conn.is_open("read"):
        conn, _ = await program.receive(conn)
    return conn


def queue(program: Program, conn: mint.Connection, ref: RequestRef) -> mint.Connection:
    """Send all that the tunnel carries; blocking calls only queue it."""
    flush = program.mailbox is not None
    conn = conn.stream_request_body(ref, bytes(MUCH), flush=flush)
    conn = conn.stream_request_body(ref, mint.Eof(), flush=flush)
    assert conn.transport.unsent
    return conn


ALL = [FrameType.PING, FrameType.GOAWAY]
"""What follows the last stream: a question whether everything was read, and the end."""


def test_what_is_queued_when_goaway_arrives_is_sent(name: str, server: Server) -> None:
    """The last stream had ended on the client's side, and ends now on the server's."""

    async def main() -> None:
        with Program(name) as program:
            conn, ref = await begun(program, server)
            conn = queue(program, conn, ref)
            server.ends.set()
            conn = await until_told(program, conn, ref)
            assert (conn.is_open("read"), conn.transport.closed) == (True, False)
            server.read()
            conn = await until_closed(program, conn)
            assert conn.transport.closed
            server.join()
        assert (server.count, server.stream_ended, server.ended, server.kinds) == (MUCH, True, True, ALL)

    run(name, main())


def test_what_is_sent_after_goaway_arrives(name: str, server: Server) -> None:
    """The last stream ends on the client's side, in an operation."""

    async def main() -> None:
        with Program(name) as program:
            conn, ref = await begun(program, server)
            server.ends.set()
            conn = await until_told(program, conn, ref)
            conn = conn.stream_request_body(ref, bytes(MUCH), flush=program.mailbox is not None)
            assert conn.transport.unsent
            server.read()
            conn = await until_closed(program, conn.stream_request_body(ref, mint.Eof()))
            assert conn.transport.closed
            server.join()
        assert (server.count, server.stream_ended, server.ended, server.kinds) == (MUCH, True, True, ALL)

    run(name, main())


def test_a_server_that_closes_instead_of_answering_has_read_everything(name: str, server: Server) -> None:
    async def main() -> None:
        server.is_silent = server.leaves = True
        with Program(name) as program:
            conn, ref = await begun(program, server)
            conn = queue(program, conn, ref)
            server.ends.set()
            server.read()
            conn = await until_closed(program, conn)
            assert conn.transport.closed
        assert (server.count, server.stream_ended) == (MUCH, True)

    run(name, main())


def test_what_is_queued_when_the_server_ends_its_direction_is_sent(name: str, server: Server) -> None:
    """Nothing can be asked or credited after that, so the connection is closed when all is written."""

    async def main() -> None:
        server.shuts = True
        with Program(name) as program:
            conn, ref = await begun(program, server)
            conn = queue(program, conn, ref)
            server.ends.set()
            server.read()
            conn = await until_closed(program, conn)
            conn = await program.flush(conn)
            assert conn.transport.closed
            server.join()
        assert (server.count, server.stream_ended, server.ended) == (MUCH, True, True)

    run(name, main())


def test_a_server_that_ends_its_direction_and_does_not_read_meets_send_timeout(server: Server) -> None:
    async def main() -> None:
        server.shuts = True
        with Program("blocking") as program:
            conn, ref = await begun(program, server, replace(TCP, send_timeout=0.01))
            conn = queue(program, conn, ref)
            server.ends.set()
            conn = await until_told(program, conn, ref)
            with pytest.raises(errors.TransportTimeout) as caught:
                await until_closed(program, conn)
            assert caught.value.phase == "sending"
            assert not conn.after(caught.value).is_open("read")
            conn.close()

    run("blocking", main())


@pytest.mark.parametrize("name", NAMES[1:])
def test_closing_does_not_wait_for_what_is_queued(name: str, server: Server) -> None:
    async def main() -> None:
        with Program(name) as program:
            conn, ref = await begun(program, server)
            conn = queue(program, conn, ref)
            server.ends.set()
            conn = await until_told(program, conn, ref)
            conn = conn.close()
            assert conn.transport.closed
            server.reads.set()
            server.join()
        assert server.count < MUCH

    run(name, main())


def test_a_reset_before_everything_was_read_is_an_error(name: str, server: Server) -> None:
    async def main() -> None:
        with Program(name) as program:
            conn, ref = await begun(program, server)
            conn = queue(program, conn, ref)
            server.resets = True
            server.ends.set()
            conn = await until_told(program, conn, ref)
            server.read()
            with pytest.raises(errors.TransportError) as caught:
                await until_closed(program, conn)
            assert not caught.value.responses
            assert conn.after(caught.value).transport.closed

    run(name, main())


def test_waiting_for_a_silent_server_respects_the_timeout(server: Server) -> None:
    async def main() -> None:
        server.is_silent = True
        with Program("blocking") as program:
            conn, ref = await begun(program, server)
            conn = queue(program, conn, ref)
            server.ends.set()
            conn = await until_told(program, conn, ref)
            for _ in range(3):
                with pytest.raises(errors.TransportTimeout) as caught:
                    conn.recv(timeout=0)
                conn = conn.after(caught.value)
                assert conn.is_open("read")
            server.reads.set()
            conn = conn.flush()
            conn.close()
            server.join()
        assert (server.count, server.stream_ended, server.ended) == (MUCH, True, True)

    run("blocking", main())


def test_what_tunnels_have_queued_when_goaway_arrives_is_sent(name: str, server: Server) -> None:
    """In `mint.Tunnels`, the connection to the proxy ends after its last tunnel."""

    async def main() -> None:
        server.first = UPGRADED
        with Program(name) as program:
            await program.share_with("127.0.0.1", server.port, socket=connected(server.port), tcp=TCP)
            conn, ref = await program.connect("http", "origin.example", 80, tcp=TCP)
            server.ends.set()
            conn = await program.to_the_end(conn)
            conn = conn.stream_request_body(ref, bytes(MUCH))
            server.read()
            conn = conn.stream_request_body(ref, mint.Eof())
            if program.mailbox is not None and program.blocks:
                while program.tunnels.wire.unsent:
                    with contextlib.suppress(errors.TransportTimeout):
                        program.mailbox.receive(0.01)
            else:
                conn = await program.flush(conn)
            assert server.has_read.wait(PATIENCE)
            program.tunnels.close()
            server.join()
        # The upgrade request passes through the tunnel, too. The server may still credit what it has read
        # when the connection is closed; the system answers that with a reset, so `ended` can be False.
        assert server.count > MUCH
        assert server.stream_ended

    run(name, main())
