"""Floors: what it costs just to copy the content once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..measure import Rounds

if TYPE_CHECKING:
    from ..measure import Task
    from ..work import Responses


def bodies(work: Responses) -> Task:
    kept = [
        [memoryview(message.body) for message in batch.messages] for batch in work.batches
    ]

    def run(views: list[memoryview]) -> list[bytes]:
        return [bytes(view) for view in views]

    def verify(number: int, native: list[bytes]) -> None:
        assert native == [message.body for message in work.batch(number).messages]

    return Rounds(lambda number: kept[number % len(kept)], run, verify, work.operations)
