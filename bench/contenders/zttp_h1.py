"""zttp over HTTP/1: a core in Zig. It parses and serializes, without connections, deadlines or windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any  # each package has types of its own

import zttp

from ._http1 import REQUEST, message, replay

if TYPE_CHECKING:
    from ..measure import Task
    from ..work import Message, Responses

    Native = list[list[Any]]  # events have no base class

HEADERS = [(b"host", b"example.org"), *((name.encode(), value.encode()) for name, value in REQUEST)]


def normal(native: Native) -> list[Message]:
    """Convert the events of several responses to the common form."""
    out = []
    for events in native:
        head = events[0]
        body = b"".join(one.data for one in events if isinstance(one, zttp.Data))
        out.append(message(head.status_code, list(head.headers), body))
    return out


def _answered(connection: Any, octets: bytes) -> list[Any]:  # as the events
    event = connection.receive_event(octets)
    events = []
    while not isinstance(event, zttp.EndOfMessage):
        events.append(event)
        event = connection.next_event()
    connection.start_next_cycle()
    return events


def responses(work: Responses) -> Task:
    """Only the responses; the requests are sent before the time is measured, one on each connection."""

    def prepare(number: int) -> list[Any]:
        connections = []
        for _ in range(number):
            connection = zttp.Connection(zttp.CLIENT, zttp.HTTP1)
            connection.send_request(b"GET", b"/", b"1.1", HEADERS)
            connection.end_message()
            connection.data_to_send()
            connections.append(connection)
        return connections

    def run(connections: list[Any], reads: tuple[bytes, ...]) -> Native:
        return [_answered(connection, octets) for connection, octets in zip(connections, reads, strict=True)]

    return replay(work, prepare, run, normal)


def exchange(work: Responses) -> Task:
    """Requests and their responses, one after the other on one connection."""
    connection = zttp.Connection(zttp.CLIENT, zttp.HTTP1)

    def run(_: None, reads: tuple[bytes, ...]) -> Native:
        out = []
        for octets in reads:
            connection.send_request(b"GET", b"/", b"1.1", HEADERS)
            connection.end_message()
            connection.data_to_send()
            out.append(_answered(connection, octets))
        return out

    return replay(work, lambda _: None, run, normal)
