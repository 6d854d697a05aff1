"""Servers always end, regardless of what scripts, handlers, clients and the system do."""

from __future__ import annotations

import asyncio
import os
import resource
import socket
import ssl
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any  # fixtures of trustme, which the tests do not look into

import pytest
import trio

from mint.testing import (
    Do,
    Drain,
    Expect,
    ExpectEnd,
    ExpectUntil,
    Flood,
    Forever,
    Origin,
    Pause,
    Response,
    ScriptedServer,
    ScriptError,
    Send,
    Step,
    Truncate,
    Wait,
    http2,
    request,
)

from ..leftovers import no_thread_left
from .clients import GET, NO_CONTENT, dial, read_all

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from mint.testing import Peer, Request

BLOCKED = 60.0
"""How many seconds the blocking functions take that must not delay anything."""


@pytest.fixture(autouse=True)
def in_time() -> Iterator[None]:
    """Fail if a test waited for a blocking function."""
    start = time.monotonic()
    yield
    assert time.monotonic() - start < BLOCKED / 2


@pytest.fixture
def released() -> Iterator[threading.Event]:
    """Return an event that blocked functions wait for; it is set when the test is over."""
    event = threading.Event()
    yield event
    event.set()


def read_for_ever(server: ScriptedServer | Origin, send: bytes = b"") -> int:
    with dial(server) as sock:
        sock.sendall(send)
        return len(read_all(sock))


def send_for_ever(server: ScriptedServer, data: bytes = b"x" * 65536) -> None:
    with dial(server) as sock:
        try:
            while True:
                sock.sendall(data)
        except OSError:
            pass


def test_a_flood_ends_at_its_deadline_although_the_client_reads_everything() -> None:
    informational = b"HTTP/1.1 100 Continue\r\n\r\n"
    with (
        pytest.raises(ScriptError, match=r"(?s)step 2 of 2, Flood.*did not end.*100 Continue"),
        ScriptedServer([request(), Flood(informational)], timeout=0.2) as server,
    ):
        assert read_for_ever(server, GET) > len(informational)


def test_a_flood_is_an_error_although_the_test_ends_before_the_client(released: threading.Event) -> None:
    def read() -> None:
        with suppress(OSError), dial(server) as sock:
            while sock.recv(65536):
                released.set()

    server = ScriptedServer([Flood(b"x" * 1000)], timeout=0.3)
    # The step and the server may give up in either order: the step began just before the server stopped.
    given_up = r"(?s)step 1 of 1, Flood.*(did not end the connection in time|still busy)"
    with pytest.raises(ScriptError, match=given_up), server:
        reader = threading.Thread(target=read)
        reader.start()
        assert released.wait(10)
    reader.join(10)


def test_an_empty_flood_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one byte"):
        Flood(b"")


@pytest.mark.parametrize(
    "step",
    [
        Drain(),
        ExpectUntil(b"never"),
        http2.ExpectFrame(http2.FrameType.PING),
        Do(lambda peer: peer.drain()),
        Do(lambda peer: peer.read_until(b"never", 1 << 60)),
    ],
    ids=["Drain", "ExpectUntil", "ExpectFrame", "Peer.drain", "Peer.read_until"],
)
def test_reading_ends_at_its_deadline_although_the_client_sends_for_ever(step: Step) -> None:
    frame = http2.window_update(0, 1).serialize() * 4096
    with (
        pytest.raises(ScriptError, match=r"step 1 of 1.*(deadline|in time)"),
        ScriptedServer([step], timeout=0.2) as server,
    ):
        send_for_ever(server, frame)


@pytest.mark.parametrize("step", [Send(b"x"), Truncate()])
def test_closing_ends_although_the_client_sends_for_ever(step: Step) -> None:
    with ScriptedServer([step], timeout=5) as server:
        send_for_ever(server)


