"""The link: the mutable thing that owns a wire. Its guard, its outbox and its inbox live here.

No socket does: a subclass moves octets for one world (`_transmit`, `_pull`, `_end_writing`, `_shut`). No
protocol does: octets are octets. A link never references a connection value.

Two locks. The guard says whose turn it is: one operation at a time holds it, and nobody waits for it.
The wire lock is held by whoever touches the layers and the socket: that operation, or a mailbox for the
moment of one read, for which an operation does wait. `close` is exempt from the guard.
"""

from __future__ import annotations

import contextlib
import os
from abc import ABC, abstractmethod
from collections import deque
from threading import get_ident
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from .._core.turns import Turns
from ..errors import StaleConnectionError, TransportClosed, TransportError, TransportTimeout
from ..messages import Broken, Closed, Received
from ..types import Source, Unread
from .tls import TLSLayer

if TYPE_CHECKING:
    import socket as sockets
    from collections.abc import Sequence

    from ..messages import Message
    from ..types import Inbox, SocketAddress, TLSInfo
    from .layer import Layer


World: TypeAlias = Literal["blocking", "asyncio", "trio", "any"]


if TYPE_CHECKING:
    _Turns: TypeAlias = Turns[Inbox, Layer, Message]
else:
    _Turns = Turns


PATIENCE = 65_536
"""How many octets that mean nothing (yet) are read in a row without a look at the clock, or at others.

More than a record of TLS in a frame of HTTP/2: what is there can be had whatever time is left.
"""


class Refused(RuntimeError):  # noqa: N818  # what happened, not a fault of the program
    """The link has no place for a wait at the moment; it is as it was."""


def _ways(link: type[object]) -> tuple[object, ...]:
    """Return what a link must not have changed for a transaction to be done in one go."""
    names = ("claim", "release", "permit", "unsent", "written", "send", "receive", "accept", "poison")
    return tuple(getattr(link, name) for name in names)


