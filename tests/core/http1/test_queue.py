"""The queue of pipelined requests, which is stored in parts if it is long, behaves like one tuple."""

from __future__ import annotations

import random

import pytest

from mint._core.events import Done, Event, Failed
from mint._core.faults import Fault
from mint._core.http1 import Config, State

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
MOST = 300


def fresh() -> State:
    return State(
        Config(
            hostname="example.org",
            port=80,
            scheme="http",
            identity=1,
            user_agent="mint/1",
            max_pipelined=MOST,
        )
    )


def ask(state: State, method: str = "GET") -> tuple[State, int]:
    step = state.request(method, "/", (), None, False)
    assert step.ref is not None
    return step.state, step.ref.number


def ended(events: list[Event]) -> list[int]:
    return [each.ref.number for each in events if isinstance(each, (Done, Failed))]


@pytest.mark.parametrize("seed", range(12))
def test_any_sequence_of_requests_and_responses_agrees_with_a_list(seed: int) -> None:
    """A list is the model: at any state, also after forks, the open requests are those in the list."""
    chance = random.Random(seed)
    states: list[tuple[State, list[int]]] = [(fresh(), [])]
    for _ in range(80):
        state, model = chance.choice(states[-4:])
        model = list(model)
        count = chance.choice([1, 1, 2, 63, 64, 65, 130])
        if chance.random() < 0.55:
            for _ in range(min(count, MOST - len(model))):
                state, number = ask(state)
                model.append(number)
        else:
            count = min(count, len(model))
            step = state.feed(ANSWER * count)
            assert step.fault is None
            assert ended(step.responses) == model[:count]
            state, model = step.state, model[count:]
        states.append((state, model))
    for state, model in states:
        assert state.open_request_count == len(model)
        lost = state.lose(Fault("transport_reset")).responses
        assert ended(lost) == model


@pytest.mark.parametrize("before", [0, 1, 63, 64, 65, 128, 200])
@pytest.mark.parametrize("open_now", [0, 1, 64, 65, 90])
def test_states_are_equal_however_their_queues_are_divided(before: int, open_now: int) -> None:
    """In one history each request is answered at once; in the other, all requests are sent first."""
    one = two = fresh()
    for _ in range(before):
        one = ask(one)[0].feed(ANSWER).state
    for _ in range(open_now):
        one = ask(one)[0]
    for _ in range(before + open_now):
        two = ask(two)[0]
    two = two.feed(ANSWER * before).state
    assert one == two
    assert ask(one)[0] == ask(two)[0]
    assert one.feed(ANSWER * open_now).state == two.feed(ANSWER * open_now).state
    if open_now:
        assert one != ask(two)[0]
        assert ask(one, "HEAD")[0] != ask(two)[0]


def test_only_the_newest_request_of_a_long_queue_may_open_a_tunnel() -> None:
    state = fresh()
    for _ in range(64):
        state = ask(state)[0]
    step = state.request("CONNECT", "example.org:443", (), None, True)
    assert step.fault is None
    refused = step.state.request("GET", "/", (), None, False)
    assert refused.fault is not None
    assert refused.fault.reason == "closed_for_writing"


def test_pipelined_requests_are_limited() -> None:
    state = fresh()
    for _ in range(MOST):
        state = ask(state)[0]
    refused = state.request("GET", "/", (), None, False)
    assert refused.fault is not None
    assert refused.fault.reason == "too_many_pipelined_requests"
    assert refused.state is state
