"""Requests and options for connecting, as the pools for all event loops use them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from .. import _checks
from .._connections.negotiation import check_connect
from .._connections.recording import check_record
from ..errors import InvalidRequestMethod, Processed
from ..exchange import URL, split_url
from ..exchange._pieces import AsyncPieces, Pieces
from ..options import HTTP1Options, HTTP2Options, TCPOptions, TLSOptions
from ..types import Stream
from ._options import PoolOptions, Timeouts
from ._procedures import UNLIMITED, PoolRequest
from ._rehearsal import refuse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence

    from .._transcripts.recorder import Record, Recorder
    from ..exchange import Origin
    from ..proxy import Proxy
    from ..types import AsyncResolver, BytesLike, HeaderFields, HeaderPairs, ProtocolName, Resolver
    from ._procedures import Trace

_TOKEN = re.compile(f"{_checks.TCHAR}+")

StreamedBody: TypeAlias = "BytesLike | Iterable[BytesLike] | Literal[Stream.STREAM] | None"
"""The body of a request: bytes, an iterable of pieces, none, or `mint.STREAM` to send it with `send`."""

AsyncStreamedBody: TypeAlias = "StreamedBody | AsyncIterable[BytesLike]"
"""The same, and asynchronous iterables of pieces."""


@dataclass(frozen=True, slots=True)
class ConnectOptions:
    """The arguments of `mint.connect` with which a pool connects to every origin."""

    protocols: Sequence[ProtocolName] = ("http1", "http2")
    proxy: Proxy | None = None
    tcp: TCPOptions = field(default_factory=TCPOptions)
    tls: TLSOptions = field(default_factory=TLSOptions)
    http1: HTTP1Options = field(default_factory=HTTP1Options)
    http2: HTTP2Options = field(default_factory=HTTP2Options)
    log: bool = False
    resolver: Resolver | AsyncResolver | None = None
    record: Record | None = None
    recorder: Recorder | None = field(init=False, default=None)
    """Records all connections in one transcript."""

    def __post_init__(self) -> None:
        # Invalid options are invalid for every origin, so any origin can be used to check them.
        check_connect(
            *("http", "localhost", 80, None, self.protocols, self.proxy, self.tcp, self.tls),
            *(self.http1, self.http2, self.log),
        )
        object.__setattr__(self, "protocols", tuple(self.protocols))
        if self.resolver is not None and not callable(self.resolver):
            raise TypeError(
                f"resolver must be a function of a host and a port, not {type(self.resolver).__name__}"
            )
        object.__setattr__(self, "recorder", check_record(self.record))  # last, because it creates a file

    def end_recording(self) -> None:
        """Close the file if it was opened for the pool; the caller closes its own `Recorder`."""
        if self.recorder is not None and self.recorder is not self.record:
            self.recorder.close()

    def may_share(self, origin: Origin) -> bool:
        """Whether a connection to this origin may be shared by requests."""
        protocols = set(self.protocols)
        return protocols == {"http2"} or ("http2" in protocols and origin.scheme == "https")

    def check(self, request: PoolRequest) -> None:
        """Raise the error of a request that no connection with these options could send."""
        refuse(
            *(request.method, request.url, request.headers, request.content),
            streamed=request.make_source is not None or request.sends_itself,
            trailers=request.trailers,
            protocols=self.protocols,
            http1_options=self.http1,
            http2_options=self.http2,
        )

    def tcp_within(self, left: float | None) -> TCPOptions:
        """Return the options with at most this many seconds for connecting."""
        limit = self.tcp.connect_timeout
        if left is None or (limit is not None and limit <= left):
            return self.tcp
        return replace(self.tcp, connect_timeout=left)


def check_pool(options: object, timeout: object, connect: object, record: object = None) -> None:
    """Refuse invalid arguments of a pool."""
    _checks.instance("options", options, PoolOptions, "mint.pool.PoolOptions")
    if timeout is not None and not isinstance(timeout, Timeouts):
        _checks.seconds("timeout", timeout)
    if connect is not None and not callable(connect):
        raise TypeError(f"connect must be a function of an origin and seconds, not {type(connect).__name__}")
    if connect is not None and record is not None:
        raise ValueError("record cannot be used together with connect: pass it to mint.connect there")


def check_method(method: object) -> str:
    """Return the method; raise `InvalidRequestMethod` if it is not a token (RFC 9110 9.1)."""
    exact = _checks.exact_text("method", method)
    if not _TOKEN.fullmatch(exact):
        raise InvalidRequestMethod(exact).marked(local=True, processed=Processed.NO)
    return exact


def make_request(
    method: str,
    url: str | URL,
    headers: HeaderPairs,
    body: AsyncStreamedBody,
    trailers: HeaderFields,
    timeout: float | Timeouts | None,
    clock: Callable[[], float],
    trace: Trace | None = None,
    check: Callable[[PoolRequest], None] | None = None,
) -> PoolRequest:
    """Return a request, checked as far as possible without a connection.

    Raises `ValueError`, `TypeError` and `InvalidRequestMethod`.
    """
    method = check_method(method)
    parts = url if isinstance(url, URL) else split_url(url)
    fields = _checks.sent_fields("headers", headers)
    _checks.pairs("trailers", trailers)
    if isinstance(timeout, Timeouts):
        timeouts = timeout
        total = timeouts.total
    else:
        timeouts = UNLIMITED
        total = None if timeout is None else _checks.seconds("timeout", timeout)
    if not isinstance(body, Stream):
        _checks.content("body", body)
    if trace is not None and not callable(trace):
        raise TypeError(f"trace must be a function of a name and a dict, not {type(trace).__name__}")
    if trailers and (body is None or isinstance(body, Stream)):
        raise ValueError(
            "trailers need a body: give one (b'' is enough), or pass them to send_end() with mint.STREAM"
        )
    if method == "CONNECT" and not isinstance(body, Stream):
        raise ValueError("CONNECT opens a tunnel: ask for it with stream() and body=mint.STREAM")
    content: bytes | None = None
    make_source: Callable[[], Iterator[BytesLike] | AsyncIterator[BytesLike]] | None = None
    replays = True
    if isinstance(body, (bytes, bytearray, memoryview)):
        content = _checks.octets(body)
    elif body is None or isinstance(body, Stream):
        pass
    elif isinstance(body, AsyncIterable):
        pieces = body
        # If the request is sent again before anything was taken from the iterator, that iterator is used.
        awaited = AsyncPieces("body", pieces)
        make_source, replays = (lambda: awaited), False
    else:
        iterator = Pieces("body", body)
        make_source, replays = (lambda: iterator), False
    return PoolRequest(
        method=method,
        url=parts,
        headers=fields,
        content=content,
        make_source=make_source,
        sends_itself=isinstance(body, Stream),
        trailers=trailers,
        timeouts=timeouts,
        until=None if total is None else clock() + total,
        replays=replays,
        clock=clock,
        trace=trace,
        check=check,
    )
