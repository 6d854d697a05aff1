"""Simplifies the schedule of a failing run as long as it still violates the same invariant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .run import run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .table import Row

MOST_RUNS = 1_500


def shrink(row: Row, choices: Sequence[int], violation: str) -> list[int]:  # noqa: C901  # two passes
    """Return the fewest and smallest choices that a limited number of runs can find."""
    best = list(choices)
    left = MOST_RUNS

    def fails(tried: list[int]) -> bool:
        nonlocal best, left
        if left <= 0:
            return False
        left -= 1
        result = run(row, recorded=tried)
        if violation not in result.violations:
            return False
        best = list(result.choices)[: len(tried)]
        while best and best[-1] == 0:
            best.pop()
        return True

    # Zeros at the end can be omitted.
    low, high = 0, len(best)
    while low < high and left:
        middle = (low + high) // 2
        if fails(best[:middle]):
            high = min(middle, len(best))
        else:
            low = middle + 1
    changed = True
    while changed and left:
        changed = False
        size = max(1, len(best) // 2)
        while size and left:
            at = 0
            while at < len(best) and left:
                before = list(best)
                if fails(before[:at] + before[at + size :]) and len(best) < len(before):
                    changed = True
                    continue
                zeroed = before[:at] + [0] * len(before[at : at + size]) + before[at + size :]
                if zeroed != before and fails(zeroed):
                    changed = True
                at += size
            size //= 2
    return best
