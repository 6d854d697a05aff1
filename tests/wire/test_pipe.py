"""The pipe without a link: its transition tables, and octets in pieces of any size."""

from __future__ import annotations

import socket
from contextlib import suppress
from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mint import Mailbox, TCPOptions, errors
from mint._wire.pipe import AHEAD, READ, READING, WRITE, WRITING, Pipe, Reading, Writing
from mint.transport import SocketLink

from ..routes import Narrow

if TYPE_CHECKING:
    from collections.abc import Callable

INPUTS: dict[str, Callable[[Pipe], object]] = {
    "end": lambda pipe: pipe._take_in(b""),
    "fail": lambda pipe: pipe.fail(errors.TransportReset()),
    "fail writing": lambda pipe: pipe.fail_writing(),
    "finish": lambda pipe: pipe.finish(),
    "to_write": lambda pipe: pipe.to_write(),
    "finished": lambda pipe: pipe.finished(),
    "close": lambda pipe: pipe.end(),
}


class Turning(Narrow):
    """A layer that inverts every octet, and sends an end like close_notify."""

    keeps_wire = False

    def __init__(self) -> None:
        super().__init__()
        self.left = b""
        self.largest = 0

    def write(self, octets: bytes | memoryview) -> None:
        self.largest = max(self.largest, len(octets))
        self.left += bytes(each ^ 255 for each in octets)

    def leaving(self) -> bytes:
        octets, self.left = self.left, b""
        return octets

    def read(self) -> bytes:
        octets, self.came = self.came, b""
        return bytes(each ^ 255 for each in octets)

    def close_notify(self) -> None:
        self.left += b"!"


@given(st.lists(st.sampled_from(sorted(INPUTS)), max_size=8))
def test_every_sequence_follows_the_tables(names: list[str]) -> None:
    pipe = Pipe()
    for name in names:
        before = pipe._reading, pipe._writing
        INPUTS[name](pipe)
        after = pipe._reading, pipe._writing
        assert after[0] == before[0] or after[0] in {to for (at, _), to in READING.items() if at == before[0]}
        assert after[1] == before[1] or after[1] in {to for (at, _), to in WRITING.items() if at == before[1]}
        if pipe.closed:
            assert not pipe.wants & WRITE
        if after[0] != Reading.OPEN:
            assert not pipe.wants & READ


def test_each_state_has_its_own_number() -> None:
    reading = ("OPEN", "ENDED", "CUT", "FAILED", "REPORTED", "CLOSED")
    writing = ("OPEN", "FINISHING", "SEALED", "FINISHED", "FAILED", "CLOSED")
    assert [getattr(Reading, name) for name in reading] == [*range(6)]
    assert [getattr(Writing, name) for name in writing] == [*range(6)]


@pytest.mark.parametrize(("layered", "ends"), [(False, Reading.ENDED), (True, Reading.CUT)])
def test_the_end_of_the_wire_ends_reading(layered: bool, ends: int) -> None:
    pipe = Pipe((Turning(),) if layered else ())
    pipe._take_in(b"x")
    assert pipe._reading == Reading.OPEN
    pipe._take_in(b"")
    assert pipe._reading == ends
    assert pipe._next()
    assert pipe._next() == b""


def test_closing_ends_both_directions() -> None:
    for reading, writing in product(range(Reading.CLOSED + 1), range(Writing.CLOSED + 1)):
        pipe = Pipe()
        pipe._reading, pipe._writing = reading, writing
        pipe.end()
        assert pipe.closed
        assert pipe.wants == 0
        for again in INPUTS.values():
            again(pipe)
            assert pipe.closed


def test_a_failure_is_raised_after_octets_that_had_arrived() -> None:
    pipe = Pipe()
    pipe._take_in(b"first")
    pipe.fail(errors.TransportReset())
    pipe.fail(errors.TLSFailed("later"))
    assert pipe._next() == b"first"
    assert pipe._reading == Reading.FAILED
    with pytest.raises(errors.TransportReset):
        pipe._next()
    for _ in range(2):
        assert pipe._reading == Reading.REPORTED
        with pytest.raises(errors.TransportClosed):
            pipe._next()


