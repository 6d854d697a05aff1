"""The procedures of a pool, as generators of steps. A driver for each event loop carries out the steps.

The same generators run with threads, asyncio and trio, so the pools behave the same. They never yield while
they hold the lock.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from .. import _checks
from ..errors import (
    Closed,
    ClosedForWriting,
    ExceedsWindowSize,
    MintError,
    Processed,
    RequestBodyIsStreaming,
    StreamIdsExhausted,
    TooManyConcurrentRequests,
    TooManyPipelinedRequests,
    TransportTimeout,
)
from ..exchange._procedure import SMALL, has
from ._options import Timeouts
from ._policy import may_retry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from .._connections.negotiation import Connection
    from ..exchange import URL, Origin
    from ..types import BytesLike, HeaderFields
    from ._policy import Ticket
    from ._session import Session, Stream, WakeEvent
    from ._state import PoolState

_T = TypeVar("_T")

_LOCAL_RETRIES = 100
"""How often a request may find that the connection it was granted is now full or closing."""

UNLIMITED = Timeouts()

_OTHER_CONNECTION = (
    Closed,
    ClosedForWriting,
    RequestBodyIsStreaming,
    StreamIdsExhausted,
    TooManyConcurrentRequests,
    TooManyPipelinedRequests,
)


# -- steps


@dataclass(slots=True)
class Connect:
    """Open a connection, and set `conn` to it."""

    origin: Origin
    key: int
    until: float | None
    conn: Connection | None = None


@dataclass(slots=True)
class Park:
    """Wait until the event is set."""

    event: WakeEvent
    until: float | None


@dataclass(slots=True)
class Receive:
    """Wait until something arrives on the connection, and pass it to the session."""

    session: Session
    until: float | None


@dataclass(slots=True)
class Look:
    """Pass to the session what has arrived on the connection, without waiting."""

    session: Session


@dataclass(slots=True)
class Room:
    """Wait until more can be written.

    With `reads`, the wait also ends when something arrives; otherwise, when the event is set.
    """

    session: Session
    event: WakeEvent
    reads: bool
    until: float | None


@dataclass(slots=True)
class Pull:
    """Set `piece` to the next piece of a body; `None` at its end."""

    source: Iterator[BytesLike] | AsyncIterator[BytesLike]
    piece: BytesLike | None = None


@dataclass(slots=True)
class CallTrace:
    """Call `trace`, because a phase of the request began or ended; an event loop awaits the result."""

    trace: Trace
    name: str
    info: dict[str, object]


Trace: TypeAlias = "Callable[[str, dict[str, object]], object]"
Step: TypeAlias = Connect | Park | Receive | Look | Room | Pull | CallTrace
Procedure: TypeAlias = Generator[Step, None, _T]


@dataclass(slots=True)
class PoolRequest:
    """A request as the caller made it, and how far it has come."""

    method: str
    url: URL
    headers: list[tuple[str, str]]
    content: bytes | None
    make_source: Callable[[], Iterator[BytesLike] | AsyncIterator[BytesLike]] | None
    """Returns an iterator over the pieces of the body, if it consists of pieces."""
    sends_itself: bool
    """Whether the caller sends the body."""
    trailers: HeaderFields
    timeouts: Timeouts
    until: float | None
    replays: bool
    """Whether the body can be sent again."""
    clock: Callable[[], float]
    trace: Trace | None = None
    check: Callable[[PoolRequest], None] | None = None
    """Raises the error of a request that no connection could send, before one is opened for it."""
    phase: str = ""
    """The phase whose beginning was last reported to `trace`; empty if it has ended."""
    dialled: bool = False
    """Whether a connection was opened for the request, and `trace` has not been called for that yet."""
    ticket: Ticket | None = None
    """The ticket with which it asks for a connection, and which then holds its place there."""
    events: tuple[WakeEvent, ...] = ()
    """The events for which it may wait."""

    def with_limit(self, timeout: float | None) -> PoolRequest:
        """Return the same with a time limit that begins now and replaces all others; -1 changes nothing."""
        if timeout == -1:
            return self
        until = None if timeout is None else self.clock() + _checks.seconds("timeout", timeout)
        return replace(self, until=until, timeouts=UNLIMITED)

    def within(self, limit: float | None, since: float | None = None) -> float | None:
        """Return the time when a phase must end that began at `since`, or begins now."""
        if limit is None:
            return self.until
        end = (self.clock() if since is None else since) + limit
        return end if self.until is None else min(end, self.until)


# -- calling `trace`


def _begun(request: PoolRequest, phase: str, **info: object) -> Procedure[None]:
    if request.trace is not None:
        request.phase = phase
        yield CallTrace(request.trace, f"{phase}.started", info)


def _done(request: PoolRequest, phase: str, **info: object) -> Procedure[None]:
    if request.trace is not None:
        request.phase = ""
        yield CallTrace(request.trace, f"{phase}.complete", info)


def _failed(request: PoolRequest, error: Exception) -> Procedure[None]:
    phase, request.phase = request.phase, ""
    if request.trace is not None and phase:
        yield CallTrace(request.trace, f"{phase}.failed", {"exception": error})


def traced(procedure: Procedure[_T], request: PoolRequest) -> Procedure[_T]:
    """Run a procedure; if it fails, call `trace` for the phase that failed."""
    try:
        return (yield from procedure)
    except Exception as error:
        yield from _failed(request, error)
        raise


# -- connections


def acquire(pool: PoolState, request: PoolRequest) -> Procedure[Session]:
    """Return a connection on which one request may be sent."""
    until = request.within(request.timeouts.pool)
    event = pool.make_event()
    with pool.lock:
        ticket = request.ticket = pool.ticket(request.url.origin)
        request.events = (event,)
    try:
        try:
            with pool.lock:
                pool.ask(ticket, event)
            while True:
                with pool.lock:
                    event.clear()
                    pool.check_open()
                    if pool.has_dropped:
                        pool.settle()
                    key, dials = ticket.key, ticket.dials
                if key is None:
                    if pool.is_late(until):
                        raise TransportTimeout("waiting for a connection of the pool").marked(
                            processed=Processed.NO
                        )
                    yield Park(event, until)
                elif dials:
                    if request.check is not None:
                        request.check(request)
                    return (yield from _dial(pool, request, key))
                else:
                    # It may have ended since it was granted.
                    session = pool.sessions.get(key)
                    if session is not None and (yield from is_usable(pool, session, event, until)):
                        return session
                    with pool.lock:
                        pool.ask_again(ticket)
        finally:
            with pool.lock:
                pool.events.pop(ticket, None)
    except BaseException as error:
        with pool.lock:
            pool.give_back(ticket, failed=isinstance(error, MintError) and not error.local)
        raise


def _dial(pool: PoolState, request: PoolRequest, key: int) -> Procedure[Session]:
    step = Connect(request.url.origin, key, request.within(request.timeouts.connect))
    yield from _begun(request, "connect", origin=step.origin)
    try:
        yield step
        request.dialled = True
        if step.conn is None:
            raise TransportTimeout("connecting").marked(processed=Processed.NO)
        with pool.lock:
            return pool.add(key, step.conn)
    except BaseException:
        with pool.lock:
            pool.discard(key, step.conn)
        raise


def is_usable(pool: PoolState, session: Session, event: WakeEvent, until: float | None) -> Procedure[bool]:
    """Whether a connection can be used: look at what has arrived, and ping it after a long silence."""
    with pool.lock:
        if session.is_lost or not session.conn.is_open():
            return False
        # If there is a reader, everything that has arrived was already processed.
        if session.reader is None and not session.conn.is_usable():
            session.retire()
            return False
        due = session.next_ping()
        if due is None or due > pool.clock():
            return True
        session.ping()
    while True:
        with pool.lock:
            event.clear()
            if session.is_lost or not session.conn.is_open():
                return False
            if not session.is_pinging:
                return True
            if pool.is_late(until):
                raise TransportTimeout(
                    "waiting for a connection of the pool: a PING on it was not answered yet"
                ).marked(processed=Processed.NO)
            session.blocked.add(event)
        try:
            yield from wait(pool, session, event, until)
        finally:
            with pool.lock:
                session.blocked.discard(event)


def wait(pool: PoolState, session: Session, event: WakeEvent, until: float | None) -> Procedure[None]:
    """Wait until the event is set. If nobody else receives on the connection, receive for all requests."""
    try:
        with pool.lock:
            if event.is_set() or session.is_lost:
                return
            reads = session.reader is None
            if reads:
                session.reader = event
            else:
                session.parked[event] = None
        if not reads:
            yield Park(event, until)
        while reads and not (event.is_set() or session.is_lost or pool.is_late(until)):
            due = session.next_ping()
            yield Receive(session, until if due is None else due if until is None else min(due, until))
            with pool.lock:
                session.ping()
    finally:
        try:
            _leave(pool, session, event)
        except BaseException:
            # An exception of a signal handler may have interrupted this: let another request read.
            _leave(pool, session, event)
            raise


def _leave(pool: PoolState, session: Session, event: WakeEvent) -> None:
    with pool.lock:
        if session.reader is event:
            session.reader = None
        session.parked.pop(event, None)
        session.wake_next_reader()


# -- requests


def begin(pool: PoolState, request: PoolRequest) -> Procedure[Stream]:
    """Send a request and wait for the head of its response; send it again if that is safe and useful."""
    retries = refusals = 0
    while True:
        session = yield from acquire(pool, request)
        try:
            stream = yield from _send_head(pool, session, request)
        except BaseException as error:
            abandon(pool, request)
            refusals += 1
            if refusals > _LOCAL_RETRIES or not isinstance(error, _OTHER_CONNECTION):
                raise
            continue
        try:
            if request.trace is not None:
                yield from _trace_sent(stream, request)
            if not request.sends_itself:
                yield from head(pool, stream, request)
        except MintError as error:
            with pool.lock:
                session.cancel(stream)
            again = retries < pool.options.max_retries and not pool.is_late(request.until)
            again = again and _can_repeat(request, stream)
            if not (again and may_retry(error, request.method, pool.options)):
                raise
            yield from _failed(request, error)
            retries += 1
            pool.retries += 1
        except BaseException:
            with pool.lock:
                session.cancel(stream)
            raise
        else:
            return stream


def _can_repeat(request: PoolRequest, stream: Stream) -> bool:
    return request.replays or not (stream.started_source or request.sends_itself)


def abandon(pool: PoolState, request: PoolRequest) -> None:
    """Release everything that a request holds in the pool, in whatever state it is; idempotent.

    The caller of a procedure repeats this if the procedure raises an exception, because an exception of a
    signal handler may have interrupted what the procedure itself was releasing.
    """
    ticket = request.ticket
    if ticket is not None:
        _completely(pool, lambda: pool.abandon(ticket, request.events))


def leave(pool: PoolState, stream: Stream, event: WakeEvent) -> None:
    """After an exception in a wait of this request, let others read, and lose no content; idempotent."""

    def leave_and_put_back() -> None:
        pool.leave(stream.ticket, (event,))
        if event is stream.event:
            stream.put_back()

    _completely(pool, leave_and_put_back)


def _completely(pool: PoolState, work: Callable[[], None]) -> None:
    """Release something with the lock held; do it again if an exception of a signal handler interrupts it."""
    try:
        with pool.lock:
            work()
    except BaseException:
        with pool.lock:
            work()
        raise
    finally:
        pool.catch_up()


def _send_head(pool: PoolState, session: Session, request: PoolRequest) -> Procedure[Stream]:
    """Send the head on a connection that was granted."""
    # The event with which the request waited for a connection is free now. If the caller sends the body, two
    # calls may wait at once, which needs a second event.
    event = request.events[0] if request.events else pool.make_event()
    event.clear()
    events = request.events = event, pool.make_event() if request.sends_itself else event
    if request.trace is not None:
        if request.dialled:
            yield from _done(request, "connect", connection=session.conn)
        yield from _begun(request, "request", connection=session.conn)
    request.dialled = False
    since: float | None = None
    queued = 0
    while session.is_full and not session.is_lost:
        if since is None:
            since, queued = pool.clock(), session.queued
        # The time begins again when the system has taken some of what is queued.
        late = pool.is_late(request.within(request.timeouts.write, since))
        with pool.lock:
            if session.has_written(queued, at_once=late):
                since = pool.clock()
            queued = session.queued
        until = request.within(request.timeouts.write, since)
        if pool.is_late(until):
            raise TransportTimeout("sending").marked(processed=Processed.NO)
        yield from _room(pool, session, events[0], until)
    with pool.lock:
        pool.check_open()
        if session.is_lost:
            raise Closed
        stream = _open(session, request, events)
        pool.requests += 1
        return stream


def _open(session: Session, request: PoolRequest, events: tuple[WakeEvent, WakeEvent]) -> Stream:
    url, method, content, ticket = request.url, request.method, request.content, request.ticket
    if ticket is None:
        raise RuntimeError("a request is sent without a place on a connection")
    streamed = request.make_source is not None or request.sends_itself
    if content is not None and not request.trailers and len(content) <= SMALL:
        try:
            return session.open(
                method, url.target, request.headers, content, streamed=False, ticket=ticket, events=events
            )
        except ExceedsWindowSize:
            pass
    fields = request.headers
    if content is not None:
        streamed = True
        if not request.trailers and not has(fields, "content-length", "transfer-encoding"):
            fields = [*fields, ("content-length", str(len(content)))]
    stream = session.open(method, url.target, fields, None, streamed=streamed, ticket=ticket, events=events)
    if content is not None:
        stream.source = iter((content,))
    elif request.make_source is not None:
        stream.source = request.make_source()
    stream.end_trailers = request.trailers
    return stream


def _trace_sent(stream: Stream, request: PoolRequest) -> Procedure[None]:
    """Call `trace`: the head was sent, together with the body if that is short."""
    yield from _done(request, "request", ref=stream.ref)
    yield from _begun(request, "request_body")
    if stream.source is None:
        yield from _done(request, "request_body")


def head(pool: PoolState, stream: Stream, request: PoolRequest) -> Procedure[None]:
    """Wait for the head of the response, and send the body meanwhile."""
    if stream.source is None:
        yield from _begun(request, "response")
    while not (stream.has_head or stream.ended):
        yield from pump(pool, stream, request)
    if stream.error is not None and not stream.has_head:
        raise stream.error
    if request.trace is not None:
        if request.phase != "response":  # the server did not wait for the end of the body
            yield from _begun(request, "response")
        yield from _done(request, "response", status=stream.status, stream=stream)


def piece(pool: PoolState, stream: Stream, request: PoolRequest) -> Procedure[bytes | None]:
    """Return the next piece of content; `None` at the end. Raises the error of the request."""
    while True:
        with pool.lock:
            data = stream.take()
        if data is not None:
            return data
        if stream.ended:
            if stream.error is not None:
                raise stream.error
            return None
        yield from pump(pool, stream, request)


def pump(pool: PoolState, stream: Stream, request: PoolRequest) -> Procedure[None]:
    """Send the body until a part of the response arrives; if all of it was sent, wait."""
    had_head = stream.has_head
    stream.stalled = None
    until = request.within(request.timeouts.read)
    while True:
        with pool.lock:
            stream.event.clear()
            if stream.has_news or stream.has_head is not had_head:
                return
            sending = stream.source is not None and stream.wants_body
        if pool.is_late(request.until if sending else until):
            raise TransportTimeout("waiting for the response")
        if sending:
            yield from _send_some(pool, stream, request)
            until = request.within(request.timeouts.read)
        else:
            yield from wait(pool, stream.session, stream.event, until)


def _send_some(pool: PoolState, stream: Stream, request: PoolRequest) -> Procedure[None]:
    """Send as much as possible of the next piece of the body; wait if nothing can be sent."""
    source, session = stream.source, stream.session
    if source is None:
        return
    if not stream.rest:
        step = Pull(source)
        stream.started_source = True
        yield step
        if step.piece is None:
            stream.source = None
            with pool.lock:
                if stream.wants_body:
                    session.end_body(stream, stream.end_trailers)
            yield from _done(request, "request_body")
            if not stream.has_head:
                yield from _begun(request, "response")
            return
        stream.rest = memoryview(step.piece).cast("B")
    stream.rest = yield from _send(pool, stream, stream.rest, stream.event, request)


def _send(
    pool: PoolState, stream: Stream, data: memoryview[int], event: WakeEvent, request: PoolRequest
) -> Procedure[memoryview[int]]:
    """Send as much as possible, and if not everything was sent, wait until more can be; return the rest."""
    session = stream.session
    with pool.lock:
        if not stream.wants_body:
            return memoryview(b"")
        rest, is_full = session.push(stream, data)
        if rest:
            session.blocked.add(event)
    if not rest:
        stream.stalled = None
        # The server may have answered already.
        yield from _look(pool, session, event)
        return rest
    # The time begins again only when some of the data was sent or, if the queue is full, when the system has
    # taken some of the queue, whatever else arrives meanwhile.
    if stream.stalled is None or len(rest) < len(data):
        stream.stalled = pool.clock()
        stream.queued = session.queued
    try:
        if is_full:
            late = pool.is_late(request.within(request.timeouts.write, stream.stalled))
            with pool.lock:
                if session.has_written(stream.queued, at_once=late):
                    stream.stalled = pool.clock()
                stream.queued = session.queued
        until = request.within(request.timeouts.write, stream.stalled)
        if pool.is_late(until):
            raise TransportTimeout("sending")
        if is_full:
            yield from _room(pool, session, event, until)
        else:
            yield from wait(pool, session, event, until)
    finally:
        with pool.lock:
            session.blocked.discard(event)
    return rest


def _look(pool: PoolState, session: Session, event: WakeEvent) -> Procedure[None]:
    """Process what has arrived, unless there is a reader.

    Nobody may become the reader meanwhile, because it would wait for what is processed here.
    """
    with pool.lock:
        if session.reader is not None or session.is_lost:
            return
        session.reader = event
    try:
        yield Look(session)
    finally:
        with pool.lock:
            session.reader = None
            session.wake_next_reader()


def _room(pool: PoolState, session: Session, event: WakeEvent, until: float | None) -> Procedure[None]:
    """Wait until more can be written."""
    with pool.lock:
        if session.is_lost:
            return
        reads = session.reader is None
        if reads:
            session.reader = event
    try:
        yield Room(session, event, reads, until)
    finally:
        with pool.lock:
            if reads:
                session.reader = None
                session.wake_next_reader()


def send(pool: PoolState, stream: Stream, data: BytesLike, request: PoolRequest) -> Procedure[bool]:
    """Send a piece of a body; return whether more of the body can be sent."""
    rest = _checks.view("data", data)
    stream.stalled = None
    while rest:
        with pool.lock:
            stream.sender.clear()
            if stream.error is not None:
                raise stream.error
            if not stream.wants_body:
                return False
        rest = yield from _send(pool, stream, rest, stream.sender, request)
    if stream.error is not None:
        raise stream.error
    return stream.wants_body
