"""The base of the connections of both protocols: an immutable value over a guarded link.

A value holds the state of an engine (never modified), the generation of the link for which it was made, and
a private store. Every operation that sends or receives is one transaction: claim the link, call the engine,
write its output, release the link with the next generation, and return the successor. Operations of only one
protocol are in http1.py or http2.py. This module does not depend on sockets or event loops.
"""

from __future__ import annotations

from dataclasses import dataclass
from sys import maxsize
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, Generic, Literal, Self, TypeVar

from .._checks import LONGEST, flag, instance, number, one_of, seconds
from .._checks import until as deadline
from .._core.events import CLOSE, SHUT_WRITE
from .._core.fast_path import messages_first, pieces_first, reads_first, requests_first, responses_of
from .._core.faults import Fault
from .._core.values import Slots
from .._wire.link import Link, Refused
from .._wire.memory import Memory
from ..errors import MintError, Processed, StaleConnectionError, TransportError, TransportTimeout
from ..errors.table import from_fault
from ..messages import Broken, Closed, Received
from ..responses import RequestFailed
from ..types import STREAM, UNKNOWN, Eof, Stream, Unknown
from .arguments import check_inbox, direction_of
from .body import as_piece, as_pieces
from .engine import Engine, unrecorded
from .failures import Settled, as_fault, claim_to_close, common, end_link, no_successor
from .identity import Identity
from .lookahead import events_of, feed_remaining, stays_open
from .notes import log_notes

if TYPE_CHECKING:
    import socket as sockets
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from .._core.events import Event, RequestRef, Step
    from .._core.fast_path import FastPath
    from ..errors import HTTPError
    from ..messages import Message
    from ..responses import Response
    from ..types import (
        Body,
        BytesLike,
        HeaderFields,
        HeaderPairs,
        Inbox,
        SocketAddress,
        Source,
        TLSInfo,
        Transport,
        Unread,
    )

_S = TypeVar("_S", bound=Engine)

_FAILED = Slots(RequestFailed, "ref", "_late")

NO_PRIVATE: dict[str, object] = {}
"""The private store of a new connection: shared, because a store is never written."""


def _rearm(newest: ConnectionBase[_S]) -> None:
    """Let the mailbox read the next message, also one about a write that failed after the peer had ended."""
    if newest.is_open("read") or (isinstance(link := newest.transport, Link) and link.reports_late_failure()):
        newest.transport.arm()


