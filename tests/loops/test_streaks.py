"""How many messages a mailbox returns before it looks at the sockets or lets other tasks run."""

from __future__ import annotations

import asyncio

import trio
import trio.testing

import mint
import mint.asyncio
import mint.trio
from mint.transport import Memory

from ..event_loops import Loop, run_trio

BLOCKING, ASYNCIO = 64, 16


def test_posts_are_returned_without_looking_at_the_sockets_64_times() -> None:
    class Looking(mint.Mailbox):
        def _look(self, timeout: float | None) -> None:
            looks.append(timeout)
            super()._look(timeout)

    looks: list[float | None] = []
    with Looking() as mailbox:
        for number in range(3 * BLOCKING):
            mailbox.post(number)
        for number in range(3 * BLOCKING):
            assert mailbox.receive(10) == number
            assert looks == [0] * (number // BLOCKING)


def test_a_mailbox_of_trio_never_waits_for_the_sockets_itself() -> None:
    class Looking(mint.trio.Mailbox):
        def _look(self, timeout: float | None) -> None:
            looks.append(timeout)
            super()._look(timeout)

    looks: list[float | None] = []

    async def main() -> None:
        with Looking() as mailbox:
            for number in range(2 * BLOCKING):
                mailbox.post(number)
            for number in range(2 * BLOCKING):
                assert await mailbox.receive() == number
            async with trio.open_nursery() as nursery:
                nursery.start_soon(mailbox.receive)
                await trio.testing.wait_all_tasks_blocked()
                mailbox.post("last")
        assert set(looks) == {0}

    run_trio(main)


def turns(mailbox: mint.asyncio.Mailbox, link: Memory | None = None) -> int:
    """Receive a message; return how often that let other tasks run. Meanwhile octets arrive for the link."""
    receiving = mailbox.receive()
    for turn in range(10):
        try:
            receiving.send(None)
        except StopIteration:
            return turn
        if link is not None:
            link.put(b"x")
    raise AssertionError("there is no message")


def busy(mailbox: mint.asyncio.Mailbox, *, likely: bool) -> Memory:
    """Return a link for which nothing has arrived; `likely` says whether there is always more to read."""
    link = Memory()
    mint.http1.initiate(link, scheme="http", hostname="a", mailbox=mailbox)
    link.likely = likely
    return link


def test_messages_of_busy_connections_let_other_tasks_run_after_16() -> None:
    async def main() -> None:
        mailbox = mint.asyncio.Mailbox()
        links = [busy(mailbox, likely=True) for _ in range(4 * ASYNCIO)]
        for link in links[: 2 * ASYNCIO]:
            link.put(b"x")
        assert [turns(mailbox) for _ in range(2 * ASYNCIO)] == [0] * 16 + [1] + [0] * 15
        # A message that had to be waited for is the first of the next 16.
        assert turns(mailbox, links[2 * ASYNCIO]) == 1
        for link in links[2 * ASYNCIO + 1 :]:
            link.put(b"x")
        assert [turns(mailbox) for _ in range(ASYNCIO)] == [0] * 15 + [1]

    Loop(asyncio.SelectorEventLoop)(main())


def test_messages_of_quiet_connections_and_posts_do_not_count() -> None:
    async def main() -> None:
        mailbox = mint.asyncio.Mailbox()
        links = [busy(mailbox, likely=False) for _ in range(2 * ASYNCIO)]
        for link in links:
            link.put(b"x")
            mailbox.post("x")
        assert not any(turns(mailbox) for _ in range(4 * ASYNCIO))

    Loop(asyncio.SelectorEventLoop)(main())
