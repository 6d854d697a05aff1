from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

import pytest
from websocket import GUID, WebSocket
from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Message, Ping

from mint.testing import Response

from .serving import PROTOCOLS, Protocol, connected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mint.testing import Request


def echo(request: Request) -> Response:
    """Answer every message with itself, after a ping."""
    if request.protocol != "websocket" or request.target != "/chat":
        return Response(404)
    if request.version != "HTTP/1.1":
        return Response(200, (), frames(request))
    key = (request.header("sec-websocket-key") or "").encode()
    proof = base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()
    headers = (("connection", "upgrade"), ("upgrade", "websocket"), ("sec-websocket-accept", proof))
    return Response(101, headers, frames(request))


def frames(request: Request) -> Iterator[bytes]:
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


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_messages_go_both_ways(protocol: Protocol) -> None:
    with connected(protocol, echo) as conn:
        socket = WebSocket(conn, "/chat")
        messages = socket.messages()
        for message in ("hello", b"\0\xff", "x" * 300_000, "bye"):
            socket.send(message)
            assert next(messages) == message
        socket.close()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_refusal_is_told(protocol: Protocol) -> None:
    with connected(protocol, echo) as conn, pytest.raises(ConnectionError, match="404"):
        WebSocket(conn, "/nothing")
