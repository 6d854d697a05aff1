"""Requests and responses as a handler of `Origin` sees them, the same for HTTP/1.1 and HTTP/2.

A body is an iterable of bytes in both directions, so that nothing need be held in memory. After a
CONNECT or an upgrade it is the tunnel: what comes in is the request's body, what goes out is the
response's.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

Headers: TypeAlias = tuple[tuple[str, str], ...]


class Lost(Exception):  # noqa: N818  an event, not a fault of this program
    """The client went away, or broke the protocol: nothing more can be said to it."""


class Body:
    """The body of a request: iterate over it, or `read` it whole. Pieces come as they arrive.

    Both raise `Lost` if the client does not finish it; a handler lets that pass.
    """

    def __init__(self, pieces: Iterator[bytes], trailers: Callable[[], Headers]) -> None:
        self._pieces = pieces
        self._trailers = trailers

    def __iter__(self) -> Iterator[bytes]:
        """Return the pieces not taken yet; none of them is empty."""
        return self._pieces

    def read(self) -> bytes:
        """Return all that was not taken yet."""
        return b"".join(self._pieces)

    @property
    def trailers(self) -> Headers:
        """The trailer fields; empty before the end of the body."""
        return self._trailers()


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """One request. Names of `headers` are lower-case; pseudo-headers are fields of their own.

    `protocol` is what an upgrade (HTTP/1.1) or an extended CONNECT (RFC 8441) asks for, or None.
    """

    version: str
    method: str
    target: str
    authority: str
    headers: Headers
    body: Body
    protocol: str | None = None
    scheme: str = "http"

    def header(self, name: str) -> str | None:
        """Return the values of one header, joined with commas, or None if it is absent."""
        values = [value for key, value in self.headers if key == name]
        return ", ".join(values) if values else None


@dataclass(frozen=True, slots=True, eq=False)
class Push:
    """A request that the server answers before it was made (HTTP/2; elsewhere it is left out)."""

    target: str
    response: "Response"
    headers: Headers = ()


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """One response. `informational` are the 1xx sent before it, each with its headers.

    A `bytes` body has a known length; an iterable is streamed (chunked in HTTP/1.1, unless
    `headers` has a content-length). `trailers` may be a function, called after the last piece of
    the body.
    """

    status: int = 200
    headers: Headers = ()
    body: bytes | Iterable[bytes] = b""
    trailers: Headers | Callable[[], Headers] = ()
    informational: tuple[tuple[int, Headers], ...] = ()
    pushes: tuple[Push, ...] = ()

    def pieces(self) -> Iterator[bytes]:
        """Return the pieces of the body, none of them empty."""
        body = (self.body,) if isinstance(self.body, bytes) else self.body
        return (piece for piece in body if piece)

    def trailer_fields(self) -> Headers:
        """Return the trailer fields; only to be asked for after the body."""
        return self.trailers() if callable(self.trailers) else self.trailers

    def has_header(self, name: str) -> bool:
        """Whether a header of this name (in lower case) is given."""
        return any(key.lower() == name for key, _ in self.headers)


Handler: TypeAlias = Callable[[Request], Response]
