"""h11. It does not pipeline as a client, so each response has a connection of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import h11

from ._http1 import message, replay

if TYPE_CHECKING:
    from ..measure import Task
    from ..work import Message, Responses

    Native = tuple[h11.Response, list[bytes]]


def _asked() -> h11.Connection:
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
    connection.send(h11.Request(method="GET", target="/", headers=[("host", "example.org")]))
    connection.send(h11.EndOfMessage())
    return connection


def responses(work: Responses) -> Task:
    def run(waiting: list[h11.Connection], reads: tuple[bytes, ...]) -> list[Native]:
        out: list[Native] = []
        connection = waiting.pop()
        head: h11.Response | None = None
        body: list[bytes] = []
        for octets in reads:
            connection.receive_data(octets)
            while True:
                event = connection.next_event()
                if isinstance(event, h11.Response):
                    head, body = event, []
                elif isinstance(event, h11.Data):
                    body.append(bytes(event.data))
                elif isinstance(event, h11.EndOfMessage):
                    assert head is not None
                    out.append((head, body))
                    rest = connection.trailing_data[0]
                    if waiting:
                        connection = waiting.pop()
                    if not rest:
                        break
                    connection.receive_data(rest)
                else:
                    break
        return out

    def normal(native: list[Native]) -> list[Message]:
        return [message(head.status_code, head.headers, b"".join(body)) for head, body in native]

    return replay(work, lambda number: [_asked() for _ in range(number)], run, normal)
