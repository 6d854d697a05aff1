"""Carry out the steps of a request of a pool by hand: what it waits for, until when, and what remains."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

import mint
import mint.pool
import mint.pool.asyncio
import mint.pool.trio
from mint._wire.link import Link
from mint.errors import ExceedsWindowSize, MintError, ServerClosedRequest, TransportTimeout
from mint.exchange import URL
from mint.exchange._procedure import SMALL
from mint.pool import PoolOptions, Timeouts
from mint.pool._procedures import (
    CallTrace,
    Connect,
    Look,
    Park,
    PoolRequest,
    Procedure,
    Pull,
    Receive,
    Room,
    Step,
    _open,
    _room,
    abandon,
    begin,
    leave,
    piece,
    send,
)
from mint.pool._requests import make_request
from mint.pool._session import Session, Stream
from mint.pool._state import PoolState
from mint.testing import frames as f
from mint.testing import memory
from mint.testing.http2 import Setting

HERE = URL("http", "localhost", 80, "/")
OK = ((":status", "200"),)


def onward(procedure: Procedure[Stream]) -> Step:
    """Return the next step other than `Pull`, which takes a piece of the body."""
    step = next(procedure)
    while isinstance(step, Pull):
        assert isinstance(step.source, Iterator)
        step.piece = next(step.source, None)
        step = next(procedure)
    return step


class Hand:
    """A pool with its clock and the server of its only connection."""

    lock = nullcontext()
    make_event = threading.Event

    def __init__(self, options: PoolOptions | None = None, *values: tuple[int, int]) -> None:
        self.now = 0.0
        self.pool = PoolState(self, options or PoolOptions(), lambda _: True)
        self.conn, self.server = memory.http2(*values)
        self.server.received()

    def clock(self) -> float:
        return self.now

    def forget(self, key: int) -> None:
        assert key == 1

    def begin_anew(self) -> None:
        raise AssertionError("no test of this module forks")

    def catch_up(self) -> None:
        pass  # no test of this module has signal handlers

    def settle_soon(self, pool: PoolState) -> None:
        raise AssertionError("no test of this module drops an answer")

    def make_request(self, content: bytes | Iterable[bytes] | None = None, **timeouts: float) -> PoolRequest:
        return make_request(
            "GET" if content is None else "POST", HERE, (), content, (), Timeouts(**timeouts), self.clock
        )

    def begun(self, request: PoolRequest) -> tuple[Procedure[Stream], Step]:
        """Begin a request; return it and its first step after connecting."""
        procedure = begin(self.pool, request)
        step = next(procedure)
        if isinstance(step, Connect):
            step.conn = self.conn
            step = onward(procedure)
        return procedure, step

    @property
    def session(self) -> Session:
        return self.pool.sessions[1]

    def deliver(self, *frames: f.Frame) -> None:
        self.server.send(*frames)
        conn = self.session.conn
        assert isinstance(conn, mint.http2.HTTP2)
        self.session.process(*self.server.deliver(conn))


def over(procedure: Procedure[Stream]) -> Stream:
    with pytest.raises(StopIteration) as ended:
        next(procedure)
    found = ended.value.value
    assert isinstance(found, Stream)
    return found


def test_a_silent_connection_is_pinged_while_a_request_waits() -> None:
    hand = Hand(PoolOptions(ping_interval=5, ping_timeout=10))
    procedure, step = hand.begun(hand.make_request())
    for now, until, kinds in ((4.75, 5, []), (5, 15, [f.FrameType.PING]), (14.75, 15, [])):
        assert isinstance(step, Receive)
        hand.server.received()
        hand.now = now
        step = next(procedure)
        assert isinstance(step, Receive)
        assert step.until == until
        assert [frame.type for frame in hand.server.frames()] == kinds
    hand.now = 15
    with pytest.raises(TransportTimeout, match="PING"):
        next(procedure)
    assert not hand.pool.sessions


@pytest.mark.parametrize(
    ("limits", "until"),
    [
        ({"read": 3}, 3),
        ({"read": 8}, 5),
        ({"total": 3}, 3),
        ({"total": 8}, 5),
        ({"read": 4, "total": 3}, 3),
        ({}, 5),
    ],
)
def test_a_wait_ends_at_the_first_of_its_limits(limits: dict[str, float], until: float) -> None:
    hand = Hand(PoolOptions(ping_interval=5))
    procedure, step = hand.begun(hand.make_request(None, **limits))
    assert isinstance(step, Receive)
    assert step.until == until
    hand.now = until
    if until == 5:
        assert isinstance(next(procedure), Receive)
    else:
        hand.server.received()
        with pytest.raises(TransportTimeout):
            next(procedure)
        assert [frame.type for frame in hand.server.frames()] == [f.FrameType.RST_STREAM]
        assert hand.pool.statistics().active == 0


@pytest.mark.rfc("9110-9.2.2-b")
@pytest.mark.parametrize("allowed", [0, 1, 2, 3])
@pytest.mark.parametrize("refusals", [0, 1, 2, 3])
def test_how_often_a_request_is_sent_again(allowed: int, refusals: int) -> None:
    hand = Hand(PoolOptions(max_retries=allowed))
    procedure, step = hand.begun(hand.make_request())
    for at in range(min(refusals, allowed + 1)):
        assert isinstance(step, Receive)
        hand.deliver(f.rst_stream(2 * at + 1, f.ErrorCode.REFUSED_STREAM))
        if at == allowed:
            with pytest.raises(ServerClosedRequest):
                next(procedure)
        else:
            step = next(procedure)
    if refusals <= allowed:
        hand.deliver(f.headers(2 * refusals + 1, OK, end=True))
        assert over(procedure).status == 200
    found = hand.pool.statistics()
    assert (found.requests, found.retries) == (min(refusals, allowed) + 1, min(refusals, allowed))
    assert found.active == 0


def test_a_request_is_not_sent_again_after_its_timeout() -> None:
    hand = Hand(PoolOptions(max_retries=5))
    procedure, _ = hand.begun(hand.make_request(None, total=10))
    hand.now = 10
    hand.deliver(f.rst_stream(1, f.ErrorCode.REFUSED_STREAM))
    with pytest.raises(ServerClosedRequest):
        next(procedure)
    assert hand.pool.statistics().retries == 0


@pytest.mark.parametrize("window", [0, 1, 19_999, 20_000, 20_001])
def test_a_sender_waits_for_the_window_only_while_body_is_left(window: int) -> None:
    hand = Hand(None, (Setting.INITIAL_WINDOW_SIZE, window))
    procedure, step = hand.begun(hand.make_request(bytes(20_000)))
    waits = window < 20_000
    assert isinstance(step, Receive if waits else Look)
    assert bool(hand.session.blocked) is waits
    assert hand.session.reader is not None
    if waits:
        hand.deliver(f.window_update(1, 20_000))
        step = onward(procedure)
        assert isinstance(step, Look)
        assert not hand.session.blocked
    hand.deliver(f.headers(1, OK, end=True))
    assert over(procedure).status == 200
    assert hand.session.reader is None
    assert not hand.session.blocked
    assert not hand.session.parked


def test_the_write_timeout_restarts_when_something_was_sent() -> None:
    hand = Hand(None, (Setting.INITIAL_WINDOW_SIZE, 10))
    procedure, step = hand.begun(hand.make_request([bytes(30)], write=4))
    assert isinstance(step, Receive)
    assert step.until == 4
    hand.now = 3
    hand.deliver(f.ping())  # a PING opens no window
    step = onward(procedure)
    assert isinstance(step, Receive)
    assert step.until == 4
    hand.deliver(f.window_update(1, 10))
    step = onward(procedure)
    assert isinstance(step, Receive)
    assert step.until == 7
    hand.now = 7
    with pytest.raises(TransportTimeout, match="sending"):
        onward(procedure)


@pytest.mark.parametrize("part", ["head", "body"])
def test_the_write_timeout_restarts_when_the_system_has_taken_a_part_of_the_queue(
    part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the time is up, the rest is offered once more, because the system may not have reported room."""
    hand = Hand()

    def body() -> Iterator[bytes]:
        hand.session.most_queued = 0
        yield bytes(30)

    if part == "head":
        hand.begun(hand.make_request())
        hand.session.reader = None
        hand.session.most_queued = 0
    procedure, step = hand.begun(hand.make_request(None if part == "head" else body(), write=4))
    link = hand.session.conn.transport
    assert isinstance(link, Link)
    assert isinstance(step, Room)
    assert step.until == 4
    hand.now = 3
    link.accepted(1)
    step = next(procedure)
    assert isinstance(step, Room)
    assert step.until == 7
    hand.now = 7
    with monkeypatch.context() as patch:
        patch.setattr(link, "write_waiting", lambda: link.accepted(1))
        step = next(procedure)
    assert isinstance(step, Room)
    assert step.until == 11
    hand.now = 11
    with pytest.raises(TransportTimeout, match="sending"):
        next(procedure)


