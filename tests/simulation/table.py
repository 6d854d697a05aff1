"""The scenario table: which actions, event loops, routes and behaviours of peers make a row."""

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
"""Every route, and how often it is chosen: handshakes are dear, so what needs one is chosen less often."""


class Row(NamedTuple):
    """One row of the scenario table."""

    action: str
    loop: str
    route: str
    peer: str

    def __str__(self) -> str:
        return "/".join(part.replace("/", "") for part in self)


def behaviours(action: str) -> Mapping[str, Behaviour]:
    """Return how peers may behave where a program does this."""
    return {"both directions": ECHOES, "tunnel": TUNNELS}.get(action, BEHAVIOURS)


def makes_sense(row: Row) -> bool:
    """Whether there is such a thing."""
    if row.action == "interrupt" and row.loop in {"asyncio", "trio"}:
        return False  # these loops do not outlive an exception of a signal handler inside them
    if row.action in {"set_mode", "move_to"} and row.loop == "blocking":
        return False  # a passive connection is in no mailbox
    if row.action == "threads" and row.loop in {"asyncio", "trio"}:
        return False  # there it is one thread that may
    if row.route == "shared tunnel":
        # Tunnels are opened in passive mode; a pool has tunnels of its own.
        return row.loop != "mailbox" and row.action not in {"interrupt", "pool"}
    return row.action != "pool" or row.loop != "mailbox"  # a pool has mailboxes of its own


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
