"""The link: a pipe with a guard, which operations of connection values and mailboxes share.

A subclass sends and receives octets in one event loop: `_push`, `_pull`, `_transmit`, `_end_writing`,
`_shut`. It does not depend on any protocol. A link never references a connection value. "The wire" stands for
the socket, the tunnel or the memory buffers behind the link.

There are two locks, which compiled code acquires and releases. An operation holds the guard; a second
operation does not wait for it, but raises an error. Whoever uses the pipe and the socket holds the wire lock:
that operation, or a mailbox for the short time of one read, for which an operation waits. `close` does not
need the guard.
"""

from __future__ import annotations

import contextlib
import sys
from abc import abstractmethod
from threading import get_ident
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, Literal, NoReturn, TypeAlias

from .._process import current_process
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
"""How many octets may be read in a row that give no plaintext, before the clock is checked.

It is more than a TLS record in an HTTP/2 frame, so a complete record that has arrived is always received,
even if no time is left.
"""

HIGH_WATER = sys.maxsize


class Refused(RuntimeError):  # noqa: N818  # not always an error of the program
    """The link cannot wait at the moment; it is unchanged."""


def _overridden(link: type[object]) -> tuple[object, ...]:
    """Return the methods that a subclass must not override if the compiled fast path is to be used for it."""
    names = ("claim", "release", "permit", "unsent", "written", "send", "receive", "accept", "poison")
    return tuple(getattr(link, name) for name in names)


