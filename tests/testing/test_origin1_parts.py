"""One exchange of the HTTP/1.1 origin, without a server: what it accepts, how it frames, when it goes on."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest

from mint.testing import Request, Response
from mint.testing.origin1 import (
    DRAIN_LIMIT,
    HEAD_LIMIT,
    BadRequest,
    Exchange,
    fields,
    head,
    tokens,
)
from mint.testing.peer import Peer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOST = b"host: h\r\n"
REFUSED = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


def exchanged(
    sent: bytes, handler: Callable[[Request], Response] = lambda _: Response(body=b"ok")
) -> tuple[bool, bytes]:
    """Let one request be answered; return whether the connection goes on, and everything that was sent."""
    near, far = socket.socketpair()
    with near, far:
        near.settimeout(10)
        taken = bytearray()
        threads = [
            threading.Thread(target=_send, args=(far, sent), daemon=True),
            threading.Thread(target=_receive, args=(far, taken), daemon=True),
        ]
        for thread in threads:
            thread.start()
        failures: list[BaseException] = []
        try:
            goes_on = Exchange(Peer(near, 10), handler, failures.append).run()
        finally:
            near.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join(10)
        assert not failures
        return goes_on, bytes(taken)


def _send(far: socket.socket, sent: bytes) -> None:
    try:
        far.sendall(sent)
        far.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # the origin did not want all of it


def _receive(far: socket.socket, taken: bytearray) -> None:
    while piece := far.recv(65_536):
        taken += piece


def test_sizes() -> None:
    assert (HEAD_LIMIT, DRAIN_LIMIT) == (65_536, 1_048_576)


# -- requests


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n" + HOST,
        b"\r\n\r\nGET / HTTP/1.1\r\n" + HOST,
        b"GET / HTTP/1.0\r\n",
        b"GET / HTTP/1.0\r\n" + HOST + HOST,
        b"!#$%&'*+-.^_`|~09azAZ !~ HTTP/1.1\r\n" + HOST,
        b"GET / HTTP/1.1\r\nHOST:h\r\n",
        b"GET / HTTP/1.1\r\nhost: \t h \t\r\nx:\r\ny: a b\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: 0\r\n" + HOST,
        b"POST / HTTP/1.1\r\ncontent-length: 000000000000000000\r\n" + HOST,
    ],
)
def test_valid_requests(sent: bytes) -> None:
    assert exchanged(sent + b"\r\n")[1].startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + HOST,
        b"GET / HTTP/1.2\r\n" + HOST,
        b"GET / HTTP/2.0\r\n" + HOST,
        b"GET / http/1.1\r\n" + HOST,
        b"GET  / HTTP/1.1\r\n" + HOST,
        b"GET / HTTP/1.1 \r\n" + HOST,
        b" GET / HTTP/1.1\r\n" + HOST,
        b"G(T / HTTP/1.1\r\n" + HOST,
        b"GET /\x7f HTTP/1.1\r\n" + HOST,
        b"GET /\xe4 HTTP/1.1\r\n" + HOST,
        b"GET / / HTTP/1.1\r\n" + HOST,
        b"GET / HTTP/1.1\r\nx : y\r\n" + HOST,
        b"GET / HTTP/1.1\r\n: y\r\n" + HOST,
        b"GET / HTTP/1.1\r\nx\r\n" + HOST,
        b"GET / HTTP/1.1\r\nx: a\rb\r\n" + HOST,
        b"GET / HTTP/1.1\r\nx: a\nb: c\r\n" + HOST,
        b"GET / HTTP/1.1\r\nx: a\0\r\n" + HOST,
        b"GET / HTTP/1.1\r\nx: a\r\n b\r\n" + HOST,
        b"GET / HTTP/1.1\r\ncontent-length: 0\r\ncontent-length: 0\r\n" + HOST,
        b"GET / HTTP/1.1\r\ncontent-length: +0\r\n" + HOST,
        b"GET / HTTP/1.1\r\ncontent-length: 0, 0\r\n" + HOST,
        b"GET / HTTP/1.1\r\ncontent-length:\r\n" + HOST,
        b"GET / HTTP/1.1\r\ncontent-length: 0000000000000000000\r\n" + HOST,
        b"GET / HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length: 0\r\n" + HOST,
        b"GET / HTTP/1.1\r\ntransfer-encoding: gzip, chunked\r\n" + HOST,
        b"GET / HTTP/1.1\r\ntransfer-encoding: chunked, chunked\r\n" + HOST,
        b"GET / HTTP/1.1\r\ntransfer-encoding: gzip\r\n" + HOST,
        b"GET / HTTP/1.0\r\ntransfer-encoding: chunked\r\n" + HOST,
    ],
)
def test_invalid_requests(sent: bytes) -> None:
    assert exchanged(sent + b"\r\n") == (False, REFUSED)


def test_what_a_request_contains() -> None:
    seen: list[Request] = []

    def handler(request: Request) -> Response:
        seen.append(request)
        assert b"".join(request.body) == b"abc"
        return Response(body=b"")

    sent = (
        b"PUT /a?b HTTP/1.1\r\nHost: h:1\r\nX-Y: \xe4 b\t\r\nupgrade: A, b\r\nconnection: x,Upgrade\r\n"
        b"transfer-encoding: Chunked\r\n\r\n2;a=b\r\nab\r\n01 ; c\r\nc\r\n000\r\nT: u\r\n\r\n"
    )
    assert exchanged(sent, handler)[0]
    [request] = seen
    assert (request.version, request.method, request.target) == ("HTTP/1.1", "PUT", "/a?b")
    assert (request.authority, request.protocol, request.scheme) == ("h:1", "a", "http")
    assert request.headers[:2] == (("host", "h:1"), ("x-y", "\xe4 b"))
    assert tuple(request.body.trailers) == (("t", "u"),)


@pytest.mark.parametrize(
    ("lines", "protocol"),
    [
        (b"upgrade: a\r\n", None),
        (b"connection: upgrade\r\n", None),
        (b"connection: upgrades\r\nupgrade: a\r\n", None),
        (b"connection: upgrade\r\nupgrade: ,\r\n", None),
        (b"connection: upgrade\r\nupgrade: , A\r\n", "a"),
    ],
)
def test_which_requests_ask_for_an_upgrade(lines: bytes, protocol: str | None) -> None:
    seen: list[str | None] = []

    def handler(request: Request) -> Response:
        seen.append(request.protocol)
        return Response(body=b"")

    exchanged(b"GET / HTTP/1.1\r\n" + HOST + lines + b"\r\n", handler)
    assert seen == [protocol]


def test_the_authority_of_connect_is_its_target() -> None:
    seen: list[str] = []

    def handler(request: Request) -> Response:
        seen.append(request.authority)
        return Response(400)

    exchanged(b"CONNECT a:1 HTTP/1.1\r\n" + HOST + b"\r\n", handler)
    assert seen == ["a:1"]


@pytest.mark.parametrize(
    "body",
    [
        b"x\r\n",
        b"\r\n",
        b"-1\r\n",
        b"1\n\r\n",
        b"1 a\r\nx\r\n0\r\n\r\n",
        b"0000000000000001\r\nx\r\n0\r\n\r\n",
        b"1\r\nxy\r\n0\r\n\r\n",
        b"2\r\nx\r\n0\r\n\r\n",
        b"0\r\nx y\r\n\r\n",
    ],
)
def test_invalid_chunks(body: bytes) -> None:
    sent = b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n" + HOST + b"\r\n" + body
    with pytest.raises(BadRequest):
        exchanged(sent, lambda request: Response(body=b"".join(request.body)))


def test_chunk_sizes_of_15_digits_are_read() -> None:
    sent = b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n" + HOST + b"\r\n"
    goes_on, _ = exchanged(
        sent + b"000000000000001\r\nx\r\n000000000000000\r\n\r\n",
        lambda request: Response(body=b"".join(request.body)),
    )
    assert goes_on


# -- responses


def pieces() -> Iterator[bytes]:
    yield b"ab"
    yield b"c"


FRAMED: dict[str, tuple[bytes, Callable[[], Response], bytes]] = {
    "bytes": (b"1.1", lambda: Response(body=b"abc"), b"content-length: 3\r\n\r\nabc"),
    "bytes to an old client": (
        b"1.0",
        lambda: Response(body=b"abc"),
        b"content-length: 3\r\nconnection: close\r\n\r\nabc",
    ),
    "pieces": (
        b"1.1",
        lambda: Response(body=pieces()),
        b"transfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
    ),
    "pieces to an old client": (
        b"1.0",
        lambda: Response(body=pieces()),
        b"connection: close\r\n\r\nabc",
    ),
    "trailers": (
        b"1.1",
        lambda: Response(200, (), pieces(), lambda: (("t", "u"), ("v", "w"))),
        b"transfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\nt: u\r\nv: w\r\n\r\n",
    ),
    "trailers to an old client": (
        b"1.0",
        lambda: Response(200, (), pieces(), lambda: (("t", "u"),)),
        b"connection: close\r\n\r\nabc",
    ),
    "a declared length": (
        b"1.1",
        lambda: Response(200, (("Content-Length", "3"),), pieces()),
        b"Content-Length: 3\r\n\r\nabc",
    ),
    "204": (b"1.1", lambda: Response(204), b"\r\n"),
    "304": (b"1.1", lambda: Response(304), b"\r\n"),
    "close": (
        b"1.1",
        lambda: Response(200, (("Connection", "Close"),), b""),
        b"Connection: Close\r\ncontent-length: 0\r\n\r\n",
    ),
}


@pytest.mark.parametrize("name", FRAMED)
def test_how_responses_are_framed(name: str) -> None:
    version, response, sent = FRAMED[name]
    answer = response()
    goes_on, received = exchanged(b"GET / HTTP/" + version + b"\r\n" + HOST + b"\r\n", lambda _: answer)
    assert received == head(answer.status, ())[:-2] + sent
    closes = any(name.lower() == "connection" for name, _ in answer.headers)
    assert goes_on is (version == b"1.1" and not closes)


def test_a_response_to_head_has_no_content() -> None:
    sent = b"HEAD / HTTP/1.1\r\n" + HOST + b"\r\n"
    assert exchanged(sent)[1] == b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"
    chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    assert exchanged(sent, lambda _: Response(body=pieces())) == (True, chunked)


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_interim_responses_are_for_http_1_1_only(version: bytes) -> None:
    answer = Response(body=b"", informational=[(103, (("a", "b"),))])
    _, received = exchanged(b"GET / HTTP/" + version + b"\r\n" + HOST + b"\r\n", lambda _: answer)
    early = b"HTTP/1.1 103 Early Hints\r\na: b\r\n\r\n"
    assert received.startswith(early) is (version == b"1.1")


@pytest.mark.parametrize(
    ("status", "method", "is_tunnel"),
    [
        (101, b"GET", True),
        (200, b"CONNECT", True),
        (299, b"CONNECT", True),
        (300, b"CONNECT", False),
        (200, b"GET", False),
    ],
)
def test_which_responses_begin_a_tunnel(status: int, method: bytes, is_tunnel: bool) -> None:
    """In a tunnel, what follows the head is neither framed nor read as a request."""
    sent = method + b" / HTTP/1.1\r\n" + HOST + b"\r\nfurther"
    goes_on, received = exchanged(sent, lambda request: Response(status, (), request.body))
    assert received.endswith(b"\r\n\r\nfurther") is is_tunnel
    assert (b"transfer-encoding" in received) is not is_tunnel
    assert goes_on is not is_tunnel


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_how_much_of_an_unread_body_is_dropped(more: int) -> None:
    size = DRAIN_LIMIT + more
    sent = b"POST / HTTP/1.1\r\n" + HOST + b"content-length: %d\r\n\r\n" % size
    assert exchanged(sent + bytes(size))[0] is (more <= 0)


@pytest.mark.parametrize(
    ("lines", "goes_on"),
    [
        (b"", True),
        (b"connection: close\r\n", False),
        (b"connection: keep-alive, CLOSE\r\n", False),
        (b"connection: closed\r\n", True),
        (b"x: close\r\n", True),
        # The body that the client holds back is not wanted, and so it must not be read as a request.
        (b"expect: 100-continue\r\ncontent-length: 3\r\n", False),
        (b"expect: 100-continue\r\ncontent-length: 0\r\n", True),
        (b"expect: other\r\ncontent-length: 0\r\n", True),
    ],
)
def test_after_which_requests_the_connection_goes_on(lines: bytes, goes_on: bool) -> None:
    again, received = exchanged(b"POST / HTTP/1.1\r\n" + HOST + lines + b"\r\n")
    assert again is goes_on
    assert (b"connection: close\r\n" in received) is not goes_on
    assert b"100 Continue" not in received


# -- functions


def test_parts_of_heads() -> None:
    assert head(299, (("a", "\xe4"),)) == b"HTTP/1.1 299 \r\na: \xe4\r\n\r\n"
    assert fields([b"A: b", b"c:d\t"]) == (("a", "b"), ("c", "d"))
    assert fields([]) == ()
    given = (("a", "B , ,c"), ("b", "d"), ("a", "e,"))
    assert tokens(given, "a") == ["b", "c", "e"]
    assert tokens(given, "x") == []
