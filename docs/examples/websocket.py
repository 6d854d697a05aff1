"""WebSocket with `wsproto` over HTTP/1 (RFC 6455) and over HTTP/2 (RFC 8441): one code path.

The ways differ in how the tunnel is asked for, and in nothing else: after the answer, what the server sends
is `Data` of the request, and what we send goes through `stream_request_body`.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import TYPE_CHECKING

from wsproto.connection import Connection as Frames
from wsproto.connection import ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Message, Ping, TextMessage

import mint

if TYPE_CHECKING:
    from collections.abc import Iterator

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class WebSocket:
    """A WebSocket on a connection of its own (HTTP/1), or on one stream of it (HTTP/2)."""

    def __init__(self, conn: mint.Connection, target: str, *, timeout: float = 30.0) -> None:
        self._timeout = timeout
        self._frames = Frames(ConnectionType.CLIENT)
        self._arrived: list[bytes] = []
        self._ended = False
        self.conn: mint.Connection
        key = base64.b64encode(secrets.token_bytes(16))
        if isinstance(conn, mint.HTTP1):
            accepted = 101
            self.conn, self._ref = conn.request(
                "GET",
                target,
                [
                    ("connection", "upgrade"),
                    ("upgrade", "websocket"),
                    ("sec-websocket-version", "13"),
                    ("sec-websocket-key", key.decode()),
                ],
            )
        else:
            accepted = 200
            while not conn.get_server_setting("enable_connect_protocol"):
                conn, _ = conn.recv(timeout=timeout)  # the server's settings are on their way
            self.conn, self._ref = conn.request(
                "CONNECT",
                target,
                [(":protocol", "websocket"), ("sec-websocket-version", "13")],
                mint.STREAM,
            )
        status, headers = self._answer()
        if status != accepted:
            raise ConnectionError(f"the server answered {status}")
        if accepted == 101:
            proof = base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()  # noqa: S324  # RFC 6455
            if ("sec-websocket-accept", proof) not in headers:
                raise ConnectionError("the server did not understand the request")

    def send(self, data: str | bytes) -> None:
        self._send(BytesMessage(data) if isinstance(data, bytes) else TextMessage(data))

    def close(self) -> None:
        """Say goodbye, and wait until the server has."""
        self._send(CloseConnection(1000))
        for _ in self.messages():
            pass

    def messages(self) -> Iterator[str | bytes]:
        """Yield messages until the server closes."""
        message = None
        while True:
            for event in self._frames.events():
                match event:
                    case Message():
                        message = event.data if message is None else message + event.data
                        if event.message_finished:
                            yield message
                            message = None
                    case Ping():
                        self._send(event.response())
                    case CloseConnection():
                        if self._frames.state.name == "REMOTE_CLOSING":
                            self._send(event.response())
                        return
                    case _:
                        pass
            if self._ended:
                raise ConnectionError("the server went away without a goodbye")
            self._receive()

    def _send(self, event: Event) -> None:
        rest = memoryview(self._frames.send(event))
        while rest:
            window = self.conn.request_body_window(self._ref)
            if window:
                self.conn = self.conn.stream_request_body(self._ref, rest[:window])
                rest = rest[window:]
            else:
                self._receive()

    def _answer(self) -> tuple[int, tuple[tuple[str, str], ...]]:
        status = 0
        while True:
            for response in self._receive():
                if isinstance(response, mint.Status):
                    status = response.status
                elif isinstance(response, mint.Headers):
                    return status, response.headers

    def _receive(self) -> list[mint.Response]:
        self.conn, responses = self.conn.recv(timeout=self._timeout)
        for response in responses:
            match response:
                case mint.Data(data=data):
                    self._frames.receive_data(data)
                case mint.Done():
                    self._ended = True
                case mint.RequestFailed(error=error):
                    raise error
                case _:
                    pass
        return responses
