"""`exchange` for trio: send one request and await its complete answer. Needs the extra `trio`.

conn = await mint.trio.connect("https", "example.org", 443)
conn, answer = await mint.exchange.trio.exchange(conn, "GET", "/", timeout=10.0)
"""

from __future__ import annotations

import contextlib
from math import inf
from typing import TYPE_CHECKING

import trio

from .. import _checks
from .. import trio as mint_trio
from .._loops.trio_nursery import OneError
from ..errors import TransportError
from . import _asynchronous
from ._answer import MAX_SIZE

if TYPE_CHECKING:
    from .._connections.negotiation import Connection
    from ..responses import Response
    from ..types import HeaderFields, HeaderPairs
    from ._answer import Answer
    from ._asynchronous import AsyncBody
    from ._procedure import Run

__all__ = ["exchange"]


async def exchange(
    conn: Connection,
    method: str,
    target: str,
    headers: HeaderPairs = (),
    body: AsyncBody = None,
    *,
    trailers: HeaderFields = (),
    timeout: float | None = 30.0,  # noqa: ASYNC109  # one deadline for everything, the same in every event loop
    max_size: int | None = MAX_SIZE,
) -> tuple[Connection, Answer]:
    """Send a request, wait for its response, and return both the next connection value and the answer.

    The arguments and errors are those of `mint.exchange.exchange`; the connection is one of `mint.trio`, in
    either mode. The pieces of the body may come from an asynchronous iterable. Responses are received through
    a mailbox of the call; afterwards the connection is in the same mode as before. If the call is cancelled,
    it closes the connection.
    """
    try:
        made = mint_trio.Mailbox()
    except TransportError as error:
        error.marked(successor=conn)
        raise
    with made as mailbox:
        waiter = _Waiter(mailbox, timeout)
        return await _asynchronous.exchange(
            conn, mailbox, waiter, method, target, headers, body, trailers, max_size
        )


async def receive_now(mailbox: mint_trio.Mailbox) -> object | None:
    """Return the next message, or `None` if there is none now; other tasks run meanwhile."""
    # With a deadline that has passed, trio would cancel before anything is read. So it is cancelled a little
    # later.
    with trio.CancelScope() as scope:
        trio.lowlevel.current_trio_token().run_sync_soon(scope.cancel)
        return await mailbox.receive()
    return None


class _Waiter:
    def __init__(self, mailbox: mint_trio.Mailbox, timeout: float | None) -> None:
        self._mailbox = mailbox
        self._until = inf if timeout is None else _checks.until("timeout", timeout, trio.current_time())

    def is_late(self) -> bool:
        return trio.current_time() >= self._until

    async def look(self, run: Run) -> list[Response]:
        message = await receive_now(self._mailbox)
        return [] if message is None else run.feed(message)

    async def receive(self, run: Run) -> list[Response]:
        return await self._receive(run, self._until)

    async def _receive(self, run: Run, until: float) -> list[Response]:
        with trio.move_on_at(until):
            return run.feed(await self._mailbox.receive())
        return []

    async def room(self, run: Run) -> list[Response]:
        messages: list[object] = []

        async def receive() -> None:
            messages.append(await self._mailbox.receive())
            nursery.cancel_scope.cancel()

        async def write() -> None:
            # If the connection broke, the next message gives the reason.
            with contextlib.suppress(TransportError):
                await mint_trio.flush(run.conn)
                nursery.cancel_scope.cancel()

        with trio.move_on_at(self._until), OneError():
            async with trio.open_nursery() as nursery:
                nursery.start_soon(receive)
                nursery.start_soon(write)
        return [each for message in messages for each in run.feed(message)]
