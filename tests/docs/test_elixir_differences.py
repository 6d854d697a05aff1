"""The differences that docs/elixir.md lists: how mint behaves where Elixir's Mint behaves differently."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

import mint
from mint import errors, http1, http2
from mint.testing import frames
from mint.transport import Memory, SocketLink

if TYPE_CHECKING:
    from mint.testing.frames import Frame

STATUS = (":status", "200")


def link_of(conn: mint.Connection) -> Memory:
    assert isinstance(conn.transport, Memory)
    return conn.transport


def received(conn: mint.Connection, octets: bytes) -> tuple[mint.Connection, list[object]]:
    """Return the connection, and the responses without their refs; an error comes last."""
    link_of(conn).put(octets)
    try:
        conn, responses = conn.recv()
    except mint.MintError as error:
        return conn.after(error), [*map(plain, error.responses), type(error)]
    return conn, [plain(response) for response in responses]


def plain(response: mint.Response) -> object:
    match response:
        case mint.Status(status=status):
            return status
        case mint.Headers(headers=headers) | mint.Trailers(headers=headers):
            return tuple(headers)
        case mint.Data(data=data):
            return data
        case mint.RequestFailed(error=error):
            return type(error), response.ref.number
        case _:
            return type(response)


def over_http1(count: int = 1) -> mint.Connection:
    conn: mint.Connection = http1.initiate(Memory(), scheme="http", hostname="example.org", port=80)
    for _ in range(count):
        conn, _ = conn.request("GET", "/")
    return conn


def over_http2(count: int = 1) -> mint.HTTP2:
    conn = http2.initiate(Memory(), scheme="https", hostname="example.org", port=443)
    link_of(conn).put(frames.serialize([frames.settings()]))
    conn, _ = conn.recv()
    for _ in range(count):
        conn, _ = conn.request("GET", "/")
    link_of(conn).take()
    return conn


def framed(conn: mint.Connection, *sent: Frame) -> tuple[mint.Connection, list[object]]:
    return received(conn, frames.serialize(sent))


HEAD = b"HTTP/1.1 200 OK\r\n"
EMPTY = HEAD + b"content-length: 0\r\n\r\n"
CHUNKED = (("transfer-encoding", "chunked"),)


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (HEAD + b"x: a\r\n b\r\n\r\n", [200, (("x", "a b"),)]),
        (b"HTTP/1.1 200 OK\n\n", [(errors.InvalidStatusLine, 1), errors.InvalidStatusLine]),
        (b"HTTP/2.0 200 OK\r\n\r\n", [(errors.InvalidStatusLine, 1), errors.InvalidStatusLine]),
        (
            HEAD + b"transfer-encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
            [200, (("transfer-encoding", "gzip, chunked"),), b"x", mint.Done],
        ),
        (
            HEAD + b"transfer-encoding: chunked\r\n\r\n2zzz\r\n",
            [200, CHUNKED, (errors.InvalidChunkSize, 1), errors.InvalidChunkSize],
        ),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
            [(errors.UnexpectedUpgrade, 1), errors.UnexpectedUpgrade],
        ),
        (
            HEAD + b"transfer-encoding: chunked\r\n\r\n0\r\nhost: a\r\nx: y\r\n\r\n",
            [200, CHUNKED, (("x", "y"),), mint.Done],
        ),
        (EMPTY + EMPTY, [200, (("content-length", "0"),), mint.Done, errors.UnexpectedData]),
    ],
    ids=["folded", "bare LF", "version", "last coding", "chunk size", "101", "trailers", "surplus"],
)
def test_responses(octets: bytes, expected: list[object]) -> None:
    assert received(over_http1(), octets)[1] == expected


def test_requests_after_the_end_of_a_connection() -> None:
    conn, seen = received(over_http1(count=2), HEAD + b"connection: close\r\ncontent-length: 0\r\n\r\n")
    assert seen[-2:] == [mint.Done, (errors.Closed, 2)]
    assert conn.open_request_count == 0


def test_a_response_that_is_early() -> None:
    conn = over_http1(count=0)
    conn, _ = conn.request("POST", "/", [], mint.STREAM)
    conn, seen = received(conn, b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 0\r\n\r\n")
    assert seen == [413, (("content-length", "0"),), mint.Done]


def test_the_end_of_an_idle_connection() -> None:
    conn = over_http1(count=0)
    link_of(conn).put_eof()
    conn, responses = conn.recv()
    assert not responses
    assert not conn.is_open()


@pytest.mark.parametrize(
    ("target", "headers", "body", "error"),
    [
        ("/#a", [], None, errors.InvalidRequestTarget),
        ("*", [], None, errors.InvalidRequestTarget),
        ("example.org:80", [], None, errors.InvalidRequestTarget),
        ("/", [("x", " a")], None, errors.InvalidHeaderValue),
        ("/", [("host", "a"), ("host", "b")], None, errors.InvalidRequestFraming),
        (
            "/",
            [("content-length", "1"), ("transfer-encoding", "chunked")],
            b"x",
            errors.InvalidRequestFraming,
        ),
        ("/", [("transfer-encoding", "gzip")], mint.STREAM, errors.InvalidRequestFraming),
        ("/", [("content-length", "2")], b"x", errors.ContentLengthMismatch),
    ],
)
def test_requests_that_are_refused(
    target: str, headers: list[tuple[str, str]], body: bytes | None, error: type[mint.MintError]
) -> None:
    with pytest.raises(error):
        over_http1(count=0).request("POST", target, headers, body)


def test_what_is_sent_over_http1() -> None:
    conn = http1.initiate(Memory(), scheme="http", hostname="::1", port=8080)
    conn, _ = conn.request("POST", "/", [("x", "caf\u00e9")])
    lines = link_of(conn).take().split(b"\r\n")
    assert lines[1] == b"host: [::1]:8080"
    assert b"x: caf\xe9" in lines
    assert b"content-length: 0" in lines


def test_what_is_sent_over_http2() -> None:
    conn = over_http2(0)
    conn, _ = conn.request("POST", "/", [], b"")
    sent = link_of(conn).take()
    length, kind, flags, stream = int.from_bytes(sent[:3]), sent[3], sent[4], int.from_bytes(sent[5:9])
    assert (length, kind, flags & 1, stream) == (len(sent) - 9, frames.FrameType.HEADERS, 1, 1)
    for method, target, headers, error in (
        ("connect", "example.org:443", [], errors.InvalidRequestTarget),
        ("GET", "/", [("connection", "close")], errors.ConnectionSpecificHeader),
        ("GET", "/", [("x", "a\r\nb")], errors.InvalidHeaderValue),
    ):
        with pytest.raises(error):
            conn.request(method, target, headers)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ([frames.headers(1, [STATUS]), frames.data(1, b""), frames.data(1, end=True)], [200, (), mint.Done]),
        ([frames.headers(1, [STATUS]), frames.headers(1, [("host", "x")], end=True)], [200, (), mint.Done]),
        ([frames.headers(1, [STATUS]), frames.rst_stream(1, 0)], [200, (), (errors.ServerClosedRequest, 1)]),
        ([frames.headers(1, [(":status", "101")])], [(errors.MalformedResponse, 1)]),
        ([frames.headers(1, [(":status", "2000")])], [(errors.MalformedResponse, 1)]),
        ([frames.headers(1, [STATUS, ("X", "y")])], [(errors.MalformedResponse, 1)]),
        ([frames.headers(1, [STATUS, ("connection", "close")])], [(errors.MalformedResponse, 1)]),
        (
            [frames.headers(1, [STATUS, ("content-length", "3")]), frames.data(1, b"ab", end=True)],
            [200, (("content-length", "3"),), b"ab", (errors.MalformedResponse, 1)],
        ),
        ([frames.window_update(1, 0)], [(errors.ProtocolViolation, 1)]),
        ([frames.headers(1, [STATUS], end=True), frames.window_update(1, 9)], [200, (), mint.Done]),
    ],
)
def test_responses_over_http2(sent: list[Frame], expected: list[object]) -> None:
    conn, seen = framed(over_http2(), *sent)
    assert seen == expected
    assert conn.is_open()


def test_a_tunnel_over_http1_carries_what_follows_the_response() -> None:
    conn, ref = over_http1(count=0).request("CONNECT", "far.example:443", [], mint.STREAM)
    conn, seen = received(conn, b"HTTP/1.1 103 Early Hints\r\n\r\n" + HEAD + b"\r\nover it")
    assert seen == [mint.Informational, 200, (), b"over it"]
    link_of(conn).take()
    conn = conn.stream_request_body(ref, b"back")
    assert link_of(conn).take() == b"back"


def test_the_directions_of_a_tunnel_over_http2_end_independently() -> None:
    requested, ref = over_http2(count=0).request("CONNECT", "far.example:443", [], mint.STREAM)
    conn, seen = framed(requested, frames.headers(1, [STATUS]), frames.data(1, b"over it", end=True))
    assert seen == [200, (), b"over it", mint.Done]
    link_of(conn).take()
    conn = conn.stream_request_body(ref, b"back")
    assert link_of(conn).take() == frames.serialize([frames.data(1, b"back")])


def test_pongs_in_any_order() -> None:
    conn = over_http2(0)
    conn, first = conn.ping(b"12345678")
    conn, second = conn.ping(b"abcdefgh")
    link_of(conn).put(
        frames.serialize([frames.ping(b"abcdefgh", ack=True), frames.ping(b"12345678", ack=True)])
    )
    conn, responses = conn.recv()
    assert responses == [mint.Pong(second), mint.Pong(first)]


def test_after_a_goaway() -> None:
    conn: mint.Connection = over_http2(0)
    conn, ref = conn.request("POST", "/", [], mint.STREAM)
    conn, _ = conn.request("GET", "/")
    conn, seen = framed(conn, frames.goaway(1))
    assert seen == [(errors.Unprocessed, 3)]
    link_of(conn).take()
    conn = conn.stream_request_body(ref, b"x")
    assert link_of(conn).take().endswith(b"x")
    conn, seen = framed(conn, frames.headers(1, [STATUS], end=True))
    assert seen == [200, (), mint.Done]
    conn, seen = framed(over_http2(), frames.goaway(1, 2))
    assert seen == [errors.ServerClosedConnection]
    assert framed(conn, frames.headers(1, [STATUS], end=True))[1] == [
        200,
        (),
        mint.Done,
    ]  # it is reported once


def test_an_answer_in_http1() -> None:
    conn = http2.initiate(Memory(), scheme="http", hostname="example.org", port=80)
    assert received(conn, b"HTTP/1.1 400 Bad Request\r\n\r\n")[1] == [errors.HTTP1Response]


def test_an_error_ends_every_request_and_its_responses_are_in_order() -> None:
    _, seen = received(over_http1(count=2), EMPTY + b"HTTP/1.1 abc\r\n\r\n")
    assert seen[:3] == [200, (("content-length", "0"),), mint.Done]
    assert seen[3:] == [(errors.InvalidStatusLine, 2), errors.InvalidStatusLine]
    conn, seen = framed(over_http2(2), frames.settings((frames.Setting.MAX_FRAME_SIZE, 1)))
    assert seen == [(errors.ProtocolViolation, 1), (errors.ProtocolViolation, 3), errors.ProtocolViolation]
    assert conn.open_request_count == 0


def test_a_timeout_of_recv_leaves_the_connection_open() -> None:
    near, far = socket.socketpair()
    with far:
        conn = http1.initiate(SocketLink(near, mint.TCPOptions()), scheme="http", hostname="a", port=80)
        conn, _ = conn.request("GET", "/")
        with pytest.raises(errors.TransportTimeout) as caught:
            conn.recv(timeout=0)
        conn = conn.after(caught.value)
        assert conn.is_open()
        far.sendall(EMPTY)
        conn, responses = conn.recv()
        assert isinstance(responses[-1], mint.Done)
        conn.close()
