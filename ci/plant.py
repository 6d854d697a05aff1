"""Build a copy of the tree with one bug, run harnesses on it, and report which one found the bug.

Repeat this for every bug. `ci/planted` starts this script with what libFuzzer needs.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "fuzz")]

from ci.build_inplace import sources  # noqa: E402 - the line above makes it importable
from planted import BUGS, missing  # noqa: E402 - the same
from planted_bug import Bug  # noqa: E402 - the same
from runner import harnesses, positive  # noqa: E402 - the same

CACHE = ROOT / ".cache"
# What is found for a bug that was planted must not be taken for a real finding.
FOUND = CACHE / "planted-found"
# setuptools builds in `build` and copies from there, so an old module there would come back.
TOUCHED = ("mint/_core", "build")
FLAGS = {
    True: {"CFLAGS": "-O1 -g0", "CC": "gcc"},
    False: {
        "CFLAGS": "-O1 -g -fsanitize=address,fuzzer-no-link -fno-sanitize-coverage=stack-depth",
        "CC": "clang",
        "LDSHARED": "clang -shared",
    },
}


@dataclass(frozen=True)
class Row:
    """The result for one bug."""

    bug: Bug
    harness: str  # the harness that found it, or empty
    seconds: float
    text: str


def dependents(place: Path, file: str) -> list[str]:
    """Return the modules to translate again after a file has changed: itself, or those that include it."""
    if file.endswith(".pyx"):
        return [file]
    stems = {Path(file).stem}
    core = place / "mint" / "_core"

    def includes(path: Path) -> bool:
        text = path.read_text(encoding="utf-8")
        return path.stem in stems or any(re.search(rf"(?m)^from \.{stem} cimport", text) for stem in stems)

    while True:
        more = {path.stem for path in core.glob("*.pxd") if includes(path)} - stems
        if not more:
            return [str(path.relative_to(place)) for path in sorted(core.glob("*.pyx")) if includes(path)]
        stems |= more


def build(place: Path, file: str, *, plain: bool) -> None:
    """Translate and compile the modules that a change of one file affects."""
    environment = {**os.environ, **FLAGS[plain]}
    if shutil.which("ccache"):
        environment["CC"] = f"ccache {environment['CC']}"
    for source in dependents(place, file):
        subprocess.run([sys.executable, "-m", "cython", source], cwd=place, check=True)
    script = "import setuptools; setuptools.setup()"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, "-q", "build_ext", "--inplace"],
        cwd=place,
        env=environment,
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode:
        raise SystemExit(done.stdout)


def prepare(place: Path, *, plain: bool) -> None:
    """Create the copy, without any bug."""
    command = [sys.executable, "ci/build_inplace.py", "--into", str(place), "--jobs", "1"]
    environment = {**os.environ, **FLAGS[plain]}
    if shutil.which("ccache"):
        environment["CC"] = f"ccache {environment['CC']}"
    subprocess.run(command, cwd=ROOT, env=environment, check=True)


class Planted:
    """The copy with a bug in it; the end of the block removes the bug and everything built with it."""

    def __init__(self, place: Path, bug: Bug) -> None:
        self.place = place
        self.file = place / bug.file
        self.bug = bug
        self.kept = place.with_name(place.name + "-kept")
        self.text = ""

    def __enter__(self) -> None:
        """Save the files that the build will change, then plant the bug."""
        shutil.rmtree(self.kept, ignore_errors=True)
        for name in TOUCHED:
            shutil.copytree(self.place / name, self.kept / name, copy_function=shutil.copy2)
        self.text = self.file.read_text(encoding="utf-8")
        self.file.write_text(self.bug.applied(self.text), encoding="utf-8")

    def __exit__(self, *_: object) -> None:
        """Restore every file."""
        self.file.write_text(self.text, encoding="utf-8")  # even if it is not among the saved files
        for name in TOUCHED:
            shutil.rmtree(self.place / name)
            shutil.move(str(self.kept / name), str(self.place / name))


def folder_of(bug: Bug | None) -> Path:
    """Return the folder for what is found with this bug, or without any."""
    return FOUND / (re.sub(r"[^a-z0-9]+", "-", bug.name.lower()).strip("-") if bug else "no-bug")


def fuzzed(
    name: str, place: Path, chosen: argparse.Namespace, seconds: int, bug: Bug | None
) -> subprocess.CompletedProcess[str]:
    """Run a harness."""
    command = [sys.executable, str(ROOT / "fuzz" / "runner.py"), name, "--time", str(seconds), "--quiet"]
    command += ["--place", str(place), "--cache", str(folder_of(bug)), "--seed", str(chosen.seed), "--fresh"]
    if chosen.plain:
        command += ["--plain"]
    else:
        command += ["--python", chosen.python, "--preload", chosen.preload]
    return subprocess.run(command, check=False, text=True, capture_output=True)


def check_without_bugs(bugs: Iterable[Bug], place: Path, chosen: argparse.Namespace) -> None:
    """Leave if a harness also fails without a bug: what it finds would say nothing."""
    shutil.rmtree(folder_of(None), ignore_errors=True)
    for name in sorted({*(bug.harness for bug in bugs), *(harnesses() if chosen.every else ())}):
        done = fuzzed(name, place, chosen, 1, None)
        if done.returncode:
            raise SystemExit(f"{name} fails without a bug:\n{(done.stdout + done.stderr)[-2_000:]}")


def chosen_bugs(bugs: Iterable[Bug], parts: Sequence[str], *, plain: bool) -> list[Bug]:
    """Return the bugs to plant; leave if a part of a name stands for none of them."""
    usable = [bug for bug in bugs if not (plain and bug.memory)]
    for part in parts:
        if not any(part in bug.name for bug in usable):
            why = (
                "only AddressSanitizer finds it"
                if any(part in bug.name for bug in bugs)
                else "see fuzz/planted.py"
            )
            raise SystemExit(f"no bug to plant is called {part!r}: {why}")
    return [bug for bug in usable if not parts or any(part in bug.name for part in parts)]


def run(bug: Bug, place: Path, chosen: argparse.Namespace) -> Row:
    """Run harnesses until one finds the bug."""
    names = [bug.harness]
    if chosen.every:
        names += [name for name in harnesses() if name != bug.harness]
    begun = time.monotonic()
    text = ""
    shutil.rmtree(folder_of(bug), ignore_errors=True)
    for name in names:
        begun = time.monotonic()
        done = fuzzed(name, place, chosen, chosen.time, bug)
        text = done.stdout + done.stderr
        if done.returncode:
            seconds = text.split(" s,")[0].rpartition(" ")[2]
            found = next((line.strip() for line in text.splitlines() if "FOUND" in line), "")
            found = found or f"the harness ended with {done.returncode}"
            return Row(bug, name, float(seconds) if seconds.isdigit() else time.monotonic() - begun, found)
    return Row(bug, "", time.monotonic() - begun, text[-300:])


def table(rows: list[Row]) -> str:
    """Return the rows as the table of fuzz/README.md."""
    made = ["| bug | in | found by | seconds |", "|---|---|---|---|"]
    for row in rows:
        found = f"`{row.harness}`" if row.harness else "**nobody**"
        made.append(f"| {row.bug.name} | `{Path(row.bug.file).name}` | {found} | {row.seconds:.0f} |")
    return "\n".join(made)


def main() -> int:
    """Plant the chosen bugs."""
    parser = argparse.ArgumentParser(prog="ci/planted", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART-OF-A-NAME", help="plant only bugs with such a name")
    parser.add_argument(
        "--time", type=positive, default=120, help="how many seconds each harness runs (default 120)"
    )
    parser.add_argument("--plain", action="store_true", help="use the usual build and random inputs")
    parser.add_argument(
        "--every", action="store_true", help="run all harnesses if the one that should find a bug does not"
    )
    parser.add_argument("--seed", type=int, default=1, help="the seed of the inputs (default 1)")
    parser.add_argument("--python", default="", help=argparse.SUPPRESS)
    parser.add_argument("--preload", default="", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    wrong = missing()
    if wrong:
        raise SystemExit("\n".join(wrong))
    bugs = chosen_bugs(BUGS, chosen.parts, plain=chosen.plain)
    place = CACHE / ("planted-plain" if chosen.plain else "planted")
    prepare(place, plain=chosen.plain)
    if not sources(place):
        raise SystemExit("the copy holds no extension modules")
    check_without_bugs(bugs, place, chosen)
    rows = []
    for bug in bugs:
        with Planted(place, bug):
            build(place, bug.file, plain=chosen.plain)
            rows.append(run(bug, place, chosen))
        row = rows[-1]
        print(
            f"{bug.name}: {row.harness or 'NOT FOUND'} after {row.seconds:.0f} s  {row.text[:160]}",
            flush=True,
        )
    print(table(rows), flush=True)
    return any(not row.harness for row in rows)


if __name__ == "__main__":
    raise SystemExit(main())
