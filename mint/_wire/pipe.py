"""The pipe: the state of a transport between the caller and the wire (a socket or tunnel), without I/O.

A pipe owns the layers (TLS, a tunnel), the octets that wait to be written, those that have arrived, and the
state of each direction. It never waits. Its inputs are the events of a transport; its outputs tell the link
what to do next:

    input                        method              output                       member
    the caller wrote             `queue_pieces`      what to wait for             `wants`
    the caller finished          `finish`            octets for the wire          `to_write`
    octets arrived               `_take_in`          plaintext, end or failure    `_next`
    the peer finished            `_take_in(b"")`
    reading failed               `fail`
    writing failed               `fail_writing`
    the wire accepted n octets   `accepted`
    the caller closed            `end`

After every input, the link checks `wants` again. The tables READING and WRITING contain all transitions of
the two directions: an event that has no entry for a state changes nothing.
"""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from typing import TYPE_CHECKING, Final, TypeAlias

from .._core.link_base import LinkBase
from ..errors import TransportClosed, TransportError
from .tls import TLSLayer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..messages import Message
    from ..types import Inbox
    from .layer import Layer

    _LinkBase: TypeAlias = LinkBase[Inbox, Layer, Message]
else:
    _LinkBase = LinkBase


class Reading:
    """The states of the incoming direction; the compiled core uses the same numbers.

    They are no enumeration: in CPython 3.11, naming a member of one takes longer than the rest of a check.
    """

    OPEN: Final = 0
    ENDED: Final = 1
    """The peer ended properly, with close_notify if there is TLS."""
    CUT: Final = 2
    """The peer ended without close_notify: data may be missing."""
    FAILED: Final = 3
    """It broke; the error is reported after everything that had arrived."""
    REPORTED: Final = 4
    """It broke, and the error was reported."""
    CLOSED: Final = 5


class Writing:
    """The states of the outgoing direction; the compiled core uses the same numbers."""

    OPEN: Final = 0
    FINISHING: Final = 1
    """The caller has finished; some octets have not passed through the layers yet."""
    SEALED: Final = 2
    """The layers have ended, too; their output may still wait for the wire."""
    FINISHED: Final = 3
    FAILED: Final = 4
    """The wire accepts nothing more; output is dropped, and reading reports the reason."""
    CLOSED: Final = 5


READING: Final[dict[tuple[int, str], int]] = {
    (Reading.OPEN, "end"): Reading.ENDED,
    (Reading.OPEN, "cut"): Reading.CUT,
    (Reading.OPEN, "fail"): Reading.FAILED,
    (Reading.FAILED, "report"): Reading.REPORTED,
    (Reading.OPEN, "close"): Reading.CLOSED,
    (Reading.FAILED, "close"): Reading.CLOSED,
    (Reading.REPORTED, "close"): Reading.CLOSED,
    # There is no "close" for ENDED and CUT: they stay known after the link is closed.
}

WRITING: Final[dict[tuple[int, str], int]] = {
    (Writing.OPEN, "finish"): Writing.FINISHING,
    (Writing.FINISHING, "seal"): Writing.SEALED,
    (Writing.SEALED, "written"): Writing.FINISHED,
    **{(each, "fail"): Writing.FAILED for each in (Writing.OPEN, Writing.FINISHING, Writing.SEALED)},
    (Writing.FINISHED, "fail"): Writing.FAILED,
    **{(each, "close"): Writing.CLOSED for each in range(Writing.CLOSED + 1)},
}

READ: Final = 1
WRITE: Final = 2

AHEAD: Final = 65_536
"""How many octets are passed to the layers at once, and the most of their output that waits for the wire."""

MAX_READ_AHEAD: Final = 4 * 1_048_576
"""How many octets are read while writing has to wait, unless the options set another limit."""


