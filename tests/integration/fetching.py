"""Helpers of the integration tests: connect, send requests, and collect the responses."""

import hashlib
import ssl
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import mint
from mint.types import Body

from .servers import HOST

TIMEOUT = 20.0
C = TypeVar("C", mint.HTTP1, mint.HTTP2)


@dataclass(slots=True)
class Result:
    """The parts of a response that have arrived."""

    informational: list[mint.Informational] = field(default_factory=list)
    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    size: int = 0
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    pieces: list[bytes] | None = field(default_factory=list)
    """`None` if content is only counted and hashed."""
    trailers: tuple[tuple[str, str], ...] = ()
    done: bool = False
    error: mint.HTTPError | mint.TransportError | None = None

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces or ())

    def header(self, name: str) -> str | None:
        return dict(self.headers).get(name)

    @property
    def ended(self) -> bool:
        return self.done or self.error is not None

    def take(self, response: mint.Response) -> None:
        match response:
            case mint.Informational():
                self.informational.append(response)
            case mint.Status(status=status):
                self.status = status
            case mint.Headers(headers=headers):
                self.headers = headers
            case mint.Data(data=data):
                self.size += len(data)
                self.digest.update(data)
                if self.pieces is not None:
                    self.pieces.append(data)
            case mint.Trailers(headers=headers):
                self.trailers = headers
            case mint.Done():
                self.done = True
            case mint.RequestFailed(error=error):
                self.error = error
            case _:
                raise AssertionError(response)


def connect(port: int, tls: ssl.SSLContext | None = None) -> mint.HTTP1:
    """Connect and speak HTTP/1.1, over TLS if a context is given."""
    if tls is None:
        return mint.http1.connect("http", HOST, port)
    return mint.http1.connect("https", HOST, port, tls=mint.TLSOptions(context=tls))


def connect2(
    port: int, tls: ssl.SSLContext | None = None, options: mint.HTTP2Options | None = None
) -> mint.HTTP2:
    """Connect and speak HTTP/2, over TLS if a context is given."""
    http2 = options or mint.HTTP2Options()
    if tls is None:
        return mint.http2.connect("http", HOST, port, http2=http2)
    return mint.http2.connect("https", HOST, port, tls=mint.TLSOptions(context=tls), http2=http2)


class Exchanges(Generic[C]):
    """Any number of requests on one connection, with the result of each."""

    def __init__(self, conn: C, *, keep: bool = True) -> None:
        self.conn: C = conn
        self.results: dict[mint.RequestRef, Result] = {}
        self.others: list[mint.Response] = []
        self._keep = keep

    def ask(
        self,
        method: str,
        target: str,
        headers: Iterable[tuple[str, str]] = (),
        body: Body = None,
        *,
        flush: bool = True,
    ) -> mint.RequestRef:
        """Make a request."""
        ref: mint.RequestRef
        self.conn, ref = self.conn.request(method, target, tuple(headers), body, flush=flush)
        self.results[ref] = Result(pieces=[] if self._keep else None)
        return ref

    def receive(self) -> None:
        """Receive once."""
        responses: Sequence[mint.Response]
        try:
            self.conn, responses = self.conn.recv(timeout=TIMEOUT)
        except mint.MintError as error:
            if isinstance(error, mint.errors.TransportTimeout):
                raise
            self.conn, responses = self.conn.after(error), error.responses
        for response in responses:
            if isinstance(response, mint.PushPromise):
                self.results[response.promised_ref] = Result(pieces=[] if self._keep else None)
            if isinstance(response, (mint.PushPromise, mint.Pong, mint.ConnectionEvent)):
                self.others.append(response)
            else:
                self.results[response.ref].take(response)

    def until(self, ref: mint.RequestRef, reached: Callable[[Result], bool]) -> Result:
        """Receive until `reached` is true for the result of this request."""
        while not reached(self.results[ref]):
            self.receive()
        return self.results[ref]

    def finish(self, ref: mint.RequestRef) -> Result:
        """Receive until this request has ended."""
        return self.until(ref, lambda result: result.ended)

    def send(self, ref: mint.RequestRef, data: bytes) -> None:
        """Send a piece of a body as the windows allow."""
        view = memoryview(data)
        while view and not self.results[ref].ended:
            room = self.conn.request_body_window(ref)
            if room:
                self.conn = self.conn.stream_request_body(ref, bytes(view[:room]))
                view = view[room:]
            else:
                self.receive()

    def end(self, ref: mint.RequestRef, trailers: tuple[tuple[str, str], ...] = ()) -> None:
        """End a body."""
        self.conn = self.conn.stream_request_body(ref, mint.Eof(trailers))


def gather(conn: C, *refs: mint.RequestRef, keep: bool = True) -> tuple[C, list[Result]]:
    """Receive until each of these requests has ended."""
    exchanges = Exchanges(conn, keep=keep)
    exchanges.results = {ref: Result(pieces=[] if keep else None) for ref in refs}
    results = [exchanges.finish(ref) for ref in refs]
    return exchanges.conn, results


def fetch(
    conn: C,
    method: str,
    target: str,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes | None = None,
    *,
    keep: bool = True,
) -> tuple[C, Result]:
    """Make one request and return its whole response."""
    exchanges = Exchanges(conn, keep=keep)
    result = exchanges.finish(exchanges.ask(method, target, headers, body))
    assert result.done, result.error
    return exchanges.conn, result


def upload(
    conn: C,
    method: str,
    target: str,
    pieces: Iterable[bytes],
    headers: Iterable[tuple[str, str]] = (),
    trailers: tuple[tuple[str, str], ...] = (),
    *,
    keep: bool = True,
) -> tuple[C, Result]:
    """Stream a request body and return the response."""
    exchanges = Exchanges(conn, keep=keep)
    ref = exchanges.ask(method, target, headers, mint.STREAM)
    for piece in pieces:
        exchanges.send(ref, piece)
    exchanges.end(ref, trailers)
    result = exchanges.finish(ref)
    assert result.done, result.error
    return exchanges.conn, result


def echo_through(exchanges: Exchanges[C], ref: mint.RequestRef, status: int) -> None:
    """Exchange data with an echo server through the tunnel that this request opened, and end it."""
    assert exchanges.until(ref, lambda result: result.status > 0).status == status
    sent = b""
    for word in (b"one", b"two"):
        exchanges.send(ref, word)
        sent += word
        assert exchanges.until(ref, lambda result: result.size >= len(sent)).body == sent  # noqa: B023  # called within the loop
    exchanges.end(ref)
    assert exchanges.finish(ref).done
