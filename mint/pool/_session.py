"""One connection of a pool and its requests, the same for every event loop. Nothing here waits.

One of the requests that wait for responses of a connection is its reader: it receives for all requests, and
each response goes to the `Stream` of its request. All methods are called with the pool's lock held.
"""

from __future__ import annotations

import sys
from collections import deque
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Protocol, TypeVar

from ..errors import MintError, TransportClosed, TransportTimeout
from ..exchange._procedure import PIECE, QUEUE, has
from ..responses import (
    Data,
    Done,
    Headers,
    Informational,
    Pong,
    RequestFailed,
    Status,
    StatusReason,
    Trailers,
)
from ..transport import Link
from ..types import STREAM, UNKNOWN, Eof

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence

    from .._connections.negotiation import Connection
    from ..responses import RequestRef, Response
    from ..types import BytesLike, HeaderFields
    from ._options import PoolOptions
    from ._policy import Ticket

_P = ParamSpec("_P")
_T = TypeVar("_T")

_LEAST = 4_096
"""The least number of octets of a body to queue at once, if the queue has any room."""

_OF_REQUESTS = (Data, Status, Headers, Done, RequestFailed, Informational, StatusReason, Trailers)


class WakeEvent(Protocol):
    """An event for which one thread or task of the event loop waits."""

    def set(self) -> object:
        """Wake the thread or task."""
        ...

    def clear(self) -> object:
        """Make the next wait block again."""
        ...

    def is_set(self) -> bool:
        """Whether a wait would return at once."""
        ...


def _whole(
    method: Callable[Concatenate[Session, _P], _T],
) -> Callable[Concatenate[Session, _P], _T]:
    """Close the connection if an exception interrupts the method, such as one of a signal handler.

    The new value of the connection, or its responses, may have been lost then.
    """

    @wraps(method)
    def whole(self: Session, /, *args: _P.args, **named: _P.kwargs) -> _T:
        try:
            return method(self, *args, **named)
        except (MintError, TypeError, ValueError):
            raise  # errors of the connection, which has a successor, or of an argument
        except BaseException:
            self.lose()
            raise

    return whole


class Stream:
    """One request on a connection, and what has arrived of its response."""

    def __init__(
        self,
        session: Session,
        ref: RequestRef,
        method: str,
        ticket: Ticket,
        events: tuple[WakeEvent, WakeEvent],
    ) -> None:
        self.session = session
        self.ref = ref
        self.method = method
        self.ticket = ticket
        """The ticket that holds its place on the connection."""
        self.event: WakeEvent = events[0]
        self.sender: WakeEvent = events[1]
        self.status: int = 0
        self.reason: str = ""
        self.headers: HeaderFields = ()
        self.trailers: HeaderFields = ()
        self.interim: list[Informational] = []
        self.has_head: bool = False
        self.pieces: deque[bytes] = deque()
        self.taken: bytes | None = None
        """The piece that is being returned to the caller."""
        self.buffered: int = 0
        self.ended: bool = False
        self.error: MintError | None = None
        self.is_paused: bool = False
        self.source: Iterator[BytesLike] | AsyncIterator[BytesLike] | None = None
        """An iterator over the rest of the body; `None` if there is none, or the caller sends it."""
        self.end_trailers: HeaderFields = ()
        self.rest: memoryview[int] = memoryview(b"")
        self.started_source: bool = False
        self.stalled: float | None = None
        """The time since which nothing more of the body could be sent, while the request waits for that."""
        self.queued: int = 0
        """How much was queued on the connection when it last waited for that."""
        self.declared: bool = False
        """Whether the length of the body was declared, so that its last byte is its end."""
        self.streamed: bool = True
        """Whether the body follows the head; otherwise it was sent with it, or there is none."""

    @property
    def wants_body(self) -> bool:
        """Whether more of the body has to be sent.

        The status of the answer is ignored: a server may read the whole body before it completes its answer.
        """
        if self.ended or not self.streamed:
            return False
        try:
            self.session.conn.request_body_window(self.ref)
        except ValueError:
            return False
        return True

    @property
    def has_news(self) -> bool:
        """Whether there is content to read, or the response has ended."""
        return bool(self.pieces) or self.ended

    def take(self) -> bytes | None:
        """Return the next piece of content; `None` if there is none."""
        if not self.pieces:
            return None
        piece = self.taken = self.pieces[0]
        self.pieces.popleft()
        self.buffered -= len(piece)
        self.session.relieve(self)
        return piece

    def put_back(self) -> None:
        """Put back a piece that did not reach the caller because of an exception; idempotent."""
        taken = self.taken
        if taken is not None and not (self.pieces and self.pieces[0] is taken):
            self.pieces.appendleft(taken)
        self.taken = None
        self.buffered = sum(map(len, self.pieces))

    def note(self, response: Response) -> None:
        """Store one response of this request."""
        match response:
            case Status(status=status):
                self.status = status
            case StatusReason(reason=reason):
                self.reason = reason
            case Headers(headers=headers):
                self.headers = headers
                self.has_head = True
            case Data(data=data):
                self.pieces.append(data)
                self.buffered += len(data)
            case Informational():
                self.interim.append(response)
            case Trailers(headers=headers):
                self.trailers = headers
            case Done():
                self.ended = True
            case RequestFailed(error=error):
                self.fail(error)
            case _:
                pass

    def fail(self, error: MintError) -> None:
        """End with an error; content that arrived before it can still be read."""
        if not self.ended:
            self.ended = True
            self.error = error


