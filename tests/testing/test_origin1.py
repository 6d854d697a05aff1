import hashlib
import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

import pytest

from mint.testing import Origin, Request, Response, showcase
from mint.testing.showcase import GREETING, pattern


def fetch(
    connection: http.client.HTTPConnection,
    method: str,
    target: str,
    body: bytes | Iterator[bytes] | None = None,
    **headers: str,
) -> tuple[int, bytes, http.client.HTTPResponse]:
    connection.request(method, target, body, headers)
    response = connection.getresponse()
    return response.status, response.read(), response


@pytest.fixture
def client() -> Iterator[http.client.HTTPConnection]:
    with Origin(showcase) as origin:
        connection = http.client.HTTPConnection(origin.address, origin.port, timeout=10)
        yield connection
        connection.close()


def raw(data: bytes, handler: Callable[[Request], Response] = showcase) -> bytes:
    """Send bytes, end the client's direction, and return everything that is received."""
    with (
        Origin(handler) as origin,
        socket.create_connection((origin.address, origin.port), 10) as sock,
    ):
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        taken = bytearray()
        while piece := sock.recv(65536):
            taken += piece
        return bytes(taken)


def test_keep_alive(client: http.client.HTTPConnection) -> None:
    for _ in range(3):
        assert fetch(client, "GET", "/")[:2] == (200, GREETING)
        sock = client.sock
        assert fetch(client, "GET", "/none")[0] == 404
        assert client.sock is sock


def test_head(client: http.client.HTTPConnection) -> None:
    status, body, response = fetch(client, "HEAD", "/")
    assert (status, body, response.getheader("content-length")) == (200, b"", str(len(GREETING)))
    assert fetch(client, "GET", "/")[1] == GREETING


def test_statuses_without_a_body(client: http.client.HTTPConnection) -> None:
    for status in (204, 304, 404, 500):
        assert fetch(client, "GET", f"/status/{status}")[:2] == (status, b"")
    assert raw(b"GET /status/204 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n") == (
        b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n"
    )


def test_a_status_without_a_reason_phrase() -> None:
    assert raw(b"GET /status/299 HTTP/1.1\r\nhost: a\r\n\r\n").startswith(b"HTTP/1.1 299 \r\n")


def test_download_with_and_without_length(client: http.client.HTTPConnection) -> None:
    whole = b"".join(pattern(300_000))
    assert fetch(client, "GET", "/bytes/300000")[1] == whole
    assert fetch(client, "GET", "/stream/300000")[1] == whole
    assert whole == (bytes(range(251)) * 1200)[:300_000]


def test_chunks_end_with_trailers() -> None:
    digest = hashlib.sha256(b"\0\1\2").hexdigest().encode()
    taken = raw(b"GET /stream/3 HTTP/1.1\r\nhost: a\r\n\r\n")
    assert taken == (
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
        b"3\r\n\0\1\2\r\n0\r\nx-sha256: " + digest + b"\r\n\r\n"
    )


def test_http_1_0_gets_no_chunks_and_no_second_response() -> None:
    taken = raw(b"GET /stream/3 HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n")
    assert taken == b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n\0\1\2"


def test_pipelined_requests_are_answered_in_order() -> None:
    taken = raw(b"GET /status/201 HTTP/1.1\r\nhost: a\r\n\r\n\r\nGET /status/202 HTTP/1.1\r\nhost: a\r\n\r\n")
    assert taken.index(b" 201 ") < taken.index(b" 202 ")


def test_early_hints() -> None:
    taken = raw(b"GET /early HTTP/1.1\r\nhost: a\r\n\r\n")
    assert taken.startswith(b"HTTP/1.1 103 Early Hints\r\nlink: ")
    assert b"\r\n\r\nHTTP/1.1 200 OK\r\n" in taken
    assert b" 103 " not in raw(b"GET /early HTTP/1.0\r\n\r\n")


def test_uploads(client: http.client.HTTPConnection) -> None:
    data = b"".join(pattern(200_000))
    expected = f"200000 {hashlib.sha256(data).hexdigest()}\n".encode()
    assert fetch(client, "POST", "/sink", data)[1] == expected
    assert fetch(client, "POST", "/sink", pattern(200_000))[1] == expected


def test_echo_with_trailers() -> None:
    taken = raw(
        b"POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
        b"3;x=y\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n"
    )
    assert taken.endswith(b"\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 1\r\n\r\n")


WAITING = b"POST /%b HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n"


@pytest.mark.parametrize("path", [b"sink", b"echo"])
def test_100_continue_is_sent_when_the_body_is_wanted(path: bytes) -> None:
    with (
        Origin(showcase) as origin,
        socket.create_connection((origin.address, origin.port), 10) as sock,
        sock.makefile("rb") as reader,
    ):
        sock.sendall(WAITING % path)
        assert reader.readline() == b"HTTP/1.1 100 Continue\r\n"
        assert reader.readline() == b"\r\n"
        sock.sendall(b"abc")
        assert reader.readline() == b"HTTP/1.1 200 OK\r\n"


