"""Connections in many threads: any thread may use one, one at a time, and they are never corrupted."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

import mint
from mint import errors
from mint.testing import Forever, Origin, ScriptedServer, request, showcase
from mint.transport import SocketLink

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mint.responses import Response

PATIENCE = 10.0


@pytest.fixture
def restless() -> Iterator[None]:
    """Make the interpreter switch threads as often as possible."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def whole(conn: mint.HTTP1, refs: int) -> tuple[mint.HTTP1, list[Response]]:
    seen: list[Response] = []
    while conn.open_request_count:
        conn, responses = conn.recv(timeout=PATIENCE)
        seen += responses
    assert sum(isinstance(each, mint.Done) for each in seen) == refs
    return conn, seen


@pytest.mark.usefixtures("restless")
def test_of_many_threads_with_one_value_exactly_one_succeeds() -> None:
    with Origin(showcase) as origin, mint.http1.connect("http", origin.address, origin.port) as conn:
        threads = 8
        barrier = threading.Barrier(threads)

        def attempt(value: mint.HTTP1, number: int) -> mint.HTTP1 | None:
            barrier.wait(PATIENCE)
            try:
                return value.request("GET", f"/bytes/{number}")[0]
            except mint.StaleConnectionError:
                return None

        with ThreadPoolExecutor(threads) as pool:
            for _ in range(100):
                outcomes = list(pool.map(attempt, [conn] * threads, range(threads)))
                winners = [each for each in outcomes if each is not None]
                assert len(winners) == 1
                conn, _ = whole(winners[0], 1)


@pytest.mark.usefixtures("restless")
def test_threads_with_a_lock_share_one_connection() -> None:
    with Origin(showcase) as origin, mint.http1.connect("http", origin.address, origin.port) as first:
        lock = threading.Lock()
        box: list[mint.HTTP1] = [first]

        def fetch(number: int) -> int:
            with lock:
                conn, ref = box[0].request("GET", f"/bytes/{number}")
                conn, responses = whole(conn, 1)
                box[0] = conn
            return sum(
                len(each.data) for each in responses if isinstance(each, mint.Data) and each.ref == ref
            )

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(fetch, range(200))) == list(range(200))


@pytest.mark.usefixtures("restless")
def test_one_thread_receives_while_others_stream_and_send() -> None:
    """Reading by a mailbox is no concurrent use: operations of the newest value do not fail because of it."""
    with Origin(showcase) as origin, mint.Mailbox() as mailbox:
        messages: dict[object, list[object]] = {}
        arrived = threading.Condition()

        def deliver() -> None:
            for message in mailbox:
                assert isinstance(message, (mint.Received, mint.Closed, mint.Broken))
                with arrived:
                    messages.setdefault(message.source, []).append(message)
                    arrived.notify_all()

        def fetch(number: int) -> int:
            conn = mint.http1.connect("http", origin.address, origin.port, mailbox=mailbox)
            size = 0
            for _ in range(10):
                for _ in range(3):
                    conn, _ = conn.request("GET", f"/bytes/{number * 1000}")
                while conn.open_request_count:
                    with arrived:
                        while not messages.get(conn.source):
                            assert arrived.wait(PATIENCE)
                        message = messages[conn.source].pop(0)
                    streamed = conn.stream(message)
                    assert streamed is not mint.UNKNOWN
                    conn, responses = streamed
                    size += sum(len(each.data) for each in responses if isinstance(each, mint.Data))
            conn.close()
            return size

        receiver = threading.Thread(target=deliver)
        receiver.start()
        try:
            with ThreadPoolExecutor(6) as pool:
                assert list(pool.map(fetch, range(12))) == [number * 30_000 for number in range(12)]
        finally:
            mailbox.close()
            receiver.join(PATIENCE)


def test_close_from_another_thread_ends_a_recv() -> None:
    with ScriptedServer([request(), Forever()]) as server:
        conn = mint.http1.connect("http", server.address, server.port)
        conn, ref = conn.request("GET", "/")
        timer = threading.Timer(0.05, conn.close)
        timer.start()
        with pytest.raises(errors.TransportError) as caught:
            conn.recv(timeout=PATIENCE)
        timer.join()
        assert not isinstance(caught.value, TimeoutError)
        assert [each.ref for each in caught.value.responses if isinstance(each, mint.RequestFailed)] == [ref]


def test_a_body_that_close_interrupts_is_not_complete() -> None:
    """The read that `close` wakes looked like the end of the server, which completes such a body."""
    near, far = socket.socketpair()
    entered = threading.Event()

    class Told(SocketLink):
        def _read(self, flags: int) -> bytes:
            entered.set()
            return super()._read(flags)

        def _wait(self, events: int, until: float | None) -> int:
            entered.set()  # for links that wait before they read
            return super()._wait(events, until)

    conn = mint.http1.initiate(Told(near, mint.TCPOptions()), scheme="http", hostname="example.org")
    conn, ref = conn.request("GET", "/")
    far.sendall(b"HTTP/1.1 200 OK\r\n\r\nsome of it")
    conn, _ = conn.recv(timeout=PATIENCE)
    entered.clear()
    caught: list[errors.MintError] = []

    def receive() -> None:
        try:
            conn.recv()
        except errors.MintError as error:
            caught.append(error)

    thread = threading.Thread(target=receive)
    thread.start()
    assert entered.wait(PATIENCE)
    conn.close()
    thread.join(PATIENCE)
    far.close()
    assert [type(each) for each in caught] == [errors.TransportClosed]
    assert [each.ref for each in caught[0].responses if isinstance(each, mint.RequestFailed)] == [ref]


@pytest.mark.usefixtures("restless")
def test_close_during_other_operations() -> None:
    with Origin(showcase) as origin:
        for _ in range(50):
            conn = mint.http1.connect("http", origin.address, origin.port)
            conn, _ = conn.request("GET", "/bytes/100000")
            threads = [threading.Thread(target=conn.close) for _ in range(4)]
            for thread in threads:
                thread.start()
            with contextlib.suppress(ConnectionError, errors.HTTPError, mint.StaleConnectionError):
                while conn.open_request_count:
                    conn, _ = conn.recv(timeout=PATIENCE)
            for thread in threads:
                thread.join()
