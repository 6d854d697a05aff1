"""The standard library: http.client, and bare sockets as floors."""

from __future__ import annotations

import http.client
import socket
from typing import TYPE_CHECKING

from ..servers import BULK, content
from ._net import asks, pieces, trust

if TYPE_CHECKING:
    from ..net import Errand
    from ._net import Got, Run

READ = 1 << 18


def client(errand: Errand) -> Run:
    if errand.http2:
        raise ImportError("http.client speaks no HTTP/2")

    def connected() -> http.client.HTTPConnection:
        if errand.tls:
            return http.client.HTTPSConnection("localhost", errand.port, context=trust(errand))
        return http.client.HTTPConnection("localhost", errand.port)

    connection = connected()
    waiting = asks(errand)

    def get() -> tuple[int, bytes]:
        target, fields = next(waiting)
        connection.request("GET", target, headers=dict(fields))
        response = connection.getresponse()
        return response.status, response.read()

    def connect() -> tuple[int, bytes]:
        nonlocal connection
        connection.close()
        connection = connected()
        return get()

    def down() -> tuple[int, bytes]:
        connection.request("GET", errand.path)
        response = connection.getresponse()
        total, room = 0, bytearray(READ)
        while taken := response.readinto(room):
            total += taken
        return response.status, b"%d" % total

    body = content() if errand.verb == "up" else b""

    def up() -> tuple[int, bytes]:
        connection.request("POST", errand.path, body=body)
        response = connection.getresponse()
        return response.status, response.read()

    one = {"get": get, "connect": connect, "down": down, "up": up}[errand.verb]
    return lambda number: [one() for _ in range(number)]


def head(target: str, fields: list[tuple[str, str]]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return f"GET {target} HTTP/1.1\r\nhost: localhost\r\n{lines}\r\n".encode()


def raw(errand: Errand) -> Run:
    """Send serialized requests and do not parse responses: one send, one recv each, one TLS context."""
    context = trust(errand) if errand.tls else None

    def connected() -> socket.socket:
        wire = socket.create_connection(("127.0.0.1", errand.port))
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return context.wrap_socket(wire, server_hostname="localhost") if context else wire

    wire = connected()
    waiting = asks(errand)
    heads = [head(*next(waiting)) for _ in range(1_000)]

    def run(number: int) -> Got:
        nonlocal wire
        out: Got = []
        for at in range(number):
            if errand.verb == "connect":
                wire.close()
                wire = connected()
            wire.sendall(heads[at % 1_000])
            read = wire.recv(1 << 16)
            out.append((int(read[9:12]), read[-200:]))
        return out

    return run


def _wire(errand: Errand, port: int) -> socket.socket:
    wire = socket.create_connection(("localhost", port))
    if errand.tls:
        context = trust(errand)
        context.set_alpn_protocols(["http/1.1"])
        return context.wrap_socket(wire, server_hostname="localhost")
    return wire


def recv_loop(errand: Errand) -> Run:
    """Download without using the octets; over TLS with HTTP/1, which has no frames."""
    wire = _wire(errand, errand.port)
    room = bytearray(READ)

    def run(number: int) -> Got:
        out: Got = []
        for _ in range(number):
            wire.sendall(head(errand.path, []))
            read = wire.recv(1 << 16)
            total = len(read) - read.index(b"\r\n\r\n") - 4
            status = int(read[9:12])
            while total < errand.size:
                total += wire.recv_into(room)
            out.append((status, b"%d" % total))
        return out

    return run


def sendall_loop(errand: Errand) -> Run:
    """Upload one head and the pieces of the content."""
    wire = _wire(errand, errand.floor)
    body = pieces(content())
    head = f"POST {errand.path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {BULK}\r\n\r\n"

    def run(number: int) -> Got:
        out: Got = []
        for _ in range(number):
            wire.sendall(head.encode())
            for piece in body:
                wire.sendall(piece)
            read = wire.recv(1 << 16)
            out.append((int(read[9:12]), read[-5:]))
        return out

    return run
