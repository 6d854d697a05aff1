"""The link: a pipe with a guard, which operations of connection values share with mailboxes.

A driver (a subclass) moves octets for one event loop: `_push`, `_pull`, `_transmit`, `_end_writing`,
`_shut`. It knows no protocol. A link never references a connection value.

Two locks, which are taken and given back in compiled code. The guard says whose turn it is: one operation
at a time holds it, and nobody waits for it. The wire lock is held by whoever touches the pipe and the
socket: that operation, or a mailbox for the moment of one read, for which an operation does wait. `close`
is exempt from the guard.
"""

from __future__ import annotations

import contextlib
import os
import sys
from abc import ABC, abstractmethod
from threading import get_ident
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, Literal, NoReturn, TypeAlias

from ..errors import StaleConnectionError, TransportClosed, TransportError, TransportTimeout
from ..messages import Broken, Closed, Received
from ..types import Source, Unread
from .pipe import Pipe, Reading, Writing
from .tls import TLSLayer

if TYPE_CHECKING:
    import socket as sockets
    import ssl
    from collections.abc import Sequence

    from ..messages import Message
    from ..types import Inbox, SocketAddress, TLSInfo
    from .layer import Layer


LoopName: TypeAlias = Literal["blocking", "asyncio", "trio", "any"]

PATIENCE = 65_536
"""How many octets that mean nothing (yet) are read in a row without a look at the clock, or at others.

More than a record of TLS in a frame of HTTP/2: what is there can be had whatever time is left.
"""

HIGH_WATER = sys.maxsize


class Refused(RuntimeError):  # noqa: N818  # what happened, not a fault of the program
    """The link has no place for a wait at the moment; it is as it was."""


def _overridden(link: type[object]) -> tuple[object, ...]:
    """Return what a link must not have changed for the compiled course of a transaction to be its own."""
    names = ("claim", "release", "permit", "unsent", "written", "send", "receive", "accept", "poison")
    return tuple(getattr(link, name) for name in names)


