"""What a mailbox does with a link, for every state that the link can be in: write, read, ask for events."""

from __future__ import annotations

import contextlib
import errno
import gc
import select
import selectors
import socket
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any  # of a stand-in for `epoll`

import pytest

import mint
from mint._loops.mailbox import Mailbox, WakeSocket, _Watch
from mint._loops.selector import Epoll
from mint._wire.pipe import READ, WRITE

from .described import Described, watched

if TYPE_CHECKING:
    from collections.abc import Callable

BOTH = READ | WRITE
FALSE_OR_TRUE = (False, True)
CREDIT = [(False, False), (True, False), (True, True)]
"""Whether a link is windowed, and whether it needs credit."""


@pytest.mark.parametrize(
    ("registered", "reported"), [(READ, READ), (WRITE, WRITE), (BOTH, READ), (BOTH, WRITE), (BOTH, BOTH)]
)
@pytest.mark.parametrize("asks", [0, READ, WRITE, BOTH])
@pytest.mark.parametrize(("windowed", "credit"), CREDIT)
def test_a_link_that_is_reported(
    registered: int, reported: int, asks: int, windowed: bool, credit: bool, mailbox: Mailbox, link: Described
) -> None:
    for armed, arrived, queued, wanted in product(*[FALSE_OR_TRUE] * 4):
        watch = watched(mailbox, link, registered, queued=queued)
        link.armed, link.arrived, link.wanted = armed, arrived, wanted
        link.credit, link.windowed, link.asks = credit, windowed, asks
        mailbox._report(watch, reported)
        case = f"{armed=} {arrived=} {queued=} {wanted=}"
        # Writing may also have read something, which the selector then reports no more.
        reads = bool(reported & READ or arrived)
        assert link.writes == bool(reported & WRITE) + (reads and not armed and credit), case
        assert [*mailbox._ready] == ([watch] if reads and armed and not queued else []), case
        assert watch.queued is (queued or (reads and armed)), case
        assert not mailbox._near, case
        expected = registered
        if reads and not armed:
            # Credit is the one thing that is read although nobody wants to receive.
            expected = (0 if wanted else READ) if credit else registered & ~READ
        if wanted or not asks & WRITE:
            expected &= ~WRITE
        assert watch.events == expected, case
    mailbox.unwatch(link)


def test_a_link_that_is_to_be_checked(mailbox: Mailbox, link: Described) -> None:
    for armed, arrived, likely, queued, wanted, waits, before in product(*[FALSE_OR_TRUE] * 7):
        watch = watched(mailbox, link, READ if before else 0, queued=queued)
        link.armed, link.arrived, link.likely, link.wanted = armed, arrived, likely, wanted
        link.waits, link.asks = int(waits), WRITE
        mailbox._update_watch(link, watch)
        case = f"{armed=} {arrived=} {likely=} {queued=} {wanted=} {waits=} {before=}"
        near = armed and (arrived or likely)
        assert link.writes == waits, case
        assert [*mailbox._near] == ([watch] if near and not queued else []), case
        assert watch.queued is (queued or near), case
        assert not mailbox._ready, case
        reads = before or (armed and not near)
        assert watch.events == (0 if wanted else (READ if reads else 0) | (WRITE if waits else 0)), case
    mailbox.unwatch(link)


def test_a_link_that_is_read(mailbox: Mailbox, link: Described) -> None:
    """It stays registered after a message; without one, the selector says when to try again."""
    link.armed, link.asks, link.waits = True, WRITE, 1
    for gives, queued, before in product(FALSE_OR_TRUE, FALSE_OR_TRUE, (0, READ)):
        watch = watched(mailbox, link, before, queued=True)
        link.gives = gives
        link._queued = int(queued)
        out: list[object] = []
        assert mailbox._read(watch, out) is gives
        assert out == ["message"] * gives
        assert not watch.queued
        assert watch.events == (before if gives and not queued else WRITE | (before if gives else READ))
    link._queued = 0
    mailbox.unwatch(link)


@pytest.mark.parametrize(("windowed", "credit"), CREDIT)
@pytest.mark.parametrize("armed", FALSE_OR_TRUE)
@pytest.mark.parametrize("reading", FALSE_OR_TRUE)
def test_credit_is_asked_for_although_nobody_receives(
    windowed: bool, credit: bool, armed: bool, reading: bool, mailbox: Mailbox, link: Described
) -> None:
    link.windowed, link.credit, link.armed = windowed, credit, armed
    watch = _Watch.of(link, lambda _: None)
    events = mailbox._events(link, watch, reading=reading)
    assert events == (READ if credit or (armed and reading) else 0)


