"""HTTP/1.1 with Apache httpd: chunks, ranges, requests it cannot read, a restart in the middle."""

import gzip
import signal

import mint

from .fetching import connect, fetch, gather
from .servers import BIG, PAGE, Running


def test_a_whole_body(apache: Running) -> None:
    with connect(apache.ports["http"]) as conn:
        conn, result = fetch(conn, "PUT", "/uploads/whole", body=b"data")
        assert result.status == 201
        conn, result = fetch(conn, "GET", "/uploads/whole")
        assert result.body == b"data"
        conn, result = fetch(conn, "DELETE", "/uploads/whole")
        assert (result.status, result.body) == (204, b"")


def test_chunked(apache: Running) -> None:
    with connect(apache.ports["http"]) as conn:
        conn, result = fetch(conn, "GET", "/gzip.txt", [("accept-encoding", "gzip")])
        assert gzip.decompress(result.body) == PAGE
        assert conn.is_open()


def test_ranges(apache: Running) -> None:
    with connect(apache.ports["http"]) as conn:
        conn, result = fetch(conn, "GET", "/page.txt", [("range", "bytes=-5")])
        assert (result.status, result.body) == (206, PAGE[-5:])


def test_a_request_that_apache_cannot_read(apache: Running) -> None:
    with connect(apache.ports["http"]) as conn:
        conn, result = fetch(conn, "GET", "/page.txt", [("x-long", "x" * 20_000)])
        assert result.status == 400
        assert not conn.is_open()


def test_a_failed_precondition_leaves_the_connection_usable(apache: Running) -> None:
    with connect(apache.ports["http"]) as conn:
        conn, result = fetch(conn, "PUT", "/uploads/none", [("if-match", '"never"')], b"data")
        assert result.status == 412
        conn, result = fetch(conn, "GET", "/page.txt")
        assert result.body == PAGE


def test_a_graceful_restart_while_a_response_is_coming(apache: Running) -> None:
    with connect(apache.ports["http"]) as conn:
        conn, ref = conn.request("GET", "/big.bin")
        conn, responses = conn.recv(timeout=30)
        begun = sum(len(each.data) for each in responses if isinstance(each, mint.Data))
        apache.send_signal(signal.SIGUSR1)
        conn, (result,) = gather(conn, ref, keep=False)
        assert (result.done, begun + result.size) == (True, BIG)
    with connect(apache.ports["http"]) as conn:
        conn, result = fetch(conn, "GET", "/page.txt")
        assert result.body == PAGE
