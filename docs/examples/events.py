"""Server-sent events: a response that does not end, parsed as it comes (WHATWG HTML, 9.2)."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import TYPE_CHECKING

import mint

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class ServerEvent:
    type: str
    data: str
    last_id: str


class Parser:
    """Turns text, cut anywhere, into events."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")(errors="replace")
        self._line = ""
        self._after_return = False
        self._type = ""
        self._data: list[str] = []
        self._last_id = ""
        self.retry: int | None = None

    def feed(self, data: bytes) -> Iterator[ServerEvent]:
        text = self._decoder.decode(data)
        if self._after_return:
            text = text.removeprefix("\n")  # a line may end with both, in two pieces
        if text:
            self._after_return = text.endswith("\r")
        *lines, self._line = (self._line + text).replace("\r\n", "\n").replace("\r", "\n").split("\n")
        for line in lines:
            event = self._take(line)
            if event is not None:
                yield event

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
                self._last_id = value
            case "retry" if value.isascii() and value.isdecimal():
                self.retry = int(value)
            case _:
                pass  # comments have no name; what is not known is left out
        return None

    def _dispatch(self) -> ServerEvent | None:
        event = None
        if self._data:
            event = ServerEvent(self._type or "message", "\n".join(self._data), self._last_id)
        self._type, self._data = "", []
        return event


def events(conn: mint.Connection, target: str, *, last_id: str = "") -> Iterator[ServerEvent]:
    """Yield events until the server ends the response; closing the iterator closes the connection."""
    headers = [("accept", "text/event-stream"), ("cache-control", "no-store")]
    if last_id:
        headers.append(("last-event-id", last_id))
    parser = Parser()
    with conn:
        conn, _ = conn.request("GET", target, headers)
        while conn.open_request_count:
            conn, responses = conn.recv()
            for response in responses:
                match response:
                    case mint.Status(status=status) if status != 200:
                        raise ConnectionError(f"the server answered {status}")
                    case mint.Data(data=data):
                        yield from parser.feed(data)
                    case mint.RequestFailed(error=error):
                        raise error
                    case _:
                        pass
