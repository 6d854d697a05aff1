"""Reintroduce each defect of defects.py, and count the schedules until the simulation finds it.

python -m tests.simulation.planted                  # all of them
python -m tests.simulation.planted mailbox TLS      # those whose names contain one of these parts

Each defect gets its own process, in which the modules of mint are changed when they are imported. No file is
written.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from importlib.abc import MetaPathFinder
from importlib.machinery import SourceFileLoader
from importlib.util import spec_from_file_location
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from .defects import DEFECTS, ROOT, Defect, missing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import CodeType, ModuleType

MOST = 3_000
"""The number of schedules after which a defect counts as not found."""


class Changed(SourceFileLoader):
    """Loads one module with a defect."""

    def __init__(self, fullname: str, file: str, defect: Defect) -> None:
        super().__init__(fullname, str(ROOT / file))
        self._file = file
        self._defect = defect

    def get_code(self, fullname: str) -> CodeType:
        """Return the code of the changed text, never the cached code."""
        text = (ROOT / self._file).read_text(encoding="utf-8")
        return compile(self._defect.applied(self._file, text), self.path, "exec", dont_inherit=True)


class Planter(MetaPathFinder):
    """Finds the modules that a defect changes."""

    def __init__(self, defect: Defect) -> None:
        self._defect = defect

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Find a module that is changed; leave all others to the usual finders."""
        file = fullname.replace(".", "/") + ".py"
        if file not in self._defect.files:
            return None
        return spec_from_file_location(fullname, ROOT / file, loader=Changed(fullname, file, self._defect))


class Found(NamedTuple):
    """How a defect was found; if there is no row, it was not found."""

    schedules: int
    row: str = ""
    seed: int = 0
    violation: str = ""


def search(defect: Defect, seed: int, most: int) -> Found:
    """Run schedules of the affected rows until one shows the defect, which must have been planted."""
    from .explore import schedules  # noqa: PLC0415  # it imports mint
    from .patches import simulated_system  # noqa: PLC0415  # the same
    from .run import run  # noqa: PLC0415  # the same
    from .table import ROWS  # noqa: PLC0415  # the same

    unchanged = [file for file in defect.files if not _is_changed(file)]
    if unchanged:
        raise RuntimeError(f"imported without the defect: {', '.join(unchanged)}")
    chosen = [row for name, row in ROWS.items() if defect.concerns(name)]
    with simulated_system():
        for count, (row, number) in enumerate(islice(schedules(seed, chosen), most), 1):
            for violation in run(row, number).violations:
                if defect.shows in violation:
                    return Found(count, str(row), number, violation)
    return Found(most)


def _is_changed(file: str) -> bool:
    module = sys.modules.get(file.removesuffix(".py").replace("/", "."))
    return module is not None and isinstance(module.__spec__ and module.__spec__.loader, Changed)


def planted(number: int, seed: int, most: int) -> Found:
    """Search in a separate process."""
    command = [
        sys.executable,
        "-m",
        __spec__.name,
        "--defect",
        str(number),
        "--seed",
        str(seed),
        "--most",
        str(most),
    ]
    done = subprocess.run(command, cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE)
    return Found(*json.loads(done.stdout.splitlines()[-1]))


def main() -> int:
    """Run the command line; return 1 if a defect was not found."""
    parser = argparse.ArgumentParser(prog="ci/planted --simulation", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART-OF-A-NAME")
    parser.add_argument("--seed", type=int, default=1, help="the seed of the schedules (default 1)")
    parser.add_argument("--most", type=int, default=MOST, help=f"the most schedules each (default {MOST:,})")
    parser.add_argument("--defect", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    wrong = missing()
    if wrong:
        raise SystemExit("\n".join(wrong))
    if given.defect is not None:
        defect = DEFECTS[given.defect]
        sys.meta_path.insert(0, Planter(defect))
        print(json.dumps(search(defect, given.seed, given.most)))
        return 0
    for part in given.parts:
        if not any(part in defect.name for defect in DEFECTS):
            parser.error(f"no defect is called {part!r}: see tests/simulation/defects.py")
    lines = ["| defect | schedules | in the row | violation |", "|---|---|---|---|"]
    lost = False
    for number, defect in enumerate(DEFECTS):
        if given.parts and not any(part in defect.name for part in given.parts):
            continue
        begun = time.monotonic()
        found = planted(number, given.seed, given.most)
        lost = lost or not found.row
        what = f"{found.row} --seed {found.seed}: {found.violation}" if found.row else "NOT FOUND"
        print(
            f"{defect.name}: {found.schedules} schedules, {time.monotonic() - begun:.0f} s  {what}",
            flush=True,
        )
        lines.append(
            f"| {defect.name} | {found.schedules if found.row else '**none**'} | "
            f"`{found.row}` | {found.violation} |"
        )
    print("\n".join(lines))
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
