"""Runs many schedules in several processes, and reports each violation once."""

from __future__ import annotations

import multiprocessing
import random
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

from .patches import simulated_system
from .run import run
from .table import ROWS, weight

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .table import Row

BATCH = 50
"""How many schedules a process gets at a time."""

LONGEST = 600.0
"""Seconds after which a process that has not done its batch is given up: a run waits for a real lock."""


class Failure(NamedTuple):
    """A violation: in which row, under which seed."""

    row: str
    seed: int
    violation: str


class Batch(NamedTuple):
    """The result of a batch of schedules."""

    schedules: int
    failures: tuple[Failure, ...]


def schedules(seed: int, chosen: Sequence[Row]) -> Iterator[tuple[Row, int]]:
    """Return an endless sequence of rows with seeds: first every row once, then by weight."""
    number = seed * 1_000_000
    for row in chosen:
        yield row, number
        number += 1
    shuffled = random.Random(seed)
    weights = [weight(row) for row in chosen]
    while True:
        for row in shuffled.choices(chosen, weights, k=1_000):
            yield row, number
            number += 1


def work(given: list[tuple[Row, int]]) -> Batch:
    """Run some schedules."""
    failures: list[Failure] = []
    with simulated_system():
        for row, seed in given:
            failures += [Failure(str(row), seed, violation) for violation in run(row, seed).violations]
    return Batch(len(given), tuple(failures))


def explore(  # noqa: C901  # gives out work, takes results, sums up
    *,
    seed: int,
    count: int | None,
    seconds: float | None,
    jobs: int,
    patterns: Sequence[str] = (),
) -> int:
    """Run `count` schedules, or for `seconds`; return the exit code."""
    chosen = [row for name, row in ROWS.items() if all(each in name for each in patterns)]
    if not chosen:
        print("no row has a name with all these parts: --rows prints the names", file=sys.stderr)
        return 2
    begun = time.monotonic()
    source = schedules(seed, chosen)
    found: dict[tuple[str, str], Failure] = {}
    done = 0
    shown = begun

    def batches() -> Iterator[list[tuple[Row, int]]]:
        given = 0
        while count is None or given < count:
            if seconds is not None and time.monotonic() - begun > seconds:
                return
            size = BATCH if count is None else min(BATCH, count - given)
            given += size
            yield [next(source) for _ in range(size)]

    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        waiting: list[multiprocessing.pool.AsyncResult[Batch]] = []
        todo = batches()
        while True:
            while len(waiting) < 2 * jobs and (given := next(todo, None)) is not None:
                waiting.append(pool.apply_async(work, (given,)))
            if not waiting:
                break
            batch = waiting.pop(0).get(LONGEST)
            done += batch.schedules
            for failure in batch.failures:
                if (failure.row, failure.violation) not in found:
                    found[failure.row, failure.violation] = failure
                    print(f"{failure.row} --seed {failure.seed}: {failure.violation}", flush=True)
            if time.monotonic() - shown > 10:
                shown = time.monotonic()
                print(f"{done} schedules, {len(found)} failures, {shown - begun:.0f} s", flush=True)
    took = time.monotonic() - begun
    print(f"{done} schedules of {len(chosen)} rows from seed {seed} in {took:.0f} s: {len(found)} failures")
    return 1 if found else 0
