from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from events import Parser, ServerEvent, events

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
def test_events_are_parsed_wherever_they_are_cut(size: int) -> None:
    parser = Parser()
    found: list[ServerEvent] = []
    for start in range(0, len(TEXT), size):
        found += parser.feed(TEXT[start : start + size])
    assert found == EVENTS
    assert parser.retry == 100


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


def test_a_refusal_is_told() -> None:
    with connected() as conn, pytest.raises(ConnectionError, match="404"):
        list(events(conn, "/nothing"))
