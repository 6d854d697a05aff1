"""Server-sent events: a response that does not end, parsed while it arrives (WHATWG HTML, 9.2)."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import mint

if TYPE_CHECKING:
    from collections.abc import Iterator

LINE_END = re.compile("\r\n|\r|\n")


class EventTooLargeError(ValueError):
    """A line or the data of one event is longer than was allowed."""


@dataclass(frozen=True)
class ServerEvent:
    type: str
    data: str
    last_id: str


class Parser:
    """Parses bytes, split anywhere, into events. It keeps at most `max_size` characters of one event."""

    def __init__(self, *, max_size: int = 1_000_000) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")(errors="replace")
        self._line: list[str] = []  # joined once, at the end of the line
        self._after_return = False
        self._type = ""
        self._data: list[str] = []
        self._size = 0
        self._max_size = max_size
        self.last_id = ""
        self.retry: int | None = None

    def feed(self, data: bytes) -> Iterator[ServerEvent]:
        text = self._decoder.decode(data)
        if not text:
            return
        if self._after_return:
            text = text.removeprefix("\n")  # the rest of a CR LF that arrived in two pieces
            self._after_return = False
        self._after_return = text.endswith("\r")
        *lines, rest = LINE_END.split(text)
        for line in lines:
            self._count(len(line) + 1)
            whole = "".join((*self._line, line))
            self._line.clear()
            event = self._take(whole)
            if event is not None:
                yield event
        if rest:
            self._count(len(rest))
            self._line.append(rest)

    def _count(self, size: int) -> None:
        self._size += size
        if self._size > self._max_size:
            raise EventTooLargeError(f"an event is longer than {self._max_size} characters")

    def _take(self, line: str) -> ServerEvent | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "event":
                self._type = value
            case "data":
                self._data.append(value)
            case "id" if "\0" not in value:
                self.last_id = value
            case "retry" if value.isascii() and value.isdecimal() and len(value) < 10:
                self.retry = int(value)
            case _:
                pass  # a comment, which has no name, or an unknown field
        if not self._data and not self._type:
            self._size = 0  # comments keep a connection alive, so there may be any number of them
        return None

    def _dispatch(self) -> ServerEvent | None:
        event = None
        if self._data:
            event = ServerEvent(self._type or "message", "\n".join(self._data), self.last_id)
        self._type, self._data, self._size = "", [], 0
        return event


def events(
    conn: mint.Connection, target: str, *, last_id: str = "", silence: float | None = None
) -> Iterator[ServerEvent]:
    """Yield events until the server ends the response; closing the iterator closes the connection.

    `silence` is how many seconds may pass without anything from the server.
    """
    headers = [("accept", "text/event-stream"), ("cache-control", "no-store")]
    if last_id:
        headers.append(("last-event-id", last_id))
    parser = Parser()
    with conn:
        conn, ref = conn.request("GET", target, headers)
        while True:
            conn, responses = conn.recv(timeout=silence)
            for response in responses:
                match response:
                    case mint.Status(ref=each, status=status) if each == ref and status != 200:
                        raise ConnectionError(f"the server answered {status}")
                    case mint.Data(ref=each, data=data) if each == ref:
                        yield from parser.feed(data)
                    case mint.Done(ref=each) if each == ref:
                        return
                    case mint.RequestFailed(ref=each, error=error) if each == ref:
                        raise error
                    case _:
                        pass  # a Pong, a push, or a kind of response that a later version of mint adds
