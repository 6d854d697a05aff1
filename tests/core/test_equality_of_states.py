"""States are equal if and only if they behave alike: histories that differ in one point are compared."""

from __future__ import annotations

import itertools
import struct
from typing import TYPE_CHECKING

import pytest

from mint._core.events import RequestRef
from mint._core.faults import Fault
from mint._core.http1 import State as State1
from mint._core.http2 import State as State2
from tests import http1_driver, http2_driver
from tests.http2_driver import (
    PROMISED,
    Server,
    ack,
    data,
    frame,
    goaway,
    ping,
    reset,
    settings,
    window_update,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mint._core.events import Step

Act = "Callable[[State2], Step[State2]]"


def feeding(*octets: bytes) -> list[Callable[[State2], Step[State2]]]:
    return [lambda state, part=part: state.feed(part) for part in octets]  # type: ignore[misc]  # default of a lambda


def http2(*acts: Callable[[State2], Step[State2]], push: bool = False, **limits: int) -> State2:
    mine = (("enable_push", 1),) if push else ()
    state = State2.open(http2_driver.config(mine, frozenset(), **limits)).state
    for act in acts:
        state = act(state).state
    return state


def post(state: State2) -> Step[State2]:
    return state.request("POST", "/", (), None, True)


def get(state: State2) -> Step[State2]:
    return state.request("GET", "/", (), None, False)


def ref(number: int) -> RequestRef:
    return RequestRef(7, number)


HEAD = http2_driver.frame(1, 4, 1, b"\x88")
HELLO = settings()
TOLD = [*feeding(HELLO)]
OPEN = [*TOLD, post]
ANSWERED = [*OPEN, *feeding(HEAD)]

HTTP2: dict[str, Callable[[], State2]] = {
    "opened": http2,
    "other limits": lambda: http2(max_fields=9),
    "settings came": lambda: http2(*TOLD),
    "settings said": lambda: http2(*feeding(settings((3, 7)))),
    "frame size said": lambda: http2(*feeding(settings((5, 20_000)))),
    "list size said": lambda: http2(*feeding(settings((6, 20_000)))),
    "connect allowed": lambda: http2(*feeding(settings((8, 1)))),
    "table size said": lambda: http2(*feeding(settings((1, 100)))),
    "initial window said": lambda: http2(*feeding(settings((4, 70_000)))),
    "own acknowledged": lambda: http2(*feeding(HELLO, ack())),
    "own under way": lambda: http2(*feeding(HELLO), lambda s: s.put_settings((("initial_window_size", 9),))),
    "other own under way": lambda: http2(
        *feeding(HELLO), lambda s: s.put_settings((("initial_window_size", 8),))
    ),
    "ping unanswered": lambda: http2(*TOLD, lambda s: s.ping(b"12345678")),
    "other ping unanswered": lambda: http2(*TOLD, lambda s: s.ping(b"12345679")),
    "ping answered": lambda: http2(*TOLD, lambda s: s.ping(b"12345678"), *feeding(ping(flags=1))),
    "two pings": lambda: http2(*TOLD, lambda s: s.ping(b"12345678"), lambda s: s.ping(b"12345678")),
    "answer owed": lambda: http2(*feeding(HELLO, ping())),
    "connection credit": lambda: http2(*feeding(HELLO, window_update(0, 5))),
    "post": lambda: http2(*OPEN),
    "get": lambda: http2(*TOLD, get),
    "head": lambda: http2(*TOLD, lambda s: s.request("HEAD", "/", (), None, False)),
    "two gets": lambda: http2(*TOLD, get, get),
    "post declared": lambda: http2(
        *TOLD, lambda s: s.request("POST", "/", (("content-length", "5"),), None, True)
    ),
    "post ended": lambda: http2(*OPEN, lambda s: s.end_body(ref(1), ())),
    "post sent": lambda: http2(*OPEN, lambda s: s.stream_body(ref(1), b"x")),
    "post cancelled": lambda: http2(*OPEN, lambda s: s.cancel(ref(1))),
    "post credit": lambda: http2(*OPEN, *feeding(window_update(1, 5))),
    "post held": lambda: http2(*OPEN, lambda s: s.set_refill(ref(1), False)),
    "post enlarged": lambda: http2(*OPEN, lambda s: s.set_receive_window(ref(1), 5_000_000)),
    "enlarged": lambda: http2(*OPEN, lambda s: s.set_receive_window(None, 20_000_000)),
    "encoder used": lambda: http2(*TOLD, lambda s: s.request("POST", "/", (("x", "y"),), None, True)),
    "interim": lambda: http2(*OPEN, *feeding(frame(1, 4, 1, b"\x08\x03103"))),
    "two interims": lambda: http2(
        *OPEN, *feeding(frame(1, 4, 1, b"\x08\x03103"), frame(1, 4, 1, b"\x08\x03103"))
    ),
    "larger interim": lambda: http2(*OPEN, *feeding(frame(1, 4, 1, b"\x08\x03103\x00\x01a\x01b"))),
    "answered": lambda: http2(*ANSWERED),
    "answered with a table": lambda: http2(*OPEN, *feeding(frame(1, 4, 1, b"\x88\x40\x01a\x01b"))),
    "answered with a length": lambda: http2(*OPEN, *feeding(frame(1, 4, 1, b"\x88\x0f\x0d\x015"))),
    "content": lambda: http2(*ANSWERED, *feeding(data(1, b"x"))),
    "more content": lambda: http2(*ANSWERED, *feeding(data(1, b"xx"))),
    "response ended": lambda: http2(*TOLD, get, *feeding(frame(1, 5, 1, b"\x88"))),
    "going away": lambda: http2(*OPEN, *feeding(goaway(1))),
    "going away later": lambda: http2(*OPEN, *feeding(goaway(5))),
    "going away with an error": lambda: http2(*OPEN, *feeding(goaway(1, 2))),
    "over": lambda: http2(*TOLD, lambda s: s.close()),
    "part of a header": lambda: http2(*TOLD, *feeding(ping()[:4])),
    "more of a header": lambda: http2(*TOLD, *feeding(ping()[:5])),
    "part of another header": lambda: http2(*TOLD, *feeding(ping(flags=1)[:5])),
    "part of a payload": lambda: http2(*TOLD, *feeding(ping()[:12])),
    "part of another payload": lambda: http2(*TOLD, *feeding(ping(b"abcdefgh")[:12])),
    "part of content": lambda: http2(*ANSWERED, *feeding(data(1, b"xyz")[:10])),
    "part of content to the end": lambda: http2(*ANSWERED, *feeding(data(1, b"xyz", end=True)[:10])),
    "at a pad length": lambda: http2(*ANSWERED, *feeding(data(1, b"xyz", padding=2)[:9])),
    "before padding": lambda: http2(*ANSWERED, *feeding(data(1, b"x", padding=2)[:11])),
    "within padding": lambda: http2(*ANSWERED, *feeding(data(1, b"x", padding=2)[:12])),
    "within more padding": lambda: http2(*ANSWERED, *feeding(data(1, b"x", padding=3)[:12])),
    "in a block": lambda: http2(*OPEN, *feeding(frame(1, 0, 1, b"\x88"))),
    "in a block to the end": lambda: http2(*OPEN, *feeding(frame(1, 1, 1, b"\x88"))),
    "in another block": lambda: http2(*OPEN, *feeding(frame(1, 0, 1, b"\x89"))),
    "further in a block": lambda: http2(*OPEN, *feeding(frame(1, 0, 1, b"\x88"), frame(9, 0, 1, b""))),
    "in a block of another": lambda: http2(*OPEN, get, *feeding(frame(1, 0, 3, b"\x88"))),
    "skipping": lambda: http2(*TOLD, *feeding(frame(77, 0, 0, b"12345")[:11])),
}
BLOCK = Server().block(PROMISED)
PUSHED: dict[str, Callable[[], State2]] = {
    "promised": lambda: http2(*OPEN, *feeding(frame(5, 4, 1, struct.pack(">I", 2) + BLOCK)), push=True),
    "promised another": lambda: http2(
        *OPEN, *feeding(frame(5, 4, 1, struct.pack(">I", 4) + BLOCK)), push=True
    ),
    "in a promise": lambda: http2(*OPEN, *feeding(frame(5, 0, 1, struct.pack(">I", 2) + BLOCK)), push=True),
    "in a promise of another": lambda: http2(
        *OPEN, *feeding(frame(5, 0, 1, struct.pack(">I", 4) + BLOCK)), push=True
    ),
    "push refused": lambda: http2(
        *OPEN,
        *feeding(frame(5, 4, 1, struct.pack(">I", 2) + BLOCK)),
        lambda s: s.cancel(ref(2)),
        push=True,
    ),
    "push answered": lambda: http2(
        *OPEN, *feeding(frame(5, 4, 1, struct.pack(">I", 2) + BLOCK), frame(1, 4, 2, b"\x88")), push=True
    ),
}


def http1(
    *octets: bytes,
    methods: Sequence[str] = ("GET",),
    limits: int = 512,
    streaming: bool = False,
    **more: object,
) -> State1:
    headers = more.get("headers", ())
    assert isinstance(headers, tuple)
    state = State1(http1_driver.config(max_fields=limits))
    for method in methods:
        target = "a.example:1" if method == "CONNECT" else "/"
        state = state.request(method, target, headers, None, streaming).state
    for part in octets:
        state = state.feed(part).state
    return state


LINE = b"HTTP/1.1 200 OK\r\n"
CHUNKED = LINE + b"transfer-encoding: chunked\r\n\r\n"
HTTP1: dict[str, Callable[[], State1]] = {
    "fresh": lambda: http1(methods=()),
    "other limits": lambda: http1(methods=(), limits=9),
    "get": http1,
    "head": lambda: http1(methods=("HEAD",)),
    "connect": lambda: http1(methods=("CONNECT",)),
    "two gets": lambda: http1(methods=("GET", "GET")),
    "get and head": lambda: http1(methods=("GET", "HEAD")),
    "upgrade": lambda: http1(headers=(("upgrade", "a"),)),
    "other upgrade": lambda: http1(headers=(("upgrade", "b"),)),
    "closing": lambda: http1(headers=(("connection", "close"),)),
    "expecting": lambda: http1(methods=("POST",), streaming=True, headers=(("expect", "100-continue"),)),
    "streaming": lambda: http1(methods=("POST",), streaming=True),
    "streaming a length": lambda: http1(
        methods=("POST",), streaming=True, headers=(("content-length", "5"),)
    ),
    "streaming more": lambda: http1(methods=("POST",), streaming=True, headers=(("content-length", "6"),)),
    "part of a length": lambda: (
        http1(methods=("POST",), streaming=True, headers=(("content-length", "6"),))
        .stream_body(RequestRef(7, 1), b"x")
        .state
    ),
    "begun": lambda: http1(methods=("POST",), streaming=True).stream_body(RequestRef(7, 1), b"x").state,
    "part of a line": lambda: http1(LINE[:9]),
    "part of another line": lambda: http1(b"HTTP/1.0 "),
    "status": lambda: http1(LINE),
    "other status": lambda: http1(b"HTTP/1.1 201 OK\r\n"),
    "old status": lambda: http1(b"HTTP/1.0 200 OK\r\n"),
    "field": lambda: http1(LINE + b"a: b\r\n"),
    "other field": lambda: http1(LINE + b"a: c\r\n"),
    "framing field": lambda: http1(LINE + b"content-length: 5\r\n"),
    "other framing field": lambda: http1(LINE + b"content-length: 6\r\n"),
    "close field": lambda: http1(LINE + b"connection: close\r\n"),
    "keep field": lambda: http1(LINE + b"connection: keep-alive\r\n"),
    "part of a field": lambda: http1(LINE + b"a: b"),
    "part of another field": lambda: http1(LINE + b"a: c"),
    "folded": lambda: http1(LINE + b"a: b\r\n c\r\n"),
    "interim": lambda: http1(b"HTTP/1.1 103 x\r\n\r\n"),
    "longer interim": lambda: http1(b"HTTP/1.1 103 xy\r\n\r\n"),
    "two interims": lambda: http1(b"HTTP/1.1 103 x\r\n\r\n" * 2),
    "content": lambda: http1(LINE + b"content-length: 5\r\n\r\n"),
    "less content": lambda: http1(LINE + b"content-length: 5\r\n\r\nx"),
    "until close": lambda: http1(LINE + b"\r\n"),
    "chunks": lambda: http1(CHUNKED),
    "chunk line": lambda: http1(CHUNKED + b"5"),
    "chunk": lambda: http1(CHUNKED + b"5\r\n"),
    "part of a chunk": lambda: http1(CHUNKED + b"5\r\nx"),
    "end of a chunk": lambda: http1(CHUNKED + b"5\r\nhello"),
    "CR of a chunk": lambda: http1(CHUNKED + b"5\r\nhello\r"),
    "excess of a chunk": lambda: http1(CHUNKED + b"1;" + b"x" * 99 + b"\r\n"),
    "more excess": lambda: http1(CHUNKED + b"1;" + b"x" * 100 + b"\r\n"),
    "trailers": lambda: http1(CHUNKED + b"0\r\n"),
    "trailer": lambda: http1(CHUNKED + b"0\r\na: b\r\n"),
    "tunnel": lambda: http1(LINE + b"\r\n", methods=("CONNECT",)),
    "first of two answered": lambda: http1(LINE + b"content-length: 0\r\n\r\n", methods=("GET", "HEAD")),
    "closed": lambda: http1().close().state,
    "answered": lambda: http1(LINE + b"content-length: 0\r\n\r\n"),
    "answered by an old server": lambda: http1(
        b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n"
    ),
}


@pytest.mark.parametrize("name", [*HTTP2, *PUSHED])
def test_http2_states_of_one_history_are_equal(name: str) -> None:
    make = {**HTTP2, **PUSHED}[name]
    assert make() == make()
    assert not make() != make()  # noqa: SIM202  # both operators


def test_a_reset_and_an_end_of_a_stream_leave_equal_states() -> None:
    """Resets of requests are not counted, so later behaviour is the same in both cases."""
    assert http2(*OPEN, *feeding(reset(1))) == http2(*TOLD, get, *feeding(frame(1, 5, 1, b"\x88")))


def test_http2_states_of_different_histories_differ() -> None:
    made = {name: make() for name, make in (*HTTP2.items(), *PUSHED.items())}
    equal = [(one, two) for one, two in itertools.combinations(made, 2) if made[one] == made[two]]
    assert equal == []
    assert all(state != object() for state in made.values())


@pytest.mark.parametrize("name", HTTP1)
def test_http1_states_of_one_history_are_equal(name: str) -> None:
    assert HTTP1[name]() == HTTP1[name]()


def test_http1_states_of_different_histories_differ() -> None:
    made = {name: make() for name, make in HTTP1.items()}
    equal = [(one, two) for one, two in itertools.combinations(made, 2) if made[one] == made[two]]
    assert equal == []


def test_how_a_state_was_reached_does_not_count() -> None:
    """Counters of work and buffers of input that was read are not compared."""
    octets = HELLO + ping() + window_update(0, 5)
    whole = http2(*feeding(octets))
    single = http2(*feeding(*[octets[i : i + 1] for i in range(len(octets))]))
    assert whole == single
    assert http2(*OPEN, *feeding(frame(1, 0, 1, b""), frame(9, 4, 1, b"\x88"))) == http2(
        *OPEN, *feeding(frame(1, 0, 1, b"") + frame(9, 4, 1, b"\x88"))
    )


def test_output_that_was_written_does_not_count() -> None:
    """Once nothing waits, it does not matter how much was written, and in which order."""
    asked = [*TOLD, *feeding(ping())]
    before = http2(*asked, get).flushed()
    after = get(http2(*asked).flushed()).state
    assert before == after
    assert before == get(http2(*asked).left(16).flushed()).state


# What leaves nothing behind once the connection has ended, after `OPEN` and another request.
FLEETING: dict[str, list[Callable[[State2], Step[State2]]]] = {
    "part of a header": feeding(ping()[:4]),
    "part of a payload": feeding(ping()[:12]),
    "part of content": feeding(HEAD, data(1, b"xyz", padding=2)[:11]),
    "at a pad length": feeding(HEAD, data(1, b"xyz", padding=2)[:9]),
    "skipped": feeding(frame(77, 0, 0, b"12345")[:11]),
    "a block to the end": feeding(frame(1, 1, 1, b"\x88")),
    "a block in several frames": feeding(
        frame(1, 1, 1, b"\x88"), frame(9, 0, 1, b""), frame(9, 0, 1, b"\x88")
    ),
    "a reply": feeding(ping()),
    "useless frames": feeding(frame(77, 0, 0) * 200),
    "an interim head": feeding(frame(1, 4, 1, b"\x08\x03103")),
    "an answer": feeding(frame(1, 4, 1, b"\x88")),
    "a reset": feeding(reset(1)),
    "a malformed response": feeding(frame(1, 4, 1, b"\x00\x01a\x01b")),
}


@pytest.mark.parametrize("name", FLEETING)
def test_of_what_was_under_way_nothing_is_left_after_the_end(name: str) -> None:
    before = [*OPEN, get]
    state = http2(*before, *FLEETING[name])
    ended = http2(*before).close().state
    assert state.close().state == ended
    assert state.at(0).close().state == ended
    lost = Fault("transport_closed")
    assert state.lose(lost).state == http2(*before).lose(lost).state


def test_what_promises_could_still_cost_is_forgotten_at_the_end() -> None:
    """The more octets arrive, the more cookies of promises are joined."""
    before = [*OPEN, *feeding(frame(5, 4, 1, struct.pack(">I", 2) + BLOCK))]
    state = http2(*before, *feeding(frame(77, 0, 0, b"12345")), push=True)
    assert state.close().state == http2(*before, push=True).close().state


def test_which_useless_frame_was_one_too_many_does_not_count() -> None:
    """The last one is not answered any more."""
    ends: list[State2] = []
    for last in (ping(), settings(), frame(2, 0, 1, b"\0\0\0\0\1"), frame(77, 0, 0), ping(flags=1)):
        state = http2(*OPEN, *feeding(frame(77, 0, 0) * 3), max_glitches=3).at(0)
        step = state.feed(last)
        assert step.fault is not None
        assert step.fault.name == "max_glitches"
        ends.append(step.state)
    assert all(end == ends[0] for end in ends)


def test_a_lost_connection_equals_a_lost_connection() -> None:
    broken = Fault("transport_closed")
    assert http2(*OPEN, lambda s: s.lose(broken)) == http2(*OPEN, lambda s: s.lose(broken))


@pytest.mark.parametrize(("first", "later"), [(0, 1), (0, 5), (1, 3), (3, 1 << 30)])
def test_a_later_goaway_does_not_allow_more_streams(first: int, later: int) -> None:
    waiting = [*TOLD, get, get, lambda s: s.ping(b"12345678")]
    assert http2(*waiting, *feeding(goaway(first), goaway(later))) == http2(
        *waiting, *feeding(goaway(first), goaway(first))
    )


@pytest.mark.parametrize("part", [frame(0, 0, 1, bytes(100))[:50], frame(1, 4, 1, b"\x88" * 20)[:15]])
def test_what_ran_before_does_not_change_a_state_inside_a_frame(part: bytes) -> None:
    # A frame header is copied from the stack into the state: padding in it would be what the call before has
    # left there, and the comparison would see it.
    start = http2(*feeding(settings()), get, *feeding(frame(1, 4, 1, b"\x88")))
    for before in (b"", ping(b"12345678"), frame(0x77, 255, 3, b"\xff" * 300)):
        whole = start.feed(before + part).state
        assert whole == start.feed(before).state.feed(part).state
        assert whole == start.feed(before + part[:4]).state.feed(part[4:]).state
