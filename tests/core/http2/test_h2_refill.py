"""`set_refill`: while it is off for a request, no window updates are sent for its stream."""

import pytest

from mint._core.events import RequestRef
from tests.http2_driver import OK, WINDOW_UPDATE, Frame, assert_refused, data, opened, ref, reset, settings

WINDOW = 100_000
MINE = (("initial_window_size", WINDOW),)


def updates(frames: list[Frame], stream: int) -> list[int]:
    return [each.number for each in frames if each.kind == WINDOW_UPDATE and each.stream == stream]


def test_a_window_that_is_held_is_refilled_when_it_is_released() -> None:
    talk = opened(mine=MINE)
    one, two = talk.request(), talk.request()
    talk.feed(talk.server.headers(1, OK), talk.server.headers(3, OK))
    before = talk.state
    held = talk.take(before.set_refill(one, False)).state
    assert held != before
    assert held.set_refill(one, False).state is held
    assert before.set_refill(one, True).state is before
    for _ in range(9):
        talk.feed(data(1, bytes(10_000)), data(3, bytes(10_000)))
    assert updates(talk.sent, 1) == []
    assert sum(updates(talk.sent, 3)) >= WINDOW // 2
    talk.drop()
    talk.take(talk.state.set_refill(one, True))
    assert updates(talk.sent, 1) == [90_000]
    assert talk.state.body_window(two) == 0
    # From now on the window is refilled as usual.
    talk.feed(*[data(1, bytes(10_000))] * 6)
    assert sum(updates(talk.sent, 1)) > 90_000


def test_releasing_sends_no_update_below_the_threshold() -> None:
    talk = opened(mine=MINE)
    one = talk.request()
    talk.feed(talk.server.headers(1, OK))
    talk.take(talk.state.set_refill(one, False))
    talk.feed(data(1, b"little"))
    talk.take(talk.state.set_refill(one, True))
    assert updates(talk.sent, 1) == []


def test_the_connection_window_is_refilled_and_the_held_window_enforced() -> None:
    talk = opened(mine=MINE, connection_window_size=200_000)
    one = talk.request()
    talk.feed(talk.server.headers(1, OK))
    talk.take(talk.state.set_refill(one, False))
    for _ in range(10):
        talk.feed(data(1, bytes(10_000)))
    assert not talk.faults
    assert updates(talk.sent, 0)
    talk.feed(data(1, b"x"))
    assert talk.faults or any(each.kind == 3 for each in talk.sent)


def test_settings_that_shrink_the_windows_do_not_release_one() -> None:
    talk = opened(mine=MINE)
    one = talk.request()
    talk.feed(talk.server.headers(1, OK))
    talk.take(talk.state.set_refill(one, False))
    talk.feed(data(1, bytes(60_000)))
    talk.take(talk.state.put_settings((("initial_window_size", 50_000),)))
    talk.feed(settings(), b"\0\0\0\4\1\0\0\0\0")
    assert updates(talk.sent, 1) == []


@pytest.mark.parametrize("on", [False, True])
def test_a_request_that_has_ended_has_no_window(on: bool) -> None:
    talk = opened(mine=MINE)
    one = talk.request()
    talk.feed(reset(1))
    step = talk.state.set_refill(one, on)
    assert_refused(talk.state, step)
    assert step.fault is not None
    assert step.fault.reason == "unknown_request_to_stream"
    with pytest.raises(ValueError, match="does not belong"):
        talk.state.set_refill(RequestRef(99, 1), on)
    with pytest.raises(ValueError, match="does not belong"):
        talk.state.set_refill(ref(99), on)
    closed = talk.state.close().state
    gone = closed.set_refill(one, on)
    assert gone.fault is not None
    assert gone.fault.reason == "closed"