def test_one_request_reads_while_many_wait() -> None:
    """One request receives for all; when it has ended, the next one receives."""
    hand = Hand()
    first, step = hand.begun(hand.make_request())
    assert isinstance(step, Receive)
    second, step = hand.begun(hand.make_request())
    assert isinstance(step, Park)
    third, step = hand.begun(hand.make_request())
    assert isinstance(step, Park)
    assert len(hand.session.parked) == 2
    hand.deliver(f.headers(1, OK, end=True))
    assert over(first).status == 200
    assert isinstance(next(second), Receive)
    assert isinstance(next(third), Park)
    hand.deliver(f.headers(5, OK, end=True))
    assert over(third).status == 200
    assert len(hand.session.parked) == 0
    hand.deliver(f.headers(3, OK, end=True))
    assert over(second).status == 200
    assert hand.session.reader is None


@pytest.mark.parametrize("has_reader", [False, True])
def test_which_request_receives_while_the_queue_is_full(has_reader: bool) -> None:
    hand = Hand(None, (Setting.INITIAL_WINDOW_SIZE, 2**31 - 1))
    reading = None
    if has_reader:
        reading, step = hand.begun(hand.make_request())
        assert isinstance(step, Receive)
    request = make_request("POST", HERE, (), mint.STREAM, (), None, hand.clock)
    procedure = begin(hand.pool, request)
    with pytest.raises(StopIteration) as ended:
        step = next(procedure)
        assert isinstance(step, Connect)
        step.conn = hand.conn
        next(procedure)
    stream = ended.value.value
    hand.deliver(f.window_update(0, 2**31 - 1 - 65_535))
    reader = hand.session.reader
    hand.session.most_queued = 10
    sending = send(hand.pool, stream, bytes(20_000), request)
    step = next(sending)
    assert isinstance(step, Room)
    assert step.reads is not has_reader
    assert step.event is stream.sender
    assert hand.session.reader is (reader if has_reader else stream.sender)
    hand.session.most_queued = 1_000_000
    if not has_reader:
        assert isinstance(next(sending), Look)
    with pytest.raises(StopIteration) as sent:
        next(sending)
    assert sent.value.value is True
    assert hand.session.reader is (reader if has_reader else None)
    assert not hand.session.blocked
    assert reading is None or hand.session.reader is not None


