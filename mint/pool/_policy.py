"""What a pool decides, without doing any of it: a state machine over numbers.

Requests ask with a `Ticket`; connections are `Line`s, known by a key. Every event is a method, time is an
argument, and `settle` returns what has to be done: `Grant`, `Dial`, `Close`. Tickets are served in the order
in which they asked. Only a ticket that waits for its own origin is passed by those of other origins; where
the limit of all connections is reached nobody passes, so that nobody starves.

A place on a connection is not counted: the connection has the set of the tickets that hold one. Adding or
removing a ticket is one step for a handler of signals, and doing it twice changes nothing, so what an
exception has broken off can be done again. `reconcile` repairs what it left between two such steps.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from ..errors import MintError, Processed
from ._options import IDEMPOTENT, Statistics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..exchange import Origin
    from ._options import PoolOptions

_REMEMBERED = 1000
"""Of how many origins without connections it is remembered whether they can share one."""


class Phase(Enum):
    """What a connection is good for."""

    OPENING = "opening"
    OPEN = "open"
    DRAINING = "draining"


@dataclass(eq=False, slots=True)
class Ticket:
    """A request that asks for a connection."""

    number: int
    origin: Origin
    key: int | None = None
    """The connection it was given, or has to dial."""
    dials: bool = False


@dataclass(eq=False, slots=True)
class Line:
    """One connection."""

    key: int
    origin: Origin
    phase: Phase = Phase.OPENING
    capacity: int = 1
    opened: float = 0.0
    idle_since: float = 0.0
    holders: set[Ticket] = field(default_factory=set[Ticket])
    """The requests that use the connection, or may use it."""

    @property
    def used(self) -> int:
        """How many requests use the connection."""
        return len(self.holders)


class Grant(NamedTuple):
    """The ticket may send one request on this connection."""

    ticket: Ticket
    key: int


class Dial(NamedTuple):
    """Whoever holds the ticket opens this connection, and may send one request on it."""

    ticket: Ticket
    key: int


class Close(NamedTuple):
    """The connection is to be closed."""

    key: int


Order: TypeAlias = Grant | Dial | Close


class Policy:
    """The decisions of one pool."""

    def __init__(self, options: PoolOptions, may_share: Callable[[Origin], bool]) -> None:
        """Begin without connections; `may_share` says whether an origin may speak HTTP/2 at all."""
        self._options = options
        self._may_share = may_share
        self._lines: dict[int, Line] = {}
        self._queues: dict[Origin, deque[Ticket]] = {}
        self._shares: OrderedDict[Origin, bool] = OrderedDict()
        """Whether the last connection of an origin could be shared."""
        self._tickets = 0
        self._keys = 0
        self._opened = 0

    # -- requests

    def ticket(self, origin: Origin) -> Ticket:
        """Return the ticket of a request that is about to ask."""
        self._tickets += 1
        return Ticket(self._tickets, origin)

    def ask(self, ticket: Ticket) -> None:
        """Ask for a connection."""
        self._queues.setdefault(ticket.origin, deque()).append(ticket)

    def ask_again(self, ticket: Ticket) -> None:
        """Ask again, in the old place, because the connection was of no use."""
        ticket.key, ticket.dials = None, False
        queue = self._queues.setdefault(ticket.origin, deque())
        place = sum(1 for each in queue if each.number < ticket.number)
        queue.insert(place, ticket)

    def withdraw(self, ticket: Ticket) -> None:
        """Stop waiting. What was granted has to be released, or its dialing to fail."""
        queue = self._queues.get(ticket.origin)
        if queue is not None and ticket in queue:
            queue.remove(ticket)
            if not queue:
                del self._queues[ticket.origin]

    # -- connections

    def opened(self, key: int, capacity: int, now: float) -> None:
        """Note that a connection was dialled; whoever dialled uses it already."""
        line = self._lines[key]
        line.phase, line.capacity = Phase.OPEN, capacity
        line.opened = line.idle_since = now
        self._opened += 1
        self._remember(line.origin, capacity > 1)

    def failed(self, key: int) -> None:
        """Note that dialing failed: those who wait for it dial for themselves."""
        line = self._lines.pop(key, None)
        if line is not None:
            self._remember(line.origin, False)

    def abandoned(self, key: int) -> None:
        """Note that dialing was given up, which says nothing about the origin."""
        self._lines.pop(key, None)

    def resized(self, key: int, capacity: int) -> None:
        """Note how many requests a connection takes now."""
        line = self._lines.get(key)
        if line is not None:
            line.capacity = capacity

    def released(self, ticket: Ticket, now: float) -> None:
        """Note that a request on a connection is over; idempotent."""
        line = None if ticket.key is None else self._lines.get(ticket.key)
        if line is not None and ticket in line.holders:
            line.idle_since = now
            line.holders.discard(ticket)

    def draining(self, key: int) -> None:
        """Note that a connection takes no new requests."""
        line = self._lines.get(key)
        if line is not None:
            line.phase = Phase.DRAINING

    def lost(self, key: int) -> None:
        """Note that a connection is gone."""
        self._lines.pop(key, None)

    # -- decisions

    def settle(self, now: float) -> list[Order]:
        """Return what has to be done, in order."""
        orders: list[Order] = [Close(line.key) for line in self._expired(now)]
        for order in orders:
            self.lost(order.key)
        if not self._queues:
            return orders
        blocked: set[Origin] = set()
        while True:
            heads = [queue[0] for origin, queue in self._queues.items() if queue and origin not in blocked]
            if not heads:
                return orders
            ticket = min(heads, key=lambda each: each.number)
            if ticket.key is None:
                found = self._serve(ticket)
                if found is None:
                    return orders
                orders += found
            if ticket.key is None:
                blocked.add(ticket.origin)
            else:
                self.withdraw(ticket)

    def reconcile(self) -> None:
        """Let go of what nobody has, after an exception of a signal handler has broken `settle` off."""
        for line in tuple(self._lines.values()):
            line.holders = {ticket for ticket in line.holders if ticket.key == line.key}
            if line.phase is Phase.OPENING and not line.holders:
                self.lost(line.key)

    def _expired(self, now: float) -> Iterator[Line]:
        idle, age = self._options.idle_timeout, self._options.max_age
        for line in list(self._lines.values()):
            if line.phase is Phase.OPEN and age is not None and now - line.opened >= age:
                line.phase = Phase.DRAINING
            over = idle is not None and now - line.idle_since >= idle
            if not line.used and (line.phase is Phase.DRAINING or (line.phase is Phase.OPEN and over)):
                yield line

    def _serve(self, ticket: Ticket) -> list[Order] | None:
        """Return the orders for a ticket: none where its origin is at its limit, `None` where the pool is."""
        own = [line for line in self._lines.values() if line.origin == ticket.origin]
        free = [line for line in own if line.phase is Phase.OPEN and line.used < line.capacity]
        if free:
            # The one used last is the least likely to have been closed by the server.
            line = max(free, key=lambda each: (each.used, each.idle_since))
            line.holders.add(ticket)
            ticket.key = line.key
            return [Grant(ticket, line.key)]
        shares = self._shares.get(ticket.origin, self._may_share(ticket.origin))
        if shares and any(line.phase is Phase.OPENING for line in own):
            return []
        if sum(line.phase is not Phase.DRAINING for line in own) >= self._options.max_per_origin:
            return []
        orders: list[Order] = []
        if len(self._lines) >= self._options.max_connections:
            idle = [line for line in self._lines.values() if line.phase is Phase.OPEN and not line.used]
            if not idle:
                return None
            oldest = min(idle, key=lambda each: each.idle_since)
            self.lost(oldest.key)
            orders.append(Close(oldest.key))
        self._keys += 1
        line = Line(self._keys, ticket.origin, holders={ticket})
        self._lines[line.key] = line
        # Last, so that whoever finds the number in the ticket finds the connection, too.
        ticket.dials = True
        ticket.key = line.key
        return [*orders, Dial(ticket, line.key)]

    def _remember(self, origin: Origin, shares: bool) -> None:
        self._shares[origin] = shares
        self._shares.move_to_end(origin)
        while len(self._shares) > _REMEMBERED:
            self._shares.popitem(last=False)

    # -- what is known

    def knows(self, key: int) -> bool:
        """Whether there is such a connection."""
        return key in self._lines

    def statistics(self, requests: int, retries: int) -> Statistics:
        """Return what the connections and tickets are doing."""
        lines = self._lines.values()
        by_origin: dict[Origin, int] = {}
        for line in lines:
            by_origin[line.origin] = by_origin.get(line.origin, 0) + 1
        return Statistics(
            connections=len(lines),
            opening=sum(line.phase is Phase.OPENING for line in lines),
            idle=sum(line.phase is Phase.OPEN and not line.used for line in lines),
            draining=sum(line.phase is Phase.DRAINING for line in lines),
            active=sum(line.used for line in lines if line.phase is not Phase.OPENING),
            waiting=sum(map(len, self._queues.values())),
            requests=requests,
            retries=retries,
            opened=self._opened,
            by_origin=by_origin,
        )


def may_retry(error: MintError, method: str, options: PoolOptions) -> bool:
    """Whether a request that failed with this error may be sent again on another connection.

    An error about the request itself (`local`) would be the same again.
    """
    if error.local:
        return False
    if error.processed is Processed.NO:
        return True
    return options.retry_idempotent and error.processed is Processed.MAYBE and method in IDEMPOTENT
