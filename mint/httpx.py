"""Transports for httpx: HTTP/1.1 and multiplexed HTTP/2 by mint, over a pool.

    client = httpx.Client(transport=mint.httpx.MintTransport())
    client = httpx.AsyncClient(transport=mint.httpx.AsyncMintTransport())

`mint.httpx2` has the same for httpx2. Needs the extra `httpx` (or `httpx2`).
"""

from __future__ import annotations

import asyncio
import contextlib
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

import httpx

from . import pool as pools
from ._httpx.parts import (
    error_name,
    fields_of,
    is_upgrade,
    raw_fields,
    scheme_of,
    timeouts_of,
    url_of,
)
from .options import HTTP1Options, HTTP2Options, TCPOptions, TLSOptions
from .pool import PoolOptions
from .pool import asyncio as asyncio_pools
from .proxy import Proxy
from .types import STREAM

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Sequence

    from ._connections.negotiation import Connection
    from .exchange import URL
    from .pool._asynchronous import AsyncPool
    from .pool._asynchronous import StreamedAnswer as AsyncStreamedAnswer
    from .types import HeaderFields, ProtocolName

__all__ = ["AsyncMintTransport", "MintTransport"]

# The reason phrase is one of the extensions of a response.
_HTTP1 = HTTP1Options(optional_responses=("status_reason",))
_HTTP2 = HTTP2Options()
_POOL = PoolOptions()
_TCP = TCPOptions()
_TLS = TLSOptions()


def _fail(error: BaseException, request: httpx.Request) -> NoReturn:
    """Raise the exception of httpx that says the same; the cause is mint's."""
    name = error_name(error)
    if name is None:
        raise error
    kind: type[httpx.RequestError] = getattr(httpx, name)
    raise kind(str(error), request=request) from error


def _url(request: httpx.Request) -> URL:
    scheme = scheme_of(request.url.scheme)
    if scheme is None:
        raise httpx.UnsupportedProtocol(
            f"the scheme {request.url.scheme!r} is not supported", request=request
        )
    target = request.extensions.get("target", request.url.raw_path)
    return url_of(scheme, request.url.raw_host.decode("ascii"), request.url.port, target)


def _proxy(proxy: Proxy | str | None) -> Proxy | None:
    return Proxy.from_url(proxy) if isinstance(proxy, str) else proxy


def _version(connection: Connection) -> bytes:
    return b"HTTP/2" if connection.protocol == "http2" else b"HTTP/1.1"


def _info(connection: Connection, name: str) -> object:
    """Return what httpx's network streams know under these names."""
    match name:
        case "client_addr":
            return connection.local_address
        case "server_addr":
            return connection.peer_address
        case "socket":
            return connection.socket
        case "tls":
            return connection.tls
        case _:
            return None


def _response(
    status: int, reason: str, fields: HeaderFields, connection: Connection, stream: Any, network: object
) -> httpx.Response:  # the stream is of either kind
    extensions = {"http_version": _version(connection), "network_stream": network}
    if reason:
        extensions["reason_phrase"] = reason.encode("latin-1")
    return httpx.Response(status, headers=raw_fields(fields), stream=stream, extensions=extensions)


# -- blocking


class _Stream(httpx.SyncByteStream):
    """The content of one answer."""

    def __init__(self, streamed: pools.StreamedAnswer, request: httpx.Request) -> None:
        self._streamed = streamed
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._streamed
        except Exception as error:  # noqa: BLE001  # what has no counterpart is raised again
            _fail(error, self._request)

    def close(self) -> None:
        self._streamed.close()


