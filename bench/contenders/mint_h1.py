"""mint over HTTP/1: the compiled engine by itself, and the public API over `mint.transport.Memory`.

The requests for the responses are sent, pipelined, before the time is measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mint import STREAM, Data, Done, Headers, HTTP1Options, Status
from mint._core.http1 import Config, State
from mint.http1 import initiate
from mint.transport import Memory

from ..measure import Rounds
from ..work import Message
from ._http1 import REQUEST, replay

if TYPE_CHECKING:
    from mint import HTTP1
    from mint._core.events import Event
    from mint.responses import Response

    from ..measure import Task
    from ..work import Pieces, Queued, Responses


def _state() -> State:
    config = Config(hostname="example.org", port=80, scheme="http", identity=1, user_agent="mint/1")
    return State(config)


def normal(native: list[list[Event]] | list[list[Response]]) -> list[Message]:
    """Convert the responses of several calls to the common form."""
    out: list[Message] = []
    status, fields, body = 0, (), []  # type: int, tuple[tuple[str, str], ...], list[bytes]
    for called in native:
        for one in called:
            if isinstance(one, Status):
                status, fields, body = one.status, (), []
            elif isinstance(one, Headers):
                fields = one.headers
            elif isinstance(one, Data):
                body.append(one.data)
            elif isinstance(one, Done):
                out.append(Message(status, fields, b"".join(body)))
            else:
                raise AssertionError(repr(one))  # noqa: TRY004  # a wrong answer, not a wrong type
    return out


def engine(work: Responses) -> Task:
    # One connection for all rounds, as for the peers; each round continues where the last one ended.
    state = _state()

    def prepare(number: int) -> None:
        nonlocal state
        for _ in range(number):
            state = state.request("GET", "/", (), None, False).state

    def run(_: None, reads: tuple[bytes, ...]) -> list[list[Event]]:
        nonlocal state
        now = state
        out = []
        for octets in reads:
            step = now.feed(octets)
            now = step.state
            if responses := step.responses:
                out.append(responses)
        state = now
        return out

    return replay(work, prepare, run, normal)


def facade(work: Responses) -> Task:
    link = Memory()
    connection: HTTP1 = initiate(link, scheme="http", hostname="example.org", port=80)

    def prepare(number: int) -> None:
        nonlocal connection
        for _ in range(number):
            connection, _ref = connection.request("GET", "/")
        link.take()

    def run(_: None, reads: tuple[bytes, ...]) -> list[list[Response]]:
        nonlocal connection
        now = connection
        out = []
        for octets in reads:
            link.put(octets)
            now, responses = now.recv()
            if responses:
                out.append(responses)
        connection = now
        return out

    return replay(work, prepare, run, normal)


def exchange(work: Responses) -> Task:
    """Requests and their responses with the public API, one after the other on one connection."""
    link = Memory()
    connection: HTTP1 = initiate(link, scheme="http", hostname="example.org", port=80)

    def run(_: None, reads: tuple[bytes, ...]) -> list[list[Response]]:
        nonlocal connection
        now = connection
        out = []
        for octets in reads:
            now, _ref = now.request("GET", "/", REQUEST)
            link.take()
            link.put(octets)
            now, responses = now.recv()
            out.append(responses)
        connection = now
        return out

    return replay(work, lambda _: None, run, normal)


def pieces_engine(work: Pieces) -> Task:
    """A chunked body, piece by piece."""

    def run(_: object) -> list[tuple[bytes, ...]]:
        step = _state().request("POST", "/", (), None, True)
        ref = step.ref
        assert ref is not None
        out = []
        for _ in range(work.count):
            step = step.state.stream_body(ref, work.piece)
            out.append(step.output)
        return out

    def verify(_: int, out: list[tuple[bytes, ...]]) -> None:
        assert sum(work.piece in piece for output in out for piece in output) == work.count

    return Rounds(lambda _: None, run, verify, work.count)


def pieces_facade(work: Pieces) -> Task:
    def run(_: object) -> list[bytes]:
        link = Memory()
        made: HTTP1 = initiate(link, scheme="http", hostname="example.org", port=80)
        connection, ref = made.request("POST", "/", (), STREAM)
        link.take()
        out = []
        for _ in range(work.count):
            connection = connection.stream_request_body(ref, work.piece)
            out.append(link.take())
        return out

    def verify(_: int, out: list[bytes]) -> None:
        assert sum(work.piece in piece for piece in out) == work.count

    return Rounds(lambda _: None, run, verify, work.count)


def queued(work: Queued) -> Task:
    """GETs while many others wait for their responses."""
    link = Memory()
    options = HTTP1Options(max_pipelined=work.open + work.each)
    connection: HTTP1 = initiate(link, scheme="http", hostname="example.org", port=80, http1=options)
    for _ in range(work.open):
        connection, _ref = connection.request("GET", "/")
    link.take()
    full = connection.fork()

    def run(start: HTTP1) -> HTTP1:
        for _ in range(work.each):
            start, _ref = start.request("GET", "/")
        return start

    def verify(_: int, end: HTTP1) -> None:
        assert end.open_request_count == work.open + work.each

    return Rounds(lambda _: full.fork(), run, verify, work.each)
