"""What operations do to a link: who gets it, what is counted, and who is told."""

from __future__ import annotations

from itertools import product
from threading import get_ident

import pytest

from mint._wire.pipe import Reading, Writing

from .bare_link import Bare, Box, in_another_thread, watched

# -- claiming and releasing


def test_only_the_newest_generation_gets_the_link() -> None:
    link = Bare()
    for newest in range(4):
        for generation in range(-1, 6):
            got = link.begin_operation(generation)
            assert got == (generation == newest)
            assert link._guard.held == link._wire.held == got
            if got:
                assert link.end_operation(False) == newest
        assert link.begin_operation(newest)
        assert link.end_operation(True) == newest + 1
        assert not link._guard.held
        assert not link._wire.held


def test_a_link_in_use_is_claimed_by_no_one() -> None:
    link = Bare()
    assert link.begin_operation(0)
    assert not link.begin_operation(0)
    assert not in_another_thread(lambda: link.begin_operation(0))
    link.end_operation(False)
    assert in_another_thread(lambda: link.begin_operation(0) and link.end_operation(True) == 1)
    assert link.begin_operation(1)


@pytest.mark.parametrize("home", ["none", "this", "other"])
def test_a_link_of_a_loop_belongs_to_one_thread(home: str) -> None:
    link = Bare()
    link.home = {"none": 0, "this": get_ident(), "other": get_ident() + 1}[home]

    def claimed() -> bool:
        return link.begin_operation(0) and link.end_operation(False) == 0

    assert claimed() == (home != "other")
    assert in_another_thread(claimed) == (home == "none")


@pytest.mark.parametrize(
    ("wanted", "queued", "active", "closed"),
    list(product((False, True), (0, 1), (False, True), (False, True))),
)
def test_an_operation_that_ends_tells_the_mailbox_what_is_left(
    wanted: bool, queued: int, active: bool, closed: bool
) -> None:
    link, box = Bare(), Box()
    link.inbox = box if active else None
    assert link.begin_operation(0)
    link.wanted = wanted
    link._queued = queued
    link._writing = Writing.CLOSED if closed else Writing.OPEN
    assert link.closed == closed
    assert link.end_operation(True) == 1
    told = active and not closed and (wanted or queued > 0)
    assert box.calls == ["watch"] * told
    assert link.calls == ["shut"] * closed
    assert link.wanted == (wanted and not told)


@pytest.mark.parametrize("reads", [False, True])
@pytest.mark.parametrize("windowed", [False, True])
@pytest.mark.parametrize("queued", [0, 1, 2])
@pytest.mark.parametrize("unsent", [0, 1])
def test_everything_is_written_once_nothing_waits(
    reads: bool, windowed: bool, queued: int, unsent: int
) -> None:
    link = Bare()
    link.reads, link.windowed, link._queued, link.unsent = reads, windowed, queued, unsent
    assert link.written == (reads or (queued == 0 and not (windowed and unsent)))
    assert link.has_queued == (queued > 0)


# -- interrupted operations


class SuccessorError(Exception):
    successor: object = None


@pytest.mark.parametrize("active", [False, True])
@pytest.mark.parametrize("depth", [1, 3])
def test_an_interrupted_operation_closes_the_link(active: bool, depth: int) -> None:
    link, box = Bare(), Box()
    link.inbox = box if active else None
    link._outbox.append(b"out")
    link._pending.append(b"pending")
    link.arrive(b"in")
    link._queued, link._unsealed = 10, 7
    link._failure = OSError()
    assert link.begin_operation(0)
    for _ in range(depth - 1):
        link._wire.acquire()
    link.armed = True
    link.settle(0, KeyboardInterrupt())
    assert (link._reading, link._writing) == (Reading.FAILED if active else Reading.CLOSED, Writing.CLOSED)
    assert (link._queued, link._unsealed, link._held) == (0, 0, 0)
    assert link._failure is None
    assert not (link._outbox)
    assert not (link._pending)
    assert not (link._arrived)
    assert not link._wire.held
    assert not link._guard.held
    assert in_another_thread(lambda: link._wire.acquire(False))
    assert link.calls == ["shut"]
    # In active mode, one last message reports it.
    assert box.calls == ["unwatch", "watch armed"] * active
    assert link.armed == active


@pytest.mark.parametrize("mover", ["this", "other"])
@pytest.mark.parametrize("moved", [0, 1, 2])
def test_a_successor_that_was_never_returned_is_taken_back(mover: str, moved: int) -> None:
    """Only the thread that made it takes it back, and only the very next one."""
    link = Bare()

    def move() -> None:
        for generation in range(moved):
            assert link.begin_operation(generation)
            link.end_operation(True)

    if mover == "this":
        move()
    else:
        in_another_thread(move)
    link.settle(0, KeyboardInterrupt())
    taken_back = mover == "this" and moved == 1
    assert link.closed == taken_back
    assert link.generation == (0 if taken_back else moved)
    assert link.calls == ["shut"] * taken_back
    assert link.begin_operation(link.generation)


@pytest.mark.parametrize("successor", [None, "a value"])
def test_an_error_with_a_successor_interrupts_nothing(successor: str | None) -> None:
    link = Bare()
    error = SuccessorError()
    error.successor = successor
    assert link.begin_operation(0)
    link.settle(0, error)
    assert link.closed == (successor is None)
    assert link._guard.held == (successor is not None)


# -- the queues


@pytest.mark.parametrize(
    "pieces", [[], [b"one"], [bytearray(b"one")], [b"a", b"bc"], [b"a", bytearray(b"b")]]
)
def test_output_is_taken_as_octets(pieces: list[bytes]) -> None:
    link = Bare()
    link._outbox.extend(pieces)
    link._queued = sum(map(len, pieces))
    taken = link.take_output()
    assert type(taken) is bytes
    assert taken == b"".join(pieces)
    assert (link._queued, list(link._outbox), link.has_queued) == (0, [], False)


def test_what_has_arrived_is_counted() -> None:
    link, box = watched()
    assert (link._held, link.has_next, link.is_quiet) == (0, False, True)
    link.arrive(b"one")
    link.arrive(b"three")
    assert (link._held, link.has_next, link.is_quiet) == (8, True, False)
    link.take_message(box, [])
    assert (link._held, link.has_next) == (5, True)


@pytest.mark.parametrize("likely", [False, True])
@pytest.mark.parametrize("queued", [0, 1])
@pytest.mark.parametrize("reading", range(6))
def test_a_link_is_quiet_while_nothing_can_be_done(likely: bool, queued: int, reading: int) -> None:
    link = Bare()
    link.likely, link._queued, link._reading = likely, queued, reading
    assert link.has_next == (reading != Reading.OPEN)
    assert link.is_quiet == (not likely and not queued and reading == Reading.OPEN)
