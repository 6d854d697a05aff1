"""WebSocket with `wsproto` over HTTP/1 (RFC 6455) and over HTTP/2 (RFC 8441).

The protocols differ only in the request that opens the tunnel. After the answer, what the server sends is
`Data` of the request, and `stream_request_body` sends.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING

from wsproto.connection import Connection as Frames
from wsproto.connection import ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Message, Ping, TextMessage
from wsproto.utilities import LocalProtocolError

import mint
import mint.exchange

if TYPE_CHECKING:
    from collections.abc import Iterator

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
NO_CODE = 1005
TOO_LARGE = 1009
LINGER = 2.0
"""How many seconds `close` and a failure wait for the server to end its direction of the tunnel."""


class WebSocketError(ConnectionError):
    """The server refused the WebSocket, violated the protocol, or ended the tunnel without a close frame."""


class WebSocket:
    """A WebSocket on a connection of its own (HTTP/1), or on one stream of a connection (HTTP/2).

    After the end, `close_code` and `close_reason` are those of the server's close frame; `close_code` is
    `None` if there was none.
    """

    def __init__(
        self, conn: mint.Connection, target: str, *, timeout: float = 30.0, max_size: int = 10_000_000
    ) -> None:
        self.close_code: int | None = None
        self.close_reason: str | None = None
        self.conn: mint.Connection = conn
        self._timeout = timeout
        self._max_size = max_size
        self._frames = Frames(ConnectionType.CLIENT)
        self._status = 0
        self._headers: tuple[tuple[str, str], ...] | None = None
        self._ended = False
        self._over = False
        self._left = False
        if isinstance(conn, mint.HTTP1):
            self._open_http1(conn, target)
        else:
            self._open_http2(conn, target)

    # -- the tunnel

    def _open_http1(self, conn: mint.HTTP1, target: str) -> None:
        key = base64.b64encode(secrets.token_bytes(16))
        fields = [
            ("connection", "upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", key.decode()),
        ]
        self.conn, self._ref = conn.request("GET", target, fields)
        self._await_answer(101)
        proof = base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()  # noqa: S324  # RFC 6455
        if ("sec-websocket-accept", proof) not in (self._headers or ()):
            self.conn.close()
            raise WebSocketError("the server did not understand the request")

    def _open_http2(self, conn: mint.HTTP2, target: str) -> None:
        if not conn.get_server_setting("enable_connect_protocol"):
            # A server sends its settings first, so they have arrived when a Pong has.
            until = monotonic() + self._timeout
            conn, ping = conn.ping()
            answered = False
            while not answered:
                if monotonic() > until:
                    raise mint.errors.TransportTimeout("waiting for the server's settings")
                conn, responses = conn.recv(timeout=max(0.0, until - monotonic()))
                answered = mint.Pong(ping) in responses
            self.conn = conn
            if not conn.get_server_setting("enable_connect_protocol"):
                raise WebSocketError("the server does not offer WebSocket over HTTP/2 (RFC 8441)")
        fields = [(":protocol", "websocket"), ("sec-websocket-version", "13")]
        self.conn, self._ref = conn.request("CONNECT", target, fields, mint.STREAM)
        self._await_answer(200)

    def _await_answer(self, accepted: int) -> None:
        until = monotonic() + self._timeout
        while self._headers is None:
            self._receive(until)
        if self._status != accepted:
            self._leave()
            raise WebSocketError(f"the server answered {self._status}")

    # -- messages

    def send(self, data: str | bytes) -> None:
        """Send a message. Raises `WebSocketError` after the end."""
        self._send(BytesMessage(data) if isinstance(data, bytes) else TextMessage(data))

    def messages(self) -> Iterator[str | bytes]:
        """Yield messages until the server closes.

        Waits at most `timeout` seconds for each frame. Raises `WebSocketError` if the server violates the
        protocol, sends more than `max_size` in one message, or ends the tunnel without a close frame.
        """
        fragments: list[str | bytes] = []
        size = 0
        while not self._over:
            for event in self._frames.events():
                match event:
                    case Message():
                        fragments.append(event.data)
                        size += len(event.data)
                        if size > self._max_size:
                            self._fail(TOO_LARGE, f"a message is larger than {self._max_size}")
                        if event.message_finished:
                            yield _joined(fragments)
                            fragments, size = [], 0
                    case Ping():
                        self._reply(event.response())
                    case CloseConnection():
                        self._closed(event)
                        return
                    case _:
                        pass
            if self._ended:
                self._over = True
                raise WebSocketError("the server ended the tunnel without a close frame")
            self._receive(monotonic() + self._timeout)

    def close(self, code: int = 1000) -> None:
        """Send a close frame and wait at most `timeout` seconds for the server's; may be called again."""
        if self._left:
            return
        if not self._over:
            until = monotonic() + self._timeout
            self._send(CloseConnection(code))
            for _ in self.messages():
                if monotonic() > until:
                    self._leave()
                    raise mint.errors.TransportTimeout("waiting for the close frame")
        self._await_end()
        self._leave()

    # -- private

    def _closed(self, event: CloseConnection) -> None:
        """Handle a close event: the server's close frame, its answer to ours, or a protocol violation."""
        state = self._frames.state
        if state in {ConnectionState.OPEN, ConnectionState.LOCAL_CLOSING}:
            # wsproto found a violation, and this event is the close frame to send to the server.
            self._fail(event.code, event.reason or "the frames are not valid")
        self.close_code = event.code
        self.close_reason = event.reason
        if state is ConnectionState.REMOTE_CLOSING:
            code = None if event.code == NO_CODE else event.code
            self._reply(CloseConnection(code or 1000))
        self._over = True

    def _fail(self, code: int, reason: str) -> None:
        if self._frames.state is ConnectionState.OPEN:
            self._reply(CloseConnection(code, reason[:100]))
            self._await_end()
        self._leave()
        raise WebSocketError(f"{reason} (close code {code})")

    def _await_end(self) -> None:
        """End our direction and wait for the server to end its: a reset could overtake our close frame."""
        until = monotonic() + min(self._timeout, LINGER)
        with suppress(mint.MintError, ValueError):
            self.conn = self.conn.stream_request_body(self._ref, mint.Eof())
            while not self._ended:
                self._receive(until)

    def _leave(self) -> None:
        """End the tunnel: cancel the HTTP/2 stream, or close the HTTP/1 connection."""
        self._over = self._left = True
        conn = self.conn
        if isinstance(conn, mint.HTTP2) and conn.is_open("read"):
            self.conn = conn.cancel_request(self._ref)
        elif isinstance(conn, mint.HTTP1):
            self.conn = conn.close()

    def _reply(self, event: Event) -> None:
        """Send a frame that the protocol requires, unless the server has ended the tunnel already."""
        with suppress(WebSocketError):
            self._send(event)

    def _send(self, event: Event) -> None:
        if self._over:
            raise WebSocketError("the WebSocket is closed")
        try:
            rest = memoryview(self._frames.send(event))
        except LocalProtocolError as error:
            raise WebSocketError(str(error)) from error
        until = monotonic() + self._timeout
        while rest:
            try:
                window = self.conn.request_body_window(self._ref)
            except ValueError:
                raise WebSocketError("the server has ended the tunnel") from None
            if window:
                self.conn = self.conn.stream_request_body(self._ref, rest[:window])
                rest = rest[window:]
            else:
                self._receive(until)

    def _receive(self, until: float) -> None:
        """Receive until a response to this request or a frame without responses arrives."""
        heard = False
        while not heard:
            if monotonic() > until:
                raise mint.errors.TransportTimeout("waiting for the server")
            self.conn, responses = self.conn.recv(timeout=max(0.0, until - monotonic()))
            for response in responses:
                heard |= self._hear(response)
            heard |= not responses  # a window may have opened

    def _hear(self, response: mint.Response) -> bool:
        """Handle a response; return whether it belongs to this request."""
        match response:
            case mint.Status(ref=self._ref, status=status):
                self._status = status
            case mint.Headers(ref=self._ref, headers=headers):
                self._headers = headers
            case mint.Data(ref=self._ref, data=data):
                if self._status in {101, 200}:
                    self._frames.receive_data(data)
            case mint.Done(ref=self._ref):
                self._ended = True
            case mint.RequestFailed(ref=self._ref, error=error):
                self._over = True
                raise error
            case _:
                return False  # of another request, a Pong, a push, or a kind that a later version adds
        return True


def _joined(fragments: list[str | bytes]) -> str | bytes:
    """Join the fragments of a message, which are all text or all bytes."""
    if isinstance(fragments[0], str):
        return "".join(each for each in fragments if isinstance(each, str))
    return b"".join(each for each in fragments if isinstance(each, bytes))
