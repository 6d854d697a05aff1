"""The pipe of the transports: octets leave and arrive once and in order, and ends are reported correctly.

Inputs are those of a driver: octets and ends of the peer, what the caller writes, what the system accepts,
failures, closing. The layers are the simple ones of `layers`. A naive model keeps both directions as octets.
"""

from __future__ import annotations

from layers import ASCII, END, Veil
from mint._wire.pipe import READ, WRITE, Pipe
from mint.errors import TransportClosed, TransportError
from pipe_windows import Windowed
from support import Choices, check, counted, fuzz


class Model:
    """A naive model of a pipe."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices
        self.layers = [Veil(choices.below(128)) for _ in range(choices.below(2))]
        self.table = bytes(range(256))
        for layer in self.layers:
            self.table = self.table.translate(layer.table)
        self.written = b""  # by the caller
        self.left = b""  # taken by the system
        self.sent = b""  # by the peer
        if self.layers and choices.chance(30):  # with the end of the handshake
            self.sent = counted(choices.between(1, 40)).translate(ASCII)
            self.layers[0].feed(self.sent.translate(self.table))
        self.peer = ""  # how the peer's direction ended: "", "end", "cut" or "fail"
        if self.layers and choices.chance(8):  # before the link was made
            self.peer = choices.pick(("end", "cut"))
            self.layers[0].feed(bytes([END]) if self.peer == "end" else b"")
        self.pipe = Pipe(self.layers)
        self.pipe.max_read_ahead = self.most = choices.pick((1, 20, 60, 4_000_000))
        early = counted(choices.below(30), 9).translate(ASCII) if choices.chance(20) else b""
        self.sent = early + self.sent
        self.pipe.begin(early)
        self.lone = False  # whether what is queued is a request, and no other was open
        self.read = b""  # by the caller
        self.finished = self.failed_writing = self.closed = False
        self.error_reported = False
        self.held = 0  # octets that had arrived and were not received when the caller closed

    @property
    def unsent(self) -> int:
        """How many octets of the caller are queued."""
        sent = len(self.left) - (self.left.count(bytes([END])) if self.layers else 0)
        return 0 if self.failed_writing else len(self.written) - sent

    def write(self) -> None:
        """The caller writes, until it has finished."""
        if self.finished or self.closed or self.failed_writing:
            return
        size = self.choices.pick((0, 1, 10, 10, 100, 65_537))
        first = counted(size, self.choices.byte()).translate(ASCII)
        pieces = [first, b"", b"tail"][: self.choices.between(1, 3)]
        if not self.unsent and any(pieces) and self.choices.chance(30):
            self.lone = self.pipe.lone = True
        self.pipe.queue_pieces(pieces)
        self.written += b"".join(pieces)

    def finish(self) -> None:
        """The caller finishes."""
        if not self.closed:
            self.pipe.finish()
            self.finished = True

    def take(self, *, everything: bool = False) -> None:
        """The system accepts some of the octets to be written, or all of them."""
        outbox = self.pipe.to_write()
        ready = b"".join(bytes(one) for one in outbox)
        if self.lone and (self.read != self.sent or self.peer):
            check(not ready, "a request is sent after what cannot be its response", ready[:20])
            return
        self.lone = False
        taken = len(ready) if everything else self.choices.pick((0, 1, 9, 70_000, len(ready), len(ready)))
        count = min(len(ready), taken)
        self.pipe.accepted(count)
        self.left += ready[:count]
        if self.pipe.must_finish:
            check(not self.pipe.to_write(), "octets are queued after the end")
            self.pipe.finished()

    def arrive(self) -> None:
        """Octets from the peer arrive, or its end."""
        if self.peer or self.closed:
            return
        if self.choices.chance(15):
            self.peer = "cut" if self.layers else "end"
            if self.layers and self.choices.chance(60):
                self.pipe._take_in(bytes([END]))  # noqa: SLF001  # what a driver does
                self.peer = "end"
                return
            self.pipe._take_in(b"")  # noqa: SLF001  # what a driver does
            return
        octets = counted(self.choices.between(1, 30), self.choices.byte()).translate(ASCII)
        self.sent += octets
        self.pipe._take_in(octets.translate(self.table))  # noqa: SLF001  # what a driver does

    def receive(self) -> None:
        """The caller asks for the next octets."""
        try:
            got = self.pipe._next()  # noqa: SLF001  # what a driver does
        except TransportError as error:
            check(self.peer == "fail" or self.closed, "an error without a cause", error)
            check(
                self.read == self.sent, "an error before what arrived earlier", len(self.read), len(self.sent)
            )
            check(
                not self.error_reported or isinstance(error, TransportClosed),
                "the error is reported twice",
                error,
            )
            self.error_reported = True
            return
        if got is None:
            check(
                not self.peer and not self.closed and self.read == self.sent, "an end is kept back", self.peer
            )
        elif got == b"":
            check(
                self.peer in ("end", "cut") and self.read == self.sent, "an end that is too early", self.peer
            )
            check(self.pipe.clean_end == (self.peer == "end"), "a wrong kind of end", self.peer)
        else:
            self.read += got
            check(self.sent.startswith(self.read), "wrong octets arrive", self.read[-20:], self.sent[-20:])

    def fail(self) -> None:
        """Reading fails."""
        self.pipe.fail(TransportError("broken"))
        if not self.peer and not self.closed:
            self.peer = "fail"

    def fail_writing(self) -> None:
        """Writing fails; nothing more is written."""
        if not self.closed:
            self.pipe.fail_writing()
            self.failed_writing = True

    def close(self) -> None:
        """The caller closes."""
        self.pipe.end()
        self.closed = True
        self.held = len(self.sent) - len(self.read)
        self.read = self.sent  # what has arrived may still be received, but need not be

    def judge(self) -> None:
        """Check what must be true at any time."""
        plain = self.left.replace(bytes([END]), b"") if self.layers else self.left
        wanted = self.written.translate(self.table)[: len(plain)]
        check(plain == wanted, "wrong octets are written", plain[-20:], wanted[-20:])
        if self.layers and END in self.left:
            check(
                self.finished and plain == self.written.translate(self.table),
                "an end before everything was written",
            )
            check(self.left.count(bytes([END])) <= len(self.layers), "the end is sent twice")
        wants = self.pipe.wants
        back = self.lone and (self.read != self.sent or bool(self.peer))
        if not self.closed and not self.failed_writing and len(plain) < len(self.written):
            check(bool(wants & WRITE) != back, "it waits to write wrongly, or not", wants, back)
        held = self.held if self.closed else len(self.sent) - len(self.read)
        reads = not self.peer and not self.closed and held < self.most
        check(bool(wants & READ) == reads, "it waits to read wrongly, or not", wants, held, self.most)
        check(self.pipe.full == (held >= self.most), "a wrong limit of what is read ahead", held, self.most)
        # The end of a layer counts from the moment it was queued.
        ends = len(self.layers) if self.finished else 0
        queued = self.pipe.unsent - self.unsent + self.left.count(bytes([END])) * bool(self.layers)
        check(0 <= queued <= ends, "a wrong count of what is not sent", self.pipe.unsent, self.unsent)
        if self.closed or self.failed_writing:
            check(not wants & WRITE, "it waits to write after the end")


ACTS = (
    "write",
    "write",
    "take",
    "take",
    "take",
    "arrive",
    "arrive",
    "receive",
    "receive",
    "finish",
    "fail_writing",
    "fail",
)


def one(data: bytes) -> None:
    """Try one input."""
    choices = Choices(data)
    if choices.chance(40):
        Windowed(choices).run()
        return
    model = Model(choices)
    for _ in range(choices.between(5, 40)):
        act = choices.pick(ACTS)
        if act in ("finish", "fail_writing", "fail") and choices.chance(70):
            continue
        getattr(model, act)()
        model.judge()
    if choices.chance(20):
        model.close()
        model.judge()
        return
    for _ in range(200):
        if model.read == model.sent:
            break
        model.receive()
    for _ in range(200):
        if not model.pipe.wants & WRITE:
            break
        model.take(everything=True)
        model.judge()
    if not model.failed_writing and not model.pipe.held_back:
        left = model.left.replace(bytes([END]), b"") if model.layers else model.left
        check(len(left) == len(model.written), "something is never written", len(left), len(model.written))
    check(model.read == model.sent, "something is never received", len(model.read), len(model.sent))


if __name__ == "__main__":
    fuzz(one)
