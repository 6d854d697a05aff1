"""Floors: the cost of copying the content once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..measure import Rounds
from ..streams import Down, Up
from ..work import cut

if TYPE_CHECKING:
    from ..measure import Task
    from ..work import Responses

READ = 1 << 16


def bodies(work: Responses) -> Task:
    # In pieces of the size of a read: a larger copy causes page faults, which are not to be measured.
    kept = [
        [memoryview(piece) for message in batch.messages for piece in cut(message.body, READ)]
        for batch in work.batches
    ]

    def run(views: list[memoryview]) -> list[bytes]:
        return [bytes(view) for view in views]

    def verify(number: int, native: list[bytes]) -> None:
        expected = b"".join(message.body for message in work.batch(number).messages)
        assert b"".join(native) == expected

    return Rounds(lambda number: kept[number % len(kept)], run, verify, work.operations)


def content(work: Down | Up) -> Task:
    """Copy each piece once and drop the copy."""
    pieces = work.reads if isinstance(work, Down) else work.pieces
    views = [memoryview(piece) for piece in pieces]

    def run(_: None) -> None:
        for view in views:
            bytes(view)

    return Rounds(lambda _: None, run, lambda *_: None, 1)
