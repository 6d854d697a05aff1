"""Once a connection has ended, input of any kind changes nothing and says nothing, however it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mint._core.events import CLOSE, KEEP
from mint._core.faults import Fault
from mint._core.http2 import State
from tests.http2_driver import Conversation, config, frame, goaway, opened, ping, reset, settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from mint._core.events import Step

LOST = Fault("transport_reset")

ENDS: dict[str, Callable[[State], Step[State]]] = {
    "closed": lambda state: state.close(),
    "lost": lambda state: state.lose(LOST),
    "the input ended": lambda state: state.feed_eof(clean=True),
    "TLS was cut off": lambda state: state.feed_eof(clean=False),
    "a connection error": lambda state: state.feed(frame(0, 0, 0)),
    "a graceful end": lambda state: state.feed(goaway(0)),
}
INPUTS: dict[str, Callable[[State], Step[State]]] = {
    "nothing": lambda state: state.feed(b""),
    "an octet": lambda state: state.feed(b"\0"),
    "a frame": lambda state: state.feed(ping()),
    "frames": lambda state: state.feed(settings((4, 5)) + reset(1) + goaway(0, 2)),
    "nonsense": lambda state: state.feed(b"\xff" * 50),
    "the end": lambda state: state.feed_eof(clean=True),
    "an end without close_notify": lambda state: state.feed_eof(clean=False),
}


def ended(how: str, *, requests: int, told: bool) -> State:
    talk = opened() if told else Conversation(State.open(config()).state)
    for _ in range(requests):
        talk.request()
    step = ENDS[how](talk.state)
    assert step.end == CLOSE
    assert not step.state.is_open_read
    assert not step.state.is_open_write
    return step.state


@pytest.mark.parametrize("told", [False, True])
@pytest.mark.parametrize("requests", [0, 1, 3])
@pytest.mark.parametrize("how", ENDS)
def test_input_after_the_end_is_ignored(how: str, requests: int, told: bool) -> None:
    state = ended(how, requests=requests, told=told)
    for name, given in INPUTS.items():
        step = given(state)
        assert step.state is state, name
        assert (step.responses, step.output, step.fault, step.cause) == ([], (), None, None), name
        assert (step.ref, step.end, step.notes, step.timed) == (None, KEEP, (), False), name


@pytest.mark.parametrize("told", [False, True])
def test_all_ways_to_the_end_lead_to_equal_states(told: bool) -> None:
    """What differs afterwards is only what the server has said."""
    states = {how: ended(how, requests=1, told=told) for how in ENDS if how != "a graceful end"}
    assert all(state == states["closed"] for state in states.values()), states
