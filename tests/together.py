"""Run functions concurrently, in threads or tasks, for tests that are written once for every event loop.

A test is a coroutine. With blocking code, nothing that it awaits ever suspends, and concurrent work runs in
threads.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar  # a coroutine may be sent anything

import trio

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Coroutine

_T = TypeVar("_T")


def finish(work: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine that never suspends."""
    try:
        work.send(None)
    except StopIteration as over:
        result: _T = over.value
        return result
    raise AssertionError("the coroutine would have waited")


async def together(loop: str, *work: Callable[[], Coroutine[Any, Any, _T]]) -> list[_T]:
    """Run everything at the same time; return the results in order."""
    if loop == "blocking":
        with ThreadPoolExecutor(len(work)) as executor:
            return list(executor.map(lambda each: finish(each()), work))
    if loop != "trio":
        return list(await asyncio.gather(*(each() for each in work)))
    found: dict[int, _T] = {}

    async def keep(number: int) -> None:
        found[number] = await work[number]()

    async with trio.open_nursery() as nursery:
        for number in range(len(work)):
            nursery.start_soon(keep, number)
    return [found[number] for number in range(len(work))]


async def reached(loop: str, event: threading.Event) -> None:
    """Wait for an event that a server of the test sets."""
    if loop == "blocking":
        assert event.wait(10)
    elif loop == "trio":
        assert await trio.to_thread.run_sync(event.wait, 10)
    else:
        assert await asyncio.get_running_loop().run_in_executor(None, event.wait, 10)
