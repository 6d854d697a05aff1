"""One connection of a pool and its requests, under any event loop. Nothing here waits.

Whoever waits for a response of a connection may become its reader: it receives for everybody, and what
arrives goes to the `Stream` of each request. All methods are called with the pool's lock held.
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
"""How many octets of a body are sent at once where the queue has room, however little."""


_OF_REQUESTS = (Data, Status, Headers, Done, RequestFailed, Informational, StatusReason, Trailers)


class Bell(Protocol):
    """What a waiting thread or task sleeps on; an event of its event loop."""

    def set(self) -> object:
        """Wake whoever waits."""
        ...

    def clear(self) -> object:
        """Let the next wait sleep again."""
        ...

    def is_set(self) -> bool:
        """Whether waiting would return at once."""
        ...


def _whole(
    method: Callable[Concatenate[Session, _P], _T],
) -> Callable[Concatenate[Session, _P], _T]:
    """Close the connection where an exception breaks the method off, such as that of a signal handler.

    Nobody knows then whether the new value of the connection, or what it said, was lost.
    """

    @wraps(method)
    def whole(self: Session, /, *args: _P.args, **named: _P.kwargs) -> _T:
        try:
            return method(self, *args, **named)
        except (MintError, TypeError, ValueError):
            raise  # of the connection, which goes on from there, or of an argument
        except BaseException:
            self.lose()
            raise

    return whole


class Stream:
    """One request on a connection, and what has arrived of its response."""

    def __init__(
        self, session: Session, ref: RequestRef, method: str, ticket: Ticket, bells: tuple[Bell, Bell]
    ) -> None:
        self.session = session
        self.ref = ref
        self.method = method
        self.ticket = ticket
        """What holds its place on the connection."""
        self.bell: Bell = bells[0]
        self.sender: Bell = bells[1]
        self.status: int = 0
        self.reason: str = ""
        self.headers: HeaderFields = ()
        self.trailers: HeaderFields = ()
        self.interim: list[Informational] = []
        self.has_head: bool = False
        self.pieces: deque[bytes] = deque()
        self.taken: bytes | None = None
        """The piece that is on its way to the caller."""
        self.buffered: int = 0
        self.ended: bool = False
        self.error: MintError | None = None
        self.is_paused: bool = False
        self.source: Iterator[BytesLike] | AsyncIterator[BytesLike] | None = None
        """Where the rest of the body comes from; `None` where there is none, or the caller sends it."""
        self.end_trailers: HeaderFields = ()
        self.rest: memoryview[int] = memoryview(b"")
        self.started_source: bool = False
        self.stalled: float | None = None
        """Since when nothing of the body can be sent, as long as somebody waits for that."""
        self.declared: bool = False
        """Whether the length of the body was declared, so that its last byte is its end."""
        self.streamed: bool = True
        """Whether the body follows the head; otherwise it was sent with it, or there is none."""

    @property
    def wants_body(self) -> bool:
        """Whether it makes sense to send more of the body.

        The head of an answer does not end that, whatever its status: a server may read the rest before it
        ends its answer, and would wait for it in vain.
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
        """Whether there is content to read, or nothing more to come."""
        return bool(self.pieces) or self.ended

    def take(self) -> bytes | None:
        """Return the next piece of content, `None` where there is none."""
        if not self.pieces:
            return None
        piece = self.taken = self.pieces[0]
        self.pieces.popleft()
        self.buffered -= len(piece)
        self.session.relieve(self)
        return piece

    def put_back(self) -> None:
        """Take back the piece that an exception kept from the caller; idempotent."""
        taken = self.taken
        if taken is not None and not (self.pieces and self.pieces[0] is taken):
            self.pieces.appendleft(taken)
        self.taken = None
        self.buffered = sum(map(len, self.pieces))

    def note(self, response: Response) -> None:
        """Take one response of this request."""
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
        """End with an error; what arrived before it can still be read."""
        if not self.ended:
            self.ended = True
            self.error = error


