"""Code that synchronous and asynchronous network streams share: TLS in a tunnel, and `get_extra_info`."""

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
    """Return the value that `get_extra_info` has under this name; `None` for an unknown name."""
    found: object = None
    if name in _ATTRIBUTES:
        found = getattr(connection, _ATTRIBUTES[name])
    elif name == "ssl_object":
        found = getattr(connection.transport, name, None)
    elif name == "is_readable":
        found = _is_readable(connection)
    return found


def _is_readable(connection: Connection) -> bool:
    """Whether there is data or the end of the connection to read, or the socket is closed."""
    socket = connection.socket
    number = -1 if socket is None else socket.fileno()
    if number < 0:
        return True
    poll = make_poll()
    poll.register(number, POLLIN)
    return bool(poll.poll(0))


class Inside:
    """TLS inside a tunnel. It does no I/O: the network stream moves the octets."""

    def __init__(self, context: ssl.SSLContext, server_hostname: str | None, timeout: float | None) -> None:
        """Begin as a client. Raises `TLSFailed`, `TypeError`."""
        if not isinstance(context, ssl.SSLContext):
            raise TypeError(f"ssl_context must be an ssl.SSLContext, not {type(context).__name__}")
        self.layer = TLSLayer(context, server_hostname)
        self._until = None if timeout is None else monotonic() + timeout

    def left(self) -> float | None:
        """Return how many seconds the handshake may still take. Raises `TransportTimeout`."""
        if self._until is None:
            return None
        left = self._until - monotonic()
        if left <= 0:
            raise TransportTimeout(_HANDSHAKE)
        return left

    def feed(self, octets: bytes) -> None:
        """Take octets that arrived during the handshake. Raises `TransportClosed` if the tunnel ended."""
        if not octets:
            raise TransportClosed
        self.layer.feed(octets)

    def plaintext(self, octets: bytes | None = None) -> bytes | None:
        """Return the plaintext of these octets: `b""` at the end, `None` if there is none yet.

        Without octets it returns what arrived together with the end of the handshake. Raises
        `TransportClosed` if the tunnel ends without close_notify, because data may be missing.
        """
        if octets is not None:
            self.layer.feed(octets)
        found = self.layer.read()
        if not found and self.layer.ended and not self.layer.clean_end:
            raise TransportClosed
        return found if found or self.layer.ended else None

    def info(self, name: str) -> tuple[object] | None:
        """Return the value for `get_extra_info` in a tuple; `None` if it is that of the connection."""
        if name == "ssl_object":
            return (self.layer.ssl_object,)
        return (self.layer.info(),) if name == "tls" else None


def in_handshake(error: TransportTimeout) -> TransportTimeout:
    """Return an error for a timeout in the handshake, which is a `ConnectTimeout` in httpx."""
    made = TransportTimeout(_HANDSHAKE)
    made.__cause__ = error
    return made
