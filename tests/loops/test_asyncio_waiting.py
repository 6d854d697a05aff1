"""`Waiter`: a task that waits is woken exactly once, also if the loop could not be told at first."""

from __future__ import annotations

import asyncio
import contextlib
from contextvars import ContextVar, copy_context
from functools import partial
from typing import TYPE_CHECKING

import pytest
import uvloop

import mint.asyncio
from mint._loops.asyncio_waiting import Waiter

from ..event_loops import Loop

if TYPE_CHECKING:
    from collections.abc import Callable

LOOPS = [Loop(asyncio.SelectorEventLoop), Loop(uvloop.new_event_loop)]


def refuse(patch: pytest.MonkeyPatch, *, after: bool) -> None:
    """Let the next call that is scheduled fail, before or after the loop has taken it."""
    loop = asyncio.get_running_loop()
    original: Callable[..., object] = loop.call_soon

    def refused(*args: object, **options: object) -> None:
        patch.undo()
        if after:
            original(*args, **options)
        raise MemoryError

    patch.setattr(loop, "call_soon", refused)


async def rounds(number: int = 5) -> None:
    """Let the other tasks run."""
    for _ in range(number):
        await asyncio.sleep(0)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("limited", [False, True])
@pytest.mark.parametrize("how", ["wake", "cancel"])
def test_a_task_continues_once_although_the_loop_could_not_be_told_at_first(
    how: str, after: bool, limited: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    async def wait(waiter: Waiter) -> None:
        try:
            await (asyncio.wait_for(waiter, 60) if limited else waiter)
        except asyncio.CancelledError:
            seen.append("cancelled")
        else:
            seen.append("woken")
        await asyncio.sleep(60)
        seen.append("again")

    async def main() -> None:
        waiter = Waiter(loop=asyncio.get_running_loop())
        task = asyncio.create_task(wait(waiter))
        await rounds(1)
        refuse(monkeypatch, after=after)
        with pytest.raises(MemoryError):
            waiter.wake() if how == "wake" else waiter.cancel()
        assert waiter.wake()
        assert not waiter.wake()
        await rounds()
        assert seen == ["woken" if how == "wake" else "cancelled"]
        assert not task.done()
        assert not waiter.wake()
        task.cancel()

    asyncio.run(main())


@pytest.mark.parametrize("error", [None, MemoryError, RuntimeError])
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_each_callback_is_called_once_whichever_is_interrupted(
    place: int, after: bool, error: type[Exception] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal handler raises an exception while the loop is told of a callback, or wakes the same waiter."""
    called: list[int] = []

    def note(number: int, _: object) -> None:
        called.append(number)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        waiter = Waiter(loop=loop)
        for number in range(3):
            waiter.add_done_callback(partial(note, number))
        original: Callable[..., object] = loop.call_soon
        left = iter(range(3))

        def interrupted(*args: object, **options: object) -> None:
            now = next(left, None) == place
            if after or not now:
                original(*args, **options)
            if now and error is not None:
                raise error
            if now:
                waiter.wake()
            if now and not after:
                original(*args, **options)

        with monkeypatch.context() as patch:
            patch.setattr(loop, "call_soon", interrupted)
            with contextlib.nullcontext() if error is None else pytest.raises(error):
                waiter.wake()
        assert waiter.wake() is (error is not None)
        assert not waiter.wake()
        await rounds()
        assert called == [0, 1, 2]

    asyncio.run(main())


@pytest.mark.parametrize("loop", LOOPS)
def test_cancelling_says_whether_it_was_in_time(loop: Loop) -> None:
    async def main() -> None:
        for waits in (False, True):
            waiter = Waiter(loop=asyncio.get_running_loop())
            if waits:
                waiter.add_done_callback(lambda _: None)
            assert waiter.cancel() is True
            assert waiter.cancel() is False
            woken = Waiter(loop=asyncio.get_running_loop())
            if waits:
                woken.add_done_callback(lambda _: None)
            woken.wake()
            assert woken.cancel() is False

    loop(main())


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("waits", [False, True])
def test_waking_says_whether_it_has_woken_anyone(loop: Loop, waits: bool) -> None:
    """Otherwise another task would have to be woken for the same message."""

    async def main() -> None:
        waiter = Waiter(loop=asyncio.get_running_loop())
        task = asyncio.ensure_future(asyncio.wait_for(waiter, 60))
        if waits:
            await rounds(1)
        assert waiter.wake()
        if waits:
            assert not waiter.wake()
        await task
        assert not waiter.wake()

    loop(main())


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("when", ["before", "while", "after"])
def test_a_task_that_is_cancelled_is_not_woken(loop: Loop, when: str) -> None:
    async def main() -> None:
        waiter = Waiter(loop=asyncio.get_running_loop())

        async def wait() -> None:
            await waiter

        task = asyncio.create_task(wait())
        if when != "before":
            await rounds(1)
        if when == "after":
            assert waiter.wake()
        task.cancel("why")
        if when == "while":
            assert not waiter.wake()
            assert waiter.cancelled()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert waiter.done() is (when != "before")

    loop(main())


@pytest.mark.parametrize("loop", LOOPS)
def test_callbacks_are_those_of_a_future(loop: Loop) -> None:
    """In order, in their contexts, once each, and not after they were removed."""
    name: ContextVar[str] = ContextVar("name", default="outside")
    called: list[str] = []

    def one(future: asyncio.Future[None]) -> None:
        assert future.done()
        called.append(f"one {name.get()}")

    def two(_: object) -> None:
        called.append(f"two {name.get()}")

    def three(_: object) -> None:
        called.append("three")

    async def main() -> None:
        waiter = Waiter(loop=asyncio.get_running_loop())
        context = copy_context()
        context.run(name.set, "inside")
        waiter.add_done_callback(one, context=context)
        waiter.add_done_callback(two)
        for _ in range(2):
            waiter.add_done_callback(three)
        assert waiter.remove_done_callback(three) == 2
        assert waiter.remove_done_callback(three) == 0
        waiter.wake()
        assert called == []
        await rounds()
        assert called == ["one inside", "two outside"]
        waiter.add_done_callback(three)
        await rounds()
        assert called[2:] == ["three"]
        assert not waiter.cancel()

    loop(main())


@pytest.mark.parametrize("end", ["wake", "cancel", "close"])
@pytest.mark.parametrize("make", [asyncio.SelectorEventLoop, uvloop.new_event_loop])
def test_a_loop_that_is_closed_can_wake_nobody(
    make: Callable[[], asyncio.AbstractEventLoop], end: str
) -> None:
    """What waits there is dropped: closing a mailbox, for one, raises nothing."""

    async def main() -> tuple[Waiter, mint.asyncio.Mailbox, tuple[asyncio.Task[object], ...]]:
        waiter, mailbox = Waiter(loop=loop), mint.asyncio.Mailbox()
        tasks = (asyncio.ensure_future(asyncio.wait_for(waiter, None)), loop.create_task(mailbox.receive()))
        await rounds(1)
        return waiter, mailbox, tasks

    loop = make()
    waiter, mailbox, tasks = loop.run_until_complete(main())
    loop.close()
    for _ in range(2):
        {"wake": waiter.wake, "cancel": waiter.cancel, "close": mailbox.close}[end]()
    if end != "close":
        assert not waiter.wake()
    for task in tasks:
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # asyncio's own switch for its warning
