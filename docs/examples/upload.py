"""A streaming upload: as much as the request body window allows, with an eye on an early answer.

The same loop serves both protocols: on HTTP/1 the window is without limit and the connection waits while
too much is queued; on HTTP/2 the server says how much it takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import mint

if TYPE_CHECKING:
    from collections.abc import Iterable


class Upload:
    """One upload on a connection; `run` returns the status."""

    def __init__(self, conn: mint.Connection, target: str, *, timeout: float = 30.0) -> None:
        self.conn: mint.Connection
        self.conn, self._ref = conn.request("POST", target, body=mint.STREAM)
        self.body = bytearray()
        self._timeout = timeout
        self._status = 0
        self._over = False

    def run(self, chunks: Iterable[bytes]) -> int:
        for chunk in chunks:
            rest = memoryview(chunk)
            while rest and not self._over:
                window = self.conn.request_body_window(self._ref)
                if window:
                    self.conn = self.conn.stream_request_body(self._ref, rest[:window])
                    rest = rest[window:]
                else:
                    self._receive()  # the window opens when the server says so
            if self._over:
                return self._status  # the server answered before it had everything
        self.conn = self.conn.stream_request_body(self._ref, mint.Eof())
        while not self._over:
            self._receive()
        return self._status

    def _receive(self) -> None:
        self.conn, responses = self.conn.recv(timeout=self._timeout)
        for response in responses:
            match response:
                case mint.Status(status=status):
                    self._status = status
                case mint.Data(data=data):
                    self.body += data
                case mint.Done():
                    self._over = True
                case mint.RequestFailed(error=error):
                    raise error
                case _:
                    pass
