"""What mailboxes do to a link in active mode: when they may read, what they get, and what is left behind."""

from __future__ import annotations

from contextlib import nullcontext
from itertools import product

import pytest

from mint._wire.pipe import Reading, Writing
from mint.messages import Received

from .bare_link import Bare, Box, held_elsewhere, watched

STATES = list(product(range(6), range(6)))
"""Every state of the incoming direction with every state of the outgoing direction."""


@pytest.mark.parametrize(("reading", "writing"), STATES)
def test_a_link_is_armed_unless_it_was_closed(reading: int, writing: int) -> None:
    link, box = watched()
    link.armed = False
    link._reading, link._writing = reading, writing
    link.arm()
    # What an exception has closed still reports that.
    armed = writing != Writing.CLOSED or reading == Reading.FAILED
    assert link.armed == armed
    assert box.calls == ["watch armed"] * armed


def test_a_link_is_not_armed_without_a_mailbox_or_while_a_message_is_outstanding() -> None:
    link, box = watched()
    assert link.next_number() == 1
    assert not link.armed
    link.arm()
    assert not link.armed
    assert box.calls == []
    link._accepted = 1
    link.arm()
    assert link.armed
    passive = Bare()
    passive.arm()
    assert not passive.armed


def refused(link: Bare, box: Box, *, held: bool = False) -> bool:
    """Whether a mailbox gets nothing; then nothing has changed."""
    out: list[object] = []
    before = (link._held, link._sequence, link.armed)
    taken = link.take_message(box, out)
    assert taken == bool(out)
    if not taken:
        assert (link._held, link._sequence, link.armed) == before
        assert link._wire.held == held
    return not taken


def test_only_its_mailbox_takes_a_message_and_only_if_it_is_armed() -> None:
    link, box = watched()
    link.arrive(b"octets")
    assert refused(link, Box())
    link.armed = False
    assert refused(link, box)
    assert not link.wanted
    link.armed = True
    link.inbox = None
    assert refused(link, box)
    link.inbox = box
    assert not refused(link, box)
    link.arrive(b"more")
    assert refused(link, box), "one message at a time"


def test_a_mailbox_that_finds_the_wire_in_use_is_told_when_it_is_free() -> None:
    link, box = watched()
    link.arrive(b"octets")
    assert link.begin_operation(0)
    assert refused(link, box, held=True)
    assert link.wanted
    link.end_operation(False)
    assert box.calls == ["watch armed"]
    assert not link.wanted
    with held_elsewhere(link._wire):
        assert refused(link, box)
        assert link.wanted
    assert not refused(link, box)
    assert not link.wanted


# Where the octets are, and the state of the incoming direction.
WAYS = ("wire", "layers", "ended")


def prepared(way: str) -> tuple[Bare, Box]:
    link, box = watched()
    if way == "layers":
        link._layers = ("a layer",)
    if way == "ended":
        link._reading = Reading.ENDED
    return link, box


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("arrived", [[b"one"], [b"one", b"two"]])
def test_what_has_arrived_is_the_message_and_nothing_is_read(way: str, arrived: list[bytes]) -> None:
    link, box = prepared(way)
    link.readable = [b"never read"]
    for octets in arrived:
        link.arrive(octets)
    for number, octets in enumerate(arrived, 1):
        out: list[object] = ["before"]
        assert link.take_message(box, out) is True
        assert out == ["before", Received(link.source, number, octets)]
        assert not link.armed
        link._accepted = number
        link.arm()
    assert link.readable == [b"never read"]
    assert link._held == 0


@pytest.mark.parametrize("way", WAYS)
def test_one_read_is_the_message(way: str) -> None:
    link, box = prepared(way)
    link.readable = [b"one", b"two"]
    out: list[object] = []
    assert link.take_message(box, out) is True
    assert out == [Received(link.source, 1, b"one")]
    assert link.readable == [b"two"]
    assert not link._wire.held
    assert not link.armed
    assert link.calls == []


@pytest.mark.parametrize("way", WAYS)
def test_without_octets_there_is_no_message(way: str) -> None:
    link, box = prepared(way)
    link.readable = [None]
    assert refused(link, box)
    assert link.readable == []
    # Only a read without the layers has to ask for the next turn: `receive_now` does so itself.
    assert link.calls == ["leave rest"] * (way == "wire")


@pytest.mark.parametrize("way", WAYS)
def test_the_end_is_a_message(way: str) -> None:
    link, box = prepared(way)
    link.readable = [b""]
    link.following = b""
    out: list[object] = []
    assert link.take_message(box, out) is True
    assert out == ["delivered b'' as 1"]
    assert link.calls == ["take in b''"] * (way == "wire")
    assert not link._wire.held


