"""The part of the exchanges that asyncio and trio share: everything but the waiting."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterable
from typing import TYPE_CHECKING, Protocol, TypeAlias

from .._checks import view
from ..errors import ContentTooLarge, MintError, TransportTimeout
from ._blocking import check, prepare, split
from ._procedure import PHASE, Run, Wait, conclude, exchanging, recovered

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable

    from .._connections.negotiation import Connection
    from ..responses import RequestRef, Response
    from ..types import BytesLike, HeaderFields, HeaderPairs, Inbox
    from ._answer import Answer, Outcome
    from ._procedure import Waits

AsyncBody: TypeAlias = "BytesLike | Iterable[BytesLike] | AsyncIterable[BytesLike] | None"
"""The body of a request: bytes, pieces, pieces that have to be awaited, or none."""


class Waiter(Protocol):
    """Waits in one event loop. The methods return responses: none if the time is up."""

    def is_late(self) -> bool:
        """Whether the time is up."""
        ...

    async def look(self, run: Run) -> list[Response]:
        """Read what has arrived; other tasks run meanwhile."""
        ...

    async def receive(self, run: Run) -> list[Response]:
        """Wait until something arrives."""
        ...

    async def room(self, run: Run) -> list[Response]:
        """Wait until everything that is queued has been written, or something arrives."""
        ...


async def pieces_of(
    body: Iterable[BytesLike] | AsyncIterable[BytesLike],
) -> AsyncGenerator[BytesLike]:
    """Yield the pieces of a body, awaiting them if they come from an asynchronous iterable."""
    if isinstance(body, AsyncIterable):
        async for piece in body:
            yield view("body", piece)
    else:
        for piece in body:
            yield view("body", piece)


async def drive(run: Run, procedure: Waits, pieces: AsyncGenerator[BytesLike], waiter: Waiter) -> None:
    """Run the procedure to its end: do what it asks for, and send it the responses."""
    responses: list[Response] | None = None
    while True:
        try:
            wait = next(procedure) if responses is None else procedure.send(responses)
        except StopIteration:
            return
        if waiter.is_late():
            raise TransportTimeout(PHASE).marked(successor=run.conn)
        responses = []
        match wait:
            case Wait.PIECE:
                run.piece = await anext(pieces, None)
            case Wait.LOOK:
                responses = await waiter.look(run)
            case Wait.ROOM:
                responses = await waiter.room(run)
            case Wait.RESPONSES:
                responses = await waiter.receive(run)


async def exchange(
    conn: Connection,
    mailbox: Inbox,
    waiter: Waiter,
    method: str,
    target: str,
    headers: HeaderPairs,
    body: AsyncBody,
    trailers: HeaderFields,
    max_size: int | None,
) -> tuple[Connection, Answer]:
    """Run an exchange. Meanwhile the connection is in active mode, with the given mailbox."""
    headers = check(conn, method, target, headers, body, trailers, max_size)
    before = conn.transport.inbox

    def restore(conn: Connection) -> Connection:
        try:
            return conn.set_mode("passive") if before is None else conn.set_mode("active", before)
        except MintError as error:
            return conn.after(error)

    outcomes: dict[RequestRef, Outcome] = {}
    streamed = isinstance(body, AsyncIterable)
    run, whole, pieces = prepare(
        conn, () if isinstance(body, AsyncIterable) else body, outcomes, max_size, waits=False
    )
    source = body if isinstance(body, AsyncIterable) else split(whole) if pieces is None else pieces
    procedure = exchanging(run, method, target, headers, whole, streamed or pieces is not None, trailers)
    failure: MintError | None = None
    iterator = pieces_of(source)
    try:
        run.conn = run.conn.set_mode("active", mailbox)
        await drive(run, procedure, iterator, waiter)
    except MintError as error:
        failure = error
        with contextlib.suppress(ContentTooLarge):
            recovered(run, error)
    except BaseException:
        run.conn.close()
        raise
    finally:
        await iterator.aclose()
    try:
        answer = conclude(run, outcomes, failure, restore)
    finally:
        failure = None  # otherwise the error and this frame, which its traceback holds, would form a cycle
    return run.conn, answer
