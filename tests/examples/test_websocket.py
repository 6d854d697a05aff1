from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

import pytest
from websocket import GUID, WebSocket, WebSocketError
from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Message, Ping, TextMessage

import mint
from mint.errors import TransportTimeout
from mint.testing import Flood, Response, ScriptedServer, http2, showcase

from .serving import PROTOCOLS, Protocol, connected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mint.testing import Handler, Request


def accepting(frames: Callable[[Request], Iterator[bytes]]) -> Handler:
    """Return a handler that accepts WebSockets at /chat, and answers other requests as `showcase` does."""

    def handler(request: Request) -> Response:
        if request.protocol != "websocket":
            return showcase(request)
        if request.target != "/chat":
            return Response(404)
        if request.version != "HTTP/1.1":
            return Response(200, (), frames(request))
        key = (request.header("sec-websocket-key") or "").encode()
        proof = base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()
        headers = (("connection", "upgrade"), ("upgrade", "websocket"), ("sec-websocket-accept", proof))
        return Response(101, headers, frames(request))

    return handler


def echoing(request: Request) -> Iterator[bytes]:
    """Answer every message with itself, after a ping."""
    server = Connection(ConnectionType.SERVER)
    for piece in request.body:
        server.receive_data(piece)
        for event in server.events():
            if isinstance(event, Message):
                yield server.send(Ping(b"are you there?"))
                yield server.send(event)
            elif isinstance(event, CloseConnection):
                yield server.send(event.response())
                return


def closing(request: Request) -> Iterator[bytes]:
    """Send a message and a close frame, and wait for the answer."""
    server = Connection(ConnectionType.SERVER)
    yield server.send(TextMessage("bye"))
    yield server.send(CloseConnection(4001, "enough"))
    for piece in request.body:
        server.receive_data(piece)
        for event in server.events():
            if isinstance(event, CloseConnection):
                SEEN.append(event.code)
                return


def broken(request: Request) -> Iterator[bytes]:
    """Send an invalid frame, and record the code of the close frame that the client sends."""
    server = Connection(ConnectionType.SERVER)
    yield b"\xff\xff\xff\xff"
    for piece in request.body:
        server.receive_data(piece)
        for event in server.events():
            if isinstance(event, CloseConnection):
                SEEN.append(event.code)
                return


def leaving(_: Request) -> Iterator[bytes]:
    yield Connection(ConnectionType.SERVER).send(TextMessage("half", message_finished=False))


def fragmented(_: Request) -> Iterator[bytes]:
    server = Connection(ConnectionType.SERVER)
    for number in range(3000):
        yield server.send(TextMessage("x" * 100, message_finished=number == 2999))
    yield server.send(CloseConnection(1000))


SEEN: list[int] = []


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_messages_go_both_ways(protocol: Protocol) -> None:
    with connected(protocol, accepting(echoing)) as conn:
        socket = WebSocket(conn, "/chat")
        messages = socket.messages()
        for message in ("hello", b"\0\xff", "x" * 300_000, "bye"):
            socket.send(message)
            assert next(messages) == message
        socket.close()
        socket.close()
        assert socket.close_code == 1000
        with pytest.raises(WebSocketError):
            socket.send("late")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_refusal_raises_an_error(protocol: Protocol) -> None:
    with connected(protocol, accepting(echoing)) as conn, pytest.raises(WebSocketError, match="404"):
        WebSocket(conn, "/nothing")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_server_closes_with_a_reason(protocol: Protocol) -> None:
    SEEN.clear()
    with connected(protocol, accepting(closing)) as conn:
        socket = WebSocket(conn, "/chat")
        assert list(socket.messages()) == ["bye"]
        assert (socket.close_code, socket.close_reason) == (4001, "enough")
        socket.close()
    assert SEEN == [4001]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_invalid_frames_are_an_error_and_reported_to_the_server(protocol: Protocol) -> None:
    SEEN.clear()
    with connected(protocol, accepting(broken)) as conn:
        socket = WebSocket(conn, "/chat")
        with pytest.raises(WebSocketError, match="1002"):
            list(socket.messages())
        assert socket.close_code is None
        socket.close()
    assert SEEN == [1002]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_server_that_disconnects(protocol: Protocol) -> None:
    with connected(protocol, accepting(leaving)) as conn:
        socket = WebSocket(conn, "/chat")
        with pytest.raises(WebSocketError, match="without a close frame"):
            list(socket.messages())


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_many_fragments_and_their_limit(protocol: Protocol) -> None:
    with connected(protocol, accepting(fragmented)) as conn:
        assert list(WebSocket(conn, "/chat").messages()) == ["x" * 300_000]
    with connected(protocol, accepting(fragmented)) as conn:
        socket = WebSocket(conn, "/chat", max_size=1000)
        with pytest.raises(WebSocketError, match="1009"):
            list(socket.messages())


def test_other_requests_on_the_connection() -> None:
    with connected("http2", accepting(echoing)) as conn:
        conn, _ = conn.request("GET", "/bytes/100000")
        conn, _ = conn.request("GET", "/status/404")
        assert isinstance(conn, mint.HTTP2)
        conn, _ = conn.ping()
        socket = WebSocket(conn, "/chat")
        messages = socket.messages()
        socket.conn, _ = socket.conn.request("GET", "/bytes/100000")
        socket.send("hello")
        assert next(messages) == "hello"
        socket.close()


@pytest.mark.parametrize("pings", [0, 50])
def test_a_server_without_rfc_8441(pings: int) -> None:
    script = [
        *http2.handshake(),
        http2.ExpectFrame(http2.FrameType.PING),
        http2.send(*[http2.ping(bytes(8))] * pings, http2.ping(bytes(8), ack=True)),
        *[http2.ExpectFrame(http2.FrameType.PING)] * pings,
    ]
    with ScriptedServer(script) as server:
        conn = mint.connect("http", server.address, server.port, protocols=("http2",))
        with pytest.raises(WebSocketError, match="8441"):
            WebSocket(conn, "/chat")
        conn.close()


def test_a_server_that_only_pings() -> None:
    script = [*http2.handshake(), Flood(http2.ping(bytes(8)).serialize())]
    with ScriptedServer(script) as server:
        conn = mint.connect("http", server.address, server.port, protocols=("http2",))
        with pytest.raises((TransportTimeout, mint.MintError)):
            WebSocket(conn, "/chat", timeout=0.3)
        conn.close()
