"""What the fuzzers found, each named after its input's hash, and what a hostile reading did."""

from __future__ import annotations

import pytest

from mint._core.events import Done, Failed
from mint._core.http2 import State
from tests.http2_driver import Server, config, data, goaway, opened, settings


def test_c8de839d_a_drained_connection_does_not_close_inside_a_frame() -> None:
    """The rest of a frame breaks the same rules whether it comes in the same read or in the next."""
    state = opened().state.request("GET", "/", (), None, False).state
    broken = data(1, b"x", padding=3)
    octets = goaway(0x1100_3300, 0x0400_1500) + broken[:9] + b"\xf9" * (len(broken) - 9)
    whole = state.feed(octets)
    assert whole.fault is not None
    assert whole.fault.reason == "protocol_error"
    for cut in range(len(octets) - len(broken) + 1, len(octets)):
        first = state.feed(octets[:cut])
        then = first.state.feed(octets[cut:])
        assert (then.fault or first.fault) == whole.fault
        assert [event for event in (*first.responses, *then.responses) if isinstance(event, Failed)] == [
            event for event in whole.responses if isinstance(event, Failed)
        ]


@pytest.mark.parametrize("target", ["\u012f", "\u2f2f", "\U0001012f"])
def test_a_target_beyond_latin_1_is_no_slash(target: str) -> None:
    """The first octet of U+012F in memory is a slash: it was sent as the path "/"."""
    fault = opened().state.request("GET", target, (), None, False).fault
    assert fault is not None
    assert (fault.reason, fault.value) == ("invalid_request_target", target)


def test_the_largest_limits_are_no_small_ones() -> None:
    """2**31 - 1 and a little more overflowed, so that every block and every SETTINGS was too long."""
    most = 2**31 - 1
    state = State.open(config(max_header_block=most, max_settings=most)).state
    state = state.request("GET", "/", (), None, False).state
    step = state.feed(settings((4, 1)) + Server().answer(1))
    assert step.fault is None
    assert isinstance(step.responses[-1], Done)


def test_credentials_in_a_path_are_not_repeated() -> None:
    pseudo = ((":protocol", "websocket"), (":path", "http://user:hunter2@host/"))
    fault = opened().state.request("CONNECT", "/", pseudo, None, True).fault
    assert fault is not None
    assert fault.value == "http://(redacted)@host/"
