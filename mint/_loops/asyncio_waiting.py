"""What tasks of asyncio wait for: they are not forgotten if memory runs out while they are woken."""

from __future__ import annotations

import asyncio
import contextlib

from .._core.waiting import Waking


class Waiter(Waking, asyncio.Future[None]):
    """A future that a task awaits until `wake` is called."""


def nudge(loop: asyncio.AbstractEventLoop) -> None:
    """Have the loop run the tasks that a signal handler has woken: otherwise it would continue to wait."""
    if asyncio.current_task(loop) is None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(_nothing)


def _nothing() -> None:
    """Do nothing."""
