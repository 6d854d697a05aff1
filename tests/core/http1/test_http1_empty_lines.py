"""Empty lines between responses, which a switch tolerates: what follows is never a part of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mint._core.faults import Fault
from mint.tolerance import Tolerance, bits_of
from tests.http1_driver import HEAD, LENIENT, config, cut, play, with_requests

if TYPE_CHECKING:
    from collections.abc import Callable

    from mint._core.events import Event, Step
    from mint._core.http1 import Config, State

EMPTY = HEAD + b"content-length: 0\r\n\r\n"
LINES = (b"", b"\r\n", b"\n", b"\r\n\r\n", b"\n\r\n", b"\r\n\n", b"\n\n\n", b"\r\n\r\n\r\n")


@pytest.mark.parametrize("lines", LINES)
@pytest.mark.parametrize("after", [b"X", b"XY", b"HTTP/1.1 200 OK\r\n"])
def test_what_follows_empty_lines_is_shown_from_its_first_octet(lines: bytes, after: bytes) -> None:
    state = play(with_requests(options=LENIENT), [EMPTY]).state
    whole = lines + after
    for place in range(len(whole) + 1):
        outcome = play(state, [piece for piece in cut(whole, [place]) if piece])
        assert outcome.reason == "unexpected_data", place
        assert outcome.fault is not None
        seen = after if place <= len(lines) else after[: place - len(lines)]
        assert outcome.fault.value == seen.decode(), place


@pytest.mark.parametrize("lines", LINES)
def test_empty_lines_leave_nothing_behind(lines: bytes) -> None:
    state = play(with_requests(options=LENIENT), [EMPTY]).state
    for place in range(len(lines) + 1):
        outcome = play(state, [piece for piece in cut(lines, [place]) if piece])
        assert outcome.fault is None
        assert outcome.responses == []
        assert outcome.state == state, place


ONLY = config(tolerance=bits_of(Tolerance(empty_lines=True)))
ENDS: tuple[Callable[[State], Step[State]], ...] = (
    lambda state: state.feed_eof(True),
    lambda state: state.lose(Fault("connection_reset")),
)


@pytest.mark.parametrize("options", [LENIENT, ONLY])
@pytest.mark.parametrize("open_", [True, False])
def test_a_cr_whose_lf_has_not_come_is_no_part_of_a_response(open_: bool, options: Config) -> None:
    """The same requests fail in the same way as without the CR, and as after its LF."""
    state = with_requests(options=options)
    if not open_:
        state = play(state, [EMPTY]).state
    for ends in ENDS:
        seen: list[tuple[Fault | None, list[Event]]] = []
        for before in (b"", b"\r", b"\r\n", b"\r\n\r"):
            step = ends(play(state, [before] if before else []).state)
            seen.append((step.fault, step.responses))
        assert seen[1:] == seen[:-1]


@pytest.mark.parametrize("options", [LENIENT, ONLY])
@pytest.mark.parametrize("after", [b"\n", b"\r\n", b"\r", b"\n\r\n", b"X"])
def test_nothing_unasked_is_accepted_behind_a_cr(after: bytes, options: Config) -> None:
    """The CR is kept, so that the next response would begin with it."""
    state = play(with_requests(options=options), [EMPTY, b"\r"]).state
    step = state.unasked(after)
    assert step.fault is not None
    assert step.fault.reason == "unexpected_data"
    assert not step.state.is_open_read
