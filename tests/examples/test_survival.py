"""Every example ignores a Pong, a push, other requests, events, and responses of later versions of mint."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import decompress
import events
import progress
import pytest
import upload
import websocket

import mint
import mint.exchange
import mint.pool
from mint.testing import Push, Request, Response

from .serving import TLS, serving
from .test_websocket import accepting, echoing

if TYPE_CHECKING:
    from collections.abc import Callable

SETTINGS = mint.ClientSettings(enable_push=True)
OPTIONS = mint.HTTP2Options(
    client_settings=SETTINGS, optional_responses=("origin", "alt_svc", "goaway", "settings")
)


def pushing(request: Request) -> Response:
    pushes = tuple(Push(f"/pushed/{number}", Response(200, (), b"data: no\n\n")) for number in range(3))
    if request.target == "/other":
        return Response(404, (), b"data: other\n\n", pushes=pushes)
    if request.target == "/chat":
        return accepting(echoing)(request)
    if request.method == "POST":
        return Response(200, (), request.body.read(), pushes=pushes)
    return Response(200, (), b"data: yes\n\n", pushes=pushes)


def fetch(conn: mint.Connection) -> object:
    return mint.exchange.exchange(conn, "GET", "/")[1].content


def decode(conn: mint.Connection) -> object:
    return decompress.content(conn, "/", limit=1000)[1]


def listen(conn: mint.Connection) -> object:
    return [event.data.encode() for event in events.events(conn, "/")]


def send(conn: mint.Connection) -> object:
    upload_ = upload.Upload(conn, "/")
    assert upload_.run([b"x" * 200_000]) == 200
    return len(upload_.body)


def draw(conn: mint.Connection) -> object:
    sink = io.BytesIO()
    assert list(progress.download(conn, "/", sink))[-1][0] == 11
    return sink.getvalue()


def talk(conn: mint.Connection) -> object:
    socket = websocket.WebSocket(conn, "/chat")
    socket.send("hello")
    found = next(socket.messages())
    socket.close()
    return found


EXAMPLES: list[tuple[Callable[[mint.Connection], object], object]] = [
    (decode, b"data: yes\n\n"),
    (listen, [b"yes"]),
    (send, 200_000),
    (draw, b"data: yes\n\n"),
    (talk, "hello"),
]


@pytest.mark.usefixtures("noise")
@pytest.mark.parametrize(("example", "found"), [(fetch, b"data: yes\n\n"), *EXAMPLES])
def test_examples_that_use_a_connection(example: Callable[[mint.Connection], object], found: object) -> None:
    with serving("http2", pushing) as origin:
        conn = mint.connect("https", "localhost", origin.port, tls=TLS, http2=OPTIONS)
        assert isinstance(conn, mint.HTTP2)
        conn, _ = conn.ping()
        if example is not fetch:  # an exchange needs a connection without other requests
            conn, _ = conn.request("GET", "/other")
        conn, _ = conn.ping(b"12345678")
        assert example(conn) == found
        conn.close()


@pytest.mark.usefixtures("noise")
def test_a_pool() -> None:
    with serving("http2", pushing) as origin:
        url = f"https://localhost:{origin.port}/"
        with mint.pool.Pool(tls=TLS, http2=OPTIONS) as pool:
            for _ in range(30):
                assert pool.request("GET", url).content == b"data: yes\n\n"
            assert len(pool.request("POST", url, (), bytes(500_000)).content) == 500_000
            assert pool.statistics.opened == 1
