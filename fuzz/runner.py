"""Run harnesses under libFuzzer or with random inputs; show the progress and the findings.

`fuzz/run` builds what is needed and starts this script.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import os
import random
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
CACHE = ROOT / ".cache"
PROGRESS = re.compile(r"#(\d+)\s+\w+\s+cov: (\d+) ft: (\d+) corp: (\d+)")
SHRINKING = 10.0  # seconds
SHOWN_EVERY = 2.0  # seconds


@dataclass
class Outcome:
    """How the run of a harness ended."""

    name: str
    seconds: float
    runs: int
    coverage: int
    found: Path | None
    text: str


class Progress:
    """Prints how far a run is, every two seconds: in one line of a terminal, otherwise line by line."""

    def __init__(self, name: str, *, quiet: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._quiet = quiet
        self._clock = clock
        self._begun = self._shown = clock()

    def show(self, runs: int, more: str = "") -> None:
        """Print the progress, unless this was done a moment ago."""
        now = self._clock()
        if self._quiet or now - self._shown < SHOWN_EVERY:
            return
        self._shown = now
        seconds = now - self._begun
        text = f"{self._name}: {seconds:.0f} s, {runs} runs, {runs / seconds:.0f}/s{more}"
        print(text, end="\r" if sys.stdout.isatty() else "\n", flush=True)


def positive(text: str) -> int:
    """Return a number of seconds from the command line; for libFuzzer, 0 would be without end."""
    if not text.isascii() or not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError("must be a number of seconds, 1 or more")
    return int(text)


def harnesses() -> list[str]:
    """Return the names of all harnesses."""
    return sorted(path.stem.removeprefix("fuzz_") for path in HERE.glob("fuzz_*.py"))


def environment(place: Path, preload: str, seed: int | None) -> dict[str, str]:
    """Return the environment of an instrumented run: the harnesses and the core are those of the copy."""
    return {
        **os.environ,
        "PYTHONPATH": f"{place}:{HERE}",
        "PYTHONSAFEPATH": "1",
        "PYTHONMALLOC": "malloc",  # AddressSanitizer sees nothing inside the arenas of pymalloc
        "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1:handle_abort=1",
        "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
        "LD_PRELOAD": preload,
        # The seed determines the run only if sets have the same order each time.
        **({} if seed is None else {"PYTHONHASHSEED": "0"}),
    }


def guided(name: str, chosen: argparse.Namespace) -> Outcome:
    """Run a harness under libFuzzer."""
    found = Path(chosen.cache) / "fuzz-found" / name
    work = Path(chosen.cache) / ("fuzz-corpus-fresh" if chosen.fresh else "fuzz-corpus") / name
    for folder in (found, work):
        folder.mkdir(parents=True, exist_ok=True)
    if chosen.fresh:
        for path in work.iterdir():
            path.unlink()
    before = set(found.iterdir())
    command = [
        chosen.python,
        str(HERE / f"fuzz_{name}.py"),
        f"-max_total_time={chosen.time}",
        "-timeout=20",
        "-rss_limit_mb=3000",
        "-len_control=0",
        "-max_len=1024",
        "-reload=0",
        f"-artifact_prefix={found}/",
        str(work),
    ]
    if chosen.seed is not None:
        # libFuzzer tries operands of comparisons as input, and some are addresses, which differ each time.
        command[2:2] = [f"-seed={chosen.seed}", "-use_cmp=0"]
    command += [str(folder) for folder in (HERE / "corpus" / name,) if folder.is_dir()]
    dictionary = HERE / f"{name}.dict"
    if dictionary.exists():
        command.insert(2, f"-dict={dictionary}")
    begun = time.monotonic()
    progress = Progress(name, quiet=chosen.quiet)
    runs = coverage = 0
    lines: list[str] = []
    process = subprocess.Popen(
        command,
        cwd=chosen.place,
        env=environment(Path(chosen.place), chosen.preload, chosen.seed),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    try:
        for line in process.stdout or ():
            lines.append(line)
            del lines[:-400]
            match = PROGRESS.match(line)
            if match is None:
                continue
            runs, coverage = int(match[1]), int(match[2])
            progress.show(runs, f", coverage {coverage}, corpus {match[4]}")
        code = process.wait()
    finally:
        if process.poll() is None:
            process.kill()
        if process.stdout is not None:
            process.stdout.close()
    seconds = time.monotonic() - begun
    (found / "log").write_text("".join(lines))
    new = sorted(set(found.iterdir()) - before - {found / "log"})
    text = reason("".join(lines)) if code else ""
    return Outcome(name, seconds, runs, coverage, new[0] if new else None, text)


def reason(log: str) -> str:
    """Return the line in a log that says what was found."""
    for pattern in (
        r"Finding: .*",
        r"SUMMARY: AddressSanitizer.*",
        r"runtime error: .*",
        r"(?m)^\w*(?:Error|Exit).*",
    ):
        match = re.search(pattern, log)
        if match:
            return match[0][:1_500]
    return log[-400:] or "it ended without a word"


def unguided(name: str, chosen: argparse.Namespace) -> Outcome:
    """Run a harness with random inputs in this process."""
    sys.path[:0] = [chosen.place, str(HERE)]
    one: Callable[[bytes], None] = importlib.import_module(f"fuzz_{name}").one
    source = random.Random(chosen.seed)  # not for secrets
    begun = time.monotonic()
    progress = Progress(name, quiet=chosen.quiet)
    runs = 0
    while time.monotonic() - begun < chosen.time:
        data = source.randbytes(source.choice((4, 16, 64, 400)))
        runs += 1
        progress.show(runs)
        try:
            one(data)
        except Exception as error:  # noqa: BLE001  # any exception is a finding
            found = Path(chosen.cache) / "fuzz-found" / name
            found.mkdir(parents=True, exist_ok=True)
            path = found / f"crash-{hashlib.sha256(data).hexdigest()[:16]}"
            path.write_bytes(data)
            return Outcome(
                name, time.monotonic() - begun, runs, 0, path, f"{type(error).__name__}: {error}"[:1_500]
            )
    return Outcome(name, time.monotonic() - begun, runs, 0, None, "")


def kind(one: Callable[[bytes], None], data: bytes) -> str | None:
    """Return the kind of finding that an input leads to; `None` if it leads to none."""
    try:
        one(data)
    except Exception as error:  # noqa: BLE001  # whatever it is
        return f"{type(error).__name__}: {error.args[0] if error.args else ''}"
    return None


def minimize(name: str, path: Path) -> Path | None:
    """Minimize an input with the usual build; return `None` if it is no finding there."""
    sys.path[:0] = [str(ROOT), str(HERE)]
    one: Callable[[bytes], None] = importlib.import_module(f"fuzz_{name}").one
    data = path.read_bytes()
    wanted = kind(one, data)
    if wanted is None:
        return None
    until = time.monotonic() + SHRINKING
    step = max(1, len(data) // 2)
    while step and time.monotonic() < until:
        at = 0
        while at < len(data) and time.monotonic() < until:
            shorter = data[:at] + data[at + step :]
            if kind(one, shorter) == wanted:
                data = shorter
            else:
                at += step
        step //= 2
    small = path.with_name(f"small-{hashlib.sha256(data).hexdigest()[:16]}")
    small.write_bytes(data)
    return small


def main() -> int:
    """Run the chosen harnesses; return 1 if something was found."""
    parser = argparse.ArgumentParser(prog="fuzz/run", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(harnesses()))
    parser.add_argument("--all", action="store_true", help="every harness")
    parser.add_argument("--time", type=positive, default=60, help="seconds for each (default 60)")
    parser.add_argument(
        "--seed",
        type=int,
        help="seed of the random numbers; with --fresh, it gives nearly the same inputs (default: random)",
    )
    parser.add_argument("--plain", action="store_true", help="random inputs, no instrumentation")
    parser.add_argument(
        "--ubsan", action="store_true", help="with UndefinedBehaviorSanitizer (fuzz/run builds it)"
    )
    parser.add_argument("--fresh", action="store_true", help="begin with the seed corpus only")
    parser.add_argument("--quiet", action="store_true", help="no progress line")
    parser.add_argument("--place", default=str(ROOT), help=argparse.SUPPRESS)
    parser.add_argument("--cache", default=str(CACHE), help=argparse.SUPPRESS)
    parser.add_argument("--python", default=sys.executable, help=argparse.SUPPRESS)
    parser.add_argument("--preload", default="", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    names = harnesses() if chosen.all else chosen.names
    unknown = set(names) - set(harnesses())
    if unknown or not names:
        parser.error(
            f"no harness is called {', '.join(sorted(unknown)) or 'nothing'}; there are {harnesses()}"
        )
    bad = 0
    for name in names:
        outcome = unguided(name, chosen) if chosen.plain else guided(name, chosen)
        coverage = f", coverage {outcome.coverage}" if outcome.coverage else ""
        summary = f"{name}: {outcome.seconds:.0f} s, {outcome.runs} runs{coverage}"
        if not outcome.text:
            print(f"{summary}, nothing found", flush=True)
            continue
        bad = 1
        print(f"{summary}\n  FOUND {outcome.text}", flush=True)
        if outcome.found is not None:
            small = None if chosen.fresh else minimize(name, outcome.found)
            shown = small or outcome.found
            print(f"  kept in {shown}; again: python fuzz/fuzz_{name}.py {shown}", flush=True)
    return bad


if __name__ == "__main__":
    raise SystemExit(main())
