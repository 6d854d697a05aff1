"""What another thread does between the last look at a mailbox and the wait for its sockets is not missed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio

import mint
import mint.trio
from mint.transport import Memory

if TYPE_CHECKING:
    from collections.abc import Callable

    Box = mint.Mailbox | mint.trio.Mailbox


def posted(box: Box) -> None:
    box.post("a message")


def watched(box: Box) -> None:
    box.watch(Memory())


def closed(box: Box) -> None:
    box.close()


def nothing(_: Box) -> None:
    pass


EVENTS = [posted, watched, closed, nothing]


@pytest.mark.parametrize("event", EVENTS)
def test_the_mailbox_of_blocking_code_does_not_wait_then(
    event: Callable[[Box], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float | None] = []

    def select(timeout: float | None) -> list[object]:
        assert box._asleep, "so that whoever comes now wakes it"
        waits.append(timeout)
        return []

    with mint.Mailbox() as box:
        event(box)
        monkeypatch.setattr(box, "_select", select)
        box._look(None)
        assert not box._asleep
    assert waits == [None if event is nothing else 0]


@pytest.mark.parametrize("event", EVENTS)
def test_the_mailbox_of_trio_does_not_wait_then(
    event: Callable[[Box], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[object] = []

    async def main() -> None:
        async def wait_readable(descriptor: object) -> None:
            assert box._asleep, "so that whoever comes now wakes it"
            waits.append(descriptor)

        async def wait_in_thread() -> None:
            await wait_readable(None)

        with mint.trio.Mailbox() as box:
            event(box)
            monkeypatch.setattr(trio.lowlevel, "wait_readable", wait_readable)
            monkeypatch.setattr(box, "_wait_in_thread", wait_in_thread)
            await box._wait()
            monkeypatch.undo()
            assert not box._asleep

    trio.run(main)
    assert len(waits) == (event is nothing)
