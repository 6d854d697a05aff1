"""Races between threads that share values, a connection or a mailbox, for CPython with and without the GIL.

    python -m tests.races [SECONDS]
    python -m tests.races --planted      # a race that a sanitizer has to report

Each race runs repeatedly for its share of the time. The checks accept every outcome that a race may have.
"""

from __future__ import annotations

import ctypes
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING

import mint
import mint.http1
import mint.http2
import mint.pool
from mint.testing import Origin, showcase
from mint.transport import Memory

if TYPE_CHECKING:
    from collections.abc import Callable

THREADS = 8
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


class Crew:
    """Threads that start together; an exception in one of them is raised when they are joined."""

    def __init__(self) -> None:
        self._errors: list[BaseException] = []

    def run(self, work: Callable[[int], None], count: int = THREADS) -> None:
        """Run a function in several threads, and wait for all of them."""
        start = threading.Barrier(count)

        def one(number: int) -> None:
            start.wait()
            try:
                work(number)
            except BaseException as error:  # noqa: BLE001  # raised below
                self._errors.append(error)

        threads = [threading.Thread(target=one, args=(number,), daemon=True) for number in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
            if thread.is_alive():
                raise RuntimeError("a thread does not end")
        if self._errors:
            raise self._errors[0]


def fork_and_differ() -> None:
    """Let many threads fork one value and continue differently."""
    for conn in (
        mint.http1.initiate(Memory(), scheme="http", hostname="example.org", identity=1),
        mint.http2.initiate(Memory(), scheme="http", hostname="example.org", identity=1),
    ):
        conn, _ = conn.request("GET", "/shared", [("x-shared", "1" * 100)])
        expected: dict[int, bytes] = {}
        seen: dict[int, bytes] = {}

        def differ(number: int, conn: mint.Connection, into: dict[int, bytes]) -> None:
            mine = conn.fork()
            for at in range(20):
                mine, _ = mine.request("GET", f"/{number}/{at}", [(f"x-{number}", str(at)), ("x-all", "2")])
            if not isinstance(mine.transport, Memory):
                raise TypeError("a fork is in memory")
            into[number] = mine.transport.take()

        for number in range(THREADS):
            differ(number, conn, expected)
        Crew().run(lambda number, conn=conn, seen=seen: differ(number, conn, seen))  # type: ignore[misc]  # mypy sees no type for defaults of a lambda
        if seen != expected:
            raise AssertionError("forks disturbed each other")


def share_a_connection() -> None:
    """Let two threads use one connection: for each value one succeeds, and the other has no effect."""
    here, there = socket.socketpair()
    options = mint.TCPOptions()
    conn: mint.Connection = mint.connect("http", "127.0.0.1", 80, socket=here, tcp=options)
    won: list[mint.Connection] = []

    def use(number: int) -> None:
        try:
            newest, _ = conn.request("GET", f"/{number}")
        except mint.StaleConnectionError:
            return
        won.append(newest)

    with there:
        Crew().run(use, 2)
        if len(won) != 1:
            raise AssertionError(f"{len(won)} threads sent from one value")
        there.settimeout(10)
        sent = there.recv(65_536)
        if sent.count(b"GET /") != 1 or not sent.endswith(b"\r\n\r\n"):
            raise AssertionError(f"not one request: {sent!r}")
        there.sendall(ANSWER)
        newest, content = won[0], b""
        while newest.open_request_count:
            newest, responses = newest.recv(timeout=10)
            content += b"".join(each.data for each in responses if isinstance(each, mint.Data))
        newest.close()
    if content != b"hello":
        raise AssertionError(f"not the answer: {content!r}")


def share_a_mailbox() -> None:  # noqa: C901  # one scenario
    """Let four threads receive from one mailbox: every message is returned once."""
    pairs = [socket.socketpair() for _ in range(16)]
    with mint.Mailbox() as mailbox:
        held: dict[object, mint.Connection] = {}
        for here, there in pairs:
            conn = mint.connect("http", "127.0.0.1", 80, socket=here, mailbox=mailbox)
            conn, _ = conn.request("GET", "/")
            held[conn.source] = conn
            there.sendall(ANSWER)
        content: dict[object, bytes] = dict.fromkeys(held, b"")

        def receive(_: int) -> None:
            while True:
                message = mailbox.receive(timeout=30)
                if message == "over":
                    mailbox.post("over")
                    return
                if not isinstance(message, (mint.Received, mint.Closed, mint.Broken)):
                    raise TypeError(f"nobody posted {message!r}")
                taken = held[message.source].stream(message)
                if taken is mint.UNKNOWN:
                    raise AssertionError("a connection does not recognize its message")
                conn, responses = taken
                held[message.source] = conn
                content[message.source] += b"".join(e.data for e in responses if isinstance(e, mint.Data))
                if not any(each.open_request_count for each in list(held.values())):
                    mailbox.post("over")

        Crew().run(receive, 4)
        for conn in held.values():
            conn.close()
        for _, there in pairs:
            there.close()
    if set(content.values()) != {b"hello"}:
        raise AssertionError(f"not the answers: {content}")


def close_while_in_use() -> None:
    """Let one thread close a connection on which others receive and send."""
    here, there = socket.socketpair()
    conn: mint.Connection = mint.connect("http", "127.0.0.1", 80, socket=here)
    conn, _ = conn.request("GET", "/")

    def use(number: int) -> None:
        try:
            if number == 0:
                conn.close()
            elif number == 1:
                conn.recv(timeout=10)
            else:
                conn.request("GET", "/again")
        except mint.MintError:
            return  # closed, or used by another thread

    with there:
        Crew().run(use, 4)
        if conn.transport.closed is not True:
            raise AssertionError("the connection is not closed")


def leave_a_mailbox() -> None:
    """Let a connection leave its mailbox and enter it, while another thread receives from it."""
    here, there = socket.socketpair()
    with there, mint.Mailbox() as mailbox:
        first: mint.Connection = mint.connect("http", "127.0.0.1", 80, socket=here, mailbox=mailbox)

        def use(number: int) -> None:
            if number:
                while mailbox.receive(timeout=30) != "over":
                    pass
                return
            conn = first
            for at in range(20):
                conn = conn.set_mode("passive")
                conn = conn.set_mode("active", mailbox)
                if at == 10:
                    there.sendall(b"HTTP/1.1 ")
            conn.close()
            mailbox.post("over")

        Crew().run(use, 2)


def share_a_pool() -> None:
    """Let threads send requests through one pool, over HTTP/1 and over HTTP/2."""
    for protocols in (("http1",), ("http2",)):
        options = mint.pool.PoolOptions(max_connections=2, max_streams=3)
        with Origin(showcase) as origin, mint.pool.Pool(protocols=protocols, options=options) as pool:

            def use(number: int, pool: mint.pool.Pool = pool, origin: Origin = origin) -> None:
                for at in range(3):
                    size = 100 * number + at
                    answer = pool.request("GET", f"http://{origin.address}:{origin.port}/bytes/{size}")
                    if len(answer.content) != size:
                        raise AssertionError("the answer belongs to another request")

            Crew().run(use, 4)
            now = pool.statistics
            if now.active or now.waiting or now.opening or now.requests != 12:
                raise AssertionError(f"a request or connection is lost: {now}")


def planted() -> None:
    """Write to the same memory in two threads, outside of Python."""
    octets = ctypes.create_string_buffer(8)
    counts = [0, 0]

    def write(number: int) -> None:
        # On a busy machine, one thread could end before the other begins, and then nothing would race.
        while min(counts) < 1000:
            ctypes.memset(octets, 1, 8)
            counts[number] += 1

    Crew().run(write, 2)


RACES = (
    *(fork_and_differ, share_a_connection, share_a_mailbox),
    *(close_while_in_use, leave_a_mailbox, share_a_pool),
)


def main() -> int:
    """Run every race for its share of the time."""
    if sys.argv[1:] == ["--planted"]:
        planted()
        return 0
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    for race in RACES:
        until = time.monotonic() + seconds / len(RACES)
        times = 0
        while times == 0 or time.monotonic() < until:
            race()
            times += 1
        sys.stdout.write(f"{race.__name__}: {times} times, {'with' if gil else 'without'} a GIL\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
