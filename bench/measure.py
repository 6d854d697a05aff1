"""Contenders and rows, and how contenders are timed in turns.

Nothing here depends on mint, on another library, or on a workload.
"""

from __future__ import annotations

import gc
import statistics
import time
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, Protocol  # each contender has types of its own

if TYPE_CHECKING:
    from collections.abc import Callable

Kind = Literal["mint", "peer", "limit"]
Unit = Literal["seconds", "octets"]

BUDGET = 0.1
"""The usual CPU seconds of a sample."""


class MissingError(Exception):
    """This machine lacks something that a contender needs; the message names it."""


class Task(Protocol):
    """One contender with one workload, ready to run."""

    def check(self) -> None:
        """Raise `AssertionError` unless the normalised result is the expected one."""

    def seconds(self, budget: float) -> float:
        """Run for about `budget` seconds of CPU and return the CPU seconds of one operation."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A name in the tables, and the `module:function` that makes a Task of a workload.

    With `apart`, the function is loaded in a separate process, which does the errand of the workload. For
    rows about memory, the function makes connections. For rows about imports, `where` is what is imported.
    """

    name: str
    kind: Kind
    where: str
    apart: bool = False

    def task(self, work: object) -> Task:
        """Load the contender; raise `MissingError` if this machine lacks what it needs."""
        from .footprint import Growth, Idle, Import, Importing  # noqa: PLC0415  # imports this module
        from .net import Apart, Errand  # noqa: PLC0415  # imports this module

        if self.apart:
            assert isinstance(work, Errand)
            return Apart(self.where, work)
        if isinstance(work, Idle):
            return Growth(self.where, work)
        if isinstance(work, Importing):
            return Import(self.where)
        module, _, function = self.where.partition(":")
        try:
            make = getattr(import_module(f"bench.contenders.{module}"), function)
        except (ImportError, AttributeError) as error:
            raise MissingError(str(error)) from None
        task: Task = make(work)
        return task


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal for mint: at most `factor` times the result of contender `of`, or at most `most`."""

    who: str
    factor: float = 0.0
    of: str = ""
    most: float = 0.0
    unit: Unit = "seconds"

    def __str__(self) -> str:
        if self.of:
            return f"{self.who} <= {self.factor:g} x {self.of}"
        return f"{self.who} <= {quantity(self.most, self.unit)}"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: a workload, its contenders, and the goals."""

    key: str
    table: str
    title: str
    work: Callable[[], object]
    contenders: tuple[Contender, ...]
    goals: tuple[Goal, ...] = ()
    unit: Unit = "seconds"


@dataclass(slots=True)
class Outcome:
    """The results of a row."""

    row: Row
    medians: dict[str, float] = field(default_factory=dict)
    spreads: dict[str, float] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def kind(self, name: str) -> Kind:
        """Return the kind of the contender with a name."""
        return next(one.kind for one in self.row.contenders if one.name == name)

    @property
    def best_peer(self) -> str | None:
        """The fastest of the peers that ran."""
        peers = [name for name in self.medians if self.kind(name) == "peer"]
        return min(peers, key=self.medians.__getitem__, default=None)

    def judge(self, goal: Goal) -> tuple[float, bool] | None:
        """Return what mint reached, in the measure of the goal, and whether the goal is met."""
        mine = self.medians.get(goal.who)
        if mine is None:
            return None
        if not goal.of:
            return mine, mine <= goal.most
        other = self.medians.get(goal.of)
        return None if other is None else (mine / other, mine <= goal.factor * other)


def duration(seconds: float) -> str:
    """Return a time as text, in a suitable unit."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def quantity(value: float, unit: str) -> str:
    """Return a measured value as text."""
    return duration(value) if unit == "seconds" else f"{value / 1024:.3g} KB"


def measure(row: Row, repeats: int, budget: float) -> Outcome:
    """Verify every contender, then time them in turns and return the medians."""
    outcome = Outcome(row)
    try:
        work = row.work()
    except (MissingError, ImportError) as error:
        outcome.missing = {contender.name: str(error) for contender in row.contenders}
        return outcome
    tasks: dict[str, Task] = {}
    for contender in row.contenders:
        try:
            tasks[contender.name] = contender.task(work)
            tasks[contender.name].check()
        except MissingError as error:
            tasks.pop(contender.name, None)
            outcome.missing[contender.name] = str(error)
        except AssertionError as error:
            raise AssertionError(f"{row.key}: {contender.name}: {error}") from error
    samples: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(repeats):
        for name, task in tasks.items():
            gc.collect()
            samples[name].append(task.seconds(budget))
    for name, times in samples.items():
        outcome.medians[name] = statistics.median(times)
        outcome.spreads[name] = (max(times) - min(times)) / outcome.medians[name]
    return outcome


class Rounds:
    """A task that runs in rounds in this process: `ready` prepares a round and is not timed; `run` is timed.

    `run` returns results in the contender's own form; freeing them is timed, too. `verify` raises
    `AssertionError` if they are wrong.
    """

    def __init__(
        self,
        ready: Callable[[int], Any],
        run: Callable[[Any], object],
        verify: Callable[[int, Any], None],
        operations: int,
    ) -> None:
        self.ready = ready
        self.run = run
        self._verify = verify
        self.operations = operations
        self._next = 0

    def check(self) -> None:
        """Verify two rounds."""
        for _ in range(2):
            number = self._next
            self._next += 1
            self._verify(number, self.run(self.ready(number)))

    def seconds(self, budget: float) -> float:
        """Run rounds until the timed work takes `budget` seconds, or everything ten times as long."""
        ready, run, clock = self.ready, self.run, time.process_time
        spent, rounds, began = 0.0, 0, clock()
        while (spent < budget and clock() - began < 10 * budget) or not rounds:
            work = ready(self._next)
            self._next += 1
            start = clock()
            run(work)
            spent += clock() - start
            rounds += 1
        return spent / (rounds * self.operations)
