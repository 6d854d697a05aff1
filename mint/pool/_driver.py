"""The driver of blocking pools: carries out the steps in the calling thread, with `poll` and mailboxes."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Coroutine, Iterator
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from .._connections.negotiation import connect
from .._core.link_base import Mutex
from .._loops.dialer import blocking_resolver
from .._loops.lock_event import LockEvent
from .._loops.mailbox import Mailbox
from .._loops.system import POLLIN, POLLOUT, make_poll, milliseconds
from .._process import unlocked
from ..errors import MailboxClosed, MintError, TransportTimeout
from ._procedures import CallTrace, Connect, Look, Park, Pull, Receive, Room

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from .._connections.negotiation import Connection
    from ..exchange import Origin
    from ._procedures import Procedure, Step
    from ._requests import ConnectOptions
    from ._session import Session
    from ._state import PoolState

_T = TypeVar("_T")

_NAP = 0.05
"""The longest wait, in seconds, if the system cannot tell when there is something to do."""

_LOOKS = 100
"""The largest number of reads of data that has arrived, before the request that makes them continues."""


class Driver:
    """Runs procedures in the calling thread."""

    def __init__(
        self, options: ConnectOptions, own_connect: Callable[[Origin, float | None], Connection] | None
    ) -> None:
        self.lock: AbstractContextManager[object] = Mutex()
        self._postponed: deque[Callable[[], None]] = deque()
        self.clock = monotonic
        self.make_event: Callable[[], LockEvent] = LockEvent
        self._options = options
        self._own_connect = own_connect
        self._mailboxes: dict[int, Mailbox] = {}

    def forget(self, key: int) -> None:
        """Close the mailbox of a connection."""
        mailbox = self._mailboxes.get(key)
        if mailbox is not None:
            mailbox.close()
            self._mailboxes.pop(key, None)

    def begin_anew(self) -> None:
        """Replace the lock in a forked child, because a thread of the parent may have held it."""
        self.lock = unlocked(self.lock)

    def end(self, work: Callable[[], None]) -> None:
        """End something with the lock held.

        A signal handler may do that while its own thread changes the pool: then it is done when this thread
        has released the lock.
        """
        if self._is_in_change:
            self._postponed.append(work)
            return
        try:
            with self.lock:
                work()
        finally:
            self.catch_up()

    @property
    def _is_in_change(self) -> bool:
        return isinstance(self.lock, Mutex) and self.lock.held

    def catch_up(self) -> None:
        """Do what signal handlers of this thread have postponed."""
        while self._postponed and not self._is_in_change:
            with self.lock:
                # Another thread may have done it meanwhile. Removed afterwards, because it can be repeated if
                # an exception interrupts it.
                if self._postponed:
                    self._postponed[0]()
                    self._postponed.popleft()

    @staticmethod
    def settle_soon(pool: PoolState) -> None:
        """Wake the threads that wait for a connection; each settles. Otherwise the next request does."""
        for event in list(pool.events.values()):
            event.set()

    def run(self, procedure: Procedure[_T]) -> _T:
        """Carry out the steps of a procedure; return its result."""
        try:
            step = next(procedure)
            while True:
                try:
                    if self._postponed:
                        self.catch_up()
                    self._perform(step)
                except BaseException as error:  # noqa: BLE001  # the procedure decides
                    step = procedure.throw(error)
                else:
                    step = next(procedure)
        except StopIteration as over:
            result: _T = over.value
            return result
        finally:
            if self._postponed:
                self.catch_up()

    def _perform(self, step: Step) -> None:
        try:
            self._carry_out(step)
        except BaseException:
            if isinstance(step, (Receive, Look, Room)):
                # If a signal handler raised it, a message or a value of the connection may have been lost.
                with self.lock:
                    step.session.lose()
            raise

    def _carry_out(self, step: Step) -> None:
        match step:
            case Receive(session, until):
                self._receive(session, until)
            case Park(event, until):
                if isinstance(event, LockEvent):
                    event.wait(self._left(until))
            case Look(session):
                self._look(session)
            case Room(session, _, reads, until):
                self._wait_for_room(session, reads, until)
            case Pull():
                self._pull(step)
            case Connect(origin, key, until):
                step.conn = self._connect(origin, key, until)
            case CallTrace():
                self._call_trace(step)

    @staticmethod
    def _pull(step: Pull) -> None:
        if not isinstance(step.source, Iterator):
            raise TypeError(
                "the pieces of this body must be awaited: use a pool of mint.pool.asyncio or mint.pool.trio"
            )
        step.piece = next(step.source, None)

    @staticmethod
    def _call_trace(step: CallTrace) -> None:
        answer = step.trace(step.name, step.info)
        if isinstance(answer, Coroutine):
            answer.close()
            raise TypeError("trace must be a function, but not a coroutine function")

    def _left(self, until: float | None) -> float | None:
        return None if until is None else max(0.0, until - self.clock())

    def _soon(self, until: float | None) -> float:
        nap = self.clock() + _NAP
        return nap if until is None else min(nap, until)

    # -- connecting

    def _connect(self, origin: Origin, key: int, until: float | None) -> Connection:
        left = self._left(until)
        if self._own_connect is not None:
            conn = self._own_connect(origin, left)
        else:
            made = self._options
            conn = connect(
                origin.scheme,
                origin.host,
                origin.port,
                protocols=made.protocols,
                proxy=made.proxy,
                tcp=made.tcp_within(left),
                tls=made.tls,
                http1=made.http1,
                http2=made.http2,
                log=made.log,
                record=made.recorder,
                resolver=blocking_resolver(made.resolver),
            )
        if conn.protocol == "http1":
            return conn
        # One thread waits for responses while others send. This needs a mailbox.
        mailbox: Mailbox | None = None
        try:
            mailbox = Mailbox()
            conn = conn.set_mode("active", mailbox)
            self._mailboxes[key] = mailbox
        except BaseException:
            conn.close()
            if mailbox is not None:
                mailbox.close()
            raise
        return conn

    # -- receiving

    def _receive(self, session: Session, until: float | None) -> None:
        """Wait until something arrives on the connection, and pass it to the session."""
        mailbox = self._mailboxes.get(session.key)
        if mailbox is not None:
            with contextlib.suppress(TransportTimeout, MailboxClosed):
                message = mailbox.receive(self._left(until))
                with self.lock:
                    session.feed(message)
        elif session.is_lost:
            return  # closed meanwhile, and its mailbox, if it had one, is forgotten
        elif session.is_sending:
            # `recv` must not wait here, because other threads must be able to send meanwhile.
            if not self._recv(session, 0):
                # Only a short wait: a sender may read ahead, and then nothing is left to read on the socket.
                self._poll(session, POLLIN, self._soon(until))
                self._recv(session, 0)
        else:
            self._recv(session, self._left(until))

    def _recv(self, session: Session, left: float | None) -> bool:
        """Receive on a connection without a mailbox; return whether something arrived."""
        with self.lock if left == 0 else contextlib.nullcontext():
            try:
                conn, responses = session.conn.recv(timeout=left)
            except TransportTimeout as error:
                with self.lock:
                    session.recover(error)
                return bool(error.responses)
            except MintError as error:
                with self.lock:
                    if not session.is_lost:
                        session.recover(error)
                return True
            with self.lock:
                session.process(conn, responses)
            return True

    def _look(self, session: Session) -> None:
        mailbox = self._mailboxes.get(session.key)
        for _ in range(_LOOKS):
            if session.is_lost:
                return
            if mailbox is None:
                if not self._recv(session, 0):
                    return
            else:
                try:
                    message = mailbox.receive(0)
                except (TransportTimeout, MailboxClosed):
                    return
                with self.lock:
                    session.feed(message)

    # -- writing

    def _poll(self, session: Session, events: int, until: float | None) -> bool:
        """Wait for events of the socket; return whether there is a socket."""
        socket = session.conn.socket
        number = -1 if socket is None else socket.fileno()
        left = self._left(until)
        if number < 0:
            return False
        poll = make_poll()
        poll.register(number, events)
        poll.poll(milliseconds(left))
        return True

    def _wait_for_room(self, session: Session, reads: bool, until: float | None) -> None:
        """Wait until the socket accepts more, or something arrives."""
        before = session.conn.transport.unsent
        soon = self._soon(until)
        # A thread cannot wait for a socket and an event at once. If another thread reads, wait only for a
        # short time, because that thread may stop reading.
        waited = self._poll(session, POLLOUT | (POLLIN if reads else 0), until if reads else soon)
        if reads:
            self._look(session)
        with self.lock:
            try:
                if not session.is_lost:
                    session.conn = session.conn.flush(timeout=0)
            except TransportTimeout as error:
                session.conn = session.conn.after(error)
            except MintError as error:
                session.recover(error)
        if session.is_lost or session.conn.transport.unsent < before:
            return
        # The socket accepts nothing more yet, or it does but the window of a tunnel does not.
        if not waited or not self._poll(session, POLLIN, soon):
            LockEvent().wait(self._left(soon))