class Session:
    """One connection."""

    def __init__(
        self,
        key: int,
        conn: Connection,
        options: PoolOptions,
        clock: Callable[[], float],
        changed: Callable[[Session], None],
    ) -> None:
        """Begin; `changed` is called after requests ended, and after the connection changed or ended."""
        self.key = key
        self.conn: Connection = conn
        self.is_shared: bool = conn.protocol == "http2"
        self.streams: dict[RequestRef, Stream] = {}
        self.reader: Bell | None = None
        self.parked: dict[Bell, None] = {}
        self.blocked: set[Bell] = set()
        """Senders that wait until more can be sent."""
        self.released: deque[Ticket] = deque()
        """Of requests that ended and were not yet reported to the policy."""
        self.is_lost: bool = False
        self.is_draining: bool = False
        self.is_retired: bool = False
        self.heard: float = clock()
        self._clock = clock
        self._options = options
        self._changed = changed
        self._capacity: int = self.capacity
        self._ping: tuple[RequestRef, float] | None = None
        self.most_queued: int = QUEUE
        """How many octets may be queued before whoever sends a request or a body has to wait."""
        link = conn.transport
        if isinstance(link, Link):
            # Whoever has more to send waits without the pool's lock. Inside an operation of the connection it
            # would hold the lock meanwhile, and keep everybody else from their limits of time.
            self.most_queued = min(QUEUE, link.high_water)
            link.high_water = sys.maxsize

    @property
    def is_full(self) -> bool:
        """Whether enough is queued, so that whoever has more to send waits."""
        return self.conn.transport.unsent > self.most_queued

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
        """Whether the body of a request is open."""
        return any(stream.wants_body for stream in self.streams.values())

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
        bells: tuple[Bell, Bell],
    ) -> Stream:
        """Send the head of a request, with its body where that is short."""
        try:
            self.conn, ref = self.conn.request(method, target, headers, STREAM if streamed else body)
            stream = self.streams[ref] = Stream(self, ref, method, ticket, bells)
            stream.streamed = streamed
            stream.declared = streamed and has(headers, "content-length")
        except MintError as error:
            self.recover(error)
            raise
        return stream

    def stream_of(self, ticket: Ticket) -> Stream | None:
        """Return the request that was opened with this ticket, unless it is over."""
        return next((each for each in self.streams.values() if each.ticket is ticket), None)

    @_whole
    def push(self, stream: Stream, data: memoryview[int]) -> tuple[memoryview[int], bool]:
        """Send as much as windows and the queue take; return the rest, and whether the queue is full.

        Where the connection breaks, what the server said before comes first: the stream says how it ended.
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
        """Send the end of a body. Raises nothing where the connection breaks after a whole answer."""
        try:
            self.conn = self.conn.stream_request_body(stream.ref, Eof(trailers))
        except MintError as error:
            self.recover(error)
            if not stream.ended or stream.error is not None:
                raise
        self._settle_ended(stream)

    @_whole
    def cancel(self, stream: Stream) -> None:
        """Give a request up; the others are not affected."""
        stream.pieces.clear()
        if self.streams.pop(stream.ref, None) is None:
            return
        self.released.append(stream.ticket)
        stream.fail(TransportClosed())
        stream.bell.set()
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
        """Let the server send again what its reader has made room for."""
        if stream.is_paused and stream.buffered <= self._options.buffer_size // 2:
            stream.is_paused = False
            self._set_refill(stream, refill=True)

    # -- what arrives

    @_whole
    def feed(self, message: object) -> None:
        """Feed a message of a mailbox."""
        try:
            fed = self.conn.stream(message)
        except MintError as error:
            self.recover(error)
        else:
            if fed is not UNKNOWN:
                self.hear(*fed)

    @_whole
    def hear(self, conn: Connection, responses: Sequence[Response]) -> None:
        """Go on with a connection value, and hand its responses out."""
        self.conn = conn
        self.heard = self._clock()
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
            stream.bell.set()
            if stream.sender is not stream.bell:
                stream.sender.set()
        for bell in self.blocked:
            bell.set()
        self._report()

    @_whole
    def recover(self, error: MintError) -> None:
        """Go on after an error of the connection: what came before it counts."""
        conn = self.conn
        if error.successor is not None:
            conn = conn.after(error)
        self.hear(conn, error.responses)
        if not self.conn.is_open("read"):
            self.lose(error)

    def _settle_ended(self, stream: Stream) -> None:
        """Let go of a request that is over. One whose body is not sent takes its HTTP/1 connection along."""
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
            # The answer may have come between the last byte and our noticing that it was the last.
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
        """Close the connection; what is open fails."""
        if self.is_lost:
            return
        try:
            self._lose(error)
        except BaseException:
            # Of a signal handler: nobody else would do the rest.
            self._lose(error)
            raise

    def _lose(self, error: MintError | None) -> None:
        self.is_lost = True
        self.conn = self.conn.close()
        for stream in self.streams.values():
            stream.fail(error or TransportClosed())
        self.streams.clear()  # with the connection go the places on it
        self.ring()
        self._report()

    @_whole
    def retire(self) -> None:
        """Use the connection for no new requests, because of something that arrived and was not yet read."""
        if not self.streams:
            self.lose()
        else:
            self.is_retired = True
            self._report()

    def ring(self) -> None:
        """Wake everybody."""
        for bell in [*self.parked, *self.blocked, *([] if self.reader is None else [self.reader])]:
            bell.set()

    def _report(self) -> None:
        """Tell the pool where something ended or changed."""
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
        """Return when something has to be done about pings: one sent, or one given up."""
        if not self.is_shared or self._options.ping_interval is None:
            return None
        if self._ping is not None:
            # Whatever arrives shows that the server is there; its answer may stand behind much content.
            return max(self._ping[1], self.heard) + self._options.ping_timeout
        return self.heard + self._options.ping_interval

    @property
    def is_pinging(self) -> bool:
        """Whether a PING waits for its answer."""
        return self._ping is not None

    @_whole
    def ping(self) -> None:
        """Send a PING where it is time; give the connection up where the last one was not answered."""
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

    # -- who reads

    def leave(self, bells: Iterable[Bell]) -> None:
        """Let nobody wait with these bells any more; idempotent."""
        for bell in bells:
            if self.reader is bell:
                self.reader = None
            self.parked.pop(bell, None)
            self.blocked.discard(bell)
        self.nominate()

    def nominate(self) -> None:
        """Wake one of those who wait, so that it reads for all: a sender where nobody else waits."""
        if self.reader is None:
            for bell in (*self.parked, *self.blocked):
                bell.set()
                return
