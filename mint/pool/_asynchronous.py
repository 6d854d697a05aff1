"""The part of the pools that asyncio and trio share: everything but the waiting, which a driver does."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Protocol, Self, TypeVar

from .. import _checks
from ..errors import ContentTooLarge, RequestIsNotStreaming
from ..exchange._answer import MAX_SIZE, Answer
from ..options import HTTP1Options, HTTP2Options, TCPOptions, TLSOptions
from ._blocking import TIMEOUT
from ._garbage import finalizer
from ._options import PoolOptions
from ._procedures import abandon, begin, head, piece, send, traced
from ._requests import ConnectOptions, check_pool, make_request
from ._state import Loop, PoolState
from ._streamed import Streamed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from types import TracebackType

    from .._connections.negotiation import Connection
    from .._transcripts.recorder import Record
    from ..exchange import URL, Origin
    from ..proxy import Proxy
    from ..types import AsyncResolver, BytesLike, HeaderFields, HeaderPairs, ProtocolName, Resolver
    from ._garbage import Finalizer
    from ._options import Statistics, Timeouts
    from ._procedures import PoolRequest, Procedure, Step, Trace
    from ._requests import AsyncStreamedBody
    from ._session import Stream

_T = TypeVar("_T")

_HTTP1 = HTTP1Options()
_HTTP2 = HTTP2Options()
_OPTIONS = PoolOptions()
_TCP = TCPOptions()
_TLS = TLSOptions()


class AsyncDriver(Loop, Protocol):
    """Carries out the steps of procedures in one event loop."""

    async def perform(self, step: Step) -> None:
        """Carry out one step."""
        ...


async def run(driver: AsyncDriver, procedure: Procedure[_T]) -> _T:
    """Carry out the steps of a procedure; return its result."""
    try:
        step = next(procedure)
        while True:
            try:
                await driver.perform(step)
            except BaseException as error:  # noqa: BLE001  # the procedure decides
                step = procedure.throw(error)
            else:
                step = next(procedure)
    except StopIteration as over:
        result: _T = over.value
        return result


async def awaited(answer: object) -> None:
    """Await the result of a function of the caller, if it can be awaited."""
    if isinstance(answer, Awaitable):
        await answer


class StreamedAnswer(Streamed):
    """An answer whose content is read piece by piece. Use it in an `async with` block, or close it.

    If the block is left before the end of the answer, the request is cancelled. Over HTTP/2, other requests
    on the connection are not affected; an HTTP/1 connection is closed. An answer that is not closed keeps its
    place on the connection until it is garbage. Then the request is cancelled, with a `ResourceWarning`.
    """

    def __init__(self, pool: PoolState, driver: AsyncDriver, stream: Stream, request: PoolRequest) -> None:
        """Made by `Pool.stream`."""
        self._pool = pool
        self._driver = driver
        self._stream = stream
        self._request = request
        self._finalizer: Finalizer = finalizer(self, pool, stream)

    # -- the content of the answer

    async def receive_head(self) -> Self:
        """Wait for the status and the headers; needed only with `body=mint.STREAM`. Raises as `receive`."""
        await run(self._driver, traced(head(self._pool, self._stream, self._request), self._request))
        return self

    async def receive(self, *, timeout: float | None = -1) -> bytes | None:  # noqa: ASYNC109  # instead of the request's
        """Return the next piece of content, which is not empty, or `None` at the end.

        `timeout` is how many seconds to wait, `None` for no limit; by default, the limits of the request
        apply. Raises `TransportTimeout`, and the error with which the request failed. Nothing is lost if it
        is cancelled.
        """
        data = await run(self._driver, piece(self._pool, self._stream, self._request.with_limit(timeout)))
        self._stream.taken = None
        return data

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the pieces of the content."""
        while (data := await self.receive()) is not None:
            yield data

    async def read(self, *, max_size: int | None = MAX_SIZE) -> bytes:
        """Return the rest of the content.

        Raises `ContentTooLarge` if it has more than `max_size` bytes (`None` for no limit), and the errors of
        `receive`.
        """
        max_size = _checks.size("max_size", max_size)
        pieces: list[bytes] = []
        size = 0
        while (data := await self.receive()) is not None:
            size += len(data)
            if max_size is not None and size > max_size:
                raise ContentTooLarge(max_size)
            pieces.append(data)
        return b"".join(pieces)

    # -- the body of the request

    async def send(self, data: BytesLike, *, timeout: float | None = -1) -> bool:  # noqa: ASYNC109  # instead of the request's
        """Send a piece of a body, after `body=mint.STREAM`; wait until the server accepts it.

        Another task may receive meanwhile. Returns false if the server needs no more of the body, because it
        has already answered. Raises `RequestIsNotStreaming`, and what `receive` raises; `timeout` is as for
        `receive`. If it is cancelled, a part of the piece may have been sent.
        """
        if not self._request.sends_itself:
            raise RequestIsNotStreaming().marked(local=True)
        request = self._request.with_limit(timeout)
        return await run(self._driver, send(self._pool, self._stream, data, request))

    async def send_end(self, trailers: HeaderFields = ()) -> None:
        """End the body, with or without trailers. Does nothing if the server has already answered."""
        if not self._request.sends_itself:
            raise RequestIsNotStreaming().marked(local=True)
        if self._stream.wants_body:
            self._stream.session.end_body(self._stream, trailers)

    # -- the end

    def close(self) -> None:
        """Cancel the request, unless its answer is complete; idempotent."""
        try:
            self._stream.session.cancel(self._stream)
        except BaseException:
            # An exception of a signal handler may have interrupted this: do the rest.
            abandon(self._pool, self._request)
            raise
        self._finalizer.detach()

    async def __aenter__(self) -> Self:
        """Close at the end of the block."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class AsyncPool:
    """Base class of the pools for asyncio and trio."""

    def __init__(
        self,
        *,
        options: PoolOptions = _OPTIONS,
        timeout: float | Timeouts | None = TIMEOUT,
        connect: Callable[[Origin, float | None], Awaitable[Connection]] | None = None,
        protocols: Sequence[ProtocolName] = ("http1", "http2"),
        proxy: Proxy | None = None,
        tcp: TCPOptions = _TCP,
        tls: TLSOptions = _TLS,
        http1: HTTP1Options = _HTTP1,
        http2: HTTP2Options = _HTTP2,
        log: bool = False,
        resolver: Resolver | AsyncResolver | None = None,
        record: Record | None = None,
    ) -> None:
        check_pool(options, timeout, connect, record)
        made = ConnectOptions(protocols, proxy, tcp, tls, http1, http2, log, resolver, record)
        self._timeout = timeout
        self._driver = self._make_driver(made, connect)
        # The caller's `connect` may use any protocol.
        self._state = PoolState(self._driver, options, made.may_share if connect is None else lambda _: True)
        self._check = made.check if connect is None else None
        self._end_recording = made.end_recording

    def _make_driver(
        self,
        options: ConnectOptions,
        connect: Callable[[Origin, float | None], Awaitable[Connection]] | None,
    ) -> AsyncDriver:
        raise NotImplementedError

    async def request(
        self,
        method: str,
        url: str | URL,
        headers: HeaderPairs = (),
        body: AsyncStreamedBody = None,
        *,
        trailers: HeaderFields = (),
        timeout: float | Timeouts | None = -1,  # noqa: ASYNC109  # one deadline, retries included
        max_size: int | None = MAX_SIZE,
    ) -> Answer:
        """Send a request and return its complete answer.

        The arguments and errors are those of `mint.pool.Pool.request`; the pieces of the body may come from
        an asynchronous iterable. If the call is cancelled, only its own request is cancelled.
        """
        max_size = _checks.size("max_size", max_size)
        streamed = await self.stream(method, url, headers, body, trailers=trailers, timeout=timeout)
        async with streamed:
            content = await streamed.read(max_size=max_size)
            return Answer(
                streamed.status,
                streamed.reason,
                streamed.headers,
                content,
                streamed.trailers,
                streamed.interim,
            )

    async def stream(
        self,
        method: str,
        url: str | URL,
        headers: HeaderPairs = (),
        body: AsyncStreamedBody = None,
        *,
        trailers: HeaderFields = (),
        timeout: float | Timeouts | None = -1,  # noqa: ASYNC109  # one deadline, retries included
        trace: Trace | None = None,
    ) -> StreamedAnswer:
        """Send a request and return its answer once the head has arrived; the content is read from it.

        The arguments and errors are those of `mint.pool.Pool.stream`; if `trace` returns an awaitable, it is
        awaited. For example::

            async with await pool.stream("GET", url) as streamed:
                async for piece in streamed:
                    ...
        """
        limit = self._timeout if timeout == -1 else timeout
        request = make_request(
            method, url, headers, body, trailers, limit, self._driver.clock, trace, self._check
        )
        try:
            procedure = begin(self._state, request)
            stream = await run(self._driver, traced(procedure, request) if trace else procedure)
            return StreamedAnswer(self._state, self._driver, stream, request)
        except BaseException:
            abandon(self._state, request)
            raise

    @property
    def statistics(self) -> Statistics:
        """Numbers of connections and requests, now and since the pool was made."""
        return self._state.statistics()

    def close(self) -> None:
        """Close all connections. Requests that are under way or waiting fail with `PoolClosed`."""
        self._state.close()
        self._end_recording()

    async def __aenter__(self) -> Self:
        """Close the pool at the end of the block."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