@pytest.mark.parametrize("times", [1, 100, 101])
def test_how_often_a_request_may_find_its_connection_closed(times: int) -> None:
    """A granted connection that ends before the head is sent is replaced, which does not count as a retry."""
    pool = Hand()
    procedure = begin(pool.pool, pool.make_request())
    pool.forget = lambda key: None  # type: ignore[method-assign]  # there are many connections connections
    for at in range(times):
        step = next(procedure)
        assert isinstance(step, Connect)
        assert step.key == at + 1
        step.conn, server = memory.http2()
        server.send(f.goaway(0))
        step.conn, _ = server.deliver(step.conn)
        if at == 100:
            with pytest.raises(MintError) as caught:
                next(procedure)
            assert caught.value.processed is mint.Processed.NO
            return
    step = next(procedure)
    assert isinstance(step, Connect)
    step.conn, server = memory.http2()
    assert isinstance(next(procedure), Receive)
    found = pool.pool.statistics()
    assert (found.requests, found.retries, found.active) == (1, 0, 1)


class Recorder:
    """A fake session that notes the requests; if `narrow`, its window is too small for a whole body."""

    def __init__(self, *, narrow: bool = False) -> None:
        self.opened: list[tuple[list[tuple[str, str]], bytes | None, bool]] = []
        self._narrow = narrow

    def open(
        self, method: str, target: str, headers: list[tuple[str, str]], body: bytes | None, **named: object
    ) -> SimpleNamespace:
        assert (method, target) == ("POST", "/")
        streamed = bool(named["streamed"])
        if self._narrow and not streamed:
            raise ExceedsWindowSize("connection", 0)
        self.opened.append((headers, body, streamed))
        return SimpleNamespace(source=None, end_trailers=())


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("size", [0, SMALL - 1, SMALL, SMALL + 1])
@pytest.mark.parametrize("trailers", [(), (("t", "u"),)])
@pytest.mark.parametrize("given", [None, "Content-Length", "Transfer-Encoding"])
def test_how_a_body_is_sent(
    size: int, trailers: tuple[tuple[str, str], ...], given: str | None, narrow: bool
) -> None:
    hand, session = Hand(), Recorder(narrow=narrow)
    headers = [] if given is None else [(given, "x")]
    request = make_request("POST", HERE, headers, bytes(size), trailers, None, hand.clock)
    request.ticket = hand.pool.ticket(HERE.origin)
    stream = _open(session, request, (threading.Event(), threading.Event()))  # type: ignore[arg-type]  # a fake
    at_once = size <= SMALL and not trailers and not narrow
    counted = [] if at_once or trailers or given else [("content-length", str(size))]
    sent = [(name.lower(), value) for name, value in headers] + counted
    [(fields, body, streamed)] = session.opened
    assert [(name.lower(), value) for name, value in fields] == sent
    assert body == (bytes(size) if at_once else None)
    assert streamed is not at_once
    if at_once:
        assert stream.source is None
    else:
        assert isinstance(stream.source, Iterator)
        assert list(stream.source) == [bytes(size)]
        assert stream.end_trailers == trailers


