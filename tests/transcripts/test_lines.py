"""Secrets in lines of HTTP/1 responses are masked, however the lines are split into reads."""

from __future__ import annotations

import io
from itertools import combinations

import pytest

import mint
from mint.transcripts._reading import Entry, read_transcript


def recorded_input(pieces: list[bytes]) -> bytes:
    """Return what a transcript contains of a response over HTTP/1 that arrives in pieces."""
    out = io.StringIO()
    link = mint.transport.Memory(reads=True)
    conn, _ = mint.http1.initiate(link, scheme="http", hostname="h", identity=7, record=out).request(
        "GET", "/"
    )
    for piece in pieces:
        link.put(piece)
        conn, _ = conn.recv(timeout=1)
    return b"".join(
        part.call.arguments[0]
        for part in read_transcript(io.StringIO(out.getvalue())).parts
        if isinstance(part, Entry) and part.call.verb == "feed" and isinstance(part.call.arguments[0], bytes)
    )


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        (b"x: a//u:p@h/b\r\n", b"x: a//xxx@h/b\r\n"),
        (b"x: //a /u@h ://u@h\r\n", b"x: //a /u@h ://x@h\r\n"),
        (b"cookie: key\r\n", b"cookie: xxx\r\n"),
        (b"cookie: k\r\n e\r\n\ty\r\nb: c\r\n", b"cookie: x\r\n x\r\n\tx\r\nb: c\r\n"),
        (b"cookies: key\r\n", b"cookies: key\r\n"),
        (b"xcookie: key\r\n", b"xcookie: key\r\n"),
        (b"a: cookie: key\r\n", b"a: cookie: key\r\n"),
    ],
)
def test_lines_are_masked_wherever_they_are_split(line: bytes, masked: bytes) -> None:
    """At any two places, so that a secret may begin in the middle of a line whose start was recorded."""
    before, after = b"HTTP/1.1 200 OK\r\n", b"content-length: 0\r\n\r\n"
    octets = before + line + after
    cuts = range(len(before) - 1, len(before + line) + 2)
    assert recorded_input([octets]) == before + masked + after
    for one, two in combinations(cuts, 2):
        pieces = [octets[:one], octets[one:two], octets[two:]]
        assert recorded_input(pieces) == before + masked + after, pieces
