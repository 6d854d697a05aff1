"""A call in the next iteration of an event loop is scheduled once, and again if the loop has lost it."""

from __future__ import annotations

import asyncio
import gc
import socket
from typing import TYPE_CHECKING

import pytest

from mint import TCPOptions
from mint._loops.asyncio_link import AsyncioLink, NextIteration
from mint._wire.pipe import WRITE
from mint.errors import TransportClosed

from ..inboxes import Box

if TYPE_CHECKING:
    from collections.abc import Callable


class Handle:
    """A handle that cannot be referred to weakly, as some event loops make them."""

    __slots__ = ()


class Loop:
    """A loop that only stores what it is asked to call."""

    def __init__(self, make: Callable[[], object]) -> None:
        self.make = make
        self.calls: list[tuple[Callable[[], object], object]] = []

    def call_soon(self, work: Callable[[], object]) -> object:
        handle = self.make()
        self.calls.append((work, handle))
        return handle


class Referable:
    """A handle like those of asyncio and uvloop."""


@pytest.mark.parametrize("make", [Handle, Referable])
def test_a_call_is_scheduled_once_until_it_has_begun(make: Callable[[], object]) -> None:
    """The loop's handle need not support weak references."""
    loop = Loop(make)
    soon = NextIteration(loop)  # type: ignore[arg-type]  # only call_soon is used
    for _ in range(3):
        soon.ask(loop.calls.clear)
    assert len(loop.calls) == 1
    soon.begun()
    soon.ask(loop.calls.clear)
    assert len(loop.calls) == 2


def test_a_call_that_the_loop_has_lost_is_scheduled_again() -> None:
    """The loop dropped the handle without calling anything."""
    loop = Loop(Referable)
    soon = NextIteration(loop)  # type: ignore[arg-type]  # only call_soon is used
    soon.ask(loop.calls.clear)
    loop.calls.clear()
    gc.collect()
    soon.ask(loop.calls.clear)
    assert len(loop.calls) == 1


def test_real_loops_make_one_call() -> None:
    """Asking again within an iteration makes no second call; asking in the call makes another."""
    made: list[int] = []

    async def main() -> None:
        soon = NextIteration(asyncio.get_running_loop())

        def work() -> None:
            soon.begun()
            made.append(len(made))
            if len(made) < 3:
                soon.ask(work)
                soon.ask(work)

        soon.ask(work)
        soon.ask(work)
        for _ in range(5):
            await asyncio.sleep(0)

    asyncio.run(main())
    assert made == [0, 1, 2]


@pytest.mark.parametrize("event", ["readable", "writable"])
def test_an_exception_in_a_call_of_the_loop_closes_the_link_and_is_reported(
    event: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: AsyncioLink) -> None:
        raise MemoryError

    async def main() -> None:
        near, far = socket.socketpair()
        with far:
            link, box = AsyncioLink(near, TCPOptions()), Box()
            link.inbox, link.armed = box, True
            monkeypatch.setattr(AsyncioLink, event, fail)
            call = link._registration._readable if event == "readable" else link._registration.writable
            with pytest.raises(MemoryError):
                call()
            assert link.has_failed_to_write
            assert box.watched == 1
            with pytest.raises(TransportClosed):
                link.receive_now()
            link.close()

    asyncio.run(main())


def test_a_link_that_has_written_everything_is_not_called_again() -> None:
    """What stays registered would keep the loop awake without end."""

    async def main() -> None:
        near, far = socket.socketpair()
        far.setblocking(False)
        loop = asyncio.get_running_loop()
        with far:
            link = AsyncioLink(near, TCPOptions())
            link.send((bytes(4_000_000),), flush=True)
            assert link.unsent
            assert link._registration.events == WRITE
            left = 4_000_000
            while left:
                left -= len(await loop.sock_recv(far, 1_000_000))
            assert not link.unsent
            assert link._registration.events == 0
            link.close()

    asyncio.run(main())
