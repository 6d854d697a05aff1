"""Status lines of which one octet is another, or which are cut off, compared with a pattern."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from mint._core.events import Status, StatusReason
from tests.http1_driver import config, octets, play, with_requests

if TYPE_CHECKING:
    from collections.abc import Iterator

# RFC 9112 4; a status below 100 is none, and 101 needs an upgrade.
STRICT = re.compile(rb"HTTP/1\.([0-9]) ([1-9][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?")
TOLERANT = re.compile(rb"HTTP/1\.([0-9])[ \t]+([1-9][0-9]{2})(?:[ \t]([^\0\r\n]*))?")
LINES = (b"HTTP/1.1 200 OK", b"HTTP/1.0 404", b"HTTP/1.1 299 ", b"HTTP/1.1  200 OK", b"HTTP/1.1\t200\tOK")
INTERIM = frozenset(range(100, 200))


def near(line: bytes) -> Iterator[bytes]:
    """Yield the line, its beginnings, and lines that differ from it in one octet or have one more."""
    yield line
    for place in range(len(line)):
        yield line[:place]
        for octet in range(256):
            if octet != 0x0A:  # it would end the line
                yield line[:place] + bytes([octet]) + line[place + 1 :]
                yield line[:place] + bytes([octet]) + line[place:]


@pytest.mark.parametrize("tolerance", ["none", "all"])
@pytest.mark.parametrize("line", LINES)
def test_exactly_the_lines_of_the_pattern_are_accepted(line: bytes, tolerance: str) -> None:
    options = config(status_reason=True, lenient=tolerance == "all")
    state = with_requests(options=options)
    for given in near(line):
        found = (TOLERANT if tolerance == "all" else STRICT).fullmatch(given)
        if found is None and tolerance == "all" and given[:1] in {b"", b"\r"}:
            continue  # empty lines are tolerated
        step = state.feed(given + b"\r\n")
        if found is None:
            assert step.fault is not None, given
            assert step.fault.reason == "invalid_status_line", given
            assert play(state, octets(given + b"\r\n")).reason == "invalid_status_line", given
            continue
        status = int(found[2])
        if status == 101:
            assert step.fault is not None
            assert step.fault.reason == "unexpected_upgrade"
            continue
        assert step.fault is None, given
        if status not in INTERIM:
            assert [each.status for each in step.responses if isinstance(each, Status)] == [status]
            reasons = [each.reason for each in step.responses if isinstance(each, StatusReason)]
            assert reasons == [(found[3] or b"").decode("latin-1")], given
