"""One SVG per table: horizontal bars on a logarithmic axis, written without a plotting library."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from .measure import quantity

if TYPE_CHECKING:
    from pathlib import Path

    from .measure import Outcome

COLOURS = {"mint": "#1a8f5c", "peer": "#7d8ea3", "limit": "#d9a441"}
LEGEND = {"mint": "mint", "peer": "Python peers", "limit": "C, or a floor"}
LEFT, BAR, GAP, WIDTH, RIGHT = 190, 16, 34, 480, 90


def _bars(outcome: Outcome, top: int) -> tuple[list[str], int]:
    parts = [f'<text x="8" y="{top}" class="row">{escape(outcome.row.title)}</text>']
    low = math.log10(min(outcome.medians.values())) - 0.3
    high = max(math.log10(max(outcome.medians.values())), low + 0.6)
    top += 8
    for name, median in sorted(outcome.medians.items(), key=lambda pair: pair[1]):
        length = max(3.0, (math.log10(median) - low) / (high - low) * WIDTH)
        kind = outcome.kind(name)
        shown = quantity(median, outcome.row.unit)
        parts.append(
            f'<text x="{LEFT - 8}" y="{top + 12}" class="{kind} name">{escape(name)}</text>'
            f'<rect x="{LEFT}" y="{top}" width="{length:.1f}" height="{BAR - 3}" '
            f'fill="{COLOURS[kind]}"/>'
            f'<text x="{LEFT + length + 6:.1f}" y="{top + 11}">{escape(shown)}</text>'
        )
        top += BAR
    return parts, top


def draw(table: str, outcomes: list[Outcome], folder: Path) -> Path:
    """Write the plot of one table and return its path."""
    parts: list[str] = []
    top = 64
    for outcome in outcomes:
        if outcome.medians:
            drawn, bottom = _bars(outcome, top)
            parts += drawn
            top = bottom + GAP
    legend = "".join(
        f'<rect x="{8 + 130 * at}" y="32" width="12" height="12" fill="{COLOURS[kind]}"/>'
        f'<text x="{26 + 130 * at}" y="42">{LEGEND[kind]}</text>'
        for at, kind in enumerate(COLOURS)
    )
    width = LEFT + WIDTH + RIGHT
    slug = re.sub(r"[^a-z0-9]+", "-", table.lower()).strip("-")
    target = folder / f"{slug}.svg"
    target.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {top}" '
        f'width="{width}" height="{top}" role="img" aria-label="{escape(table)}">\n'
        "<style>text{font:11px sans-serif;fill:#223}.title{font-size:15px;font-weight:bold}"
        ".row{font-weight:bold}.name{text-anchor:end}.mint{font-weight:bold}</style>\n"
        f'<rect width="{width}" height="{top}" fill="#fff"/>\n'
        f'<text x="8" y="20" class="title">{escape(table)} (logarithmic; shorter is better)'
        f"</text>\n{legend}\n" + "\n".join(parts) + "\n</svg>\n"
    )
    return target
