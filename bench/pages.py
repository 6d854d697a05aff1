"""Turns the JSON of a run into the tables of the documentation: `python -m bench.pages RESULTS`."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any  # the results are JSON

from .measure import quantity

LOADED = "loaded.json"
"""The results of a run with `--busy`, in the same folder as those of a quiet run."""


def _mint(row: dict[str, Any]) -> str:
    return ", ".join(
        f"{one.removeprefix('mint ')} {quantity(row['medians'][one], row['unit'])}"
        for one, kind in row["kinds"].items()
        if kind == "mint"
    )


def _best(row: dict[str, Any], kind: str) -> str:
    names = [name for name, one in row["kinds"].items() if one == kind]
    if not names:
        return ""
    best = min(names, key=row["medians"].__getitem__)
    return f"{best} {quantity(row['medians'][best], row['unit'])}"


def _reached(row: dict[str, Any]) -> str:
    said = []
    for goal in row["goals"]:
        if goal["reached"] is None:
            said.append(f"{goal['goal']}: not measured")
            continue
        compared = " x " in goal["goal"]
        shown = f"{goal['reached']:.2f} x" if compared else quantity(goal["reached"], row["unit"])
        said.append(f"{goal['goal']}: {'' if goal['good'] else '**not reached**, '}{shown}")
    return "; ".join(said)


def _beside(row: dict[str, Any]) -> str:
    """Return what a row with busy processes reached: a ratio for each goal, and the best peer."""
    said = [_reached(row)] if row["goals"] else []
    best = row["best_peer"]
    if best:
        said += [
            f"{name.removeprefix('mint ')} {value / row['medians'][best]:.2f} x {best}"
            for name, value in row["medians"].items()
            if row["kinds"][name] == "mint"
        ]
    return "; ".join(said)


def loaded_table(results: dict[str, Any]) -> str:
    """Return the table of a run beside busy processes."""
    lines = [f"### Beside {results['busy']} busy processes", ""]
    lines += ["| workload | mint | best peer | C, or a floor | reached |", "|---|---|---|---|---|"]
    for row in results["rows"]:
        title = f"{row['table']}: {row['title']}"
        lines.append(
            f"| {' | '.join((title, _mint(row), _best(row, 'peer'), _best(row, 'limit'), _beside(row)))} |"
        )
    return "\n".join(lines) + "\n"


def tables(results: dict[str, Any]) -> str:
    """Return all tables, each with its plot."""
    lines: list[str] = []
    for name in dict.fromkeys(row["table"] for row in results["rows"]):
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        lines += [f"### {name}", "", f"![{name}]({slug}.svg)", ""]
        lines += ["| workload | mint | best peer | C, or a floor | to be reached |"]
        lines += ["|---|---|---|---|---|"]
        for row in results["rows"]:
            if row["table"] != name:
                continue
            cells = (row["title"], _mint(row), _best(row, "peer"), _best(row, "limit"), _reached(row))
            lines.append(f"| {' | '.join(cells)} |")
        lines.append("")
    versions = ", ".join(f"{name} {said}" for name, said in results["versions"].items())
    return "\n".join(lines) + f"\nMeasured with: {versions}.\n"


def write_tables(source: Path) -> None:
    """Write the tables beside the results, with those of a run beside busy processes, if there was one."""
    text = tables(json.loads(source.read_text()))
    loaded = source.with_name(LOADED)
    if loaded.exists():
        text += "\n" + loaded_table(json.loads(loaded.read_text()))
    source.with_name("tables.md").write_text(text)


if __name__ == "__main__":
    write_tables(Path(sys.argv[1]))
