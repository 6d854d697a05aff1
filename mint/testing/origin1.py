"""The HTTP/1.1 part of `Origin`: one request and its response (RFC 9112).

The handler decides how to answer, and the caller manages the connection. It is strict on purpose, so that no
mistake of a client under test goes unnoticed.
"""

import re
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Final, TypeVar

from .._checks import TCHAR
from .build import reason
from .messages import Body, Fields, Handler, Headers, Lost, Request, Response, checked
from .peer import Peer

HEAD_LIMIT: Final = 65_536
DRAIN_LIMIT: Final = 1 << 20
REQUEST_LINE: Final = re.compile(rf"({TCHAR}+) ([!-~]+) HTTP/1\.([01])".encode())
FIELD_LINE: Final = re.compile(rf"({TCHAR}+):[ \t]*((?:[^\0\r\n]*[^\0\r\n \t])?)[ \t]*".encode())
CHUNK_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;[^\r\n]*)?\r\n")
BODILESS: Final = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})


T = TypeVar("T")


class BadRequest(Lost):
    """The client sent something that is not an HTTP/1.1 request."""


def head(status: int, headers: Fields) -> bytes:
    """Serialize a status line and its headers."""
    lines = [
        f"HTTP/1.1 {status} {reason(status)}",
        *(f"{name}: {value}" for name, value in headers),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def fields(lines: list[bytes]) -> Headers:
    """Parse field lines."""
    parsed: list[tuple[str, str]] = []
    for line in lines:
        found = FIELD_LINE.fullmatch(line)
        if found is None:
            raise BadRequest(f"not a field line: {line!r}")
        name, value = found.groups()
        parsed.append((name.decode().lower(), value.decode("latin-1")))
    return tuple(parsed)


def tokens(headers: Headers, name: str) -> list[str]:
    """Return the members of a comma-separated header, in lower case."""
    return [
        member.strip().lower()
        for key, value in headers
        if key == name
        for member in value.split(",")
        if member.strip()
    ]


class Exchange:
    """One request on a connection and its response."""

    def __init__(self, peer: Peer, handler: Handler, failed: Callable[[BaseException], None]) -> None:
        self._peer = peer
        self._handler = handler
        self._failed = failed
        self._old = False
        self._method = ""
        self._headers: Headers = ()
        self._trailers: Headers = ()
        self._length: int | None = 0
        self._complete = False
        self._asked_to_continue = False
        self._tunnel = False
        self._incoming = self._pieces()

    def run(self) -> bool:
        """Read the request, answer it, and say whether the connection can be used again."""
        try:
            request = self._request()
        except BadRequest:
            self._peer.send(head(400, (("content-length", "0"), ("connection", "close"))))
            return self._close()
        try:
            answer: object = self._handler(request)
        except Lost:
            raise
        except BaseException as error:  # noqa: BLE001  raised when the server stops
            self._failed(error)
            answer = Response(500)
        bodiless = self._method == "HEAD" or (isinstance(answer, Response) and answer.status in BODILESS)
        return self._respond(self._from_handler(lambda: checked(answer, bodiless=bodiless)))

    # The request

    def _request(self) -> Request:
        start, *lines = self._read_head().split(b"\r\n")
        found = REQUEST_LINE.fullmatch(start)
        if found is None:
            raise BadRequest(f"not a request line: {start!r}")
        method, target, minor = (group.decode() for group in found.groups())
        self._old, self._method, self._headers = minor == "0", method, fields(lines)
        hosts = [value for name, value in self._headers if name == "host"]
        if len(hosts) != 1 and not self._old:
            raise BadRequest(f"{len(hosts)} host fields")
        self._framing()
        upgrade = tokens(self._headers, "upgrade")
        return Request(
            f"HTTP/1.{minor}",
            method,
            target,
            target if method == "CONNECT" else "".join(hosts),
            self._headers,
            Body(self._incoming, lambda: self._trailers),
            upgrade[0] if upgrade and "upgrade" in tokens(self._headers, "connection") else None,
            "https" if self._peer.secure else "http",
        )

    def _read_head(self) -> bytes:
        try:
            self._skip_empty_lines()
            return self._peer.read_until(b"\r\n\r\n", HEAD_LIMIT)[:-4]
        except ValueError as error:
            raise BadRequest(str(error)) from error
        except (OSError, EOFError) as error:
            raise Lost(str(error)) from error

    def _skip_empty_lines(self) -> None:
        """Ignore empty lines before a request, as RFC 9112 2.2 asks for."""
        while True:
            while len(self._peer.unread) < len(b"\r\n") and self._peer.fill():
                pass
            if not self._peer.unread.startswith(b"\r\n"):
                return
            self._peer.take(len(b"\r\n"))

    def _framing(self) -> None:
        coding = tokens(self._headers, "transfer-encoding")
        lengths = [value for name, value in self._headers if name == "content-length"]
        if coding:
            if coding != ["chunked"] or lengths or self._old:
                raise BadRequest(f"transfer-encoding {coding}, content-length {lengths}")
            self._length = None
        elif lengths:
            if len(lengths) > 1 or not re.fullmatch(r"[0-9]{1,18}", lengths[0]):
                raise BadRequest(f"content-length {lengths}")
            self._length = int(lengths[0])
        waits = "100-continue" in tokens(self._headers, "expect")
        self._asked_to_continue = waits and not self._old and self._length != 0

    def _pieces(self) -> Iterator[bytes]:
        if self._asked_to_continue:
            self._continue()
        try:
            yield from self._chunks() if self._length is None else self._counted(self._length)
            self._complete = True
            while self._tunnel and (piece := self._peer.read_some()):
                yield piece
        except (OSError, EOFError) as error:
            raise Lost(str(error)) from error

    def _counted(self, count: int) -> Iterator[bytes]:
        while count:
            piece = self._peer.read_some(min(count, 65_536))
            if not piece:
                raise Lost(f"the client ended {count} bytes before the end of the body")
            count -= len(piece)
            yield piece

    def _chunks(self) -> Iterator[bytes]:
        while True:
            found = CHUNK_SIZE.fullmatch(self._line())
            if found is None:
                raise BadRequest("not a chunk size")
            size = int(found[1], 16)
            if size == 0:
                break
            yield from self._counted(size)
            if self._peer.read_exactly(2) != b"\r\n":
                raise BadRequest("a chunk does not end where its size says")
        lines: list[bytes] = []
        while (line := self._line()) != b"\r\n":
            lines.append(line[:-2])
        self._trailers = fields(lines)

    def _line(self) -> bytes:
        try:
            return self._peer.read_until(b"\r\n", HEAD_LIMIT)
        except ValueError as error:
            raise BadRequest(str(error)) from error

    def _continue(self) -> None:
        self._asked_to_continue = False
        self._peer.send(head(100, ()))

    # The response

    def _respond(self, response: Response) -> bool:
        if not self._old:
            for status, headers in response.informational:
                self._peer.send(head(status, headers))
        if self._asked_to_continue and not isinstance(response.body, bytes):
            # The response may be made from the body (an echo), so 100 is sent before the final response.
            self._continue()
        success = response.status // 100 == 2
        if response.status == HTTPStatus.SWITCHING_PROTOCOLS or (self._method == "CONNECT" and success):
            return self._respond_with_tunnel(response)
        keep = not (
            self._old
            or self._asked_to_continue
            or "close" in tokens(self._headers, "connection")
            or "close" in tokens(tuple((key.lower(), value) for key, value in response.headers), "connection")
        )
        framing, chunked, known = self._response_framing(response)
        keep = keep and known
        closing = () if keep or response.has_header("connection") else (("connection", "close"),)
        start = head(response.status, (*response.headers, *framing, *closing))
        if self._method == "HEAD" or response.status in BODILESS:
            self._peer.send(start)
        elif isinstance(response.body, bytes):
            self._peer.send(start + response.body)
        else:
            self._peer.send(start)
            self._stream(response, chunked=chunked)
        return (keep and self._finish_request()) or self._close()

    def _response_framing(self, response: Response) -> tuple[Headers, bool, bool]:
        """Return the framing fields, whether the body is chunked, and whether its end is known."""
        if response.status in BODILESS or response.has_header("content-length"):
            return (), False, True
        if isinstance(response.body, bytes):
            return (("content-length", str(len(response.body))),), False, True
        if self._old:
            return (), False, False
        return (("transfer-encoding", "chunked"),), True, True

    def _stream(self, response: Response, *, chunked: bool) -> None:
        pieces = response.pieces()
        while piece := self._from_handler(lambda: next(pieces, b"")):
            self._peer.send(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        trailers = self._from_handler(response.trailer_fields)
        if chunked:
            lines = "".join(f"{name}: {value}\r\n" for name, value in trailers)
            self._peer.send(b"0\r\n" + lines.encode("latin-1") + b"\r\n")

    def _from_handler(self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except Lost:
            raise
        except BaseException as error:
            # The client must see that the response is incomplete, whatever its framing.
            self._failed(error)
            self._peer.reset()
            raise Lost("the handler failed in the middle of the response") from error

    def _respond_with_tunnel(self, response: Response) -> bool:
        self._tunnel = True
        self._peer.send(head(response.status, response.headers))
        self._stream(response, chunked=False)
        return self._close()

    def _finish_request(self) -> bool:
        if not self._complete:
            left = DRAIN_LIMIT
            for piece in self._incoming:
                left -= len(piece)
                if left < 0:
                    return False
        return True

    def _close(self) -> bool:
        self._peer.linger()
        return False
