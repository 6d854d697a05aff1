"""The end of a connection after GOAWAY: the server is asked whether it has read all content."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pytest

from tests.http2_driver import (
    ACK,
    GOAWAY,
    NO_ERROR,
    OK,
    PING,
    Conversation,
    assert_breach,
    assert_refused,
    data,
    fed,
    frame,
    goaway,
    kinds,
    merged,
    opened,
    ping,
    reset,
    settings,
    window_update,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from mint._core.events import RequestRef

TUNNEL = ("CONNECT", "example.org:443", (), None, True)
ASKED = [(PING, 0, 0, b"received")]


def question(talk: Conversation) -> list[tuple[int, int, int, bytes]]:
    """Return what was sent after GOAWAY had arrived, besides the client's own part of the streams."""
    return [(each.kind, each.flags, each.stream, each.payload) for each in talk.replies]


def drained(talk: Conversation) -> None:
    """Check that the connection has ended: the last frame is GOAWAY."""
    assert talk.closed
    assert not talk.state.is_open_read
    assert talk.sent[-1].kind == GOAWAY
    assert talk.sent[-1].last_and_code == (0, NO_ERROR)


def fixed(talk: Conversation, *pieces: bytes) -> RequestRef:
    return talk.request("POST", body=pieces)


def streamed(talk: Conversation, *pieces: bytes, trailers: tuple[tuple[str, str], ...] = ()) -> RequestRef:
    one = talk.request("POST", streaming=True)
    for piece in pieces:
        talk.take(talk.state.stream_body(one, piece))
    talk.take(talk.state.end_body(one, trailers))
    return one


def tunnel(talk: Conversation) -> RequestRef:
    one = talk.request(*TUNNEL)
    talk.feed(talk.server.headers(1, OK))
    talk.take(talk.state.stream_body(one, b"tail"))
    return one


def end_tunnel_first(talk: Conversation) -> None:
    one = tunnel(talk)
    talk.take(talk.state.end_body(one, ()))
    talk.drop()
    talk.feed(data(1, b"", end=True), goaway(1))


def end_tunnel_last(talk: Conversation) -> None:
    one = tunnel(talk)
    talk.feed(data(1, b"", end=True), goaway(1))
    talk.drop()
    talk.take(talk.state.end_body(one, ()))


def answered(send: Callable[[Conversation], object]) -> Callable[[Conversation], None]:
    def exchange(talk: Conversation) -> None:
        send(talk)
        talk.drop()
        talk.feed(goaway(1), talk.server.answer(1, b"x"))

    return exchange


def content_before(talk: Conversation) -> None:
    """Another request had content, and the last one has none."""
    fixed(talk, b"x")
    talk.feed(talk.server.answer(1, b"x"))
    talk.request()
    talk.drop()
    talk.feed(goaway(3), talk.server.answer(3, b"x"))


def answered_early(talk: Conversation) -> None:
    """The response is complete before the request, which is then reset."""
    one = talk.request("POST", streaming=True)
    talk.take(talk.state.stream_body(one, b"x"))
    talk.feed(talk.server.answer(1, b"x"))
    talk.drop()
    talk.feed(goaway(1))


def reset_by_the_server(talk: Conversation) -> None:
    fixed(talk, b"x")
    talk.drop()
    talk.feed(goaway(1), reset(1, NO_ERROR))


def cancelled(talk: Conversation) -> None:
    one = fixed(talk, b"x")
    talk.feed(goaway(1))
    talk.take(talk.state.cancel(one))


def not_processed(talk: Conversation) -> None:
    fixed(talk, b"x")
    talk.drop()
    talk.feed(goaway(0))


WITH_CONTENT: dict[str, Callable[[Conversation], None]] = {
    "fixed": answered(lambda talk: fixed(talk, b"x")),
    "one octet of many pieces": answered(lambda talk: fixed(talk, b"", b"x", b"")),
    "streamed": answered(lambda talk: streamed(talk, b"x")),
    "only an end": answered(streamed),
    "only trailers": answered(lambda talk: streamed(talk, trailers=(("a", "b"),))),
    "tunnel that the client ends first": end_tunnel_first,
    "tunnel that the client ends last": end_tunnel_last,
    "an earlier request": content_before,
}
WITHOUT: dict[str, Callable[[Conversation], None]] = {
    "no content": answered(lambda talk: talk.request()),
    "empty content": answered(lambda talk: fixed(talk, b"")),
    "no pieces": answered(fixed),
    "answered early": answered_early,
    "reset by the server": reset_by_the_server,
    "cancelled": cancelled,
    "not processed": not_processed,
}


@pytest.fixture(params=WITH_CONTENT)
def asked(request: pytest.FixtureRequest) -> Conversation:
    """Return a connection of which all streams have ended, and whose server has been asked."""
    talk = opened()
    WITH_CONTENT[str(request.param)](talk)
    return talk


@pytest.mark.parametrize("how", WITHOUT)
def test_without_content_that_may_be_unread_the_connection_ends_at_once(how: str) -> None:
    talk = opened()
    WITHOUT[how](talk)
    drained(talk)
    assert not [each for each in talk.sent if each.kind == PING]