@given(st.lists(st.binary(max_size=200_000), max_size=5), st.data(), st.booleans())
def test_written_octets_are_sent_once_and_in_order(
    pieces: list[bytes], drawn: st.DataObject, layered: bool
) -> None:
    layer = Turning()
    pipe = Pipe((layer,) if layered else ())
    gone = b""

    def take() -> None:
        nonlocal gone
        outbox = pipe.to_write()
        while outbox:
            count = drawn.draw(st.sampled_from([1, 16_384, 1 << 20]))
            octets = bytes(outbox[0])[:count]
            gone += octets
            pipe.accepted(len(octets))
            if drawn.draw(st.booleans()):
                return
            outbox = pipe.to_write()

    for piece in pieces:
        pipe.queue_pieces((piece,))
        assert bool(pipe.wants & WRITE) == bool(pipe.unsent)
        take()
    pipe.finish()
    while pipe.wants & WRITE and not pipe.must_finish:
        take()
    pipe.finished()
    assert pipe._writing == Writing.FINISHED
    assert pipe.unsent == 0
    whole = b"".join(pieces)
    assert gone == (bytes(each ^ 255 for each in whole) + b"!" if layered else whole)
    assert layer.largest <= AHEAD


class Ending(Turning):
    """A layer that writes its name when it ends."""

    def __init__(self, name: bytes, *, keeps_wire: bool = False) -> None:
        super().__init__()
        self.name = name
        self.keeps_wire = keeps_wire

    def write(self, octets: bytes | memoryview) -> None:
        self.left += bytes(octets)

    def close_notify(self) -> None:
        self.left += self.name


def test_finishing_ends_every_layer_up_to_a_tunnel() -> None:
    """RFC 8446 6.1: TLS with a proxy ends with close_notify, too, before the socket is shut down."""
    pipe = Pipe((Ending(b"proxy"), Ending(b"origin,")))
    pipe.queue_pieces((b"octets,",))
    pipe.finish()
    assert b"".join(pipe.to_write()) == b"octets,origin,proxy"
    assert pipe.must_finish is False
    pipe = Pipe((Ending(b"proxy"), Ending(b"tunnel", keeps_wire=True), Ending(b"origin,")))
    pipe.finish()
    assert b"".join(pipe.to_write()) == b"origin,tunnel"
    assert pipe._writing == Writing.SEALED


def test_closing_waits_until_the_end_of_a_layer_was_written() -> None:
    """Nothing is queued, but the wire has no room for what the layer says at its end, like close_notify."""
    near, far = socket.socketpair()
    with far, Mailbox() as mailbox:
        link = SocketLink(near, TCPOptions(), (Ending(b"bye"),))
        count = 0
        with suppress(BlockingIOError):
            while True:
                count += near.send(bytes(65_536), socket.MSG_DONTWAIT)
        link.set_inbox(mailbox)
        link.finish_and_close()
        assert not link.closed
        while count:
            count -= len(far.recv(count))
        link.write_waiting()
        assert link.closed
        assert link.unsent == 0
        assert far.recv(100) == b"bye"
        assert far.recv(100) == b""


def test_layers_get_a_limited_number_of_octets_at_a_time() -> None:
    layer = Turning()
    pipe = Pipe((layer,))
    pipe.queue_pieces((bytes(10_000_000),))
    assert sum(map(len, pipe.to_write())) <= 2 * AHEAD
    assert pipe.unsent == 10_000_000


def test_layers_get_parts_of_a_large_piece_without_a_copy() -> None:
    class Keeping(Turning):
        def write(self, octets: bytes | memoryview) -> None:
            parts.append(octets)
            super().write(octets)

    parts: list[bytes | memoryview] = []
    pipe = Pipe((Keeping(),))
    body = bytes(range(256)) * 1_024
    pipe.queue_pieces((body,))
    while pipe.to_write():
        pipe.accepted(len(pipe._outbox[0]))
    assert b"".join(parts) == body
    assert {len(each) for each in parts} == {AHEAD}
    assert all(memoryview(each).obj is body for each in parts)


def test_output_that_waits_for_a_window_is_not_written() -> None:
    layer = Narrow()
    pipe = Pipe((layer,))
    pipe.queue_pieces((bytes(1_000_000),))
    assert not pipe.to_write()
    assert pipe.wants == READ
    assert pipe.unsent == 1_000_000
    assert layer.waiting <= AHEAD
    pipe.finish()  # the end is sent after the queued octets
    assert pipe.wants == READ


