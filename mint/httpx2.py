"""Transports for httpx2 that send requests with mint, over HTTP/1.1 and multiplexed HTTP/2, from a pool.

    client = httpx2.Client(transport=mint.httpx2.MintTransport())
    client = httpx2.AsyncClient(transport=mint.httpx2.AsyncMintTransport())

These are the transports of `mint.httpx`, for httpx2. Needs the extra `httpx2`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

import httpx2

from . import pool as pools
from ._checks import instance
from ._httpx.parts import (
    Caller,
    error_name,
    fields_of,
    is_upgrade,
    raw_fields,
    scheme_of,
    timeouts_of,
    url_of,
)
from ._httpx.tracing import Tracing
from ._httpx.tunnels import Inside, in_handshake
from ._httpx.tunnels import info as _info
from .errors import TransportClosed, TransportTimeout
from .options import HTTP1Options, HTTP2Options, TCPOptions, TLSOptions
from .pool import PoolOptions
from .pool import asyncio as asyncio_pools
from .pool._asynchronous import AsyncPool
from .pool._requests import ConnectOptions, check_pool
from .proxy import Proxy
from .types import STREAM

if TYPE_CHECKING:
    import ssl
    from collections.abc import (
        AsyncIterable,
        AsyncIterator,
        Callable,
        Iterable,
        Iterator,
        Sequence,
    )

    from ._connections.negotiation import Connection
    from .exchange import URL
    from .pool._asynchronous import StreamedAnswer as AsyncStreamedAnswer
    from .types import ProtocolName

__all__ = ["AsyncMintTransport", "MintTransport"]

# The reason phrase is one of the extensions of a response.
_HTTP1 = HTTP1Options(optional_responses=("status_reason",))
_HTTP2 = HTTP2Options()
_POOL = PoolOptions()
_TCP = TCPOptions()
_TLS = TLSOptions()


def _fail(error: BaseException, request: httpx2.Request, caller: Caller | None = None) -> NoReturn:
    """Raise the exception of httpx2 that corresponds to an error of mint, which becomes its cause."""
    name = None if caller is not None and caller.raised(error) else error_name(error)
    if name is None:
        raise error
    kind: type[httpx2.RequestError] = getattr(httpx2, name)
    raise kind(str(error), request=request) from error


def _url(request: httpx2.Request) -> URL:
    scheme = scheme_of(request.url.scheme)
    if scheme is None:
        raise httpx2.UnsupportedProtocol(
            f"the scheme {request.url.scheme!r} is not supported", request=request
        )
    target = request.extensions.get("target", request.url.raw_path)
    return url_of(scheme, request.url.raw_host.decode("ascii"), request.url.port, target)


def _proxy(proxy: Proxy | str | None) -> Proxy | None:
    return Proxy.from_url(proxy) if isinstance(proxy, str) else proxy


def _version(connection: Connection) -> bytes:
    return b"HTTP/2" if connection.protocol == "http2" else b"HTTP/1.1"


def _response(
    streamed: pools.StreamedAnswer | AsyncStreamedAnswer,
    stream: Any,  # synchronous or asynchronous; httpx2.Response tells them apart
    network: object,
) -> httpx2.Response:
    connection = streamed.connection
    extensions: dict[str, Any] = {  # as httpx2 types them
        "http_version": _version(connection),
        "network_stream": network,
    }
    if connection.protocol == "http2":
        extensions["stream_id"] = streamed.ref.number
    elif streamed.reason:
        extensions["reason_phrase"] = streamed.reason.encode("latin-1")
    fields = raw_fields(streamed.headers)
    return httpx2.Response(streamed.status, headers=fields, stream=stream, extensions=extensions)


def _tracing(request: httpx2.Request, url: URL) -> Tracing:
    return Tracing(request, url, request.extensions.get("timeout", {}).get("connect"))


# -- blocking


class _Trace:
    """The extension `trace` of one request: a function that is called with events."""

    def __init__(
        self, call: Callable[[str, dict[str, object]], object], tracing: Tracing, caller: Caller
    ) -> None:
        self._call = call
        self._caller = caller
        self.tracing = tracing

    def __call__(self, name: str, info: dict[str, object]) -> None:
        """Report an event of the pool to the caller."""
        for event in self.tracing.events(name, info):
            self.say(event)

    def say(self, event: tuple[str, dict[str, object]]) -> None:
        """Call the caller's function with an event of httpx2."""
        with self._caller.running():
            answer = self._call(*event)
            if isinstance(answer, Coroutine):
                answer.close()
                raise TypeError("a synchronous client needs a trace that is not a coroutine function")


