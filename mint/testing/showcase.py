"""`showcase`: a handler for `Origin` with responses of every kind, for demonstrations and tests."""

import gzip
import hashlib
from collections.abc import Callable, Iterator
from typing import Final

from .messages import Headers, Push, Request, Response

PIECE: Final = 65_536
# The length is prime, so that pieces differ and a wrong order is noticed.
PATTERN: Final = bytes(range(251))
TEXT: Final[Headers] = (("content-type", "text/plain; charset=utf-8"),)
GREETING: Final = b"Hello from the origin of mint.testing.\n"


def pattern(size: int, piece: int = PIECE) -> Iterator[bytes]:
    """Yield the `size` bytes that `/bytes` and `/stream` send, in pieces of `piece` bytes."""
    block = PATTERN * (piece // len(PATTERN) + 2)
    for start in range(0, size, piece):
        offset = start % len(PATTERN)
        yield block[offset : offset + min(piece, size - start)]


def showcase(request: Request) -> Response:
    """Answer one request: a handler for `Origin` with responses of every kind.

    It has these pages::

        /            a short text              /echo        the request's body, as it arrives
        /bytes/N     N bytes, length declared  /sink        the size and SHA-256 of the request's body
        /stream/N    N bytes, length unknown,  /early       103 with a link, then 200
                     SHA-256 in a trailer      /gzip        a text with the content coding gzip
        /headers     the request's headers     /status/NNN  a response with this status and no body
        /push        pushes /style.css over HTTP/2

    After CONNECT or an upgrade, the tunnel returns what it receives. Other targets get a 404.
    """
    if request.method == "CONNECT":
        return Response(200, body=request.body)
    if request.protocol is not None:
        upgrade = (("connection", "upgrade"), ("upgrade", request.protocol))
        return Response(101, upgrade, request.body)
    _, name, *rest = request.target.split("?")[0].split("/")
    argument = rest[0] if rest else ""
    if name in NUMBERED and argument.isdecimal():
        return NUMBERED[name](request, int(argument))
    if name in PLAIN and not argument:
        return PLAIN[name](request)
    return Response(404, TEXT, b"no such page\n")


def _index(_: Request) -> Response:
    return Response(200, TEXT, GREETING)


def _echo(request: Request) -> Response:
    kind = request.header("content-type") or "application/octet-stream"
    return Response(200, (("content-type", kind),), request.body, lambda: request.body.trailers)


def _sink(request: Request) -> Response:
    size, digest = 0, hashlib.sha256()
    for piece in request.body:
        size += len(piece)
        digest.update(piece)
    return Response(200, TEXT, f"{size} {digest.hexdigest()}\n".encode())


def _early(_: Request) -> Response:
    early = (103, (("link", "</style.css>; rel=preload; as=style"),))
    return Response(200, TEXT, GREETING, informational=(early,))


def _gzip(_: Request) -> Response:
    return Response(200, (*TEXT, ("content-encoding", "gzip")), gzip.compress(GREETING, mtime=0))


def _headers(request: Request) -> Response:
    lines = "".join(f"{name}: {value}\n" for name, value in request.headers)
    return Response(200, TEXT, lines.encode("latin-1"))


def _push(_: Request) -> Response:
    style = Push("/style.css", Response(200, (("content-type", "text/css"),), b"p { color: teal }\n"))
    return Response(200, TEXT, GREETING, pushes=(style,))


def _bytes(_: Request, size: int) -> Response:
    return Response(200, (("content-length", str(size)),), pattern(size))


def _stream(_: Request, size: int) -> Response:
    digest = hashlib.sha256()

    def pieces() -> Iterator[bytes]:
        for piece in pattern(size):
            digest.update(piece)
            yield piece

    return Response(200, (), pieces(), lambda: (("x-sha256", digest.hexdigest()),))


def _status(_: Request, status: int) -> Response:
    return Response(status) if 200 <= status <= 599 else Response(400)


PLAIN: Final[dict[str, Callable[[Request], Response]]] = {
    "": _index,
    "echo": _echo,
    "sink": _sink,
    "early": _early,
    "gzip": _gzip,
    "headers": _headers,
    "push": _push,
}
NUMBERED: Final[dict[str, Callable[[Request, int], Response]]] = {
    "bytes": _bytes,
    "stream": _stream,
    "status": _status,
}
