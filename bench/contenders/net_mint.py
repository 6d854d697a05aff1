"""mint end to end: the public API over real sockets, blocking and under asyncio."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import mint
from mint import Data, Done, Status

from ..servers import BULK, content
from ._net import asks, pieces

if TYPE_CHECKING:
    from mint import Connection, RequestRef

    from ..net import Errand
    from ._net import Got, Run


def _connected(errand: Errand) -> Connection:
    return mint.connect(
        "https" if errand.tls else "http",
        "localhost",
        errand.port,
        protocols=("http2",) if errand.http2 else ("http1",),
        tls=mint.TLSOptions(ca_file=errand.authority),
    )


class _Client:
    def __init__(self, errand: Errand) -> None:
        self._errand = errand
        self._connection = _connected(errand)
        self._waiting = asks(errand)
        self._body = pieces(content()) if errand.verb == "up" else []

    def _answered(self) -> tuple[int, list[bytes]]:
        status, body = 0, []
        while True:
            self._connection, responses = self._connection.recv()
            for one in responses:
                match one:
                    case Status(status=status):
                        pass
                    case Data(data=data):
                        body.append(data)
                    case Done():
                        return status, body

    def get(self) -> tuple[int, bytes]:
        target, fields = next(self._waiting)
        self._connection, _ = self._connection.request("GET", target, fields)
        status, body = self._answered()
        return status, b"".join(body)

    def connect(self) -> tuple[int, bytes]:
        self._connection.close()
        self._connection = _connected(self._errand)
        return self.get()

    def down(self) -> tuple[int, bytes]:
        connection, _ = self._connection.request("GET", self._errand.path)
        total, status, done = 0, 0, False
        while not done:
            connection, responses = connection.recv()
            for one in responses:
                match one:
                    case Data(data=data):
                        total += len(data)
                    case Status(status=status):
                        pass
                    case Done():
                        done = True
        self._connection = connection
        return status, b"%d" % total

    def up(self) -> tuple[int, bytes]:
        length = [("content-length", str(BULK))]
        connection, ref = self._connection.request("POST", self._errand.path, length, mint.STREAM)
        for piece in self._body:
            rest = piece
            while rest:
                window = connection.request_body_window(ref)
                if not window:
                    connection, early = connection.recv()
                    assert not early, early
                    continue
                connection = connection.stream_request_body(ref, rest[:window])
                rest = rest[window:]
        self._connection = connection.stream_request_body(ref, mint.Eof())
        status, said = self._answered()
        return status, b"".join(said)


def client(errand: Errand) -> Run:
    one = getattr(_Client(errand), errand.verb)
    return lambda number: [one() for _ in range(number)]


def together(errand: Errand) -> Run:
    """Queue all requests, flush once, and receive until every request is done."""
    connection = _connected(errand)
    waiting = asks(errand)

    def batch(number: int) -> Got:
        nonlocal connection
        for target, fields in islice(waiting, number):
            connection, _ = connection.request("GET", target, fields, flush=False)
        connection = connection.flush(None)
        out: Got = []
        found: dict[RequestRef, tuple[int, list[bytes]]] = {}
        while len(out) < number:
            connection, responses = connection.recv()
            for one in responses:
                match one:
                    case Status(ref=ref, status=status):
                        found[ref] = (status, [])
                    case Data(ref=ref, data=data):
                        found[ref][1].append(data)
                    case Done(ref=ref):
                        status, body = found.pop(ref)
                        out.append((status, b"".join(body)))
        return out

    def run(number: int) -> Got:
        out: Got = []
        while len(out) < number:
            out += batch(min(errand.together, number - len(out)))
        return out

    return run