class Link(Pipe, ABC):
    """What every transport shares. Implements `mint.types.Transport`."""

    loop_name: LoopName = "blocking"
    """Whose mailboxes can watch it."""

    _plain: ClassVar[bool] = False

    high_water: int = HIGH_WATER
    """How many octets may be queued before an operation waits."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "_plain" not in vars(cls):
            cls._plain = _overridden(cls) == _overridden(Link)

    def __init__(self, layers: Sequence[Layer] = ()) -> None:
        """Start with these layers, the outermost (nearest to the wire) first."""
        super().__init__(layers)
        self.source: Source = Source(int.from_bytes(os.urandom(8)))
        self.generation: int = 0
        self.inbox: Inbox | None = None
        self._secure = True
        self.plain: bool = self._plain
        self._process = os.getpid()
        self.note: object = None
        """What the mailbox keeps about it."""

    # -- what a driver provides

    @abstractmethod
    def _push(self) -> int:
        """Write what the wire takes now; return how many octets that was. Raises what broke writing."""

    @abstractmethod
    def _pull(self, until: float | None, *, wait: bool) -> bytes | None:
        """Return one read of the wire, `b""` at its end, `None` where nothing came.

        An error of the system goes to `fail`, and is told by `_next`.
        """

    @abstractmethod
    def _end_writing(self) -> None:
        """Tell the peer that no more will come; everything was written."""

    @abstractmethod
    def _shut(self) -> None:
        """Close the wire; never raises, and may be called again."""

    @property
    @abstractmethod
    def socket(self) -> sockets.socket | None:
        """The socket, if there is one."""

    @abstractmethod
    def flush(self, timeout: float | None) -> None:
        """Write all that is queued."""

    def _transmit(self, *, wait: bool) -> None:  # noqa: ARG002  # for drivers that can wait
        """Write what the wire takes now; with `wait`, a driver may wait until little is left."""
        self._push()

    # -- the guard

    def claim(self, generation: int) -> None:
        """Take the link for one operation of the newest value."""
        if not self.begin_turn(generation):
            self.refuse()

    def refuse(self) -> NoReturn:
        """Say why this is no operation's turn."""
        if self.home not in {0, get_ident()}:
            raise RuntimeError(
                f"a connection of mint.{self.loop_name} must be used in the thread of its event loop"
            )
        raise StaleConnectionError

    def release(self, *, moved: bool) -> int:
        """Give the link back; one generation on if the operation moved bytes."""
        return self.end_turn(moved)

    def begin(self, octets: bytes = b"", *, secure: bool = True) -> None:
        """Take what came before the link was made; TLS that reaches only a proxy is not `secure`."""
        self._secure = secure
        super().begin(octets)

    # -- sending

    def send(self, pieces: tuple[bytes, ...], *, flush: bool) -> None:
        """Queue the octets and, if told so, write what the wire takes."""
        if self._writing == Writing.FAILED:
            return  # what the peer said before is heard first
        if self._writing != Writing.OPEN:
            raise TransportClosed
        self.queue_pieces(pieces)
        if flush:
            self._write()

    def _write(self, *, wait: bool = True) -> None:
        """Transmit; where the peer no longer takes octets, let what it said before be heard first."""
        try:
            self._transmit(wait=wait)
            self._finish_wire()
        except TransportError as error:
            if not self._is_outlived(error):
                raise

    def _finish_wire(self) -> None:
        """Tell the peer of our end once everything before it was written."""
        if self.must_finish:
            if not self.keeps_wire:
                self._end_writing()
            self.finished()

    def _is_outlived(self, error: TransportError) -> bool:
        """Whether something is there to be heard, though writing has failed for good."""
        if isinstance(error, TransportTimeout):
            return False
        self.fail_writing()
        if self._reading == Reading.FAILED:
            return True  # reading has met the break before, and tells it
        # 9112-9.5-a: an early response (413 and close) must not be lost to a broken pipe.
        self._gather(error)
        if self._arrived or self.handed_out:
            return True
        if self._reading == Reading.FAILED:
            # Told now, and once.
            self._failure = None
            self._read_event("report")
        return False

    def _gather(self, error: TransportError) -> None:
        """Read what came before the wire broke; after it, the break itself is told.

        An end that is read now proves nothing where the system has told sending of a reset: it tells that
        once. Only a close_notify still says then that nothing is missing.
        """
        while self._reading == Reading.OPEN:
            octets = self._pull(None, wait=False)
            if octets is None or (not octets and not _followed_an_end(error)):
                break
            self._take_in(octets)
        self.fail(error)

    def shut_write(self) -> None:
        """End the outgoing direction once everything is written."""
        if self._writing == Writing.OPEN:
            self.finish()
            self._write()

    @property
    def congested(self) -> bool:
        """Whether the peer takes nothing more before what it sent is received."""
        return self.has_next and self.unsent > self.high_water

    # -- receiving

    def receive(self, until: float | None) -> bytes:
        """Return the plaintext of one read; `b""` at the end."""
        fruitless = 0
        if self._writing == Writing.CLOSED and not self._arrived:
            raise TransportClosed
        while (octets := self._next()) is None:
            # Where a wire floods layers with what means nothing, there is always something to read.
            if fruitless > PATIENCE and until is not None and monotonic() >= until:
                raise TransportTimeout("receiving")
            pulled = self._pull(until, wait=True)
            if pulled is not None:
                if pulled and not self._layers:
                    return pulled
                fruitless += len(pulled)
                self._take_in(pulled)
                if self._outbox and not self.still:
                    self._write(wait=False)
        return octets

    def receive_now(self) -> bytes | None:
        """Return the plaintext of one read if something is there; no flood that means nothing keeps it."""
        fruitless = 0
        while (
            (octets := self._heard_now()) is None and self._reading == Reading.OPEN and fruitless <= PATIENCE
        ):
            pulled = self._pull(None, wait=False)
            if pulled is None:
                if self._reading == Reading.OPEN:
                    break
                continue
            if pulled and not self._layers:
                return pulled
            fruitless += len(pulled)
            self._take_in(pulled)
        if octets is None and self._reading == Reading.OPEN:
            self._leave_rest()
        return octets

    def _heard_now(self) -> bytes | None:
        return None if self._reading == Reading.CLOSED and not self._arrived else self._next()

    def look(self) -> Unread | None:
        """Fetch what is there without waiting, into the input queue, and say what it is; `None` for nothing.

        It reads until nothing more is there: a GOAWAY or the end may stand behind what came first. That is
        one read of the wire where nothing is there. Nothing is consumed.
        """
        size = before = self._held
        while self._reading == Reading.OPEN and size <= PATIENCE:
            octets = self._fetch()
            if octets is None:
                break
            self._take_in(octets)
            size += len(octets)
        if size > before and self.armed and self.inbox is not None:
            # What was read here, the socket does not tell the mailbox any more.
            self.inbox.watch(self)
        handed_out = self.handed_out
        if not (handed_out or self._arrived or self._reading not in {Reading.OPEN, Reading.CLOSED}):
            return None
        failed = self._reading in {Reading.FAILED, Reading.REPORTED}
        failure = (self._failure or TransportClosed()) if failed else None
        return Unread(tuple(self._arrived), self.ended, failure, handed_out)

    def _is_preceded(self) -> bool:
        return self.look() is not None

    def _fetch(self) -> bytes | None:
        """Return one read of the wire that does not wait; `None` where nothing is there."""
        return self._pull(None, wait=False)

    def _leave_rest(self) -> None:
        """See to it that what reading did not show is asked for again; where a socket tells, nothing."""

    # -- active mode

    @property
    def handed_out(self) -> bool:
        """Whether a mailbox has handed out a message that was not fed: it comes before what has arrived."""
        return self._sequence != self._accepted

    def hear_out(self) -> bool:
        """Write nothing more, and say that the wire is closed once everything that has arrived was fed.

        False where no message is handed out: then what has arrived can be fed at once.
        """
        if not self.handed_out:
            return False
        self.fail_writing()
        self.fail(None)
        return True

    def permit(self, call: Literal["recv", "flush"]) -> None:
        """Refuse what this mode has no place for: `recv` while a mailbox has the say."""
        if call != "recv":
            return
        if self.inbox is not None:
            raise RuntimeError(
                "recv needs passive mode: in active mode, pass the messages of the mailbox to stream()"
            )
        if self.handed_out:
            raise RuntimeError("a message from the mailbox is outstanding: pass it to stream() first")

    def set_inbox(self, inbox: Inbox | None) -> None:
        """Change the mode. A mailbox holds nothing back: it reads when it hands out."""
        if self.inbox is not None:
            self.inbox.unwatch(self)
        self.armed: bool = False
        self.wanted: bool = False
        self.inbox = inbox

    def _told(self, error: Exception) -> Message:
        """Make the message of what broke the wire; anything else breaks it, and is raised again."""
        if not isinstance(error, TransportError):
            self.broken_off()
            try:
                raise error
            finally:
                del error  # no frame may hold the error whose traceback holds the frame
        return Broken(self.source, self.numbered(), error)

    def broken_off(self) -> None:
        """Give the wire up: an exception came between reading or writing and keeping account of it.

        Nobody knows what was lost. The next message, or the next operation, says that the wire is closed.
        """
        self._reading = Reading.FAILED
        self._failure = None
        self.fail_writing()
        if self.inbox is not None and self.armed:
            self.inbox.watch(self)

    def deliver(self, octets: bytes) -> Message:
        """Make the next message of this link; `b""` is the peer's end."""
        if octets:
            return Received(self.source, self.numbered(), octets)
        return Closed(self.source, self.numbered(), self.clean_end)

    def write_now(self) -> None:
        """Write what the wire takes, for a mailbox that holds the wire.

        A failure is told by the next message: what the peer said before it comes first.
        """
        try:
            self._write(wait=False)
        except TransportError as error:
            if self._reading == Reading.REPORTED:
                self._reading = Reading.FAILED
                self._failure = error
        except BaseException:
            self.broken_off()
            raise

    def accept(self, message: Message) -> bytes:
        """Take one message in its turn.

        A `Broken` is the last one: it is taken also where an exception has kept the one before it from being
        fed.
        """
        number = message.sequence
        if number != self._accepted + 1 and not (
            isinstance(message, Broken) and self._accepted < number == self._sequence
        ):
            given_up = self._reading == Reading.FAILED and self.closed
            raise TransportClosed if given_up or self._reading == Reading.CLOSED else StaleConnectionError
        self._accepted: int = number
        if isinstance(message, Received):
            return message.data
        if isinstance(message, Closed):
            return b""
        raise message.error

    # -- the end

    def close(self) -> None:
        """Say goodbye as far as the wire takes it at once, and close.

        In a process that was forked from the one that made the link, only the descriptor is closed: the
        connection is the parent's, and the peer notices nothing.
        """
        if self._writing == Writing.CLOSED:
            self._leave_inbox()  # it may wait there to say that an exception has closed it
            return
        speaks = self._writing != Writing.FAILED and self._is_ours
        self.end()
        self._leave_inbox()
        self.end_wire(speaks)

    def abort(self) -> None:
        """Close while an operation may be in progress, also in this thread (in a signal handler)."""
        if not self._wire.held:
            self.close()
        elif self._writing != Writing.CLOSED:
            # The operation that is interrupted gives up when it goes on, and closes the socket.
            self.end()
            self._leave_inbox()
            self._wake()

    def _leave_inbox(self) -> None:
        """Have no more messages: the caller has closed the link, or knows that it is closed."""
        self.armed = False
        if self.inbox is not None:
            self.inbox.unwatch(self)

    def _wake(self) -> None:
        """Wake whoever waits for the wire."""

    @property
    def _is_ours(self) -> bool:
        """Whether this process made the link, and did not inherit it."""
        return os.getpid() == self._process

    def _say_goodbye(self) -> None:
        if not (self._layers or self._queued or self._outbox):
            return
        # close never raises: the wire is given up anyway.
        with contextlib.suppress(Exception):
            if self.unsent:
                self._push()
            if self._layers and not self._unsealed:
                # From the inside out: each goodbye goes through the layers around it.
                for layer in self._layers[::-1]:
                    layer.close_notify()
                    self._carry_out()
            if self._outbox:
                self._push()

    # -- what is known

    @property
    def tls(self) -> TLSInfo | None:
        """What TLS with the server negotiated; `None` in clear, also where a proxy is spoken to over TLS."""
        innermost = self._layers[-1] if self._layers else None
        return innermost.info() if isinstance(innermost, TLSLayer) and self._secure else None

    @property
    def ssl_object(self) -> ssl.SSLObject | None:
        """What `ssl` has of TLS with the server, to look at only; `None` where `tls` is."""
        innermost = self._layers[-1] if self._layers else None
        return innermost.ssl_object if isinstance(innermost, TLSLayer) and self._secure else None

    @property
    def local_address(self) -> SocketAddress | None:
        """The address of this end."""
        return _address(self.socket, "getsockname")

    @property
    def peer_address(self) -> SocketAddress | None:
        """The address of the other end."""
        return _address(self.socket, "getpeername")


def _followed_an_end(error: TransportError) -> bool:
    """Whether the peer had ended before the system refused to send.

    Linux says EPIPE once, and only then, where the reset came after the peer's end; it says ECONNRESET
    where a reset is all that came.
    """
    return sys.platform == "linux" and isinstance(error.__cause__, BrokenPipeError)


def _address(socket: sockets.socket | None, ask: str) -> SocketAddress | None:
    if socket is None:
        return None
    try:
        answer: SocketAddress = getattr(socket, ask)()
    except OSError:
        return None
    return answer