def test_a_read_that_ends_may_still_give_octets() -> None:
    link, box = watched()
    link.readable = [b""]
    link.following = b"the rest"
    out: list[object] = []
    assert link.take_message(box, out) is True
    assert out == [Received(link.source, 1, b"the rest")]


@pytest.mark.parametrize("way", WAYS)
def test_an_error_is_a_message_and_an_interrupt_breaks_the_link(way: str) -> None:
    link, box = prepared(way)
    link.readable = [ValueError("reading"), KeyboardInterrupt()]
    out: list[object] = []
    assert link.take_message(box, out) is True
    assert out == ["broken by reading as 1"]
    assert link.calls == []
    link._accepted = 1
    link.arm()
    with pytest.raises(KeyboardInterrupt):
        link.take_message(box, out)
    assert len(out) == 1
    assert link.calls == ["broken off"]
    assert not link._wire.held


class Undelivered(Bare):
    """A link for whose messages there is no memory: the first attempt to make one fails half way."""

    def deliver(self, octets: bytes) -> str:
        made = super().deliver(octets)
        if not self.calls.count("no memory"):
            self.calls.append("no memory")
            raise MemoryError
        return made


def test_a_message_that_could_not_be_made_is_made_later_with_the_same_number() -> None:
    link, box = watched(Undelivered())
    link.readable = [b"", b""]
    link.following = b""
    with pytest.raises(MemoryError):
        link.take_message(box, [])
    assert (link._sequence, link.armed, link._wire.held) == (0, True, False)
    assert "broken off" not in link.calls
    out: list[object] = []
    assert link.take_message(box, out) is True
    assert out == ["delivered b'' as 1"]


def test_octets_that_are_lost_break_the_link() -> None:
    link, box = watched()
    link.readable = [bytearray(b"not made into a message")]
    with pytest.raises(TypeError):
        link.take_message(box, [])
    assert link.calls == ["broken off"]
    assert (link._sequence, link.armed, link._wire.held) == (0, True, False)


@pytest.mark.parametrize(
    ("waits", "still", "closed"), list(product((False, True), (False, True), (False, True)))
)
@pytest.mark.parametrize(
    "found", [b"octets", None, KeyboardInterrupt()], ids=["octets", "nothing", "interrupt"]
)
def test_a_read_writes_at_once_and_shuts_a_closed_wire(
    waits: bool, still: bool, closed: bool, found: bytes | BaseException | None
) -> None:
    link, box = watched()
    link.readable = [found]
    link.still = still
    link._writing = Writing.CLOSED if closed else Writing.OPEN
    if waits:
        link._outbox.append(b"output")
    interrupted = isinstance(found, BaseException)
    with pytest.raises(KeyboardInterrupt) if interrupted else nullcontext():
        link.take_message(box, [])
    assert link.calls.count("write") == (waits and not still and not closed)
    assert ("shut" in link.calls) == closed
    assert link._wire.held is False


@pytest.mark.parametrize("closed", [False, True])
def test_a_mailbox_writes_if_the_wire_is_free(closed: bool) -> None:
    link, _ = watched()
    link._writing = Writing.CLOSED if closed else Writing.OPEN
    with held_elsewhere(link._wire):
        link.write_waiting()
        assert link.wanted
        assert link.calls == []
    link.write_waiting()
    assert not link.wanted
    assert link.calls == (["shut"] if closed else ["write"])
    assert not link._wire.held


class Failing(Bare):
    """A link that cannot write."""

    def write_now(self) -> None:
        raise ValueError("writing")

    def _say_goodbye(self) -> None:
        raise ValueError("writing")


def test_a_failure_to_write_leaves_the_wire_free() -> None:
    link = Failing()
    with pytest.raises(ValueError, match="writing"):
        link.write_waiting()
    assert not link._wire.held
    with pytest.raises(ValueError, match="writing"):
        link.end_wire(True)
    assert not link._wire.held
    assert link.calls == ["shut"]


@pytest.mark.parametrize("speaks", [False, True])
@pytest.mark.parametrize("busy", [False, True])
def test_the_wire_is_shut_after_a_goodbye(speaks: bool, busy: bool) -> None:
    link = Bare()
    with held_elsewhere(link._wire) if busy else nullcontext():
        link.end_wire(speaks)
    assert link.calls == ["goodbye"] * (speaks and not busy) + ["shut"]
    assert not link._wire.held
