"""HTTP/1.1 with Node: interim responses, trailers, echoes, tunnels, and responses cut off at any octet."""

import hashlib
import json
import ssl
from collections.abc import Iterator

import pytest

import mint
from mint.testing.showcase import pattern
from mint.types import Body

from .fetching import Exchanges, Result, connect, echo_through, fetch, gather, upload
from .servers import PAGE, Running

# The targets /cut/N and /reset/N send the first N octets of this response.
WHOLE = (
    b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nx-header: value\r\ntransfer-encoding: chunked\r\n\r\n"
    b"5;extension=1\r\nhello\r\n1\r\n!\r\n0\r\nx-trailer: value\r\n\r\n"
)


@pytest.fixture(params=["http", "https"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def conn(node: Running, scheme: str, client_tls: ssl.SSLContext) -> Iterator[mint.HTTP1]:
    with connect(node.ports[scheme], client_tls if scheme == "https" else None) as connection:
        yield connection


def test_chunked_with_trailers(conn: mint.HTTP1) -> None:
    for size in (0, 1, 300_000):
        conn, result = fetch(conn, "GET", f"/stream/{size}")
        whole = b"".join(pattern(size))
        assert result.body == whole
        assert result.trailers == (("x-sha256", hashlib.sha256(whole).hexdigest()),)


def test_early_hints(conn: mint.HTTP1) -> None:
    for _ in range(2):
        conn, result = fetch(conn, "GET", "/early")
        (hints,) = result.informational
        assert hints.status == 103
        assert hints.headers == (("link", "</style.css>; rel=preload; as=style"),)
        assert (result.status, result.body) == (200, PAGE)


def test_100_continue_and_only_then_the_body(conn: mint.HTTP1) -> None:
    exchanges = Exchanges(conn)
    headers = [("expect", "100-continue"), ("content-length", "4")]
    ref = exchanges.ask("POST", "/sink", headers, mint.STREAM)
    result = exchanges.until(ref, lambda result: bool(result.informational))
    assert (result.informational[0].status, result.status) == (100, 0)
    exchanges.send(ref, b"data")
    exchanges.end(ref)
    result = exchanges.finish(ref)
    assert result.body.split()[1].decode() == hashlib.sha256(b"data").hexdigest()


def test_an_upload_with_trailers(conn: mint.HTTP1) -> None:
    size = 5_000_000
    conn, result = upload(
        conn,
        "POST",
        "/sink",
        pattern(size),
        [("trailer", "x-sum")],
        (("x-sum", "1"),),
    )
    count, digest, trailers = result.body.split(maxsplit=2)
    assert int(count) == size
    assert digest.decode() == hashlib.sha256(b"".join(pattern(size))).hexdigest()
    assert json.loads(trailers) == {"x-sum": "1"}


def test_an_echo_that_answers_while_the_body_is_sent(conn: mint.HTTP1) -> None:
    exchanges = Exchanges(conn)
    echo_through(exchanges, exchanges.ask("POST", "/echo", [], mint.STREAM), 200)


def test_a_refusal_while_the_body_is_being_sent(conn: mint.HTTP1) -> None:
    conn, ref = conn.request("POST", "/refuse", [("content-length", "10000000")], mint.STREAM)
    conn = conn.stream_request_body(ref, b"some")
    conn, (result,) = gather(conn, ref)
    assert (result.status, result.body) == (413, PAGE)


def test_headers_arrive_as_they_were_given(conn: mint.HTTP1) -> None:
    headers = [("X-Twice", "1"), ("x-twice", "2"), ("x-latin", "caf\xe9"), ("cookie", "a=b")]
    conn, result = fetch(conn, "GET", "/headers", headers)
    seen = json.loads(result.body)
    assert seen["x-twice"] == "1, 2"
    assert seen["x-latin"] == "caf\xe9"
    assert seen["cookie"] == "a=b"
    assert seen["user-agent"].startswith("mint")


@pytest.mark.parametrize("body", [None, mint.STREAM])
def test_connect(conn: mint.HTTP1, body: Body) -> None:
    exchanges = Exchanges(conn)
    echo_through(exchanges, exchanges.ask("CONNECT", "other.example:443", body=body), 200)


def test_upgrade(conn: mint.HTTP1) -> None:
    exchanges = Exchanges(conn)
    upgrade = [("connection", "upgrade"), ("upgrade", "echo")]
    echo_through(exchanges, exchanges.ask("GET", "/", upgrade), 101)


def end_of(conn: mint.HTTP1, target: str) -> tuple[Result, mint.HTTP1]:
    """Request a response that is cut off; return the result and the successor of the connection."""
    exchanges = Exchanges(conn)
    result = exchanges.finish(exchanges.ask("GET", target))
    return result, exchanges.conn


def check(result: Result, length: int) -> None:
    """Check that the result is complete, or a prefix with the right error."""
    if length == len(WHOLE):
        assert (result.done, result.body) == (True, b"hello!")
        assert result.trailers == (("x-trailer", "value"),)
        return
    assert not result.done
    assert b"hello!".startswith(result.body)
    assert result.trailers == ()
    assert result.error is not None
    assert result.error.processed is not mint.Processed.NO


def test_a_server_that_closes_after_any_octet(node: Running, scheme: str, client_tls: ssl.SSLContext) -> None:
    tls = client_tls if scheme == "https" else None
    for length in range(len(WHOLE) + 1):
        with connect(node.ports[scheme], tls) as conn:
            result, conn = end_of(conn, f"/cut/{length}")
            assert result.done or not conn.is_open("read")
        check(result, length)
        if result.error:
            seen = mint.Processed.YES if length else mint.Processed.MAYBE
            assert result.error.processed is seen
        came = WHOLE[:length]
        assert len(result.informational) == int(b"</a>\r\n\r\n" in came)
        assert result.status == (200 if b"200 OK\r\n" in came else 0)
        assert bool(result.headers) is (b"chunked\r\n\r\n" in came)
        begun = came[came.find(b"=1\r\n") + 4 :] if b"=1\r\n" in came else b""
        assert len(result.body) == min(len(begun), 5) + begun.count(b"!")


def test_a_server_that_resets_the_connection_at_many_points(node: Running) -> None:
    for length in range(0, len(WHOLE) + 1, 3):
        with connect(node.ports["http"]) as conn:
            result, conn = end_of(conn, f"/reset/{length}")
            assert result.done or not conn.is_open("read")
        if not result.done:
            check(result, length)
