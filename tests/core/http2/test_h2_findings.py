"""What the fuzzers found, each named after its input's hash."""

from __future__ import annotations

from mint._core.events import Failed
from tests.http2_driver import data, goaway, opened


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
