"""The pool for asyncio: connections are kept by origin and shared by tasks.

async with mint.pool.asyncio.Pool() as pool:
    answer = await pool.request("GET", "https://example.org/")
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .. import asyncio as mint_asyncio
from .._loops.system import POLLIN, make_poll
from ..errors import MailboxClosed, TransportClosed
from ._asynchronous import AsyncPool, StreamedAnswer, awaited
from ._procedures import CallTrace, Connect, Look, Park, Pull, Receive, Room

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .._connections.negotiation import Connection
    from ..exchange import Origin
    from ._asynchronous import AsyncDriver
    from ._procedures import Step
    from ._requests import ConnectOptions
    from ._session import Session, WakeEvent
    from ._state import PoolState

__all__ = ["Pool", "StreamedAnswer"]

_LOOKS = 100
"""The largest number of messages to take from the mailbox, before the request that takes them continues."""


class Pool(AsyncPool):
    """A pool of connections for any number of tasks of one event loop. Use it in an `async with` block.

    The arguments and the behaviour are those of `mint.pool.Pool`, except that the result of `connect` is
    awaited and must be a connection of `mint.asyncio` in passive mode, and that `resolver` may be a coroutine
    function. The pool starts no task: a task that waits for its answer also receives the answers of others.
    """

    def _make_driver(
        self,
        options: ConnectOptions,
        connect: Callable[[Origin, float | None], Awaitable[Connection]] | None,
    ) -> AsyncDriver:
        return _Driver(options, connect)


class _Driver:
    lock = contextlib.nullcontext()

    def __init__(
        self,
        options: ConnectOptions,
        own_connect: Callable[[Origin, float | None], Awaitable[Connection]] | None,
    ) -> None:
        self._options = options
        self._own_connect = own_connect
        self._mailboxes: dict[int, mint_asyncio.Mailbox] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def clock(self) -> float:
        return asyncio.get_running_loop().time()

    def make_event(self) -> WakeEvent:
        self._loop = asyncio.get_running_loop()
        return asyncio.Event()

    def begin_anew(self) -> None:
        pass  # there is no lock

    def catch_up(self) -> None:
        pass  # nothing is postponed

    def settle_soon(self, pool: PoolState) -> None:
        with contextlib.suppress(RuntimeError):  # the event loop is closed
            if self._loop is not None:
                self._loop.call_soon_threadsafe(pool.settle)

    def forget(self, key: int) -> None:
        mailbox = self._mailboxes.pop(key, None)
        if mailbox is not None:
            mailbox.close()

    async def perform(self, step: Step) -> None:
        match step:
            case Receive(session, until):
                await self._receive(session, until)
            case Park(event, until):
                await self._park(event, until)
            case Look(session):
                await self._look(session)
            case Room(session, event, reads, until):
                await self._wait_for_room(session, event, reads, until)
            case Pull(source):
                step.piece = next(source, None) if isinstance(source, Iterator) else await anext(source, None)
            case Connect(origin, key, until):
                step.conn = await self._connect(origin, key, until)
            case CallTrace(trace, name, info):
                await awaited(trace(name, info))

    async def _park(self, event: WakeEvent, until: float | None) -> None:
        if isinstance(event, asyncio.Event):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(until):
                    await event.wait()

    async def _connect(self, origin: Origin, key: int, until: float | None) -> Connection:
        left = None if until is None else max(0.0, until - self.clock())
        if self._own_connect is not None:
            conn = await self._own_connect(origin, left)
        else:
            made = self._options
            conn = await mint_asyncio.connect(
                origin.scheme,
                origin.host,
                origin.port,
                protocols=made.protocols,
                proxy=made.proxy,
                tcp=made.tcp_within(left),
                tls=made.tls,
                http1=made.http1,
                http2=made.http2,
                log=made.log,
                record=made.recorder,
                resolver=made.resolver,
            )
        mailbox: mint_asyncio.Mailbox | None = None
        try:
            mailbox = mint_asyncio.Mailbox()
            conn = conn.set_mode("active", mailbox)
            self._mailboxes[key] = mailbox
        except BaseException:
            conn.close()
            if mailbox is not None:
                mailbox.close()
            raise
        return conn

    async def _receive(self, session: Session, until: float | None) -> bool:
        mailbox = self._mailboxes.get(session.key)
        if mailbox is None:
            return False
        limit = asyncio.timeout_at(until)
        try:
            async with limit:
                message = await mailbox.receive()
        except MailboxClosed:
            return False
        except TimeoutError:
            if not limit.expired():
                raise  # of a signal handler
            return False
        session.feed(message)
        return True

    async def _look(self, session: Session) -> None:
        socket = session.conn.socket
        if socket is not None and socket.fileno() >= 0:
            poll = make_poll()
            poll.register(socket.fileno(), POLLIN)
            if poll.poll(0):
                # Let the event loop poll its sockets, so that what the system holds reaches the mailbox.
                await asyncio.sleep(0)
                await asyncio.sleep(0)
        for _ in range(_LOOKS):
            if session.is_lost or not await self._receive(session, 0.0):
                return

    async def _wait_for_room(
        self, session: Session, event: WakeEvent, reads: bool, until: float | None
    ) -> None:
        """Wait until more can be written; meanwhile receive, or wait for the event if another task reads."""
        mailbox = self._mailboxes.get(session.key)
        if mailbox is None:
            return
        flushing = asyncio.ensure_future(mint_asyncio.flush(session.conn))
        other = asyncio.ensure_future(mailbox.receive() if reads else self._park(event, until))
        both: tuple[asyncio.Future[None], asyncio.Future[object]] = (flushing, other)
        left = None if until is None else max(0.0, until - self.clock())
        cancelled: asyncio.CancelledError | None = None
        try:
            await asyncio.wait(both, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in both:
                task.cancel()
            while not (flushing.done() and other.done()):
                # If this task is cancelled here, go on first: a message that was received must not be lost.
                try:
                    await asyncio.wait(both)
                except asyncio.CancelledError as error:
                    cancelled = error
            if reads and not other.cancelled() and other.exception() is None:
                session.feed(other.result())
        if cancelled is not None:
            raise cancelled
        broke = not flushing.cancelled() and isinstance(flushing.exception(), TransportClosed)
        if broke and not reads and not session.is_lost:
            # The reader will receive the message with the reason.
            await self._park(event, until)
