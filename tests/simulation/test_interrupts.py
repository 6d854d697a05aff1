"""A sample of what ci/interrupts runs completely: a signal handler raises at any instruction."""

from __future__ import annotations

import random
from functools import cache

import pytest

from .interrupts import KINDS, count_of, interrupted
from .patches import simulated_system

SAMPLE = 15
"""How many instructions of each kind the test suite interrupts."""


@cache
def sample(kind: str) -> tuple[int, ...]:
    with simulated_system():
        count = count_of(KINDS[kind])
    return tuple(random.Random(kind).sample(range(1, count), SAMPLE))


# An interrupt between the creation of a coroutine and its first step causes a "never awaited" warning.
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:Exception ignored in. <coroutine:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_an_interrupt_at_any_instruction(kind: str) -> None:
    found = []
    numbers = sample(kind)
    with simulated_system():
        for number in numbers:
            outcome = interrupted(KINDS[kind], number)
            found += [(number, outcome.where, each) for each in outcome.violations]
    assert not found
