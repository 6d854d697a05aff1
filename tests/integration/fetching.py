"""What every integration test does with mint: connect, ask, and gather what comes."""

import hashlib
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field

import mint

from .servers import HOST

TIMEOUT = 30.0


@dataclass(slots=True)
class Result:
    """What came for one request, in parts."""

    informational: list[mint.Informational] = field(default_factory=list)
    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    size: int = 0
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    pieces: list[bytes] | None = field(default_factory=list)
    """None: not kept, only counted and hashed."""
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


def gather(conn: mint.HTTP1, *refs: mint.RequestRef, keep: bool = True) -> tuple[mint.HTTP1, list[Result]]:
    """Receive until each of these requests has ended."""
    results = {ref: Result(pieces=[] if keep else None) for ref in refs}
    while not all(result.ended for result in results.values()):
        conn, responses = conn.recv(timeout=TIMEOUT)
        for response in responses:
            assert not isinstance(response, mint.Pong)
            results[response.ref].take(response)
    return conn, list(results.values())


def fetch(
    conn: mint.HTTP1,
    method: str,
    target: str,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes | None = None,
    *,
    keep: bool = True,
) -> tuple[mint.HTTP1, Result]:
    """Make one request and return its whole response."""
    conn, ref = conn.request(method, target, tuple(headers), body)
    conn, (result,) = gather(conn, ref, keep=keep)
    assert result.done
    return conn, result


def upload(
    conn: mint.HTTP1,
    method: str,
    target: str,
    pieces: Iterable[bytes],
    headers: Iterable[tuple[str, str]] = (),
    trailers: tuple[tuple[str, str], ...] = (),
) -> tuple[mint.HTTP1, Result]:
    """Stream a request body and return the response."""
    conn, ref = conn.request(method, target, tuple(headers), mint.STREAM)
    for piece in pieces:
        conn = conn.stream_request_body(ref, piece)
    conn = conn.stream_request_body(ref, mint.Eof(trailers))
    conn, (result,) = gather(conn, ref)
    assert result.done
    return conn, result
