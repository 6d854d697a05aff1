r"""A server in memory, without sockets, threads or waiting. The test decides what arrives, and when.

For example::

    conn, server = memory.http1()
    conn, ref = conn.request("GET", "/")
    assert server.received().startswith(b"GET / HTTP/1.1")
    server.send(b"HTTP/1.1 204 No Content", b"\r\n\r\n")
    conn, responses = server.deliver(conn)
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import TypeVar

from .. import http1 as _http1
from .. import http2 as _http2
from .. import responses as _responses
from ..errors import MintError, TransportTimeout
from ..options import HTTP1Options, HTTP2Options
from ..transport import Memory
from ..types import Scheme
from . import _arguments
from .frames import HEAD_SIZE, PREFACE, Frame, parse_head, serialize, settings

ConnectionT = TypeVar("ConnectionT", _http1.HTTP1, _http2.HTTP2)


class MemoryServer:
    """The server's side of a connection in memory. It checks nothing that the client sends.

    `link` is the transport of the connection.
    """

    def __init__(self) -> None:
        self.link: Memory = Memory()
        self._waiting: list[bytes | None] = []
        self._unparsed = b""

    def send(self, *pieces: bytes | Frame) -> None:
        """Queue bytes or HTTP/2 frames for `deliver`; the client receives each with a read of its own."""
        ready: list[bytes] = []
        for place, piece in enumerate(pieces, 1):
            ready.append(
                piece.serialize() if isinstance(piece, Frame) else _arguments.octets(f"piece {place}", piece)
            )
        self._waiting += ready

    def send_together(self, *frames: Frame) -> None:
        """Queue HTTP/2 frames for `deliver`, which the client receives with one read."""
        self._waiting.append(serialize(frames))

    def end(self) -> None:
        """Queue the end of the server's direction, after everything that was sent before."""
        self._waiting.append(None)

    def received(self) -> bytes:
        """Return what the client has sent since the last call of this method or of `frames`."""
        return self.link.take()

    def frames(self) -> list[Frame]:
        """Return the complete frames that the client has sent since the last call, without its preface."""
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
        """Let the client receive everything that is queued, piece by piece.

        Returns the next connection value and all responses. An error of the client is raised when it occurs,
        with all responses before it in its `responses`; what is queued after it remains queued.
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
                    with _after(responses):
                        conn, more = conn.recv(timeout=0)
                except TransportTimeout as error:
                    conn, more = conn.after(error), []
                responses += more
        return conn, responses


@contextmanager
def _after(responses: list[_responses.Response]) -> Generator[None]:
    """Add the responses that came earlier to an error of the client, except for a timeout."""
    try:
        yield
    except TransportTimeout:
        raise
    except MintError as error:
        error.responses = (*responses, *error.responses)
        raise


def http1(
    scheme: Scheme = "http",
    hostname: str = "localhost",
    port: int = 80,
    *,
    options: HTTP1Options | None = None,
) -> tuple[_http1.HTTP1, MemoryServer]:
    """Return an HTTP/1 connection in memory and its server.

    The arguments are those of `mint.http1.initiate`; `options` are the default ones unless given.
    """
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
    """Return an HTTP/2 connection in memory and its server, which has sent SETTINGS and an ACK.

    Args:
        values: the settings of the server, each an identifier (`mint.testing.http2.Setting`) and a value.
        scheme, hostname, port: as for `mint.http2.initiate`.
        options: the options of the connection; the default ones unless given.

    """
    server = MemoryServer()
    chosen = options or HTTP2Options()
    conn = _http2.initiate(server.link, scheme=scheme, hostname=hostname, port=port, http2=chosen)
    server.send_together(settings(*values), settings(ack=True))
    conn, _ = server.deliver(conn)
    return conn, server
