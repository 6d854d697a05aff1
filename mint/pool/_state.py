"""The state of a pool: its policy, its connections, and the lock that guards both."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Protocol

from .._process import share
from ..errors import PoolClosed, Processed
from ._policy import Close, Policy
from ._session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from .._connections.negotiation import Connection
    from ..exchange import Origin
    from ._options import PoolOptions, Statistics
    from ._policy import Ticket
    from ._session import Stream, WakeEvent


class Loop(Protocol):
    """What a pool needs from its event loop."""

    @property
    def lock(self) -> AbstractContextManager[object]:
        """The lock to hold while the state of the pool is changed."""
        ...

    def clock(self) -> float:
        """Return the time in seconds; it never goes back."""
        ...

    def make_event(self) -> WakeEvent:
        """Return a new event."""
        ...

    def forget(self, key: int) -> None:
        """Release what the driver holds for a connection that was closed."""
        ...

    def begin_anew(self) -> None:
        """Continue in a forked child, where no other thread holds the lock."""
        ...

    def catch_up(self) -> None:
        """Do what a signal handler could not do while its own thread held the lock; called without it."""
        ...

    def settle_soon(self, pool: PoolState) -> None:
        """Have `pool.settle` called soon. A finalizer calls this, at any time and in any thread."""
        ...


class PoolState:
    """The state of one pool; the methods are called with the lock held, unless they say otherwise."""

    def __init__(self, loop: Loop, options: PoolOptions, may_share: Callable[[Origin], bool]) -> None:
        self.lock: AbstractContextManager[object] = loop.lock
        self.clock: Callable[[], float] = loop.clock
        self.make_event: Callable[[], WakeEvent] = loop.make_event
        self.options = options
        self.sessions: dict[int, Session] = {}
        self.events: dict[Ticket, WakeEvent] = {}
        self.requests = 0
        self.retries = 0
        self.is_closed: bool = False
        self._loop = loop
        self._policy = Policy(options, may_share)
        self._settles = False
        self._dropped: deque[Stream] = deque()
        share(self, uses_others=True)

    def begin_anew(self) -> None:
        """Continue without connections in a forked child: those that exist belong to the parent.

        Their descriptors are closed. A request that was under way in the thread that forked fails here.
        """
        self._loop.begin_anew()
        self.lock = self._loop.lock
        sessions, self.sessions = self.sessions, {}
        self.events = {}
        self._dropped = deque()
        self._settles = False
        self._policy.forget_all()
        for session in sessions.values():
            session.leave_to_parent()
            self._loop.forget(session.key)

    # -- without the lock

    @property
    def has_dropped(self) -> bool:
        """Whether requests wait to be cancelled because their answers were dropped; `settle` does that."""
        return bool(self._dropped)

    def drop(self, stream: Stream) -> bool:
        """Cancel a request whose answer was dropped without being closed; return whether it was still open.

        A finalizer calls this, at any time and in any thread, even while this thread changes the pool.
        Therefore the request is only noted here.
        """
        if self.is_closed or stream.session.streams.get(stream.ref) is not stream:
            return False
        self._dropped.append(stream)
        self._loop.settle_soon(self)
        return True

    def catch_up(self) -> None:
        """Do what a signal handler of this thread has postponed."""
        self._loop.catch_up()

    def is_late(self, until: float | None) -> bool:
        """Whether this time has been reached."""
        return until is not None and self.clock() >= until

    # -- connections

    def check_open(self) -> None:
        """Raise `PoolClosed` after `close`."""
        if self.is_closed:
            raise PoolClosed().marked(processed=Processed.NO)

    def ticket(self, origin: Origin) -> Ticket:
        """Return a ticket for a request, which then asks for a connection."""
        return self._policy.ticket(origin)

    def ask(self, ticket: Ticket, event: WakeEvent) -> None:
        """Ask for a connection; the event is set when one is granted."""
        self.check_open()
        self._policy.ask(ticket)
        self.events[ticket] = event
        self.settle()

    def ask_again(self, ticket: Ticket) -> None:
        """Ask for another connection, because this one cannot be used."""
        self._policy.released(ticket, self.clock())
        self._policy.ask_again(ticket)
        self.settle()

    def give_back(self, ticket: Ticket, *, failed: bool) -> None:
        """Stop asking, and return what was granted; `failed` says that connecting failed. Idempotent."""
        self._policy.withdraw(ticket)
        if ticket.key is not None and not self.is_closed:
            dials = ticket.dials and ticket.key not in self.sessions
            if dials and failed:
                self._policy.failed(ticket.key)
            elif dials:
                self._policy.abandoned(ticket.key)
            else:
                self._policy.released(ticket, self.clock())
        self.settle()

    def leave(self, ticket: Ticket, events: Iterable[WakeEvent]) -> None:
        """Stop waiting with these events; if one was the reader's, another request reads. Idempotent.

        This is for a request that an exception interrupted, and on which others may depend.
        """
        self.events.pop(ticket, None)
        session = None if ticket.key is None else self.sessions.get(ticket.key)
        if session is not None:
            session.leave(events)
        self._settles = False  # an exception may have come just before the end of `settle`
        self.settle()

    def abandon(self, ticket: Ticket, events: Iterable[WakeEvent]) -> None:
        """Release everything that a request holds, in whatever state it is; idempotent."""
        self.leave(ticket, events)
        session = None if ticket.key is None else self.sessions.get(ticket.key)
        stream = None if session is None else session.stream_of(ticket)
        if session is not None and stream is not None:
            session.cancel(stream)
        self.give_back(ticket, failed=False)

    def add(self, key: int, conn: Connection) -> Session:
        """Add a connection that was opened."""
        if self.is_closed:
            conn.close()
            self._loop.forget(key)
            self.check_open()
        session = Session(key, conn, self.options, self.clock, self._changed)
        self.sessions[key] = session
        self._policy.opened(key, session.capacity, self.clock())
        self.settle()
        return session

    def discard(self, key: int, conn: Connection | None) -> None:
        """Close a connection that nobody will use; `conn` is `None` if it was not opened."""
        session = self.sessions.get(key)
        if session is not None:
            session.lose()
            return
        if conn is not None:
            conn.close()
        self._loop.forget(key)

    def settle(self) -> None:
        """Carry out the decisions of the policy."""
        if self._settles or self.is_closed:
            return
        self._settles = True
        try:
            closed = True
            while closed:
                closed = False
                while self._dropped:
                    stream = self._dropped[0]
                    stream.session.cancel(stream)
                    self._dropped.popleft()
                for order in self._policy.settle(self.clock()):
                    if isinstance(order, Close):
                        self._lose(order.key)
                        closed = True  # so there is room for another connection: decide again
                    else:
                        event = self.events.get(order.ticket)
                        if event is not None:
                            event.set()
        except BaseException:
            self._interrupted()
            raise
        finally:
            self._settles = False

    def _interrupted(self) -> None:
        """Carry out what was decided before an exception of a signal handler interrupted `settle`."""
        self._policy.reconcile()
        for key in [key for key in self.sessions if not self._policy.knows(key)]:
            self._lose(key)
        for ticket, event in self.events.items():
            if ticket.key is not None:
                event.set()

    def _lose(self, key: int) -> None:
        session = self.sessions.get(key)
        if session is not None:
            session.lose()

    def _changed(self, session: Session) -> None:
        while session.released:
            self._policy.released(session.released[0], self.clock())
            session.released.popleft()
        if session.is_lost:
            self._policy.lost(session.key)
            self._loop.forget(session.key)
            self.sessions.pop(session.key, None)
        elif session.is_draining:
            self._policy.draining(session.key)
        else:
            self._policy.resized(session.key, session.capacity)
        self.settle()

    # -- the end

    def close(self) -> None:
        """Close every connection; requests that are open or waiting fail."""
        try:
            self._close()
        except BaseException:
            # An exception of a signal handler may have interrupted this: close the rest.
            self._close()
            raise

    def _close(self) -> None:
        self.is_closed = True
        for session in list(self.sessions.values()):
            session.lose(PoolClosed())
        for event in list(self.events.values()):
            event.set()

    def statistics(self) -> Statistics:
        """Return the statistics of the pool."""
        return self._policy.statistics(self.requests, self.retries)
