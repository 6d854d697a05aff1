"""Costs other than the time of an operation: the memory of idle connections, the CPU time of an import."""

from __future__ import annotations

import gc
import os
import resource
import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from .measure import MissingError

if TYPE_CHECKING:
    from collections.abc import Callable

LACKING = 3
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Idle:
    """Idle connections: how many to make, and how many exchanges each has had."""

    number: int
    exchanges: int = 0


@dataclass(frozen=True, slots=True)
class Importing:
    """The import of a library in a fresh interpreter."""


def _resident() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


# An installation has compiled files, so every contender gets them, in a separate folder.
_ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
    "PYTHONPYCACHEPREFIX": str(Path(__file__).resolve().parent.parent / "build" / "bench" / "compiled"),
}


def children() -> float:
    """Return the CPU seconds of the child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Growth:
    """How much a fresh process grows with each connection: from N to 2 N connections, divided by N."""

    def __init__(self, where: str, work: Idle) -> None:
        more = [where, str(work.number), str(work.exchanges)]
        self._command = [sys.executable, "-m", "bench.footprint", *more]

    def check(self) -> None:
        """Check that it runs."""
        self.seconds(0)

    def seconds(self, budget: float) -> float:
        """Return octets; the method has this name in every task."""
        del budget
        run = subprocess.run(self._command, capture_output=True, text=True, check=False)
        if run.returncode == LACKING:
            raise MissingError(run.stdout.strip())
        assert run.returncode == 0, run.stderr[-1600:]
        return float(run.stdout)


class Import:
    """CPU time of a fresh interpreter that imports something, minus that of one that does not."""

    TIMES = 5

    def __init__(self, names: str) -> None:
        self._code = f"import {names}"

    def check(self) -> None:
        """Import once: this also writes the compiled files."""
        run = subprocess.run(
            [sys.executable, "-c", self._code], capture_output=True, check=False, env=_ENVIRONMENT
        )
        if run.returncode:
            raise MissingError(run.stderr.decode().strip().splitlines()[-1])

    def _spent(self, code: str) -> float:
        before = children()
        for _ in range(self.TIMES):
            subprocess.run([sys.executable, "-c", code], check=True, env=_ENVIRONMENT)
        return (children() - before) / self.TIMES

    def seconds(self, budget: float) -> float:
        """Return the difference."""
        del budget
        return self._spent(self._code) - self._spent("pass")


def main() -> None:
    """Run `bench.footprint MODULE:FUNCTION NUMBER EXCHANGES`: print the octets of one connection."""
    where, number, exchanges = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    module, _, name = where.partition(":")
    try:
        found = import_module(f"bench.contenders.{module}")
        make: Callable[[int, int], list[object]] = getattr(found, name)
    except (ImportError, AttributeError) as error:
        print(error)
        sys.exit(LACKING)
    kept = [make(number, exchanges)]
    first = _resident()
    kept.append(make(number, exchanges))
    print((_resident() - first) / number)


if __name__ == "__main__":
    main()
