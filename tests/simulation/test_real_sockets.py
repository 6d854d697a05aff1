"""Every row of the scenario table once on real sockets, under every event loop, uvloop among them."""

from __future__ import annotations

import gc
from itertools import groupby
from typing import TYPE_CHECKING

import pytest
import uvloop

import mint

from .async_callers import CALLERS, Asyncio
from .choices import Choices
from .handles import Late
from .programs import PROGRAMS
from .real import RealKernel
from .record import Record
from .routes import listen
from .table import ROWS, behaviours

if TYPE_CHECKING:
    import asyncio

    from .callers import Caller
    from .table import Row


class OnUvloop(Asyncio):
    """Connections of asyncio in a loop of uvloop."""

    def new_loop(self) -> asyncio.AbstractEventLoop:
        return uvloop.new_event_loop()


def play(row: Row, kind: type[Caller]) -> list[str]:
    """Run a row, and return what it violates."""
    with RealKernel(Choices(f"{row} on real sockets")) as kernel:
        record = Record(kernel)
        listen(record, row.route, behaviours(row.action)[row.peer])
        try:
            kind(record, row.route, mint.TCPOptions()).run(PROGRAMS[row.action])
        except Late:
            kernel.blame("waited in vain")
        for wrong in record.check():
            kernel.blame(wrong)
        return kernel.violations


GROUPS = {
    "/".join(name): list(rows)
    for name, rows in groupby(ROWS.values(), lambda row: (row.action, row.loop, row.route.replace("/", "")))
}


@pytest.mark.parametrize("group", GROUPS)
def test_every_row(group: str) -> None:
    found = []
    for row in GROUPS[group]:
        kinds: list[type[Caller]] = [CALLERS[row.loop]]
        if row.loop == "asyncio":
            kinds.append(OnUvloop)
        for kind in kinds:
            found += [(str(row), kind.__name__, each) for each in play(row, kind)]
    gc.collect()
    assert not found