@pytest.mark.parametrize("with_content", [False, True])
def test_a_failure_after_the_head_is_raised_when_reading_the_content(with_content: bool) -> None:
    hand = Hand()
    request = hand.make_request()
    procedure, _ = hand.begun(request)
    content = [f.data(1, b"abc")] if with_content else []
    hand.deliver(f.headers(1, OK), *content, f.rst_stream(1, f.ErrorCode.INTERNAL_ERROR))
    stream = over(procedure)
    assert stream.status == 200
    if with_content:
        with pytest.raises(StopIteration) as ended:
            next(piece(hand.pool, stream, request))
        assert ended.value.value == b"abc"
    with pytest.raises(ServerClosedRequest):
        next(piece(hand.pool, stream, request))


def test_the_pieces_of_an_answer() -> None:
    hand = Hand()
    request = hand.make_request()
    procedure, _ = hand.begun(request)
    hand.deliver(f.headers(1, OK), f.data(1, b"abc"))
    stream = over(procedure)
    found = []
    for more in ([], [f.data(1, b"d")], [f.data(1, b"e", end=True)], []):
        reading = piece(hand.pool, stream, request)
        if more:
            assert isinstance(next(reading), Receive)
            hand.deliver(*more)
        with pytest.raises(StopIteration) as ended:
            next(reading)
        found.append(ended.value.value)
    assert found == [b"abc", b"d", b"e", None]


def test_a_head_waits_while_the_queue_is_full() -> None:
    hand = Hand()
    first, _ = hand.begun(hand.make_request())
    hand.session.reader = None
    hand.session.most_queued = 0
    assert hand.session.is_full
    procedure, step = hand.begun(hand.make_request(None, write=4))
    for now in (0, 3.75):
        hand.now = now
        assert isinstance(step, Room)
        assert (step.until, step.reads) == (4, True)
        step = next(procedure)
    hand.now = 4
    with pytest.raises(TransportTimeout, match="sending") as caught:
        next(procedure)
    assert caught.value.processed is mint.Processed.NO
    assert hand.pool.statistics().active == 1
    first.close()
    assert hand.pool.statistics().active == 0