class _Network:
    """The connection of an answer; after an upgrade or CONNECT also the bytes of the tunnel."""

    def __init__(self, streamed: pools.StreamedAnswer, request: httpx.Request) -> None:
        self._streamed = streamed
        self._request = request
        self._held = b""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002  # as httpx has it
        """Return some bytes of the tunnel; none at its end."""
        try:
            if not self._held:
                self._held = self._streamed.receive() or b""
        except Exception as error:  # noqa: BLE001  # as above
            _fail(error, self._request)
        found, self._held = self._held[:max_bytes], self._held[max_bytes:]
        return found

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002  # as above
        """Send bytes into the tunnel."""
        try:
            self._streamed.send(buffer)
        except Exception as error:  # noqa: BLE001  # as above
            _fail(error, self._request)

    def close(self) -> None:
        """Give the tunnel up."""
        self._streamed.close()

    def get_extra_info(self, info: str) -> object:
        """Return what is known of the connection: `client_addr`, `server_addr`, `socket`, `tls`."""
        return _info(self._streamed.connection, info)


class MintTransport(httpx.BaseTransport):
    """A transport of `httpx.Client` that sends requests with mint.

    HTTP/1.1 connections are kept alive; HTTP/2 connections are shared by requests from any number of threads.
    The client's timeouts apply. Its other options for connections (`verify`, `cert`, `http2`, `proxy`,
    `limits`) are ignored: give them to this transport.

    Args:
        protocols: what may be spoken; over TLS the server chooses.
        proxy: a `mint.Proxy`, or the URL of one.
        tcp, tls, http1, http2: as `mint.connect` takes them.
        options: limits and times of the pool.
        pool: a pool of yours instead of all the above. It is not closed with the transport.

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

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; return its answer once the head has arrived."""
        url = _url(request)
        upgrade = is_upgrade(request.headers.raw)
        tunnel = upgrade or request.method == "CONNECT"
        fields = fields_of(request.method, request.headers.raw, upgrade=upgrade)
        timeouts = timeouts_of(request.extensions.get("timeout"))
        trace = request.extensions.get("trace", _silent)
        trace("request.started", {"request": request})
        try:
            if tunnel:
                streamed = self._pool.stream(request.method, url, fields, STREAM, timeout=timeouts)
                streamed.receive_head()
            else:
                body = _content(request.stream)
                streamed = self._pool.stream(request.method, url, fields, body, timeout=timeouts)
        except Exception as error:  # noqa: BLE001  # what has no counterpart is raised again
            trace("request.failed", {"exception": error})
            _fail(error, request)
        connection = streamed.connection
        trace("response_headers.complete", {"status": streamed.status, "version": _version(connection)})
        network = _Network(streamed, request)
        stream: httpx.SyncByteStream = _Stream(streamed, request)
        if tunnel and streamed.status in {101, *range(200, 300)}:
            stream = httpx.ByteStream(b"")  # the tunnel is read through the network stream
        return _response(streamed.status, streamed.reason, streamed.headers, connection, stream, network)

    def close(self) -> None:
        """Close the connections, unless the pool is yours."""
        if self._owned:
            self._pool.close()


def _silent(_name: str, _info: dict[str, object]) -> None:
    """Trace nothing."""


def _content(stream: object) -> bytes | Iterable[bytes] | None:
    """Return a body; one that is complete can be sent again."""
    if isinstance(stream, httpx.ByteStream):
        return b"".join(stream) or None
    if isinstance(stream, httpx.SyncByteStream):
        return stream
    raise RuntimeError("a synchronous client cannot send an asynchronous body")


# -- asyncio and trio


class _AsyncStream(httpx.AsyncByteStream):
    """The content of one answer."""

    def __init__(self, streamed: AsyncStreamedAnswer, request: httpx.Request) -> None:
        self._streamed = streamed
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._streamed:
                yield piece
        except Exception as error:  # noqa: BLE001  # as above
            _fail(error, self._request)

    async def aclose(self) -> None:
        self._streamed.close()


