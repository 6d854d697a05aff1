"""The pool for threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from .. import _checks
from .._loops.dialer import blocking_resolver
from ..errors import ContentTooLarge, RequestIsNotStreaming
from ..exchange._answer import MAX_SIZE, Answer
from ..options import HTTP1Options, HTTP2Options, TCPOptions, TLSOptions
from ._driver import Driver
from ._garbage import finalizer
from ._options import PoolOptions
from ._procedures import abandon, begin, head, leave, piece, send, traced
from ._requests import ConnectOptions, check_pool, make_request
from ._state import PoolState
from ._streamed import Streamed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType

    from .._connections.negotiation import Connection
    from .._transcripts.recorder import Record
    from ..exchange import URL, Origin
    from ..proxy import Proxy
    from ..types import BytesLike, HeaderFields, HeaderPairs, ProtocolName, Resolver
    from ._garbage import Finalizer
    from ._options import Statistics, Timeouts
    from ._procedures import PoolRequest, Trace
    from ._requests import StreamedBody
    from ._session import Stream

_HTTP1 = HTTP1Options()
_HTTP2 = HTTP2Options()
_OPTIONS = PoolOptions()
_TCP = TCPOptions()
_TLS = TLSOptions()
TIMEOUT = 30.0
"""The default time limit of a request, in seconds."""


class StreamedAnswer(Streamed):
    """An answer whose content is read piece by piece. Use it in a `with` block, or close it.

    If the block is left before the end of the answer, the request is cancelled. Over HTTP/2, other requests
    on the connection are not affected; an HTTP/1 connection is closed. An answer that is not closed keeps its
    place on the connection until it is garbage. Then the request is cancelled, with a `ResourceWarning`.
    """

    def __init__(
        self,
        pool: PoolState,
        driver: Driver,
        stream: Stream,
        request: PoolRequest,
        *,
        cancel_if_dropped: bool,
    ) -> None:
        """Made by a pool; with `cancel_if_dropped`, the request is cancelled if this becomes garbage."""
        self._pool = pool
        self._driver = driver
        self._stream = stream
        self._request = request
        self._finalizer: Finalizer | None = finalizer(self, pool, stream) if cancel_if_dropped else None

    # -- the content of the answer

    def receive_head(self) -> Self:
        """Wait for the status and the headers; needed only with `body=mint.STREAM`. Raises as `receive`."""
        try:
            self._driver.run(traced(head(self._pool, self._stream, self._request), self._request))
        except BaseException:
            leave(self._pool, self._stream, self._stream.event)
            raise
        return self

    def receive(self, *, timeout: float | None = -1) -> bytes | None:
        """Return the next piece of content, which is not empty, or `None` at the end.

        `timeout` is how many seconds to wait, `None` for no limit; by default, the limits of the request
        apply. Raises `TransportTimeout`, and the error with which the request failed.
        """
        try:
            data = self._driver.run(piece(self._pool, self._stream, self._request.with_limit(timeout)))
        except BaseException:
            leave(self._pool, self._stream, self._stream.event)
            raise
        self._stream.taken = None
        return data

    def __iter__(self) -> Iterator[bytes]:
        """Yield the pieces of the content."""
        while (data := self.receive()) is not None:
            yield data

    def read(self, *, max_size: int | None = MAX_SIZE) -> bytes:
        """Return the rest of the content.

        Raises `ContentTooLarge` if it has more than `max_size` bytes (`None` for no limit), and the errors of
        `receive`.
        """
        max_size = _checks.size("max_size", max_size)
        pieces: list[bytes] = []
        size = 0
        for data in self:
            size += len(data)
            if max_size is not None and size > max_size:
                raise ContentTooLarge(max_size)
            pieces.append(data)
        return b"".join(pieces)

    # -- the body of the request

    def send(self, data: BytesLike, *, timeout: float | None = -1) -> bool:
        """Send a piece of a body, after `body=mint.STREAM`; wait until the server accepts it.

        Another thread may receive meanwhile. Returns false if the server needs no more of the body, because
        it has already answered. Raises `RequestIsNotStreaming`, and what `receive` raises; `timeout` is as
        for `receive`.
        """
        if not self._request.sends_itself:
            raise RequestIsNotStreaming().marked(local=True)
        try:
            return self._driver.run(send(self._pool, self._stream, data, self._request.with_limit(timeout)))
        except BaseException:
            leave(self._pool, self._stream, self._stream.sender)
            raise

    def send_end(self, trailers: HeaderFields = ()) -> None:
        """End the body, with or without trailers. Does nothing if the server has already answered."""
        if not self._request.sends_itself:
            raise RequestIsNotStreaming().marked(local=True)
        try:
            with self._pool.lock:
                if self._stream.wants_body:
                    self._stream.session.end_body(self._stream, trailers)
        except BaseException:
            leave(self._pool, self._stream, self._stream.sender)
            raise
        finally:
            self._driver.catch_up()

    # -- the end

    def close(self) -> None:
        """Cancel the request, unless its answer is complete; idempotent."""
        try:
            self._driver.end(lambda: self._stream.session.cancel(self._stream))
        except BaseException:
            # An exception of a signal handler may have interrupted this: do the rest.
            abandon(self._pool, self._request)
            raise
        if self._finalizer is not None:
            self._finalizer.detach()

    def __enter__(self) -> Self:
        """Close at the end of the block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Pool:
    """A pool of connections for any number of threads. Use it in a `with` block, or close it.

    Connections are kept by origin. HTTP/2 connections are shared by requests; HTTP/1 connections are kept
    alive and used by one request at a time. The pool starts no thread: a thread that waits for its answer
    also receives the answers of others.

    Args:
        options: limits and times.
        timeout: the default time limit of a request: seconds for everything, a `Timeouts`, or `None` for no
            limit.
        connect: a function that takes an `Origin` and a number of seconds (`None` for no limit) and returns a
            connection in passive mode. It replaces the arguments below.
        protocols, proxy, tcp, tls, http1, http2, log, resolver: as for `mint.connect`.
        record: as for `mint.connect`; one transcript records all connections of the pool. A file that is
            given by its path is closed with the pool. Raises `ValueError` together with `connect`.

    """

    def __init__(
        self,
        *,
        options: PoolOptions = _OPTIONS,
        timeout: float | Timeouts | None = TIMEOUT,
        connect: Callable[[Origin, float | None], Connection] | None = None,
        protocols: Sequence[ProtocolName] = ("http1", "http2"),
        proxy: Proxy | None = None,
        tcp: TCPOptions = _TCP,
        tls: TLSOptions = _TLS,
        http1: HTTP1Options = _HTTP1,
        http2: HTTP2Options = _HTTP2,
        log: bool = False,
        resolver: Resolver | None = None,
        record: Record | None = None,
    ) -> None:
        check_pool(options, timeout, connect, record)
        made = ConnectOptions(
            protocols, proxy, tcp, tls, http1, http2, log, blocking_resolver(resolver), record
        )
        self._timeout = timeout
        self._driver = Driver(made, connect)
        # The caller's `connect` may use any protocol.
        self._state = PoolState(self._driver, options, made.may_share if connect is None else lambda _: True)
        self._check = made.check if connect is None else None
        self._end_recording = made.end_recording

    def request(
        self,
        method: str,
        url: str | URL,
        headers: HeaderPairs = (),
        body: StreamedBody = None,
        *,
        trailers: HeaderFields = (),
        timeout: float | Timeouts | None = -1,
        max_size: int | None = MAX_SIZE,
    ) -> Answer:
        """Send a request and return its complete answer.

        Args:
            method: as for `request` of a connection, except CONNECT.
            url: an absolute URL, or what `mint.exchange.split_url` returned.
            headers: as for `request` of a connection; a content-length is added if the body is bytes.
            body: bytes, or pieces from an iterable.
            trailers: the fields after the body.
            timeout: seconds for everything, a `Timeouts`, or `None` for no limit; by default, that of the
                pool.
            max_size: the maximum size of the content in bytes; `None` for no limit.

        Raises what `mint.connect` and connections raise, `TransportTimeout`, `ContentTooLarge`, `PoolClosed`.
        If a complete answer arrives before the server has received everything, that answer is returned.

        """
        max_size = _checks.size("max_size", max_size)
        request = self._make_request(method, url, headers, body, trailers, timeout)
        try:
            with self._begin(request, cancel_if_dropped=False) as streamed:
                content = streamed.read(max_size=max_size)
                return Answer(
                    streamed.status,
                    streamed.reason,
                    streamed.headers,
                    content,
                    streamed.trailers,
                    streamed.interim,
                )
        except BaseException:
            abandon(self._state, request)
            raise

    def stream(
        self,
        method: str,
        url: str | URL,
        headers: HeaderPairs = (),
        body: StreamedBody = None,
        *,
        trailers: HeaderFields = (),
        timeout: float | Timeouts | None = -1,
        trace: Trace | None = None,
    ) -> StreamedAnswer:
        """Send a request and return its answer once the head has arrived; the content is read from it.

        The arguments and errors are those of `request`. With `body=mint.STREAM` it returns when the head of
        the request has been sent; then call `send` and `send_end`, and `receive_head` if you need the head of
        the answer. If the body is an iterable of pieces, its rest is sent while the answer is read.

        `trace` is called when a phase of the request begins or ends, with the name of the event and
        information about it. The phases are `connect`, `request` (its head), `request_body` and `response`
        (its head), each followed by `.started`, `.complete` or `.failed`. If `trace` raises an exception, the
        request ends.
        """
        request = self._make_request(method, url, headers, body, trailers, timeout, trace)
        try:
            return self._begin(request, cancel_if_dropped=True)
        except BaseException:
            abandon(self._state, request)
            raise

    def _make_request(
        self,
        method: str,
        url: str | URL,
        headers: HeaderPairs,
        body: StreamedBody,
        trailers: HeaderFields,
        timeout: float | Timeouts | None,
        trace: Trace | None = None,
    ) -> PoolRequest:
        limit = self._timeout if timeout == -1 else timeout
        return make_request(
            method, url, headers, body, trailers, limit, self._driver.clock, trace, self._check
        )

    def _begin(self, request: PoolRequest, *, cancel_if_dropped: bool) -> StreamedAnswer:
        """Send a request. If this raises an exception, the caller abandons the request."""
        procedure = begin(self._state, request)
        stream = self._driver.run(traced(procedure, request) if request.trace else procedure)
        return StreamedAnswer(self._state, self._driver, stream, request, cancel_if_dropped=cancel_if_dropped)

    @property
    def statistics(self) -> Statistics:
        """Numbers of connections and requests, now and since the pool was made."""
        try:
            with self._state.lock:
                return self._state.statistics()
        finally:
            self._driver.catch_up()

    def close(self) -> None:
        """Close all connections. Requests that are under way or waiting fail with `PoolClosed`.

        A signal handler may call this; if its own thread is just changing the pool, that is finished first.
        """
        self._driver.end(self._close)

    def _close(self) -> None:
        self._state.close()
        self._end_recording()

    def __enter__(self) -> Self:
        """Close the pool at the end of the block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
