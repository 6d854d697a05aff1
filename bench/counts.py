"""bench/counts: count the instructions of one operation with callgrind, and compare with the accepted counts.

Counts hardly depend on what else the machine does, so a change of 3 % is visible. They do depend on how mint
was built: the key in `counts.json` names the compiler, Cython, the interpreter, and whether mint is installed
or was built in place, which uses other flags.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from mint._core import link_base

from .measure import MissingError
from .native import build
from .report import compiler
from .rows import ROWS

ACCEPTED = Path(__file__).parent / "counts.json"
DRIFT = 0.03
# Not counted: rows that take minutes under callgrind, and show nothing that a smaller row does not.
LEFT_OUT = frozenset({"h2-receive-10000", "h2-down", "h2-up"})
# The row of which system calls are counted, too.
CALLING = "connect"
# The rows in which a vendored copy is compared by default.
VENDORED = ("h1-small", "h1-exchange-10", "h2-get-100", "hpack-typical")
ROOT = Path(__file__).resolve().parent.parent


def key() -> str:
    """Return a key that names what the counts depend on."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    # Cython's modules share types in a module that is named after the version of Cython.
    cython = type(link_base.shift).__module__.strip("_").replace("cython_", "Cython ").replace("_", ".")
    installed = Path(link_base.__file__).is_relative_to(sysconfig.get_path("platlib"))
    kind = "installed" if installed else "built in place"
    return f"{compiler()}, {cython}, {python}, {platform.machine()}, {kind}"


def counted(keys: list[str], kept: Path | None, copy: Path | None = None) -> dict[str, float]:
    """Count rows; keep callgrind's files in `kept`, if given. `copy` is a folder with another mint."""
    for program in ("valgrind", "setarch"):
        if shutil.which(program) is None:
            raise MissingError(program)
    marks = build("marks", shared=True)
    paths = [*([] if copy is None else [str(copy)]), os.environ.get("PYTHONPATH", "")]
    with tempfile.TemporaryDirectory() as temporary:
        place = kept or Path(temporary)
        for row in ROWS:
            if row.key in keys:
                (place / f"{row.key}.work").write_bytes(pickle.dumps(row.work()))
        subprocess.run(
            ["setarch", "-R", "valgrind", "--quiet", "--tool=callgrind", "--instr-atstart=no",
             f"--callgrind-out-file={place}/out", sys.executable, "-m", "bench.counting",
             str(marks), str(place)],
            check=True, env={**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": os.pathsep.join(paths)},
        )  # fmt: skip
        found: dict[str, float] = {}
        for path in sorted(place.glob("out.*")):
            text = path.read_text()
            name = re.search(r"^desc: Trigger: Client Request: (.*)\|(\d+)$", text, re.MULTILINE)
            total = re.search(r"^(?:totals|summary): (\d+)", text, re.MULTILINE)
            if name and total:
                found[name[1]] = int(total[1]) / int(name[2])
        for path in place.glob("*.work"):
            path.unlink()
    return found


def calls() -> dict[str, float]:
    """Count the system calls of one connection, including those of the peer in the same process."""
    if shutil.which("strace") is None:
        raise MissingError("strace")
    made: list[int] = []
    operations = 1
    with tempfile.TemporaryDirectory() as temporary:
        trace = Path(temporary, "trace")
        for rounds in (2, 4):
            command = ["strace", "-qq", "-o", str(trace), sys.executable, "-m", "bench.calling", CALLING]
            run = subprocess.run([*command, str(rounds)], check=True, capture_output=True, text=True)
            operations = int(run.stdout)
            made.append(len(trace.read_text().splitlines()))
    return {f"{CALLING}, system calls": (made[1] - made[0]) / (2 * operations)}


def vendored(keys: list[str]) -> dict[str, float]:
    """Count rows with a copy that ci/vendor.py makes and plain `cythonize -i` compiles."""
    cythonize = Path(sys.executable).with_name("cythonize")
    if not cythonize.exists():
        raise MissingError("cythonize")
    with tempfile.TemporaryDirectory() as temporary:
        subprocess.run(
            [sys.executable, ROOT / "ci" / "vendor.py", temporary], check=True, capture_output=True
        )
        modules = sorted(Path(temporary, "mint", "_core").glob("*.pyx"))
        subprocess.run([cythonize, "-i", "-q", *modules], check=True, capture_output=True)
        found = counted(keys, None, Path(temporary))
    return {f"{name}, vendored": count for name, count in found.items()}


def main() -> int:
    """Count, compare and report; return 1 if a count has changed too much."""
    parser = argparse.ArgumentParser(prog="bench/counts", description=__doc__)
    parser.add_argument("rows", nargs="*", help="keys of rows, or their beginnings (default: all rows)")
    parser.add_argument("--accept", action="store_true", help="store these counts as the accepted ones")
    parser.add_argument("--vendored", action="store_true", help="compile a vendored copy and compare with it")
    parser.add_argument("--keep", type=Path, help="keep callgrind's files in this folder")
    options = parser.parse_args()
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    keys = [
        row.key
        for row in ROWS
        if any(one.where.startswith("mint_") for one in row.contenders)
        and row.key not in LEFT_OUT
        and (not options.rows or any(row.key.startswith(one) for one in options.rows))
    ]
    try:
        found = counted(keys, options.keep)
        if CALLING in keys:
            found |= calls()
        if options.vendored:
            found |= vendored(keys if options.rows else [each for each in keys if each in VENDORED])
    except MissingError as error:
        print(f"not on this machine: {error}")
        return 0
    accepted: dict[str, dict[str, float]] = json.loads(ACCEPTED.read_text()) if ACCEPTED.exists() else {}
    before = accepted.get(key(), {})
    print(key())
    drifted = False
    for name, count in found.items():
        old = before.get(name)
        change = f"{count / old - 1:+7.1%}" if old else "    new"
        off = old is not None and abs(count / old - 1) > DRIFT
        installed = found.get(name.removesuffix(", vendored"), count)
        off |= count / installed - 1 > DRIFT
        drifted |= off
        print(f"  {name:32} {count:12,.0f} {change}{'  DRIFT' if off else ''}")
    if options.accept:
        accepted[key()] = {**before, **{name: round(count, 1) for name, count in found.items()}}
        ACCEPTED.write_text(json.dumps(accepted, indent=1, sort_keys=True) + "\n")
        return 0
    return int(drifted)


if __name__ == "__main__":
    sys.exit(main())
