"""The pool for trio: connections are kept by origin and shared by tasks. Needs the extra `mint-http[trio]`.

async with mint.pool.trio.Pool() as pool:
    answer = await pool.request("GET", "https://example.org/")
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from math import inf
from typing import TYPE_CHECKING

import trio

from .. import trio as mint_trio
from .._loops.trio_nursery import OneError
from ..errors import MailboxClosed, TransportError
from ..exchange.trio import receive_now
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
    """A pool of connections for any number of tasks of one run of trio. Use it in an `async with` block.

    The arguments and the behaviour are those of `mint.pool.Pool`, except that the result of `connect` is
    awaited and must be a connection of `mint.trio` in passive mode, and that `resolver` may be a coroutine
    function. The pool starts no task and opens no nursery: a task that waits for its answer also receives the
    answers of others.
    """

    def _make_driver(
        self,
        options: ConnectOptions,
        connect: Callable[[Origin, float | None], Awaitable[Connection]] | None,
    ) -> AsyncDriver:
        return _Driver(options, connect)


class _Event:
    """An event that can be cleared."""

    def __init__(self) -> None:
        self._event = trio.Event()

    def set(self) -> None:
        self._event.set()

    def clear(self) -> None:
        if self._event.is_set():
            self._event = trio.Event()

    def is_set(self) -> bool:
        return self._event.is_set()

    async def wait(self) -> None:
        await self._event.wait()


class _Driver:
    lock = contextlib.nullcontext()

    def __init__(
        self,
        options: ConnectOptions,
        own_connect: Callable[[Origin, float | None], Awaitable[Connection]] | None,
    ) -> None:
        self._options = options
        self._own_connect = own_connect
        self._mailboxes: dict[int, mint_trio.Mailbox] = {}
        self._token: trio.lowlevel.TrioToken | None = None

    def clock(self) -> float:
        return trio.current_time()

    def make_event(self) -> WakeEvent:
        self._token = trio.lowlevel.current_trio_token()
        return _Event()

    def begin_anew(self) -> None:
        pass  # there is no lock

    def catch_up(self) -> None:
        pass  # nothing is postponed

    def settle_soon(self, pool: PoolState) -> None:
        with contextlib.suppress(trio.RunFinishedError):
            if self._token is not None:
                self._token.run_sync_soon(pool.settle)

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
        if isinstance(event, _Event):
            with trio.move_on_at(inf if until is None else until):
                await event.wait()

    async def _connect(self, origin: Origin, key: int, until: float | None) -> Connection:
        left = None if until is None else max(0.0, until - self.clock())
        if self._own_connect is not None:
            conn = await self._own_connect(origin, left)
        else:
            made = self._options
            conn = await mint_trio.connect(
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
        mailbox: mint_trio.Mailbox | None = None
        try:
            mailbox = mint_trio.Mailbox()
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
        with trio.move_on_at(inf if until is None else until), contextlib.suppress(MailboxClosed):
            message = await mailbox.receive()
            session.feed(message)
            return True
        return False

    async def _look(self, session: Session) -> None:
        mailbox = self._mailboxes.get(session.key)
        for _ in range(_LOOKS):
            if session.is_lost or mailbox is None:
                return
            message = None
            with contextlib.suppress(MailboxClosed):
                message = await receive_now(mailbox)
            if message is None:
                return
            session.feed(message)

    async def _wait_for_room(
        self, session: Session, event: WakeEvent, reads: bool, until: float | None
    ) -> None:
        """Wait until more can be written; meanwhile receive, or wait for the event if another task reads."""
        mailbox = self._mailboxes.get(session.key)
        if mailbox is None:
            return
        messages: list[object] = []

        async def other() -> None:
            if reads:
                with contextlib.suppress(MailboxClosed):
                    messages.append(await mailbox.receive())
            else:
                await self._park(event, until)
            nursery.cancel_scope.cancel()

        async def write() -> None:
            # If the connection broke, the next message gives the reason.
            with contextlib.suppress(TransportError):
                await mint_trio.flush(session.conn)
                nursery.cancel_scope.cancel()

        try:
            with trio.move_on_at(inf if until is None else until), OneError():
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(other)
                    nursery.start_soon(write)
        finally:
            for message in messages:
                session.feed(message)