class Link(_Turns, ABC):
    """What every transport shares. Implements `mint.types.Transport`."""

    world: ClassVar[World] = "blocking"
    """Whose mailboxes can watch it."""

    _plain: ClassVar[bool] = False

    windowed: bool
    armed: bool
    wanted: bool
    likely: bool

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "_plain" not in vars(cls):
            cls._plain = _ways(cls) == _ways(Link)

    def __init__(self, layers: Sequence[Layer] = ()) -> None:
        """Start with these layers, the outermost (nearest to the wire) first."""
        self.source: Source = Source(int.from_bytes(os.urandom(8)))
        self.generation: int = 0
        self.inbox: Inbox | None = None
        self.clean_end: bool = False
        self._layers = tuple(layers)
        self._secure = True
        if layers:
            self.windowed = any(layer.keeps_wire for layer in layers)
        self.plain: bool = self._plain
        self._outbox = deque()
        self._arrived = deque()
        self.note: object = None
        """What the mailbox keeps about it."""

    # -- what a world provides

    @abstractmethod
    def _transmit(self, *, wait: bool) -> None:
        """Write from the outbox what the wire takes now; with `wait`, wait by this world's rules."""

    @abstractmethod
    def _pull(self, until: float | None, *, wait: bool) -> bytes | None:
        """Return one read of the wire, `b""` at its end, `None` where nothing came (without wait)."""

    @abstractmethod
    def _end_writing(self) -> None:
        """Tell the peer that no more will come; the outbox is empty."""

    @abstractmethod
    def _shut(self) -> None:
        """Close the wire; never raises."""

    @property
    @abstractmethod
    def socket(self) -> sockets.socket | None:
        """The socket, if there is one."""

    @abstractmethod
    def flush(self, timeout: float | None) -> None:
        """Write all that is queued."""

    # -- the guard

    def claim(self, generation: int) -> None:
        """Take the link for one operation of the newest value."""
        if not self.begin_turn(generation):
            if self.home not in {0, get_ident()}:
                raise RuntimeError(f"a connection of {self.world} is used in the thread of its event loop")
            raise StaleConnectionError

    def release(self, *, moved: bool) -> int:
        """Give the link back; one generation on if the operation moved bytes."""
        return self.end_turn(moved)

    def poison(self) -> None:
        """Close after an interrupted operation: every value is superseded now."""
        self.generation += 1
        self.close()
        self._let_go()
        self._guard.release()

    def _let_go(self) -> None:
        """Give the wire back; where the link was closed meanwhile, it is shut now."""
        self._wire.release()
        if self._closed:
            self._shut()

    # -- sending

    @property
    def unsent(self) -> int:
        """How many octets are queued and not written."""
        return self._queued

    @property
    def backlog(self) -> int:
        """The same, with those in layers whose peer does not take them yet."""
        waiting = self._queued
        for layer in self._layers:
            waiting += layer.waiting
        return waiting

    def send(self, pieces: tuple[bytes, ...], *, flush: bool) -> None:
        """Queue the octets, through the TLS layers, and write what the wire takes."""
        if self._closed or self._shutting:
            raise TransportClosed
        if not self._write_failed:
            self._queue(pieces)
            if flush:
                self._write()

    def _queue(self, pieces: Sequence[bytes]) -> None:
        layers = self._layers
        if not layers:
            for piece in pieces:
                self._outbox.append(piece)
                self._queued += len(piece)
            return
        innermost = layers[-1]
        for piece in pieces:
            if piece:
                innermost.write(piece)
        self._carry_out()

    def _carry_out(self) -> None:
        """Move what the layers want to send outwards, into the outbox."""
        layers = self._layers
        outermost = layers[0]
        if outermost is not layers[-1]:
            for inner, outer in zip(layers[:0:-1], layers[-2::-1], strict=True):
                octets = inner.leaving()
                if octets:
                    outer.write(octets)
        octets = outermost.leaving()
        if octets and not self._write_failed:
            self._outbox.append(octets)
            self._queued += len(octets)

    def _write(self, *, wait: bool = True) -> None:
        """Transmit; where the peer no longer takes bytes, let what it said before be heard first."""
        try:
            self._transmit(wait=wait)
            if self._shutting and not self._queued:
                self._end_writing()
        except TransportError as error:
            if not self._is_outlived(error):
                raise

    def _is_outlived(self, error: TransportError) -> bool:
        """Whether something is there to be heard, though writing has failed for good."""
        if isinstance(error, TimeoutError):
            return False
        self._write_failed = True
        self._outbox.clear()
        self._queued = 0
        # 9112-9.5-a: an early response (413 and close) must not be lost to a broken pipe.
        self._gather(error)
        if self._arrived:
            return True
        if self._failure is error:
            # Told now, and once.
            self._failure = TransportClosed()
        return False

    def _gather(self, error: TransportError) -> None:
        """Read into the inbox what came before the wire broke; after it, the break itself is told.

        An end that is read now proves nothing: the system tells a reset once, and sending has heard it.
        Only a close_notify still says that nothing is missing.
        """
        with contextlib.suppress(TransportError):
            while octets := self._pull(None, wait=False):
                self._take_in(octets)
                if self._ended or self._failure is not None:
                    return
        self._failure = self._failure or error

    # -- receiving

    def begin(self, octets: bytes = b"", *, secure: bool = True) -> None:
        """Take what came before the link was made: these octets, and what the layers hold already.

        A server may answer in the read that ended its handshake: nothing would wake us for that again. TLS
        that reaches no further than a proxy is not `secure`.
        """
        self._secure = secure
        if octets:
            self._arrived.append(octets)
            self._held += len(octets)
        octets = b""
        for layer in self._layers:
            if octets:
                layer.feed(octets)
            octets = layer.read()
        if octets:
            self._arrived.append(octets)
            self._held += len(octets)
        if self._layers:
            self._carry_out()
            self._ended = self._layers[-1].ended
            self.clean_end = self._layers[-1].clean_end

    def _take_in(self, octets: bytes) -> None:
        """Pass one read of the wire through the layers, into the inbox.

        A layer that fails is told after everything that came before it.
        """
        if self._closed and not octets:
            # Our own end woke the read: of what the peer had still to say nothing is known.
            self._failure = self._failure or TransportClosed()
            return
        try:
            self._pass_inwards(octets)
        except TransportError as error:
            self._failure = error

    def _pass_inwards(self, octets: bytes) -> None:
        # Whatever the layers make of it, nothing comes after the end of the wire.
        last = not octets
        for layer in self._layers:
            if not self._queued:
                layer.written()
            layer.feed(octets)
            octets = layer.read()
            self._failure = self._failure or layer.failure
            if not octets and not layer.ended:
                break
        else:
            if octets:
                self._arrived.append(octets)
                self._held += len(octets)
        if self._layers:
            if not self._closed:
                self._carry_out()
            innermost = self._layers[-1]
            if innermost.ended:
                self._ended = True
                self.clean_end = innermost.clean_end
            elif last:
                self._ended = True
        elif last:
            self._ended = self.clean_end = True

    @property
    def closed(self) -> bool:
        """Whether this end was closed."""
        return self._closed

    def _next(self) -> bytes | None:
        """Return what is in the inbox, `b""` after its end, `None` where neither is so yet."""
        if self._arrived:
            octets = self._arrived.popleft()
            self._held -= len(octets)
            return octets
        if self._failure is not None:
            # Told once: whoever holds the error must not see it change under a later operation.
            failure, self._failure = self._failure, TransportClosed()
            try:
                raise failure
            finally:
                del failure  # no frame may hold the error whose traceback holds the frame
        return b"" if self._ended else None

    def receive(self, until: float | None) -> bytes:
        """Return the plaintext of one read; `b""` at the end."""
        if self._arrived:
            first = self._arrived.popleft()
            self._held -= len(first)
            return first
        fruitless = 0
        while (octets := self._next()) is None:
            if self._closed:
                raise TransportClosed
            # Where a wire floods layers with what means nothing, there is always something to read.
            if fruitless > PATIENCE and until is not None and monotonic() >= until:
                raise TransportTimeout("receiving")
            pulled = self._pull(until, wait=True)
            if pulled is not None:
                if pulled and not self._layers:
                    return pulled
                self._take_in(pulled)
                fruitless += len(pulled)
        return octets

    def receive_now(self) -> bytes | None:
        """Return the plaintext of one read if something is there; no flood that means nothing keeps it."""
        fruitless = 0
        while (octets := self._next()) is None and not self._closed and fruitless <= PATIENCE:
            pulled = self._pull(None, wait=False)
            if pulled is None:
                break
            if pulled and not self._layers:
                return pulled
            self._take_in(pulled)
            fruitless += len(pulled)
        if octets is None and not self._closed:
            self._leave_rest()
        return octets

    def look(self) -> Unread | None:
        """Fetch what is there without waiting, into the inbox, and say what it is; `None` for nothing.

        One read of the wire, and another only where the layers make nothing of what came (a session ticket
        of TLS, a frame of a tunnel's connection); none where something is known already. Nothing is consumed.
        """
        size, fetched = 0, False
        try:
            while not (self._closed or size > PATIENCE or super().has_next):
                octets = self._fetch()
                if octets is None:
                    break
                self._take_in(octets)
                size, fetched = size + len(octets), True
        except TransportError as error:
            self._failure = self._failure or error
        if fetched and self.armed and self.inbox is not None:
            # What was read here, the socket does not tell the mailbox any more.
            self.inbox.watch(self)
        handed_out = self._sequence != self._accepted
        if not (handed_out or self._arrived or self._ended or self._failure is not None):
            return None
        return Unread(tuple(self._arrived), self._ended, self._failure, handed_out)

    def _fetch(self) -> bytes | None:
        """Return one read of the wire that does not wait; `None` where nothing is there."""
        return self._pull(None, wait=False)

    def _leave_rest(self) -> None:
        """See to it that what reading did not show is asked for again; where a socket tells, nothing."""
        if self.inbox is not None and self.has_next:
            self.inbox.watch(self)

    # -- active mode

    def permit(self, call: Literal["recv", "flush"]) -> None:
        """Refuse what this mode has no place for: `recv` while a mailbox has the say."""
        if call != "recv":
            return
        if self.inbox is not None:
            raise RuntimeError("recv is for passive mode: feed the mailbox's messages to stream()")
        if self._sequence != self._accepted:
            raise RuntimeError("a message that the mailbox handed out must be fed to stream() first")

    def set_inbox(self, inbox: Inbox | None) -> None:
        """Change the mode. A mailbox holds nothing back: it reads when it hands out."""
        if self.inbox is not None:
            self.inbox.unwatch(self)
        self.armed = self.wanted = False
        self.inbox = inbox

    def _told(self, error: Exception) -> Message:
        """Make the message of what broke the wire; anything else is raised again."""
        if not isinstance(error, TransportError):
            try:
                raise error
            finally:
                del error  # no frame may hold the error whose traceback holds the frame
        return Broken(self.source, self.numbered(), error)

    def deliver(self, octets: bytes) -> Message:
        """Make the next message of this link; `b""` is the peer's end."""
        if octets:
            return Received(self.source, self.numbered(), octets)
        return Closed(self.source, self.numbered(), self.clean_end)

    def write_waiting(self) -> None:
        """Write from the outbox what the wire takes; for mailboxes. Never waits.

        A failure is told by the next message: what the peer said before it comes first.
        """
        self.wanted = True
        if not self._wire.acquire(blocking=False):
            return
        try:
            self.wanted = False
            if not self._closed and not self._write_failed:
                self._write(wait=False)
        except TransportError as error:
            self._failure = error
        finally:
            self._let_go()

    def accept(self, message: Message) -> bytes:
        """Take one message in its turn."""
        if message.sequence != self._accepted + 1:
            raise StaleConnectionError
        self._accepted += 1
        if isinstance(message, Received):
            return message.data
        if isinstance(message, Closed):
            return b""
        raise message.error

    # -- the end

    def shut_write(self) -> None:
        """End the outgoing direction once the outbox is written."""
        if self._shutting or self._closed:
            return
        if self._layers:
            self._layers[-1].close_notify()
            self._carry_out()
        # Around a tunnel that is a stream, the connection to the proxy has to be kept going.
        self._shutting = not any(layer.keeps_wire for layer in self._layers)
        if not self._write_failed:
            self._write()

    def close(self) -> None:
        """Say goodbye as far as the wire takes it at once, and close."""
        if self._closed:
            return
        self._closed = True
        if self.inbox is not None:
            self.inbox.unwatch(self)
        # An operation of another thread may be inside the layers: then there is no goodbye.
        if self._wire.acquire(blocking=False):
            try:
                self._say_goodbye()
            finally:
                self._wire.release()
        self._shut()

    def _say_goodbye(self) -> None:
        try:
            if not self._write_failed:
                # From the inside out: each goodbye goes through the layers around it.
                for layer in self._layers[::-1]:
                    layer.close_notify()
                    self._carry_out()
            self._last_words()
        except Exception:  # noqa: BLE001  # close never raises: the wire is given up anyway
            self._write_failed = True

    def _last_words(self) -> None:  # an offer, not a duty
        """Write from the outbox what goes without waiting; worlds that cannot, do nothing."""

    # -- what is known

    @property
    def tls(self) -> TLSInfo | None:
        """What TLS with the server negotiated; `None` in clear, also where a proxy is spoken to over TLS."""
        innermost = self._layers[-1] if self._layers else None
        return innermost.info() if isinstance(innermost, TLSLayer) and self._secure else None

    @property
    def local_address(self) -> SocketAddress | None:
        """The address of this end."""
        return _address(self.socket, "getsockname")

    @property
    def peer_address(self) -> SocketAddress | None:
        """The address of the other end."""
        return _address(self.socket, "getpeername")


def _address(socket: sockets.socket | None, ask: str) -> SocketAddress | None:
    if socket is None:
        return None
    try:
        answer: SocketAddress = getattr(socket, ask)()
    except OSError:
        return None
    return answer
