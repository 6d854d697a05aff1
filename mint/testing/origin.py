"""`Origin`: a small well-behaved origin server. A handler decides what it answers.

This module contains what the protocols share: choosing the protocol of a connection, and ending it. Framing
is in `origin1.py` (RFC 9112) and `origin2.py` (RFC 9113).
"""

import math
import socket
import ssl
from collections.abc import Collection, Mapping
from contextlib import suppress

from . import _given
from .frames import PREFACE
from .messages import Handler, Lost
from .origin1 import Exchange
from .origin2 import Session
from .peer import Peer
from .server import Server


class Origin(Server):
    """Answers every request with what `handler` returns; an error in it is raised at the end.

    For example::

        def hello(request: Request) -> Response:
            return Response(200, (("content-type", "text/plain"),), b"hello")

        with Origin(hello) as origin:
            fetch(origin.address, origin.port)

    It speaks HTTP/2 where TLS agreed on `h2` (have the context offer it) or a client in clear begins
    with its preface, else HTTP/1.1; with `protocols`, one of the two only. `settings` are HTTP/2 settings
    that differ from its own.

    It sends no Date: it has no clock, so that what it sends is the same every time.
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
        _given.function("handler", handler)
        super().__init__(tls=tls, family=family, timeout=timeout, port=port)
        if not protocols or not set(protocols) <= {"http1", "http2"}:
            raise ValueError(f'protocols must be "http1", "http2" or both, not {protocols!r}')
        self._protocols = frozenset(protocols)
        self._handler = handler
        self._settings = dict(settings or {})

    def _admit(self, sock: socket.socket, number: int) -> Peer:
        return Peer(sock, number)

    def _unfinished(self, late: list[Peer]) -> list[Exception]:  # noqa: ARG002  may be idle
        return []

    def _patience(self) -> float:
        return 0.0

    def _serve(self, peer: Peer) -> None:
        # What a client does wrong, or its going away, is no error of the server's.
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
        """Whether TLS agreed on it, or the first bytes in clear are its preface."""
        if "http2" not in self._protocols:
            return False
        if peer.secure:
            return peer.alpn == "h2"
        peer.patience = math.inf
        while len(peer.unread) < len(PREFACE) and PREFACE.startswith(peer.unread) and peer.fill():
            peer.patience = self.timeout
        return peer.unread.startswith(PREFACE)

    def _next_request(self, peer: Peer) -> bool:
        """Wait for it: as long as the server runs, for a connection may be idle."""
        peer.patience = math.inf
        begun = bool(peer.unread) or peer.fill()
        peer.patience = self.timeout
        return begun
