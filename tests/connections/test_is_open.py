"""`is_open()` predicts whether `request` sends, after every octet of each conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import mint
from mint.testing import http2 as h2

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TEMPORARY = (
    *(mint.errors.RequestBodyIsStreaming, mint.errors.TooManyPipelinedRequests),
    mint.errors.TooManyConcurrentRequests,
)
UPGRADE = (("connection", "upgrade"), ("upgrade", "websocket"))
SWITCH = b"HTTP/1.1 101 X\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"

Asked = tuple[str, str, tuple[tuple[str, str], ...], bool]
GET: Asked = ("GET", "/", (), False)
CONNECT: Asked = ("CONNECT", "a:1", (), True)
OFFER: Asked = ("GET", "/", UPGRADE, True)
LAST: Asked = ("GET", "/", (("connection", "close"),), False)
UPLOAD: Asked = ("POST", "/", (), True)

HTTP1: dict[str, tuple[Sequence[Asked], bytes]] = {
    "nothing was asked": ((), b""),
    "a response": ((GET,), OK),
    "an interim response": ((GET,), b"HTTP/1.1 103 X\r\n\r\n" + OK),
    "two responses": ((GET, GET), OK + OK),
    "the server closes": ((GET,), b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"),
    "close in an interim response": ((GET,), b"HTTP/1.1 103 X\r\nconnection: close\r\n\r\n" + OK),
    "HTTP/1.0": ((GET,), b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok"),
    "HTTP/1.0 that keeps alive": (
        (GET,),
        b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok",
    ),
    "until close": ((GET,), b"HTTP/1.1 200 OK\r\n\r\nbody"),
    "the client closes": ((LAST,), OK),
    "a streamed body": ((UPLOAD,), OK),
    "CONNECT": ((CONNECT,), b"HTTP/1.1 200 OK\r\n\r\ntunnel"),
    "CONNECT refused": ((CONNECT,), b"HTTP/1.1 403 X\r\ncontent-length: 2\r\n\r\nno"),
    "CONNECT refused for ever": ((CONNECT,), b"HTTP/1.1 403 X\r\nconnection: close\r\n\r\n"),
    "an upgrade": ((OFFER,), SWITCH + b"tunnel"),
    "an upgrade refused": ((OFFER,), OK),
    "CONNECT behind another": ((GET, CONNECT), OK + b"HTTP/1.1 200 OK\r\n\r\ntunnel"),
    "a breach": ((GET,), b"nonsense\r\n"),
    "surplus": ((GET,), b"HTTP/1.1 204 OK\r\n\r\nx"),
}


def would_send(conn: mint.Connection) -> bool:
    try:
        conn.fork().request("GET", "/")
    except TEMPORARY:
        return True
    except (mint.errors.Closed, mint.errors.ClosedForWriting):
        return False
    return True


def values(requests: Sequence[Asked], octets: bytes, *, ends: bool) -> Iterator[mint.Connection]:
    """Return the values of a conversation, octet by octet."""
    link = mint.transport.Memory()
    conn: mint.Connection = mint.http1.initiate(link, scheme="http", hostname="a", identity=1)
    yield conn
    ref = None
    for method, target, headers, streamed in requests:
        conn, ref = conn.request(method, target, headers, mint.STREAM if streamed else None)
        yield conn
    for place in range(len(octets)):
        link.put(octets[place : place + 1])
        try:
            conn, _ = conn.recv()
        except mint.MintError as error:
            conn = conn.after(error)
        yield conn
    try:
        if ends:
            link.put_eof()
            conn, _ = conn.recv()
            yield conn
        if ref is not None:
            conn = conn.stream_request_body(ref, mint.Eof())
    except mint.MintError as error:
        conn = conn.after(error)
    yield conn
    yield conn.close()


@pytest.mark.parametrize("ends", [True, False], ids=["the server ends", "the client ends"])
@pytest.mark.parametrize("name", HTTP1)
def test_of_http1(name: str, ends: bool) -> None:
    for conn in values(*HTTP1[name], ends=ends):
        assert conn.is_open() is would_send(conn)
        assert not conn.is_usable() or conn.is_open()


def test_the_directions_of_a_tunnel() -> None:
    link = mint.transport.Memory()
    conn = mint.http1.initiate(link, scheme="http", hostname="a", identity=1)
    conn, ref = conn.request("CONNECT", "a:1", (), mint.STREAM)
    link.put(b"HTTP/1.1 200 OK\r\n\r\n")
    conn, _ = conn.recv()
    assert (conn.is_open(), conn.is_open("read")) == (False, True)
    assert conn.request_body_window(ref)
    conn = conn.stream_request_body(ref, mint.Eof())
    assert (conn.is_open(), conn.is_open("read")) == (False, True)
    with pytest.raises(ValueError, match="no open body"):
        conn.request_body_window(ref)


SERVER = h2.settings().serialize() + h2.settings(ack=True).serialize()
HTTP2: dict[str, bytes] = {
    "no settings": b"",
    "settings": SERVER,
    "no streams": h2.settings((h2.Setting.MAX_CONCURRENT_STREAMS, 0)).serialize(),
    "a response": SERVER + h2.headers(1, [(":status", "204")], end=True).serialize(),
    "a refusal": SERVER + h2.rst_stream(1, h2.ErrorCode.REFUSED_STREAM).serialize(),
    "a goaway": SERVER + h2.goaway(1).serialize() + h2.goaway(0).serialize(),
    "a goaway with an error": SERVER + h2.goaway(1, h2.ErrorCode.INTERNAL_ERROR).serialize(),
    "a breach": SERVER + h2.window_update(0, 0).serialize(),
}


@pytest.mark.parametrize("name", HTTP2)
@pytest.mark.parametrize("method", ["GET", "POST", "CONNECT"])
def test_of_http2(name: str, method: str) -> None:
    link = mint.transport.Memory()
    conn = mint.http2.initiate(link, scheme="http", hostname="a", identity=1)
    conn, _ = conn.request(method, "a:1" if method == "CONNECT" else "/", (), mint.STREAM)
    for place in range(len(HTTP2[name])):
        link.put(HTTP2[name][place : place + 1])
        try:
            conn, _ = conn.recv()
        except mint.MintError as error:
            conn = conn.after(error)
        assert conn.is_open() is would_send(conn)
        assert not conn.is_usable() or conn.is_open()
    assert not conn.close().is_open()
