"""The time: states that are equal, but learned it at different moments, behave in the same way."""

from __future__ import annotations

import pytest

from mint._core.http2 import Config, State
from tests.http2_driver import Conversation, data, frame, opened


def glitch(count: int) -> bytes:
    """Return frames of an unknown type, which serve no purpose."""
    return frame(0x77, 0, 0, b"x") * count


def busy() -> Conversation:
    """Return a connection with one request, after so many useless frames that the time matters."""
    talk = opened(max_glitches=10)
    talk.request()
    talk.feed(glitch(6))
    assert talk.state.timed
    return talk


# A clock starts anywhere.
STARTS = (0, 1, 1_000, 2**53)


@pytest.mark.parametrize("times", [(), *((start,) for start in STARTS), (0, 9_000), (1_000, 9_000)])
def test_the_time_is_forgotten_when_nothing_depends_on_it_any_more(times: tuple[int, ...]) -> None:
    plain, talk = busy(), busy()
    for time in times:
        talk.state = talk.state.at(time)
    for one in (plain, talk):
        one.feed(one.server.headers(1, [(":status", "200")]))
    assert not talk.state.timed
    assert talk.state == plain.state
    flood = glitch(40)
    assert plain.state.feed(flood).fault is None
    assert talk.state.feed(flood).fault is None
    assert talk.state.feed(flood).state == plain.state.feed(flood).state


@pytest.mark.parametrize("start", STARTS)
def test_the_time_counts_from_when_it_is_known_again(start: int) -> None:
    talk = busy()
    talk.state = talk.state.at(start)
    talk.feed(talk.server.headers(1, [(":status", "200")]))
    talk.feed(glitch(10))
    # The ten minutes in which nothing depended on the time take nothing off the new count.
    talk.state = talk.state.at(start + 600_000)
    step = talk.state.feed(glitch(2))
    assert step.fault is not None
    assert step.fault.name == "max_glitches"


@pytest.mark.parametrize("start", STARTS)
def test_it_does_not_matter_where_the_input_is_split(start: int) -> None:
    talk = busy()
    talk.state = talk.state.at(start)
    octets = talk.server.headers(1, [(":status", "200")]) + data(1, b"x") + glitch(40)
    whole = talk.state.feed(octets)
    for place in range(1, len(octets), 7):
        first = talk.state.feed(octets[:place])
        second = first.state.feed(octets[place:])
        assert second.state == whole.state, place
        assert second.fault == whole.fault, place


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("end", ["reset", "head"])
def test_the_end_of_interim_responses_forgets_the_time(end: str, start: int) -> None:
    plain, talk = opened(max_glitches=10), opened(max_glitches=10)
    for one in (plain, talk):
        one.request()
        one.feed(one.server.headers(1, [(":status", "103")]))
        assert one.state.timed
    talk.state = talk.state.at(start)
    for one in (plain, talk):
        if end == "head":
            one.feed(one.server.headers(1, [(":status", "200")]))
        else:
            one.feed(frame(3, 0, 1, b"\0\0\0\x08"))
        assert not one.state.timed
    assert talk.state == plain.state
    assert talk.state.feed(glitch(40)).fault is None is plain.state.feed(glitch(40)).fault


def test_only_the_time_that_passes_counts() -> None:
    """The same input at times that are later by the same amount has the same results."""
    runs: list[list[object]] = []
    for start in STARTS:
        talk = busy()
        results: list[object] = []
        for passed in (0, 1, 5, 5, 40, 1_000, 1_001):
            talk.state = talk.state.at(start + passed)
            step = talk.feed(glitch(3), talk.server.headers(1, [(":status", "103")]))
            results.append((step.responses, step.output, step.fault, step.timed))
        runs.append([*results, talk.state.close().state])
    assert all(run == runs[0] for run in runs)


def test_the_count_of_useless_frames_is_exact_however_large() -> None:
    for limit in (1, 5, 5_000, 100_000):
        talk = opened(max_glitches=limit)
        assert talk.feed(glitch(limit)).fault is None
        talk.state = talk.state.at(0)
        fault = talk.feed(glitch(1)).fault
        assert fault is not None
        assert (fault.name, fault.size, fault.limit) == ("max_glitches", limit + 1, limit)


def test_a_state_that_is_not_timed_ignores_the_time() -> None:
    config = Config("example.org", port=443, scheme="https", identity=7, user_agent="")
    state = State.open(config).state
    assert state.at(1_000) is state
