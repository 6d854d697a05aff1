"""HTTP/2 with every server: over TLS with ALPN, and in clear text with prior knowledge."""

import gzip
import hashlib
import ssl
from collections.abc import Iterator
from itertools import cycle, islice

import pytest

import mint
from mint.testing.showcase import pattern

from .fetching import Exchanges, connect2, fetch, upload
from .servers import HOST, MIDDLE, PAGE, Running, Site, nghttpd

PAGES = {"nginx": "/page.txt", "apache": "/page.txt", "node": "/", "nghttpd": "/page.txt"}
SECURE = {"nginx": "https", "apache": "https", "node": "h2", "nghttpd": "h2"}
CLEAR = {"nginx": "h2c", "apache": "http", "node": "h2c", "nghttpd": "h2c"}
UPLOAD = 64_000_000


@pytest.fixture(params=list(PAGES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["clear", "tls"])
def secure(request: pytest.FixtureRequest) -> bool:
    return str(request.param) == "tls"


@pytest.fixture
def server(name: str, secure: bool, site: Site, request: pytest.FixtureRequest) -> Iterator[Running]:
    if name == "nghttpd":
        with nghttpd(site, "--echo-upload", tls=secure) as running:
            yield running
    else:
        running = request.getfixturevalue(name)
        assert isinstance(running, Running)
        yield running


@pytest.fixture
def conn(server: Running, name: str, secure: bool, client_tls: ssl.SSLContext) -> Iterator[mint.HTTP2]:
    port = server.ports[(SECURE if secure else CLEAR)[name]]
    with connect2(port, client_tls if secure else None) as connection:
        yield connection


def test_one_after_another(conn: mint.HTTP2, name: str) -> None:
    for _ in range(5):
        conn, result = fetch(conn, "GET", PAGES[name])
        assert (result.status, result.body) == (200, PAGE)
        conn, result = fetch(conn, "HEAD", PAGES[name])
        assert (result.status, result.body) == (200, b"")
        conn, result = fetch(conn, "GET", "/none")
        assert result.status == 404
    assert conn.is_open()


def test_statuses_without_a_body(conn: mint.HTTP2, name: str) -> None:
    conn, result = fetch(conn, "GET", PAGES[name])
    if tag := result.header("etag"):
        conn, result = fetch(conn, "GET", PAGES[name], [("if-none-match", tag)])
        assert (result.status, result.body) == (304, b"")
    if name != "nghttpd":
        conn, result = fetch(conn, "GET", "/empty")
        assert (result.status, result.body) == (204, b"")


def test_gzip_passes_untouched(conn: mint.HTTP2, name: str) -> None:
    target = "/gzip" if name == "node" else "/page.gz"
    conn, result = fetch(conn, "GET", target, [("accept-encoding", "gzip")])
    assert gzip.decompress(result.body) == PAGE


def test_negotiation(server: Running, name: str, secure: bool, client_tls: ssl.SSLContext) -> None:
    if not secure:
        return
    port = server.ports[SECURE[name]]
    with mint.connect("https", HOST, port, tls=mint.TLSOptions(context=client_tls)) as conn:
        assert conn.protocol == "http2"
        assert isinstance(conn, mint.HTTP2)
        conn, result = fetch(conn, "GET", PAGES[name])
        assert result.body == PAGE


def test_a_thousand_requests_at_the_servers_limit(conn: mint.HTTP2, name: str) -> None:
    """Responses have different sizes, so that lost or mixed up content is noticed."""
    sizes = islice(cycle((0, 1, 1000, 16_384, 20_001, 70_000)), 1000)
    plain = {"/page.txt": PAGE, "/style.css": b"p { color: teal }\n"}
    if name == "node":
        wanted = [(f"/bytes/{size}", b"".join(pattern(size))) for size in sizes]
    else:
        wanted = list(islice(cycle(plain.items()), 1000))
    exchanges = Exchanges(conn)
    exchanges.finish(exchanges.ask("GET", PAGES[name]))
    limit = exchanges.conn.get_server_setting("max_concurrent_streams") or 100
    expected: list[tuple[mint.RequestRef, bytes]] = []
    for target, body in wanted:
        while exchanges.conn.open_request_count >= limit:
            exchanges.receive()
        expected.append((exchanges.ask("GET", target), body))
    for ref, body in expected:
        result = exchanges.finish(ref)
        assert result.done, result.error
        assert (result.status, result.body) == (200, body)


def test_100_megabytes_down(conn: mint.HTTP2, name: str) -> None:
    target = f"/bytes/{MIDDLE}" if name == "node" else "/middle.bin"
    exchanges = Exchanges(conn, keep=False)
    refs = [exchanges.ask("GET", each) for each in (target, PAGES[name])]
    big, small = map(exchanges.finish, refs)
    assert big.done, big.error
    digest = hashlib.sha256(b"".join(pattern(MIDDLE, 1 << 20))).hexdigest()
    assert (big.size, big.digest.hexdigest()) == (MIDDLE, digest)
    assert small.size == len(PAGE)


def test_64_megabytes_up(conn: mint.HTTP2, name: str, server: Running) -> None:
    method, target = ("POST", "/sink") if name in {"node", "nghttpd"} else ("PUT", "/uploads/big")
    headers = [("content-length", str(UPLOAD))]
    keep = name == "node"
    conn, result = upload(conn, method, target, pattern(UPLOAD), headers, keep=keep)
    digest = hashlib.sha256(b"".join(pattern(UPLOAD, 1 << 20))).hexdigest()
    if name == "node":
        assert result.body.split()[:2] == [str(UPLOAD).encode(), digest.encode()]
    elif name == "nghttpd":
        assert (result.size, result.digest.hexdigest()) == (UPLOAD, digest)
    else:
        stored = server.uploads / "big"
        assert hashlib.sha256(stored.read_bytes()).hexdigest() == digest
        stored.unlink()


def test_pings_between_requests(conn: mint.HTTP2, name: str) -> None:
    exchanges = Exchanges(conn)
    for _ in range(3):
        exchanges.conn, ping = exchanges.conn.ping()
        assert exchanges.finish(exchanges.ask("GET", PAGES[name])).body == PAGE
        while mint.Pong(ping) not in exchanges.others:
            exchanges.receive()


def test_a_cancelled_request_leaves_the_others_alone(conn: mint.HTTP2, name: str) -> None:
    target = f"/bytes/{MIDDLE}" if name == "node" else "/middle.bin"
    exchanges = Exchanges(conn, keep=False)
    ref = exchanges.ask("GET", target)
    exchanges.until(ref, lambda result: result.size > 0)
    exchanges.conn = exchanges.conn.cancel_request(ref)
    result = exchanges.finish(exchanges.ask("GET", PAGES[name]))
    if name == "apache" and result.error is not None:
        # In clear, Apache 2.4.68 answers the next request with GOAWAY (COMPRESSION_ERROR) if a response was
        # waiting for the window when it was cancelled; it does not answer other clients either.
        assert not exchanges.conn.is_open()
        return
    assert result.size == len(PAGE)
