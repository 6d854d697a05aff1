"""For which events links and mailboxes ask the system, and in which thread links are closed."""

from __future__ import annotations

import asyncio
import socket
import threading
from itertools import product

import pytest
import trio
import trio.testing

import mint
from mint import TCPOptions
from mint._loops.asyncio_link import AsyncioLink
from mint._loops.asyncio_waiting import Waiter
from mint._loops.mailbox import _Watch
from mint._loops.trio_link import TrioLink
from mint._wire.pipe import READ, WRITE
from mint.transport import SocketLink

from ..event_loops import Loop, run_trio
from ..inboxes import Box

STATES = [*product([False, True], repeat=5)]


@pytest.mark.parametrize(("armed", "arrived", "unsent", "flushing", "before"), STATES)
def test_what_a_link_of_asyncio_asks_for(
    armed: bool, arrived: bool, unsent: bool, flushing: bool, before: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mailbox needs input unless some is there; `flush` reads meanwhile; what is registered stays."""
    asked: list[int] = []

    async def main() -> None:
        near, far = socket.socketpair()
        with far:
            link = AsyncioLink(near, TCPOptions())
            monkeypatch.setattr(link._registration, "change", asked.append)
            link._registration._events = READ if before else 0
            link.armed = armed
            if arrived:
                link.arrive(b"x")
            if unsent:
                link.queue_pieces((b"x",))
            if flushing:
                link._flushing.add(Waiter(loop=asyncio.get_running_loop()))
            link.ask()
            link._registration._events = 0
            monkeypatch.undo()
            link.close()

    Loop(asyncio.SelectorEventLoop)(main())
    reads = (armed and not arrived) or flushing or before
    assert asked == [(READ if reads else 0) | (WRITE if unsent else 0)]


@pytest.mark.parametrize(("armed", "wanted", "unsent", "reading", "before"), STATES)
def test_what_a_mailbox_asks_for(
    armed: bool, wanted: bool, unsent: bool, reading: bool, before: bool
) -> None:
    """Nothing while an operation of another thread holds the link, because that asks at its end."""
    near, far = socket.socketpair()
    with far, mint.Mailbox() as mailbox:
        link = SocketLink(near, TCPOptions())
        watch = _Watch.of(link, lambda _: None)
        assert (watch.fd, watch.events, watch.queued) == (near.fileno(), 0, False)
        watch.events = READ if before else 0
        link.armed, link.wanted = armed, wanted
        if unsent:
            link.queue_pieces((b"x",))
        asked = mailbox._events(link, watch, reading=reading)
        reads = (reading and armed) or before
        assert asked == (0 if wanted else (READ if reads else 0) | (WRITE if unsent else 0))
        link.close()


@pytest.mark.parametrize("known", [0, READ, WRITE, READ | WRITE])
@pytest.mark.parametrize("events", [0, READ, WRITE, READ | WRITE])
@pytest.mark.parametrize("armed", [False, True])
@pytest.mark.parametrize("wanted", [False, True])
def test_a_link_that_is_armed_while_its_events_change_is_checked_again(
    known: int, events: int, armed: bool, wanted: bool
) -> None:
    """The thread that armed it may have seen it still registered, and then has not asked the mailbox."""
    near, far = socket.socketpair()
    with far, mint.Mailbox() as mailbox:
        link = SocketLink(near, TCPOptions())
        watch = link.note = _Watch.of(link, lambda _: None)
        mailbox._register(watch, known)
        assert (watch.events, list(mailbox._orders)) == (known, [])
        link.armed, link.wanted = armed, wanted
        mailbox._register(watch, events)
        lost = bool(known & READ) and not events & READ
        assert (watch.events, list(mailbox._orders)) == (
            events,
            [watch] if lost and armed and not wanted else [],
        )
        mailbox.unwatch(link)
        assert watch.events == 0
        link.close()


@pytest.mark.parametrize("armed", [False, True])
@pytest.mark.parametrize("queued", [False, True])
@pytest.mark.parametrize("known", [0, READ])
def test_a_link_whose_socket_something_else_has_closed_is_read_once(
    armed: bool, queued: bool, known: int
) -> None:
    """Reading reports it; a link that nobody wants to read must not be looked at again and again."""
    near, far = socket.socketpair()
    with far, mint.Mailbox() as mailbox:
        link = SocketLink(near, TCPOptions())
        watch = link.note = _Watch.of(link, lambda _: None)
        mailbox._register(watch, known)
        near.close()
        link.inbox, link.armed = mailbox, armed
        if queued:
            watch.queued = True
            mailbox._near.append(watch)
        mailbox._register(watch, READ | WRITE)
        assert watch.events == 0
        mailbox._look(0)
        messages: list[object] = []
        assert mailbox._take(messages) is armed
        assert len(messages) == armed
        assert [*mailbox._near, *mailbox._ready, *mailbox._refused] == []
        assert not mailbox._take(messages)
        mailbox._look(0)
        assert [*mailbox._near, *mailbox._ready, *mailbox._refused] == []
        link.close()


class Watcher:
    """A poller that notes what a registration asks for."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def add_reader(self, *_: object) -> None:
        self.calls.append("add reader")

    def remove_reader(self, *_: object) -> None:
        self.calls.append("remove reader")

    def add_writer(self, *_: object) -> None:
        self.calls.append("add writer")

    def remove_writer(self, *_: object) -> None:
        self.calls.append("remove writer")


@pytest.mark.parametrize("before", [0, READ, WRITE, READ | WRITE])
@pytest.mark.parametrize("after", [0, READ, WRITE, READ | WRITE])
def test_asyncio_is_asked_only_for_what_changes(
    before: int, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stays registered without being noted would keep the loop awake without end."""
    expected = [
        f"{'add' if after & event else 'remove'} {name}"
        for event, name in ((READ, "reader"), (WRITE, "writer"))
        if (before ^ after) & event
    ]

    async def main() -> None:
        near, far = socket.socketpair()
        with far:
            link = AsyncioLink(near, TCPOptions())
            registration, watcher = link._registration, Watcher()
            with monkeypatch.context() as patch:
                patch.setattr(registration, "_poller", watcher)
                registration.change(before)
                watcher.calls.clear()
                for _ in range(2):
                    registration.change(after)
                    assert (registration.events, watcher.calls) == (after, expected)
                registration.change(0)
            link.close()

    Loop(asyncio.SelectorEventLoop)(main())


@pytest.mark.parametrize("armed", [False, True])
@pytest.mark.parametrize("active", [False, True])
@pytest.mark.parametrize("arrives", [False, True])
def test_a_mailbox_is_told_of_what_was_read_while_sending(armed: bool, active: bool, arrives: bool) -> None:
    """The socket is no longer readable then."""
    near, far = socket.socketpair()
    with far:
        link, box = SocketLink(near, TCPOptions()), Box()
        link.inbox = box if active else None
        link.armed = armed and active
        if arrives:
            far.sendall(b"x")
        link._read_ahead()
        assert link.has_next is arrives
        assert box.watched == (armed and active and arrives)
        link.close()


def close_elsewhere(link: AsyncioLink | TrioLink) -> None:
    """Close a link in another thread, while the loop cannot run."""
    thread = threading.Thread(target=link.close)
    thread.start()
    thread.join()
    assert not link.closed


def test_a_link_of_asyncio_is_closed_in_its_own_thread() -> None:
    async def main() -> None:
        near, far = socket.socketpair()
        with far:
            link = AsyncioLink(near, TCPOptions())
            close_elsewhere(link)
            await asyncio.sleep(0)
            assert link.closed
            assert near.fileno() == -1

    Loop(asyncio.SelectorEventLoop)(main())


def test_a_link_of_trio_is_closed_in_its_own_thread() -> None:
    async def main() -> None:
        near, far = socket.socketpair()
        with far:
            link = TrioLink(near, TCPOptions())
            close_elsewhere(link)
            await trio.testing.wait_all_tasks_blocked()
            assert link.closed
            assert near.fileno() == -1

    run_trio(main)