@pytest.mark.parametrize("octets_first", [True, False])
@pytest.mark.parametrize("finished", [True, False])
def test_output_for_a_window_that_cannot_open_is_dropped(octets_first: bool, finished: bool) -> None:
    pipe = Pipe((Narrow(),))
    if octets_first:
        pipe.queue_pieces((bytes(1_000_000),))
        pipe.to_write()
    pipe._take_in(b"")
    if not octets_first:
        pipe.queue_pieces((bytes(1_000_000),))
        pipe.to_write()
    if finished:
        pipe.finish()
    assert pipe._writing == Writing.FAILED
    assert pipe.unsent == 0
    assert not pipe.wants


@given(st.lists(st.tuples(st.binary(max_size=50), st.booleans()), max_size=8), st.booleans())
def test_sending_directly_gives_the_same_result_as_through_the_pipe(
    sends: list[tuple[bytes, bool]], layered: bool
) -> None:
    """`SocketLink.send` writes directly if possible; the result is the same as through the pipe."""
    results = []
    for general in (False, True):
        near, far = socket.socketpair()
        link = SocketLink(near, TCPOptions(), (Turning(),) if layered else ())
        for octets, flush in sends:
            if general:
                link.queue_pieces((octets,))
                if flush:
                    link._write()
            else:
                link.send((octets,), flush=flush)
        unsent = link.unsent
        link.flush(5)
        link.close()
        with far:
            far.settimeout(5)
            received = b""
            while more := far.recv(65_536):
                received += more
        results.append((received, unsent))
    assert results[0] == results[1]


@pytest.mark.parametrize(
    ("sizes", "passed"),
    [
        *(((AHEAD - 1,), [AHEAD - 1]), ((AHEAD,), [AHEAD]), ((AHEAD + 1,), [AHEAD, 1])),
        *(((AHEAD - 1, 1), [AHEAD]), ((AHEAD - 1, 2), [AHEAD - 1, 2]), ((AHEAD, 1), [AHEAD, 1])),
        *(((1, 1, AHEAD - 2, 1), [AHEAD, 1]), ((1, 1, AHEAD - 1), [2, AHEAD - 1])),
        *(((2 * AHEAD, 1), [AHEAD, AHEAD, 1]), ((AHEAD + 1, AHEAD - 1), [AHEAD, AHEAD])),
    ],
)
def test_how_pieces_are_passed_to_a_layer(sizes: tuple[int, ...], passed: list[int]) -> None:
    class Noting(Turning):
        def write(self, octets: bytes | memoryview) -> None:
            written.append(len(octets))
            super().write(octets)

    written: list[int] = []
    pipe = Pipe((Noting(),))
    pipe.queue_pieces(map(bytes, sizes))
    while pipe.to_write():
        pipe.accepted(len(pipe._outbox[0]))
    assert written == passed
    assert not pipe._pending


@pytest.mark.parametrize(
    ("sizes", "output"), [((AHEAD, AHEAD), AHEAD), ((AHEAD - 1, AHEAD), 2 * AHEAD - 1), ((AHEAD + 1,), AHEAD)]
)
def test_a_layer_gets_no_more_once_enough_waits_for_the_wire(sizes: tuple[int, ...], output: int) -> None:
    pipe = Pipe((Turning(),))
    pipe.queue_pieces(map(bytes, sizes))
    assert sum(map(len, pipe.to_write())) == output
    assert pipe.unsent == sum(sizes)


def test_reading_ahead_ends_exactly_at_its_limit() -> None:
    pipe = Pipe()
    pipe.max_read_ahead = 10
    for size, wants in ((9, READ), (1, 0), (1, 0)):
        pipe.arrive(bytes(size))
        assert (pipe.wants, pipe.full) == (wants, not wants)
    pipe._next()
    assert (pipe.wants, pipe.full) == (READ, False)


@pytest.mark.parametrize("queued", [0, 1])
def test_a_layer_is_told_before_input_that_everything_was_written(queued: int) -> None:
    class Told(Turning):
        def written(self) -> None:
            calls.append("written")

        def feed(self, octets: bytes) -> None:
            calls.append("fed")
            super().feed(octets)

    calls: list[str] = []
    pipe = Pipe((Told(),))
    pipe.queue_pieces((bytes(queued),))
    pipe._take_in(b"x")
    assert calls == (["fed"] if queued else ["written", "fed"])