class _Stream(httpx2.SyncByteStream):
    """The content of one answer."""

    def __init__(
        self,
        streamed: pools.StreamedAnswer,
        request: httpx2.Request,
        caller: Caller,
        trace: _Trace | None = None,
    ) -> None:
        self._streamed = streamed
        self._request = request
        self._caller = caller
        self._trace = trace

    def __iter__(self) -> Iterator[bytes]:
        try:
            if self._trace is None:
                yield from self._streamed
            else:
                yield from self._traced(self._trace)
        except Exception as error:  # noqa: BLE001  # an error without a counterpart is raised again
            _fail(error, self._request, self._caller)

    def _traced(self, trace: _Trace) -> Iterator[bytes]:
        trace.say(trace.tracing.content("started"))
        try:
            yield from self._streamed
        except Exception as error:
            trace.say(trace.tracing.content("failed", error))
            raise
        trace.say(trace.tracing.content("complete"))

    def close(self) -> None:
        trace, self._trace = self._trace, None
        try:
            if trace is not None:
                trace.say(trace.tracing.closed("started"))
        finally:
            self._streamed.close()
        if trace is not None:
            trace.say(trace.tracing.closed("complete"))


class _Network:
    """The connection of an answer; after an upgrade or CONNECT also the bytes of the tunnel."""

    def __init__(
        self,
        streamed: pools.StreamedAnswer,
        request: httpx2.Request,
        under: _Network | None = None,
        inside: Inside | None = None,
    ) -> None:
        self._streamed = streamed
        self._request = request
        self._under = under
        self._inside = inside
        self._held = b""
        self._over = False

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return bytes from the tunnel, `b""` at its end. `timeout` is in seconds, `None` for no limit."""
        try:
            if not self._held:
                self._held = self._receive(timeout)
        except Exception as error:  # noqa: BLE001  # as above
            _fail(error, self._request)
        found, self._held = self._held[:max_bytes], self._held[max_bytes:]
        return found

    def _receive(self, timeout: float | None) -> bytes:
        if self._under is None or self._inside is None:
            return self._streamed.receive(timeout=timeout) or b""
        found = self._inside.plaintext()
        while found is None:
            found = self._inside.plaintext(self._under.take(timeout))
            self._under.put(self._inside.layer.leaving(), timeout)
        return found

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes into the tunnel. `timeout` is in seconds, `None` for no limit."""
        try:
            self.put(buffer, timeout)
        except Exception as error:  # noqa: BLE001  # as above
            _fail(error, self._request)

    def take(self, timeout: float | None) -> bytes:
        """Return the next bytes. Raises errors of mint, not of httpx2."""
        found, self._held = self._held, b""
        return found or self._receive(timeout)

    def put(self, buffer: bytes, timeout: float | None) -> None:
        """Send bytes. Raises errors of mint, not of httpx2."""
        if self._under is not None and self._inside is not None:
            self._inside.layer.write(buffer)
            self._under.put(self._inside.layer.leaving(), timeout)
        elif buffer:
            if self._over:
                raise TransportClosed
            self._over = not self._streamed.send(buffer, timeout=timeout)

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> _Network:
        """Start TLS inside the tunnel and return the new stream; if the handshake fails, close the tunnel."""
        try:
            inside = Inside(ssl_context, server_hostname, timeout)
            self._shake_hands(inside)
        except BaseException as error:
            self.close()
            if isinstance(error, TransportTimeout):
                _fail(in_handshake(error), self._request)
            if isinstance(error, Exception):
                _fail(error, self._request)
            raise
        return _Network(self._streamed, self._request, self, inside)

    def _shake_hands(self, inside: Inside) -> None:
        done = False
        while not done:
            try:
                done = inside.layer.handshake()
            finally:
                # After a failure this is the alert that gives the reason.
                self.put(inside.layer.leaving(), inside.left())
            if not done:
                inside.feed(self.take(inside.left()))

    def close(self) -> None:
        """Close the tunnel."""
        self._over = True
        self._streamed.close()

    def get_extra_info(self, info: str) -> object:
        """Return what is known of the connection.

        That is `client_addr`, `server_addr`, `socket`, `ssl_object`, `is_readable`, and `tls`: a `TLSInfo`.
        """
        found = None if self._inside is None else self._inside.info(info)
        return _info(self._streamed.connection, info) if found is None else found[0]