@pytest.mark.parametrize("body", [None, b"abc", [b"abc", b"de"]])
@pytest.mark.parametrize("early", [False, True])
def test_the_phases_in_their_order(body: bytes | list[bytes] | None, early: bool) -> None:
    hand = Hand()
    request = hand.make_request(body)
    request.trace = lambda name, info: None
    procedure = begin(hand.pool, request)
    names: list[str] = []
    answered = False
    with pytest.raises(StopIteration):
        step = next(procedure)
        while True:
            match step:
                case CallTrace():
                    names.append(step.name)
                case Connect():
                    step.conn = hand.conn
                case Pull():
                    assert isinstance(step.source, Iterator)
                    step.piece = next(step.source, None)
                case _:
                    assert isinstance(step, (Receive, Look))
                    if not answered and (early or isinstance(step, Receive)):
                        hand.deliver(f.headers(1, OK, end=True))
                        answered = True
            step = next(procedure)
    is_streamed = isinstance(body, list)
    if early and is_streamed:  # the answer arrived before the end of the body
        rest = ["response.started", "response.complete"]
    else:
        rest = ["request_body.complete", "response.started", "response.complete"]
    assert names == [
        *("connect.started", "connect.complete", "request.started", "request.complete"),
        "request_body.started",
        *rest,
    ]
    assert request.phase == ""


def test_without_a_ticket_there_is_nothing_to_release() -> None:
    hand = Hand()
    abandon(hand.pool, hand.make_request())
    assert hand.pool.statistics().connections == 0


@pytest.mark.parametrize(
    ("timeout", "until", "timeouts"),
    [(-1, 9, Timeouts(total=9, read=3)), (None, None, Timeouts()), (0, 2, Timeouts()), (5, 7, Timeouts())],
)
def test_the_timeout_of_one_call(timeout: float | None, until: float | None, timeouts: Timeouts) -> None:
    hand = Hand()
    request = hand.make_request(None, total=9, read=3)
    hand.now = 2
    limited = request.with_limit(timeout)
    assert (limited.until, limited.timeouts) == (until, timeouts)


@pytest.mark.parametrize(
    ("total", "limit", "since", "until"),
    [
        *((None, None, None, None), (None, 3, None, 5), (None, 3, 1, 4), (9, None, None, 9)),
        *((9, 3, None, 5), (9, 8, None, 9), (9, 7, None, 9), (9, 8, 0.5, 8.5), (9, 3, 1, 4)),
    ],
)
def test_when_the_timeout_of_a_phase_ends(
    total: float | None, limit: float | None, since: float | None, until: float | None
) -> None:
    hand = Hand()
    request = hand.make_request() if total is None else hand.make_request(None, total=total)
    hand.now = 2
    assert request.within(limit, since) == until


def test_a_request_is_released_once() -> None:
    hand = Hand()
    request = hand.make_request()
    procedure, _ = hand.begun(request)
    hand.deliver(f.headers(1, OK), f.data(1, b"x"))
    stream = over(procedure)
    hand.server.received()
    assert hand.pool.statistics().active == 1
    for kinds in ([f.FrameType.RST_STREAM], []):
        abandon(hand.pool, request)
        assert [frame.type for frame in hand.server.frames()] == kinds
        assert hand.pool.statistics().active == 0
        assert stream.ended


@pytest.mark.parametrize("is_sender", [False, True])
def test_an_interrupted_wait_loses_no_content(is_sender: bool) -> None:
    hand = Hand()
    request = make_request("POST", HERE, (), mint.STREAM, (), None, hand.clock)
    procedure = begin(hand.pool, request)
    step = next(procedure)
    assert isinstance(step, Connect)
    step.conn = hand.conn
    stream = over(procedure)
    hand.deliver(f.headers(1, OK), f.data(1, b"abc"))
    assert stream.take() == b"abc"
    leave(hand.pool, stream, stream.sender if is_sender else stream.event)
    assert list(stream.pieces) == ([] if is_sender else [b"abc"])


@pytest.mark.parametrize(
    "kind", [mint.pool.Pool, mint.pool.asyncio.Pool, mint.pool.trio.Pool], ids=["blocking", "asyncio", "trio"]
)
@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"options": None}, TypeError),
        ({"options": Timeouts()}, TypeError),
        ({"timeout": -1}, ValueError),
        ({"timeout": "1"}, ValueError),
        ({"timeout": PoolOptions()}, ValueError),
        ({"connect": "mint.connect"}, TypeError),
        ({"connect": print, "record": "file"}, ValueError),
    ],
)
def test_every_pool_refuses_invalid_arguments(
    kind: type, wrong: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error, match=next(iter(wrong))):
        kind(**wrong)


