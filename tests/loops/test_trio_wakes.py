"""What ends the wait of a mailbox of trio, which has no socket for that."""

from __future__ import annotations

import selectors
import signal
import threading
from functools import partial
from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing

import mint.trio
from mint._loops.mailbox import WakeSocket
from mint.transport import Memory

from ..event_loops import open_sockets
from ..event_loops import run_trio as run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import TypeAlias

    Place: TypeAlias = Callable[[Callable[[], object]], Awaitable[None]]


class SelectOnly(selectors.SelectSelector):
    """A selector without a descriptor, like the only one of Windows."""


async def in_task(act: Callable[[], object]) -> None:
    act()


async def in_thread(act: Callable[[], object]) -> None:
    thread = threading.Thread(target=act)
    thread.start()
    thread.join()


async def in_signal_handler(act: Callable[[], object]) -> None:
    before = signal.signal(signal.SIGUSR1, lambda *_: act())
    try:
        signal.raise_signal(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)


PLACES = [in_task, in_thread, in_signal_handler]


def test_a_mailbox_of_trio_opens_no_socket() -> None:
    before = open_sockets()
    with mint.trio.Mailbox():
        assert open_sockets() == before


def test_it_opens_some_if_the_selector_has_no_descriptor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "DefaultSelector", SelectOnly)
    before = open_sockets()
    with mint.trio.Mailbox() as mailbox:
        assert len(open_sockets() - before) == 2
        assert isinstance(mailbox._wake_socket, WakeSocket)
    assert open_sockets() == before


@pytest.mark.parametrize("selector", [selectors.DefaultSelector, SelectOnly])
@pytest.mark.parametrize("place", PLACES)
def test_a_post_ends_the_wait(
    place: Place,
    selector: type[selectors.BaseSelector],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(selectors, "DefaultSelector", selector)
    received: list[object] = []

    async def receive(mailbox: mint.trio.Mailbox, done: trio.Event) -> None:
        received.append(await mailbox.receive())
        done.set()

    async def main() -> None:
        with mint.trio.Mailbox() as mailbox:
            async with trio.open_nursery() as nursery:
                for number in range(3):
                    done = trio.Event()
                    nursery.start_soon(receive, mailbox, done)
                    await trio.testing.wait_all_tasks_blocked()
                    assert mailbox._asleep
                    await place(partial(mailbox.post, number))
                    await done.wait()

    run(main)
    assert received == [0, 1, 2]


def test_a_connection_that_has_something_to_read_ends_the_wait() -> None:
    async def main() -> None:
        with mint.trio.Mailbox() as mailbox:
            link = Memory()
            conn = mint.http1.initiate(link, scheme="http", hostname="example.org", port=80, mailbox=mailbox)
            conn, _ = conn.request("GET", "/")
            link.take()
            async with trio.open_nursery() as nursery:

                async def receive() -> None:
                    nonlocal conn
                    streamed = conn.stream(await mailbox.receive())
                    assert streamed is not mint.UNKNOWN
                    conn, responses = streamed
                    assert isinstance(responses[-1], mint.Done)

                nursery.start_soon(receive)
                await trio.testing.wait_all_tasks_blocked()
                link.put(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    run(main)


def test_posts_of_a_thread_to_a_task_that_is_busy_arrive_in_order() -> None:
    received: list[object] = []

    async def main() -> None:
        with mint.trio.Mailbox() as mailbox:

            def post() -> None:
                for number in range(1_000):
                    mailbox.post(number)

            thread = threading.Thread(target=post)
            thread.start()
            while len(received) < 1_000:
                received.append(await mailbox.receive())
                if len(received) % 100 == 0:
                    await trio.testing.wait_all_tasks_blocked()
            thread.join()

    run(main)
    assert received == list(range(1_000))


def test_a_wait_that_is_cancelled_can_be_repeated_in_another_run() -> None:
    mailbox = mint.trio.Mailbox()

    async def cancelled() -> None:
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(mailbox.receive)
                await trio.testing.wait_all_tasks_blocked()
                scope.cancel()
        assert scope.cancelled_caught
        assert mailbox._waiting is None

    async def received() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(in_thread, partial(mailbox.post, "late"))
            assert await mailbox.receive() == "late"

    run(cancelled)
    run(received)
    mailbox.close()


def test_a_post_after_the_run_has_ended_is_kept() -> None:
    mailbox = mint.trio.Mailbox()

    async def main() -> None:
        # As if the thread had looked just before the wait, and with it the run, ended.
        mailbox._waiting = trio.lowlevel.current_trio_token(), trio.CancelScope()
        mailbox._asleep = True

    async def received() -> None:
        mailbox._waiting = None
        assert await mailbox.receive() == "kept"

    run(main)
    mailbox.post("kept")
    run(received)
    mailbox.close()
