"""The link of the transports: sending and receiving over a wire that accepts little, ends early or breaks.

The wire is scripted: it has some octets, an end or an error to give, and accepts some octets or breaks.
Nothing
that arrived before a failure is lost, an error is raised once, and an early response is received even though
the request could not be sent completely (RFC 9112 9.5).
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from layers import ASCII, END, Veil
from mint._wire.link import Link
from mint.errors import TransportClosed, TransportError, TransportTimeout
from support import Choices, check, counted, fuzz

if TYPE_CHECKING:
    import socket as sockets
    from collections.abc import Callable


class Wire(Link):
    """A link over a scripted wire."""

    def __init__(self, layers: list[Veil]) -> None:
        """Start with nothing to give, and accept nothing."""
        super().__init__(layers)
        self.incoming: deque[bytes | TransportError] = deque()
        self.room = 0
        self.broken: TransportError | None = None
        self.taken = b""
        self.ends = self.shuts = 0
        self.still = True  # receiving does not write: `push` does, as a mailbox

    def _push(self) -> int:
        count = 0
        while self.to_write():
            if self.broken is not None:
                raise self.broken
            first = bytes(self.to_write()[0])[: self.room]
            if not first:
                break
            self.room -= len(first)
            self.taken += first
            self.accepted(len(first))
            count += len(first)
        return count

    def _pull(self, until: float | None, *, wait: bool) -> bytes | None:  # noqa: ARG002  # no clock here
        if not self.incoming:
            if wait:
                raise TransportTimeout("receiving")
            return None
        item = self.incoming.popleft()
        if isinstance(item, TransportError):
            self.fail(item)
            return None
        return item

    def _end_writing(self) -> None:
        self.ends += 1

    def _shut(self) -> None:
        self.shuts += 1

    @property
    def socket(self) -> sockets.socket | None:
        """None: there is no socket."""
        return None

    def flush(self, timeout: float | None) -> None:  # noqa: ARG002  # no clock here
        """Write what the wire accepts."""
        self._write()


class Model:
    """What the caller and the peer have done, and what must follow."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices
        self.layers = [Veil(choices.below(128)) for _ in range(choices.below(2))]
        self.wire = Wire(self.layers)
        self.table = self.layers[0].table if self.layers else bytes(range(256))
        self.sent = b""
        self.coming: deque[bytes | TransportError] = deque()  # not received yet: octets, an end, an error
        self.over = False  # whether the peer's direction has ended
        self.final: bytes | TransportError | None = None  # what receiving gives from now on
        self.lost = False  # whether writing has failed
        self.kept: TransportError | None = None  # why, if that is reported after the peer's end
        self.finished = False
        self.clean = False

    # -- the peer

    def arrive(self) -> None:
        """Give the wire something to read."""
        if self.over:
            return
        kind = self.choices.below(12)
        item: bytes | TransportError
        if kind == 0:
            self.over = True
            item = TransportError("reset")
            self.wire.incoming.append(item)
        elif kind == 1:
            self.over = True
            item = b""
            self.clean = not self.layers or self.choices.chance(60)
            self.wire.incoming.append(bytes([END]) if self.layers and self.clean else b"")
        else:
            item = counted(self.choices.between(1, 40), self.choices.byte()).translate(ASCII)
            self.wire.incoming.append(item.translate(self.table))
        self.coming.append(item)

    def accept(self) -> None:
        """Let the wire accept more, or nothing ever again."""
        if self.choices.chance(8) and self.wire.broken is None:
            self.wire.broken = TransportError("broken")
        self.wire.room += self.choices.pick((0, 1, 10, 100, 70_000))

    # -- the caller

    def send(self) -> None:
        """Send something, or write what was queued before."""
        size = self.choices.pick((0, 1, 10, 100, 66_000))
        octets = counted(size, self.choices.byte()).translate(ASCII)
        pieces = (octets, b"", b"tail")[: self.choices.between(1, 3)]
        if self.finished and not self.lost:
            self.raises(lambda: self.wire.send(pieces, flush=True))
            return
        flush = self.choices.chance(70)
        if not self.lost:
            self.sent += b"".join(pieces)
        if self.lost and self.final == b"":
            self.late(lambda: self.wire.send(pieces, flush=flush))
            return
        self.writing(lambda: self.wire.send(pieces, flush=flush), writes=flush)

    def finish(self) -> None:
        """End the outgoing direction."""
        first = not (self.finished or self.lost)
        self.finished = self.finished or first
        self.writing(self.wire.shut_write, writes=first)

    def push(self) -> None:
        """Write what the wire accepts, as a mailbox does."""
        self.writing(lambda: self.wire.flush(None), writes=True)

    def late(self, call: Callable[[], None]) -> None:
        """Check that a call says why writing had failed, now that everything was received."""
        wanted, self.kept = self.kept, None
        try:
            call()
        except TransportError as error:
            check(error is wanted or (wanted is None and isinstance(error, TransportClosed)), "late", error)
        else:
            check(False, "a failure is not reported", wanted)

    def writing(self, call: Callable[[], None], *, writes: bool) -> None:
        """Make a call that may write. If the wire breaks, what had arrived must be received first."""
        breaks = writes and not self.lost and self.wire.broken is not None and self.pending()
        known = self.over and not self.wire.incoming  # whether the link has read the end already
        error: TransportError | None = None
        try:
            call()
        except TransportError as caught:
            error = caught
        if not breaks:
            check(error is None, "an error without a cause", error)
            return
        self.lost = True
        arrived = self.outlive(known=known)
        check(error is (None if arrived else self.wire.broken), "a wrong error", error, arrived)
        if arrived and self.coming and self.coming[-1] == b"":
            self.kept = self.wire.broken

    def outlive(self, *, known: bool) -> bool:
        """Note that writing has failed; return whether something that came before is received first."""
        broken = self.wire.broken
        if self.final is not None or broken is None:
            return False
        last = self.coming[-1] if self.over else None
        octets = [item for item in self.coming if isinstance(item, bytes) and item]
        if last == b"" and not known and not (self.layers and self.clean):
            last = None  # the system reports a reset only once, so this end may stand for it
        self.over = True
        if last is None or (isinstance(last, TransportError) and not octets and not known):
            last = broken
        self.coming = deque([*octets, last])
        if octets or (known and isinstance(last, TransportError)):
            return True
        if isinstance(last, TransportError):  # it is raised now, and not again
            self.coming.clear()
            self.final = TransportClosed()
        return False

    def pending(self) -> bool:
        """Whether there is something to write."""
        taken = self.wire.taken
        ends = taken.count(bytes([END])) if self.layers else 0
        return len(taken) - ends < len(self.sent) or (bool(self.layers) and self.finished and not ends)

    def raises(self, call: Callable[[], object]) -> None:
        """Check that a call says that the direction has ended."""
        try:
            call()
        except TransportClosed:
            return
        check(False, "sending after the end")

    def receive(self) -> None:
        """Receive the next piece, with or without waiting."""
        wait = self.choices.chance(50)
        got: bytes | TransportError | None
        try:
            got = self.wire.receive(0.0) if wait else self.wire.receive_now()
        except TransportTimeout:
            got = None
        except TransportError as error:
            got = error
        if self.coming:
            wanted = self.coming.popleft()
            while isinstance(wanted, bytes) and isinstance(got, bytes) and wanted and len(got) > len(wanted):
                more = self.coming.popleft() if self.coming else None
                check(isinstance(more, bytes) and more != b"", "more is received than has arrived", got)
                wanted += more if isinstance(more, bytes) else b""
            check(got is wanted or got == wanted, "something else is received", got, wanted)
            if not isinstance(wanted, bytes):
                self.final = TransportClosed()
            elif not wanted:
                self.final = b""
        elif self.final is None:
            check(got is None, "something is received from nowhere", got)
        else:
            same = got == self.final or (isinstance(got, TransportClosed) and self.final != b"")
            check(same, "not the same end again", got, self.final)
        if self.final == b"" and not self.lost:
            check(self.wire.clean_end == self.clean, "a wrong kind of end", self.clean)

    def look(self) -> None:
        """Look at what has arrived; nothing is consumed."""
        seen = self.wire.look()
        octets = b"".join(item for item in self.coming if isinstance(item, bytes))
        end = [item for item in self.coming if not isinstance(item, bytes) or not item]
        over = end[-1] if end else self.final
        if seen is None:
            check(not octets and over is None, "something is not seen", octets, over)
            return
        check(b"".join(seen.octets) == octets, "other octets are seen", seen, octets)
        check(seen.ended == (over == b""), "a wrong end is seen", seen, over)
        check((seen.failure is not None) == isinstance(over, TransportError), "a wrong failure", seen, over)

    def judge(self) -> None:
        """Check what must be true at any time."""
        wire = self.wire
        plain = wire.taken.replace(bytes([END]), b"") if self.layers else wire.taken
        check(self.sent.translate(self.table).startswith(plain), "wrong octets are written", plain[-20:])
        unsent = 0 if self.lost else len(self.sent) - len(plain)
        check(unsent <= wire.unsent <= unsent + len(self.layers), "a wrong count", wire.unsent, unsent)
        complete = self.finished and not self.lost and len(plain) == len(self.sent)
        check(wire.ends <= 1, "the direction is ended twice", wire.ends)
        if wire.ends:
            check(complete or self.lost, "an end before everything was written", len(plain), len(self.sent))
        check(wire.has_failed_to_write == self.lost, "writing has failed or not", self.lost)

    def leave(self) -> None:
        """Close once everything has been written; an error is one only if the caller's octets are lost."""
        wire, wanted = self.wire, None
        owed = wire.unsent
        if self.lost:
            wanted = self.kept
        elif (owed or self.layers) and wire.broken is not None:
            self.finished = True
            if self.pending():
                self.lost = True
                arrived = self.outlive(known=self.over and not wire.incoming)
                wanted = None if arrived or not owed else wire.broken
        error: TransportError | None = None
        try:
            wire.finish_and_close()
        except TransportError as caught:
            error = caught
        check(error is wanted, "a wrong error at the end", error, wanted)
        if self.lost or wire.broken is not None:
            return
        if not wire.closed:
            wire.room += 100_000_000
            wire.flush(None)
        check(wire.closed and wire.shuts > 0 and not wire.unsent, "not closed after everything was written")
        plain = wire.taken.replace(bytes([END]), b"") if self.layers else wire.taken
        check(plain == self.sent.translate(self.table), "something is never written", len(plain))
        check(not self.layers or END in wire.taken, "no close_notify", wire.taken[-9:])

    def close(self) -> None:
        """Close: what the wire accepts is still written."""
        before, room = len(self.wire.taken), self.wire.room
        left = self.wire.unsent
        self.wire.close()
        check(self.wire.shuts > 0 and self.wire.closed, "the wire is not shut")
        if self.wire.broken is None:
            wrote = len(self.wire.taken) - before
            if self.layers and not self.lost and room > left + 1:  # the end as well
                check(END in self.wire.taken, "no close_notify", self.wire.taken[-9:])
            check(
                min(left, room) <= wrote <= left + len(self.layers), "closing writes less", wrote, left, room
            )
        if not self.lost:
            self.raises(lambda: self.wire.send((b"x",), flush=True))


def one(data: bytes) -> None:
    """Try one input."""
    choices = Choices(data)
    model = Model(choices)
    for _ in range(choices.between(4, 40)):
        act = choices.pick(ACTS)
        if act == "finish" and choices.chance(70):
            continue
        getattr(model, act)()
        model.judge()
    if choices.chance(40):
        (model.close if choices.chance(60) else model.leave)()
        return
    while model.coming:
        model.receive()


ACTS = (
    "arrive",
    "arrive",
    "arrive",
    "accept",
    "accept",
    "send",
    "send",
    "receive",
    "receive",
    "look",
    "push",
    "finish",
)


if __name__ == "__main__":
    fuzz(one)
