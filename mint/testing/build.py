"""HTTP/1 messages as bytes, valid or not (RFC 9112). `http2` builds the frames of HTTP/2.

Nothing is checked; everything is sent as given. Names, values and similar arguments are `str` (sent as
ISO 8859-1) or `bytes` (sent unchanged).
"""

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from itertools import pairwise
from typing import TypeAlias

Text: TypeAlias = str | bytes
AnyFields: TypeAlias = Sequence[tuple[Text, Text]]
"""Fields to be sent, of `str` or `bytes`."""


def octets(text: Text) -> bytes:
    """Return text as it is sent."""
    return text.encode("latin-1") if isinstance(text, str) else text


def reason(status: int) -> str:
    """Return the usual reason phrase of a status, or nothing."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def head(start: Text, fields: AnyFields = (), *, line_end: bytes = b"\r\n") -> bytes:
    """Return a start line and fields, with the empty line that ends them."""
    lines = [octets(start), *(octets(name) + b": " + octets(value) for name, value in fields)]
    return line_end.join([*lines, b"", b""])


def status_line(status: int | Text = 200, *, phrase: Text | None = None, version: Text = "HTTP/1.1") -> bytes:
    """Return the line that begins a response, without its end; a status may be anything."""
    number = str(status) if isinstance(status, int) else status
    said = reason(status) if phrase is None and isinstance(status, int) else phrase or ""
    return octets(version) + b" " + octets(number) + b" " + octets(said)


def response(
    status: int | Text = 200,
    fields: AnyFields = (),
    body: bytes = b"",
    *,
    phrase: Text | None = None,
    version: Text = "HTTP/1.1",
    line_end: bytes = b"\r\n",
) -> bytes:
    """Return a response. Unless `fields` have one, a content-length is added where the status allows it."""
    line = status_line(status, phrase=phrase, version=version)
    bodiless = isinstance(status, int) and (status < 200 or status in {204, 304})
    framing = {b"content-length", b"transfer-encoding"}
    if not bodiless and not any(octets(name).lower() in framing for name, _ in fields):
        fields = (*fields, ("content-length", str(len(body))))
    return head(line, fields, line_end=line_end) + body


def chunk(data: bytes, *, size: Text | None = None, extension: Text = "", end: bytes = b"\r\n") -> bytes:
    """Return a chunk; `size` is what it declares, if that is not the length in hexadecimal digits."""
    declared = f"{len(data):x}" if size is None else size
    return octets(declared) + octets(extension) + b"\r\n" + data + end


def chunked(*pieces: bytes, trailers: AnyFields = (), last: bool = True) -> bytes:
    """Return a chunked body with a chunk for each piece; without `last` it has no end."""
    chunks = b"".join(chunk(piece) for piece in pieces if piece)
    return chunks + (head("0", trailers) if last else b"")


def chunked_response(
    *pieces: bytes, status: int | Text = 200, fields: AnyFields = (), trailers: AnyFields = ()
) -> bytes:
    """Return a response with a chunked body."""
    start = response(status, (*fields, ("transfer-encoding", "chunked")))
    return start + chunked(*pieces, trailers=trailers)


def request(
    method: Text = "GET",
    target: Text = "/",
    fields: AnyFields = (("host", "localhost"),),
    body: bytes = b"",
    *,
    version: Text = "HTTP/1.1",
    line_end: bytes = b"\r\n",
) -> bytes:
    """Return a request; for a body `fields` must say how it is framed."""
    line = b" ".join((octets(method), octets(target), octets(version)))
    return head(line, fields, line_end=line_end) + body


def split(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    """Return data in pieces that begin at these offsets."""
    edges = [0, *sorted(set(cuts)), len(data)]
    return [data[start:end] for start, end in pairwise(edges) if start < end]
