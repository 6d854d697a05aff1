"""The process that runs under callgrind: one warm round of every counted row, between marks."""

from __future__ import annotations

import ctypes
import gc
import pickle
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .measure import Rounds
from .rows import ROWS

if TYPE_CHECKING:
    from collections.abc import Callable

WARM = 2


def main() -> None:
    """Run `bench.counting MARKS FOLDER`: each file in the folder is the workload of a row."""
    marks = ctypes.CDLL(sys.argv[1])
    begin: Callable[[], object] = marks.marks_begin
    end: Callable[[bytes], object] = marks.marks_end
    for path in sorted(Path(sys.argv[2]).glob("*.work")):
        row = next(row for row in ROWS if row.key == path.stem)
        work = pickle.loads(path.read_bytes())  # written by the parent process
        for contender in row.contenders:
            if contender.kind != "mint":
                continue
            task = contender.task(work)
            assert isinstance(task, Rounds)
            for number in range(WARM):
                task.run(task.ready(number))
            work_now = task.ready(WARM)
            gc.collect()
            gc.disable()
            begin()
            task.run(work_now)
            end(f"{row.key} {contender.name}|{task.operations}".encode())
            gc.enable()


main()
