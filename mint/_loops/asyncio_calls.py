"""Calls and waits in asyncio and uvloop that survive a lack of memory.

An event loop may lose a call that it was asked to make, and `asyncio.Future.set_result` forgets the task that
waits if the loop cannot be asked to resume it. Here, both are repeated until the loop has made the call.
"""

from __future__ import annotations

import asyncio
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextvars import Context


class NextIteration:
    """A call in the next iteration of an event loop, scheduled once however often it is asked for.

    If memory runs out in the loop's own code, it can lose the call: it then drops the handle without having
    called anything. So the handle shows whether the call is still scheduled, and a flag would not.
    """

    __slots__ = ("_handle", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._handle: Callable[[], asyncio.Handle | None] | None = None

    def ask(self, work: Callable[[], object]) -> None:
        """Have the loop call this function, unless it is going to call it anyway."""
        if self._handle is None or self._handle() is None:
            self._handle = _reference(self._loop.call_soon(work))

    def begun(self) -> None:
        """Note that the loop has made the call; the next `ask` schedules another one."""
        self._handle = None


def _reference(handle: asyncio.Handle) -> Callable[[], asyncio.Handle | None]:
    try:
        return weakref.ref(handle)
    except TypeError:  # a loop whose handles cannot be referred to: only the call itself ends the wait
        return lambda: handle


class Waiter(asyncio.Future[None]):
    """A future that one task awaits directly, until `wake` or a cancellation.

    It keeps the callback with which the task continues until the task has continued. If the loop could not
    schedule that callback, or has lost it, the next call of `wake` or `cancel` schedules it again.
    """

    # Not set in `__init__`: one of asyncio's own is faster.
    _resume: Callable[[Waiter], object] | None = None
    _context: Context | None = None
    _handle: Callable[[], asyncio.Handle | None] | None = None

    def __await__(self) -> Generator[object, None, None]:
        """Wait; the task passes its callback to `add_done_callback`."""
        if not self.done():
            self._asyncio_future_blocking = True
            try:
                yield self
            finally:
                # From now on, the callback would resume the task in another wait.
                self._resume = None
        self.result()

    def add_done_callback(
        self, callback: Callable[[Waiter], object], /, *, context: Context | None = None
    ) -> None:
        """Keep the callback of the task that waits; tasks call this method."""
        self._context = context
        self._resume = callback

    def wake(self) -> None:
        """Have the loop resume the task; do it again if that failed or the loop has lost it."""
        # In this order: after an exception here, the task still counts as waiting.
        if self._resume is not None and (self._handle is None or self._handle() is None):
            self._schedule()
        if not self.done():
            self.set_result(None)

    def cancel(self, msg: object = None) -> bool:
        """Have the loop resume the task with `CancelledError`; tasks call this method."""
        if self._resume is not None and (self._handle is None or self._handle() is None):
            self._schedule()
        return super().cancel(msg) or self.cancelled()

    def _schedule(self) -> None:
        # Not the callback itself: if an exception comes here, it may be scheduled twice.
        self._handle = _reference(self.get_loop().call_soon(self._run, context=self._context))

    def _run(self) -> None:
        self._handle = None
        if not self.done():
            self.set_result(None)  # an exception interrupted `wake` or `cancel`
        if self._resume is not None:
            self._resume(self)


class LoopEvent:
    """An event like `asyncio.Event`: a task that could not be woken is woken by the next `set`."""

    __slots__ = ("_is_set", "_loop", "_waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._is_set = False
        self._waiting: set[Waiter] = set()

    def set(self) -> None:
        """Wake the tasks that wait."""
        self._is_set = True
        wake_all(self._waiting)

    def clear(self) -> None:
        """Make the next `wait` wait again."""
        self._is_set = False

    def is_set(self) -> bool:
        """Whether `wait` would return at once."""
        return self._is_set

    async def wait(self) -> None:
        """Wait until it is set."""
        if self._is_set:
            return
        waiter = Waiter(loop=self._loop)
        self._waiting.add(waiter)
        try:
            await waiter
        finally:
            self._waiting.discard(waiter)


def wake_all(waiting: set[Waiter]) -> None:
    """Wake every task; if an exception prevents it, try once more before the exception is raised."""
    try:
        for waiter in waiting:
            waiter.wake()
    except BaseException:
        for waiter in waiting:
            waiter.wake()
        raise
