"""Looks of the drivers: they take what has arrived, at most a hundred messages, and never wait."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
import trio

import mint
import mint.asyncio
import mint.trio
from mint.pool import asyncio as for_asyncio
from mint.pool import trio as for_trio
from mint.pool._driver import Driver
from mint.pool._procedures import Look

if TYPE_CHECKING:
    from collections.abc import Callable

    from mint.pool._requests import ConnectOptions
    from mint.pool._session import Session

    Box = mint.Mailbox | mint.asyncio.Mailbox | mint.trio.Mailbox


class Fake:
    """A session that is lost with its last message."""

    key = 1
    conn = SimpleNamespace(socket=None)

    def __init__(self, last: int) -> None:
        self.fed: list[object] = []
        self._last = last

    @property
    def is_lost(self) -> bool:
        return len(self.fed) >= self._last

    def feed(self, message: object) -> None:
        self.fed.append(message)


NONE = cast("ConnectOptions", None)  # nothing is opened


def with_blocking(step: Look, fill: Callable[[Box], None], has_box: bool) -> None:
    """Without a mailbox, the driver reads from the connection itself; that is not tested here."""
    driver = Driver(NONE, None)
    with mint.Mailbox() as box:
        fill(box)
        if has_box:
            driver._mailboxes[1] = box
            driver._perform(step)


def with_asyncio(step: Look, fill: Callable[[Box], None], has_box: bool) -> None:
    async def main() -> None:
        driver = for_asyncio._Driver(NONE, None)
        with mint.asyncio.Mailbox() as box:
            fill(box)
            if has_box:
                driver._mailboxes[1] = box
            await driver.perform(step)

    asyncio.run(main())


def with_trio(step: Look, fill: Callable[[Box], None], has_box: bool) -> None:
    async def main() -> None:
        driver = for_trio._Driver(NONE, None)
        with mint.trio.Mailbox() as box:
            fill(box)
            if has_box:
                driver._mailboxes[1] = box
            await driver.perform(step)

    trio.run(main)


class Overtaken:
    """A lock for which a thread waits until another one has done all that was postponed."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def __enter__(self) -> None:
        self._driver._postponed.clear()

    def __exit__(self, *_: object) -> None:
        pass


def test_two_threads_may_do_what_was_postponed() -> None:
    driver = Driver(NONE, None)
    driver._postponed.append(lambda: pytest.fail("done twice"))
    driver.lock = Overtaken(driver)
    driver.catch_up()


@pytest.mark.parametrize("look", [with_blocking, with_asyncio, with_trio])
@pytest.mark.parametrize("posted", [0, 1, 99, 100, 101])
@pytest.mark.parametrize("last", [0, 1, 50, 1_000])
def test_a_look_takes_what_has_arrived(
    look: Callable[[Look, Callable[[Box], None], bool], None], posted: int, last: int
) -> None:
    """Until the session is lost."""

    def fill(box: Box) -> None:
        for number in range(posted):
            box.post(number)

    session = Fake(last)
    look(Look(cast("Session", session)), fill, True)  # it stands in for one
    assert session.fed == list(range(min(posted, last, 100)))


@pytest.mark.parametrize("look", [with_blocking, with_asyncio, with_trio])
def test_a_look_without_a_mailbox_or_at_a_closed_one_takes_nothing(
    look: Callable[[Look, Callable[[Box], None], bool], None],
) -> None:
    def close(box: Box) -> None:
        box.close()

    for has_box in (False, True):
        session = Fake(1_000)
        look(Look(cast("Session", session)), close, has_box)  # it stands in for one
        assert session.fed == []
