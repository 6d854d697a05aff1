"""HTTP/1.1 with nginx: trailers, ranges, requests it cannot read, a reload in the middle."""

import signal
import ssl

import pytest

import mint

from .fetching import connect, fetch, gather
from .servers import BIG, PAGE, Running


def test_a_whole_body(nginx: Running) -> None:
    with connect(nginx.ports["http"]) as conn:
        conn, result = fetch(conn, "PUT", "/uploads/whole", body=b"data")
        assert result.status == 201
        conn, result = fetch(conn, "GET", "/uploads/whole")
        assert result.body == b"data"


def test_chunked_with_trailers(nginx: Running) -> None:
    with connect(nginx.ports["http"]) as conn:
        for _ in range(2):
            conn, result = fetch(
                conn, "GET", "/trailers.txt", [("accept-encoding", "gzip"), ("te", "trailers")]
            )
            assert result.header("transfer-encoding") == "chunked"
            assert result.trailers == (("x-trailer", "sent"),)


def test_a_request_that_nginx_cannot_read(nginx: Running) -> None:
    with connect(nginx.ports["http"]) as conn:
        conn, result = fetch(conn, "GET", "/page.txt", [("x-long", "x" * 60_000)])
        assert result.status == 400
        assert not conn.is_open()


def test_ranges(nginx: Running) -> None:
    with connect(nginx.ports["http"]) as conn:
        conn, result = fetch(conn, "GET", "/page.txt", [("range", "bytes=2-6")])
        assert (result.status, result.body) == (206, PAGE[2:7])


def test_plain_http_on_a_tls_port(nginx: Running) -> None:
    with connect(nginx.ports["https"]) as conn:
        conn, result = fetch(conn, "GET", "/page.txt")
        assert result.status == 400


def test_tls_on_a_plain_port(nginx: Running, client_tls: ssl.SSLContext) -> None:
    with pytest.raises(mint.TransportError):
        connect(nginx.ports["http"], client_tls)


def test_a_reload_while_a_response_is_coming(nginx: Running) -> None:
    with connect(nginx.ports["http"]) as conn:
        conn, ref = conn.request("GET", "/big.bin")
        nginx.send_signal(signal.SIGHUP)
        conn, (result,) = gather(conn, ref, keep=False)
        assert (result.size, result.done) == (BIG, True)
    with connect(nginx.ports["http"]) as conn:
        conn, result = fetch(conn, "GET", "/page.txt")
        assert result.body == PAGE
