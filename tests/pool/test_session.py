"""One connection of a pool, called directly: each limit at its exact value and beyond it."""

from __future__ import annotations

import dataclasses
import select
import socket
import threading

import pytest

import mint
from mint.errors import ContentLengthMismatch, TransportClosed, TransportTimeout
from mint.exchange import Origin
from mint.exchange._procedure import PIECE, QUEUE
from mint.pool import PoolOptions
from mint.pool._policy import Ticket
from mint.pool._session import Session, Stream
from mint.testing import frames as f
from mint.testing import memory
from mint.testing.http2 import Setting
from mint.transport import SocketLink

ORIGIN = Origin("http", "localhost", 80)
OK = ((":status", "200"),)


class Held:
    """A session over a connection in memory, with its server and a count of its reports."""

    def __init__(
        self, protocol: str = "http2", *values: tuple[int, int], options: PoolOptions | None = None
    ) -> None:
        self.now = 0.0
        self.reports = 0
        self.server: memory.MemoryServer
        conn: mint.Connection
        if protocol == "http2":
            conn, self.server = memory.http2(*values)
        else:
            conn, self.server = memory.http1()
        self.server.received()
        self.session = Session(1, conn, options or PoolOptions(), lambda: self.now, self._changed)

    def _changed(self, session: Session) -> None:
        assert session is self.session
        self.reports += 1

    def open(self, *, body: bytes | None = None, streamed: bool = False, length: int | None = None) -> Stream:
        events = threading.Event(), threading.Event()
        fields = [] if length is None else [("content-length", str(length))]
        ticket = Ticket(len(self.session.streams), ORIGIN)
        method = "POST" if streamed else "GET"
        return self.session.open(method, "/", fields, body, streamed=streamed, ticket=ticket, events=events)

    def deliver(self, *pieces: bytes | f.Frame) -> None:
        self.server.send(*pieces)
        conn = self.session.conn
        assert isinstance(conn, (mint.http1.HTTP1, mint.http2.HTTP2))
        if isinstance(conn, mint.http1.HTTP1):
            self.session.process(*self.server.deliver(conn))
        else:
            self.session.process(*self.server.deliver(conn))

    def kinds(self) -> list[int]:
        return [frame.type for frame in self.server.frames()]


# -- how many requests


@pytest.mark.parametrize(
    ("allowed", "own", "capacity"),
    [(None, 7, 7), (6, 7, 6), (7, 7, 7), (8, 7, 7), (0, 7, 0), (1, 1, 1)],
)
def test_the_smaller_limit_of_requests_applies(allowed: int | None, own: int, capacity: int) -> None:
    values = [] if allowed is None else [(Setting.MAX_CONCURRENT_STREAMS, allowed)]
    assert Held("http2", *values, options=PoolOptions(max_streams=own)).session.capacity == capacity


def test_http1_takes_one_request_and_is_not_shared() -> None:
    held = Held("http1", options=PoolOptions(max_streams=7))
    assert held.session.capacity == 1
    assert not held.session.is_shared
    assert Held().session.is_shared


def test_what_a_session_reports_to_the_pool() -> None:
    held = Held()
    one, two = held.open(), held.open()
    held.deliver(f.headers(1, OK), f.data(1, b"x"))
    assert held.reports == 0, "nothing has ended or changed"
    held.deliver(f.data(1, b"y", end=True))
    assert (held.reports, list(held.session.released)) == (1, [one.ticket])
    held.session.released.clear()
    held.deliver(f.settings((Setting.MAX_CONCURRENT_STREAMS, 5)))
    assert (held.reports, held.session.capacity) == (2, 5)
    held.deliver(f.settings((Setting.MAX_CONCURRENT_STREAMS, 5)))
    assert held.reports == 2
    held.deliver(f.goaway(3))
    assert (held.reports, held.session.is_draining, held.session.is_lost) == (3, True, False)
    held.deliver(f.headers(3, OK))
    assert held.reports == 3
    assert two.has_head
    held.session.lose()
    assert (held.reports, held.session.is_lost) == (4, True)
    held.session.lose()
    assert held.reports == 4


