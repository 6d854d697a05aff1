"""An exception of a signal handler at every instruction of mint, for each protocol, route and event loop.

python -m tests.simulation.interrupts                 # every instruction of every kind
python -m tests.simulation.interrupts mailbox TLS     # of the kinds whose name has these parts
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

from ..bomb import Bomb, Interrupt
from .patches import simulated_system
from .programs import finish, interrupted_get
from .run import run
from .table import LOOPS, ROUTES, Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .callers import Caller

KINDS = {
    f"{loop}/{route.replace('/', '')}": Row("get", loop, route, "answers")
    for loop in LOOPS
    for route in ROUTES
    if route != "shared tunnel" or loop == "blocking"
}
"""What is interrupted: one request with its response, from connecting to closing."""


NEVER = 1 << 60


class Outcome(NamedTuple):
    """What came of one exchange that was interrupted."""

    left: int
    """How many instructions were missing; 0 where the one asked for was reached."""
    where: str
    violations: tuple[str, ...]


def interrupted(row: Row, number: int) -> Outcome:
    """Interrupt an exchange before this instruction of mint. The simulated system must be in place."""
    # The locks of trio and threading are code of their own, not made for what no handler can raise.
    bomb = Bomb(number, everywhere=row.loop != "trio" and row.route != "shared tunnel")

    async def program(caller: Caller) -> None:
        sys.settrace(bomb)
        try:
            handle = await interrupted_get(caller, Interrupt)
        finally:
            sys.settrace(None)
        if handle is not None:
            await finish(caller, handle)
            handle.close()
        await caller.check_alive()

    try:
        result = run(row, recorded=[0], program=program)
    finally:
        sys.settrace(None)
    return Outcome(bomb.left, bomb.where, result.violations)


def count_of(row: Row) -> int:
    """Return how many instructions an exchange has that is not interrupted."""
    return NEVER - interrupted(row, NEVER).left


def all_of(row: Row) -> Iterator[Outcome]:
    """Interrupt an exchange before each instruction."""
    number = 0
    while True:
        number += 1
        outcome = interrupted(row, number)
        yield outcome
        if outcome.left:
            return


def main(parts: list[str]) -> int:
    """Do what the command line says."""
    failures = 0
    with simulated_system():
        for name, row in KINDS.items():
            if not all(part in name for part in parts):
                continue
            count = 0
            seen: set[tuple[str, str]] = set()
            for count, outcome in enumerate(all_of(row), 1):
                for violation in outcome.violations:
                    if (outcome.where, violation) not in seen:
                        seen.add((outcome.where, violation))
                        print(f"{name}, instruction {count}, {outcome.where}: {violation}", flush=True)
            failures += len(seen)
            print(f"{name}: {count} instructions, {len(seen)} failures", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
