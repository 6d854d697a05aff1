"""The search for a smaller transcript: the best one so far, and whether a candidate is better."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from ..transcripts._reading import Beginning, Entry, Transcript, TranscriptError
from .remaking import Edit, remade, weight

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Check = Callable[[Transcript], bool]

_T = TypeVar("_T")


class Search:
    """The smallest transcript so far that passes the check."""

    def __init__(self, best: Transcript, check: Check) -> None:
        self.best = best
        self._weight = weight(best)
        self._check = check

    def accepts(self, base: Transcript, edit: Edit) -> bool:
        """Whether the edited transcript is smaller than the best one and passes; then it becomes the best."""
        candidate = remade(base, edit)
        found = weight(candidate)
        if found >= self._weight or not _can_begin(candidate, edit) or not self._check(candidate):
            return False
        self.best, self._weight = candidate, found
        return True


def _can_begin(candidate: Transcript, edit: Edit) -> bool:
    """Whether the engine accepts the options of connections, if the edit changes any."""
    try:
        for part in candidate.parts if edit.options else ():
            if isinstance(part, Beginning):
                part.config()
    except TranscriptError:
        return False
    return True


def reduced(items: Sequence[_T], keeps: Callable[[Sequence[_T]], bool]) -> Iterator[Sequence[_T]]:
    """Remove items, at first many at once and then fewer, as long as `keeps` accepts the rest."""
    size = len(items)
    while size and items:
        start = 0
        while start < len(items):
            shorter = [*items[:start], *items[start + size :]]
            if keeps(shorter):
                items = shorter
                yield items
            else:
                start += size
        size //= 2


def entries(transcript: Transcript, verb: str = "") -> list[tuple[int, Entry]]:
    """Return the steps of a transcript with their places; with `verb`, only those of one kind."""
    return [
        (at, part)
        for at, part in enumerate(transcript.parts)
        if isinstance(part, Entry) and (not verb or part.call.verb == verb)
    ]
