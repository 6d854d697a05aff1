"""A pipe through a tunnel with windows: what may leave, when the wire must be read, and what can be lost.

A part of the harness `pipe`. The peer allows some octets at a time, also after it has ended its own
direction, with or without the end of the layer inside. The tunnel or the wire may break at any time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from layers import ASCII, CREDIT, END, GATE_END, GATE_RESET, Gate, Shift, Veil
from mint._wire.pipe import READ, WRITE, Pipe, Writing
from mint.errors import TransportClosed, TransportError, TransportReset
from support import check, counted

if TYPE_CHECKING:
    from support import Choices


class Windowed:
    """The pipe, and a naive model of it."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices
        self.gate = Gate()
        self.veils = [Veil(choices.below(128)) for _ in range(choices.below(2))]
        self.table = self.veils[0].table if self.veils else bytes(range(256))
        self.outer = [Shift(choices.byte()) for _ in range(choices.below(2))]
        self.pipe = Pipe((*self.outer, self.gate, *self.veils))
        self.pipe.begin()
        self.written = self.left = self.sent = self.read = b""
        self.credit = 0
        self.finished = False
        self.peer = ""  # how its direction ended: "", "end", "cut" or "fail"
        self.broken = False  # whether the tunnel or the wire has broken
        self.reported = False
        self.wire = True  # whether something can arrive from it

    @property
    def lost(self) -> bool:
        """Whether nothing more is written."""
        return self.pipe._writing == Writing.FAILED  # noqa: SLF001  # what a link looks at

    def feed(self, octets: bytes) -> None:
        """Let octets arrive."""
        for layer in self.outer:
            octets = octets.translate(layer.table)
        self.pipe._take_in(octets)  # noqa: SLF001  # what a driver does

    def write(self) -> None:
        """The caller writes."""
        if not self.finished and not self.lost:
            octets = counted(self.choices.pick((0, 1, 10, 90)), self.choices.byte()).translate(ASCII)
            self.pipe.queue_pieces((octets,))
            self.written += octets

    def finish(self) -> None:
        """The caller writes no more."""
        self.pipe.finish()
        self.finished = True

    def take(self, *, everything: bool = False) -> None:
        """The system accepts some octets, or all."""
        ready = b"".join(bytes(one) for one in self.pipe.to_write())
        count = len(ready) if everything else min(len(ready), self.choices.pick((0, 1, 9, 1_000, 1_000)))
        self.pipe.accepted(count)
        taken = ready[:count]
        for layer in self.outer:
            taken = taken.translate(layer.table)
        self.left += taken
        in_vain = self.pipe.wants & WRITE and not any(self.pipe.to_write()) and not self.pipe.must_finish
        check(not in_vain, "it waits to write, but there is nothing to be written")
        if self.pipe.must_finish:
            self.pipe.finished()
        if count == len(ready) and not self.broken:
            left = len(self.left.replace(bytes([GATE_END]), b""))
            check(left == min(self.credit, self.total), "it is not used up", left, self.credit, self.total)

    @property
    def total(self) -> int:
        """How many octets have to pass the gate."""
        return len(self.written) + (len(self.veils) if self.finished else 0)

    def allow(self) -> None:
        """The peer allows more."""
        if self.wire:
            more = self.choices.between(1, 63)
            self.credit += 0 if self.broken else more
            self.feed(bytes([CREDIT + more]))

    def arrive(self) -> None:
        """Octets arrive through the tunnel."""
        if not self.peer:
            octets = counted(self.choices.between(1, 30), self.choices.byte()).translate(ASCII)
            self.sent += octets
            self.feed(octets.translate(self.table))

    def end(self) -> None:
        """The peer ends its direction, perhaps without an end of the layer inside."""
        if not self.peer:
            self.peer = "cut" if self.veils and self.choices.chance(60) else "end"
            end = bytes([END]) if self.veils and self.peer == "end" else b""
            self.feed(end + bytes([GATE_END]))

    def reset(self) -> None:
        """The tunnel breaks, perhaps directly behind octets."""
        if self.wire and not self.broken:
            fails = not self.peer or self.gate.waiting > 0
            self.broken = True
            last = b""
            if not self.peer:
                last = counted(self.choices.pick((0, 0, 5, 30)), self.choices.byte()).translate(ASCII)
                self.sent += last
            self.peer = self.peer or "fail"
            self.feed(last.translate(self.table) + bytes([GATE_RESET]))
            check(self.lost or not fails, "octets wait in vain", self.peer)

    def lose(self) -> None:
        """The wire ends."""
        if self.wire:
            fails = not self.peer or self.gate.waiting > 0
            self.wire = False
            self.broken = True
            self.peer = self.peer or "fail"
            self.feed(b"")
            check(self.lost or not fails, "octets wait in vain", self.peer)

    def fail(self) -> None:
        """The wire fails; no layer learns that."""
        if self.wire:
            waits = self.gate.waiting > 0
            self.wire = False
            self.broken = True
            self.peer = self.peer or "fail"
            self.pipe.fail(TransportReset())
            check(self.lost or not waits, "octets wait in vain", self.peer)

    def receive(self) -> None:
        """The caller asks for the next octets."""
        try:
            got = self.pipe._next()  # noqa: SLF001  # what a driver does
        except TransportError as error:
            check(self.peer == "fail" and self.read == self.sent, "an error too early", error, self.peer)
            check(not self.reported or type(error) is TransportClosed, "it is reported twice", error)
            self.reported = True
            return
        if got:
            self.read += got
            check(self.sent.startswith(self.read), "wrong octets arrive", self.read[-20:], self.sent[-20:])
        else:
            wanted = {"": None, "end": b"", "cut": b""}.get(self.peer, b"no end")
            check(got == wanted and self.read == self.sent, "a wrong end", got, self.peer)
            check(self.pipe.clean_end == (self.peer == "end"), "a wrong kind of end", self.peer)

    def judge(self) -> None:
        """Check what must be true at any time."""
        whole = self.written.translate(self.table)
        if self.finished:
            whole += bytes([END]) * len(self.veils) + bytes([GATE_END])
        check(whole.startswith(self.left), "wrong octets leave", self.left[-20:], whole[-20:])
        check(len(self.left.rstrip(bytes([GATE_END]))) <= self.credit, "more than allowed", self.credit)
        check(not self.lost or self.broken, "writing has failed without a cause")
        waits = self.gate.waiting > 0 and not self.lost
        reads = not self.peer or (self.peer in ("end", "cut") and self.wire and waits)
        check(bool(self.pipe.wants & READ) == reads, "it waits to read wrongly, or not", self.peer, waits)
        if not self.lost:
            unsent = self.pipe.unsent - (len(self.written) - len(self.left))
            check(0 <= unsent <= 2 * self.finished, "a wrong count of what is not sent", unsent)  # two ends
        else:
            check(not self.pipe.wants & WRITE and not self.pipe.unsent, "it writes after a failure")

    def run(self) -> None:
        """Let something happen, and then let everything leave that can."""
        for _ in range(self.choices.between(5, 40)):
            act = self.choices.pick(ACTS)
            if act not in RARE or self.choices.chance(25):
                act(self)
                self.judge()
        while not self.broken and self.credit < self.total:
            self.allow()
        for _ in range(200):
            if not self.pipe.wants & WRITE:
                break
            self.take(everything=True)
            self.judge()
        ends = self.finished * (len(self.veils) + 1)
        gone = self.broken or len(self.left) == len(self.written) + ends
        check(gone, "something is never written", len(self.left), len(self.written), ends)
        for _ in range(200):
            if self.read == self.sent:
                break
            self.receive()
        check(self.read == self.sent, "something is never received", len(self.read), len(self.sent))


RARE = (Windowed.finish, Windowed.end, Windowed.reset, Windowed.lose, Windowed.fail)
ACTS = (
    Windowed.write,
    Windowed.write,
    Windowed.take,
    Windowed.take,
    Windowed.allow,
    Windowed.allow,
    Windowed.arrive,
    Windowed.receive,
    *RARE,
)
