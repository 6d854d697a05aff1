"""Exactly how many promises are accepted, and what refuses one more."""

from __future__ import annotations

import pytest

from mint._core.events import PushPromise
from tests.http2_driver import (
    ENHANCE_YOUR_CALM,
    OK,
    PROMISED,
    PROTOCOL_ERROR,
    REFUSED_STREAM,
    Conversation,
    data,
    opened,
    ref,
    resets,
    window_update,
)


def asked(concurrent: int = 1000, *, head: int = 262_144, max_reserved: int = 1000) -> Conversation:
    """Return a conversation with push on and request 1 open."""
    mine = (("enable_push", 1), ("max_concurrent_streams", concurrent), ("max_header_list_size", head))
    talk = opened(mine=mine, max_reserved=max_reserved)
    talk.request()
    talk.drop()
    return talk


def promise(talk: Conversation, number: int) -> int | None:
    """Promise a stream; return the code with which it is refused, or None if it is accepted."""
    talk.drop()
    talk.feed(talk.server.promise(1, number, PROMISED))
    assert not talk.closed
    if talk.events:
        assert talk.events == [PushPromise(ref(1), ref(number), tuple(PROMISED))]
        assert talk.sent == []
        return None
    ((stream, code),) = resets(talk)
    assert stream == number
    return code


@pytest.mark.parametrize("most", [1, 2, 5])
@pytest.mark.parametrize("limit", ["max_reserved", "max_concurrent_streams"])
def test_the_limits_on_promised_streams_are_exact(limit: str, most: int) -> None:
    talk = asked(max_reserved=most) if limit == "max_reserved" else asked(most)
    for number in range(2, 2 * most + 2, 2):
        assert promise(talk, number) is None
    assert promise(talk, 2 * most + 2) == REFUSED_STREAM
    # A head opens a stream, which still counts as concurrent but no longer as reserved.
    talk.feed(talk.server.headers(2, OK))
    assert promise(talk, 2 * most + 4) == (None if limit == "max_reserved" else REFUSED_STREAM)
    # The end of one makes room for exactly one, and a refused stream takes none.
    talk.feed(data(2, b"", end=True))
    last = 2 * most + 6
    assert promise(talk, last) == (REFUSED_STREAM if limit == "max_reserved" else None)
    talk.take(talk.state.cancel(ref(4 if most > 1 else last - 2 * (limit == "max_reserved"))))
    assert promise(talk, last + 2) is None
    assert promise(talk, last + 4) == REFUSED_STREAM


def test_a_promise_with_too_large_a_section_is_refused_alone() -> None:
    size = sum(len(name) + len(value) + 32 for name, value in PROMISED)
    for limit, code in ((size - 1, ENHANCE_YOUR_CALM), (size, None), (size + 1, None)):
        assert promise(asked(head=limit), 2) == code


def test_a_refused_promise_can_neither_be_cancelled_nor_answered() -> None:
    talk = asked()
    talk.feed(talk.server.promise(1, 2, [*PROMISED, ("connection", "x")]))
    assert resets(talk) == [(2, PROTOCOL_ERROR)]
    assert talk.events == []
    before = talk.state
    assert talk.state.cancel(ref(2)).output == ()
    talk.drop()
    # What the server sent meanwhile is ignored, and other streams are not affected.
    talk.feed(talk.server.headers(2, OK), data(2, b"late", end=True), window_update(2, 1))
    assert (talk.events, talk.sent, talk.faults) == ([], [], [])
    assert before.open_request_count == talk.state.open_request_count == 1
    assert promise(talk, 4) is None
