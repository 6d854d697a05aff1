"""Trio: the mailbox.

It extends the one of mailbox.py: its selector has a file descriptor, and trio waits for that. Every `await`
is a checkpoint, and a cancellation at any of them loses nothing. Public names are in mint/trio.py.
"""

from __future__ import annotations

import contextlib
import selectors
from math import inf
from typing import TYPE_CHECKING, Self

import trio

from .._core.watching import RETRY
from ..errors import MailboxClosed
from .mailbox import Watcher
from .trio_nursery import OneError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from types import TracebackType


class Mailbox(Watcher):
    """A mailbox of trio: any number of connections, one message at a time.

    Only `post` may be called from another thread. Any number of tasks may receive; each message is handed out
    once, and none is lost if `receive` is cancelled. Octets that connections have queued are written
    meanwhile. A mailbox has only weak references to connections, so keep your own.
    """

    _loop_name = "trio"

    def __init__(self) -> None:
        super().__init__()
        self._receive_lock = trio.Lock()
        self._limiter = trio.CapacityLimiter(1)  # waiting mailboxes could use up trio's default limiter
        self._waiting: tuple[trio.lowlevel.TrioToken, trio.CancelScope] | None = None

    def _needs_wake_socket(self) -> bool:
        # A pool has a mailbox for each connection, so a pair of sockets would double its descriptors.
        return isinstance(self._selector, selectors.SelectSelector)

    def _wake(self) -> None:
        if self._wake_socket is not None:
            self._wake_socket.wake()
        elif (waiting := self._waiting) is not None:
            token, scope = waiting
            with contextlib.suppress(trio.RunFinishedError):
                token.run_sync_soon(scope.cancel, idempotent=True)

    async def receive(self) -> object:
        """Return the next message; wait until there is one.

        Raises `MailboxClosed` after `close`. For a time limit, use `trio.fail_after`.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        if self._closed:
            raise MailboxClosed
        out: list[object] = []
        try:
            if not self._take(out):
                return await self._received(out)
            await trio.lowlevel.cancel_shielded_checkpoint()
            return out[0]
        except (MailboxClosed, trio.Cancelled):
            raise
        except BaseException:
            self._recover(out)
            raise

    async def _received(self, out: list[object]) -> object:
        """Wait for a message: one task waits for the selector, and the others wait for that task."""
        await self._receive_lock.acquire()
        try:
            while not self._closed:
                if self._take(out):
                    return out[0]
                self._look(0)
                if self._take(out):
                    return out[0]
                await self._wait()
        finally:
            self._receive_lock.release()
            if self._closed:
                self._dispose()
        raise MailboxClosed

    def _dispose(self) -> None:
        """Close the descriptors; if tasks are in `receive`, the last one does that."""
        if not self._receive_lock.locked():
            self._release()

    async def _wait(self) -> None:
        with trio.move_on_after(RETRY if self._refused else inf) as scope:
            self._waiting = trio.lowlevel.current_trio_token(), scope
            # Set before the last check, so that a post from another thread is either seen or wakes this task.
            self._asleep = True
            try:
                if not (self._near or self._orders or self._closed):
                    if isinstance(self._selector, selectors.SelectSelector):
                        await self._wait_in_thread()
                    else:
                        await trio.lowlevel.wait_readable(self._selector.fileno())
            finally:
                self._asleep = False
                self._waiting = None

    async def _wait_in_thread(self) -> None:
        """Wait for a selector without a descriptor, like that of Windows."""
        returned = False

        async def wait() -> None:
            nonlocal returned
            limit = RETRY if self._refused else None
            await trio.to_thread.run_sync(self._select, limit, limiter=self._limiter)
            returned = True
            nursery.cancel_scope.cancel()

        with OneError():
            async with trio.open_nursery() as nursery:
                nursery.start_soon(wait)
                try:
                    await trio.sleep_forever()
                finally:
                    # After a cancellation from outside, wake the thread; the nursery waits until it ends.
                    if not returned:
                        self._wake()

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
        if not self._is_ours:
            self._release()  # the tasks that receive are the parent's, and must not be woken
            return
        if self._receive_lock.locked():
            self._wake()
        self._dispose()

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