class _AsyncNetwork:
    """The connection of an answer; after an upgrade or CONNECT also the bytes of the tunnel."""

    def __init__(self, streamed: AsyncStreamedAnswer, request: httpx.Request) -> None:
        self._streamed = streamed
        self._request = request
        self._held = b""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002, ASYNC109
        """Return some bytes of the tunnel; none at its end."""
        try:
            if not self._held:
                self._held = await self._streamed.receive() or b""
        except Exception as error:  # noqa: BLE001  # as above
            _fail(error, self._request)
        found, self._held = self._held[:max_bytes], self._held[max_bytes:]
        return found

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109
        """Send bytes into the tunnel."""
        try:
            await self._streamed.send(buffer)
        except Exception as error:  # noqa: BLE001  # as above
            _fail(error, self._request)

    async def aclose(self) -> None:
        """Give the tunnel up."""
        self._streamed.close()

    def get_extra_info(self, info: str) -> object:
        """Return what is known of the connection: `client_addr`, `server_addr`, `socket`, `tls`."""
        return _info(self._streamed.connection, info)


class AsyncMintTransport(httpx.AsyncBaseTransport):
    """A transport of `httpx.AsyncClient` that sends requests with mint, under asyncio and trio.

    It belongs to the event loop in which it is used first. The arguments are those of `MintTransport`; a
    `pool` of yours is one of `mint.pool.asyncio` or `mint.pool.trio`.
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
        self._pool = pool
        self._arguments: dict[str, Any] = {  # as above
            "protocols": protocols,
            "proxy": _proxy(proxy),
            "tcp": tcp,
            "tls": tls,
            "http1": http1,
            "http2": http2,
            "options": options,
        }

    @property
    def pool(self) -> AsyncPool:
        """The pool, for its statistics; made when it is asked for first."""
        if self._pool is None:
            self._pool = _pool_class()(timeout=None, **self._arguments)
        return self._pool

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; return its answer once the head has arrived."""
        url = _url(request)
        upgrade = is_upgrade(request.headers.raw)
        tunnel = upgrade or request.method == "CONNECT"
        fields = fields_of(request.method, request.headers.raw, upgrade=upgrade)
        timeouts = timeouts_of(request.extensions.get("timeout"))
        trace = request.extensions.get("trace", _silent_async)
        await trace("request.started", {"request": request})
        try:
            if tunnel:
                streamed = await self.pool.stream(request.method, url, fields, STREAM, timeout=timeouts)
                await streamed.receive_head()
            else:
                body = _async_content(request.stream)
                streamed = await self.pool.stream(request.method, url, fields, body, timeout=timeouts)
        except Exception as error:  # noqa: BLE001  # what has no counterpart is raised again
            await trace("request.failed", {"exception": error})
            _fail(error, request)
        connection = streamed.connection
        await trace("response_headers.complete", {"status": streamed.status, "version": _version(connection)})
        network = _AsyncNetwork(streamed, request)
        stream: httpx.AsyncByteStream = _AsyncStream(streamed, request)
        if tunnel and streamed.status in {101, *range(200, 300)}:
            stream = httpx.ByteStream(b"")  # the tunnel is read through the network stream
        return _response(streamed.status, streamed.reason, streamed.headers, connection, stream, network)

    async def aclose(self) -> None:
        """Close the connections, unless the pool is yours."""
        if self._owned and self._pool is not None:
            self._pool.close()


async def _silent_async(_name: str, _info: dict[str, object]) -> None:
    """Trace nothing."""


def _async_content(stream: object) -> bytes | AsyncIterable[bytes] | None:
    """Return a body; one that is complete can be sent again."""
    if isinstance(stream, httpx.ByteStream):
        return b"".join(stream) or None
    if isinstance(stream, httpx.AsyncByteStream):
        return stream
    raise RuntimeError("an asynchronous client cannot send a synchronous body")


def _pool_class() -> type[AsyncPool]:
    """Return the pool of the event loop that runs."""
    with contextlib.suppress(RuntimeError):
        asyncio.get_running_loop()
        return asyncio_pools.Pool
    # By name, because trio is an optional dependency that a copy of mint may be without.
    found: type[AsyncPool] = import_module(".pool.trio", __package__).Pool
    return found
