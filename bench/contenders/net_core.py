"""The floor for HTTP/2 over TLS: a core in C (libnghttp2) with Python's own ssl and sockets."""

from __future__ import annotations

import ctypes
import socket
from typing import TYPE_CHECKING

from ..native import build
from ._net import asks, trust

if TYPE_CHECKING:
    from ..net import Errand
    from ._net import Got, Run

SIZE, POINTER = ctypes.c_size_t, ctypes.c_void_p


class _Connection:
    def __init__(self, errand: Errand) -> None:
        self._core = core = ctypes.CDLL(str(build("core", libraries=("nghttp2",), shared=True)))
        core.core_new.restype = POINTER
        core.core_get.argtypes = [POINTER, ctypes.c_char_p, SIZE]
        core.core_out.argtypes, core.core_out.restype = [POINTER, POINTER], SIZE
        core.core_feed.argtypes = [POINTER, ctypes.c_char_p, SIZE]
        core.core_feed.restype = ctypes.c_long
        core.core_take.argtypes = [POINTER, SIZE, POINTER, POINTER]
        self._this = core.core_new()
        context = trust(errand)
        context.set_alpn_protocols(["h2"])
        wire = socket.create_connection(("localhost", errand.port))
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._wire = context.wrap_socket(wire, server_hostname="localhost")
        self._at, self._size = POINTER(), SIZE()
        self.flush()

    def flush(self) -> None:
        while size := self._core.core_out(self._this, ctypes.byref(self._at)):
            assert self._at.value is not None
            self._wire.sendall(ctypes.string_at(self._at.value, size))

    def get(self, packed: bytes) -> None:
        self._core.core_get(self._this, packed, len(packed))

    def recv(self) -> Got:
        read = self._wire.recv(1 << 16)
        out: Got = []
        for which in range(self._core.core_feed(self._this, read, len(read))):
            status = self._core.core_take(self._this, which, ctypes.byref(self._at), ctypes.byref(self._size))
            assert self._at.value is not None
            out.append((status, ctypes.string_at(self._at.value, self._size.value)))
        self.flush()
        return out


def together(errand: Errand) -> Run:
    connection = _Connection(errand)
    waiting = asks(errand)

    def packed() -> bytes:
        target, fields = next(waiting)
        pseudo = [(":method", "GET"), (":scheme", "https")]
        pseudo += [(":authority", f"localhost:{errand.port}"), (":path", target)]
        return b"".join(f"{name}\0{value}\0".encode() for name, value in pseudo + fields)

    kept = [packed() for _ in range(1_000)]

    def run(number: int) -> Got:
        out: Got = []
        for first in range(0, number, errand.together):
            count = min(errand.together, number - first)
            for at in range(first, first + count):
                connection.get(kept[at % 1_000])
            connection.flush()
            want = len(out) + count
            while len(out) < want:
                out += connection.recv()
        return out

    return run


client = together
