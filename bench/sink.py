"""A server for uploads: it reads requests with a content-length, discards the content, and answers 200."""

from __future__ import annotations

import re
import socket
import ssl
import sys
import threading

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\ntaken"


def serve(wire: socket.socket) -> None:
    """Serve one connection until the client closes it."""
    room = bytearray(1 << 20)
    kept = b""
    while True:
        while b"\r\n\r\n" not in kept:
            piece = wire.recv(1 << 16)
            if not piece:
                return
            kept += piece
        head, _, kept = kept.partition(b"\r\n\r\n")
        if b"100-continue" in head.lower():
            wire.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        found = re.search(rb"(?i)content-length: *([0-9]+)", head)
        left = (int(found[1]) if found else 0) - len(kept)
        kept = b""
        while left > 0:
            taken = wire.recv_into(room)
            if not taken:
                return
            left -= taken
        wire.sendall(ANSWER)


def main() -> None:
    """Accept connections until the process is killed."""
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    context: ssl.SSLContext | None = None
    if len(sys.argv) > 2:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(sys.argv[2])

    def attend(wire: socket.socket) -> None:
        try:
            serve(context.wrap_socket(wire, server_side=True) if context else wire)
        except OSError:
            return

    while True:
        threading.Thread(target=attend, args=(listener.accept()[0],), daemon=True).start()


main()