class Pipe(_LinkBase):
    """The base of every transport: the queues, the layers and the states of both directions."""

    max_read_ahead: int = MAX_READ_AHEAD

    _wire_ended: bool = False
    """Whether nothing more can arrive from the wire, not even a WINDOW_UPDATE."""

    _end_taken: bool = False
    """Whether the caller has received the end of the incoming direction."""

    def __init__(self, layers: Sequence[Layer] = ()) -> None:
        """Start with these layers, the outermost (nearest to the wire) first."""
        self._layers = tuple(layers)
        self._tls: TLSLayer | None = None
        """The layer, if it is the only one and one of TLS: it encrypts and decrypts in one call."""
        if layers:
            self.windowed: bool = self.keeps_wire
            if len(layers) == 1 and isinstance(layers[0], TLSLayer):
                self._tls = layers[0]
        self._outbox = deque()
        self._pending = deque()
        self._arrived = deque()

    # -- the outgoing direction

    def _is_preceded(self) -> bool:
        """Whether something has already arrived when the first request is about to be written."""
        return self.held_back

    @property
    def held_back(self) -> bool:
        """Whether queued octets must wait, because something arrived before them that must be received."""
        return self.lone and (bool(self._arrived) or self._reading != Reading.OPEN)

    @property
    def keeps_wire(self) -> bool:
        """Whether the wire must stay open in both directions after this direction has ended."""
        return any(layer.keeps_wire for layer in self._layers)

    @property
    def unsent(self) -> int:
        """How many octets are queued, before or after the layers, and can still be written."""
        if not self.windowed or self._writing == Writing.FAILED:
            return self._queued
        return self._queued + sum(layer.waiting for layer in self._layers)

    @property
    def backlog(self) -> int:
        """The same as `unsent`."""
        return self.unsent

    def _write_event(self, event: str) -> None:
        self._writing = WRITING.get((self._writing, event), self._writing)

    def queue_pieces(self, pieces: Iterable[bytes]) -> None:
        """Queue what the caller writes."""
        sealed = not self._layers
        queue = self._outbox if sealed else self._pending
        for piece in pieces:
            if piece:
                queue.append(piece)
                self._queued += len(piece)
                if not sealed:
                    self._unsealed += len(piece)

    def finish(self) -> None:
        """Note that the caller writes no more; what is queued will still be written."""
        self._write_event("finish")

    def to_write(self) -> deque[bytes | memoryview[int]]:
        """Return the octets for the wire; if there are few, pass more through the layers first.

        Returns nothing if something arrived before a request that was queued while no other was open: it
        cannot be a response to that request, which must not be sent then (RFC 9112 9.2).
        """
        if self.lone:
            self.lone: bool = self._is_preceded()
            if self.lone:
                return deque()
        if self._layers and (self._unsealed or self._writing == Writing.FINISHING):
            self._fill()
        elif self._writing == Writing.FINISHING:
            self._write_event("seal")
        return self._outbox

    def _fill(self) -> None:
        innermost = self._layers[-1]
        while self._unsealed and self._queued - self._unsealed < AHEAD and not self._windows_shut:
            octets = self._piece()
            innermost.write(octets)
            self._unsealed -= len(octets)
            self._queued -= len(octets)
            self._carry_out()
        self._give_up_stuck()
        if not self._unsealed and self._writing == Writing.FINISHING:
            # From the inside out; a tunnel's end is its own, and the connection to the proxy goes on.
            for layer in self._layers[::-1]:
                layer.close_notify()
                self._carry_out()
                if layer.keeps_wire:
                    break
            self._write_event("seal")

    def _give_up_stuck(self) -> None:
        """Drop octets that can never be written: a tunnel has broken, or no WINDOW_UPDATE can arrive."""
        if not self.windowed or self._reading == Reading.OPEN:
            return
        hears = self._reading in {Reading.ENDED, Reading.CUT} and not self._wire_ended
        if any(
            layer.keeps_wire and (layer.failure is not None or (layer.waiting and not hears))
            for layer in self._layers
        ):
            self.fail_writing()

    @property
    def _windows_shut(self) -> bool:
        return self.windowed and any(layer.waiting for layer in self._layers)

    @property
    def needs_credit(self) -> bool:
        """Whether octets wait for a WINDOW_UPDATE of the proxy after the server has ended its side.

        Then the wire must be read, although nothing more can arrive through the tunnel.
        """
        return (
            self.windowed
            and self._reading in {Reading.ENDED, Reading.CUT}
            and not self._wire_ended
            and self._writing < Writing.FAILED
            and self._windows_shut
        )

    def _piece(self) -> bytes | memoryview[int]:
        """Return the next octets for the layers: small pieces joined, large ones in parts without a copy."""
        pending = self._pending
        first = pending.popleft()
        if len(first) > AHEAD:
            view = memoryview(first)
            pending.appendleft(view[AHEAD:])
            return view[:AHEAD]
        if not pending or len(first) + len(pending[0]) > AHEAD:
            return first
        pieces, size = [first], len(first)
        while pending and size + len(pending[0]) <= AHEAD:
            pieces.append(pending.popleft())
            size += len(pieces[-1])
        return b"".join(pieces)

    def _carry_out(self) -> None:
        """Move the output of each layer outwards, and that of the outermost into the outbox."""
        layers = self._layers
        outermost = layers[0]
        if outermost is not layers[-1]:
            for inner, outer in pairwise(layers[::-1]):
                octets = inner.leaving()
                if octets:
                    outer.write(octets)
        octets = outermost.leaving()
        if octets and self._writing != Writing.FAILED:
            self._outbox.append(octets)
            self._queued += len(octets)

    def accepted(self, count: int) -> None:
        """Note that the wire has accepted `count` octets of `to_write`."""
        outbox = self._outbox
        self._queued -= count
        while outbox and count >= len(outbox[0]):
            count -= len(outbox.popleft())
        if count:
            # A view refers to the rest; a slice of bytes would copy it.
            outbox[0] = memoryview(outbox[0])[count:]

    @property
    def must_finish(self) -> bool:
        """Whether the outgoing direction of the wire must be ended now."""
        return self._writing == Writing.SEALED and not self._outbox

    def finished(self) -> None:
        """Note that the outgoing direction of the wire was ended."""
        self._write_event("written")

    def fail_writing(self) -> None:
        """Note that the wire accepts nothing more, and drop what is queued."""
        self._write_event("fail")
        self._outbox.clear()
        self._pending.clear()
        self._queued = self._unsealed = 0

    # -- the incoming direction

    @property
    def clean_end(self) -> bool:
        """Whether the peer ended properly, with close_notify if there is TLS."""
        return self._reading == Reading.ENDED

    @property
    def ended(self) -> bool:
        """Whether the peer has ended, cleanly or not."""
        return self._reading in {Reading.ENDED, Reading.CUT}

    def _read_event(self, event: str) -> None:
        self._reading = READING.get((self._reading, event), self._reading)

    def fail(self, error: TransportError | None) -> None:
        """Note that reading failed, and why; the error is reported after everything that has arrived."""
        self._wire_ended = True
        if self._reading == Reading.OPEN:
            self._failure = error
            self._read_event("fail")
        self._give_up_stuck()

    def begin(self, octets: bytes = b"") -> None:
        """Take octets that arrived before the link was made: these, and those that the layers already have.

        A server may send data with the end of its handshake; the socket would not report it again.
        """
        if octets:
            self.arrive(octets)
        octets = b""
        for layer in self._layers:
            if octets:
                layer.feed(octets)
            octets = layer.read()
        if octets:
            self.arrive(octets)
        if self._layers:
            self._carry_out()
            if self._layers[-1].ended:
                self._read_event("end" if self._layers[-1].clean_end else "cut")

    def _take_in(self, octets: bytes) -> None:
        """Take the result of one read; `b""` means that the peer has ended.

        If a layer fails, the plaintext that it returned before is delivered before the failure.
        """
        if not self._layers:
            if octets:
                self.arrive(octets)
            else:
                self._read_event("end")
        elif self._tls is None or not octets:
            self._take_through(octets)
        elif plaintext := self._decrypted(self._tls, octets):
            self.arrive(plaintext)

    def _decrypted(self, tls: TLSLayer, octets: bytes) -> bytes:
        """Return the plaintext of one read through a single layer of TLS; `b""` if there is none to return.

        If the read means more than plaintext (an end, an error, an answer), everything about it is handled
        here, and the plaintext is queued.
        """
        plaintext = None
        try:
            plaintext = tls.opened(octets)
        except OSError as error:  # every error of ssl is one
            tls.stop(error)
        if plaintext is None:
            self._take_through(None)
            return b""
        return plaintext

    def _take_through(self, octets: bytes | None) -> None:
        """Pass the result of one read through the layers; `None` if the outermost layer was fed already."""
        try:
            self._pass_inwards(octets)
        except TransportError as error:
            self.fail(error)

    def _pass_inwards(self, octets: bytes | None) -> None:
        # Nothing can arrive after the end of the wire, even if a layer has not ended.
        last = octets == b""
        self._wire_ended |= last
        failure = None
        for layer in self._layers:
            if octets is not None:
                if not self._queued:
                    layer.written()
                layer.feed(octets)
            octets = layer.read()
            failure = failure or (None if layer.ended else layer.failure)
            if not octets and not layer.ended:
                break
        else:
            if octets:
                self.arrive(octets)
        if self._writing != Writing.CLOSED:
            self._carry_out()
        if failure is not None:
            self.fail(failure)
        elif self._layers[-1].ended:
            self._read_event("end" if self._layers[-1].clean_end else "cut")
        elif last:
            self._read_event("cut")
        self._give_up_stuck()

    def _next(self) -> bytes | None:
        """Return what has arrived, `b""` after the end, `None` if nothing has arrived.

        Raises the error that broke the pipe the first time, and `TransportClosed` from then on.
        """
        if self._arrived:
            octets = self._arrived.popleft()
            self._held -= len(octets)
            return octets
        if self._reading == Reading.OPEN:
            return None
        if self._reading <= Reading.CUT:
            self._end_taken = True
            return b""
        self._read_event("report")
        raise self._taken_failure()

    def _taken_failure(self) -> Exception:
        """Return the error that broke the pipe the first time, and a `TransportClosed` from then on.

        It is raised only once, because a later operation would change an error the caller has.
        """
        failure, self._failure = self._failure, None
        return failure or TransportClosed()

    # -- both

    @property
    def wants(self) -> int:
        """What to wait for: `READ`, `WRITE`, both or neither."""
        wanted = 0
        if self._reading == Reading.OPEN:
            if self._held < self.max_read_ahead:
                wanted = READ
        elif self.needs_credit:
            wanted = READ
        # Octets that wait for an HTTP/2 window do not wait for the wire.
        waits = self._unsealed and self._windows_shut
        if (
            self._writing < Writing.FAILED
            and not self.held_back
            and (
                self._outbox
                or (self._writing == Writing.SEALED and not self._windows_shut)
                or ((self._unsealed or self._writing == Writing.FINISHING) and not waits)
            )
        ):
            wanted |= WRITE
        return wanted

    @property
    def full(self) -> bool:
        """Whether so much has arrived and was not received that no more is read ahead."""
        return self._held >= self.max_read_ahead

    def end(self) -> None:
        """Note that the caller has closed."""
        self._write_event("close")
        self._read_event("close")
