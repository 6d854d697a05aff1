"""The scenario table: each row is an action, an event loop, a route and a behaviour of the peer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from .behaviours import BEHAVIOURS, ECHOES, TUNNELS
from .programs import PROGRAMS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .scripts import Behaviour

LOOPS: Final = ("blocking", "mailbox", "asyncio", "trio")
ROUTES: Final = {
    "plain": 6,
    "HTTP/2": 4,
    "HTTP/2 tunnel": 4,
    "shared tunnel": 4,
    "TLS": 2,
    "TLS in TLS": 1,
    "HTTP/2 over TLS": 1,
}
"""Every route with its weight: handshakes are slow, so routes with TLS are chosen less often."""


class Row(NamedTuple):
    """One row of the scenario table."""

    action: str
    loop: str
    route: str
    peer: str

    def __str__(self) -> str:
        return "/".join(part.replace("/", "") for part in self)


def behaviours(action: str) -> Mapping[str, Behaviour]:
    """Return the behaviours of peers for an action of the program."""
    return {"both directions": ECHOES, "tunnel": TUNNELS}.get(action, BEHAVIOURS)


def makes_sense(row: Row) -> bool:
    """Whether this combination is possible."""
    if row.action == "interrupt" and row.loop in {"asyncio", "trio"}:
        return False  # these loops end if a signal handler raises an exception inside them
    if row.action in {"set_mode", "move_to"} and row.loop == "blocking":
        return False  # a passive connection is in no mailbox
    if row.action == "threads" and row.loop in {"asyncio", "trio"}:
        return False  # there, only one thread may use a connection
    if row.route == "shared tunnel":
        # A pool opens its own tunnels.
        return row.action not in {"interrupt", "pool"}
    return row.action != "pool" or row.loop != "mailbox"  # a pool has its own mailboxes


def rows() -> Iterator[Row]:
    """Return every row."""
    for action in PROGRAMS:
        for loop in LOOPS:
            for route in ROUTES:
                for peer in behaviours(action):
                    row = Row(action, loop, route, peer)
                    if makes_sense(row):
                        yield row


ROWS: Final = {str(row): row for row in rows()}


def weight(row: Row) -> int:
    """Return how often a row is run, compared with others."""
    return ROUTES[row.route] * (1 if row.peer == "floods" else 4)