class Session:
    """One connection of a pool, and the requests on it."""

    def __init__(
        self,
        key: int,
        conn: Connection,
        options: PoolOptions,
        clock: Callable[[], float],
        changed: Callable[[Session], None],
    ) -> None:
        """Begin; `changed` is called when requests have ended, and when the connection changed or ended."""
        self.key = key
        self.conn: Connection = conn
        self.is_shared: bool = conn.protocol == "http2"
        self.streams: dict[RequestRef, Stream] = {}
        self.reader: WakeEvent | None = None
        self.parked: dict[WakeEvent, None] = {}
        self.blocked: set[WakeEvent] = set()
        """The events of senders that wait until more can be sent."""
        self.released: deque[Ticket] = deque()
        """The tickets of requests that have ended but were not yet reported to the policy."""
        self.is_lost: bool = False
        self.is_draining: bool = False
        self.is_retired: bool = False
        self.last_received: float = clock()
        self._clock = clock
        self._options = options
        self._changed = changed
        self._capacity: int = self.capacity
        self._ping: tuple[RequestRef, float] | None = None
        self.most_queued: int = QUEUE
        """The number of octets that may be queued before senders have to wait."""
        link = conn.transport
        if isinstance(link, Link):
            # A sender waits without the pool's lock. If it waited in an operation of the connection, it would
            # hold the lock, and others that wait for the lock would exceed their time limits.
            self.most_queued = min(QUEUE, link.high_water)
            link.high_water = sys.maxsize

    @property
    def is_full(self) -> bool:
        """Whether so much is queued that senders have to wait."""
        return self.conn.transport.unsent > self.most_queued

    @property
    def queued(self) -> int:
        """How many octets wait until the system takes them."""
        return self.conn.transport.unsent

    @_whole
    def has_written(self, queued: int, *, at_once: bool) -> bool:
        """Return whether less is queued than before; with `at_once`, write what the system takes now.

        A socket is reported as writable only once a large part of the system's buffer is empty. If the server
        reads slowly, the system may take something long before that.
        """
        link = self.conn.transport
        if at_once and isinstance(link, Link):
            link.write_waiting()
        return self.queued < queued

    @property
    def capacity(self) -> int:
        """How many requests may be open at once."""
        conn = self.conn
        if conn.protocol == "http1":
            return 1
        limit = conn.get_server_setting("max_concurrent_streams")
        return self._options.max_streams if limit is None else min(limit, self._options.max_streams)

    @property
    def is_sending(self) -> bool:
        """Whether more of the body of a request has to be sent."""
        return any(stream.wants_body for stream in tuple(self.streams.values()))

    # -- requests

    @_whole
    def open(
        self,
        method: str,
        target: str,
        headers: Sequence[tuple[str, str]],
        body: bytes | None,
        *,
        streamed: bool,
        ticket: Ticket,
        events: tuple[WakeEvent, WakeEvent],
    ) -> Stream:
        """Send the head of a request, together with the body if one is given and `streamed` is false."""
        try:
            self.conn, ref = self.conn.request(method, target, headers, STREAM if streamed else body)
            stream = self.streams[ref] = Stream(self, ref, method, ticket, events)
            stream.streamed = streamed
            stream.declared = streamed and has(headers, "content-length")
        except MintError as error:
            self.recover(error)
            raise
        return stream

    def stream_of(self, ticket: Ticket) -> Stream | None:
        """Return the request that was opened with this ticket, unless it has ended."""
        return next((each for each in self.streams.values() if each.ticket is ticket), None)

    @_whole
    def push(self, stream: Stream, data: memoryview[int]) -> tuple[memoryview[int], bool]:
        """Send as much as the windows and the queue allow; return the rest, and whether the queue is full.

        If the connection breaks after the response has ended, nothing is raised: the stream has the outcome.
        """
        while data:
            if self.is_full:
                return data, True
            room = max(_LEAST, self.most_queued - self.conn.transport.unsent)
            size = min(self.conn.request_body_window(stream.ref), room, PIECE)
            if not size:
                return data, False
            try:
                self.conn = self.conn.stream_request_body(stream.ref, data[:size])
            except MintError as error:
                self.recover(error)
                if stream.ended:
                    return data[:0], False
                raise
            data = data[size:]
        return data, False

    @_whole
    def end_body(self, stream: Stream, trailers: HeaderFields) -> None:
        """Send the end of a body. Raises nothing if the connection breaks after a complete answer."""
        try:
            self.conn = self.conn.stream_request_body(stream.ref, Eof(trailers))
        except MintError as error:
            self.recover(error)
            if not stream.ended or stream.error is not None:
                raise
        self._settle_ended(stream)

    @_whole
    def cancel(self, stream: Stream) -> None:
        """Cancel a request: over HTTP/2 only its stream, over HTTP/1 by closing the connection."""
        stream.pieces.clear()
        if self.streams.pop(stream.ref, None) is None:
            return
        self.released.append(stream.ticket)
        stream.fail(TransportClosed())
        stream.event.set()
        stream.sender.set()
        conn = self.conn
        if conn.protocol == "http1":
            self.lose()
        else:
            try:
                self.conn = conn.cancel_request(stream.ref)
            except MintError as error:
                self.recover(error)
        self._report()

    @_whole
    def relieve(self, stream: Stream) -> None:
        """Let the server send more content of a response, if enough of it has been read."""
        if stream.is_paused and stream.buffered <= self._options.buffer_size // 2:
            stream.is_paused = False
            self._set_refill(stream, refill=True)

    # -- what arrives

    @_whole
    def feed(self, message: object) -> None:
        """Pass a message of a mailbox to the connection."""
        try:
            fed = self.conn.stream(message)
        except MintError as error:
            self.recover(error)
        else:
            if fed is not UNKNOWN:
                self.process(*fed)

    @_whole
    def process(self, conn: Connection, responses: Sequence[Response]) -> None:
        """Continue with this connection value, and distribute its responses to the requests."""
        self.conn = conn
        self.last_received = self._clock()
        touched: dict[RequestRef, Stream] = {}
        for response in responses:
            if isinstance(response, _OF_REQUESTS):
                ref = response.ref
                stream = self.streams.get(ref)
                if stream is not None:
                    stream.note(response)
                    touched[ref] = stream
            elif isinstance(response, Pong) and self._ping is not None and response.ref == self._ping[0]:
                self._ping = None
        for stream in touched.values():
            self._settle_ended(stream)
            if stream.buffered > self._options.buffer_size and not stream.is_paused:
                stream.is_paused = True
                self._set_refill(stream, refill=False)
            stream.event.set()
            if stream.sender is not stream.event:
                stream.sender.set()
        for event in self.blocked:
            event.set()
        self._report()

    @_whole
    def recover(self, error: MintError) -> None:
        """Continue after an error of the connection, with the responses that preceded it."""
        conn = self.conn
        if error.successor is not None:
            conn = conn.after(error)
        self.process(conn, error.responses)
        if not self.conn.is_open("read"):
            self.lose(error)

    def _settle_ended(self, stream: Stream) -> None:
        """Remove a request that has ended. Close an HTTP/1 connection if the body was not sent completely."""
        if not stream.ended or stream.ref not in self.streams:
            return
        if not self.is_shared and stream.error is None:
            self._end_or_close(stream)
        del self.streams[stream.ref]
        self.released.append(stream.ticket)

    def _end_or_close(self, stream: Stream) -> None:
        """Close an HTTP/1 connection whose request was answered before its body was sent."""
        if not stream.streamed:
            return
        try:
            self.conn.request_body_window(stream.ref)
        except ValueError:
            return
        if stream.declared:
            # All of the declared bytes may have been sent, and the answer arrived before the end was noticed.
            try:
                self.conn = self.conn.stream_request_body(stream.ref, Eof())
            except MintError as error:
                self.conn = self.conn if error.successor is None else self.conn.after(error)
            else:
                return
        self.conn = self.conn.close()

    def _set_refill(self, stream: Stream, *, refill: bool) -> None:
        conn = self.conn
        if conn.protocol == "http1" or stream.ended:
            return
        try:
            self.conn = conn.set_refill(stream.ref, refill)
        except MintError as error:
            if error.successor is not None and not error.local:
                self.recover(error)

    # -- the end

    def lose(self, error: MintError | None = None) -> None:
        """Close the connection; open requests fail."""
        if self.is_lost:
            return
        try:
            self._lose(error)
        except BaseException:
            # An exception of a signal handler may have interrupted this: do the rest.
            self._lose(error)
            raise

    def _lose(self, error: MintError | None) -> None:
        self.is_lost = True
        self.conn = self.conn.close()
        for stream in self.streams.values():
            stream.fail(error or TransportClosed())
        self.streams.clear()  # their tickets need not be released: the policy forgets the connection
        self.wake_all()
        self._report()

    def leave_to_parent(self) -> None:
        """Give the connection up in a forked child; the parent and the server notice nothing."""
        self.is_lost = True
        self.conn = self.conn.close()
        for stream in self.streams.values():
            stream.fail(TransportClosed())
        self.streams = {}
        # The requests that waited are the parent's, and must not be woken.
        self.reader, self.parked, self.blocked = None, {}, set()
        self.released.clear()

    @_whole
    def retire(self) -> None:
        """Send no new requests on the connection, because of something that has arrived but was not read."""
        if not self.streams:
            self.lose()
        else:
            self.is_retired = True
            self._report()

    def wake_all(self) -> None:
        """Wake all waiting requests."""
        for event in [*self.parked, *self.blocked, *([] if self.reader is None else [self.reader])]:
            event.set()

    def _report(self) -> None:
        """Report to the pool if a request or the connection ended, or its capacity changed."""
        if not self.is_lost and not self.conn.is_open("read"):
            self.lose()
            return
        capacity = self.capacity
        drains = self.is_retired or not self.conn.is_open()
        if self.released or self.is_lost or drains is not self.is_draining or capacity != self._capacity:
            self.is_draining, self._capacity = drains, capacity
            self._changed(self)

    # -- keeping alive

    def next_ping(self) -> float | None:
        """Return the time when a PING has to be sent, or when the time for its answer is over."""
        if not self.is_shared or self._options.ping_interval is None:
            return None
        if self._ping is not None:
            # Anything that arrives shows that the server is alive; its answer may follow much content.
            return max(self._ping[1], self.last_received) + self._options.ping_timeout
        return self.last_received + self._options.ping_interval

    @property
    def is_pinging(self) -> bool:
        """Whether a PING waits for its answer."""
        return self._ping is not None

    @_whole
    def ping(self) -> None:
        """Send a PING if it is time; close the connection if the last one was not answered in time."""
        due = self.next_ping()
        conn = self.conn
        if conn.protocol == "http1" or due is None or self._clock() < due or self.is_lost:
            return
        if self._ping is not None:
            self.lose(TransportTimeout("waiting for the answer to a PING"))
            return
        try:
            self.conn, ref = conn.ping()
            self._ping = ref, self._clock()
        except MintError as error:
            self.recover(error)

    # -- the reader

    def leave(self, events: Iterable[WakeEvent]) -> None:
        """Stop waiting with these events; idempotent."""
        for event in events:
            if self.reader is event:
                self.reader = None
            self.parked.pop(event, None)
            self.blocked.discard(event)
        self.wake_next_reader()

    def wake_next_reader(self) -> None:
        """If there is no reader, wake a waiting request to become it; a sender only if no other waits."""
        if self.reader is None:
            for event in (*self.parked, *self.blocked):
                event.set()
                return
