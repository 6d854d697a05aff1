"""What is shown of the octets of a server is bounded, and credit after smaller SETTINGS is sent once."""

from __future__ import annotations

import pytest

from mint._core.http2 import State
from tests.http2_driver import (
    INTERNAL_ERROR,
    OK,
    Conversation,
    ack,
    config,
    data,
    goaway,
    opened,
    settings,
    updates,
)


@pytest.mark.parametrize("size", [0, 1, 199, 200, 201, 1_000])
def test_a_fault_shows_at_most_200_octets_of_the_reason_of_a_server(size: int) -> None:
    for talk in (opened(), Conversation(State.open(config()).state)):
        talk.request()
        step = talk.feed(goaway(1, INTERNAL_ERROR, b"x" * size))
        assert step.fault is not None
        assert step.fault.value == "x" * min(size, 200)


def traced() -> Conversation:
    talk = opened()
    talk.state = talk.state.traced(on=True)
    return talk


def test_a_note_shows_at_most_100_fields() -> None:
    talk = traced()
    talk.take(talk.state.request("GET", "/", [(f"a{number}", "b") for number in range(200)], None, False))
    assert talk.last is not None
    text = talk.last.notes[0].text
    assert "a90: b" in text
    assert text.count("', '") == 99


@pytest.mark.parametrize(("size", "shown"), [(195, 195), (196, 196), (197, 196), (1_000, 196)])
def test_a_note_shows_at_most_200_characters_of_a_field(size: int, shown: int) -> None:
    talk = traced()
    talk.request()
    step = talk.feed(talk.server.headers(1, [*OK, ("ab", "y" * size)]))
    assert f"'ab: {'y' * shown}'" in step.notes[0].text


@pytest.mark.parametrize(("size", "shown"), [(296, 296), (297, 297), (298, 297), (1_000, 297)])
def test_a_note_shows_at_most_300_characters_of_a_value(size: int, shown: int) -> None:
    talk = traced()
    ref = talk.request()
    step = talk.state.update_priority(ref, b"z" * size)
    if step.fault is not None:  # the server has to allow it first
        talk.feed(settings((9, 1)))
        step = talk.state.update_priority(ref, b"z" * size)
    assert step.notes[-1].text.count("z") == shown


def test_smaller_settings_credit_each_open_stream_once_and_no_other() -> None:
    talk = opened()
    plain, held, cancelled, idle, ended = (talk.request() for _ in range(5))
    for one in (plain, held, cancelled, ended):
        talk.feed(talk.server.headers(one.number, OK), data(one.number, b"x" * 10_000))
    talk.take(talk.state.set_refill(held, False))
    talk.take(talk.state.cancel(cancelled))
    talk.feed(data(ended.number, b"", end=True))
    assert updates(talk) == []
    talk.take(talk.state.put_settings((("initial_window_size", 100),)))
    talk.feed(ack())
    assert updates(talk) == [(plain.number, 10_000)]
    talk.take(talk.state.put_settings((("initial_window_size", 50),)))
    talk.feed(ack())
    assert updates(talk) == [(plain.number, 10_000)]
    talk.take(talk.state.set_refill(held, True))
    assert updates(talk) == [(plain.number, 10_000), (held.number, 10_000)]
    talk.feed(talk.server.headers(idle.number, OK))
    assert updates(talk) == [(plain.number, 10_000), (held.number, 10_000)]
