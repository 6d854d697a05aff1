"""The standard library's http.client over a file in memory; reads of one octet through BufferedReader."""

from __future__ import annotations

import io
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any  # each package has types of its own

from ..work import Message
from ._http1 import replay

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _typeshed import WriteableBuffer

    from ..measure import Task
    from ..work import Responses

    Native = tuple[HTTPResponse, bytes]


class _Wire(io.RawIOBase):
    def __init__(self, reads: tuple[bytes, ...]) -> None:
        self._reads: Iterator[bytes] = iter(reads)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        target = memoryview(buffer)
        piece = self._rest or next(self._reads, b"")
        size = min(len(piece), len(target))
        target[:size] = piece[:size]
        self._rest = piece[size:]
        return size


class _Socket:
    """The part of a socket that HTTPResponse uses. One buffered file serves all responses."""

    def __init__(self, reads: tuple[bytes, ...]) -> None:
        self._file = io.BufferedReader(_Wire(reads), 1 << 16)

    def makefile(self, _: str) -> io.BufferedReader[Any]:
        return self._file


class _Response(HTTPResponse):
    def _close_conn(self) -> None:
        # The file must stay open: it contains the next response, too.
        self.fp = None  # type: ignore[assignment]  # as the original does


def responses(work: Responses) -> Task:
    def run(number: int, reads: tuple[bytes, ...]) -> list[Native]:
        wire: Any = _Socket(reads)
        out: list[Native] = []
        for _ in range(number):
            response = _Response(wire, method="GET")
            response.begin()
            out.append((response, response.read()))
        return out

    def normal(native: list[Native]) -> list[Message]:
        return [
            Message(
                response.status,
                tuple((name.lower(), value) for name, value in response.getheaders()),
                body,
            )
            for response, body in native
        ]

    return replay(work, lambda number: number, run, normal)
