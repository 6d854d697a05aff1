"""Simple layers for the harnesses of the transports."""

from __future__ import annotations

from mint.errors import TransportClosed, TransportError, TransportReset
from support import check

END = 0xFF  # marks the end in the layers of this file
ASCII = bytes(octet & 0x7F for octet in range(256))


class Veil:
    """A layer that changes every octet, and marks its end with one octet, as TLS does with close_notify."""

    def __init__(self, mask: int) -> None:
        self.table = bytes((octet ^ mask) & 0x7F if octet != END else END for octet in range(256))
        self.ended = self.clean_end = False
        self.failure: TransportError | None = None
        self.inside = b""
        self.outside = b""
        self.keeps_wire = False
        self.waiting = 0

    def feed(self, octets: bytes, /) -> None:
        """Receive octets from the wire; those after the end are ignored."""
        if not octets:
            self.ended = True
        elif not self.ended:
            before, end, _ = octets.partition(bytes([END]))
            self.inside += before.translate(self.table)
            self.ended = self.clean_end = bool(end)

    def read(self) -> bytes:
        """Return the octets for the inner layer."""
        octets, self.inside = self.inside, b""
        return octets

    def write(self, octets: bytes | memoryview[int], /) -> None:
        """Encode octets of the caller."""
        self.outside += bytes(octets).translate(self.table)

    def leaving(self) -> bytes:
        """Return the octets for the wire."""
        octets, self.outside = self.outside, b""
        return octets

    def written(self) -> None:
        """Do nothing: this layer does not need to know what was written."""

    def close_notify(self) -> None:
        """Mark the end."""
        self.outside += bytes([END])


GATE_END = 0xFE  # marks the end of a direction of a gate
GATE_RESET = 0xFD  # breaks it
CREDIT = 0x80  # with a number below 64: so many octets more may leave


class Gate:
    """A layer that lets out only as much as the peer allows, as a tunnel through a stream of HTTP/2 does."""

    def __init__(self) -> None:
        self.ended = self.clean_end = False
        self.failure: TransportError | None = None
        self.keeps_wire = True
        self.inside = self.outside = self.pending = b""
        self.room = 0
        self.closing = False
        self.dead = False  # whether nothing more can leave

    @property
    def waiting(self) -> int:
        """How many octets wait until the peer allows more."""
        return len(self.pending)

    def feed(self, octets: bytes, /) -> None:
        """Receive octets from the wire, or its end."""
        for octet in octets:
            if octet == GATE_RESET:
                self.break_off(TransportReset())
            elif octet == GATE_END:
                self.ended = self.clean_end = True
            elif CREDIT <= octet < CREDIT + 64:
                self.room += octet - CREDIT
            elif not self.ended:
                self.inside += bytes([octet])
        if not octets:
            self.break_off(TransportClosed())
        self.pump()

    def break_off(self, error: TransportError) -> None:
        """Let nothing more pass."""
        self.dead = True
        if not self.ended and self.failure is None:
            self.failure = error

    def pump(self) -> None:
        """Let out what is allowed."""
        if self.dead:
            if self.pending and self.ended and self.failure is None:
                self.failure = TransportReset()
            self.pending, self.closing = b"", False
            return
        count = min(self.room, len(self.pending))
        self.outside += self.pending[:count]
        self.pending = self.pending[count:]
        self.room -= count
        if self.closing and not self.pending:
            self.outside += bytes([GATE_END])
            self.closing = False

    def read(self) -> bytes:
        """Return the octets for the inner layer. Raises the error that broke it once nothing is left."""
        if not self.inside and self.failure is not None and not self.ended:
            raise self.failure
        octets, self.inside = self.inside, b""
        return octets

    def write(self, octets: bytes | memoryview[int], /) -> None:
        """Take octets from the inside."""
        may = not self.pending or bytes(octets) == bytes([END])  # the end of the layer inside needs no room
        check(may, "more is passed on while the window is shut")
        self.pending += bytes(octets)
        self.pump()

    def leaving(self) -> bytes:
        """Return the octets for the wire."""
        octets, self.outside = self.outside, b""
        return octets

    def written(self) -> None:
        """Do nothing: this layer does not need to know what was written."""

    def close_notify(self) -> None:
        """Mark the end, after what waits."""
        self.closing = True
        self.pump()


class Shift:
    """A layer that changes every octet, as TLS to a proxy does; nothing may end it from the inside."""

    def __init__(self, mask: int) -> None:
        self.table = bytes(octet ^ mask for octet in range(256))
        self.ended = self.clean_end = self.keeps_wire = False
        self.failure: TransportError | None = None
        self.inside = self.outside = b""
        self.waiting = 0

    def feed(self, octets: bytes, /) -> None:
        """Receive octets from the wire, or its end."""
        self.inside += octets.translate(self.table)
        self.ended = self.ended or not octets

    def read(self) -> bytes:
        """Return the octets for the inner layer."""
        octets, self.inside = self.inside, b""
        return octets

    def write(self, octets: bytes | memoryview[int], /) -> None:
        """Encode octets of the inner layer."""
        self.outside += bytes(octets).translate(self.table)

    def leaving(self) -> bytes:
        """Return the octets for the wire."""
        octets, self.outside = self.outside, b""
        return octets

    def written(self) -> None:
        """Do nothing: this layer does not need to know what was written."""

    def close_notify(self) -> None:
        """Refuse: the end of a tunnel is not that of the connection to the proxy."""
        check(False, "the connection to the proxy is ended")
