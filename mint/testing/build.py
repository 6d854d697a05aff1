"""Build HTTP/1 messages as bytes, valid or not (RFC 9112). `mint.testing.http2` builds HTTP/2 frames.

Nothing is checked, and everything is used as given. Names, values and similar arguments are `bytes` (used
unchanged) or `str` (encoded in ISO 8859-1; other characters raise `UnicodeEncodeError`).
"""

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from itertools import pairwise
from typing import TypeAlias

from . import _arguments

Text: TypeAlias = str | bytes
AnyFields: TypeAlias = Sequence[tuple[Text, Text]]
"""Fields to send: a sequence of names and values, each `str` or `bytes`."""


def octets(text: Text) -> bytes:
    """Return text as bytes: a `str` in ISO 8859-1, `bytes` unchanged; raise `TypeError` for anything else."""
    return text.encode("latin-1") if isinstance(text, str) else _arguments.octets("text", text)


def reason(status: int) -> str:
    """Return the usual reason phrase of a status; empty if it has none."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def head(start: Text, fields: AnyFields = (), *, line_end: bytes = b"\r\n") -> bytes:
    """Return a start line and fields, with the empty line that ends them (RFC 9112 2.1).

    Args:
        start: the start line, without its end.
        fields: the fields, each sent as `name: value`.
        line_end: what ends each line.

    """
    lines = [octets(start), *(octets(name) + b": " + octets(value) for name, value in fields)]
    return line_end.join([*lines, b"", b""])


def status_line(status: int | Text = 200, *, phrase: Text | None = None, version: Text = "HTTP/1.1") -> bytes:
    """Return a status line without its end (RFC 9112 4).

    Args:
        status: any number or text.
        phrase: the reason phrase; by default the usual one of a status that is a number, otherwise empty.
        version: the version of HTTP.

    """
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
    """Return a response (RFC 9112 6).

    A content-length is added, unless `fields` contains one or a transfer-encoding, or the status is a number
    that does not allow a body (1xx, 204, 304).

    Args:
        status: as for `status_line`.
        fields: the fields.
        body: the body, sent unchanged after the fields.
        phrase: as for `status_line`.
        version: the version of HTTP.
        line_end: what ends each line of the head.

    """
    line = status_line(status, phrase=phrase, version=version)
    bodiless = isinstance(status, int) and (status < 200 or status in {204, 304})
    framing = {b"content-length", b"transfer-encoding"}
    if not bodiless and not any(octets(name).lower() in framing for name, _ in fields):
        fields = (*fields, ("content-length", str(len(body))))
    return head(line, fields, line_end=line_end) + body


def chunk(data: bytes, *, size: Text | None = None, extension: Text = "", end: bytes = b"\r\n") -> bytes:
    """Return one chunk of a chunked body (RFC 9112 7.1).

    Args:
        data: the content.
        size: the chunk size to declare; by default the length of `data`, in hexadecimal digits.
        extension: what follows the size on its line, such as `";name=value"`.
        end: what follows the content.

    """
    declared = f"{len(data):x}" if size is None else size
    return octets(declared) + octets(extension) + b"\r\n" + data + end


def chunked(*pieces: bytes, trailers: AnyFields = (), last: bool = True) -> bytes:
    """Return a chunked body (RFC 9112 7.1), with one chunk for each piece that is not empty.

    Args:
        pieces: the content.
        trailers: the trailer fields.
        last: whether the last chunk (of size 0) and the trailers follow; without them the body has no end.

    """
    chunks = b"".join(chunk(piece) for piece in pieces if piece)
    return chunks + (head("0", trailers) if last else b"")


def chunked_response(
    *pieces: bytes, status: int | Text = 200, fields: AnyFields = (), trailers: AnyFields = ()
) -> bytes:
    """Return a response with a chunked body (RFC 9112 7.1).

    Args:
        pieces: the content, with one chunk for each piece that is not empty.
        status: as for `status_line`.
        fields: the fields; transfer-encoding is added to them.
        trailers: the trailer fields.

    """
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
    """Return a request (RFC 9112 3).

    Args:
        method: the method.
        target: the request target.
        fields: the fields. No field is added, so for a body they must include content-length or
            transfer-encoding.
        body: the body, sent unchanged after the fields.
        version: the version of HTTP.
        line_end: what ends each line of the head.

    """
    line = b" ".join((octets(method), octets(target), octets(version)))
    return head(line, fields, line_end=line_end) + body


def split(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    """Return data cut into pieces at these offsets, in any order; none of the pieces is empty.

    Offsets that are not within the data cut nothing. Raises `TypeError` if the data is not bytes.
    """
    data = _arguments.octets("data", data)
    edges = [0, *sorted({cut for cut in cuts if 0 < cut < len(data)}), len(data)]
    return [data[start:end] for start, end in pairwise(edges) if start < end]
