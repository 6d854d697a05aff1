"""`exchange` for asyncio: send one request and await its complete answer.

conn = await mint.asyncio.connect("https", "example.org", 443)
conn, answer = await mint.exchange.asyncio.exchange(conn, "GET", "/", timeout=10.0)
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from .. import _checks
from .. import asyncio as mint_asyncio
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

    The arguments and errors are those of `mint.exchange.exchange`; the connection is one of `mint.asyncio`,
    in either mode. The pieces of the body may come from an asynchronous iterable. Responses are received
    through a mailbox of the call; afterwards the connection is in the same mode as before. If the call is
    cancelled, it closes the connection.
    """
    with mint_asyncio.Mailbox() as mailbox:
        waiter = _Waiter(mailbox, timeout)
        return await _asynchronous.exchange(
            conn, mailbox, waiter, method, target, headers, body, trailers, max_size
        )


class _Waiter:
    def __init__(self, mailbox: mint_asyncio.Mailbox, timeout: float | None) -> None:
        self._mailbox = mailbox
        self._loop = asyncio.get_running_loop()
        self._until = None if timeout is None else _checks.until("timeout", timeout, self._loop.time())

    def is_late(self) -> bool:
        return self._until is not None and self._loop.time() >= self._until

    async def look(self, run: Run) -> list[Response]:
        return await self._receive(run, self._loop.time())

    async def receive(self, run: Run) -> list[Response]:
        return await self._receive(run, self._until)

    async def _receive(self, run: Run, until: float | None) -> list[Response]:
        limit = asyncio.timeout_at(until)
        try:
            async with limit:
                message = await self._mailbox.receive()
        except TimeoutError:
            if not limit.expired():
                raise  # of a signal handler
            return []
        return run.feed(message)

    async def room(self, run: Run) -> list[Response]:
        flushing = asyncio.ensure_future(mint_asyncio.flush(run.conn))
        receiving = asyncio.ensure_future(self._mailbox.receive())
        left = None if self._until is None else max(0.0, self._until - self._loop.time())
        both = (flushing, receiving)
        try:
            await asyncio.wait(both, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in both:
                task.cancel()
            await asyncio.wait(both)
        # If the connection broke, the next message gives the reason.
        if not flushing.cancelled() and not isinstance(flushing.exception(), (TransportError, type(None))):
            flushing.result()
        return [] if receiving.cancelled() else run.feed(receiving.result())
