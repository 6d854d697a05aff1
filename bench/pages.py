"""Turns the JSON of a run into the tables of the documentation: `python -m bench.pages RESULTS`."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any  # the results are JSON

from .measure import quantity


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
            mint = ", ".join(
                f"{one.removeprefix('mint ')} {quantity(row['medians'][one], row['unit'])}"
                for one, kind in row["kinds"].items()
                if kind == "mint"
            )
            cells = (row["title"], mint, _best(row, "peer"), _best(row, "limit"), _reached(row))
            lines.append(f"| {' | '.join(cells)} |")
        lines.append("")
    versions = ", ".join(f"{name} {said}" for name, said in results["versions"].items())
    return "\n".join(lines) + f"\nMeasured with: {versions}.\n"


def write_tables(source: Path) -> None:
    """Write the tables beside the results."""
    source.with_name("tables.md").write_text(tables(json.loads(source.read_text())))


if __name__ == "__main__":
    write_tables(Path(sys.argv[1]))
