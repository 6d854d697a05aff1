"""HTTP/1.1 with every server: the same requests to each of them, in clear text and over TLS."""

import gzip
import ssl
from collections.abc import Iterator

import pytest

import mint

from .fetching import connect, fetch, gather
from .servers import PAGE, Running

PAGES = {"nginx": "/page.txt", "apache": "/page.txt", "node": "/"}
GZIPPED = {"nginx": "/page.gz", "apache": "/page.gz", "node": "/gzip"}
COMPRESSING = {"nginx": "/gzip.txt", "apache": "/gzip.txt", "node": "/gzip"}
CLOSING = {"nginx": "/close.txt", "apache": "/close.txt", "node": "/close"}


@pytest.fixture(params=list(PAGES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server(name: str, request: pytest.FixtureRequest) -> Running:
    running: Running = request.getfixturevalue(name)
    return running


@pytest.fixture(params=["clear", "tls"])
def conn(server: Running, client_tls: ssl.SSLContext, request: pytest.FixtureRequest) -> Iterator[mint.HTTP1]:
    tls = client_tls if request.param == "tls" else None
    port = server.ports["https" if tls else "http"]
    with connect(port, tls) as connection:
        yield connection


def test_keep_alive(conn: mint.HTTP1, name: str) -> None:
    local = conn.local_address
    for _ in range(20):
        conn, result = fetch(conn, "GET", PAGES[name])
        assert (result.status, result.body) == (200, PAGE)
        assert result.header("content-length") == str(len(PAGE))
        assert conn.is_open()
    assert conn.local_address == local


def test_pipelined(conn: mint.HTTP1, name: str) -> None:
    refs = []
    for number in range(10):
        method = "HEAD" if number % 2 else "GET"
        conn, ref = conn.request(method, PAGES[name], flush=number == 9)
        refs.append(ref)
    conn, results = gather(conn, *refs)
    assert [result.body for result in results] == [PAGE, b""] * 5
    assert {result.status for result in results} == {200}


def test_head(conn: mint.HTTP1, name: str) -> None:
    conn, result = fetch(conn, "HEAD", PAGES[name])
    assert (result.status, result.body) == (200, b"")
    assert result.header("content-length") == str(len(PAGE))
    conn, result = fetch(conn, "GET", PAGES[name])
    assert result.body == PAGE


def test_no_content(conn: mint.HTTP1, name: str) -> None:
    for _ in range(2):
        conn, result = fetch(conn, "GET", "/empty")
        assert (result.status, result.body) == (204, b"")
    assert conn.is_open()


def test_not_modified(conn: mint.HTTP1, name: str) -> None:
    conn, result = fetch(conn, "GET", PAGES[name])
    tag = result.header("etag")
    assert tag is not None
    conn, result = fetch(conn, "GET", PAGES[name], [("if-none-match", tag)])
    assert (result.status, result.body) == (304, b"")
    conn, result = fetch(conn, "GET", PAGES[name])
    assert result.status == 200


def test_gzip_passes_untouched(conn: mint.HTTP1, name: str) -> None:
    accept = [("accept-encoding", "gzip")]
    for target in (GZIPPED[name], COMPRESSING[name]):
        conn, result = fetch(conn, "GET", target, accept)
        assert result.header("content-encoding") == "gzip"
        assert result.body.startswith(b"\x1f\x8b")
        assert gzip.decompress(result.body) == PAGE
    conn, result = fetch(conn, "GET", PAGES[name])
    assert result.body == PAGE


def test_a_page_that_does_not_exist(conn: mint.HTTP1, name: str) -> None:
    conn, result = fetch(conn, "GET", "/none")
    assert result.status == 404
    assert conn.is_open()


def test_the_server_closes_after_the_response(conn: mint.HTTP1, name: str) -> None:
    conn, result = fetch(conn, "GET", CLOSING[name])
    assert result.body == PAGE
    assert not conn.is_open()
    with pytest.raises(mint.HTTPError) as caught:
        conn.request("GET", "/")
    assert caught.value.local


def test_the_client_asks_for_the_close(conn: mint.HTTP1, name: str) -> None:
    conn, result = fetch(conn, "GET", PAGES[name], [("connection", "close")])
    assert result.body == PAGE
    assert not conn.is_open()
