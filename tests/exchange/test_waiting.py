"""How a blocking exchange writes and waits: what is flushed, and for how long it sleeps."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest
import trio

import mint
import mint.exchange.asyncio
import mint.exchange.trio
from mint._loops.system import POLLIN, POLLOUT
from mint.errors import ContentTooLarge, TransportTimeout
from mint.exchange import _blocking, exchange, send_body
from mint.exchange._blocking import _look, _wait_for_room
from mint.exchange._procedure import PHASE, PIECE, QUEUE, SMALL, Run
from mint.testing import ExpectUntil, ScriptedServer, Wait, http2, memory
from mint.testing.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n"


class Link(mint.transport.Memory):
    """Memory that counts how often it is flushed, and may write some of its output then, or time out."""

    def __init__(self, *, writes: bool = False, stuck: bool = False) -> None:
        super().__init__(reads=True)
        self.writes = writes
        self.stuck = stuck
        self.flushed: list[float | None] = []

    def flush(self, timeout: float | None) -> None:
        self.flushed.append(timeout)
        if self.writes:
            self.take()
        if self.stuck:
            raise TransportTimeout("sending")


class Poll:
    """Stands for `poll`, and remembers the times."""

    def __init__(self) -> None:
        self.times: list[int | None] = []

    def register(self, number: int, events: int) -> None:
        raise AssertionError("there is no socket")

    modify = register

    def poll(self, left: int | None = None) -> Sequence[tuple[int, int]]:
        self.times.append(left)
        return []


def begun(link: mint.transport.Memory, length: int = 20) -> tuple[mint.http1.HTTP1, mint.RequestRef]:
    conn = mint.http1.initiate(link, scheme="http", hostname="h", identity=1)
    return conn.request("POST", "/", [("content-length", str(length))], mint.STREAM)


def run_of(link: mint.transport.Memory) -> Run:
    conn, ref = begun(link)
    return Run(conn, ref, lambda _: None, waits=True)


def test_sizes() -> None:
    """So many octets are sent with the head, passed on at once and queued."""
    assert (SMALL, PIECE, QUEUE) == (16_384, 65_536, 262_144)


@pytest.mark.parametrize("stuck", [False, True])
@pytest.mark.parametrize("queued", [False, True])
def test_a_look_writes_what_is_queued(queued: bool, stuck: bool) -> None:
    link = Link(stuck=stuck)
    run = run_of(link)
    if not queued:
        link.take()
    link.flushed.clear()
    responses: list[mint.Response] = []
    _look(run, responses)
    assert link.flushed == ([0] if queued else [])
    assert responses == []
    link.put(HEAD + b"x")
    _look(run, responses)
    assert [type(each) for each in responses] == [mint.Status, mint.Headers, mint.Data]


@pytest.mark.parametrize(
    ("left", "slept"), [(None, 50), (10.0, 50), (0.051, 50), (0.05, 50), (0.049, 49), (0.001, 1), (0.0, 0)]
)
@pytest.mark.parametrize("stuck", [False, True])
@pytest.mark.parametrize("writes", [False, True])
def test_the_time_until_more_is_tried_without_a_socket(
    left: float | None, slept: int, writes: bool, stuck: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no wait if something was written."""
    poll = Poll()
    monkeypatch.setattr(_blocking, "make_poll", lambda: poll)
    link = Link(writes=writes, stuck=stuck)
    run = run_of(link)
    link.flushed.clear()
    _wait_for_room(run, left)
    assert link.flushed == [0]
    assert poll.times == ([] if writes else [slept])
    _look(run, [])  # with the newest value of the connection


