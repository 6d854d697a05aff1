"""Asyncio: the mailbox. uvloop works as well. Public names are in mint/asyncio.py."""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from collections import deque
from threading import get_ident
from typing import TYPE_CHECKING, Self

from .._core.link_base import shift
from .._process import share
from .._wire.link import Link
from ..errors import MailboxClosed
from .asyncio_link import AsyncioLink
from .asyncio_waiting import Waiter, nudge
from .shared import TunnelLink

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from types import TracebackType

    from ..types import Transport

_STREAK = 16
"""How many messages of busy connections `receive` returns in a row before it lets other tasks run."""


class _Ready(weakref.ref[Link]):
    """A link that may have a message, and whether it is in the queue; programs never post one of these."""

    __slots__ = ("queued",)

    queued: bool

    @classmethod
    def of(cls, link: Link) -> Self:
        """Return the queue entry of a link."""
        made = cls(link)
        made.queued = False
        return made


class Mailbox:
    """A mailbox of asyncio: any number of connections, one message at a time.

    It belongs to the event loop that is running when it is made. Only `post` may be called from another
    thread. Any number of tasks may receive; each message is handed out once, and none is lost if `receive` is
    cancelled. A mailbox has only weak references to connections, so keep your own.
    """

    _loop_name = "asyncio"

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = get_ident()
        self._queue: deque[object] = deque()
        self._waiting: deque[Waiter] = deque()
        self._streak = 0
        self._closed = False
        share(self)

    # -- called by connections

    def admit(self, transport: Transport) -> None:
        """Raise `TypeError` for a connection of another event loop, `MailboxClosed` after `close`."""
        if not isinstance(transport, Link) or transport.loop_name not in {"any", "asyncio"}:
            raise TypeError("the mailbox belongs to another event loop than the connection")
        wire = transport.tunnels.wire if isinstance(transport, TunnelLink) else transport
        if isinstance(wire, AsyncioLink) and wire.loop is not self._loop:
            raise TypeError("the mailbox belongs to another event loop than the connection")
        if self._closed:
            raise MailboxClosed

    def watch(self, transport: Transport) -> None:
        """Watch a link; called by connections."""
        if not isinstance(transport, Link) or self._closed or (transport.closed and not transport.armed):
            return  # nothing can be read from a closed link, and a receiver would try again and again
        # If there is probably something to read, the receiver tries without waiting for the event loop.
        if transport.armed and (transport.has_next or transport.likely):
            ready = transport.note
            if not isinstance(ready, _Ready):
                ready = transport.note = _Ready.of(transport)
            if not ready.queued:
                self._queue.append(ready)
                ready.queued = True
            if self._waiting:
                self._wake()  # even if it was queued already: an exception may have prevented the wake-up
        elif isinstance(transport, AsyncioLink):
            transport.ask()
        elif isinstance(transport, TunnelLink) and transport.unsent:
            # A tunnel has no socket that the loop could report as writable.
            self._loop.call_soon(self._write, weakref.ref(transport))

    def _write(self, reference: weakref.ref[TunnelLink]) -> None:
        """Write what a tunnel has queued, for example a request with `flush=False`."""
        link = reference()
        if link is not None and link.inbox is self:
            link.write_waiting()
            if link.armed and link.has_next:
                self.watch(link)

    def unwatch(self, transport: Transport) -> None:
        """Stop watching a link; called by connections."""
        transport.note = None

    # -- called by programs

    async def receive(self) -> object:
        """Return the next message; wait until there is one.

        Raises `MailboxClosed` after `close`. For a time limit, use `asyncio.timeout`. With a limit of 0,
        `receive` may time out although a message has arrived, because it sometimes lets other tasks run
        first.
        """
        out: list[object] = []
        entry: object = None
        try:
            while not self._closed:
                while self._queue and self._streak < _STREAK:
                    entry = self._queue[0]
                    if not isinstance(entry, _Ready):
                        shift(self._queue, out)
                        return out[0]
                    self._queue.popleft()
                    if self._take(entry, out):
                        return out[0]
                entry = None
                if self._queue:
                    await self._give_way()
                    continue
                await self._wait()
        except asyncio.CancelledError:
            raise
        except BaseException:
            self._recover(entry, out)
            raise
        raise MailboxClosed

    async def _wait(self) -> None:
        """Wait until there may be a message."""
        self._streak = 0
        waiter = Waiter(loop=self._loop)
        self._waiting.append(waiter)
        try:
            if self._closed or self._queue:
                self._wake()  # a signal handler has closed the mailbox, or posted, before this task waited
            await waiter
        except BaseException:
            with contextlib.suppress(ValueError):
                self._waiting.remove(waiter)
            if not waiter.cancelled():
                # This task was woken but will not receive: wake another one.
                self._wake()
            raise

    def _recover(self, entry: object, out: list[object]) -> None:
        """Put back a message that an exception kept from being returned, and wake another task."""
        if out:
            self._queue.appendleft(out[0])
        elif isinstance(entry, _Ready) and entry not in self._queue:
            entry.queued = True
            self._queue.appendleft(entry)
        self._wake()

    async def _give_way(self) -> None:
        """Let the event loop and other tasks run."""
        self._streak = 0
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            self._wake()
            raise

    def _take(self, entry: _Ready, out: list[object]) -> bool:
        entry.queued = False
        link = entry()
        if link is None or link.note is not entry:
            return False
        found = link.take_message(self, out)
        if link.likely:
            self._streak += 1
        if not found:
            self.watch(link)
        elif isinstance(link, AsyncioLink) and link.unsent:
            link.ask()
        return found

    def post(self, message: object) -> None:
        """Add a message of your own, from any thread; a waiting receiver wakes up.

        Raises `MailboxClosed` after `close`.
        """
        if self._closed:
            raise MailboxClosed
        self._queue.append(message)
        if get_ident() != self._thread:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._wake)
        elif self._waiting:
            self._wake()
            nudge(self._loop)

    def _wake(self) -> None:
        waiting = self._waiting
        woken = False
        while waiting and not woken:
            # A signal handler may wake all tasks between any two of these steps.
            try:
                waiter = waiting[0]
                woken = waiter.wake()
                waiting.remove(waiter)
            except (IndexError, ValueError):
                continue

    async def __aiter__(self) -> AsyncIterator[object]:
        """Return messages until the mailbox is closed."""
        while True:
            try:
                message = await self.receive()
            except MailboxClosed:
                return
            yield message

    def close(self) -> None:
        """Stop returning messages; waiting calls of `receive` raise `MailboxClosed`. Idempotent.

        The connections stay open; use `set_mode` or `move_to` to continue with them.
        """
        self._closed = True
        if self._waiting:
            nudge(self._loop)
        while self._waiting:
            self._wake()

    def begin_anew(self) -> None:
        """Close it in a forked child; the tasks that wait are the parent's."""
        self._closed = True
        self._waiting = deque()

    def __enter__(self) -> Self:
        """Close the mailbox at the end of the block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
