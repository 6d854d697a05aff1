"""Requests and responses for the handlers of `Origin`, the same for HTTP/1.1 and HTTP/2.

In both directions a body is an iterable of bytes, so it need not be in memory as a whole. After CONNECT or an
upgrade, the bodies are the two directions of the tunnel: the request's body is what the client sends, and the
response's body is what the server sends.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, TypeAlias

from .._checks import TCHAR, is_sequence, shown
from .._core.fields import SENSITIVE

Headers: TypeAlias = tuple[tuple[str, str], ...]
"""Received fields: names in lower case, in the order of the message."""
Fields: TypeAlias = Sequence[tuple[str, str]]
"""Fields to send: a list or tuple of names and values."""
TOKEN: Final = re.compile(f"{TCHAR}+")
OF_THE_CONNECTION: Final = frozenset(
    {"connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade"}
)
FIRST_FINAL: Final = 200


class Lost(Exception):  # noqa: N818  an event, not an error of this program
    """The client disconnected, reset the stream, or broke the protocol: it can receive nothing more."""


def without_secrets(value: object) -> object:
    """Return fields as `repr` may show them: without the values of secret ones."""
    if not is_sequence(value):
        return value
    if len(value) == 2 and isinstance(value[0], str) and value[0].lower() in SENSITIVE:
        return value[0], "(redacted)"
    return tuple(without_secrets(each) for each in value)


def repr_of(value: object, *secret: str) -> str:
    """Return the `repr` of a dataclass; `secret` are the names of its attributes that may contain secrets."""
    names: tuple[str, ...] = getattr(value, "__match_args__", ())
    parts: list[tuple[str, object]] = [(name, getattr(value, name)) for name in names]
    said = (f"{name}={(without_secrets(part) if name in secret else part)!r}" for name, part in parts)
    return f"{type(value).__name__}({', '.join(said)})"


class Body:
    """The body of a request: iterate over its pieces as they arrive, or `read` all of it.

    Both raise `Lost` if the client does not send all of it. A handler need not catch that.
    """

    def __init__(self, pieces: Iterator[bytes], trailers: Callable[[], Headers]) -> None:
        self._pieces = pieces
        self._trailers = trailers

    def __iter__(self) -> Iterator[bytes]:
        """Return an iterator over the pieces that were not read yet; none of them is empty."""
        return self._pieces

    def read(self) -> bytes:
        """Wait for the end of the body, and return everything that was not read yet."""
        return b"".join(self._pieces)

    @property
    def trailers(self) -> Headers:
        """The trailer fields; empty before the end of the body was read."""
        return self._trailers()


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """One request.

    Attributes:
        version: `"HTTP/1.0"`, `"HTTP/1.1"` or `"HTTP/2"`.
        method: the method.
        target: the request target (HTTP/1), or `:path`; for CONNECT, the authority.
        authority: the Host field, or `:authority`; empty if there is none.
        headers: the fields, names in lower case, without pseudo-headers.
        body: the body, which may still be arriving.
        protocol: the protocol of an upgrade (HTTP/1.1) or of an extended CONNECT (RFC 8441), or `None`.
        scheme: `"http"` or `"https"`.

    """

    version: str
    method: str
    target: str
    authority: str
    headers: Headers
    body: Body
    protocol: str | None = None
    scheme: str = "http"

    def __repr__(self) -> str:
        return repr_of(self, "headers")

    def header(self, name: str) -> str | None:
        """Return the values of a header, joined with `", "`, or `None` if it is absent.

        `name` must be in lower case.
        """
        values = [value for key, value in self.headers if key == name]
        return ", ".join(values) if values else None


@dataclass(frozen=True, slots=True)
class Push:
    """A server push (RFC 9113 8.4): a GET request that the client did not make, and its response.

    It is sent only over HTTP/2, and only if the client allows it.

    Attributes:
        target: the `:path` of the request.
        response: the response.
        headers: the other fields of the request.

    """

    target: str
    response: "Response"
    headers: Fields = ()

    def __repr__(self) -> str:
        return repr_of(self, "headers")

    def __hash__(self) -> int:
        """Hash without the fields, which may be lists and then have no hash."""
        return hash((Push, self.target))


@dataclass(frozen=True, slots=True)
class Response:
    """One response.

    If it cannot be sent, the server resets the connection (HTTP/1.1) or the stream (HTTP/2), and raises
    `TypeError` or `ValueError` when it stops.

    Attributes:
        status: the status, 200 to 999, or 101 over HTTP/1.1.
        headers: the fields; a content-length is added if the body is `bytes`. The server chooses the
            transfer-encoding; over HTTP/2, fields for a connection, such as connection, cannot be sent.
        body: `bytes`, or an iterable of `bytes`, which is streamed (over HTTP/1.1 in chunks, unless `headers`
            contains a content-length).
        trailers: the trailer fields, or a function that returns them and is called after the last piece of
            the body.
        informational: the interim responses to send before it: each a status, 100 to 199 except 101, and its
            fields.
        pushes: server pushes, which are sent before it.

    """

    status: int = 200
    headers: Fields = ()
    body: bytes | Iterable[bytes] = b""
    trailers: Fields | Callable[[], Fields] = ()
    informational: Sequence[tuple[int, Fields]] = ()
    pushes: Sequence[Push] = ()

    def __repr__(self) -> str:
        return repr_of(self, "headers", "trailers", "informational")

    def __hash__(self) -> int:
        """Hash only the status, because lists of fields have no hash."""
        return hash((Response, self.status))

    def pieces(self) -> Iterator[bytes]:
        """Yield the pieces of the body, none of them empty.

        Raises `TypeError` for a piece that is not `bytes`, and `ValueError` if the length of the body is not
        the declared content-length.
        """
        declared, count = self.declared_length(), 0
        for piece in (self.body,) if isinstance(self.body, bytes) else self.body:
            if not isinstance(piece, bytes):
                raise TypeError(f"a piece of the body must be bytes, got {shown(piece)}")
            count += len(piece)
            if declared is not None and count > declared:
                break
            if piece:
                yield piece
        if declared is not None and count != declared:
            raise ValueError(f"content-length is {declared}, but the body has {count} bytes or more")

    def trailer_fields(self) -> Headers:
        """Return the trailer fields; call this only after the body was sent.

        Raises `TypeError` or `ValueError` for fields that cannot be sent.
        """
        return checked_fields(self.trailers() if callable(self.trailers) else self.trailers)

    def declared_length(self) -> int | None:
        """Return the content-length in `headers`, or `None`; raise `ValueError` if it is not one number."""
        values = [value for name, value in self.headers if name.lower() == "content-length"]
        if not values:
            return None
        if len(values) > 1 or re.fullmatch(r"[0-9]{1,18}", values[0]) is None:
            raise ValueError(f"content-length must be one decimal number, got {', '.join(values)}")
        return int(values[0])

    @property
    def is_plain(self) -> bool:
        """Whether the response is complete from the start: the body is `bytes`, and there are no trailers."""
        return isinstance(self.body, bytes) and not callable(self.trailers) and not self.trailers

    def has_header(self, name: str) -> bool:
        """Whether `headers` contains a field with this name, which must be in lower case."""
        return any(key.lower() == name for key, _ in self.headers)


Handler: TypeAlias = Callable[[Request], Response]
"""A function that returns the response to a request."""


def checked(response: object, *, bodiless: bool = False, http_2: bool = False) -> Response:
    """Return the response of a handler; raise `TypeError` or `ValueError` if it cannot be sent.

    The declared content-length must be that of the body, unless the body is not sent (`bodiless`).
    """
    if not isinstance(response, Response):
        raise TypeError(f"a handler must return a Response, got {shown(response)}")
    _check_status(response.status, http_2=http_2)
    body: object = response.body
    if isinstance(body, (str, bytearray, memoryview)) or not isinstance(body, Iterable):
        raise TypeError(f"a body must be bytes or an iterable of bytes, got {shown(body)}")
    checked_fields(response.headers, http_2=http_2)
    if response.has_header("transfer-encoding"):
        raise ValueError("headers must not contain transfer-encoding: the server chooses it")
    if not callable(response.trailers):
        checked_fields(response.trailers, http_2=http_2)
    for status, fields in response.informational:
        if not 100 <= status < FIRST_FINAL or status == HTTPStatus.SWITCHING_PROTOCOLS:
            raise ValueError(f"an informational status must be from 100 to 199, and not 101: got {status}")
        checked_fields(fields, http_2=http_2)
    declared = response.declared_length()
    if isinstance(body, bytes) and declared not in {None, len(body)} and not bodiless:
        raise ValueError(f"content-length is {declared}, but the body has {len(body)} bytes")
    for push in response.pushes:
        checked_fields((("path", push.target), *push.headers), http_2=http_2)
        checked(push.response, http_2=http_2)
    return response


def _check_status(status: object, *, http_2: bool) -> None:
    if not isinstance(status, int) or not 100 <= status <= 999:
        raise ValueError(f"a status must be an int from 100 to 999, got {shown(status)}")
    if status < FIRST_FINAL and (http_2 or status != HTTPStatus.SWITCHING_PROTOCOLS):
        raise ValueError(f"{status} is not a final status: use `informational` for interim responses")


def checked_fields(fields: Iterable[object], *, http_2: bool = False) -> Headers:
    """Return the fields as a tuple; raise `TypeError` or `ValueError` if they cannot be sent."""
    return tuple(_checked_field(pair, http_2=http_2) for pair in fields)


def _checked_field(pair: object, *, http_2: bool) -> tuple[str, str]:
    match pair:
        case (str(name), str(value)):
            pass
        case _:
            raise TypeError(f"a field must be a pair of name and value, both str, got {shown(pair)}")
    if TOKEN.fullmatch(name) is None:
        raise ValueError(f"{shown(name)} is not a field name (RFC 9110 5.1)")
    if http_2 and name.lower() in OF_THE_CONNECTION:
        raise ValueError(f"{name} cannot be sent over HTTP/2 (RFC 9113 8.2.2)")
    if re.search(r"[\0\r\n]", value):
        raise ValueError(f"the value of {name} must not contain CR, LF or NUL: {shown(value)} (RFC 9110 5.5)")
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        raise ValueError(f"the value of {name} must be ISO 8859-1 text: {shown(value)}") from None
    return name, value