def test_a_connection_that_is_retired_serves_the_requests_that_it_has() -> None:
    held = Held()
    one = held.open()
    held.session.retire()
    assert (held.session.is_draining, held.session.is_lost, held.reports) == (True, False, 1)
    held.deliver(f.headers(1, OK, end=True))
    assert one.ended
    assert one.error is None
    unused = Held()
    unused.session.retire()
    assert (unused.session.is_lost, unused.reports) == (True, 1)


# -- responses


def test_every_part_of_a_response_arrives_at_its_request() -> None:
    held = Held()
    one, two = held.open(), held.open()
    held.deliver(f.headers(3, ((":status", "103"), ("link", "x"))), f.headers(3, (*OK, ("a", "b"))))
    held.deliver(f.data(3, b"con"), f.data(3, b"tent"), f.headers(3, (("t", "u"),), end=True))
    assert (two.status, two.headers, two.trailers) == (200, (("a", "b"),), (("t", "u"),))
    assert [(each.status, each.headers) for each in two.interim] == [(103, (("link", "x"),))]
    assert (two.has_head, two.ended, two.error, two.buffered) == (True, True, None, 7)
    assert (two.take(), two.buffered, two.take(), two.buffered, two.take()) == (b"con", 4, b"tent", 0, None)
    assert (one.status, one.has_head, one.ended, one.has_news) == (0, False, False, False)
    assert two.event.is_set()
    assert two.sender.is_set()
    assert not one.event.is_set()
    assert not one.sender.is_set()
    assert list(held.session.streams) == [one.ref]


def test_a_request_has_an_event_for_each_of_two_calls() -> None:
    held = Held()
    events = threading.Event(), threading.Event()
    ticket = Ticket(1, ORIGIN)
    one = held.session.open("GET", "/", [], None, streamed=False, ticket=ticket, events=events)
    assert one.event is events[0]
    assert one.sender is events[1]
    assert one.ticket is ticket
    assert (one.method, one.streamed, one.declared, one.started_source) == ("GET", False, False, False)
    two = held.open(streamed=True, length=3)
    assert (two.method, two.streamed, two.declared) == ("POST", True, True)


def test_which_streams_have_news() -> None:
    held = Held()
    one = held.open()
    held.deliver(f.headers(1, OK))
    assert not one.has_news, "only content and the end count as news"
    held.deliver(f.data(1, b"x"))
    assert one.has_news
    assert one.take() == b"x"
    assert not one.has_news
    held.deliver(f.data(1, b"", end=True))
    assert one.has_news


def test_a_piece_that_is_put_back_is_taken_again_once() -> None:
    held = Held()
    one = held.open()
    held.deliver(f.headers(1, OK), f.data(1, b"abc"), f.data(1, b"de"))
    for _ in range(2):
        assert one.take() == b"abc"
        for _ in range(2):
            one.put_back()
            assert (list(one.pieces), one.buffered) == ([b"abc", b"de"], 5)


def test_the_first_failure_is_the_outcome() -> None:
    held = Held()
    one = held.open()
    first, second = TransportClosed(), TransportTimeout("reading")
    one.fail(first)
    one.fail(second)
    assert one.error is first
    two = held.open()
    held.deliver(f.headers(3, OK, end=True))
    two.fail(second)
    assert two.error is None


@pytest.mark.parametrize("beyond", [False, True])
def test_the_window_is_not_refilled_beyond_the_buffer_size(beyond: bool) -> None:
    size = 40_000
    held = Held(options=PoolOptions(buffer_size=size))
    one = held.open()
    held.deliver(
        f.headers(1, OK), f.data(1, bytes(10_000)), f.data(1, bytes(10_000)), f.data(1, bytes(10_000))
    )
    held.deliver(f.data(1, bytes(10_000 + beyond)))
    assert one.is_paused is beyond


@pytest.mark.parametrize("left", [10, 11])
def test_the_window_is_refilled_once_half_is_read(left: int) -> None:
    held = Held(options=PoolOptions(buffer_size=20))
    one = held.open()
    held.deliver(f.headers(1, OK), f.data(1, bytes(21 - left)), f.data(1, bytes(left)))
    assert one.is_paused
    one.take()
    assert one.is_paused is (left == 11)


