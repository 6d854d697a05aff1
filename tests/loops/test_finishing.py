"""When a tunnel has ended in both directions, everything that was queued is still written."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any  # the modules for the event loops have no common types

import pytest

import mint

from ..event_loops import fed
from .test_late_failures import BUFFER, REQUEST, UPGRADED, connected
from .test_tunnels import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZE = 40 * BUFFER


@contextmanager
def late_reader() -> Iterator[tuple[int, threading.Event, list[int]]]:
    """A server that upgrades and ends its direction; it reads only after it was told to, and counts."""
    told = threading.Event()
    read: list[int] = []

    def serve() -> None:
        sock, _ = listening.accept()
        with sock:
            sock.recv(4096)
            sock.sendall(UPGRADED)
            sock.shutdown(socket.SHUT_WR)
            assert told.wait(10)
            total = 0
            while octets := sock.recv(BUFFER):
                total += len(octets)
            read.append(total)

    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1], told, read
        finally:
            told.set()
            thread.join(10)


@pytest.mark.parametrize("first", ["caller", "peer"])
@pytest.mark.parametrize("name", KINDS)
def test_what_is_queued_when_both_directions_end_is_written(name: str, first: str) -> None:
    kind = KINDS[name]
    module: Any = kind.module

    async def main() -> None:
        with late_reader() as (port, told, read), module.Mailbox() as mailbox:
            conn = await module.connect("http", "127.0.0.1", port, mailbox=mailbox, socket=connected(port))
            conn, ref = conn.request("GET", "/", REQUEST)
            conn, responses = fed(conn, await mailbox.receive())
            end = mint.Done(ref) in responses
            if first == "caller":
                conn = conn.stream_request_body(ref, bytes(SIZE))
                conn = conn.stream_request_body(ref, mint.Eof())
            while not end:
                conn, responses = fed(conn, await mailbox.receive())
                end = mint.Done(ref) in responses
            if first == "peer":
                conn = conn.stream_request_body(ref, bytes(SIZE))
                conn = conn.stream_request_body(ref, mint.Eof())
            assert not conn.is_open("read")
            assert not conn.transport.closed
            told.set()
            await module.flush(conn)
            assert conn.transport.closed
        assert read == [SIZE]

    kind.run(main())


@pytest.mark.parametrize("name", KINDS)
def test_closing_does_not_wait_for_what_is_queued(name: str) -> None:
    kind = KINDS[name]
    module: Any = kind.module

    async def main() -> None:
        with late_reader() as (port, told, read), module.Mailbox() as mailbox:
            conn = await module.connect("http", "127.0.0.1", port, mailbox=mailbox, socket=connected(port))
            conn, ref = conn.request("GET", "/", REQUEST)
            while conn.is_open("read"):
                conn, _ = fed(conn, await mailbox.receive())
            conn = conn.stream_request_body(ref, bytes(SIZE))
            conn = conn.stream_request_body(ref, mint.Eof())
            conn = conn.close()
            assert conn.transport.closed
            told.set()
        assert read[0] < SIZE

    kind.run(main())
