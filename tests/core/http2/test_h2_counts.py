"""The counts of what a server may cost: exactly how much each useful frame and each second takes off them."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from mint._core.events import Failed
from mint._core.http2 import State
from tests.http2_driver import (
    NO_ERROR,
    OK,
    Conversation,
    config,
    data,
    frame,
    goaway,
    kinds,
    opened,
    ping,
    ref,
    settings,
    window_update,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Act = Callable[[Conversation], object]

USELESS = frame(0x99, 0, 0)
MALFORMED = [("no", "status")]


def useless_left(talk: Conversation) -> int:
    """Return how many more useless frames are accepted; the conversation stays as it is."""
    state = talk.state
    for count in itertools.count():
        step = state.feed(USELESS)
        if step.fault is not None:
            assert step.fault.name == "max_glitches"
            return count
        state = step.state
    raise AssertionError


def spent(*, answered: bool) -> Conversation:
    """Return a conversation with request 1 open and many useless frames counted, at a known time."""
    talk = opened((4, 1 << 20), max_glitches=1000)
    talk.feed(window_update(0, 1 << 20))
    talk.request("POST", "/", [], None, True)
    if answered:
        talk.feed(talk.server.headers(1, OK))
    talk.feed(USELESS * 900)
    talk.state = talk.state.at(0)
    return talk


def upload(size: int) -> Act:
    return lambda talk: talk.take(talk.state.stream_body(ref(1), bytes(size)))


def post(size: int) -> Act:
    return lambda talk: talk.request("POST", "/", [], (bytes(size),))


def content(size: int, padding: int | None = None) -> Act:
    return lambda talk: talk.feed(data(1, bytes(size), padding=padding))


# What happens, whether the response has begun, and how many useless frames it makes up for.
USEFUL: dict[str, tuple[Act, bool, int]] = {
    "a response head": (lambda talk: talk.feed(talk.server.headers(1, OK)), False, 10),
    "an interim head": (lambda talk: talk.feed(talk.server.headers(1, [(":status", "103")])), False, 0),
    "the end of a response": (lambda talk: talk.feed(data(1, b"", end=True)), True, 20),
    "content": (content(1), True, 1),
    "1,023 octets of content": (content(1023), True, 1),
    "1,024 octets of content": (content(1024), True, 2),
    "2,047 octets of content": (content(2047), True, 2),
    "2,048 octets of content": (content(2048), True, 3),
    "padding": (content(1, 200), True, 1),
    "nothing but padding": (content(0, 200), True, -1),
    "an empty frame": (content(0), True, -1),
    "content and the end": (lambda talk: talk.feed(data(1, b"x", end=True)), True, 21),
    "a request": (lambda talk: talk.request(), False, 0),
    "a request with content": (post(1), False, 4),
    "a request with 1,023 octets": (post(1023), False, 4),
    "a request with 1,024 octets": (post(1024), False, 5),
    "a request with 4,096 octets": (post(4096), False, 8),
    "a piece of a body": (upload(1), False, 4),
    "a piece of 1,023 octets": (upload(1023), False, 4),
    "a piece of 1,024 octets": (upload(1024), False, 5),
    "a piece of 4,096 octets": (upload(4096), False, 8),
    "SETTINGS": (lambda talk: talk.feed(settings()), False, -1),
}


@pytest.mark.parametrize("name", USEFUL)
def test_how_many_useless_frames_a_useful_one_makes_up_for(name: str) -> None:
    act, answered, count = USEFUL[name]
    talk = spent(answered=answered)
    before = useless_left(talk)
    act(talk)
    assert useless_left(talk) == before + count


@pytest.mark.parametrize(("limit", "count"), [(2, 1), (10, 5), (198, 99), (200, 100), (100_000, 100)])
def test_the_time_is_needed_from_half_of_the_limit_or_100_on(limit: int, count: int) -> None:
    talk = opened(max_glitches=limit)
    talk.feed(USELESS * count)
    assert not talk.state.timed
    talk.feed(USELESS)
    assert talk.state.timed


def test_the_time_is_needed_until_the_count_is_back_at_half_of_the_limit() -> None:
    talk = opened(max_glitches=199)
    talk.feed(USELESS * 100)
    assert talk.state.at(0).at(1).timed  # 99.67 is more than 99.5
    assert not talk.state.at(0).at(2).timed


def test_useful_frames_save_nothing_for_later() -> None:
    """The count stops at zero, whether frames or time reduce it."""
    fresh = opened((4, 1 << 20), max_glitches=1000)
    for later in (0, 1_000_000_000, 5_000_000_000):
        talk = opened((4, 1 << 20), max_glitches=1000)
        talk.request("POST", "/", [], None, True)
        if later:
            talk.feed(USELESS * 600)
            talk.state = talk.state.at(0).at(later)
            assert not talk.state.timed
        else:
            talk.feed(USELESS)
            talk.take(talk.state.stream_body(ref(1), bytes(60_000)))
        for one in (talk, fresh):
            fork = Conversation(one.state)
            fork.feed(USELESS * 600)
            fork.state = fork.state.at(later + 1)
            assert useless_left(fork) == 400


@pytest.mark.parametrize("credit", [1, 99, 100, 101])
def test_credit_for_what_was_sent_is_useful_and_for_more_is_not(credit: int) -> None:
    """Both ways to send content count, and credit is used up by a WINDOW_UPDATE that is not too large."""
    for send in (upload(100), post(100)):
        talk = spent(answered=False)
        send(talk)
        before = useless_left(talk)
        talk.feed(window_update(0, credit))
        assert useless_left(talk) == before - (credit > 100)
        talk.feed(window_update(0, 100))
        assert useless_left(talk) == before - (credit > 100) - (credit <= 100)


@pytest.mark.parametrize(("credit", "useless"), [(9, 0), (10, 0), (11, 1)])
def test_credit_of_a_stream_beyond_its_first_size_is_useless(credit: int, useless: int) -> None:
    talk = spent(answered=False)
    talk.take(talk.state.stream_body(ref(1), bytes(10)))
    before = useless_left(talk)
    talk.feed(window_update(1, credit))
    assert useless_left(talk) == before - useless


def resets_left(talk: Conversation) -> int:
    """Return how many more streams may end because of the server; the conversation stays as it is."""
    fork = Conversation(talk.state, talk.server)
    for count in itertools.count():
        one = fork.request()
        fork.feed(frame(1, 5, one.number, b"\x00\x01a\x01b"))
        if fork.closed:
            assert fork.faults[-1].name == "max_resets"
            return count
    raise AssertionError


def malformed(talk: Conversation) -> None:
    one = talk.request()
    talk.feed(frame(1, 5, one.number, b"\x00\x01a\x01b"))


def test_a_complete_response_makes_up_for_one_reset_and_saves_nothing() -> None:
    talk = opened(max_resets=10)
    assert resets_left(talk) == 10
    complete = talk.request()
    talk.feed(talk.server.answer(complete.number))
    assert resets_left(talk) == 10
    for _ in range(3):
        malformed(talk)
    assert resets_left(talk) == 7
    for left in (8, 9, 10, 10):
        complete = talk.request()
        talk.feed(talk.server.answer(complete.number))
        assert resets_left(talk) == left


def test_time_makes_up_for_resets_and_saves_nothing() -> None:
    talk = opened(max_resets=10)
    for _ in range(5):
        malformed(talk)
    talk.state = talk.state.at(0)
    assert resets_left(talk) == 5
    # 33 in a second, so one takes 31 milliseconds
    talk.state = talk.state.at(30)
    assert resets_left(talk) == 5
    talk.state = talk.state.at(31)
    assert resets_left(talk) == 6
    for later in (1_000, 2_000_000_000, 9_000_000_000):
        talk.state = talk.state.at(later)
        assert resets_left(talk) == 10
        assert not talk.state.timed


def replies_left(state: State) -> int:
    """Return how many more replies may wait to be written."""
    for count in itertools.count():
        step = state.feed(ping())
        if step.fault is not None:
            assert step.fault.name == "max_unsent_acks"
            return count
        state = step.state
    raise AssertionError


def test_a_reply_counts_until_the_last_of_its_own_octets_is_written() -> None:
    talk = opened(max_unsent_acks=10)
    ends: list[int] = []
    total = 0
    for act in ("ping", "request", "ping", "settings", "upload", "body", "ping", "post"):
        if act == "request":
            step = talk.state.request("POST", "/", (), None, True)
        elif act == "post":
            step = talk.state.request("POST", "/", (), (b"x",), False)
        elif act in {"upload", "body"}:
            step = talk.state.stream_body(ref(1), bytes(100))
        else:
            step = talk.state.feed(ping() if act == "ping" else settings())
        total += sum(map(len, talk.take(step).output))
        if act in {"ping", "settings"}:
            ends.append(total)
    assert len(ends) == 4
    for written in range(total + 1):
        waiting = [end for end in ends if end > written]
        left = talk.state.left(total - written)
        assert replies_left(left) == 10 - len(waiting), written
        assert left.left(0) == talk.state.flushed()


@pytest.mark.parametrize("gone", [b"HTTP/1.1 400 Bad Request\r\n\r\n", goaway(0, NO_ERROR), b""])
def test_settings_are_not_received_if_the_connection_ended_before(gone: bytes) -> None:
    talk = Conversation(State.open(config()).state)
    talk.request()
    assert not talk.state.settings_received
    talk.feed(gone) if gone else talk.take(talk.state.feed_eof(clean=True))
    assert talk.closed
    assert not talk.state.settings_received


def test_settings_stay_received() -> None:
    talk = opened()
    assert talk.state.settings_received
    talk.take(talk.state.close())
    assert talk.state.settings_received


def test_streams_that_have_interim_heads_need_the_time_until_they_end() -> None:
    """Only then does the time matter, so a state that is not `timed` need not be told."""
    interim = [(":status", "103")]
    for end in ("head", "reset", "cancel", "lost"):
        talk = opened()
        one = talk.request()
        two = talk.request()
        assert not talk.state.timed
        for number in (one.number, two.number, one.number):
            talk.feed(talk.server.headers(number, interim))
            assert talk.state.timed
        for request in (one, two):
            assert talk.state.timed
            if end == "head":
                talk.feed(talk.server.headers(request.number, OK))
            elif end == "reset":
                talk.feed(frame(3, 0, request.number, b"\0\0\0\7"))
            elif end == "cancel":
                talk.take(talk.state.cancel(request))
            else:
                talk.take(talk.state.feed_eof(clean=True))
                break
        assert not talk.state.timed
        failed = [event for event in talk.events if isinstance(event, Failed)]
        assert len(failed) == (2 if end in {"reset", "lost"} else 0), kinds(talk.events)


def interims_left(state: State, fields: bytes = b"") -> int:
    """Return how many more interim heads of request 1 are accepted."""
    for count in itertools.count():
        step = state.feed(frame(1, 4, 1, b"\x08\x03103" + fields))
        if any(isinstance(event, Failed) for event in step.responses):
            return count
        state = step.state
    raise AssertionError


def test_each_tenth_of_a_second_makes_up_for_one_interim_head() -> None:
    talk = opened(max_informational=10)
    talk.request()
    assert interims_left(talk.state) == 10
    talk.feed(frame(1, 4, 1, b"\x08\x03103"))
    assert interims_left(talk.state) == 9
    # The time of the heads so far is not known, so the first time that is given takes nothing off.
    state = talk.state.at(0).feed(frame(1, 4, 1, b"\x08\x03103") * 9).state
    assert interims_left(state) == 0
    for later in (1, 99):
        assert interims_left(state.at(later)) == 0
    for ticks in (1, 2, 9, 10, 11, 1_000):
        assert interims_left(state.at(100 * ticks)) == min(ticks, 10)
        assert interims_left(state.at(100 * (ticks + 1) - 1)) == min(ticks, 10)


def test_each_tenth_of_a_second_makes_up_for_400_octets_of_interim_heads() -> None:
    extra = b"\x00\x01a\x7f\x00" + b"y" * 127  # 160 octets, and 42 for the status
    talk = opened(max_informational_size=2_000)
    talk.request()
    assert interims_left(talk.state, extra) == 2_000 // 160
    talk.feed(frame(1, 4, 1, b"\x08\x03103"))
    state = talk.state.at(0).feed(frame(1, 4, 1, b"\x08\x03103" + extra) * 12).state
    assert interims_left(state.at(99), extra) == 0
    for ticks in (1, 2, 4, 5, 100):
        left = 2_000 - max(0, 12 * 160 - 400 * ticks)
        assert interims_left(state.at(100 * ticks), extra) == left // 160