@pytest.mark.rfc("9113-6.8-b")
def test_after_content_the_server_is_asked_once_and_its_answer_ends_the_connection(
    asked: Conversation,
) -> None:
    assert question(asked) == ASKED
    assert not asked.closed
    assert (asked.state.is_open_read, asked.state.is_open_write, asked.state.draining) == (True, False, True)
    asked.drop()
    asked.feed(window_update(0, 5), goaway(1), settings(), frame(0x0A, 0, 0, b"unknown"))
    assert [(each.kind, each.flags) for each in asked.sent] == [(4, ACK)]
    asked.feed(ping(b"received", ACK))
    drained(asked)
    assert asked.events == []
    assert asked.faults == []


def test_other_answers_do_not_end_it(asked: Conversation) -> None:
    asked.drop()
    asked.feed(ping(b"Received", ACK), ping(b"received"))
    assert [(each.kind, each.flags, each.payload) for each in asked.sent] == [(PING, ACK, b"received")]
    assert not asked.closed


@pytest.mark.parametrize("payload", [b"received", b"12345678"])
def test_pings_of_the_caller_are_answered_too(asked: Conversation, payload: bytes) -> None:
    """Even one with the same octets."""
    asked.drop()
    asked.take(asked.state.ping(payload))
    asked.feed(ping(b"received", ACK))
    assert not asked.closed
    assert asked.events == []
    asked.feed(ping(payload, ACK))
    assert kinds(asked.events) == ["pong:-1"]
    drained(asked)


def test_the_question_is_no_ping_of_the_caller_that_counts_for_max_pings() -> None:
    talk = opened(max_pings=2)
    WITH_CONTENT["fixed"](talk)
    for _ in range(2):
        talk.take(talk.state.ping(b"12345678"))
        assert talk.faults == []
    refused = talk.state.ping(b"12345678").fault
    assert refused is not None
    assert (refused.reason, refused.size, refused.limit) == ("too_many_pings", 2, 2)
    talk.feed(ping(b"received", ACK))
    refused = talk.state.ping(b"12345678").fault
    assert refused is not None
    assert refused.size == 2
    talk.feed(ping(b"12345678", ACK), ping(b"12345678", ACK))
    drained(talk)


def test_a_ping_of_the_caller_is_waited_for_before_the_question() -> None:
    talk = opened()
    talk.take(talk.state.ping(b"12345678"))
    WITH_CONTENT["fixed"](talk)
    assert question(talk) == []
    talk.feed(ping(b"12345678", ACK))
    assert question(talk) == ASKED
    assert not talk.closed


@pytest.mark.parametrize("clean", [True, False])
def test_a_server_that_closes_instead_causes_no_fault(asked: Conversation, clean: bool) -> None:
    step = asked.take(asked.state.feed_eof(clean=clean))
    assert (step.fault, step.responses, step.output) == (None, [], ())
    assert asked.closed


def test_nothing_is_requested_any_more(asked: Conversation) -> None:
    assert asked.refuse().reason == "closed_for_writing"
    step = asked.state.request("POST", "/", (), None, True)
    assert_refused(asked.state, step)


def test_closing_does_not_wait(asked: Conversation) -> None:
    asked.take(asked.state.close())
    drained(asked)


def test_breaches_are_faults_still(asked: Conversation) -> None:
    asked.feed(frame(PING, 0, 1, b"12345678"))
    assert_breach(asked, 1, "protocol_error")


def test_what_the_server_sends_may_be_split_anywhere() -> None:
    def begun() -> Conversation:
        talk = opened()
        one = tunnel(talk)
        talk.take(talk.state.end_body(one, ()))
        talk.drop()
        return talk

    octets = b"".join([data(1, b"rest", end=True), goaway(1), window_update(0, 9), ping(b"received", ACK)])
    whole = begun()
    whole.feed(octets)
    drained(whole)
    before = begun().state
    for cuts in [*combinations(range(len(octets)), 1), *combinations(range(0, len(octets), 7), 2)]:
        talk = fed(before, octets, cuts)
        drained(talk)
        assert merged(talk.events) == merged(whole.events)
        assert talk.sent == whole.sent
        assert talk.state == whole.state


def test_states_differ_by_what_they_will_ask() -> None:
    """A stream, and a connection, on which content was sent behave differently later."""
    plain = opened()
    plain.request("POST", streaming=True)
    sent = opened()
    one = sent.request("POST", streaming=True)
    sent.take(sent.state.stream_body(one, b"x"))
    sent.feed(window_update(0, 1), window_update(1, 1))
    assert sent.state != plain.state
    other = opened()
    other.request()
    other.feed(other.server.answer(1, b"x"))
    fixed(plain := opened(), b"x")
    plain.feed(plain.server.answer(1, b"x"))
    assert plain.state != other.state


def test_the_question_is_noted() -> None:
    talk = opened()
    talk.state = talk.state.traced(on=True)
    fixed(talk, b"x")
    step = talk.feed(talk.server.answer(1, b"x"), goaway(1))
    assert [note.text for note in step.notes if note.outgoing] == ["PING stream=0 length=8 flags=0x00"]
