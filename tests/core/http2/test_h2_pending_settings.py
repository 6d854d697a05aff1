"""Several SETTINGS of the client wait for acknowledgements, each of which puts the oldest into effect.

Until then, the server may use the old value or the new one, so both are allowed (RFC 9113 6.5.3).
"""

from __future__ import annotations

import pytest

from tests.http2_driver import OK, Conversation, ack, data, frame, opened, resets

FRAMES = (20_000, 30_000, 17_000, 40_000, 16_384)
WINDOWS = (200_000, 100_000, 300_000, 65_535, 70_000)


def put(talk: Conversation, name: str, values: tuple[int, ...]) -> None:
    for value in values:
        talk.take(talk.state.put_settings(((name, value),)))
    assert talk.faults == []


def accepts(talk: Conversation, size: int) -> bool:
    """Whether a frame of this size is accepted, which its header alone decides."""
    fault = talk.state.feed(frame(0x77, 0, 0, bytes(size))[:9]).fault
    assert fault is None or (fault.reason, fault.size) == ("frame_size_error", size)
    return fault is None


@pytest.mark.parametrize("count", range(1, len(FRAMES) + 1))
def test_each_acknowledgement_applies_to_one_of_them(count: int) -> None:
    talk = opened()
    values = FRAMES[:count]
    put(talk, "max_frame_size", values)
    in_effect = 16_384
    for acknowledged in range(count + 1):
        most = max(in_effect, *values[acknowledged:], 0)
        assert accepts(talk, most), (acknowledged, most)
        assert not accepts(talk, most + 1), (acknowledged, most)
        if acknowledged < count:
            talk.feed(ack())
            in_effect = values[acknowledged]


@pytest.mark.parametrize("count", range(1, len(WINDOWS) + 1))
def test_windows_of_streams_follow_each_acknowledgement(count: int) -> None:
    values = WINDOWS[:count]
    for acknowledged in range(count + 1):
        for excess in (0, 1):
            talk = opened(connection_window_size=1_000_000, mine=(("initial_window_size", 65_535),))
            one = talk.request()
            put(talk, "initial_window_size", values)
            talk.feed(ack() * acknowledged, talk.server.headers(1, OK))
            in_effect = values[acknowledged - 1] if acknowledged else 65_535
            left = max(in_effect, *values[acknowledged:], 0) + excess
            content = b""
            while left:
                content += data(1, bytes(min(left, 16_384)))
                left -= min(left, 16_384)
            talk.take(talk.state.set_refill(one, False))  # all of it has to fit the window as it is
            talk.feed(content)
            assert bool(resets(talk)) == bool(excess), (acknowledged, excess, talk.faults)