@dataclass(frozen=True, slots=True, eq=False)
class ConnectionBase(Identity, Generic[_S]):
    """A connection as an immutable value. Use it through `mint.HTTP1` and `mint.HTTP2`.

    Every operation leaves the value unchanged and returns a new one: continue with that. `==` compares
    the protocol state and the private store, never the socket; values are not hashable.
    """

    _counts: ClassVar[bool] = False
    """Whether the state counts queued output, and must be updated when all of it has been written."""

    _state: _S
    _link: Transport
    _generation: int
    _private: dict[str, object]
    _proxy_headers: HeaderFields

    _fast_path: ClassVar[FastPath[Response]]
    """The compiled implementation of the frequent operations; each class has its own."""

    # -- making successors

    def _slots(self) -> Slots:
        raise NotImplementedError

    def _succeed(self, state: _S, generation: int) -> Self:
        return self._slots().succeed(self, state, generation)

    def __eq__(self, other: object) -> bool:
        """Compare the engine's state and the private store."""
        if type(other) is not type(self) or not isinstance(other, ConnectionBase):
            return NotImplemented
        return bool(self._state == other._state) and self._private == other._private

    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # a value that is superseded must not be a key

    def __repr__(self) -> str:
        stands = "open" if self.is_open() else "draining" if self.is_open("read") else "closed"
        return f"<{type(self).__name__} {stands}, {self.open_request_count} open requests>"

    # -- one transaction

    def _responses(self, events: list[Event]) -> list[Response]:
        """Convert the engine's events to responses; failures of requests carry errors."""
        return responses_of(events, _FAILED, from_fault)

    def _refuse(self, fault: Fault) -> HTTPError | TransportError:
        """Return the error for an operation that the engine refused; its successor is this value."""
        return from_fault(fault).marked(successor=self)

    def _lost(self, state: _S, error: TransportError, before: Sequence[Response]) -> None:
        """Complete the error after the connection broke: open requests fail, the successor is closed.

        What had arrived before is decoded first: an early 413 may be the reason.
        """
        link = self._link
        link.close()
        if link.lone:
            error.marked(processed=Processed.NO)  # nothing was written
        state, events = feed_remaining(link, state, error)
        reported = self._responses(events)
        step = state.lose(as_fault(error))
        reported += self._responses(step.responses)
        generation = link.release(moved=True)
        error.marked(
            processed=common(reported),
            responses=(*before, *reported),
            successor=self._succeed(step.state, generation),
        )

    def _recoverable(
        self, state: _S, error: TransportError, before: Sequence[Response], generation: int
    ) -> None:
        """Complete an error after which the connection stays open; `processed` is as if it failed now."""
        standing = self._responses(unrecorded(state).lose(as_fault(error)).responses)
        error.marked(
            processed=common(standing),
            responses=tuple(before),
            successor=self._succeed(state, generation),
        )

    def undelivered(self, error: TransportError) -> None:
        """Complete an error of an event loop's `flush`, which leaves the value unchanged."""
        self._recoverable(self._state, error, (), self._generation)

    def _commit(self, step: Step[_S], *, flush: bool = True) -> Self:
        """Write the output of a step to the claimed link and return the successor."""
        link = self._link
        try:
            if step.notes:
                log_notes(step.notes)
            if step.output:
                link.send(step.output, flush=flush)
            if step.end == SHUT_WRITE:
                link.shut_write()
            elif step.end == CLOSE:
                end_link(link, step.fault, is_tunnel=self._is_tunnel, is_http2=self._counts)
        except BaseException as error:
            self._write_failed(step, error)
            raise
        state = step.state
        if self._counts and link.written:
            state = self._written(state)
        return self._slots().succeed(self, state, link.release(moved=True))

    def _write_failed(self, step: Step[_S], error: BaseException) -> None:
        """Handle an exception of writing; after a timeout, an outstanding message can still be fed."""
        link = self._link
        if isinstance(error, TransportTimeout) and isinstance(link, Link) and link.stop_after_messages():
            self._recoverable(step.state, error, self._responses(step.responses), link.release(moved=True))
        elif isinstance(error, TransportError):
            self._lost(step.state, error, self._responses(step.responses))
        else:
            link.poison()

    def _read_failed(self, error: BaseException, before: Sequence[Response]) -> None:
        """Handle an exception of reading; `before` has the responses that were decoded before it."""
        link = self._link
        if isinstance(error, TransportTimeout):
            self._recoverable(self._state, error, before, link.release(moved=False))
        elif isinstance(error, TransportError):
            self._lost(self._state, error, before)
        elif isinstance(error, Refused):
            link.release(moved=False)

    def _written(self, state: _S) -> _S:
        """Return the state after all its output has been written; HTTP/2 counts its unsent frames."""
        return state

    def _current(self, link: Transport) -> _S:
        """Return the current state: queued output may have been written since the last operation."""
        return self._written(self._state) if link.written else self._state

    def _claimed(self) -> Transport:
        link = self._link
        try:
            link.claim(self._generation)
        except StaleConnectionError as error:
            error.marked(successor=self)
            raise
        return link

    # -- requests

    @requests_first
    def request(
        self,
        method: str,
        target: str,
        headers: HeaderPairs = (),
        body: Body = None,
        *,
        flush: bool = True,
    ) -> tuple[Self, RequestRef]:
        """Send a request and return its ref; the responses with this ref arrive later.

        Args:
            method: a token, sent as it is (`"GET"`).
            target: the target of the request line: `"/path?query"`, already percent-encoded;
                `"*"` for OPTIONS; `"host:port"` for CONNECT.
            headers: pairs of name and value. Host, user-agent and the framing fields are added if absent.
            body: `None`, bytes, a sequence of bytes, or `mint.STREAM` to send it later with
                `stream_request_body`; a tunnel (CONNECT) needs `mint.STREAM`.
            flush: `True` writes at once; `False` queues, so that several requests need only one write.

        Raises:
            HTTPError: with `local` true, the request cannot be sent and nothing was sent: `Closed`,
                `ClosedForWriting`, `InvalidRequestTarget`, `InvalidHeaderValue` and others; on HTTP/1
                `RequestBodyIsStreaming`, `TooManyPipelinedRequests`; on HTTP/2 `TooManyConcurrentRequests`,
                `ExceedsWindowSize`, `MaxHeaderListSizeExceeded`.
            TransportError: the connection broke.
            TypeError: an argument has the wrong type.

        RFC 9110 9, RFC 9112 3, RFC 9113 8.3.

        """
        if flush is not True and flush is not False:
            flag("flush", flush)
        streaming = body is STREAM
        pieces = None if body is None or isinstance(body, Stream) else as_pieces(body)
        try:
            made = self._fast_path.request(self, method, target, headers, pieces, streaming, flush)
            if isinstance(made, tuple):
                return made
            if made is None:
                return self._asking(
                    lambda state: state.request(method, target, headers, pieces, streaming), flush=flush
                )
        except BaseException as error:
            self._link.settle(self._generation, error)
            raise
        raise self._refuse(made)

    def _asking(self, operation: Callable[[_S], Step[_S]], *, flush: bool = True) -> tuple[Self, RequestRef]:
        """Run an operation that returns a ref."""
        made, step = self._transact(operation, flush=flush)
        if step.ref is None:
            raise self._refuse(Fault("closed", processed=0, local=True))
        return made, step.ref

    def _check_unsolicited(self, *, queues: bool = False) -> None:
        """On HTTP/1, raise an error if something arrived before a request that is sent, or `queues`."""

    @pieces_first
    def stream_request_body(self, ref: RequestRef, data: BytesLike | Eof, *, flush: bool = True) -> Self:
        """Send a piece of a streamed body, or its end: `mint.Eof`, with or without trailers.

        After `101` or a successful CONNECT, the same call sends into the tunnel; `mint.Eof()` then ends only
        this direction. An empty piece sends nothing.

        Raises `ExceedsWindowSize` on HTTP/2 if the piece is larger than `request_body_window(ref)`,
        `ContentLengthMismatch` if it contradicts the declared length, `RequestIsNotStreaming`,
        `UnknownRequestToStream`, and for trailers `TrailingHeadersButNotChunkedEncoding` and
        `UnallowedTrailingHeader`; all of them local. `TransportError` if the connection broke, `ValueError`
        for a ref that this connection never returned. RFC 9112 7.1, RFC 9113 8.1.
        """
        piece = data if type(data) is bytes else as_piece(data)
        if flush is not True and flush is not False:
            flag("flush", flush)
        if isinstance(piece, Eof):
            return self._run(lambda state: state.end_body(ref, piece.trailers), flush=flush)
        made = self._fast_path.stream_body(self, ref, piece, flush)
        if isinstance(made, Fault):
            raise self._refuse(made)
        return self._run(lambda state: state.stream_body(ref, piece), flush=flush) if made is None else made

    def _run(self, operation: Callable[[_S], Step[_S]], *, flush: bool = True) -> Self:
        """Run an operation that returns no ref."""
        return self._transact(operation, flush=flush)[0]

    def _transact(self, operation: Callable[[_S], Step[_S]], *, flush: bool) -> tuple[Self, Step[_S]]:
        """Run an operation as one transaction."""
        with Settled(self._link, self._generation):
            link = self._claimed()
            try:
                step = operation(self._current(link))
            except BaseException:
                link.release(moved=False)
                raise
            if step.fault is not None:
                link.release(moved=False)
                raise self._refuse(step.fault)
            if step.alone or (link.lone and flush):
                self._check_unsolicited(queues=not flush)
            return self._commit(step, flush=flush), step

    # -- responses

    def _fed(self, step: Step[_S], before: list[Response]) -> Self:
        """Commit the step after feeding; raise its fault with everything that was decoded."""
        responses = self._responses(step.responses) if step.responses else []
        before += responses
        if step.fault is None:
            try:
                return self._commit(step)
            except TransportError as error:
                # The responses are in `before`, too: do not report them twice.
                reported = error.responses[len(responses) :]
                error.marked(responses=(*before, *reported))
                raise
        if self._link.lone:
            self._link.fail_writing()  # the queued request must not be sent any more
        # The error gets no local name: the frame and the error's traceback would form a reference cycle.
        try:
            successor = self._commit(step)
        except TransportError as lost:
            # The output could not be written, but the fault is more important. Requests that it had left
            # open (a GOAWAY) have failed now, too.
            reported = lost.responses[len(responses) :]
            whole = (*before, *reported)
            if step.cause is not None:
                lost.__cause__ = from_fault(step.cause)
            raise from_fault(step.fault).marked(responses=whole, successor=lost.successor) from lost
        cause = None if step.cause is None else from_fault(step.cause)
        raise from_fault(step.fault).marked(responses=tuple(before), successor=successor) from cause

    @reads_first
    def recv(self, byte_count: int = 0, timeout: float | None = None) -> tuple[Self, list[Response]]:
        """Wait for bytes from the server and return the responses that they contain; passive mode only.

        Args:
            byte_count: return when at least this many plaintext bytes have arrived; 0 for any number.
            timeout: the most seconds to wait; `None` means no limit.

        It also returns when the peer has closed. Raises `TransportTimeout` (a `TimeoutError`) when the time
        is up: the connection stays open (`conn.after(error)`), and `error.responses` has what was decoded.
        Raises `HTTPError` if the server violates HTTP, another `TransportError` if the connection breaks
        while something is open (an end while nothing is open is not an error; `is_open("read")` is then
        false), `RuntimeError` in active mode, `ValueError` for a negative `byte_count`.
        """
        until = None if timeout is None else deadline("timeout", timeout, monotonic())
        byte_count = number("byte_count", byte_count, 0, maxsize)
        responses: list[Response] = []
        self._link.permit("recv")
        fed = 0
        current = self
        while True:
            current, size = current._read(until, responses)
            fed += size
            if not size or fed >= byte_count or not current.is_open("read"):
                return current, responses

    def _read(self, until: float | None, responses: list[Response]) -> tuple[Self, int]:
        """Read once and feed the engine; return the successor and the number of octets read."""
        with Settled(self._link, self._generation):
            link = self._claimed()
            try:
                data = link.receive(until)
            except BaseException as error:
                self._read_failed(error, responses)
                raise
            return self._take(data, responses), len(data)

    def _take(self, data: bytes, responses: list[Response]) -> Self:
        """Feed the engine what was read from the claimed link; `b""` means that the peer has closed."""
        successor = self._fast_path.take(self, data, responses)
        if successor is not None:
            return successor
        link = self._link
        state = self._current(link)
        if data:
            step = state.feed(data)
        elif link.lone:
            step = state.lose(Fault("transport_closed", processed=0))  # nothing was written
        else:
            step = state.feed_eof(link.clean_end)
        plain = step.plain
        if plain is None:
            return self._fed(step, responses)
        responses += plain
        state = step.state
        if self._counts and link.written:
            state = self._written(state)
        return self._slots().succeed(self, state, link.release(moved=True))

    @messages_first
    def stream(self, message: object) -> tuple[Self, list[Response]] | Literal[Unknown.UNKNOWN]:
        """Take one message of a mailbox and return the responses that it contains; active mode.

        Returns `mint.UNKNOWN` for anything that is not a message of this connection. The socket is read again
        only after this call, even if it raises and the connection stays open. Raises the same errors as
        `recv`, and `StaleConnectionError` for a message that was passed before.
        """
        try:
            if not isinstance(message, (Received, Closed, Broken)) or message.source != self.source:
                return UNKNOWN
            return self._stream(message)
        except BaseException as error:
            self._link.settle(self._generation, error)
            raise

    def _stream(self, message: Message) -> tuple[Self, list[Response]]:
        link = self._claimed()
        responses: list[Response] = []
        try:
            data = link.accept(message)
        except TransportError as error:
            self._lost(self._state, error, responses)
            raise
        except StaleConnectionError as error:
            link.release(moved=False)
            error.marked(successor=self)
            raise
        except BaseException:
            link.release(moved=False)
            raise
        try:
            successor = self._take(data, responses)
        except MintError as error:
            _rearm(self.after(error))
            raise
        _rearm(successor)
        return successor, responses

    def _finish_stream(self, step: Step[_S]) -> tuple[Self, list[Response]]:
        """Finish `stream` after a step that has output or a fault, and not only responses."""
        responses: list[Response] = []
        try:
            successor = self._fed(step, responses)
        except MintError as error:
            _rearm(self.after(error))
            raise
        _rearm(successor)
        return successor, responses

    def owns(self, message: object) -> bool:
        """Whether a message belongs to this connection, so that `stream` would take it."""
        return isinstance(message, (Received, Closed, Broken)) and message.source == self.source

    # -- the mode

    @property
    def transport(self) -> Transport:
        """The link, which sends and receives the octets. It is for event loops; programs do not need it."""
        return self._link

    @property
    def source(self) -> Source:
        """The token that this connection's messages carry; a key for dictionaries of connections."""
        return self._link.source

    def set_mode(self, mode: Literal["active", "passive"], mailbox: Inbox | None = None) -> Self:
        """Change how bytes are received: `"active"` with a mailbox, or `"passive"`.

        Nothing is lost: what the mailbox has not returned yet comes from `recv` or from the next mailbox. A
        message that it has returned must still be passed to `stream`. Raises `ValueError` for active mode
        without a mailbox or passive mode with one, `TypeError` for a mailbox of another event loop, and
        `MailboxClosed`.
        """
        one_of("mode", mode, ("active", "passive"))
        check_inbox(mailbox)
        if (mode == "active") is (mailbox is None):
            raise ValueError("active mode needs a mailbox, and passive mode must not be given one")
        if mailbox is not None:
            try:
                mailbox.admit(self._link)
            except MintError as error:
                error.marked(successor=self)
                raise
        with Settled(self._link, self._generation):
            link = self._claimed()
            try:
                link.set_inbox(mailbox)
            except RuntimeError:
                link.release(moved=False)  # refused, and nothing was changed
                raise
            if self.is_open("read"):
                link.arm()
            return self._succeed(self._state, link.release(moved=True))

    def move_to(self, mailbox: Inbox) -> Self:
        """Move the connection to another mailbox, with messages that have not been returned yet."""
        return self.set_mode("active", mailbox)

    @property
    def mode(self) -> Literal["active", "passive"]:
        """How bytes are received: `"active"` through a mailbox, or `"passive"` through `recv`."""
        return "passive" if self._link.inbox is None else "active"

    # -- information

    @property
    def open_request_count(self) -> int:
        """The number of requests whose response is not complete; pushes do not count."""
        return self._state.open_request_count

    def is_open(self, direction: Literal["write", "read"] = "write") -> bool:
        """Whether requests can be sent (`"write"`), or responses may still come (`"read"`).

        After a GOAWAY, if either side sent `connection: close`, and on HTTP/1 behind CONNECT or an upgrade,
        only the second is true. Temporary limits, such as that of concurrent requests, do not count.
        """
        if type(direction) is not str or direction not in {"write", "read"}:
            direction = direction_of(direction)
        return self._state.is_open_write if direction == "write" else self._state.is_open_read

    def is_usable(self) -> bool:
        """Whether a request can be sent, judging by everything that has arrived from the server.

        `is_open()` considers only what was received. This method also looks, without waiting, at what has
        arrived since: the end of the connection, a GOAWAY (HTTP/2), or on HTTP/1 bytes while no request is
        open, which make the connection unusable. Nothing is consumed, and the value stays current. A tunnel
        is not usable. Temporary limits, such as that of concurrent requests, do not count.

        If nothing has arrived, it makes at most one system call. Otherwise it reads until nothing more is
        there, or 64 KiB are held, and decodes that. Raises `StaleConnectionError` for an outdated value.
        RFC 9112 9.3, 9.5.
        """
        if not self.is_open() or self._is_tunnel:
            return False
        with Settled(self._link, self._generation):
            link = self._claimed()
            found = link.look()
            usable = not link.closed
            if found is not None:
                usable = usable and not self._is_unsolicited(found) and stays_open(self._state, found)
            link.release(moved=False)
            return usable

    @property
    def _is_tunnel(self) -> bool:
        return False

    def _is_unsolicited(self, found: Unread) -> bool:  # noqa: ARG002  # in HTTP/2, stream identifiers show it
        """Whether something has arrived that is not a response to any request."""
        return False

    def foreseen(self) -> list[Event]:
        """Return what has arrived but has not been received, as events, without consuming it."""
        with Settled(self._link, self._generation):
            link = self._claimed()
            found = link.look()
            events = [] if found is None else events_of(self._state, found)
            link.release(moved=False)
            return events

    @property
    def socket(self) -> sockets.socket | None:
        """The socket, to read its options; do not read, write or close it. `None` if there is none."""
        return self._link.socket

    @property
    def tls(self) -> TLSInfo | None:
        """What TLS negotiated; `None` without TLS."""
        return self._link.tls

    @property
    def local_address(self) -> SocketAddress | None:
        """The address of this end; `None` if there is no socket or it is closed."""
        return self._link.local_address

    @property
    def peer_address(self) -> SocketAddress | None:
        """The address of the server, or of the proxy if there is one."""
        return self._link.peer_address

    @property
    def proxy_headers(self) -> HeaderFields:
        """The headers of the proxy's answer to CONNECT; empty without a tunnel."""
        return self._proxy_headers

    # -- the private store and the log

    def put_private(self, key: str, value: object) -> Self:
        """Store a value with the connection; nothing is sent."""
        instance("key", key, str, "a str")
        return self._slots().replace(self, "_private", {**self._private, key: value})

    def get_private(self, key: str, default: object = None) -> object:
        """Return the value stored under the key, or the default."""
        return self._private.get(instance("key", key, str, "a str"), default)

    def delete_private(self, key: str) -> Self:
        """Delete the value stored under the key, if there is one."""
        key = str.__str__(instance("key", key, str, "a str"))
        kept = {each: value for each, value in self._private.items() if each != key}
        return self._slots().replace(self, "_private", kept)

    def put_log(self, log: bool) -> Self:  # the seeds' put_log(conn, boolean)
        """Turn logging on or off: logger `mint`, level DEBUG, one record per frame or message head."""
        return self._slots().replace(self, "_state", self._state.traced(flag("log", log)))

    # -- the link

    def flush(self, timeout: float | None = None) -> Self:
        """Write everything that is queued; wait at most `timeout` seconds, `None` for no limit.

        Returns early if `TCPOptions.max_read_ahead` octets have arrived meanwhile: receive first. Raises
        `TransportTimeout` when the time is up: the connection stays open, and what was not written stays
        queued. Raises `RuntimeError` in asyncio and trio, which have a `flush` function to await.
        """
        if timeout is not None:
            timeout = seconds("timeout", timeout, -LONGEST)
        self._link.permit("flush")
        with Settled(self._link, self._generation):
            link = self._claimed()
            if link.lone:
                self._check_unsolicited()
            try:
                link.flush(timeout)
            except TransportTimeout as error:
                self._recoverable(self._state, error, (), link.release(moved=True))
                raise
            except TransportError as error:
                self._lost(self._state, error, [])
                raise
            except Refused:
                link.release(moved=False)
                raise
            return self._succeed(self._current(link), link.release(moved=True))

    def fork(self) -> Self:
        """Return the same value over a new in-memory transport, for replay, exploration and tests.

        The transport is a `mint.transport.Memory` whose peer reads, so you need not take what is sent. If you
        need the transport itself, make one and pass it to `initiate`.
        """
        return self._slots().replace(
            self._slots().replace(self, "_link", Memory(reads=True)), "_generation", 0
        )

    def close(self) -> Self:
        """Close the connection. May be called on any value, from any thread and repeatedly; never raises.

        Open requests get no further responses.
        """
        link = self._link
        step = self._state.close()
        if step.notes:
            log_notes(step.notes)
        try:
            claim_to_close(link, self._generation)
        except (MintError, RuntimeError):
            # The value is outdated, the link is in use, or it belongs to another thread's event loop.
            link.abort()
            return self._succeed(step.state, self._generation)
        try:
            if step.output:
                link.send(step.output, flush=False)
        except TransportError:
            # The peer accepts nothing any more; close anyway.
            link.close()
        link.close()
        return self._succeed(step.state, link.release(moved=True))

    def after(self, error: MintError) -> Self:
        """Return the value to continue with after an error of this connection.

        For a local error it is the same value. Raises `ValueError` for an error of another connection, and
        for one that was not raised by an operation on a connection, or was unpickled.
        """
        successor = instance("error", error, MintError, "an error of mint").successor
        if not isinstance(successor, type(self)) or successor.source is not self.source:
            raise no_successor(successor)
        return successor

    def __enter__(self) -> Self:
        """Close the connection at the end of the block, whichever value is current by then."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
