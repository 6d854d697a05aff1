"""The compiled part of a mailbox: which links it handles itself, and how long it waits."""

from __future__ import annotations

import socket
from itertools import product

import pytest

from mint import TCPOptions
from mint._core.watching import RETRY
from mint._loops.mailbox import Mailbox, _Watch
from mint._wire.pipe import READ, WRITE
from mint.transport import SocketLink

from .described import Described, watched

FALSE_OR_TRUE = (False, True)
EVENTS = (0, READ, WRITE, READ | WRITE)


@pytest.mark.parametrize("known", EVENTS)
@pytest.mark.parametrize("way", ["known", "another note", "no note"])
def test_a_link_is_checked_unless_the_selector_will_report_it(
    known: int, way: str, mailbox: Mailbox, link: Described
) -> None:
    for likely, queued, arrived, ended in product(*[FALSE_OR_TRUE] * 4):
        watch = watched(mailbox, link, known)
        if way != "known":
            link.note = None if way == "no note" else "note"
        link.likely, link._queued = likely, int(queued)
        link._arrived.extend([b"x"] * arrived)
        link._reading = 1 if ended else 0
        mailbox.watch(link)
        reported = way == "known" and known == READ and not (likely or queued or arrived or ended)
        assert len(mailbox._orders) == (not reported), f"{likely=} {queued=} {arrived=} {ended=}"
        if way == "known":
            assert link.note is watch
        link._arrived.clear()
        mailbox.unwatch(link)
    link._queued = link._reading = 0


def test_what_a_mailbox_does_not_watch(mailbox: Mailbox, link: Described) -> None:
    mailbox.watch(object())  # a transport of somebody else may be anything
    mailbox._closed = True
    mailbox.watch(link)
    assert [*mailbox._orders, *mailbox._watches] == []
    assert link.note is None
    mailbox._closed = False


@pytest.mark.parametrize("timeout", [None, 0, RETRY / 2, RETRY, 2 * RETRY, 5])
@pytest.mark.parametrize("refused", FALSE_OR_TRUE)
def test_how_long_a_mailbox_waits(
    timeout: float | None,
    refused: bool,
    mailbox: Mailbox,
    link: Described,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not at all if something is to be done; and not for long if the selector cannot watch a link."""
    asked: list[object] = []

    def select(limit: float | None) -> list[object]:
        asked.append((limit, mailbox._asleep))
        return []

    watch = watched(mailbox, link, 0)
    monkeypatch.setattr(mailbox, "_select", select)
    for order, near, closed in product(*[FALSE_OR_TRUE] * 3):
        mailbox._orders.extend([watch] * order)
        mailbox._near.extend(["posted"] * near)
        mailbox._refused.extend([watch] * refused)
        mailbox._closed = closed
        mailbox._look(timeout)
        expected = timeout
        if order or near or closed:
            expected = 0
        elif refused and (timeout is None or timeout > RETRY):
            expected = RETRY
        assert asked == [(expected, timeout != 0)], f"{order=} {near=} {closed=}"
        assert not mailbox._asleep
        # What was refused is read and written as if it were ready.
        assert [*mailbox._orders] == [watch] * (order + refused)
        assert [*mailbox._near] == ["posted"] * near + [watch] * refused
        assert not mailbox._refused
        for each in (asked, mailbox._orders, mailbox._near):
            each.clear()
    mailbox._closed = False


@pytest.mark.parametrize("registered", EVENTS[1:])
@pytest.mark.parametrize("reported", EVENTS[1:])
@pytest.mark.parametrize("armed", FALSE_OR_TRUE)
@pytest.mark.parametrize("queued", FALSE_OR_TRUE)
@pytest.mark.parametrize("known", FALSE_OR_TRUE)
def test_a_link_that_only_reads_is_queued_without_python(
    registered: int,
    reported: int,
    armed: bool,
    queued: bool,
    known: bool,
    mailbox: Mailbox,
    link: Described,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All others are left to `_report`."""
    left: list[object] = []
    watch = watched(mailbox, link, registered, queued=queued)
    link.armed = armed
    if not known:
        link.note = _Watch.of(link, lambda _: None)
    key = mailbox._selector.get_map()[watch.fd]
    with monkeypatch.context() as patch:
        patch.setattr(mailbox, "_select", lambda _: [(key, reported)])
        patch.setattr(mailbox, "_report", lambda *given: left.append(given))
        mailbox._look(0)
    quick = registered == reported == READ and armed and known
    assert left == ([] if quick else [(watch, reported)])
    assert [*mailbox._ready] == ([watch] if quick and not queued else [])
    assert watch.queued is (queued or quick)


@pytest.mark.parametrize("gives", FALSE_OR_TRUE)
@pytest.mark.parametrize("queued", FALSE_OR_TRUE)
@pytest.mark.parametrize("windowed", FALSE_OR_TRUE)
@pytest.mark.parametrize("known", FALSE_OR_TRUE)
def test_a_link_without_windows_is_read_without_python(
    gives: bool, queued: bool, windowed: bool, known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tunnels are left to `_read`; what a read leaves to be registered, to `_settle`."""
    near, far = socket.socketpair()
    calls: list[tuple[str, object]] = []

    def read(_: object, out: list[object]) -> bool:
        calls.append(("read", None))
        if gives:
            out.append("read")
        return gives

    def settle(_: object, __: object, found: bool) -> None:
        calls.append(("settle", found))

    with far, near, Mailbox() as mailbox:
        link = SocketLink(near, TCPOptions())
        watch = link.note = _Watch.of(link, lambda _: None)
        link.inbox, link.armed = mailbox, True
        if gives:
            far.sendall(b"x")
        if queued:
            link._queued = 1
        link.windowed = windowed
        if not known:
            link.note = None
        monkeypatch.setattr(mailbox, "_read", read)
        monkeypatch.setattr(mailbox, "_settle", settle)
        watch.queued = True
        mailbox._near.append(watch)
        out: list[object] = []
        assert mailbox._take(out) is gives
        assert len(out) == gives
        assert not mailbox._near
        if windowed or not known:
            assert calls == [("read", None)]
        else:
            assert calls == ([("settle", gives)] if queued or not gives else [])
            assert watch.queued is False
        link._queued = 0
        link.note = None