def test_after_a_late_step_tls_is_still_closed(server_tls: Any, client_tls: Any) -> None:
    with (
        pytest.raises(ScriptError, match="in time"),
        ScriptedServer([Expect(b"x")], tls=server_tls, timeout=0.3) as server,
        client_tls.wrap_socket(dial(server), server_hostname="localhost", suppress_ragged_eofs=False) as sock,
    ):
        assert sock.recv(10) == b"", "close_notify was not received"


def test_a_blocking_step_does_not_delay_the_end(released: threading.Event) -> None:
    with (
        pytest.raises(ScriptError, match=r"connection 1, step 1 of 1, Do.*still busy"),
        ScriptedServer([Do(lambda _: released.wait(BLOCKED))], timeout=0.1) as server,
        dial(server),
    ):
        pass


@pytest.mark.parametrize("count", [1, 20])
@pytest.mark.parametrize("first", [GET, http2.PREFACE + http2.settings().serialize()], ids=["http1", "http2"])
def test_blocking_handlers_do_not_delay_the_end(first: bytes, count: int, released: threading.Event) -> None:
    entered = threading.Semaphore(0)

    def handler(_: Request) -> Response:
        entered.release()
        released.wait(BLOCKED)
        return Response()

    fields = ((":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a"))
    with Origin(handler) as origin:
        socks = [dial(origin) for _ in range(count)]
        for sock in socks:
            sock.sendall(first)
            if first != GET:
                sock.sendall(b"".join(http2.headers(n, fields, end=True).serialize() for n in (1, 3, 5)))
        for _ in range(count if first == GET else 3 * count):
            assert entered.acquire(timeout=BLOCKED)
    for sock in socks:
        read_all(sock)
        sock.close()


def test_an_endless_body_does_not_delay_the_end() -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 1000

    with Origin(lambda _: Response(200, (), endless())) as origin, dial(origin) as sock:
        sock.sendall(GET)
        assert sock.recv(10)


def test_an_error_of_a_handler_after_the_client_left_is_raised() -> None:
    entered, go = threading.Event(), threading.Event()

    def handler(_: Request) -> Response:
        entered.set()
        go.wait(BLOCKED)
        raise KeyError("late")

    with pytest.raises(KeyError, match="late"), Origin(handler) as origin:
        with dial(origin) as sock:
            sock.sendall(GET)
            assert entered.wait(BLOCKED)
        go.set()


def test_a_pause_delays_and_ends_with_the_server() -> None:
    start = time.monotonic()
    with ScriptedServer([Pause(0.05), Send(b"x")]) as server, dial(server) as sock:
        assert read_all(sock) == b"x"
    assert time.monotonic() - start >= 0.05
    with (
        pytest.raises(ScriptError, match="still busy"),
        ScriptedServer([Pause(BLOCKED)], timeout=0.1) as server,
        dial(server),
    ):
        pass


def test_a_pause_may_be_longer_than_the_timeout() -> None:
    with ScriptedServer([Pause(0.3), Send(b"x")], timeout=0.2) as server, dial(server) as sock:
        assert read_all(sock) == b"x"


def test_a_pause_may_be_longer_than_a_system_can_wait() -> None:
    with (
        pytest.raises(ScriptError, match="still busy"),
        ScriptedServer([Pause(1e300)], timeout=0.1) as server,
        dial(server),
    ):
        pass