def test_when_the_window_is_refilled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    changes: list[bool] = []
    monkeypatch.setattr(Session, "_set_refill", lambda _, __, *, refill: changes.append(refill))
    held = Held(options=PoolOptions(buffer_size=20))
    one = held.open()
    held.deliver(f.headers(1, OK), f.data(1, bytes(20)))
    assert changes == []
    held.deliver(f.data(1, bytes(1)), f.data(1, bytes(1)))
    assert changes == [False]
    one.take()
    assert changes == [False, True]
    one.take()
    assert changes == [False, True]


def test_responses_to_unknown_requests_change_nothing() -> None:
    held = Held()
    one = held.open()
    nobody = mint.RequestRef(17, 17)
    held.session.process(held.session.conn, [mint.Status(nobody, 200), mint.Done(nobody)])
    assert (one.status, one.ended, held.reports) == (0, False, 0)


def test_content_that_is_read_at_once_never_pauses_the_stream() -> None:
    held = Held(options=PoolOptions(buffer_size=20))
    one = held.open()
    held.deliver(f.headers(1, OK), f.data(1, bytes(20)))
    one.take()
    assert not one.is_paused


# -- sending


def test_how_much_is_queued_at_once() -> None:
    held = Held("http2", (Setting.INITIAL_WINDOW_SIZE, 2**31 - 1))
    held.deliver(f.window_update(0, 2**31 - 1 - 65_535))
    one = held.open(streamed=True)
    rest = memoryview(bytes(3 * QUEUE))
    rest, is_full = held.session.push(one, rest)
    assert is_full
    assert held.session.is_full
    sent = 3 * QUEUE - len(rest)
    assert QUEUE - PIECE < sent <= QUEUE + 4_096
    held.server.received()
    rest, is_full = held.session.push(one, rest)
    assert is_full
    assert len(rest) < 3 * QUEUE - sent


def test_the_queue_is_full_above_its_limit_only() -> None:
    held = Held("http1")
    held.open(streamed=True, length=100)
    unsent = held.session.conn.transport.unsent
    for limit, is_full in ((unsent - 1, True), (unsent, False), (unsent + 1, False)):
        held.session.most_queued = limit
        assert held.session.is_full is is_full


def test_what_the_system_takes_before_it_reports_room() -> None:
    """Linux reports a socket as writable only once a large part of its buffer is empty."""
    near, far = socket.socketpair()
    with far:
        link = SocketLink(near, mint.TCPOptions())
        conn = mint.http1.initiate(link, scheme="http", hostname="localhost")
        held = Held("http1")
        held.session = session = Session(1, conn, PoolOptions(), lambda: 0.0, held._changed)
        one = held.open(streamed=True, length=1 << 30)
        while not session.is_full:
            session.push(one, memoryview(bytes(PIECE)))
        queued = session.queued
        assert not session.has_written(queued, at_once=False)
        assert not session.has_written(queued, at_once=True)
        far.recv(65_536)
        poll = select.poll()
        poll.register(near, select.POLLOUT)
        assert not poll.poll(0)
        assert not session.has_written(queued, at_once=False)
        assert session.has_written(queued, at_once=True)
        assert session.has_written(queued, at_once=False)
        session.lose()


@pytest.mark.parametrize("window", [0, 1, 9, 10, 11])
def test_a_window_limits_what_is_sent(window: int) -> None:
    held = Held("http2", (Setting.INITIAL_WINDOW_SIZE, window))
    one = held.open(streamed=True)
    rest, is_full = held.session.push(one, memoryview(b"0123456789"))
    assert not is_full
    assert bytes(rest) == b"0123456789"[window:]
    sent = [frame.payload for frame in held.server.frames() if frame.type == f.FrameType.DATA]
    assert b"".join(sent) == b"0123456789"[:window]


def test_which_requests_have_body_left_to_send() -> None:
    held = Held()
    whole, open_one, ended = held.open(), held.open(streamed=True), held.open(streamed=True)
    assert [each.wants_body for each in (whole, open_one, ended)] == [False, True, True]
    assert held.session.is_sending
    held.session.end_body(ended, ())
    assert [each.wants_body for each in (whole, open_one, ended)] == [False, True, False]
    assert held.session.is_sending
    held.session.end_body(open_one, ())
    assert not held.session.is_sending


