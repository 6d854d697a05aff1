"""zttp over HTTP/2: a core in Zig, with streams and windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any  # its events have no common type

import zttp

from ..work import Message
from ._http2 import task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..measure import Task
    from ..streams import Request


class Client:
    """One connection; see `bench.contenders._http2.Client`."""

    def __init__(self) -> None:
        self._connection = zttp.Connection(zttp.CLIENT, zttp.HTTP2)
        self._connection.initiate_connection()

    def first(self) -> bytes:
        out: bytes = self._connection.data_to_send()
        return out

    def prepared(self, request: Request) -> tuple[bytes, bytes, list[tuple[bytes, bytes]]]:
        fields = [(name.encode(), value.encode()) for name, value in request]
        named = dict(fields)
        rest = [(name, value) for name, value in fields if not name.startswith(b":")]
        return named[b":method"], named[b":path"], [(b"host", named[b":authority"]), *rest]

    def get(self, request: tuple[bytes, bytes, list[tuple[bytes, bytes]]]) -> bytes:
        method, target, fields = request
        self._connection.send_request(method, target, b"2", fields).end_message()
        out: bytes = self._connection.data_to_send()
        return out

    def feed(self, octets: bytes) -> list[Any]:
        one = self._connection
        one.receive_data(octets)
        out: list[Any] = []
        while (event := one.next_event()) is not zttp.NEED_DATA:
            out.append(event)
        one.data_to_send()
        return out

    def normal(self, native: list[list[Any]]) -> list[tuple[int, Message]]:
        heads: dict[int, zttp.Response] = {}
        bodies: dict[int, list[bytes]] = {}
        done = []
        for event in (one for called in native for one in called):
            if isinstance(event, zttp.Response):
                heads[event.stream_id], bodies[event.stream_id] = event, []
            elif isinstance(event, zttp.Data):
                bodies[event.stream_id].append(event.data)
            elif isinstance(event, zttp.EndOfMessage):
                head = heads[event.stream_id]
                pairs = tuple((bytes(n).decode(), bytes(v).decode()) for n, v in head.headers)
                message = Message(head.status_code, pairs, b"".join(bodies[event.stream_id]))
                done.append((event.stream_id, message))
        return done

    def put(
        self, request: tuple[bytes, bytes, list[tuple[bytes, bytes]]], pieces: tuple[bytes, ...]
    ) -> Iterator[bytes]:
        method, target, fields = request
        stream = self._connection.send_request(method, target, b"2", fields)
        for piece in pieces:
            stream.send_data(piece)
            yield self._connection.data_to_send()
        stream.end_message()
        yield self._connection.data_to_send()


def client(work: object) -> Task:
    return task(work, Client)