@pytest.mark.parametrize("duration", [-1.0, float("inf"), float("nan")])
def test_a_pause_must_be_finite_and_not_negative(duration: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        Pause(duration)


def ask(server: ScriptedServer | Origin) -> bytes:
    with dial(server) as sock:
        sock.sendall(GET)
        return read_all(sock)


def in_asyncio(body: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await body()

    asyncio.run(main())


LOOPS: dict[str, Callable[[Callable[[], Awaitable[None]]], None]] = {"asyncio": in_asyncio, "trio": trio.run}


async def pause() -> None:
    if asyncio_runs():
        await asyncio.sleep(0)
    else:
        await trio.lowlevel.checkpoint()


def asyncio_runs() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


@pytest.mark.parametrize("loop", LOOPS)
def test_async_with_does_not_block_the_event_loop(loop: str) -> None:
    """The client is a task of the same event loop; the script ends only if that task runs."""
    tasks: list[asyncio.Task[None]] = []

    async def body() -> None:
        sock = socket.socket()

        async def client() -> None:
            for _ in range(100):
                await pause()
            sock.close()

        async with ScriptedServer([Expect(GET), ExpectEnd()], timeout=BLOCKED) as server:
            sock.connect((server.address, server.port))
            sock.sendall(GET)
            if asyncio_runs():
                tasks.append(asyncio.create_task(client()))
            else:
                trio.lowlevel.spawn_system_task(client)
        assert sock.fileno() < 0

    LOOPS[loop](body)


@pytest.mark.parametrize("loop", LOOPS)
def test_async_with_raises_errors_of_the_server(loop: str) -> None:
    async def body() -> None:
        with pytest.raises(ScriptError, match="other bytes were received"):
            async with ScriptedServer([Expect(b"x")]) as server:
                with dial(server) as sock:
                    sock.sendall(b"y")
                    read_all(sock)
        with pytest.raises(ScriptError, match="got no connection"):
            async with ScriptedServer([Expect(b"x")]):
                pass
        with pytest.raises(KeyError) as caught:
            async with ScriptedServer([Forever()]) as server:
                raise KeyError(server.port)
        assert "got no connection" in str(caught.value.__notes__)
        async with Origin(lambda _: Response(200, (), b"x")) as origin:
            assert origin.port

    LOOPS[loop](body)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_plain_with_does_not_wait_for_a_client_of_the_same_loop(loop: str) -> None:
    """The client cannot run while `with` blocks its event loop, so waiting would be useless."""

    async def body() -> None:
        sock = socket.socket()
        with (
            pytest.raises(ScriptError, match=r"ExpectEnd.*still busy.*async with"),
            ScriptedServer([Expect(GET), ExpectEnd()], timeout=BLOCKED) as server,
        ):
            sock.connect((server.address, server.port))
            sock.sendall(GET)
        sock.close()

    LOOPS[loop](body)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_plain_with_in_a_loop_waits_for_data_in_transit(loop: str) -> None:
    async def body() -> None:
        for _ in range(20):
            with ScriptedServer([Expect(GET), Send(NO_CONTENT), ExpectEnd()]) as server, dial(server) as sock:
                sock.sendall(GET)
            with ScriptedServer([Expect(GET), Send(NO_CONTENT)]) as server:
                assert ask(server) == NO_CONTENT

    LOOPS[loop](body)


def test_cancelling_while_the_server_ends_is_not_delayed() -> None:
    async def serve(server: ScriptedServer, sock: socket.socket, inside: asyncio.Event) -> None:
        async with server:
            sock.connect((server.address, server.port))
            inside.set()

    async def main() -> None:
        with socket.socket() as sock:
            inside = asyncio.Event()
            task = asyncio.create_task(serve(ScriptedServer([ExpectEnd()], timeout=BLOCKED), sock, inside))
            await inside.wait()
            await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    with no_thread_left():
        asyncio.run(main())


def test_cancelling_in_trio_while_the_server_ends_is_not_delayed() -> None:
    async def main() -> None:
        with socket.socket() as sock:
            with trio.move_on_after(0.2) as scope:
                async with ScriptedServer([ExpectEnd()], timeout=BLOCKED) as server:
                    sock.connect((server.address, server.port))
            assert scope.cancelled_caught

    trio.run(main)


def test_a_server_ends_once() -> None:
    server = ScriptedServer([ExpectEnd()])
    with server:
        dial(server).close()
    with pytest.raises(RuntimeError, match="ended already"):
        server.__exit__(None, None, None)
    with pytest.raises(RuntimeError, match="not running"):
        ScriptedServer().__exit__(None, None, None)


@pytest.mark.parametrize("timeout", [0.0, -1.0, float("nan")])
def test_a_timeout_is_positive(timeout: float) -> None:
    with pytest.raises(ValueError, match="positive number of seconds"):
        ScriptedServer(timeout=timeout)


def test_tls_that_stopped_within_a_record_is_truncated(server_tls: Any, client_tls: Any) -> None:
    """After an incomplete record no close_notify is sent: the client sees a truncation, not garbage."""
    with (
        pytest.raises(ScriptError, match="in time"),
        ScriptedServer([Flood(b"x" * 100_000)], tls=server_tls, timeout=0.3) as server,
        dial(server) as raw,
        client_tls.wrap_socket(raw, server_hostname="localhost", suppress_ragged_eofs=False) as sock,
    ):
        time.sleep(0.4)  # until the server has given up
        with pytest.raises((ssl.SSLEOFError, ConnectionError)):
            while sock.recv(65536):
                pass


def test_a_handshake_that_is_not_continued(server_tls: Any) -> None:
    with (
        pytest.raises(ScriptError, match="before the first step: the TLS handshake did not finish in time"),
        ScriptedServer([Send(b"x")], tls=server_tls, timeout=0.2) as server,
        dial(server) as sock,
    ):
        sock.sendall(b"\x16\x03\x01\x02\x00")
        read_all(sock)


@pytest.fixture
def no_descriptors() -> Iterator[Callable[[], None]]:
    """Return a function that opens files until no descriptor is left."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken: list[int] = []

    def use_up() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, limits[1]))
        with pytest.raises(OSError, match="Too many open files"):
            while True:
                taken.append(os.dup(0))

    yield use_up
    for each in taken:
        os.close(each)
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_running_out_of_descriptors_is_an_error(no_descriptors: Callable[[], None]) -> None:
    with (
        pytest.raises(OSError, match="Too many open files") as caught,
        ScriptedServer([Drain()]) as server,
        socket.socket() as sock,
    ):
        address = (server.address, server.port)
        no_descriptors()
        sock.connect(address)
        assert read_all(sock) == b"", "the client must not be left waiting"
    assert caught.value.__notes__ == [
        "the server could not accept connection 1",
        "and: 1 of 1 scripts got no connection",
    ]


def test_without_connections_a_lack_of_descriptors_is_no_error(no_descriptors: Callable[[], None]) -> None:
    with Origin(lambda _: Response()):
        no_descriptors()


def test_a_server_that_cannot_start_leaves_nothing_behind(no_descriptors: Callable[[], None]) -> None:
    no_descriptors()
    with pytest.raises(OSError, match="Too many open files"), ScriptedServer([Drain()]):
        pass


def test_no_thread_for_a_connection_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: object) -> None:
        raise RuntimeError("can't start new thread")

    with (
        pytest.raises(RuntimeError, match="new thread") as caught,
        ScriptedServer([Drain()]) as server,
        monkeypatch.context() as patch,
    ):
        patch.setattr(threading.Thread, "start", start)
        with dial(server) as sock:
            assert read_all(sock) == b""
    assert caught.value.__notes__ == [
        "the server could not accept connection 1",
        "and: 1 of 1 scripts got no connection",
    ]


def test_a_server_that_still_waits_for_an_event_is_reported() -> None:
    with (
        pytest.raises(ScriptError, match="event was not set"),
        ScriptedServer([Wait(threading.Event())], timeout=0.05) as server,
    ):
        ask(server)


def test_a_step_may_close_its_peer_repeatedly() -> None:
    def close_twice(peer: Peer) -> None:
        peer.close()
        peer.close()
        peer.reset()

    with ScriptedServer([Do(close_twice)]) as server:
        assert ask(server) == b""
