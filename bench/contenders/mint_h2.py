"""mint over HTTP/2: the compiled engine by itself, and the public API over `mint.transport.Memory`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any  # each package has types of its own

from mint import STREAM, Data, Done, Eof, Headers, Status
from mint._core.http2 import Config, State
from mint.http2 import initiate
from mint.transport import Memory

from ..work import Message
from ._http2 import task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mint._core.events import Event
    from mint.responses import Response

    from ..measure import Task
    from ..streams import Request
    from ..traffic import Field

    Asked = tuple[str, str, tuple[Field, ...]]


def _prepared(request: Request) -> Asked:
    named = dict(request[:4])
    return named[":method"], named[":path"], request[4:]


def _normal(native: list[Any]) -> list[tuple[int, Message]]:
    heads: dict[int, tuple[int, tuple[Field, ...], list[bytes]]] = {}
    out = []
    for one in (one for called in native for one in called):
        number = one.ref.number
        if isinstance(one, Status):
            heads[number] = (one.status, (), [])
        elif isinstance(one, Headers):
            heads[number] = (heads[number][0], one.headers, [])
        elif isinstance(one, Data):
            heads[number][2].append(one.data)
        elif isinstance(one, Done):
            status, fields, body = heads.pop(number)
            out.append((number, Message(status, fields, b"".join(body))))
        else:
            raise AssertionError(repr(one))  # noqa: TRY004  # a wrong answer, not a wrong type
    return out


class Engine:
    prepared = staticmethod(_prepared)
    normal = staticmethod(_normal)

    def __init__(self) -> None:
        config = Config(hostname="api.example.org", port=443, scheme="https", identity=1, user_agent="mint/1")
        step = State.open(config)
        self._first = step.output
        self._state = step.state

    def first(self) -> tuple[bytes, ...]:
        return self._first

    def get(self, request: Asked) -> tuple[bytes, ...]:
        step = self._state.request(*request, None, False)
        self._state = step.state
        return step.output

    def feed(self, octets: bytes) -> list[Event]:
        step = self._state.feed(octets)
        self._state = step.state
        return step.responses

    def put(self, request: Asked, pieces: tuple[bytes, ...]) -> Iterator[tuple[bytes, ...]]:
        step = self._state.request(*request, None, True)
        ref = step.ref
        assert ref is not None
        yield step.output
        for piece in pieces:
            step = step.state.stream_body(ref, piece)
            yield step.output
        yield step.state.end_body(ref).output


class Facade:
    prepared = staticmethod(_prepared)
    normal = staticmethod(_normal)

    def __init__(self) -> None:
        self._link = Memory()
        self.connection = initiate(self._link, scheme="https", hostname="api.example.org", port=443)

    def first(self) -> bytes:
        return self._link.take()

    def get(self, request: Asked) -> bytes:
        self.connection, _ = self.connection.request(*request)
        return self._link.take()

    def feed(self, octets: bytes) -> list[Response]:
        self._link.put(octets)
        self.connection, responses = self.connection.recv()
        return responses

    def put(self, request: Asked, pieces: tuple[bytes, ...]) -> Iterator[bytes]:
        connection, ref = self.connection.request(*request, STREAM)
        for piece in pieces:
            connection = connection.stream_request_body(ref, piece)
            yield self._link.take()
        connection.stream_request_body(ref, Eof())
        yield self._link.take()


def engine(work: object) -> Task:
    return task(work, Engine)


def facade(work: object) -> Task:
    return task(work, Facade)