@pytest.mark.parametrize("protocol", ["http1", "http2"])
@pytest.mark.parametrize("declared", [None, 3, 4])
@pytest.mark.parametrize("streamed", [False, True])
def test_an_answer_before_the_end_of_the_body(protocol: str, declared: int | None, streamed: bool) -> None:
    """Over HTTP/1 the connection is closed, unless the declared length was sent completely."""
    if declared is not None and not streamed:
        declared = 0
    held = Held(protocol)
    one = held.open(streamed=streamed, length=declared)
    if streamed:
        held.session.push(one, memoryview(b"abc"))
    if protocol == "http1":
        held.deliver(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    else:
        held.deliver(f.headers(1, OK, end=True))
    assert one.ended
    assert one.error is None
    assert not one.wants_body
    stays = protocol == "http2" or not streamed or declared == 3
    assert held.session.is_lost is not stays
    assert not held.session.streams
    # The ticket is released also if the connection is lost.
    assert list(held.session.released) == [one.ticket]


def test_a_body_that_ends_after_its_answer() -> None:
    held = Held("http2")
    one = held.open(streamed=True)
    held.deliver(f.headers(1, OK))
    held.session.end_body(one, (("t", "u"),))
    assert held.kinds()[-1] == f.FrameType.HEADERS
    held.deliver(f.data(1, b"", end=True))
    assert list(held.session.released) == [one.ticket]


@pytest.mark.parametrize("declared", [None, 3])
def test_a_connection_whose_request_was_sent_completely_stays(declared: int | None) -> None:
    held = Held("http1")
    one = held.open(streamed=True, length=declared)
    rest, is_full = held.session.push(one, memoryview(b"abc"))
    assert not rest
    assert not is_full
    held.session.end_body(one, ())
    held.deliver(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    assert one.ended
    assert not held.session.is_lost
    assert list(held.session.released) == [one.ticket]
    assert held.open().ref != one.ref


@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_a_body_that_is_not_as_long_as_declared(protocol: str) -> None:
    held = Held(protocol)
    one = held.open(streamed=True, length=2)
    with pytest.raises(ContentLengthMismatch):
        held.session.push(one, memoryview(b"abc"))
    assert not one.ended
    held.session.push(one, memoryview(b"a"))
    with pytest.raises(ContentLengthMismatch):
        held.session.end_body(one, ())
    assert not one.ended
    assert not held.session.is_lost
    held.session.push(one, memoryview(b"b"))
    held.session.end_body(one, ())
    assert not one.wants_body


# -- cancelling


@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_cancelling(protocol: str) -> None:
    held = Held(protocol)
    one = held.open(streamed=True)
    held.server.received()
    held.session.cancel(one)
    assert one.event.is_set()
    assert one.sender.is_set()
    assert one.ended
    assert isinstance(one.error, TransportClosed)
    assert held.session.is_lost is (protocol == "http1")
    assert list(held.session.released) == [one.ticket]
    assert held.reports >= 1
    if protocol == "http2":
        assert held.kinds() == [f.FrameType.RST_STREAM]
    reports = held.reports
    held.session.cancel(one)
    assert (held.reports, len(held.session.released)) == (reports, 1)


def test_the_request_of_a_ticket() -> None:
    held = Held()
    one, two = held.open(), held.open()
    assert held.session.stream_of(one.ticket) is one
    assert held.session.stream_of(two.ticket) is two
    held.deliver(f.headers(1, OK, end=True))
    assert held.session.stream_of(one.ticket) is None
    assert held.session.stream_of(Ticket(9, ORIGIN)) is None


def test_the_end_of_a_connection_reaches_everyone() -> None:
    held = Held()
    one, two = held.open(), held.open()
    reader, parked, blocked = (threading.Event() for _ in range(3))
    held.session.reader = reader
    held.session.parked[parked] = None
    held.session.blocked.add(blocked)
    error = TransportTimeout("reading")
    held.session.lose(error)
    assert all(event.is_set() for event in (reader, parked, blocked))
    assert one.error is error
    assert two.error is error
    assert not held.session.streams
    assert not held.session.conn.is_open("read")


# -- who reads


def test_when_the_reader_leaves_another_waiter_is_woken() -> None:
    held = Held()
    reader, parked, later, blocked = (threading.Event() for _ in range(4))
    events = reader, parked, later, blocked
    held.session.reader = reader
    held.session.parked.update({parked: None, later: None})
    held.session.blocked.add(blocked)
    held.session.leave([threading.Event()])
    assert not any(event.is_set() for event in events)
    held.session.leave([reader])
    assert held.session.reader is None
    assert [event.is_set() for event in events] == [False, True, False, False]
    parked.clear()
    held.session.leave([parked])
    assert [event.is_set() for event in events] == [False, False, True, False]
    later.clear()
    held.session.leave([later])
    assert [event.is_set() for event in events] == [False, False, False, True]
    blocked.clear()
    held.session.leave([blocked])
    assert not any(event.is_set() for event in events)
    assert not held.session.parked
    assert not held.session.blocked


def test_waiting_senders_are_woken_by_any_frame() -> None:
    held = Held()
    blocked = threading.Event()
    held.session.blocked.add(blocked)
    held.deliver(f.window_update(0, 1))
    assert blocked.is_set()


# -- keeping alive

PINGS = PoolOptions(ping_interval=5, ping_timeout=10)


def test_when_a_ping_is_due() -> None:
    held = Held(options=PINGS)
    assert held.session.next_ping() == 5
    held.now = 4.75
    held.session.ping()
    assert (held.session.is_pinging, held.kinds()) == (False, [])
    held.now = 5
    held.session.ping()
    assert (held.session.is_pinging, held.kinds()) == (True, [f.FrameType.PING])
    assert held.session.next_ping() == 15
    held.now = 14.75
    held.session.ping()
    assert not held.session.is_lost
    held.now = 15
    held.session.ping()
    assert held.session.is_lost


def test_the_answer_to_a_ping_ends_the_wait() -> None:
    held = Held(options=PINGS)
    held.now = 5
    held.session.ping()
    held.now = 6
    held.deliver(f.ping(b"not mine", ack=False))
    assert held.session.is_pinging
    assert held.session.next_ping() == 16, "any frame shows that the server is alive"
    [question] = [each for each in held.server.frames() if each.type == f.FrameType.PING and not each.flags]
    held.now = 7
    held.deliver(dataclasses.replace(question, flags=1))
    assert not held.session.is_pinging
    assert held.session.next_ping() == 12


def test_only_the_answer_to_the_last_ping_counts() -> None:
    held = Held(options=PINGS)
    held.session.conn, _ = held.session.conn.ping()  # type: ignore[union-attr]  # it is HTTP/2
    held.now = 5
    held.session.ping()
    first, second = [each for each in held.server.frames() if each.type == f.FrameType.PING]
    held.deliver(dataclasses.replace(first, flags=1))
    assert held.session.is_pinging
    held.deliver(dataclasses.replace(second, flags=1))
    assert not held.session.is_pinging


@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_which_connections_are_never_pinged(protocol: str) -> None:
    options = PINGS if protocol == "http1" else dataclasses.replace(PINGS, ping_interval=None)
    held = Held(protocol, options=options)
    assert held.session.next_ping() is None
    held.now = 1e9
    held.session.ping()
    assert not held.session.is_pinging
    assert not held.session.is_lost
    assert held.server.received() == b""


# -- whether more of a body is wanted


@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_no_more_of_a_body_is_wanted_after_the_end_of_its_answer(protocol: str) -> None:
    held = Held(protocol)
    stream = held.open(streamed=True)
    assert stream.wants_body
    head = f.headers(1, OK) if protocol == "http2" else b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n"
    held.deliver(head)
    assert stream.wants_body, "a server may read the whole body before it completes its answer"
    held.deliver(f.data(1, b"x", end=True) if protocol == "http2" else b"x")
    assert stream.ended
    assert not stream.wants_body


@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_no_more_of_a_body_is_wanted_after_its_end(protocol: str) -> None:
    held = Held(protocol)
    stream = held.open(streamed=True)
    held.session.end_body(stream, ())
    assert not stream.wants_body
    assert not stream.ended


@pytest.mark.parametrize("body", [None, b"x"])
@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_no_more_of_a_body_is_wanted_if_it_went_with_the_head(protocol: str, body: bytes | None) -> None:
    stream = Held(protocol).open(body=body)
    stream.streamed = False
    assert not stream.wants_body
