"""Writing that fails after the peer has ended: a mailbox still reports it to a caller who waits."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any  # the modules for the event loops have no common types

import pytest

import mint
from mint._wire.link import Link
from mint.errors import TransportClosed

from ..event_loops import fed
from .test_tunnels import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n"
BUFFER = 65_536
"""The size of the system's buffers. It is fixed, so that they never take all that the client queues."""
REQUEST = [("connection", "upgrade"), ("upgrade", "echo")]


@contextmanager
def half_closing(rest: bytes = b"") -> Iterator[tuple[int, threading.Event]]:
    """A server that upgrades, ends its direction, reads nothing, and resets the connection when told to.

    It sends `rest`, if there is any, after the first octet that it gets.
    """
    told = threading.Event()

    def serve() -> None:
        sock, _ = listening.accept()
        with sock:
            sock.recv(4096)
            sock.sendall(UPGRADED)
            if rest:
                assert sock.recv(1)
                sock.sendall(rest)
            sock.shutdown(socket.SHUT_WR)
            assert told.wait(10)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1], told
        finally:
            told.set()
            thread.join(10)


def connected(port: int) -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
    sock.connect(("127.0.0.1", port))
    return sock


async def asking(module: Any, port: int, mailbox: object) -> tuple[mint.Connection, mint.RequestRef]:
    """Connect, and ask for a tunnel."""
    conn: mint.Connection = await module.connect(
        "http", "127.0.0.1", port, mailbox=mailbox, socket=connected(port)
    )
    return conn.request("GET", "/", REQUEST)


@pytest.mark.parametrize("name", KINDS)
def test_a_caller_who_waits_is_told(name: str) -> None:
    kind = KINDS[name]
    module: Any = kind.module

    async def main() -> None:
        with half_closing() as (port, told), module.Mailbox() as mailbox:
            conn, ref = await asking(module, port, mailbox)
            ended = False
            while not ended:
                message = await mailbox.receive()
                ended = isinstance(message, mint.Closed)
                conn, _ = fed(conn, message)
            while not conn.transport.unsent:
                conn = conn.stream_request_body(ref, bytes(262_144))
            told.set()
            message = await mailbox.receive()
            assert isinstance(message, mint.Broken)
            with pytest.raises(mint.TransportError):
                conn.stream(message)

    kind.run(main())


@pytest.mark.parametrize("name", KINDS)
def test_writing_that_fails_before_the_end_was_fed_is_reported_after_it(name: str) -> None:
    kind = KINDS[name]
    module: Any = kind.module

    async def main() -> None:
        with half_closing() as (port, told), module.Mailbox() as mailbox:
            conn, ref = await asking(module, port, mailbox)
            conn, _ = fed(conn, await mailbox.receive())
            end = await mailbox.receive()
            assert isinstance(end, mint.Closed)
            conn = conn.stream_request_body(ref, bytes(16 * BUFFER))
            told.set()
            with pytest.raises(TransportClosed):
                await module.flush(conn)
            conn, _ = fed(conn, end)
            message = await mailbox.receive()
            assert isinstance(message, mint.Broken)
            with pytest.raises(mint.TransportError):
                conn.stream(message)

    kind.run(main())


LATE_CALLS: dict[str, Callable[[mint.Connection, mint.RequestRef], mint.Connection]] = {
    "send": lambda conn, ref: conn.stream_request_body(ref, b"x"),
    "end": lambda conn, ref: conn.stream_request_body(ref, mint.Eof()),
    "flush": lambda conn, _: conn.flush(None),
}


@pytest.mark.parametrize("name", LATE_CALLS)
def test_writing_that_failed_is_reported_once_everything_was_received(name: str) -> None:
    with half_closing(b"rest") as (port, told):
        conn = mint.connect("http", "127.0.0.1", port, socket=connected(port))
        conn, ref = conn.request("GET", "/", REQUEST)
        conn, _ = conn.recv()
        conn = conn.stream_request_body(ref, b"x")
        link = conn.transport
        assert isinstance(link, Link)
        while link.look() is None or not link.ended:
            pass
        told.set()
        while not link.has_failed_to_write:  # the reset has not arrived yet
            conn = conn.stream_request_body(ref, b"x")
        conn = conn.stream_request_body(ref, b"x")  # no error before what has arrived
        conn, responses = conn.recv()
        assert responses == [mint.Data(ref, b"rest")]
        conn, responses = conn.recv()
        assert responses == [mint.Done(ref)]
        with pytest.raises(mint.TransportError):
            LATE_CALLS[name](conn, ref)
