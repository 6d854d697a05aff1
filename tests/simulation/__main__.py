"""Run programs of mint on a simulated operating system: explore many schedules, or repeat one."""

from __future__ import annotations

import argparse
import os
import sys

from .explore import explore
from .patches import simulated_system
from .run import run
from .shrink import shrink
from .table import ROWS


def repeat(name: str, seed: int | None, recorded: list[int], *, smaller: bool) -> int:
    """Run one schedule, shrink it if it fails, and print its events."""
    row = ROWS[name]
    with simulated_system():
        result = run(row, seed, recorded)
        choices = list(result.choices)
        if result.violations and smaller:
            choices = shrink(row, choices, result.violations[0])
        result = run(row, recorded=choices, traced=True)
    print(*result.trace, sep="\n")
    print(f"{name}: {len(result.trace)} events; {'; '.join(result.violations) or 'no invariant is violated'}")
    print("repeat with: --row", repr(name), "--choices", ",".join(map(str, choices)) or "0")
    return 1 if result.violations else 0


def main() -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--schedules", type=int, help="the number of schedules to run (default 1,000)")
    parser.add_argument(
        "--seconds", type=float, help="how long to run, unless the number of --schedules is reached first"
    )
    parser.add_argument(
        "--seed", type=int, default=1, help="the seed of the exploration, or of the one --row (default 1)"
    )
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="the number of processes (default: one per CPU)"
    )
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="PART", help="run only rows whose names contain these parts"
    )
    parser.add_argument("--rows", action="store_true", help="print the names of all rows and exit")
    parser.add_argument("--row", choices=ROWS, metavar="ROW", help="repeat one schedule of this row")
    parser.add_argument(
        "--choices", metavar="NUMBERS", help="the decisions of the schedule to repeat, instead of a seed"
    )
    parser.add_argument("--whole", action="store_true", help="do not shrink a schedule that fails")
    given = parser.parse_args()
    if given.rows:
        print(*ROWS, sep="\n")
        return 0
    if given.row is not None:
        recorded = [int(each) for each in given.choices.split(",")] if given.choices else []
        seed = None if recorded else given.seed
        return repeat(given.row, seed, recorded, smaller=not given.whole)
    count = given.schedules
    if count is None and given.seconds is None:
        count = 1_000
    return explore(
        seed=given.seed,
        count=count,
        seconds=given.seconds,
        jobs=given.jobs,
        patterns=given.only,
    )


if __name__ == "__main__":
    sys.exit(main())
