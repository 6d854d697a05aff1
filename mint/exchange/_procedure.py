"""One exchange as a generator of waits, the same for every event loop. It uses no socket and no clock.

A driver (`_blocking.py`, or `_asynchronous.py` with `asyncio.py` or `trio.py`) does what the generator asks
for: it waits, receives on the connection of the `Run`, and sends the responses to the generator.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from .. import _checks
from ..errors import ExceedsWindowSize, MintError, TransportTimeout
from ..responses import Done, RequestFailed
from ..types import STREAM, UNKNOWN, Eof
from ._answer import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from .._connections.negotiation import Connection
    from ..responses import RequestRef, Response
    from ..types import BytesLike, HeaderFields, HeaderPairs
    from ._answer import Outcome

PIECE = 65_536
"""How many bytes are passed to the connection at once."""

QUEUE = 4 * PIECE
"""How many bytes may be queued in the connection before it is passed more."""

SMALL = 16_384
"""Content of up to this many bytes is sent together with the head, if the window is large enough."""

PHASE = "waiting for the response"


class Wait(Enum):
    """What a procedure asks its driver for."""

    RESPONSES = "wait until something arrives"
    ROOM = "wait until more can be written, or something arrives"
    LOOK = "take what has arrived, without waiting"
    PIECE = "put the next piece of the content into `Run.piece`, `None` at its end"


Waits: TypeAlias = "Generator[Wait, list[Response], None]"


class Run:
    """The connection of one request, and what is known about its response."""

    def __init__(
        self,
        conn: Connection,
        ref: RequestRef | None,
        process: Callable[[list[Response]], None],
        *,
        waits: bool,
    ) -> None:
        """Begin; `waits` says whether writing to the connection may block."""
        self.conn: Connection = conn
        self.flush = not waits
        self.ref = ref
        self.piece: BytesLike | None = None
        self.declared = False
        """Whether the length of the body was declared, so that its last byte is its end."""
        self.over = False
        """Whether the response is complete."""
        self._process = process

    def feed(self, message: object) -> list[Response]:
        """Feed a message of a mailbox; return the responses."""
        fed = self.conn.stream(message)
        if fed is UNKNOWN:
            return []
        self.conn, responses = fed
        return responses

    def process(self, responses: list[Response]) -> None:
        """Note whether the response of the request is complete, and pass the responses on."""
        for response in responses:
            match response:
                case Done(ref=self.ref) | RequestFailed(ref=self.ref):
                    self.over = True
                case _:
                    pass
        if responses:
            self._process(responses)

    def is_sending(self) -> bool:
        """Whether more of the body has to be sent."""
        # The status is ignored: a server may read the whole body before it completes its response.
        if self.over or self.ref is None:
            return False
        try:
            self.conn.request_body_window(self.ref)
        except ValueError:
            return False
        return True

    def push(self, ref: RequestRef, rest: memoryview[int]) -> tuple[memoryview[int], Wait]:
        """Pass on as much as the windows and the queue allow; return the rest, and what to wait for."""
        while rest:
            room = QUEUE - self.conn.transport.unsent
            if room <= 0:
                return rest, Wait.ROOM
            size = min(self.conn.request_body_window(ref), room, PIECE)
            if not size:
                return rest, Wait.RESPONSES
            self.conn = self.conn.stream_request_body(ref, rest[:size], flush=self.flush)
            rest = rest[size:]
        return rest, Wait.LOOK


def sending(run: Run, ref: RequestRef, trailers: HeaderFields) -> Waits:
    """Send the pieces of a body that is open; stop if the response is complete before."""
    while run.is_sending():
        yield Wait.PIECE
        if run.piece is None:
            # Getting the piece may have taken time, in which the response may have arrived.
            run.process((yield Wait.LOOK))
            if run.is_sending():
                run.conn = run.conn.stream_request_body(ref, Eof(trailers), flush=run.flush)
            return
        rest = memoryview(run.piece).cast("B")
        while rest and run.is_sending():
            rest, wait = run.push(ref, rest)
            run.process((yield wait))


def exchanging(
    run: Run,
    method: str,
    target: str,
    headers: HeaderPairs,
    content: bytes | None,
    streamed: bool,
    trailers: HeaderFields,
) -> Waits:
    """Send a request and wait for the end of its response."""
    fields = _checks.sent_fields("headers", headers)
    if content is not None and not trailers and not streamed and len(content) <= SMALL:
        try:
            run.conn, run.ref = run.conn.request(method, target, fields, content, flush=run.flush)
        except ExceedsWindowSize:
            streamed = True
    elif content is not None:
        streamed = True
    if run.ref is None:
        if content is not None and not trailers and not has(fields, "content-length", "transfer-encoding"):
            fields.append(("content-length", str(len(content))))
        body = STREAM if streamed else None
        run.declared = has(fields, "content-length")
        run.conn, run.ref = run.conn.request(method, target, fields, body, flush=run.flush)
        if streamed:
            yield from sending(run, run.ref, trailers)
    while not run.over:
        run.process((yield Wait.RESPONSES))


def has(fields: Sequence[tuple[str, str]], *names: str) -> bool:
    """Whether one of these headers is among the fields; the names are in lower case."""
    return any(name.lower() in names for name, _ in fields)


def recovered(run: Run, error: MintError) -> None:
    """Continue after an error of the connection, with the responses that preceded it."""
    if error.successor is not None:
        run.conn = run.conn.after(error)
    run.process(list(error.responses))


def give_up(run: Run) -> None:
    """Cancel the request (HTTP/2) or close the connection (HTTP/1)."""
    if run.ref is None:
        return
    conn = run.conn
    if conn.protocol == "http2":
        try:
            run.conn = conn.cancel_request(run.ref)
        except MintError:
            run.conn = conn.close()
    else:
        run.conn = conn.close()


def settle(run: Run) -> None:
    """Leave the connection usable or closed: if the body is still open, end it or give up."""
    if run.ref is None:
        return
    try:
        run.conn.request_body_window(run.ref)
    except ValueError:
        return
    if run.declared:
        # All of the declared bytes may have been sent, and the response arrived before the end was noticed.
        try:
            run.conn = run.conn.stream_request_body(run.ref, Eof())
        except MintError as error:
            run.conn = run.conn if error.successor is None else run.conn.after(error)
        else:
            return
    give_up(run)


def conclude(
    run: Run,
    outcomes: dict[RequestRef, Outcome],
    error: MintError | None,
    restore: Callable[[Connection], Connection],
) -> Answer:
    """Return the answer to the request, or raise its error, with the connection value to continue with."""
    outcome = None if run.ref is None else outcomes.get(run.ref)
    outcomes.clear()  # otherwise an error in it would form a cycle with the frames in its traceback
    if run.over:
        settle(run)
    else:
        give_up(run)
    run.conn = restore(run.conn)
    if isinstance(outcome, Answer):
        return outcome
    try:
        if outcome is not None:
            raise outcome.marked(successor=run.conn) from (None if error is outcome else error)
        raise (error or TransportTimeout(PHASE)).marked(successor=run.conn)
    finally:
        error = outcome = None  # for the same reason
