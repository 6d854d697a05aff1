"""httptools: llhttp behind Python callbacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httptools

from ._http1 import message, replay

if TYPE_CHECKING:
    from ..measure import Task
    from ..work import Message, Responses

    Native = tuple[int, list[tuple[bytes, bytes]], list[bytes]]


class _Reader:
    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.done: list[Native] = []
        self.fields: list[tuple[bytes, bytes]] = []
        self.body: list[bytes] = []

    def on_message_begin(self) -> None:
        self.fields = []
        self.body = []

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name, value))

    def on_body(self, octets: bytes) -> None:
        self.body.append(octets)

    def on_message_complete(self) -> None:
        self.done.append((self.parser.get_status_code(), self.fields, self.body))


def responses(work: Responses) -> Task:
    reader = _Reader()

    def run(_: None, reads: tuple[bytes, ...]) -> list[Native]:
        done: list[Native] = []
        reader.done = done
        feed = reader.parser.feed_data
        for octets in reads:
            feed(octets)
        return done

    def normal(native: list[Native]) -> list[Message]:
        return [message(status, fields, b"".join(body)) for status, fields, body in native]

    return replay(work, lambda _: None, run, normal)
