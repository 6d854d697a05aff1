"""Connecting over loopback, one GET and closing; the same thread acts as the peer between the steps."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import mint

from ..measure import Rounds

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..measure import Task

TIMES = 50
HEAD = b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


def _serve(listener: socket.socket) -> None:
    wire, _ = listener.accept()
    wire.recv(4096)
    wire.send(ANSWER)
    wire.close()


def _task(one: Callable[[socket.socket, int], bytes]) -> Task:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]

    def run(_: object) -> list[bytes]:
        return [one(listener, port) for _ in range(TIMES)]

    def verify(_: int, got: list[bytes]) -> None:
        assert got == [b"hello"] * TIMES, got

    return Rounds(lambda _: None, run, verify, TIMES)


def clear(_: object) -> Task:
    """mint: the public API."""

    def one(listener: socket.socket, port: int) -> bytes:
        connection = mint.connect("http", "127.0.0.1", port)
        connection, _ = connection.request("GET", "/")
        _serve(listener)
        connection, responses = connection.recv()
        connection.close()
        return b"".join(part.data for part in responses if isinstance(part, mint.Data))

    return _task(one)


def raw(_: object) -> Task:
    """A socket whose octets are not parsed."""

    def one(listener: socket.socket, port: int) -> bytes:
        wire = socket.create_connection(("127.0.0.1", port), 10)
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire.sendall(HEAD)
        _serve(listener)
        read = wire.recv(1 << 16)
        wire.close()
        return read[-5:]

    return _task(one)
