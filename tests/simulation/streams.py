"""TCP with the behaviour of Linux: buffers, half-closing, resets, pending errors (tcp(7), poll(2)).

Nothing moves by itself: what one end sends stays in `outgoing` until the kernel of the simulation
decides to deliver some of it. The client's ends have descriptors (sockets.py), the servers' have none.
"""

from __future__ import annotations

import errno
import os
import select
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .choices import Choices

IN, OUT, ERR, HUP = select.POLLIN, select.POLLOUT, select.POLLERR, select.POLLHUP


def failure(code: int) -> OSError:
    """Return the `OSError` with this number, of the class that Python uses for it."""
    return OSError(code, os.strerror(code))


class Stream:
    """One end of a connection."""

    def __init__(self, choices: Choices, capacity: int) -> None:
        """Make an end that is not connected; each of its two buffers holds `capacity` octets."""
        self.choices = choices
        self.capacity = capacity
        self.peer: Stream | None = None
        self.incoming = bytearray()
        self.outgoing = bytearray()
        self.connecting = False
        self.connected = False
        self.finishing = False
        """Whether a FIN follows what is in `outgoing`."""
        self.finished = False
        """Whether that FIN was delivered."""
        self.resetting = False
        """Whether a RST follows what is in `outgoing`."""
        self.ended = False
        """Whether the other end's FIN arrived."""
        self.dead = False
        """Whether a RST arrived, or one was sent."""
        self.closed = False
        """Whether the program closed it."""
        self.error = 0
        """The pending error, which is reported once."""
        self.whole = False
        """Whether everything that the other end sent, and its FIN, arrived while this end was open."""
        self.delivered = 0
        """How many octets arrived."""

    # -- called by the network

    @property
    def movable(self) -> bool:
        """Whether something of this end can be delivered now."""
        peer = self.peer
        if peer is None:
            return False
        if self.outgoing:
            return peer.closed or peer.dead or len(peer.incoming) < peer.capacity
        return self.resetting or (self.finishing and not self.finished)

    def move(self) -> None:
        """Deliver some of what this end sent."""
        peer = self.peer
        if peer is None:
            return
        if self.outgoing:
            if peer.closed or peer.dead:
                peer.outgoing.clear()
                self.outgoing.clear()
                self.resetting = False
                self.receive_reset()
                return
            count = self.choices.amount(min(len(self.outgoing), peer.capacity - len(peer.incoming)))
            peer.incoming += self.outgoing[:count]
            peer.delivered += count
            del self.outgoing[:count]
        elif self.resetting:
            self.resetting = False
            peer.receive_reset()
        elif self.finishing:
            self.finished = True
            # A connection that was reset no longer exists: a FIN after the reset is ignored.
            if not peer.dead:
                peer.ended = True
                peer.whole = not peer.closed

    def receive_reset(self) -> None:
        """Handle a RST: what had arrived can still be read, but nothing can be sent."""
        if not self.dead:
            self.dead = True
            self.error = errno.EPIPE if self.ended else errno.ECONNRESET
            self.outgoing.clear()

    def refuse(self) -> None:
        """Handle that the connection was refused."""
        self.connecting = False
        self.dead = True
        self.error = errno.ECONNREFUSED

    def join(self, other: Stream) -> None:
        """Become connected to the other end."""
        self.peer, other.peer = other, self
        self.connecting = other.connecting = False
        self.connected = other.connected = True

    # -- called by programs

    def bits(self) -> int:
        """Return what `poll` reports."""
        if self.connecting:
            return 0
        bits = 0
        if self.incoming or self.ended or self.dead:
            bits |= IN
        if self.dead or self.finishing or self.room * 3 > self.capacity:
            bits |= OUT
        if self.error:
            bits |= ERR
        if self.dead or (self.ended and self.finishing) or not self.connected:
            bits |= HUP
        return bits

    @property
    def over(self) -> bool:
        """Whether both ends have finished: nothing is left to reset or to shut down."""
        return self.finished and self.ended

    @property
    def room(self) -> int:
        """How much can be sent without waiting."""
        return self.capacity - len(self.outgoing)

    def take_error(self) -> int:
        """Return the pending error, once (SO_ERROR)."""
        error, self.error = self.error, 0
        return error

    def send(self, octets: bytes | bytearray | memoryview) -> int:
        """Send some of the octets; raise the error of the system call."""
        if self.error:
            raise failure(self.take_error())
        if self.dead or self.finishing:
            raise failure(errno.EPIPE)
        if self.connecting or self.room <= 0:
            raise failure(errno.EAGAIN)
        if not self.connected:
            raise failure(errno.ENOTCONN)
        count = min(len(octets), self.room)
        self._put(octets[:count])
        return count

    def _put(self, octets: bytes | bytearray | memoryview) -> None:
        self.outgoing += octets

    def receive(self, most: int, *, peek: bool = False) -> bytes:
        """Read some of what arrived, `b""` at the end; raise the error of the system call."""
        if self.incoming:
            count = min(most, len(self.incoming))
            octets = bytes(self.incoming[:count])
            if not peek:
                del self.incoming[:count]
            return octets
        if self.ended:
            return b""
        if self.error:
            raise failure(self.take_error())
        if self.dead:
            return b""
        if not self.connected and not self.connecting:
            raise failure(errno.ENOTCONN)
        raise failure(errno.EAGAIN)

    def shut(self, *, read: bool, write: bool) -> None:
        """Shut down one direction or both."""
        if self.dead or self.over or not self.connected:
            raise failure(errno.ENOTCONN)
        if write:
            self.finishing = True
        if read:
            self.ended = True

    def close(self, *, abort: bool = False) -> None:
        """Close; if octets are unread, or with `abort`, send a reset (RFC 2525 2.17)."""
        if self.closed:
            return
        self.closed = True
        if self.dead or self.over or not self.connected:
            self.dead = True
        elif abort or self.incoming:
            # Octets that are already in transit may arrive before the reset, or be lost.
            if self.outgoing and self.choices.below(2):
                del self.outgoing[self.choices.below(len(self.outgoing)) :]
            self.dead = self.resetting = True
        else:
            self.finishing = True


class Pair(Stream):
    """One end of a socket pair: whatever is sent arrives at once."""

    def _put(self, octets: bytes | bytearray | memoryview) -> None:
        if self.peer is not None:
            self.peer.incoming += octets

    @property
    def movable(self) -> bool:
        """Return false: nothing is in transit between the ends of a pair."""
        return False

    @property
    def room(self) -> int:
        """How much can be sent without waiting."""
        return self.capacity - len(self.peer.incoming) if self.peer is not None else 0

    def shut(self, *, read: bool, write: bool) -> None:
        """Shut down one direction or both."""
        super().shut(read=read, write=write)
        if write and self.peer is not None:
            self.peer.ended = True

    def close(self, *, abort: bool = False) -> None:
        """Close: the other end sees its end at once."""
        super().close(abort=abort)
        if self.peer is not None:
            self.peer.ended = True
            self.peer.finishing = True
