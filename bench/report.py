"""Results as text and JSON."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from .measure import quantity

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from .measure import Outcome

PEERS = (
    "httptools", "h11", "aiohttp", "h2", "hpack", "jh2", "httpx", "pycurl", "primp", "pyreqwest",
    "urllib3", "uvloop", "zttp",
)  # fmt: skip


def show(outcome: Outcome) -> None:
    """Print one row: the medians, the ratio to the best peer, missing contenders, and the goals."""
    row = outcome.row
    print(f"\n{row.key}  {row.table}: {row.title}")
    best = outcome.best_peer
    for name, median in outcome.medians.items():
        ratio = f"{median / outcome.medians[best]:7.3f} x {best}" if best else ""
        kind = outcome.kind(name)
        shown = quantity(median, row.unit)
        print(f"  {kind:5} {name:28} {shown:>10}  ±{outcome.spreads[name]:4.0%} {ratio}")
    for name, reason in outcome.missing.items():
        print(f"  {outcome.kind(name):5} {name:28} not on this machine: {reason}")
    for goal in row.goals:
        verdict = outcome.judge(goal)
        if verdict is None:
            print(f"  goal  {goal}: not measured")
        else:
            reached, good = verdict
            shown = f"{reached:.3f} x" if goal.of else quantity(reached, row.unit)
            print(f"  goal  {goal}: {shown}  {'reached' if good else 'MISSED'}")
    sys.stdout.flush()


def table_names(outcomes: Iterable[Outcome]) -> list[str]:
    """Return the names of the tables, in the order of their first rows."""
    return list(dict.fromkeys(one.row.table for one in outcomes))


def compiler() -> str:
    """Return the name of the compiler that builds extension modules here."""
    command = os.environ.get("CC", "cc")
    try:
        said = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return command
    return said.stdout.splitlines()[0]


def versions() -> dict[str, str]:
    """Return the versions of the measured libraries and programs."""
    found = {"python": f"{platform.python_implementation()} {platform.python_version()}"}
    found["compiler"] = compiler()
    found["machine"] = platform.machine()
    for name in PEERS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def write_json(outcomes: list[Outcome], target: Path, busy: int) -> None:
    """Write all results, and beside how many busy processes they were measured."""
    rows = [
        {
            "key": one.row.key,
            "table": one.row.table,
            "title": one.row.title,
            "unit": one.row.unit,
            "best_peer": one.best_peer,
            "medians": one.medians,
            "spreads": one.spreads,
            "kinds": {name: one.kind(name) for name in one.medians},
            "missing": one.missing,
            "goals": [
                {
                    "goal": str(goal),
                    "reached": verdict[0] if verdict else None,
                    "good": verdict[1] if verdict else None,
                }
                for goal in one.row.goals
                for verdict in [one.judge(goal)]
            ],
        }
        for one in outcomes
    ]
    target.write_text(json.dumps({"versions": versions(), "busy": busy, "rows": rows}, indent=1) + "\n")
