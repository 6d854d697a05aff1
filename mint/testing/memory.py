r"""A server in memory, without sockets, threads or waiting. The test decides what arrives and when.

For example::

    conn, server = memory.http1()
    conn, ref = conn.request("GET", "/")
    assert server.received().startswith(b"GET / HTTP/1.1")
    server.send(b"HTTP/1.1 204 No Content", b"\r\n\r\n")
    conn, responses = server.deliver(conn)
"""

from typing import TypeVar

from .. import http1 as _http1
from .. import http2 as _http2
from .. import responses as _responses
from ..errors import TransportTimeout
from ..options import HTTP1Options, HTTP2Options
from ..transport import Memory
from ..types import Scheme
from .frames import HEAD_SIZE, PREFACE, Frame, parse_head, serialize, settings

ConnectionT = TypeVar("ConnectionT", _http1.HTTP1, _http2.HTTP2)


class MemoryServer:
    """The server's side of a connection in memory. Nothing in it checks anything."""

    def __init__(self) -> None:
        self.link: Memory = Memory()
        self._waiting: list[bytes | None] = []
        self._unparsed = b""

    def send(self, *pieces: bytes | Frame) -> None:
        """Let these come, each in a read of its own: bytes as they are, or frames of HTTP/2."""
        self._waiting += [piece.serialize() if isinstance(piece, Frame) else piece for piece in pieces]

    def send_together(self, *frames: Frame) -> None:
        """Let frames come in one read."""
        self._waiting.append(serialize(frames))

    def end(self) -> None:
        """End the server's direction after what was sent."""
        self._waiting.append(None)

    def received(self) -> bytes:
        """Return what the client sent since the last call."""
        return self.link.take()

    def frames(self) -> list[Frame]:
        """Return the whole frames that the client sent since the last call, without its preface."""
        self._unparsed = (self._unparsed + self.received()).removeprefix(PREFACE)
        found: list[Frame] = []
        while len(self._unparsed) >= HEAD_SIZE:
            length, head = parse_head(self._unparsed[:HEAD_SIZE])
            if len(self._unparsed) < HEAD_SIZE + length:
                break
            payload = self._unparsed[HEAD_SIZE : HEAD_SIZE + length]
            found.append(Frame(head.type, head.flags, head.stream, payload))
            self._unparsed = self._unparsed[HEAD_SIZE + length :]
        return found

    def deliver(self, conn: ConnectionT) -> tuple[ConnectionT, list[_responses.Response]]:
        """Have the client receive everything that was sent, piece by piece; return what it made of it.

        An error of the client is raised where it occurs; what comes after it stays to be delivered.
        """
        responses: list[_responses.Response] = []
        while self._waiting:
            piece = self._waiting.pop(0)
            if piece is None:
                self.link.put_eof()
            else:
                self.link.put(piece)
            if piece != b"":
                try:
                    conn, more = conn.recv(timeout=0)
                except TransportTimeout as error:
                    conn, more = conn.after(error), []
                responses += more
        return conn, responses


def http1(
    scheme: Scheme = "http",
    hostname: str = "localhost",
    port: int = 80,
    *,
    options: HTTP1Options | None = None,
) -> tuple[_http1.HTTP1, MemoryServer]:
    """Return an HTTP/1 connection and its server."""
    server = MemoryServer()
    chosen = options or HTTP1Options()
    conn = _http1.initiate(server.link, scheme=scheme, hostname=hostname, port=port, http1=chosen)
    return conn, server


def http2(
    *values: tuple[int, int],
    scheme: Scheme = "http",
    hostname: str = "localhost",
    port: int = 80,
    options: HTTP2Options | None = None,
) -> tuple[_http2.HTTP2, MemoryServer]:
    """Return an HTTP/2 connection and its server, which has sent SETTINGS with `values` and an ACK."""
    server = MemoryServer()
    chosen = options or HTTP2Options()
    conn = _http2.initiate(server.link, scheme=scheme, hostname=hostname, port=port, http2=chosen)
    server.send_together(settings(*values), settings(ack=True))
    conn, _ = server.deliver(conn)
    return conn, server
