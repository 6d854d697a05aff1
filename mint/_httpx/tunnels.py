"""What network streams share: TLS inside a tunnel, and what is known of a connection."""

from __future__ import annotations

import ssl
from time import monotonic
from typing import TYPE_CHECKING

from .._loops.system import POLLIN, make_poll
from .._wire.tls import TLSLayer
from ..errors import TransportClosed, TransportTimeout

if TYPE_CHECKING:
    from .._connections.negotiation import Connection

_HANDSHAKE = "shaking hands"


_ATTRIBUTES = {
    "client_addr": "local_address",
    "server_addr": "peer_address",
    "socket": "socket",
    "tls": "tls",
}


def info(connection: Connection, name: str) -> object:
    """Return what network streams know under these names; `None` under any other."""
    found: object = None
    if name in _ATTRIBUTES:
        found = getattr(connection, _ATTRIBUTES[name])
    elif name == "ssl_object":
        found = getattr(connection.transport, name, None)
    elif name == "is_readable":
        found = _is_readable(connection)
    return found


def _is_readable(connection: Connection) -> bool:
    """Whether something waits to be read from the socket, its end included, or there is none any more."""
    socket = connection.socket
    number = -1 if socket is None else socket.fileno()
    if number < 0:
        return True
    poll = make_poll()
    poll.register(number, POLLIN)
    return bool(poll.poll(0))


class Inside:
    """TLS inside a tunnel: octets in, octets out; the network stream carries them."""

    def __init__(self, context: ssl.SSLContext, server_hostname: str | None, timeout: float | None) -> None:
        """Begin as a client. Raises `TLSFailed`, `TypeError`."""
        if not isinstance(context, ssl.SSLContext):
            raise TypeError(f"ssl_context must be an ssl.SSLContext, not {type(context).__name__}")
        self.layer = TLSLayer(context, server_hostname)
        self._until = None if timeout is None else monotonic() + timeout

    def left(self) -> float | None:
        """Return how many seconds of the handshake are left. Raises `TransportTimeout`."""
        if self._until is None:
            return None
        left = self._until - monotonic()
        if left <= 0:
            raise TransportTimeout(_HANDSHAKE)
        return left

    def feed(self, octets: bytes) -> None:
        """Take what came during the handshake. Raises `TransportClosed` at its end."""
        if not octets:
            raise TransportClosed
        self.layer.feed(octets)

    def plaintext(self, octets: bytes | None = None) -> bytes | None:
        """Return what was inside these octets; `b""` at the end, `None` where there is nothing yet.

        Without octets it is what came with the end of the handshake. Raises `TransportClosed` where the
        tunnel ends without close_notify: something may be missing.
        """
        if octets is not None:
            self.layer.feed(octets)
        found = self.layer.read()
        if not found and self.layer.ended and not self.layer.clean_end:
            raise TransportClosed
        return found if found or self.layer.ended else None

    def info(self, name: str) -> tuple[object] | None:
        """Return what is known of this TLS; `None` where the connection is to be asked."""
        if name == "ssl_object":
            return (self.layer.ssl_object,)
        return (self.layer.info(),) if name == "tls" else None


def in_handshake(error: TransportTimeout) -> TransportTimeout:
    """Return the timeout of a handshake, which httpx counts to connecting."""
    made = TransportTimeout(_HANDSHAKE)
    made.__cause__ = error
    return made