class MintTransport(httpx2.BaseTransport):
    """A transport of `httpx2.Client` that sends requests with mint.

    HTTP/1.1 connections are kept alive; HTTP/2 connections are shared by requests from any number of threads.
    The client's timeouts apply. Its arguments `verify`, `cert`, `http2` and `limits` have no effect; set the
    options of this transport instead. Do not give `proxy` to the client: it would use another transport.

    Args:
        protocols: the protocols that may be used; over TLS the server chooses one of them.
        proxy: a `mint.Proxy`, or the URL of a proxy.
        tcp, tls, http1, http2: options of connections, as for `mint.connect`.
        options: the limits and timeouts of the pool.
        pool: your own pool, instead of all the above. Closing the transport does not close it.

    """

    def __init__(
        self,
        *,
        protocols: Sequence[ProtocolName] = ("http1", "http2"),
        proxy: Proxy | str | None = None,
        tcp: TCPOptions = _TCP,
        tls: TLSOptions = _TLS,
        http1: HTTP1Options = _HTTP1,
        http2: HTTP2Options = _HTTP2,
        options: PoolOptions = _POOL,
        pool: pools.Pool | None = None,
    ) -> None:
        self._owned = pool is None
        if pool is not None:
            instance("pool", pool, pools.Pool, "a mint.pool.Pool")
        self._pool = pool or pools.Pool(
            options=options,
            timeout=None,
            protocols=protocols,
            proxy=_proxy(proxy),
            tcp=tcp,
            tls=tls,
            http1=http1,
            http2=http2,
        )

    @property
    def pool(self) -> pools.Pool:
        """The pool, for its statistics."""
        return self._pool

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request; return its response once the head has arrived."""
        url = _url(request)
        raw = request.headers.raw
        upgrade = is_upgrade(raw)
        tunnel = upgrade or request.method == "CONNECT"
        fields = fields_of(request.method, raw, upgrade=upgrade)
        timeouts = timeouts_of(request.extensions.get("timeout"))
        called = request.extensions.get("trace")
        caller = Caller()
        trace = None if called is None else _Trace(called, _tracing(request, url), caller)
        try:
            body = STREAM if tunnel else _content(request.stream, caller)
            streamed = self._pool.stream(request.method, url, fields, body, timeout=timeouts, trace=trace)
            if tunnel:
                streamed.receive_head()
        except Exception as error:  # noqa: BLE001  # an error without a counterpart is raised again
            _fail(error, request, caller)
        network = _Network(streamed, request)
        stream: httpx2.SyncByteStream = _Stream(streamed, request, caller, trace)
        if tunnel and streamed.status in {101, *range(200, 300)}:
            stream = httpx2.ByteStream(b"")  # the tunnel is read through the network stream
        return _response(streamed, stream, network)

    def close(self) -> None:
        """Close the connections, unless the pool is yours."""
        if self._owned:
            self._pool.close()


def _content(stream: object, caller: Caller) -> bytes | Iterable[bytes] | None:
    """Return the body: as bytes if it is complete, because bytes can be sent again."""
    if isinstance(stream, httpx2.ByteStream):
        return b"".join(stream) or None
    if isinstance(stream, httpx2.SyncByteStream):
        return caller.pieces(stream)
    raise RuntimeError("a synchronous client cannot send an asynchronous body")


# -- asyncio and trio


class _AsyncTrace:
    """The extension `trace` of one request: a function that is called with events."""

    def __init__(
        self, call: Callable[[str, dict[str, object]], object], tracing: Tracing, caller: Caller
    ) -> None:
        self._call = call
        self._caller = caller
        self.tracing = tracing

    async def __call__(self, name: str, info: dict[str, object]) -> None:
        """Report an event of the pool to the caller."""
        for event in self.tracing.events(name, info):
            await self.say(event)

    async def say(self, event: tuple[str, dict[str, object]]) -> None:
        """Call the caller's function with an event of httpx2."""
        with self._caller.running():
            answer = self._call(*event)
            if not isinstance(answer, Coroutine):
                raise TypeError("an asynchronous client needs a trace that is a coroutine function")
            await answer


