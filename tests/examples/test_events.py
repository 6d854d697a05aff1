from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from events import EventTooLargeError, Parser, ServerEvent, events
from hypothesis import given
from hypothesis import strategies as st

from mint.testing import Response

from .serving import PROTOCOLS, Protocol, connected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mint.testing import Request

TEXT = (
    "\ufeff: a comment\n\nretry: 100\nretry: soon\n"
    "data: one\r\n\r\nevent: add\rdata:two\rdata: three\r\r"
    "id: 7\ndata\n\nid: bad\0\nunknown: x\ndata: gr\u00fc\u00df\n\ndata: cut short"
).encode()
EVENTS = [
    ServerEvent("message", "one", ""),
    ServerEvent("add", "two\nthree", ""),
    ServerEvent("message", "", "7"),
    ServerEvent("message", "gr\u00fc\u00df", "7"),
]


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_events_are_parsed_however_they_are_split(size: int) -> None:
    parser = Parser()
    found: list[ServerEvent] = []
    for start in range(0, len(TEXT), size):
        found += parser.feed(TEXT[start : start + size])
    assert found == EVENTS
    assert parser.retry == 100


def parsed(pieces: list[bytes]) -> list[ServerEvent]:
    parser = Parser()
    return [event for piece in pieces for event in parser.feed(piece)]


LINES = st.lists(st.sampled_from(["data: x", "data", "id: 1", "event: e", ":c", "", "retry: 1", "\u20ac"]))
ENDS = st.sampled_from(["\r", "\n", "\r\n"])


@given(LINES, st.lists(ENDS, min_size=1), st.lists(st.integers(0, 200)))
def test_any_line_ends_split_anywhere(lines: list[str], ends: list[str], places: list[int]) -> None:
    # A line that ends with CR, before an empty line that ends with LF, would make one CRLF.
    text = "".join(line + ends[number % len(ends)] for number, line in enumerate(lines)).encode()
    places = sorted({0, len(text), *(place for place in places if place < len(text))})
    pieces = [text[start:end] for start, end in pairwise(places)]
    assert parsed(pieces) == parsed([text]) == naive(text.decode())


def naive(text: str) -> list[ServerEvent]:
    found, kind, data, last = [], "", list[str](), ""
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:-1]:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                found.append(ServerEvent(kind or "message", "\n".join(data), last))
            kind, data = "", []
        elif name == "data":
            data.append(value)
        elif name == "event":
            kind = value
        elif name == "id":
            last = value
    return found


def test_long_lines_take_linear_time_and_have_a_limit() -> None:
    parser = Parser(max_size=50_000_000)
    for _ in range(20_000):
        assert not list(parser.feed(b"x" * 1000))
    assert len(parser._line) == 20_000  # the pieces are not joined yet
    with pytest.raises(EventTooLargeError):
        list(Parser(max_size=1000).feed(b"data: " + b"x" * 2000))
    many = Parser(max_size=1000)
    with pytest.raises(EventTooLargeError):
        for _ in range(1000):
            list(many.feed(b"data: x\n"))
    quiet = Parser(max_size=1000)
    for _ in range(10_000):
        assert not list(quiet.feed(b": still there\n"))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_events_come_from_a_server(protocol: Protocol) -> None:
    def handler(request: Request) -> Response:
        assert request.header("last-event-id") == "6"
        return Response(200, (("content-type", "text/event-stream"),), body())

    def body() -> Iterator[bytes]:
        for start in range(0, len(TEXT), 10):
            yield TEXT[start : start + 10]

    with connected(protocol, handler) as conn:
        assert list(events(conn, "/", last_id="6")) == EVENTS


def test_a_refusal_raises_an_error() -> None:
    with connected() as conn, pytest.raises(ConnectionError, match="404"):
        list(events(conn, "/nothing"))
