"""Small clients that use sockets directly, for the tests of the servers."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mint.testing import Origin, RefusingServer, ScriptedServer

GET = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


def dial(server: Origin | ScriptedServer | RefusingServer, timeout: float = 10.0) -> socket.socket:
    sock = socket.socket(server.family)
    sock.settimeout(timeout)
    try:
        sock.connect(server.address if server.family == socket.AF_UNIX else (server.address, server.port))
    except BaseException:
        sock.close()
        raise
    return sock


def read_all(sock: socket.socket) -> bytes:
    """Read until the connection is closed or reset."""
    taken = bytearray()
    try:
        while data := sock.recv(65536):
            taken += data
    except ConnectionError:
        pass
    return bytes(taken)
