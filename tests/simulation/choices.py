"""The source of every decision of a run: a seed, or the record of another run.

A decision is a number below a bound, and 0 is the plainest: deliver everything, interrupt nothing. A run
is therefore made simpler by replacing decisions with 0 or by leaving some out.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

_T = TypeVar("_T")


class Choices:
    """A source of decisions that remembers what it decided."""

    def __init__(self, seed: str | None = None, recorded: Sequence[int] = ()) -> None:
        """Decide by the seed; without a seed, repeat the recorded decisions, and then decide 0."""
        self.made: list[int] = []
        self._recorded = recorded
        self._random = None if seed is None else random.Random(seed).random

    def below(self, bound: int) -> int:
        """Return a number from 0 to below `bound`."""
        if bound <= 1:
            return 0
        if self._random is not None:
            number = int(self._random() * bound)
        elif len(self.made) < len(self._recorded):
            number = self._recorded[len(self.made)] % bound
        else:
            number = 0
        self.made.append(number)
        return number

    def rarely(self, one_in: int) -> bool:
        """Return whether something happens whose probability is one in so many cases."""
        return self.below(one_in) == one_in - 1

    def of(self, options: Sequence[_T]) -> _T:
        """Return one of the options, of which the simplest is first."""
        return options[self.below(len(options))]

    def amount(self, most: int) -> int:
        """Return how much of something is moved at once: 1 to `most`, preferably all."""
        if most <= 1:
            return most
        kind = self.below(6)
        if kind <= 2:
            return most
        if kind == 3:
            return 1
        return 1 + self.below(most)
