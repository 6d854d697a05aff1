"""`Origin`: a small well-behaved origin server. What a request is answered is up to a handler.

Here is only what the protocols share: which of them a connection speaks, and how it all ends.
Framing is in `origin1.py` (RFC 9112) and `origin2.py` (RFC 9113).
"""

import math
import socket
import ssl
from contextlib import suppress

from .messages import Handler
from .origin1 import Exchange, Lost
from .peer import Peer
from .server import Server


class Origin(Server):
    """Answers every request with what `handler` returns; an error in it is raised at the end.

        def hello(request: Request) -> Response:
            return Response(200, (("content-type", "text/plain"),), b"hello")

        with Origin(hello) as origin:
            fetch(origin.address, origin.port)

    It sends no Date: it has no clock, so that what it sends is the same every time.
    """

    def __init__(
        self,
        handler: Handler,
        *,
        tls: ssl.SSLContext | None = None,
        family: socket.AddressFamily = socket.AF_INET,
        timeout: float = 10.0,
    ) -> None:
        super().__init__(tls=tls, family=family, timeout=timeout)
        self._handler = handler

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
            while (
                self._next_request(peer)
                and Exchange(peer, self._handler, self._failures.append).run()
            ):
                pass

    def _next_request(self, peer: Peer) -> bool:
        """Wait for it: as long as the server runs, for a connection may be idle."""
        peer.patience = math.inf
        begun = bool(peer.unread) or peer.fill()
        peer.patience = self.timeout
        return begun
