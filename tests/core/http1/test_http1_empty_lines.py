"""Empty lines between responses, which a switch tolerates: what follows is never a part of them."""

from __future__ import annotations

import pytest

from tests.http1_driver import HEAD, LENIENT, cut, play, with_requests

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