@pytest.mark.parametrize("closed", FALSE_OR_TRUE)
@pytest.mark.parametrize("numbers", FALSE_OR_TRUE)
@pytest.mark.parametrize("error", [OSError(errno.EBADF, "Bad file descriptor"), ValueError(-1)])
def test_which_errors_of_a_selector_mean_that_a_socket_was_closed(
    error: Exception, numbers: bool, closed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`select` takes the numbers of sockets; the other selectors never fail because of one socket."""
    if numbers:
        monkeypatch.setattr(selectors, "DefaultSelector", selectors.SelectSelector)
    with mint.Mailbox() as mailbox:

        def fail(_: object) -> list[object]:
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(mailbox._selector, "select", fail)
            mailbox._closed = closed
            if closed or (numbers and isinstance(error, OSError)):
                assert mailbox._select(0) == []
            else:
                with pytest.raises(type(error)):
                    mailbox._select(0)
        mailbox._closed = False


def test_waking_never_waits(mailbox: Mailbox) -> None:
    """A signal handler may wake a receiver that it has interrupted, any number of times."""
    selector = selectors.DefaultSelector()
    waking = WakeSocket(selector)
    for _ in range(2):
        for _ in range(10_000):  # more than the system stores
            waking.wake()
        assert len(selector.select(0)) == 1
        waking.drain()
        assert selector.select(0) == []
    selector.close()
    waking.close()


class Clock:
    """The time, which passes only while the mailbox waits."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.waits: list[float] = []
        patch.setattr("mint._loops.mailbox.monotonic", lambda: self.now)


class Held(Clock):
    """The lock of a mailbox whose other receivers do what the test says."""

    def __init__(self, patch: pytest.MonkeyPatch, steps: list[tuple[float, bool, bool]]) -> None:
        super().__init__(patch)
        self.held, self._steps = False, iter(steps)

    def attempt(self, _: object, given: tuple[float | None, list[object]], seconds: float) -> bool:
        """Take some time; return whether the lock was acquired. There may be a message then."""
        self.waits.append(seconds)
        passes, done, finds = next(self._steps)
        self.now += passes
        if finds:
            given[1].append("message")
        return done


@pytest.mark.parametrize(
    ("timeout", "steps", "waits", "received"),
    [
        (None, [(1, False, False), (900, False, False), (0, True, True)], [-1, -1, -1], True),
        (None, [(1, True, False), (0, True, True)], [-1, -1], True),
        (5, [(0, True, True)], [5], True),
        (5, [(5, True, False)], [5], False),
        (5, [(0, True, False)], [5], False),
        (5, [(2, False, False), (3, False, False), (0, False, False)], [5, 3, 0], False),
        (5, [(2, False, False), (9, True, True)], [5, 3], True),
        (5, [(9, False, False), (0, False, False)], [5, 0], False),
        (5, [(9, False, False), (0, True, True)], [5, 0], True),
        (0, [(0, False, False)], [0], False),
        (-1, [(0, True, True)], [0], True),
    ],
)
def test_how_long_a_receiver_waits_for_another(
    timeout: float | None,
    steps: list[tuple[float, bool, bool]],
    waits: list[float],
    received: bool,
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lock = Held(monkeypatch, steps)
    with monkeypatch.context() as patch:
        patch.setattr(mailbox, "_receive_lock", lock)
        if received:
            assert mailbox.receive(timeout) == "message"
        else:
            with pytest.raises(mint.errors.TransportTimeout):
                mailbox.receive(timeout)
    assert lock.waits == waits


@pytest.mark.parametrize(
    ("left", "passes", "waits"),
    [
        (-1, [0], [0]),
        (0, [0], [0]),
        (3, [3, 0], [3, 0]),
        (3, [1, 2, 0], [3, 2, 0]),
        (3, [9, 0], [3, 0]),
        (0.5, [0.25, 0.25, 0], [0.5, 0.25, 0]),
    ],
)
def test_how_long_a_receiver_waits_for_sockets(
    left: float, passes: list[float], waits: list[float], mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the time is up, the sockets are checked once more, without waiting."""
    clock = Clock(monkeypatch)
    left_over = iter(passes)

    def look(timeout: float) -> None:
        clock.waits.append(timeout)
        clock.now += next(left_over)

    monkeypatch.setattr(mailbox, "_look", look)
    mailbox._receive_until(clock.now + left, [])
    assert clock.waits == waits


@pytest.mark.parametrize("way", ["another mailbox", "no mailbox", "gone"])
@pytest.mark.parametrize("known", [0, READ])
def test_a_link_that_has_left_is_not_registered(way: str, known: int, mailbox: Mailbox) -> None:
    """The number may belong to another socket by now."""
    near, far = socket.socketpair()
    link: Described | None = Described(near)
    assert link is not None
    watch = watched(mailbox, link, known)
    registered = dict(mailbox._selector.get_map())
    link.note = _Watch.of(link, lambda _: None) if way == "another mailbox" else None
    if way == "gone":
        del link
        gc.collect()
        assert watch() is None
    mailbox._register(watch, WRITE)
    assert watch.events == known
    assert mailbox._selector.get_map() == registered
    for each in (near, far):
        each.close()


class Interrupted(BaseException):
    """What a signal handler raises."""


@pytest.mark.parametrize("done", ["nothing", "everything", "half"])
@pytest.mark.parametrize("known", [0, READ, WRITE, BOTH])
@pytest.mark.parametrize("events", [0, READ, WRITE, BOTH])
def test_a_change_that_is_interrupted(
    known: int, events: int, done: str, mailbox: Mailbox, link: Described
) -> None:
    """What the mailbox believes to be registered is; and the next check registers what is needed."""

    def registered() -> int:
        key = mailbox._selector.get_map().get(watch.fd)
        return 0 if key is None else key.events

    watch = watched(mailbox, link, known)
    mailbox._watches.add(watch)
    forget = mailbox._selector.unregister
    with pytest.MonkeyPatch.context() as patch:
        for name in ("register", "modify", "unregister"):
            original = getattr(mailbox._selector, name)

            def interrupt(*given: object, original: Callable[..., object] = original) -> None:
                if done == "everything":
                    original(*given)
                elif done == "half" and known:
                    forget(watch.fd)
                raise Interrupted

            patch.setattr(mailbox._selector, name, interrupt)
        with pytest.raises(Interrupted) if known != events else contextlib.nullcontext():
            mailbox._register(watch, events)
    assert done == "half" or watch.events & ~registered() == 0
    link.armed, link.asks, link.waits = bool(events & READ), events, events & WRITE
    mailbox._recover([])
    while mailbox._orders:
        mailbox._update_watches()
    assert watch.events == registered()
    # What is no longer needed may stay registered to be read, until it is reported.
    assert registered() in {events, events | (known & READ)}
    mailbox.unwatch(link)


def watched_by_system(mailbox: Mailbox) -> dict[int, int]:
    """Return the events that the system watches for, by descriptor."""
    lines = Path(f"/proc/self/fdinfo/{mailbox._selector.fileno()}").read_text(encoding="ascii").splitlines()
    found = [line.split() for line in lines if line.startswith("tfd:")]
    bits = {int(words[1]): int(words[3], 16) for words in found}
    return {
        number: READ * bool(bit & select.EPOLLIN) | WRITE * bool(bit & select.EPOLLOUT)
        for number, bit in bits.items()
    }


class InterruptedEpoll:
    """An `epoll` whose first change is interrupted, before or after the system has made it."""

    def __init__(self, epoll: select.epoll, *, after: bool) -> None:
        self._epoll, self._after, self._left = epoll, after, 1

    def __getattr__(self, name: str) -> Any:  # each method has its own type
        method = getattr(self._epoll, name)
        if name not in {"register", "modify", "unregister"}:
            return method

        def change(*given: int) -> None:
            self._left -= 1
            if self._after or self._left < 0:
                method(*given)
            if self._left >= 0:
                raise Interrupted

        return change


@pytest.mark.parametrize("after", FALSE_OR_TRUE)
@pytest.mark.parametrize("known", [0, READ, WRITE, BOTH])
@pytest.mark.parametrize("events", [0, READ, WRITE, BOTH])
def test_the_system_watches_what_the_mailbox_believes_after_an_interrupt(
    known: int, events: int, after: bool, mailbox: Mailbox, link: Described
) -> None:
    """The exception arrives within the selector, where the system has been asked already, or not."""
    watch = watched(mailbox, link, known)
    mailbox._watches.add(watch)
    selector = mailbox._selector
    assert isinstance(selector, Epoll)
    before = watched_by_system(mailbox)
    assert before.get(watch.fd, 0) == known
    epoll = selector._epoll
    selector._epoll = InterruptedEpoll(epoll, after=after)  # type: ignore[assignment]  # it has the methods
    with pytest.raises(Interrupted) if known != events else contextlib.nullcontext():
        mailbox._register(watch, events)
    selector._epoll = epoll
    assert watched_by_system(mailbox).keys() <= selector.get_map().keys()
    link.armed, link.asks, link.waits = bool(events & READ), events, events & WRITE
    mailbox._recover([])
    while mailbox._orders:
        mailbox._update_watches()
    assert watched_by_system(mailbox).get(watch.fd, 0) == watch.events
    assert watch.events in {events, events | (known & READ)}
    mailbox.unwatch(link)
    assert watch.fd not in watched_by_system(mailbox)


@pytest.mark.parametrize("known", [READ, WRITE, BOTH])
@pytest.mark.parametrize("events", [0, READ, WRITE, BOTH])
def test_a_registration_that_the_selector_has_lost(
    known: int, events: int, mailbox: Mailbox, link: Described
) -> None:
    """An exception may have interrupted the selector itself."""
    watch = watched(mailbox, link, known)
    mailbox._selector.unregister(watch.fd)
    mailbox._register(watch, events)
    if known != events:
        assert watch.events == 0
        assert [*mailbox._orders] == [watch]
    link.armed, link.asks, link.waits = bool(events & READ), events, events & WRITE
    mailbox._update_watches()
    key = mailbox._selector.get_map().get(watch.fd)
    assert known == events or watch.events == events == (0 if key is None else key.events)


@pytest.mark.parametrize("lost", FALSE_OR_TRUE)
def test_a_link_is_read_although_an_exception_kept_it_from_that(
    lost: bool, mailbox: Mailbox, link: Described
) -> None:
    """It was taken from its queue, and a message was made or not."""
    watch = watched(mailbox, link, 0, queued=True)
    mailbox._watches.add(watch)
    link.armed = link.arrived = link.gives = link.windowed = True
    mailbox._recover(["made"] if lost else [])
    assert watch.queued is False
    got = [mailbox.receive(0) for _ in range(1 + lost)]
    assert got == ["made"] * lost + ["message"]
    mailbox.unwatch(link)


def test_a_link_is_watched_once_however_often_it_asks(mailbox: Mailbox, link: Described) -> None:
    link.armed = True
    mailbox.watch(link)
    watch = link.note
    for _ in range(3):
        mailbox.watch(link)
        mailbox._look(0)
        assert link.note is watch
        assert mailbox._watches == {watch}
    mailbox.unwatch(link)
    assert not mailbox._watches


@pytest.mark.parametrize("asleep", FALSE_OR_TRUE)
@pytest.mark.parametrize("way", ["post", "watch"])
def test_only_a_receiver_that_waits_is_woken(
    way: str, asleep: bool, mailbox: Mailbox, link: Described, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wake-up that nobody waits for would end the next wait."""
    woken: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(mailbox, "_wake", lambda: woken.append(way))
        mailbox._asleep = asleep
        if way == "post":
            mailbox.post("posted")
        else:
            mailbox.watch(link)
        mailbox._asleep = False
    assert woken == [way] * asleep
    mailbox.unwatch(link)


@pytest.mark.parametrize("where", ["_orders", "_near", "_ready", "_refused"])
def test_a_link_that_leaves_is_neither_read_nor_written(
    where: str, mailbox: Mailbox, link: Described
) -> None:
    """Even if it waits in a queue; and its note is free for another mailbox."""
    watch = watched(mailbox, link, READ, queued=True)
    link.armed = link.arrived = link.gives = link.windowed = True
    link.asks = link.waits = WRITE
    getattr(mailbox, where).append(watch)
    mailbox.unwatch(link)
    assert link.note is None
    assert watch.fd not in mailbox._selector.get_map()
    mailbox._look(0)
    assert not mailbox._take([])
    assert link.writes == 0
    assert watch.events == 0


@pytest.mark.parametrize("way", ["forget", "recover"])
def test_a_number_that_belongs_to_another_link_stays_registered(
    way: str, mailbox: Mailbox, link: Described
) -> None:
    """Something else has closed the socket, and the system has given its number to another."""
    watch = link.note = _Watch.of(link, lambda _: None)
    watch.events = READ
    mailbox._watches.add(watch)
    assert link.socket is not None
    other = Described(link.socket)
    theirs = watched(mailbox, other, BOTH)
    if way == "forget":
        mailbox.unwatch(link)
    else:
        mailbox._recover([])
    assert watch.events == 0
    key = mailbox._selector.get_map()[theirs.fd]
    assert (key.data, key.events, theirs.events) == (theirs, BOTH, BOTH)
    mailbox.unwatch(other)
