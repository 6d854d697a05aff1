"""The link: the mutable thing that owns a wire. Its guard, its outbox and its inbox live here.

No socket does: a subclass moves octets for one world (`_transmit`, `_pull`, `_end_writing`, `_shut`). No
protocol does: octets are octets. A link never references a connection value.

Who may write: one operation at a time, the holder of the guard. `close` is exempt.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import deque
from typing import TYPE_CHECKING

from ..errors import StaleConnectionError, TransportClosed, TransportError
from ..messages import Closed, Received
from ..types import Source
from .tls import TLSLayer

if TYPE_CHECKING:
    import socket as sockets
    from collections.abc import Sequence

    from ..messages import Message
    from ..types import Inbox, SocketAddress, TLSInfo
    from .layer import Layer


class Link(ABC):
    """What every transport shares. Implements `mint.types.Transport`."""

    def __init__(self, layers: Sequence[Layer] = ()) -> None:
        """Start with these layers, the outermost (nearest to the wire) first."""
        self.source = Source()
        self.generation = 0
        self.inbox: Inbox | None = None
        self.clean_end = False
        self._layers = tuple(layers)
        self._secure = True
        self._guard = threading.Lock()
        self._outbox: deque[bytes | memoryview[int]] = deque()
        self._queued: int = 0
        self._arrived: deque[bytes] = deque()
        self._held = 0
        self._ended = False
        self._shutting = False
        self._write_failed = False
        self._closed = False
        self._sequence = 0
        self._accepted = 0
        self._failure: TransportError | None = None

    # -- what a world provides

    @abstractmethod
    def _transmit(self) -> None:
        """Write from the outbox what the wire takes now; wait only by this world's rules."""

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
        if not self._guard.acquire(blocking=False):
            raise StaleConnectionError
        if generation != self.generation:
            self._guard.release()
            raise StaleConnectionError

    def release(self, *, moved: bool) -> int:
        """Give the link back; one generation on if the operation moved bytes."""
        if moved:
            self.generation += 1
        newest = self.generation
        self._guard.release()
        return newest

    def poison(self) -> None:
        """Close after an interrupted operation: every value is superseded now."""
        self.generation += 1
        self.close()
        self._guard.release()

    # -- sending

    @property
    def unsent(self) -> int:
        """How many octets are queued and not written, also in layers that cannot send them yet."""
        return self._queued + sum(layer.waiting for layer in self._layers)

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
        for inner, outer in zip(layers[:0:-1], layers[-2::-1], strict=True):
            octets = inner.leaving()
            if octets:
                outer.write(octets)
        octets = layers[0].leaving()
        if octets:
            self._outbox.append(octets)
            self._queued += len(octets)

    def _write(self) -> None:
        """Transmit; where the peer no longer takes bytes, let what it said before be heard first."""
        try:
            self._transmit()
            if self._shutting and not self._queued:
                self._end_writing()
        except TransportError as error:
            if isinstance(error, TimeoutError):
                raise
            self._write_failed = True
            self._outbox.clear()
            self._queued = 0
            # 9112-9.5-a: an early response (413 and close) must not be lost to a broken pipe.
            self._gather()
            if not self._arrived:
                raise

    def _gather(self) -> None:
        """Read into the inbox what came before the wire broke; failures of reading say nothing new."""
        try:
            while (octets := self._pull(None, wait=False)) is not None:
                self._take_in(octets)
                if self._ended:
                    return
        except TransportError:
            self._ended = True

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
        """Pass one read of the wire through the layers, into the inbox."""
        for layer in self._layers:
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
        elif not octets:
            self._ended = True
            self.clean_end = True

    def _next(self) -> bytes | None:
        """Return what is in the inbox, `b""` after its end, `None` where neither is so yet."""
        if self._arrived:
            octets = self._arrived.popleft()
            self._held -= len(octets)
            return octets
        if self._failure is not None:
            raise self._failure
        return b"" if self._ended else None

    def receive(self, until: float | None) -> bytes:
        """Return the plaintext of one read; `b""` at the end."""
        while (octets := self._next()) is None:
            if self._closed:
                raise TransportClosed
            pulled = self._pull(until, wait=True)
            if pulled is None:
                continue
            if pulled and not self._layers:
                return pulled
            self._take_in(pulled)
        return octets

    def receive_now(self) -> bytes | None:
        """Return the plaintext of one read if something is there."""
        while (octets := self._next()) is None:
            pulled = None if self._closed else self._pull(None, wait=False)
            if pulled is None:
                return None
            self._take_in(pulled)
        return octets

    # -- active mode

    def set_inbox(self, inbox: Inbox | None) -> None:
        """Change the mode; what a mailbox had read and not handed out comes back."""
        if self.inbox is not None:
            self.inbox.unwatch(self)
        self.inbox = inbox

    def arm(self) -> None:
        """Ask the mailbox for one message."""
        if self.inbox is not None and not self._closed:
            self.inbox.watch(self)

    def deliver(self, octets: bytes) -> Message:
        """Make the next message of this link; for mailboxes."""
        self._sequence += 1
        if octets:
            return Received(self.source, self._sequence, octets)
        return Closed(self.source, self._sequence, self.clean_end)

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
        self._shutting = True
        if self._layers:
            self._layers[-1].close_notify()
            self._carry_out()
        if not self._write_failed:
            self._write()

    def close(self) -> None:
        """Say goodbye as far as the wire takes it at once, and close."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._layers and not self._write_failed and not self._shutting:
                self._layers[-1].close_notify()
                self._carry_out()
            self._last_words()
        except Exception:  # noqa: BLE001  # close never raises: the wire is given up anyway
            self._write_failed = True
        self._shut()

    def _last_words(self) -> None:  # noqa: B027  # an offer, not a duty
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
