"""The defects of the first transports can be reintroduced, and are found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .defects import DEFECTS, ROOT, missing
from .planted import planted

if TYPE_CHECKING:
    from pathlib import Path

QUICK = 40
"""How many schedules the test suite runs; ci/planted --simulation runs as many as needed."""

SOONEST = [
    "mailbox: a descriptor number is used again within one select",
    "mailbox: closed by a signal handler while the same thread waits in receive",
    "HTTP/2 tunnel: a mailbox never sends what a window update allows",
    "Tunnels: recv never sends what a window update allows",
    "HTTP/2 tunnel: flush of asyncio does not return after 413 and the end",
    "Tunnels: an upload takes quadratic time",
    "blocking: both peers write until all queues are full",
    "TLS: fixed content is encrypted in full before the first octet leaves",
]


def test_every_defect_can_be_reintroduced() -> None:
    assert missing() == []


def test_a_defect_that_can_no_longer_be_reintroduced_is_reported(tmp_path: Path) -> None:
    assert len(missing(tmp_path)) == sum(len(defect.files) for defect in DEFECTS)


def test_the_readme_lists_every_defect() -> None:
    page = (ROOT / "tests/simulation/README.md").read_text(encoding="utf-8")
    rows = [line.split(" | ")[0].removeprefix("| ") for line in page.splitlines()]
    names = [defect.name for defect in DEFECTS]
    assert [row for row in rows if row in names] == names
    assert set(SOONEST) <= set(names)


@pytest.mark.parametrize("name", SOONEST)
def test_a_defect_is_found(name: str) -> None:
    number = [defect.name for defect in DEFECTS].index(name)
    found = planted(number, 1, QUICK)
    assert found.row, f"not found within {QUICK} schedules"
