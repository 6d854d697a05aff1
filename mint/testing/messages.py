"""Requests and responses as a handler of `Origin` sees them, the same for HTTP/1.1 and HTTP/2.

In both directions a body is an iterable of bytes, so it need not be held in memory as a whole. After a
CONNECT or an upgrade, the bodies are the two directions of the tunnel: the request's body is what the client
sends, and the response's body is what the server sends.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeGuard

from .._core.fields import SENSITIVE

Headers: TypeAlias = tuple[tuple[str, str], ...]
"""Fields as they came: names in lower case, in the order of the message."""
Fields: TypeAlias = Sequence[tuple[str, str]]
"""Fields to be sent: a list or a tuple of names and values."""
TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


class Lost(Exception):  # noqa: N818  an event, not a fault of this program
    """The client went away, or broke the protocol: nothing more can be said to it."""


def _is_sequence(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, (list, tuple))


def without_secrets(value: object) -> object:
    """Return what `repr` may show in the place of fields: values of secret ones are left out."""
    if not _is_sequence(value):
        return value
    if len(value) == 2 and isinstance(value[0], str) and value[0].lower() in SENSITIVE:
        return value[0], "(redacted)"
    return tuple(without_secrets(each) for each in value)


def repr_of(value: object, *secret: str) -> str:
    """Return the `repr` of a dataclass that shows no secret of the fields of messages in it."""
    names: tuple[str, ...] = getattr(value, "__match_args__", ())
    parts: list[tuple[str, object]] = [(name, getattr(value, name)) for name in names]
    said = (f"{name}={(without_secrets(part) if name in secret else part)!r}" for name, part in parts)
    return f"{type(value).__name__}({', '.join(said)})"


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

    def __repr__(self) -> str:
        return repr_of(self, "headers")

    def header(self, name: str) -> str | None:
        """Return the values of one header, joined with commas, or None if it is absent."""
        values = [value for key, value in self.headers if key == name]
        return ", ".join(values) if values else None


@dataclass(frozen=True, slots=True)
class Push:
    """A request that the server answers before it was made (HTTP/2; elsewhere it is left out)."""

    target: str
    response: "Response"
    headers: Fields = ()

    def __repr__(self) -> str:
        return repr_of(self, "headers")

    def __hash__(self) -> int:
        """Return a number that equal pushes share; lists of fields have none of their own."""
        return hash((Push, self.target))


@dataclass(frozen=True, slots=True)
class Response:
    """One response. `informational` are the 1xx sent before it, each with its headers.

    A `bytes` body has a known length; an iterable is streamed (chunked in HTTP/1.1, unless
    `headers` has a content-length). `trailers` may be a function, called after the last piece of
    the body.
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
        """Return a number that equal responses share; lists of fields have none of their own."""
        return hash((Response, self.status))

    def pieces(self) -> Iterator[bytes]:
        """Yield the pieces of the body, none of them empty; `TypeError` where one is no bytes.

        `ValueError` where they are more or less than the content-length says.
        """
        declared, count = self.declared_length(), 0
        for piece in (self.body,) if isinstance(self.body, bytes) else self.body:
            if not isinstance(piece, bytes):
                raise TypeError(f"a piece of the body must be bytes, got {_shown(piece)}")
            count += len(piece)
            if declared is not None and count > declared:
                break
            if piece:
                yield piece
        if declared is not None and count != declared:
            raise ValueError(f"content-length is {declared}, but the body has {count} bytes or more")

    def trailer_fields(self) -> Headers:
        """Return the trailer fields; only to be asked for after the body."""
        return checked_fields(self.trailers() if callable(self.trailers) else self.trailers)

    def declared_length(self) -> int | None:
        """Return the content-length that `headers` declare, or None; `ValueError` where it is no number."""
        values = [value for name, value in self.headers if name.lower() == "content-length"]
        if not values:
            return None
        if len(values) > 1 or re.fullmatch(r"[0-9]{1,18}", values[0]) is None:
            raise ValueError(f"content-length must be one decimal number, got {', '.join(values)}")
        return int(values[0])

    @property
    def is_plain(self) -> bool:
        """Whether the whole response is known from the start: a body of bytes and no trailers."""
        return isinstance(self.body, bytes) and not callable(self.trailers) and not self.trailers

    def has_header(self, name: str) -> bool:
        """Whether a header of this name (in lower case) is given."""
        return any(key.lower() == name for key, _ in self.headers)


Handler: TypeAlias = Callable[[Request], Response]


def checked(response: object, *, bodiless: bool = False) -> Response:
    """Return what a handler returned, or raise `TypeError` or `ValueError` where it cannot be sent.

    The content-length must be that of the body, unless the response is to be sent without one.
    """
    if not isinstance(response, Response):
        raise TypeError(f"a handler must return a Response, got {_shown(response)}")
    if not isinstance(response.status, int) or not 100 <= response.status <= 999:
        raise ValueError(f"a status must be an int from 100 to 999, got {_shown(response.status)}")
    body: object = response.body
    if isinstance(body, (str, bytearray, memoryview)) or not isinstance(body, Iterable):
        raise TypeError(f"a body must be bytes or an iterable of bytes, got {_shown(body)}")
    checked_fields(response.headers)
    if not callable(response.trailers):
        checked_fields(response.trailers)
    for status, fields in response.informational:
        if not 100 <= status <= 199:
            raise ValueError(f"an informational status must be from 100 to 199, got {status}")
        checked_fields(fields)
    declared = response.declared_length()
    if isinstance(body, bytes) and declared not in {None, len(body)} and not bodiless:
        raise ValueError(f"content-length is {declared}, but the body has {len(body)} bytes")
    for push in response.pushes:
        checked_fields(((":path", push.target), *push.headers))
        checked(push.response)
    return response


def checked_fields(fields: Iterable[object]) -> Headers:
    """Return fields as they can be sent, or raise `TypeError` or `ValueError`."""
    return tuple(_checked_field(pair) for pair in fields)


def _checked_field(pair: object) -> tuple[str, str]:
    match pair:
        case (str(name), str(value)):
            pass
        case _:
            raise TypeError(f"a field must be a pair of name and value, both str, got {_shown(pair)}")
    if TOKEN.fullmatch(name.removeprefix(":")) is None:
        raise ValueError(f"{_shown(name)} is not a field name (RFC 9110 5.1)")
    if re.search(r"[\0\r\n]", value):
        raise ValueError(
            f"the value of {name} must not contain CR, LF or NUL: {_shown(value)} (RFC 9110 5.5)"
        )
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        raise ValueError(f"the value of {name} must be ISO 8859-1 text: {_shown(value)}") from None
    return name, value


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}..."
