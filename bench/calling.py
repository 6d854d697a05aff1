"""The process whose system calls are counted: `bench.calling ROW ROUNDS` runs mint's task of one row."""

from __future__ import annotations

import sys

from .measure import Rounds
from .rows import ROWS


def main() -> None:
    """Run the rounds."""
    row = next(row for row in ROWS if row.key == sys.argv[1])
    task = next(one for one in row.contenders if one.kind == "mint").task(row.work())
    assert isinstance(task, Rounds)
    for number in range(int(sys.argv[2])):
        task.run(task.ready(number))
    print(task.operations)


main()