def test_a_place_that_was_dropped_is_given_to_a_request_that_waits() -> None:
    """Even if nothing but its own next step makes the pool decide."""
    hand = Hand(PoolOptions(max_per_origin=1, max_streams=1))
    hand.settle_soon = lambda pool: None  # type: ignore[method-assign]  # it may come late
    first, _ = hand.begun(hand.make_request())
    hand.deliver(f.headers(1, OK))
    dropped = over(first)
    second, step = hand.begun(hand.make_request())
    assert isinstance(step, Park)
    assert hand.pool.drop(dropped)
    assert isinstance(next(second), Receive)
    assert hand.pool.statistics().active == 1
    assert not hand.pool.drop(dropped)


def test_each_dropped_answer_is_cancelled_once() -> None:
    hand = Hand()
    hand.settle_soon = lambda pool: None  # type: ignore[method-assign]  # it may come late
    streams = []
    for number in (1, 3, 5):
        procedure, _ = hand.begun(hand.make_request())
        hand.deliver(f.headers(number, OK))
        streams.append(over(procedure))
    hand.server.received()
    for stream in streams:
        assert hand.pool.drop(stream)
        assert hand.pool.has_dropped
    for kinds in ([f.FrameType.RST_STREAM] * 3, []):
        hand.pool.settle()
        assert not hand.pool.has_dropped
        assert [frame.type for frame in hand.server.frames()] == kinds
        assert hand.pool.statistics().active == 0


def test_nothing_waits_for_room_on_a_lost_connection() -> None:
    hand = Hand()
    hand.begun(hand.make_request())
    session = hand.session
    session.reader = None
    session.lose()
    assert [*_room(hand.pool, session, threading.Event(), None)] == []
    assert session.reader is None


@pytest.mark.parametrize("is_added", [False, True])
@pytest.mark.parametrize("is_open", [False, True])
def test_a_connection_that_nobody_will_use_is_closed(is_added: bool, is_open: bool) -> None:
    hand = Hand()
    forgotten: list[int] = []
    hand.forget = forgotten.append  # type: ignore[method-assign,assignment]  # noted
    procedure = begin(hand.pool, hand.make_request())
    step = next(procedure)
    assert isinstance(step, Connect)
    if is_added:
        step.conn = hand.conn
        assert isinstance(onward(procedure), Receive)
    hand.pool.discard(1, hand.conn if is_open else None)
    assert forgotten == [1]
    assert hand.conn.transport.closed is (is_added or is_open)
    assert not hand.pool.sessions


@pytest.mark.parametrize("answered", [False, True])
def test_the_end_of_a_body_is_sent_only_if_it_is_still_wanted(
    answered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[Stream] = []
    end_body = Session.end_body

    def noted(self: Session, stream: Stream, trailers: mint.types.HeaderFields) -> None:
        ended.append(stream)
        end_body(self, stream, trailers)

    monkeypatch.setattr(Session, "end_body", noted)
    hand = Hand()
    procedure = begin(hand.pool, hand.make_request([b"x"]))
    step = next(procedure)
    assert isinstance(step, Connect)
    step.conn = hand.conn
    for piece_of_body in (b"x", None):
        step = next(procedure)
        while isinstance(step, Look):
            step = next(procedure)
        assert isinstance(step, Pull)
        step.piece = piece_of_body
        if piece_of_body is None and answered:
            hand.deliver(f.headers(1, OK, end=True))
    if answered:
        stream = over(procedure)
        assert stream.ended
        assert ended == []
    else:
        assert isinstance(next(procedure), Receive)
        assert len(ended) == 1


def test_after_an_interrupt_those_are_woken_that_were_given_a_connection() -> None:
    hand = Hand(PoolOptions(max_per_origin=1, max_streams=1))
    first, _ = hand.begun(hand.make_request())
    waiting = [hand.begun(hand.make_request()) for _ in range(2)]
    assert all(isinstance(step, Park) for _, step in waiting)
    hand.deliver(f.headers(1, OK, end=True))
    assert over(first).ended
    for event in hand.pool.events.values():
        event.clear()
    hand.pool._interrupted()
    told = {ticket.key: event for ticket, event in hand.pool.events.items()}
    assert set(told) == {1, None}
    assert all(isinstance(event, threading.Event) for event in told.values())
    assert {key: event.is_set() for key, event in told.items()} == {1: True, None: False}
