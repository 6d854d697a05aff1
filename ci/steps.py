"""Run the steps of `ci/test`, as many at a time as there are processors, and print a summary.

A step is a script in this folder. Exit status 0 means that it passed, and 77 that this machine lacks
something it needs; any other status is a failure. A line of its output that begins with `SKIPPED` names a
check that was left out. All steps run, even if one fails. The last line of the summary counts the tests of
the main suite and adds the failed steps to the failures, so a failed run never ends with "0 failed".
"""

import argparse
import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / ".cache" / "ci"
SUITE = LOGS / "suite.xml"
LONGEST = 2400.0  # seconds a step may take
SHOWN = 400  # lines of a failed step's output
SKIP = 77
BUILDS = tuple(f"--ignore=tests/{each}" for each in ("ci", "docs", "kit", "simulation"))
"""Tests that compile mint, or run the repository's tools or other projects: `-O` does not affect them."""


@dataclass(frozen=True)
class Step:
    """One script with its arguments."""

    name: str
    command: tuple[str, ...]
    wanted: bool = True  # whether it runs by default


@dataclass(frozen=True)
class Outcome:
    """How a step ended."""

    step: Step
    status: str  # passed, failed, skipped
    seconds: float
    output: str


def steps(fuzz_seconds: int, simulation_seconds: int) -> tuple[Step, ...]:
    """Return every step, the long ones first."""
    return (
        Step("suite", ("ci/suite",)),
        Step("wheel", ("ci/wheel",)),
        Step("simulate", ("ci/simulate", str(simulation_seconds), "1", "1")),
        # The seed gives nearly the same inputs every time; ci/fuzz alone uses new ones.
        Step("fuzz", ("ci/fuzz", str(fuzz_seconds), "--all", "--seed", "1", "--fresh")),
        Step("coverage", ("ci/coverage",), wanted=False),
        Step("sanitize", ("ci/sanitize",), wanted=False),
        Step("oss-fuzz", ("ci/oss-fuzz",), wanted=False),
        Step("freethreaded", ("ci/freethreaded",), wanted=False),
        Step("systems", ("ci/systems",), wanted=False),
        Step("pythons", ("ci/pythons",)),
        # ci/wheel runs most of the tests with -O.
        Step("suite -O", ("ci/suite", "-O", *BUILDS), wanted=False),
        Step("types", ("ci/types",)),
        Step("vendored", ("ci/vendored",)),
        Step("docs", ("ci/docs",)),
        Step("rendered", ("ci/rendered",), wanted=False),
        Step("lint", ("ci/lint",)),
        Step("honest", ("ci/honest",)),
        Step("demo", ("ci/demo",)),
    )


def end(group: int) -> None:
    """End a step and every process that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def run(step: Step, running: set[int]) -> Outcome:
    """Run one step to its end, in a session of its own; `running` contains the steps that have not ended."""
    begun = time.monotonic()
    log = LOGS / f"{step.name.replace(' ', '')}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            step.command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        running.add(process.pid)
        try:
            code = process.wait(LONGEST)
        except subprocess.TimeoutExpired:
            output.write(f"\nstill running after {LONGEST:.0f} s: ended\n".encode())
            end(process.pid)
            code = process.wait()
        running.discard(process.pid)
    status = {0: "passed", SKIP: "skipped"}.get(code, "failed")
    return Outcome(step, status, time.monotonic() - begun, log.read_text(errors="replace"))


def run_all(chosen: tuple[Step, ...], jobs: int) -> Iterator[Outcome]:
    """Yield outcomes as steps end. If the generator ends early, so do the steps."""
    running: set[int] = set()
    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(run, step, running) for step in chosen]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for group in tuple(running):
                end(group)


def interrupted(_number: int, _frame: object) -> None:
    """Raise KeyboardInterrupt for SIGTERM, too."""
    raise KeyboardInterrupt


def skipped_lines(output: str) -> list[str]:
    """Return the lines in which a step or pytest's summary says what was skipped."""
    return re.findall(r"(?m)^SKIPPED(?:: | \[\d+\] )(.*)$", output)


def counts() -> tuple[int, int, int]:
    """Return how many tests of the main suite passed, failed and were skipped."""
    if not SUITE.exists():
        return 0, 0, 0
    total = failed = skipped = 0
    for suite in ET.parse(SUITE).iter("testsuite"):
        total += int(suite.get("tests", 0))
        failed += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped += int(suite.get("skipped", 0))
    return total - failed - skipped, failed, skipped


def show(outcome: Outcome) -> None:
    """Print how a step ended, and its output if it failed."""
    print(f"{outcome.step.name}: {outcome.status} ({outcome.seconds:.0f} s)", flush=True)
    if outcome.status == "failed":
        lines = outcome.output.splitlines()
        if len(lines) > SHOWN:
            print(f"    ... {len(lines) - SHOWN} lines before, in .cache/ci")
        print(*(f"    {line}" for line in lines[-SHOWN:]), sep="\n", flush=True)


def main() -> int:
    """Run the chosen steps and print a summary."""
    parser = argparse.ArgumentParser(
        prog="ci/test", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--fuzz",
        type=int,
        default=10,
        metavar="SECONDS",
        help="how long each fuzzing harness runs (default 10)",
    )
    parser.add_argument(
        "--simulate",
        type=int,
        default=120,
        metavar="SECONDS",
        help="how long the simulation runs (default 120)",
    )
    parser.add_argument("--also", nargs="+", default=[], metavar="STEP", help="run these steps, too")
    parser.add_argument("--only", nargs="+", default=[], metavar="STEP", help="run only these steps")
    parser.add_argument(
        "--jobs",
        type=int,
        default=int(os.environ.get("MINT_CI_JOBS", os.cpu_count() or 1)),
        help="how many steps run at a time",
    )
    arguments = parser.parse_args()
    table = steps(arguments.fuzz, arguments.simulate)
    unknown = {*arguments.also, *arguments.only} - {step.name for step in table}
    if unknown:
        parser.error(f"no such step: {', '.join(sorted(unknown))}")
    chosen = tuple(
        step
        for step in table
        if (step.name in arguments.only if arguments.only else step.wanted or step.name in arguments.also)
    )

    signal.signal(signal.SIGTERM, interrupted)
    LOGS.mkdir(parents=True, exist_ok=True)
    SUITE.unlink(missing_ok=True)
    strict = os.environ.get("MINT_CI_STRICT") == "1"
    outcomes = []
    for outcome in run_all(chosen, arguments.jobs):
        show(outcome)
        outcomes.append(outcome)

    print("\nSummary")
    bad = 0
    for outcome in sorted(outcomes, key=lambda outcome: table.index(outcome.step)):
        left_out = skipped_lines(outcome.output)
        status = outcome.status
        if strict and status != "failed" and (left_out or status == "skipped"):
            status = "failed (nothing may be skipped here)"
        bad += status.startswith("failed") and outcome.step.name != "suite"
        print(f"  {outcome.step.name:<10} {status}, {outcome.seconds:.0f} s")
        for line in left_out:
            print(f"             SKIPPED: {line}")
    passed, failed, skipped = counts()
    suite_failed = any(o.step.name == "suite" and o.status == "failed" for o in outcomes)
    failed += bad
    if suite_failed and not failed:
        failed = 1
    print(f"\n{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return 1 if failed or (strict and skipped) else 0


if __name__ == "__main__":
    raise SystemExit(main())