@pytest.mark.parametrize("writes", [False, True])
def test_the_time_until_more_is_tried_with_a_socket(writes: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the system reports room and nothing could be written, only input ends the wait before a moment."""
    near, far = socket.socketpair()

    class Watched(Link):
        @property
        def socket(self) -> socket.socket:
            return near

    class Watching(Poll):
        def __init__(self) -> None:
            super().__init__()
            self.watched: list[tuple[int, int]] = []

        def register(self, number: int, events: int) -> None:
            self.watched.append((number, events))

        modify = register

    poll = Watching()
    monkeypatch.setattr(_blocking, "make_poll", lambda: poll)
    with near, far:
        _wait_for_room(run_of(Watched(writes=writes)), 10.0)
        both, first = (near.fileno(), POLLIN | POLLOUT), (near.fileno(), POLLIN)
    assert poll.watched == ([both] if writes else [both, first])
    assert poll.times == ([10_000] if writes else [10_000, 50])


def test_a_look_takes_what_came_before_writing_failed() -> None:
    """The answer to a PING could not be written in time, but a response had arrived before."""

    class Stuck(mint.transport.Memory):
        stuck = False

        def _transmit(self, *, wait: bool) -> None:
            assert wait
            if self.stuck:
                raise TransportTimeout("sending")

    link = Stuck(reads=True)
    conn, ref = mint.http2.initiate(link, scheme="http", hostname="h", identity=1).request("GET", "/")
    link.put(http2.settings().serialize())
    conn, _ = conn.recv()
    link.stuck = True
    link.put(http2.headers(1, [(":status", "200")]).serialize() + http2.ping(bytes(8)).serialize())
    run = Run(conn, ref, lambda _: None, waits=True)
    responses: list[mint.Response] = []
    _look(run, responses)
    assert mint.Status(ref, 200) in responses
    assert not run.conn.is_open()


def test_an_upload_waits_for_room_and_takes_an_answer_that_comes_instead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    link = Link()

    class Answering(Poll):
        def poll(self, left: int | None = None) -> Sequence[tuple[int, int]]:
            link.put(HEAD + bytes(20))
            return super().poll(left)

    poll = Answering()
    monkeypatch.setattr(_blocking, "make_poll", lambda: poll)
    conn = mint.http1.initiate(link, scheme="http", hostname="h", identity=1)
    _, answer = exchange(conn, "POST", "/", (), bytes(QUEUE + 1))
    assert (answer.content, len(poll.times)) == (bytes(20), 1)


@pytest.mark.parametrize("passed_on", [False, True])
def test_send_body_delivers_what_arrived_before_an_error(passed_on: bool) -> None:
    """In the error, or to the function that gets the responses; then the error has the last ones only."""
    link = Link()
    conn, ref = begun(link, length=2)
    got: list[mint.Response] = []

    def pieces() -> Iterator[bytes]:
        yield b"x"
        link.put(b"HTTP/2 what\r\n\r\n")
        yield b"y"

    link.put(b"HTTP/1.1 103 Early Hints\r\n\r\n")
    with pytest.raises(mint.HTTPError) as caught:
        send_body(conn, ref, pieces(), received=got.extend if passed_on else None)
    early: list[mint.Response] = [mint.Informational(ref, 103, ())]
    assert got == (early if passed_on else [])
    first, *others = caught.value.responses
    assert (first in early) is not passed_on
    assert not {*early} & {*others}
    assert not conn.after(caught.value).is_open()


@pytest.mark.parametrize(("most", "size"), [(None, 11), (10, 9), (10, 10), (10, 11), (0, 0), (0, 1)])
def test_the_maximum_size_of_what_send_body_returns(most: int | None, size: int) -> None:
    link = Link()
    conn: mint.Connection
    conn, ref = begun(link, length=2)
    link.put(HEAD + bytes(size))
    body = [b"x", b"y"]
    if most is None or size <= most:
        conn, kept = send_body(conn, ref, body, max_size=most)
        assert b"".join(each.data for each in kept if isinstance(each, mint.Data)) == bytes(size)
    else:
        with pytest.raises(ContentTooLarge) as caught:
            send_body(conn, ref, body, max_size=most)
        assert str(caught.value) == str(ContentTooLarge(most))
        assert mint.Data(ref, bytes(size)) in caught.value.responses
        conn = conn.after(caught.value)
    link.put(b"z")
    conn, [more] = conn.recv(timeout=0)
    assert more == mint.Data(ref, b"z")


def connected(protocol: str) -> tuple[mint.Connection, mint.transport.Memory]:
    if protocol == "http2":
        conn, server = memory.http2()
        return conn, server.link
    other, server = memory.http1()
    return other, server.link


def upload(
    loop: str, conn: mint.Connection, pieces: Iterable[bytes]
) -> tuple[mint.Connection, mint.exchange.Answer]:
    if loop == "asyncio":
        return asyncio.run(mint.exchange.asyncio.exchange(conn, "POST", "/", (), pieces))
    if loop == "trio":
        return trio.run(mint.exchange.trio.exchange, conn, "POST", "/", (), pieces)
    return exchange(conn, "POST", "/", (), pieces)


@pytest.mark.parametrize("loop", ["blocking", "asyncio", "trio"])
@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_a_complete_answer_is_returned_although_the_server_broke_a_rule_after_it(
    protocol: str, loop: str
) -> None:
    conn, link = connected(protocol)
    if protocol == "http2":
        frames = [http2.headers(1, [(":status", "200")]), http2.data(1, b"abc", end=True), http2.data(0, b"")]
        late = b"".join(frame.serialize() for frame in frames)
    else:
        late = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabcHTTP/2 what\r\n\r\n"

    def pieces() -> Iterator[bytes]:
        yield b"x"
        link.put(late)
        yield b"y"

    conn, answer = upload(loop, conn, pieces())
    assert (answer.status, answer.content) == (200, b"abc")
    assert not conn.is_open()


@pytest.mark.parametrize("arrived", [b"", HEAD + b"early", HEAD + bytes(20)])
@pytest.mark.parametrize("taken", [1.0, 1.5])
def test_the_time_that_the_pieces_take_counts(
    taken: float, arrived: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the time is up, what has arrived meanwhile is delivered, and a complete response is no failure."""
    clock = FakeClock()
    monkeypatch.setattr(_blocking, "monotonic", clock)
    link = Link()
    conn, ref = begun(link, length=2)

    def pieces() -> Iterator[bytes]:
        yield b"x"
        clock.advance(taken)
        link.put(arrived)
        yield b"y"

    got: list[mint.Response] = []
    in_time = taken <= 1 or arrived == HEAD + bytes(20)
    with nullcontext() if in_time else pytest.raises(TransportTimeout, match=PHASE):
        send_body(conn, ref, pieces(), timeout=1, received=got.extend)
    assert b"".join(each.data for each in got if isinstance(each, mint.Data)) == arrived[len(HEAD) :]


@pytest.mark.parametrize("loop", ["blocking", "asyncio", "trio"])
@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_an_exception_of_the_pieces_is_raised_and_closes_the_connection(protocol: str, loop: str) -> None:
    """The caller has no value with which it could end the request."""
    conn, link = connected(protocol)

    def pieces() -> Iterator[bytes]:
        yield b"x"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        upload(loop, conn, pieces())
    assert link.closed


@pytest.mark.parametrize("streams", [False, True])
def test_only_the_timeout_of_the_call_limits_an_upload(streams: bool) -> None:
    """`send_timeout` does not: nothing is written in a way that would wait for the server."""
    over = threading.Event()
    options = mint.TCPOptions(send_timeout=0, high_water=1)
    content = bytes(50_000_000)
    with (
        ScriptedServer([ExpectUntil(b"\r\n\r\n"), Wait(over)], timeout=60) as server,
        mint.connect("http", server.address, server.port, tcp=options) as conn,
    ):
        with pytest.raises(TransportTimeout) as caught:
            if streams:
                started, ref = conn.request("POST", "/", (), mint.STREAM)
                send_body(started, ref, [content], timeout=0.2)
            else:
                exchange(conn, "POST", "/", (), content, timeout=0.2)
        over.set()
    assert caught.value.phase == PHASE