class _AsyncStream(httpx2.AsyncByteStream):
    """The content of one answer."""

    def __init__(
        self,
        streamed: AsyncStreamedAnswer,
        request: httpx2.Request,
        caller: Caller,
        trace: _AsyncTrace | None = None,
    ) -> None:
        self._streamed = streamed
        self._request = request
        self._caller = caller
        self._trace = trace

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            if self._trace is None:
                async for piece in self._streamed:
                    yield piece
            else:
                async for piece in self._traced(self._trace):
                    yield piece
        except Exception as error:  # noqa: BLE001  # an error without a counterpart is raised again
            _fail(error, self._request, self._caller)

    async def _traced(self, trace: _AsyncTrace) -> AsyncIterator[bytes]:
        await trace.say(trace.tracing.content("started"))
        try:
            async for piece in self._streamed:
                yield piece
        except Exception as error:
            await trace.say(trace.tracing.content("failed", error))
            raise
        await trace.say(trace.tracing.content("complete"))

    async def aclose(self) -> None:
        trace, self._trace = self._trace, None
        try:
            if trace is not None:
                await trace.say(trace.tracing.closed("started"))
        finally:
            self._streamed.close()
        if trace is not None:
            await trace.say(trace.tracing.closed("complete"))


class _AsyncNetwork:
    """The connection of an answer; after an upgrade or CONNECT also the bytes of the tunnel."""

    def __init__(
        self,
        streamed: AsyncStreamedAnswer,
        request: httpx2.Request,
        under: _AsyncNetwork | None = None,
        inside: Inside | None = None,
    ) -> None:
        self._streamed = streamed
        self._request = request
        self._under = under
        self._inside = inside
        self._held = b""
        self._over = False

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109  # as httpx2 has it
        """Return bytes from the tunnel, `b""` at its end. `timeout` is in seconds, `None` for no limit."""
        try:
            if not self._held:
                self._held = await self._receive(timeout)
        except Exception as error:  # noqa: BLE001  # as above
            _fail(error, self._request)
        found, self._held = self._held[:max_bytes], self._held[max_bytes:]
        return found

    async def _receive(self, timeout: float | None) -> bytes:  # noqa: ASYNC109  # as httpx2 has it
        if self._under is None or self._inside is None:
            return await self._streamed.receive(timeout=timeout) or b""
        found = self._inside.plaintext()
        while found is None:
            found = self._inside.plaintext(await self._under.take(timeout))
            await self._under.put(self._inside.layer.leaving(), timeout)
        return found

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109  # as httpx2 has it
        """Send bytes into the tunnel. `timeout` is in seconds, `None` for no limit."""
        try:
            await self.put(buffer, timeout)
        except Exception as error:  # noqa: BLE001  # as above
            _fail(error, self._request)

    async def take(self, timeout: float | None) -> bytes:  # noqa: ASYNC109  # as httpx2 has it
        """Return the next bytes. Raises errors of mint, not of httpx2."""
        found, self._held = self._held, b""
        return found or await self._receive(timeout)

    async def put(self, buffer: bytes, timeout: float | None) -> None:  # noqa: ASYNC109  # as httpx2 has it
        """Send bytes. Raises errors of mint, not of httpx2."""
        if self._under is not None and self._inside is not None:
            self._inside.layer.write(buffer)
            await self._under.put(self._inside.layer.leaving(), timeout)
        elif buffer:
            if self._over:
                raise TransportClosed
            self._over = not await self._streamed.send(buffer, timeout=timeout)

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  # as httpx2 has it
    ) -> _AsyncNetwork:
        """Start TLS inside the tunnel and return the new stream; if the handshake fails, close the tunnel."""
        try:
            inside = Inside(ssl_context, server_hostname, timeout)
            await self._shake_hands(inside)
        except BaseException as error:
            await self.aclose()
            if isinstance(error, TransportTimeout):
                _fail(in_handshake(error), self._request)
            if isinstance(error, Exception):
                _fail(error, self._request)
            raise
        return _AsyncNetwork(self._streamed, self._request, self, inside)

    async def _shake_hands(self, inside: Inside) -> None:
        done = False
        while not done:
            try:
                done = inside.layer.handshake()
            finally:
                # After a failure this is the alert that gives the reason.
                await self.put(inside.layer.leaving(), inside.left())
            if not done:
                inside.feed(await self.take(inside.left()))

    async def aclose(self) -> None:
        """Close the tunnel."""
        self._over = True
        self._streamed.close()

    def get_extra_info(self, info: str) -> object:
        """Return what is known of the connection.

        That is `client_addr`, `server_addr`, `socket`, `ssl_object`, `is_readable`, and `tls`: a `TLSInfo`.
        """
        found = None if self._inside is None else self._inside.info(info)
        return _info(self._streamed.connection, info) if found is None else found[0]


