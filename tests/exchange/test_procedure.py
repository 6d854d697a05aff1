"""Carry out the steps of one exchange by hand: what is sent at once, what it waits for, how it ends."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, cast

import pytest

import mint
from mint.errors import MintError, TransportClosed, TransportTimeout
from mint.exchange import Answer, Collector
from mint.exchange._procedure import (
    PIECE,
    QUEUE,
    SMALL,
    Run,
    Wait,
    conclude,
    exchanging,
    give_up,
    has,
    recovered,
    sending,
    settle,
)
from mint.testing import frames as f
from mint.testing import memory
from mint.testing.http2 import Setting

if TYPE_CHECKING:
    from mint.exchange._answer import Outcome
    from mint.exchange._procedure import Waits

OK = ((":status", "200"),)


class Hand:
    """One request over a connection in memory, with its server."""

    def __init__(self, protocol: str = "http2", *values: tuple[int, int]) -> None:
        conn: mint.Connection
        if protocol == "http2":
            conn, self.server = memory.http2(*values)
        else:
            conn, self.server = memory.http1()
        self.server.received()
        self.outcomes: dict[mint.RequestRef, Outcome] = {}
        self.collector = Collector()
        self.run = Run(conn, None, self._process, waits=False)

    def _process(self, responses: list[mint.Response]) -> None:
        assert responses, "must not be called without responses"
        self.outcomes |= self.collector.feed(responses)

    def exchange(
        self,
        content: bytes | None = None,
        headers: mint.types.HeaderPairs = (),
        *,
        streamed: bool = False,
        trailers: mint.types.HeaderFields = (),
    ) -> Waits:
        method = "GET" if content is None and not streamed else "POST"
        return exchanging(self.run, method, "/", headers, content, streamed, trailers)

    def open(self, headers: mint.types.HeaderPairs = ()) -> mint.RequestRef:
        self.run.conn, ref = self.run.conn.request("POST", "/", list(headers), mint.STREAM)
        self.run.ref = ref
        self.server.received()
        return ref

    def deliver(self, *pieces: bytes | f.Frame) -> list[mint.Response]:
        self.server.send(*pieces)
        conn = self.run.conn
        if isinstance(conn, mint.http1.HTTP1):
            self.run.conn, responses = self.server.deliver(conn)
        else:
            assert isinstance(conn, mint.http2.HTTP2)
            self.run.conn, responses = self.server.deliver(conn)
        return responses

    def frames(self) -> list[tuple[int, int]]:
        """Return the types and lengths of the frames that were sent, without the head."""
        return [
            (each.type, len(each.payload))
            for each in self.server.frames()
            if each.type != f.FrameType.HEADERS
        ]


def ended(waits: Waits, responses: list[mint.Response]) -> None:
    with pytest.raises(StopIteration):
        waits.send(responses)


@pytest.mark.parametrize("size", [0, 1, SMALL - 1, SMALL, SMALL + 1])
def test_small_content_leaves_with_the_head(size: int) -> None:
    hand = Hand()
    first = next(hand.exchange(bytes(size)))
    sent = sum(length for kind, length in hand.frames() if kind == f.FrameType.DATA)
    assert (first, sent) == ((Wait.RESPONSES, size) if size <= SMALL else (Wait.PIECE, 0))


@pytest.mark.parametrize("window", [99, 100, 101])
def test_content_beyond_the_window_follows_the_head(window: int) -> None:
    hand = Hand("http2", (Setting.INITIAL_WINDOW_SIZE, window))
    assert next(hand.exchange(bytes(100))) is (Wait.PIECE if window < 100 else Wait.RESPONSES)
    assert hand.run.declared is (window < 100)


@pytest.mark.parametrize("content", [None, b"", b"abc"])
@pytest.mark.parametrize("trailers", [(), (("t", "u"),)])
@pytest.mark.parametrize("headers", [(), (("Content-Length", "3"),)])
@pytest.mark.parametrize("streamed", [False, True])
def test_when_content_length_is_sent(
    content: bytes | None,
    trailers: mint.types.HeaderFields,
    headers: mint.types.HeaderPairs,
    streamed: bool,
) -> None:
    if headers and (content == b"" or not streamed):
        content = b"123"
    hand = Hand("http1")
    waits = hand.exchange(content, headers, streamed=streamed, trailers=trailers)
    first = next(waits)
    later = streamed or (content is not None and bool(trailers))
    assert first is (Wait.PIECE if later else Wait.RESPONSES)
    sent = hand.server.received().lower()
    counted = bool(headers) or (content is not None and not trailers)
    assert sent.count(b"content-length:") == counted
    assert (b"transfer-encoding: chunked" in sent) is (later and not counted)
    if later:
        assert hand.run.declared is counted


@pytest.mark.parametrize(
    ("names", "wanted", "found"),
    [
        ((), ("a",), False),
        (("A",), ("a",), True),
        (("b", "a"), ("a",), True),
        (("b",), ("a", "b"), True),
        (("ab",), ("a", "b"), False),
    ],
)
def test_a_header_is_among_the_fields(names: tuple[str, ...], wanted: tuple[str, ...], found: bool) -> None:
    assert has([(name, "x") for name in names], *wanted) is found


@pytest.mark.parametrize("window", [0, 1, 9, 10, 11])
def test_no_more_is_queued_than_the_window_allows(window: int) -> None:
    hand = Hand("http2", (Setting.INITIAL_WINDOW_SIZE, window))
    ref = hand.open()
    rest, wait = hand.run.push(ref, memoryview(b"0123456789"))
    assert bytes(rest) == b"0123456789"[window:]
    assert wait is (Wait.RESPONSES if window < 10 else Wait.LOOK)


def test_no_more_is_queued_than_the_queue_holds() -> None:
    hand = Hand("http1")
    ref = hand.open([("content-length", str(2 * QUEUE))])
    rest, wait = hand.run.push(ref, memoryview(bytes(2 * QUEUE)))
    assert wait is Wait.ROOM
    assert len(rest) == QUEUE
    assert hand.run.conn.transport.unsent == QUEUE
    assert hand.run.push(ref, rest) == (rest, Wait.ROOM), "the queue is full"
    assert len(hand.server.received()) == QUEUE
    rest, wait = hand.run.push(ref, rest)
    assert (len(rest), wait) == (0, Wait.LOOK)
    assert hand.run.push(ref, rest) == (rest, Wait.LOOK)


@pytest.mark.parametrize("room", [-1, 0, 1, 2, 3])
def test_as_much_is_passed_on_as_the_queue_has_room_for(room: int) -> None:
    hand = Hand("http1")
    ref = hand.open([("content-length", str(2 * QUEUE))])
    for size in (QUEUE, -room) if room < 0 else (QUEUE - room,):
        hand.run.conn = hand.run.conn.stream_request_body(ref, bytes(size))
    rest, wait = hand.run.push(ref, memoryview(b"ab"))
    left = 2 - max(0, min(room, 2))
    assert len(rest) == left
    assert wait is (Wait.ROOM if left else Wait.LOOK)
    assert hand.run.conn.transport.unsent == QUEUE - room + 2 - left


def test_the_maximum_length_of_a_piece() -> None:
    hand = Hand("http1")
    ref = hand.open()
    hand.run.push(ref, memoryview(bytes(PIECE + 1)))
    sent = hand.server.received()
    assert sent == b"%x\r\n%b\r\n1\r\n\x00\r\n" % (PIECE, bytes(PIECE))


def test_a_body_of_pieces_with_trailers() -> None:
    hand = Hand("http1")
    waits = sending(hand.run, hand.open(), (("t", "u"),))
    for piece in (b"abc", b"", b"de"):
        assert waits.send([]) is Wait.PIECE if piece != b"abc" else next(waits) is Wait.PIECE
        hand.run.piece = piece
        if piece:
            assert next(waits) is Wait.LOOK
    assert waits.send([]) is Wait.PIECE
    hand.run.piece = None
    assert next(waits) is Wait.LOOK
    ended(waits, [])
    assert hand.server.received() == b"3\r\nabc\r\n2\r\nde\r\n0\r\nt: u\r\n\r\n"


@pytest.mark.parametrize("when", ["before the end", "while a piece is sent"])
def test_nothing_more_is_sent_once_the_answer_is_complete(when: str) -> None:
    hand = Hand()
    waits = sending(hand.run, hand.open(), ())
    assert next(waits) is Wait.PIECE
    hand.run.piece = None if when == "before the end" else b"abc"
    assert next(waits) is Wait.LOOK
    hand.server.received()
    ended(waits, hand.deliver(f.headers(1, OK, end=True)))
    assert hand.run.over
    assert f.FrameType.DATA not in [kind for kind, _ in hand.frames()]


def test_messages_of_others_are_left_alone() -> None:
    hand = Hand()
    hand.open()
    before = hand.run.conn
    assert hand.run.feed("a message of another connection") == []
    assert hand.run.conn is before


def test_responses_of_other_requests_do_not_end_this_one() -> None:
    hand = Hand()
    ref = hand.open()
    other = mint.RequestRef(7, 5)
    hand.run.process([mint.Done(other), mint.RequestFailed(other, TransportClosed())])
    assert not hand.run.over
    assert hand.run.is_sending()
    hand.run.process([])
    hand.run.process([mint.Done(ref)])
    assert hand.run.over
    assert not hand.run.is_sending()


def test_a_failure_ends_the_request() -> None:
    hand = Hand()
    ref = hand.open()
    hand.run.process([mint.RequestFailed(ref, TransportClosed())])
    assert hand.run.over


# -- how it ends


@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_giving_up_cancels_one_request_or_closes_the_connection(protocol: str) -> None:
    hand = Hand(protocol)
    give_up(hand.run)
    assert hand.run.conn.is_open(), "nothing was sent"
    hand.open()
    give_up(hand.run)
    assert hand.run.conn.is_open() is (protocol == "http2")
    if protocol == "http2":
        assert hand.frames() == [(f.FrameType.RST_STREAM, 4)]
    give_up(hand.run)  # a second call does nothing


@pytest.mark.parametrize("protocol", ["http1", "http2"])
@pytest.mark.parametrize("declared", [None, 3, 4])
@pytest.mark.parametrize("is_ended", [False, True])
def test_settling_leaves_a_connection_that_can_be_used_or_is_closed(
    protocol: str, declared: int | None, is_ended: bool
) -> None:
    hand = Hand(protocol)
    settle(hand.run)
    assert hand.run.conn.is_open()
    ref = hand.open([] if declared is None else [("content-length", str(declared))])
    hand.run.declared = declared is not None
    hand.run.conn = hand.run.conn.stream_request_body(ref, b"abc")
    if is_ended and declared != 4:
        hand.run.conn = hand.run.conn.stream_request_body(ref, mint.Eof())
    hand.server.received()
    settle(hand.run)
    is_whole = declared == 3 or (is_ended and declared is None)
    assert hand.run.conn.is_open() is (is_whole or protocol == "http2")
    if protocol == "http2":
        assert (f.FrameType.RST_STREAM, 4) in hand.frames() or is_whole


def test_the_responses_of_an_error_are_processed() -> None:
    hand = Hand()
    ref = hand.open()
    after = hand.run.conn
    hand.run.conn = after.close()
    error = TransportClosed().marked(successor=after, responses=(mint.Status(ref, 200), mint.Done(ref)))
    recovered(hand.run, error)
    assert hand.run.conn == after
    assert hand.run.over
    assert hand.outcomes == {ref: Answer(200)}
    before = hand.run.conn
    recovered(hand.run, TransportClosed())
    assert hand.run.conn is before


@pytest.mark.parametrize("error", [None, TransportTimeout("x"), TransportClosed()])
@pytest.mark.parametrize("outcome", ["none", "answer", "failure"])
def test_the_result_is_the_answer_or_the_most_specific_error(outcome: str, error: MintError | None) -> None:
    hand = Hand()
    ref = hand.open()
    outcomes: dict[mint.RequestRef, Outcome] = {}
    failure = TransportClosed()
    hand.run.over = outcome != "none"
    if outcome == "answer":
        outcomes[ref] = Answer(200)
    elif outcome == "failure":
        outcomes[ref] = failure
    restored: list[mint.Connection] = []

    def restore(conn: mint.Connection) -> mint.Connection:
        restored.append(conn)
        return conn

    if outcome == "answer":
        assert conclude(hand.run, outcomes, error, restore) == Answer(200)
    else:
        with pytest.raises(MintError) as caught:
            conclude(hand.run, outcomes, error, restore)
        wanted = failure if outcome == "failure" else error or TransportTimeout("waiting for the response")
        assert type(caught.value) is type(wanted)
        assert caught.value.args == wanted.args
        assert caught.value.successor is hand.run.conn
        if outcome == "failure":
            assert caught.value.__cause__ is error
    assert restored == [hand.run.conn]
    assert hand.frames() == [(f.FrameType.RST_STREAM, 4)], "reset, because the body is incomplete"


@pytest.mark.parametrize("outcome", ["none", "answer", "failure"])
def test_a_connection_stays_open_if_the_request_is_over(outcome: str) -> None:
    """Whatever the outcome, nothing more is sent for a request that has ended."""
    hand = Hand("http1")
    ref = hand.open([("content-length", "3")])
    hand.run.conn = hand.run.conn.stream_request_body(ref, b"abc").stream_request_body(ref, mint.Eof())
    hand.run.over = outcome != "none"
    outcomes: dict[mint.RequestRef, Outcome] = {}
    if outcome != "none":
        outcomes[ref] = Answer(200) if outcome == "answer" else TransportClosed()
    with nullcontext() if outcome == "answer" else pytest.raises(MintError):
        conclude(hand.run, outcomes, None, lambda conn: conn)
    assert hand.run.conn.is_open() is (outcome != "none")


class Refusing:
    """A connection whose calls fail; `after` leads to the next one."""

    def __init__(self, name: str, protocol: str, after: Refusing | None, calls: list[str]) -> None:
        self.name, self.protocol, self._after, self._calls = name, protocol, after, calls
        self.error = TransportClosed()
        if after is not None:
            self.error.successor = cast("mint.Connection", after)  # it stands in for one

    def request_body_window(self, _: object) -> int:
        return 0

    def stream_request_body(self, *_: object) -> None:
        self._calls.append(f"{self.name} ends")
        raise self.error

    def cancel_request(self, _: object) -> None:
        self._calls.append(f"{self.name} cancels")
        raise self.error

    def close(self) -> str:
        self._calls.append(f"{self.name} closes")
        return f"{self.name} closed"

    def after(self, error: MintError) -> Refusing | None:
        assert error is self.error
        return self._after


@pytest.mark.parametrize("has_successor", [False, True])
@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_a_connection_that_cannot_go_on_is_closed(protocol: str, has_successor: bool) -> None:
    """It continues from the successor of an error, if there is one."""
    calls: list[str] = []
    last = Refusing("second", protocol, None, calls)
    first = Refusing("first", protocol, last if has_successor else None, calls)
    conn = cast("mint.Connection", first)  # it stands in for one
    run = Run(conn, mint.RequestRef(7, 1), lambda _: None, waits=False)
    run.declared = True
    settle(run)
    name = "second" if has_successor else "first"
    cancels = [f"{name} cancels"] if protocol == "http2" else []
    assert calls == ["first ends", *cancels, f"{name} closes"]
    assert cast("object", run.conn) == f"{name} closed"  # it stands in for one


@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_without_an_answer_a_completely_sent_request_is_cancelled(protocol: str) -> None:
    hand = Hand(protocol)
    ref = hand.open([("content-length", "3")])
    hand.run.conn = hand.run.conn.stream_request_body(ref, b"abc")
    hand.run.conn = hand.run.conn.stream_request_body(ref, mint.Eof())
    assert not hand.run.is_sending()
    assert not hand.run.over
    hand.server.received()
    with pytest.raises(TransportTimeout):
        conclude(hand.run, {}, None, lambda conn: conn)
    assert hand.run.conn.is_open() is (protocol == "http2")
    if protocol == "http2":
        assert hand.frames() == [(f.FrameType.RST_STREAM, 4)]


@pytest.mark.parametrize("waits", [False, True])
def test_output_is_not_written_at_once_if_that_may_block(waits: bool) -> None:
    conn, _ = memory.http1()
    assert Run(conn, None, lambda _: None, waits=waits).flush is not waits
