"""aiohttp's C parser: llhttp again, with aiohttp's message objects and body streams."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_parser import HttpResponseParser

from ._http1 import message, replay

if TYPE_CHECKING:
    from aiohttp.http_parser import RawResponseMessage
    from aiohttp.streams import StreamReader

    from ..measure import Task
    from ..work import Message, Responses

    Native = tuple[RawResponseMessage, StreamReader]


def responses(work: Responses) -> Task:
    loop = asyncio.new_event_loop()

    def parser(_: int) -> HttpResponseParser:
        return HttpResponseParser(
            BaseProtocol(loop=loop),
            loop,
            1 << 30,
            max_line_size=1 << 17,
            max_headers=512,
            max_field_size=1 << 17,
            auto_decompress=False,
        )

    def run(one: HttpResponseParser, reads: tuple[bytes, ...]) -> list[Native]:
        out: list[Native] = []
        for octets in reads:
            messages, _, _ = one.feed_data(octets)
            out += messages
        return out

    def normal(native: list[Native]) -> list[Message]:
        return [
            message(head.code, head.raw_headers, body.read_nowait() if body.total_bytes else b"")
            for head, body in native
        ]

    return replay(work, parser, run, normal)