class AsyncMintTransport(httpx2.AsyncBaseTransport):
    """A transport of `httpx2.AsyncClient` that sends requests with mint, under asyncio and trio.

    It belongs to the event loop in which it is first used. The arguments are those of `MintTransport`, except
    that `pool` is a pool of `mint.pool.asyncio` or `mint.pool.trio`.
    """

    def __init__(
        self,
        *,
        protocols: Sequence[ProtocolName] = ("http1", "http2"),
        proxy: Proxy | str | None = None,
        tcp: TCPOptions = _TCP,
        tls: TLSOptions = _TLS,
        http1: HTTP1Options = _HTTP1,
        http2: HTTP2Options = _HTTP2,
        options: PoolOptions = _POOL,
        pool: AsyncPool | None = None,
    ) -> None:
        self._owned = pool is None
        self._pool = None if pool is None else instance("pool", pool, AsyncPool, "a pool of mint.pool")
        # The pool is made later, in its event loop. Wrong arguments are refused here.
        check_pool(options, None, None)
        made = ConnectOptions(protocols, _proxy(proxy), tcp, tls, http1, http2)
        self._arguments: dict[str, Any] = {  # as above
            "protocols": protocols,
            "proxy": made.proxy,
            "tcp": tcp,
            "tls": tls,
            "http1": http1,
            "http2": http2,
            "options": options,
        }

    @property
    def pool(self) -> AsyncPool:
        """The pool, for its statistics; it is made on first use."""
        if self._pool is None:
            self._pool = _pool_class()(timeout=None, **self._arguments)
        return self._pool

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request; return its response once the head has arrived."""
        url = _url(request)
        raw = request.headers.raw
        upgrade = is_upgrade(raw)
        tunnel = upgrade or request.method == "CONNECT"
        fields = fields_of(request.method, raw, upgrade=upgrade)
        timeouts = timeouts_of(request.extensions.get("timeout"))
        called = request.extensions.get("trace")
        caller = Caller()
        trace = None if called is None else _AsyncTrace(called, _tracing(request, url), caller)
        try:
            body = STREAM if tunnel else _async_content(request.stream, caller)
            streamed = await self.pool.stream(
                request.method, url, fields, body, timeout=timeouts, trace=trace
            )
            if tunnel:
                await streamed.receive_head()
        except Exception as error:  # noqa: BLE001  # an error without a counterpart is raised again
            _fail(error, request, caller)
        network = _AsyncNetwork(streamed, request)
        stream: httpx2.AsyncByteStream = _AsyncStream(streamed, request, caller, trace)
        if tunnel and streamed.status in {101, *range(200, 300)}:
            stream = httpx2.ByteStream(b"")  # the tunnel is read through the network stream
        return _response(streamed, stream, network)

    async def aclose(self) -> None:
        """Close the connections, unless the pool is yours."""
        if self._owned and self._pool is not None:
            self._pool.close()


def _async_content(stream: object, caller: Caller) -> bytes | AsyncIterable[bytes] | None:
    """Return the body: as bytes if it is complete, because bytes can be sent again."""
    if isinstance(stream, httpx2.ByteStream):
        return b"".join(stream) or None
    if isinstance(stream, httpx2.AsyncByteStream):
        return caller.awaited(stream)
    raise RuntimeError("an asynchronous client cannot send a synchronous body")


def _pool_class() -> type[AsyncPool]:
    """Return the class of the pool for the running event loop."""
    with contextlib.suppress(RuntimeError):
        asyncio.get_running_loop()
        return asyncio_pools.Pool
    # By name, because trio is optional and a vendored copy of mint may lack this module.
    found: type[AsyncPool] = import_module(".pool.trio", __package__).Pool
    return found
