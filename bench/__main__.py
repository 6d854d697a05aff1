"""bench/run: measure rows, print tables, write JSON and plots."""

from __future__ import annotations

import argparse
from pathlib import Path

from .busy import busy
from .measure import BUDGET, measure
from .pages import LOADED, write_tables
from .plot import draw
from .report import show, table_names, write_json
from .rows import ROWS


def main() -> None:
    """Run the rows that were asked for."""
    parser = argparse.ArgumentParser(prog="bench/run", description=__doc__)
    parser.add_argument("rows", nargs="*", help="keys of rows, or their beginnings (default: all rows)")
    parser.add_argument("--list", action="store_true", help="list the rows and exit")
    parser.add_argument("--repeats", type=int, default=5, help="interleaved repetitions (default 5)")
    parser.add_argument("--budget", type=float, default=BUDGET, help="CPU seconds for each sample")
    parser.add_argument("--busy", type=int, default=0, metavar="N", help="run beside N busy processes")
    parser.add_argument("--json", type=Path, help="write the results to this file")
    parser.add_argument("--svg", type=Path, help="write a plot for each table to this folder")
    parser.add_argument("--docs", type=Path, help="write the JSON, the plots and the tables to this folder")
    options = parser.parse_args()
    if options.docs:
        options.docs.mkdir(parents=True, exist_ok=True)
        if options.busy:
            options.json = options.docs / LOADED
        else:
            options.json, options.svg = options.docs / "results.json", options.docs
    chosen = [row for row in ROWS if not options.rows or any(row.key.startswith(key) for key in options.rows)]
    if options.list:
        for row in chosen:
            print(f"{row.key:16} {row.table}: {row.title}")
        return
    outcomes = []
    with busy(options.busy):
        for row in chosen:
            outcome = measure(row, options.repeats, options.budget)
            show(outcome)
            outcomes.append(outcome)
            if options.json:  # after every row, because a long run may be interrupted
                write_json(outcomes, options.json, options.busy)
    if options.svg:
        options.svg.mkdir(parents=True, exist_ok=True)
        for table in table_names(outcomes):
            draw(table, [one for one in outcomes if one.row.table == table], options.svg)

    if options.docs:
        write_tables(options.docs / "results.json")


main()
