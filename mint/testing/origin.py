"""`Origin`: a small correct origin server. A handler decides how it answers.

This module contains what both protocols share: choosing the protocol of a connection, and ending it. Framing
is in `origin1.py` (RFC 9112) and `origin2.py` (RFC 9113).
"""

import math
import socket
import ssl
from collections.abc import Collection, Mapping
from contextlib import suppress

from . import _arguments
from .frames import PREFACE
from .frames import settings as frame_of_settings
from .messages import Handler, Lost
from .origin1 import Exchange
from .origin2 import Session
from .peer import Peer
from .server import Server


class Origin(Server):
    """A server that answers every request with the response that `handler` returns.

    If the handler raises an exception, the client gets a 500, and the exception is raised when the server
    stops. For example::

        def hello(request: Request) -> Response:
            return Response(200, (("content-type", "text/plain"),), b"hello")

        with Origin(hello) as origin:
            fetch(origin.address, origin.port)

    It uses HTTP/2 if ALPN selects `h2` (which the context must support), or if a client without TLS begins
    with the HTTP/2 preface, and HTTP/1.1 otherwise. It sends no Date field, so that its responses are always
    the same.

    Args:
        handler: a function that takes a `Request` and returns a `Response`. It is called in the thread of the
            connection (HTTP/1.1) or of the request (HTTP/2).
        tls: the server's `ssl.SSLContext`; `None` for no TLS.
        family: `AF_INET`, `AF_INET6` or `AF_UNIX`.
        timeout: seconds after which a wait within a request or response fails; more than 0.
        settings: HTTP/2 settings that differ from its own, by identifier (`http2.Setting`).
        port: the port to listen on; 0 for any free port.
        protocols: `"http1"`, `"http2"`, or both.

    Raises `TypeError` if the handler is not callable, or a coroutine function, and `ValueError` for arguments
    out of range.

    """

    def __init__(
        self,
        handler: Handler,
        *,
        tls: ssl.SSLContext | None = None,
        family: socket.AddressFamily = socket.AF_INET,
        timeout: float = 10.0,
        settings: Mapping[int, int] | None = None,
        port: int = 0,
        protocols: Collection[str] = ("http1", "http2"),
    ) -> None:
        _arguments.function("handler", handler)
        super().__init__(tls=tls, family=family, timeout=timeout, port=port)
        if not protocols or not set(protocols) <= {"http1", "http2"}:
            raise ValueError(f'protocols must be "http1", "http2" or both, not {protocols!r}')
        self._protocols = frozenset(protocols)
        self._handler = handler
        self._settings = dict(settings or {})
        frame_of_settings(*self._settings.items())

    def _admit(self, sock: socket.socket, number: int) -> Peer:
        return Peer(sock, number)

    def _unfinished(self, late: list[Peer]) -> list[Exception]:  # noqa: ARG002  may be idle
        return []

    def _patience(self) -> float:
        return 0.0

    def _serve(self, peer: Peer) -> None:
        # A client that breaks a rule or disconnects is not an error of the server.
        with suppress(OSError, Lost):
            peer.patience = self.timeout
            if self.tls is not None:
                peer.start_tls(self.tls)
            if self._speaks_http2(peer):
                failed, timeout = self._fault, self.timeout
                Session(peer, self._handler, failed, self._settings, timeout).run()
                return
            if "http1" not in self._protocols:
                return
            while self._next_request(peer) and Exchange(peer, self._handler, self._fault).run():
                pass

    def _speaks_http2(self, peer: Peer) -> bool:
        """Whether ALPN selected HTTP/2, or without TLS the client begins with the HTTP/2 preface."""
        if "http2" not in self._protocols:
            return False
        if peer.secure:
            return peer.alpn == "h2"
        peer.patience = math.inf
        while len(peer.unread) < len(PREFACE) and PREFACE.startswith(peer.unread) and peer.fill():
            peer.patience = self.timeout
        return peer.unread.startswith(PREFACE)

    def _next_request(self, peer: Peer) -> bool:
        """Wait for the next request, without a limit because the connection may be idle."""
        peer.patience = math.inf
        begun = bool(peer.unread) or peer.fill()
        peer.patience = self.timeout
        return begun
