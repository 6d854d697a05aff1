"""Cancel a coroutine at its n-th suspension, in asyncio and trio."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar  # a coroutine yields what its event loop wants

import trio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine, Generator

_T = TypeVar("_T")


class _Counted:
    """Awaits a coroutine of asyncio, and cancels the task at the n-th suspension.

    With `late`, what the coroutine waits for is there already when the task is cancelled.
    """

    def __init__(self, work: Coroutine[Any, Any, object], number: int, *, late: bool) -> None:
        self._work = work
        self._left = number
        self._late = late
        self.reached = False

    def __await__(self) -> Generator[Any, Any, object]:
        send: object = None
        error: BaseException | None = None
        while True:
            try:
                waiting = self._work.send(send) if error is None else self._work.throw(error)
            except StopIteration as over:
                return over.value
            send, error = None, None
            self._left -= 1
            task = asyncio.current_task()
            assert task is not None
            try:
                if not self._left and not self._late:
                    self.reached = True
                    asyncio.get_running_loop().call_soon(task.cancel)
                send = yield waiting
                if not self._left and self._late:
                    self.reached = True
                    task.cancel()
                    yield
            except BaseException as raised:  # noqa: BLE001  # passed on to the coroutine
                error = raised


class _BeforeStep(trio.abc.Instrument):
    """Cancels a scope before the n-th step of a task of trio."""

    def __init__(self, number: int) -> None:
        self._left = number
        self.scope = trio.CancelScope()
        self.task: trio.lowlevel.Task | None = None
        self.reached = False

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        if task is self.task:
            self._left -= 1
            if not self._left:
                self.reached = True
                self.scope.cancel()


async def cancelled_at(
    loop: str, work: Coroutine[Any, Any, _T], number: int, *, late: bool = False
) -> tuple[bool, list[_T]]:
    """Cancel `work` at a suspension; return whether it was reached, and the result if there is one.

    In asyncio, a task that was cancelled while it waited must end as cancelled.
    """
    if loop == "trio":
        return await _in_trio(work, number)
    counted = _Counted(work, number, late=late)

    async def whole() -> Any:  # the result of the coroutine
        return await counted

    task = asyncio.create_task(whole())
    try:
        result = await task
    except asyncio.CancelledError:
        assert counted.reached
        return True, []
    assert not counted.reached, f"the cancellation at suspension {number} was lost"
    return False, [result]


async def _in_trio(work: Awaitable[_T], number: int) -> tuple[bool, list[_T]]:
    instrument = _BeforeStep(number)
    instrument.task = trio.lowlevel.current_task()
    results: list[_T] = []
    trio.lowlevel.add_instrument(instrument)
    try:
        with instrument.scope:
            results.append(await work)
    finally:
        trio.lowlevel.remove_instrument(instrument)
    return instrument.reached, results
