"""The decisions of a pool, as a state machine without I/O.

A request asks for a connection with a `Ticket`. A connection is a `PooledConnection`, identified by a key.
Every event is a method, time is an argument, and `settle` returns what has to be done: `Grant`, `Dial` or
`Close`. Tickets are served in the order in which they asked. If the limit of its origin is reached, a ticket
is overtaken by those of other origins. If the limit of all connections is reached, no ticket overtakes
another, so that none waits forever.

The requests on a connection are not counted. Instead, the connection has the set of their tickets. A signal
handler cannot interrupt adding or removing a ticket, and doing either twice changes nothing. What an
exception of a handler interrupted can therefore be repeated. `reconcile` repairs the state between two steps.
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
"""For how many origins the pool remembers whether requests can share a connection."""


class Phase(Enum):
    """The state of a connection: only an open one accepts new requests."""

    OPENING = "opening"
    OPEN = "open"
    DRAINING = "draining"


@dataclass(eq=False, slots=True)
class Ticket:
    """A request that asks for a connection."""

    number: int
    origin: Origin
    key: int | None = None
    """The connection that was granted, or that the request has to open."""
    dials: bool = False
    """Whether the request has to open the connection."""


@dataclass(eq=False, slots=True)
class PooledConnection:
    """One connection."""

    key: int
    origin: Origin
    phase: Phase = Phase.OPENING
    capacity: int = 1
    opened: float = 0.0
    idle_since: float = 0.0
    holders: set[Ticket] = field(default_factory=set[Ticket])
    """The requests that use the connection or to which it was granted."""

    @property
    def used(self) -> int:
        """How many requests use the connection."""
        return len(self.holders)


class Grant(NamedTuple):
    """The ticket may send one request on this connection."""

    ticket: Ticket
    key: int


class Dial(NamedTuple):
    """The request with this ticket opens this connection, and may be sent on it."""

    ticket: Ticket
    key: int


class Close(NamedTuple):
    """The connection has to be closed."""

    key: int


Order: TypeAlias = Grant | Dial | Close


class Policy:
    """The decisions of one pool."""

    def __init__(self, options: PoolOptions, may_share: Callable[[Origin], bool]) -> None:
        """Begin without connections; `may_share` says whether HTTP/2 is possible with an origin."""
        self._options = options
        self._may_share = may_share
        self._connections: dict[int, PooledConnection] = {}
        self._queues: dict[Origin, deque[Ticket]] = {}
        self._shares: OrderedDict[Origin, bool] = OrderedDict()
        """Whether the last connection to an origin could be shared."""
        self._tickets = 0
        self._keys = 0
        self._opened = 0

    # -- requests

    def ticket(self, origin: Origin) -> Ticket:
        """Return a ticket for a request, which then asks for a connection."""
        self._tickets += 1
        return Ticket(self._tickets, origin)

    def ask(self, ticket: Ticket) -> None:
        """Ask for a connection."""
        self._queues.setdefault(ticket.origin, deque()).append(ticket)

    def ask_again(self, ticket: Ticket) -> None:
        """Ask again, at the old place in the queue, because the connection could not be used."""
        ticket.key, ticket.dials = None, False
        queue = self._queues.setdefault(ticket.origin, deque())
        place = sum(1 for each in queue if each.number < ticket.number)
        queue.insert(place, ticket)

    def withdraw(self, ticket: Ticket) -> None:
        """Stop waiting. A connection that was granted has to be released, failed or abandoned separately."""
        queue = self._queues.get(ticket.origin)
        if queue is not None and ticket in queue:
            queue.remove(ticket)
            if not queue:
                del self._queues[ticket.origin]

    # -- connections

    def opened(self, key: int, capacity: int, now: float) -> None:
        """Note that a connection was opened; the request that opened it already uses it."""
        connection = self._connections[key]
        connection.phase, connection.capacity = Phase.OPEN, capacity
        connection.opened = connection.idle_since = now
        self._opened += 1
        self._remember(connection.origin, capacity > 1)

    def failed(self, key: int) -> None:
        """Note that opening failed; requests that waited for this connection open their own."""
        connection = self._connections.pop(key, None)
        if connection is not None:
            self._remember(connection.origin, False)

    def abandoned(self, key: int) -> None:
        """Note that opening was given up, which says nothing about the origin."""
        self._connections.pop(key, None)

    def resized(self, key: int, capacity: int) -> None:
        """Note how many requests a connection now accepts at the same time."""
        connection = self._connections.get(key)
        if connection is not None:
            connection.capacity = capacity

    def released(self, ticket: Ticket, now: float) -> None:
        """Note that a request no longer uses its connection; idempotent."""
        connection = None if ticket.key is None else self._connections.get(ticket.key)
        if connection is not None and ticket in connection.holders:
            connection.idle_since = now
            connection.holders.discard(ticket)

    def draining(self, key: int) -> None:
        """Note that a connection accepts no new requests."""
        connection = self._connections.get(key)
        if connection is not None:
            connection.phase = Phase.DRAINING

    def lost(self, key: int) -> None:
        """Note that a connection has ended."""
        self._connections.pop(key, None)

    def forget_all(self) -> None:
        """Forget all requests and connections: they belong to the parent of this process."""
        self._connections.clear()
        self._queues.clear()

    # -- decisions

    def settle(self, now: float) -> list[Order]:
        """Return what has to be done, in order."""
        orders: list[Order] = [Close(each.key) for each in self._expired(now)]
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
        """Remove what no request holds, after an exception of a signal handler has interrupted `settle`."""
        for connection in tuple(self._connections.values()):
            connection.holders = {ticket for ticket in connection.holders if ticket.key == connection.key}
            if connection.phase is Phase.OPENING and not connection.holders:
                self.lost(connection.key)

    def _expired(self, now: float) -> Iterator[PooledConnection]:
        idle, age = self._options.idle_timeout, self._options.max_age
        for connection in list(self._connections.values()):
            if connection.phase is Phase.OPEN and age is not None and now - connection.opened >= age:
                connection.phase = Phase.DRAINING
            over = connection.phase is Phase.OPEN and idle is not None and now - connection.idle_since >= idle
            if not connection.used and (connection.phase is Phase.DRAINING or over):
                yield connection

    def _serve(self, ticket: Ticket) -> list[Order] | None:
        """Return the orders for a ticket: none at the limit of its origin, `None` at that of the pool."""
        own = [each for each in self._connections.values() if each.origin == ticket.origin]
        free = [each for each in own if each.phase is Phase.OPEN and each.used < each.capacity]
        if free:
            # The one that was used last is the least likely to have been closed by the server.
            connection = max(free, key=lambda each: (each.used, each.idle_since))
            connection.holders.add(ticket)
            ticket.key = connection.key
            return [Grant(ticket, connection.key)]
        shares = self._shares.get(ticket.origin, self._may_share(ticket.origin))
        if shares and any(each.phase is Phase.OPENING for each in own):
            return []
        if sum(each.phase is not Phase.DRAINING for each in own) >= self._options.max_per_origin:
            return []
        orders: list[Order] = []
        if len(self._connections) >= self._options.max_connections:
            idle = [each for each in self._connections.values() if each.phase is Phase.OPEN and not each.used]
            if not idle:
                return None
            oldest = min(idle, key=lambda each: each.idle_since)
            self.lost(oldest.key)
            orders.append(Close(oldest.key))
        self._keys += 1
        connection = PooledConnection(self._keys, ticket.origin, holders={ticket})
        self._connections[connection.key] = connection
        # Set last: if the ticket has a key, then the connection exists.
        ticket.dials = True
        ticket.key = connection.key
        return [*orders, Dial(ticket, connection.key)]

    def _remember(self, origin: Origin, shares: bool) -> None:
        self._shares[origin] = shares
        self._shares.move_to_end(origin)
        while len(self._shares) > _REMEMBERED:
            self._shares.popitem(last=False)

    # -- what is known

    def knows(self, key: int) -> bool:
        """Whether a connection with this key exists."""
        return key in self._connections

    def statistics(self, requests: int, retries: int) -> Statistics:
        """Return the statistics of the pool."""
        connections = self._connections.values()
        by_origin: dict[Origin, int] = {}
        for connection in connections:
            by_origin[connection.origin] = by_origin.get(connection.origin, 0) + 1
        return Statistics(
            connections=len(connections),
            opening=sum(each.phase is Phase.OPENING for each in connections),
            idle=sum(each.phase is Phase.OPEN and not each.used for each in connections),
            draining=sum(each.phase is Phase.DRAINING for each in connections),
            active=sum(each.used for each in connections if each.phase is not Phase.OPENING),
            waiting=sum(map(len, self._queues.values())),
            requests=requests,
            retries=retries,
            opened=self._opened,
            by_origin=by_origin,
        )


def may_retry(error: MintError, method: str, options: PoolOptions) -> bool:
    """Whether a request that failed with this error may be sent again on another connection.

    An error about the request itself (`local`) would occur again.
    """
    if error.local:
        return False
    if error.processed is Processed.NO:
        return True
    return options.retry_idempotent and error.processed is Processed.MAYBE and method in IDEMPOTENT
