"""The order of responses in one read, and the order in which the two directions of a tunnel may end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mint._core.events import CLOSE, KEEP, SHUT_WRITE, Data, Done, Pong
from mint._core.http1 import State as State1
from mint._core.streams import Table
from tests import http1_driver, http2_driver
from tests.http2_driver import (
    Conversation,
    data,
    fed,
    frame,
    kinds,
    merged,
    opened,
    ping,
    settings,
    window_update,
)
from tests.refs import ref_of

if TYPE_CHECKING:
    from mint._core.events import RequestRef

HEAD = frame(1, 4, 1, b"\x88")


def with_ping() -> Conversation:
    talk = opened()
    talk.request()
    talk.take(talk.state.ping(b"12345678"))
    talk.drop()
    return talk


OTHERS = {
    "a ping's answer": (ping(b"12345678", flags=1), "pong:-1"),
    "another stream's end": (frame(1, 5, 3, b"\x88"), "done:3"),
}


def test_data_before_and_after_a_pong_keeps_its_place() -> None:
    octets = HEAD + data(1, b"one") + ping(b"12345678", flags=1) + data(1, b"two")
    talk = with_ping()
    talk.feed(octets)
    assert kinds(talk.events) == ["status:1", "headers:1", "data:1", "pong:-1", "data:1"]
    assert [event.data for event in talk.events if isinstance(event, Data)] == [b"one", b"two"]
    assert isinstance(talk.events[3], Pong)


@pytest.mark.parametrize(
    "between",
    [
        ping(b"12345678", flags=1),
        ping(b"from you"),
        settings((4, 9)),
        window_update(0, 5),
        window_update(1, 5),
        frame(77, 0, 1, b"x"),
        data(1, b""),
        frame(2, 0, 1, bytes(5)),
        ping(b"12345678", flags=1) + data(1, b"mid") + ping(b"from you") + settings(),
    ],
    ids=["pong", "ping", "settings", "window", "stream window", "unknown", "empty", "priority", "several"],
)
def test_frames_between_pieces_of_content_are_reported_alike_in_every_split(between: bytes) -> None:
    octets = HEAD + data(1, b"one") + between + data(1, b"two", end=True)
    state = with_ping().state
    whole = Conversation(state)
    whole.feed(octets)
    for cuts in (range(1, len(octets)), *([place] for place in range(1, len(octets)))):
        cut = fed(state, octets, cuts)
        assert merged(cut.events) == merged(whole.events)
        assert cut.sent == whole.sent
        assert cut.state == whole.state
        assert cut.faults == whole.faults == []
    content = b"".join(event.data for event in whole.events if isinstance(event, Data))
    assert content in {b"onetwo", b"onemidtwo"}


def test_data_of_two_streams_in_one_read_keeps_its_order() -> None:
    talk = opened()
    talk.request()
    talk.request()
    talk.drop()
    talk.feed(HEAD, frame(1, 4, 3, b"\x88"), data(1, b"a"), data(3, b"b"), data(1, b"c"), data(1, b"d"))
    pieces = [(event.ref.number, event.data) for event in talk.events if isinstance(event, Data)]
    assert pieces == [(1, b"a"), (3, b"b"), (1, b"cd")]


# Tunnels of HTTP/1: each direction ends once, in either order.


def tunnel() -> tuple[State1, RequestRef]:
    state = http1_driver.with_requests("CONNECT")
    step = state.feed(b"HTTP/1.1 200 OK\r\n\r\n")
    assert step.state.is_tunnel
    return step.state, ref_of(step.responses[0])


def test_a_tunnel_that_the_peer_ends_can_still_send() -> None:
    state, ref = tunnel()
    ended = state.feed_eof(True)
    assert ended.responses == [Done(ref)]
    assert (ended.end, ended.fault) == (KEEP, None)
    assert ended.state.is_tunnel
    assert not ended.state.is_open_read
    assert not ended.state.is_open_write  # for requests
    assert ended.state.body_is_open(ref)
    assert ended.state.stream_body(ref, b"on").output == (b"on",)
    # Octets that arrive now belong to no request, and change nothing.
    late = ended.state.feed(b"late")
    assert (late.state, late.responses, late.fault, late.end) == (ended.state, [], None, KEEP)
    again = ended.state.feed_eof(True)
    assert (again.state, again.responses, again.fault) == (ended.state, [], None)
    over = ended.state.end_body(ref, ())
    assert (over.end, over.responses, over.output) == (CLOSE, [], ())
    assert not over.state.is_tunnel
    assert not over.state.is_open_write
    assert over.state.feed(b"late").responses == []


def test_a_tunnel_that_the_caller_ends_can_still_receive() -> None:
    state, ref = tunnel()
    ended = state.end_body(ref, ())
    assert (ended.end, ended.responses, ended.output) == (SHUT_WRITE, [], ())
    assert ended.state.is_tunnel
    assert ended.state.is_open_read
    assert not ended.state.is_open_write
    assert not ended.state.body_is_open(ref)
    refused = ended.state.stream_body(ref, b"x")
    assert refused.fault is not None
    assert refused.state is ended.state
    assert ended.state.end_body(ref, ()).fault is not None
    more = ended.state.feed(b"more")
    assert more.responses == [Data(ref, b"more")]
    over = more.state.feed_eof(True)
    assert (over.responses, over.end, over.fault) == ([Done(ref)], CLOSE, None)
    assert not over.state.is_tunnel
    assert not over.state.is_open_read
    assert over.state.open_request_count == 0


@pytest.mark.parametrize("first", ["peer", "caller"])
def test_a_tunnel_of_http2_ends_once_both_directions_have(first: str) -> None:
    talk = opened()
    ref = talk.request("CONNECT", "a.example:1", [], None, True)
    talk.feed(HEAD)
    assert kinds(talk.events) == ["status:1", "headers:1"]
    talk.drop()
    if first == "peer":
        talk.feed(data(1, b"x", end=True))
        assert kinds(talk.events) == ["data:1", "done:1"]
        assert talk.sent == []  # the caller may still send
        assert talk.state.body_is_open(ref)
        talk.take(talk.state.stream_body(ref, b"on"))
        talk.take(talk.state.end_body(ref))
    else:
        talk.take(talk.state.end_body(ref))
        assert not talk.state.body_is_open(ref)
        assert talk.state.open_request_count == 1
        talk.feed(data(1, b"x"))
        talk.feed(data(1, b"y", end=True))
        assert kinds(talk.events) == ["data:1", "data:1", "done:1"]
    assert talk.state.open_request_count == 0
    assert not talk.state.body_is_open(ref)
    assert not talk.closed
    # Later input of the stream is answered with STREAM_CLOSED, and the connection stays open.
    talk.drop()
    talk.feed(data(1, b"late"))
    assert talk.events == []
    assert http2_driver.resets(talk) == [(1, 5)]
    talk.request()


# The work of an operation does not depend on streams that have ended.


def test_the_cost_of_an_operation_depends_only_on_open_streams() -> None:
    """In the table of a long-lived connection, an operation copies in proportion to the open streams."""
    table = Table()
    alive: list[int] = []
    most = 0
    for index in range(60_000):
        before = table.work
        table = table.added(index)
        alive.append(index)
        if len(alive) > 20:
            # remove the oldest, one in the middle, or the newest but one, alternately
            gone = alive.pop((0, 10, -2)[index % 3])
            table = table.dropped(gone)
        most = max(most, table.work - before)
    assert table.numbers() == alive
    assert most <= 8
    for index in alive:
        assert table.touched(index).work - table.work <= 5


def test_a_ref_is_in_the_step_that_gives_it() -> None:
    state = State1(http1_driver.config())
    step = state.request("GET", "/", (), None, False)
    assert step.ref is not None
    assert (step.ref.connection, step.ref.number) == (7, 1)
    copied = type(step)(step.state, step.responses, step.output, step.fault, step.ref, step.end, step.notes)
    assert copied.ref is step.ref
    assert copied.state is step.state
    assert copied.output == step.output
    assert copied.responses == step.responses
    talk = opened()
    for made in (talk.state.ping(b"12345678"), talk.state.request("GET", "/", (), None, False)):
        assert made.ref is not None
        again = type(made)(
            made.state, made.responses, made.output, made.fault, made.ref, made.end, made.notes
        )
        assert again.ref == made.ref