def test_if_the_body_is_not_read_there_is_no_100_and_no_further_request() -> None:
    taken = raw(WAITING % b"status/413" + b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
    assert taken.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close\r\n" in taken
    assert taken.count(b"HTTP/1.1") == 1


def test_an_unread_body_is_dropped_and_the_connection_goes_on() -> None:
    taken = raw(
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc"
        b"GET /status/204 HTTP/1.1\r\nhost: a\r\n\r\n"
    )
    assert b" 204 " in taken
    huge = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3000000\r\n\r\n" + b"x" * 1_200_000
    assert raw(huge).count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(
    "data",
    [
        b"GET /\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\nbad name: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\n folded\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: +1\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"x" * 70_000,
    ],
)
def test_bad_requests(data: bytes) -> None:
    assert raw(data).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "body", [b"x\r\n", b"1\r\nab\r\n0\r\n\r\n", b"5\r\nab", b"0\r\nbad\r\n\r\n", b"1" * 70_000]
)
def test_a_broken_body_ends_the_connection(body: bytes) -> None:
    start = b"POST /sink HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
    assert raw(start + body) == b""


def test_an_incomplete_body_ends_the_connection() -> None:
    assert raw(b"POST /sink HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nab") == b""


def test_tunnels_echo() -> None:
    taken = raw(b"CONNECT other:1 HTTP/1.1\r\nhost: other:1\r\n\r\nabc")
    assert taken == b"HTTP/1.1 200 OK\r\n\r\nabc"
    taken = raw(b"GET /chat HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\nabc")
    assert taken.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert taken.endswith(b"\r\n\r\nabc")


def test_what_a_handler_sees() -> None:
    seen: list[Request] = []

    def handler(request: Request) -> Response:
        seen.append(request)
        return Response(204)

    raw(b"GET http://a/b HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nx-a:\t2 \r\n\r\n", handler)
    (request,) = seen
    assert (request.method, request.target, request.authority, request.version) == (
        "GET",
        "http://a/b",
        "a",
        "HTTP/1.1",
    )
    assert request.headers == (("host", "a"), ("x-a", "1"), ("x-a", "2"))
    assert request.header("x-a") == "1, 2"
    assert request.header("x-b") is None


def test_a_handler_that_fails_is_500_and_raised() -> None:
    def handler(request: Request) -> Response:
        raise KeyError(request.target)

    taken: list[bytes] = []
    with (
        pytest.raises(KeyError, match="/x"),
        Origin(handler) as origin,
        socket.create_connection((origin.address, origin.port), 10) as sock,
    ):
        sock.sendall(b"GET /x HTTP/1.1\r\nhost: a\r\n\r\n")
        taken.append(sock.recv(4096))
    assert taken[0].startswith(b"HTTP/1.1 500 ")


def test_a_body_that_fails_is_a_reset_and_raised() -> None:
    def pieces() -> Iterator[bytes]:
        yield b"x"
        raise KeyError

    with (
        pytest.raises(KeyError),
        Origin(lambda _: Response(body=pieces())) as origin,
        socket.create_connection((origin.address, origin.port), 10) as sock,
    ):
        sock.sendall(b"GET /x HTTP/1.1\r\nhost: a\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            while sock.recv(4096):
                pass


def test_tls_and_ends_with_close_notify(server_tls: ssl.SSLContext, client_tls: ssl.SSLContext) -> None:
    with (
        Origin(showcase, tls=server_tls) as origin,
        socket.create_connection((origin.address, origin.port), 10) as sock,
        client_tls.wrap_socket(sock, server_hostname="localhost", suppress_ragged_eofs=False) as tls,
    ):
        tls.sendall(b"GET /bytes/200000 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        taken = bytearray()
        while piece := tls.recv(65536):
            taken += piece
        assert taken.endswith(b"".join(pattern(200_000)))


def test_clients_that_disconnect_are_no_error(server_tls: ssl.SSLContext, client_tls: ssl.SSLContext) -> None:
    asked: list[str] = []

    def handler(request: Request) -> Response:
        asked.append(request.target)
        return showcase(request)

    with Origin(handler) as origin:  # leaving the block raises errors of the server
        for data in (b"", b"GET / HT", b"GET /bytes/9000000 HTTP/1.1\r\nhost: a\r\n\r\n"):
            with socket.create_connection((origin.address, origin.port), 10) as sock:
                sock.sendall(data)
        # A client that stays is served as before, and only complete requests reached the handler.
        with socket.create_connection((origin.address, origin.port), 10) as sock:
            sock.sendall(b"GET /bytes/5 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            answer = b"".join(iter(lambda: sock.recv(65_536), b""))
        assert answer.startswith(b"HTTP/1.1 200 ")
    assert set(asked) == {"/bytes/9000000", "/bytes/5"}
    with Origin(handler, tls=server_tls) as origin:
        socket.create_connection((origin.address, origin.port), 10).close()
        with (
            socket.create_connection((origin.address, origin.port), 10) as sock,
            client_tls.wrap_socket(sock, server_hostname="localhost") as secure,
        ):
            secure.sendall(b"GET /bytes/5 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            assert secure.recv(12) == b"HTTP/1.1 200"
    assert asked[-1] == "/bytes/5"


def test_a_client_that_does_not_read_is_disconnected() -> None:
    asked = threading.Event()

    def handler(_: Request) -> Response:
        asked.set()
        return Response(body=pattern(90_000_000))

    with (
        Origin(handler, timeout=0.05) as origin,
        socket.create_connection((origin.address, origin.port), 10) as sock,
    ):
        sock.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        assert asked.wait(10)
        for thread in origin._threads:
            thread.join()