class Link(Pipe):
    """The base of every transport. Implements `mint.types.Transport`.

    It is not an `ABC`: `isinstance` would take many times as long, and mailboxes ask for each message.
    """

    loop_name: LoopName = "blocking"
    """The event loop whose mailboxes can watch it."""

    _plain: ClassVar[bool] = False

    _closes_at_end: bool = False
    """Whether the link is closed once everything has been written."""

    _closed_at_end: bool = False
    """Whether it was closed because everything had been written."""

    high_water: int = HIGH_WATER
    """How many octets may be queued before an operation waits."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "_plain" not in vars(cls):
            cls._plain = _overridden(cls) == _overridden(Link)

    def __init__(self, layers: Sequence[Layer] = ()) -> None:
        """Start with these layers, the outermost (nearest to the wire) first."""
        super().__init__(layers)
        process = current_process()
        self.source: Source = Source(process.identity())
        self.generation: int = 0
        self.inbox: Inbox | None = None
        self._secure = True
        self.plain: bool = self._plain
        self._process = process

    # -- implemented by subclasses

    @abstractmethod
    def _push(self) -> int:
        """Write what the wire accepts now; return how many octets that was. Raises `TransportError`."""

    @abstractmethod
    def _pull(self, until: float | None, *, wait: bool) -> bytes | None:
        """Read once; return `b""` at the end, `None` if nothing has arrived.

        An error of the system is passed to `fail`, and `_next` raises it.
        """

    @abstractmethod
    def _end_writing(self) -> None:
        """End the outgoing direction of the wire, after everything was written."""

    @abstractmethod
    def _shut(self) -> None:
        """Close the wire; never raises, and may be called again."""

    @property
    @abstractmethod
    def socket(self) -> sockets.socket | None:
        """The socket, if there is one."""

    @abstractmethod
    def flush(self, timeout: float | None) -> None:
        """Write everything that is queued."""

    def _transmit(self, *, wait: bool) -> None:  # noqa: ARG002  # for subclasses that can wait
        """Write what the wire accepts now; with `wait`, a subclass may wait until little is left."""
        self._push()

    # -- the guard

    def claim(self, generation: int) -> None:
        """Take the link for one operation of the newest value. Raises an error if it is not available."""
        if not self.begin_operation(generation):
            self.refuse()

    def refuse(self) -> NoReturn:
        """Raise the error that says why the operation cannot have the link."""
        if self.home not in {0, get_ident()} and self._is_ours:
            raise RuntimeError(
                f"a connection of mint.{self.loop_name} must be used in the thread of its event loop"
            )
        raise StaleConnectionError

    def release(self, *, moved: bool) -> int:
        """Give the link back; increment the generation if the operation moved bytes."""
        return self.end_operation(moved)

    def begin(self, octets: bytes = b"", *, secure: bool = True) -> None:
        """Take octets that arrived before the link was made; `secure` is false for TLS with only a proxy."""
        self._secure = secure
        super().begin(octets)

    # -- sending

    def send(self, pieces: tuple[bytes, ...], *, flush: bool) -> None:
        """Queue the octets and, if `flush` is true, write what the wire accepts."""
        if self._writing == Writing.FAILED:
            if self._heard_everything:
                raise self._taken_failure()
            return  # no error here: reading delivers what had arrived, and then reports it
        if self._writing != Writing.OPEN:
            raise TransportClosed
        self.queue_pieces(pieces)
        if flush:
            self._write()

    def _write(self, *, wait: bool = True) -> None:
        """Transmit; if that fails but something has arrived, raise nothing, so that it is received first."""
        try:
            self._transmit(wait=wait)
            self._finish_wire()
        except TransportError as error:
            if not self._is_outlived(error):
                raise

    def _finish_wire(self) -> None:
        """End the outgoing direction of the wire once everything before was written.

        Raises `TransportClosed` if a tunnel has lost octets and nothing else would report it.
        """
        if self._writing == Writing.OPEN:
            return
        if self.must_finish:
            if not self.keeps_wire:
                self._end_writing()
            self.finished()
        if self._closes_at_end and self._writing == Writing.FINISHED and not self.unsent:
            self._closed_at_end = True
            self.close()
        elif self.windowed and self._writing == Writing.FAILED and self._heard_everything:
            raise TransportClosed

    @property
    def _heard_everything(self) -> bool:
        """Whether the peer has ended its direction, and the caller has received all of it."""
        return self._end_taken and self.ended and not (self._arrived or self.handed_out)

    def _is_outlived(self, error: TransportError) -> bool:
        """Whether something can still be received after writing has failed with this error."""
        if isinstance(error, TransportTimeout):
            return False
        self.fail_writing()
        if self._reading == Reading.FAILED:
            return True  # reading failed earlier, and will report that
        # 9112-9.5-a: an early response (413 and close) must not be lost to a broken pipe.
        self._gather(error)
        if self._arrived or self.handed_out:
            if self.ended:
                self._failure = error  # reported after the end
            return True
        if self._reading == Reading.FAILED:
            # The caller raises the error now, so reading must not report it again.
            self._failure = None
            self._read_event("report")
        return False

    def _gather(self, error: TransportError) -> None:
        """Read everything that arrived before the wire broke; after that, reading reports the error.

        If sending has reported a reset, an end of the stream that is read now does not show that everything
        has arrived: the system reports a reset only once. Only a close_notify shows it then.
        """
        while self._reading == Reading.OPEN:
            octets = self._pull(None, wait=False)
            if octets is None or (not octets and not self._is_end_certain(error)):
                break
            self._take_in(octets)
        self.fail(error)

    def _is_end_certain(self, error: TransportError) -> bool:
        """Whether an end that is read after sending has failed shows that everything has arrived."""
        return _followed_an_end(error)

    def shut_write(self) -> None:
        """End the outgoing direction once everything is written."""
        if self._writing == Writing.OPEN:
            self.finish()
            self._write()

    def finish_and_close(self) -> None:
        """Close once everything that is queued has been written, because both directions have ended.

        In passive mode, a blocking link waits for that. A tunnel that is alone on the connection to its proxy
        stays open until the caller closes it: the proxy still sends frames, and if those reach a closed
        socket, the system drops what it has not sent yet.

        Raises the error of an earlier write that has not been reported, and that of writing the rest. If only
        the layers had something to say, such as close_notify, an error is none: the peer need not hear it.
        """
        if self._writing == Writing.FAILED and self.ended and self._failure is not None:
            raise self._taken_failure()
        # For what the layers have to say at their end, the wire may have no room now.
        if self._writing < Writing.FAILED and (self.unsent or self._layers):
            owed = self.unsent
            self._closes_at_end = not self.keeps_wire
            self.finish()
            try:
                self._write_out()
            except TransportError:
                if owed:
                    raise
                self.close()
        else:
            self._closed_at_end = self._writing != Writing.FAILED
            self.close()

    def _write_out(self) -> None:
        """Write what is queued; a subclass may wait until nothing is left."""
        self._write(wait=False)

    @property
    def congested(self) -> bool:
        """Whether too much is queued, and something has arrived that must be received first.

        An end is nothing that the peer waits for, so that a caller can always send in a half-closed tunnel.
        """
        return self.has_next and self.unsent > self.high_water and self._has_more_than_end

    @property
    def _has_more_than_end(self) -> bool:
        """Whether data or an error can be received, and not only an end."""
        return bool(self._arrived) or self._reading == Reading.FAILED

    @property
    def has_failed_to_write(self) -> bool:
        """Whether the wire accepts nothing more, and what was queued has been dropped."""
        return self._writing == Writing.FAILED

    def reports_late_failure(self) -> bool:
        """Whether the next message reports that writing failed; called after the peer's end was received."""
        if self._writing != Writing.FAILED:
            return False
        if self.ended and self._failure is not None:
            self._reading = Reading.FAILED
        return self._reading == Reading.FAILED

    # -- receiving

    def receive(self, until: float | None) -> bytes:
        """Return the plaintext of one read; `b""` at the end."""
        fruitless = 0
        if self._writing == Writing.CLOSED and not self._arrived:
            raise TransportClosed
        while (octets := self._next()) is None:
            # From a peer that keeps sending octets without plaintext, there is always something to read.
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
        """Return the plaintext of one read if something has arrived; read about `PATIENCE` octets at most."""
        fruitless = 0
        while (
            (octets := self._next_now()) is None and self._reading == Reading.OPEN and fruitless <= PATIENCE
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

    def _next_now(self) -> bytes | None:
        return None if self._reading == Reading.CLOSED and not self._arrived else self._next()

    def look(self) -> Unread | None:
        """Read what has arrived into the input queue without waiting, and return it; `None` if nothing has.

        It reads until nothing more has arrived, because a GOAWAY or the end may follow other octets. If
        nothing has arrived, that is one read of the wire. Nothing is consumed.
        """
        size = before = self._held
        while self._reading == Reading.OPEN and size <= PATIENCE:
            octets = self._fetch()
            if octets is None:
                break
            self._take_in(octets)
            size += len(octets)
        if size > before and self.armed and self.inbox is not None:
            # The socket is no longer readable, so the mailbox must be told.
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
        """Read the wire once without waiting; return `None` if nothing has arrived."""
        return self._pull(None, wait=False)

    def _leave_rest(self) -> None:
        """Have the mailbox read again if something is left; nothing to do if a socket reports that."""

    # -- active mode

    @property
    def handed_out(self) -> bool:
        """Whether a mailbox has returned a message that was not fed; it precedes what has arrived since."""
        return self._sequence != self._accepted

    def stop_after_messages(self) -> bool:
        """Stop writing; reading reports that the link is closed after everything that has arrived was fed.

        Returns false, and does nothing, if no message is outstanding: then everything can be fed at once.
        """
        if not self.handed_out:
            return False
        self.fail_writing()
        self.fail(None)
        return True

    def permit(self, call: Literal["recv", "flush"]) -> None:
        """Raise `RuntimeError` for a call that this mode does not allow: `recv` in active mode."""
        if call != "recv":
            return
        if self.inbox is not None:
            raise RuntimeError(
                "recv needs passive mode: in active mode, pass the messages of the mailbox to stream()"
            )
        if self.handed_out:
            raise RuntimeError("a message from the mailbox is outstanding: pass it to stream() first")

    def set_inbox(self, inbox: Inbox | None) -> None:
        """Change the mode. A mailbox holds no data of links: it reads a message when it returns it."""
        if self.inbox is not None:
            self.inbox.unwatch(self)
        self.armed: bool = False
        self.wanted: bool = False
        self.inbox = inbox

    def _broken_message(self, error: Exception) -> Message:
        """Make the message for the error that broke the wire; any other exception is raised again."""
        if not isinstance(error, TransportError):
            self.broken_off()
            try:
                raise error
            finally:
                del error  # the frame and the error's traceback would form a reference cycle
        return Broken(self.source, self.next_number(), error)

    def broken_off(self) -> None:
        """Abandon the wire, because an exception interrupted reading or writing.

        It is unknown what was lost. The next message, or the next operation, reports that the link is closed.
        """
        self._reading = Reading.FAILED
        self._failure = None
        self.fail_writing()
        if self.inbox is not None and self.armed:
            self.inbox.watch(self)

    def deliver(self, octets: bytes) -> Message:
        """Make the next message of this link; `b""` means that the peer has ended."""
        if octets:
            return Received(self.source, self.next_number(), octets)
        return Closed(self.source, self.next_number(), self.clean_end)

    def write_now(self) -> None:
        """Write what the wire accepts, for a mailbox that holds the wire lock.

        The next message reports a failure, after everything that had arrived.
        """
        try:
            if self.windowed and self.needs_credit and (octets := self._pull(None, wait=False)) is not None:
                self._take_in(octets)
            self._write(wait=False)
        except TransportError as error:
            # Once the peer has ended its direction, nothing else reports this to a caller who waits for room.
            over = self._reading in {Reading.ENDED, Reading.CUT} and not self.armed
            if over or self._reading == Reading.REPORTED:
                self._reading = Reading.FAILED
                self._failure = error
            if over and self.inbox is not None and not self.handed_out:
                self.armed = True
                self.inbox.watch(self)
        except BaseException:
            self.broken_off()
            raise

    def accept(self, message: Message) -> bytes:
        """Take one message in order, and return its data.

        A `Broken` is the last message. It is taken even if an exception has kept the message before it from
        being fed.
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
        """Write what is queued and close_notify, as far as that is possible without waiting, and close.

        In a process that was forked from the one that made the link, only the descriptor is closed: the
        connection belongs to the parent, and the peer notices nothing.
        """
        if self._writing == Writing.CLOSED:
            self._leave_inbox()  # it may still be watched, to report that an exception has closed it
            return
        said = self._writing == Writing.FAILED or (self._writing == Writing.FINISHED and not self.keeps_wire)
        speaks = not said and self._is_ours
        self.end()
        self._leave_inbox()
        self.end_wire(speaks)

    def abort(self) -> None:
        """Close while an operation may be in progress, also in this thread (in a signal handler)."""
        if not self._wire.held:
            self.close()
        elif self._writing != Writing.CLOSED:
            # The interrupted operation fails when it continues, and closes the socket.
            self.end()
            self._leave_inbox()
            self._wake()

    def _leave_inbox(self) -> None:
        """Deliver no more messages, because the caller has closed the link or knows that it is closed."""
        self.armed = False
        if self.inbox is not None:
            self.inbox.unwatch(self)

    def _wake(self) -> None:
        """Wake the thread that waits for the wire."""

    @property
    def _is_ours(self) -> bool:
        """Whether this process made the link, and did not inherit it."""
        return self._process is None or not self._process.inherited

    @property
    def is_inherited(self) -> bool:
        """Whether this process is a forked child of the one that made the link."""
        return not self._is_ours

    def _say_goodbye(self) -> None:
        if not (self._layers or self._queued or self._outbox):
            return
        # `close` never raises: the wire is closed in any case.
        with contextlib.suppress(Exception):
            if self.unsent:
                self._push()
            if self._layers and not self._unsealed:
                # From the inside out, because each close_notify passes through the layers around it.
                for layer in self._layers[::-1]:
                    layer.close_notify()
                    self._carry_out()
            if self._outbox:
                self._push()

    # -- information

    @property
    def tls(self) -> TLSInfo | None:
        """What TLS with the server negotiated; `None` in clear, even if TLS is used with the proxy."""
        innermost = self._layers[-1] if self._layers else None
        return innermost.info() if isinstance(innermost, TLSLayer) and self._secure else None

    @property
    def ssl_object(self) -> ssl.SSLObject | None:
        """The `ssl` object of TLS with the server, which must not be changed; `None` if `tls` is `None`."""
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
    """Whether the peer had ended before sending failed.

    If a reset arrives after the peer's end, Linux reports EPIPE; if only a reset arrives, ECONNRESET.
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
