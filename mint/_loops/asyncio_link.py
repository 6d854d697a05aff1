"""The link of asyncio: a transport of the event loop, in clear or under our own TLS layers.

The loop pushes octets in as they come and writes what the system did not take at once; neither grows
without bound: reading is paused above a limit, and the transport is given no more than it can pass
on. Nothing here ever waits. All of it belongs to the thread of its loop; only `close` may come from
another. What the loop talks to is in wire.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket as sockets
from threading import get_ident
from typing import TYPE_CHECKING, ClassVar, Literal

from .._wire.link import Link
from ..errors import TransportClosed
from ..errors.transport import Unreachable, system_error
from ..types import Unread
from .asyncio_wire import FIRST_READ, Wire, most_held, much
from .reading import grown, taught

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._wire.layer import Layer
    from .._wire.link import World

MOST_WRITTEN = 262_144
"""How much is given to the transport at once: it copies what the system does not take."""


class AsyncioLink(Link):
    """A transport of asyncio (or uvloop) as a link."""

    world: ClassVar[World] = "asyncio"

    def __init__(self, socket: sockets.socket, layers: Sequence[Layer] = ()) -> None:
        """Take over a connected socket (it is closed with the link); `open` makes the transport."""
        super().__init__(layers)
        self.loop: asyncio.AbstractEventLoop = asyncio.get_running_loop()
        """The loop it belongs to."""
        self.home: int = get_ident()
        self.pushed: bool = True
        self._socket = socket
        self._transport: asyncio.Transport | None = None
        self._flushing: set[asyncio.Future[None]] = set()
        self._most_held = most_held(self.loop)
        self._much = much(self.loop)
        self._read_size = taught(FIRST_READ)
        self._scheduled = False
        self._fresh = True
        self._eof_written = False
        self._cut = False
        self._given = 0
        self.full: bool = False
        """Whether the system takes no more at the moment."""

    @property
    def socket(self) -> sockets.socket | None:
        """The socket, to read from its options."""
        return self._socket

    async def open(self) -> None:
        """Let the loop make a transport of the socket."""
        wire = Wire(self, self.loop)
        if self._socket.family == sockets.AF_UNIX:
            transport, _ = await self.loop.create_unix_connection(lambda: wire, sock=self._socket)
        else:
            transport, _ = await self.loop.create_connection(lambda: wire, sock=self._socket)
        # Pausing at once says exactly whether the system took everything.
        transport.set_write_buffer_limits(high=0)
        self._transport = wire.transport = transport
        self.write_out()

    # -- what the wire tells

    def read(self, octets: bytes) -> None:
        """Take one read, `b""` at the end."""
        self._fresh = True
        self.likely: bool = len(octets) >= self._much
        if octets and not self._layers:
            self.arrive(octets)
        else:
            self._take_in(octets)
        if self.armed and self.inbox is not None:
            self.inbox.watch(self)
        if self._held > self._most_held and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def _go_on(self) -> None:
        """Read again: everything that was held is handed out."""
        if self._transport is not None and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()

    def resumed(self) -> None:
        """Take that the system has taken everything the transport was given."""
        self.full = False
        self._queued -= self._given
        self._given = 0
        self.write_out()

    def lost(self, error: Exception | None) -> None:
        """Take that the transport is gone; what the peer said before is heard first."""
        self._cut = self._cut or self.full or bool(self._outbox) or error is not None
        self._write_failed = True
        self._outbox.clear()
        self._queued = self._given = 0
        if self._closed or self._ended or self._failure is not None:
            pass
        elif error is None:
            self._take_in(b"")
        else:
            # 9112-9.5-a: the loop gives up where writing fails; the socket is still open in here.
            self._gather(
                system_error(error, doing="sending or receiving")
                if isinstance(error, OSError)
                else Unreachable(str(error))
            )
        if self.armed and self.inbox is not None:
            self.inbox.watch(self)
        self._wake()

    # -- sending

    @property
    def _failing(self) -> bool:
        """Whether the transport has met an error, and is about to tell."""
        return self._transport is not None and self._transport.is_closing() and not self._write_failed

    @property
    def waiting(self) -> bool:
        """Whether octets are queued that the transport could be given."""
        return bool(self._outbox) and not self.full

    # What is overridden here does the same in fewer calls.
    _plain = True

    def send(self, pieces: tuple[bytes, ...], *, flush: bool) -> None:
        """Write at once where nothing waits before it and it is the first of this turn of the loop."""
        transport = self._transport
        if (
            flush
            and self._fresh
            and len(pieces) == 1
            and len(pieces[0]) <= MOST_WRITTEN
            and transport is not None
            and not (self._layers or self._outbox or self.full or self._closed or self._shutting)
            and not (self._write_failed or transport.is_closing())
        ):
            self._fresh = False
            transport.write(pieces[0])
            if self.full:
                self._given = transport.get_write_buffer_size()
                self._queued += self._given
        else:
            super().send(pieces, flush=flush)

    def permit(self, call: Literal["recv", "flush"]) -> None:
        """Refuse what would have to wait."""
        if call == "recv":
            raise RuntimeError("recv would block: receive from a mint.asyncio.Mailbox, feed stream()")
        raise RuntimeError("flush would block: await mint.asyncio.flush(connection)")

    def _transmit(self, *, wait: bool) -> None:  # noqa: ARG002  # never waits
        """Write the first of this turn of the loop at once, the others together in the next."""
        if self._fresh:
            self._fresh = False
            self.write_out()
        else:
            self.write_soon()

    def write_soon(self) -> None:
        """Write what is queued in the next turn of the loop."""
        if not self._scheduled:
            self._scheduled = True
            self.loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._scheduled = False
        self._fresh = True
        self.write_out()

    def write_out(self) -> None:
        """Give the transport what the system takes now."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        outbox = self._outbox
        while outbox and not self.full:
            piece = self._piece()
            transport.write(piece)
            # What the system has not taken is in the transport, and counts until it has.
            if self.full:
                self._given = transport.get_write_buffer_size()
            self._queued -= len(piece) - self._given
        if not outbox:
            if self._shutting:
                self._end_writing()
            if not self.full:
                self._wake()

    def _piece(self) -> bytes | memoryview[int]:
        """Take the next write out of the outbox: small pieces together, large ones in parts."""
        outbox = self._outbox
        first: bytes | memoryview[int] = outbox.popleft()
        if not outbox and len(first) <= MOST_WRITTEN:
            return first
        if len(first) > MOST_WRITTEN:
            view = memoryview(first)
            outbox.appendleft(view[MOST_WRITTEN:])
            return view[:MOST_WRITTEN]
        size = len(first)
        pieces = [first]
        while outbox and size + len(outbox[0]) <= MOST_WRITTEN:
            pieces.append(outbox.popleft())
            size += len(pieces[-1])
        return b"".join(pieces)

    def flush(self, timeout: float | None) -> None:  # noqa: ARG002  # never called: `permit` refuses
        """Write what the system takes now."""
        self.write_out()

    async def drain(self) -> None:
        """Wait until the system has taken everything that was queued; raise where it never will."""
        self.write_out()
        while (self.unsent or self.backlog or self._failing) and not self._closed:
            waiter = self.loop.create_future()
            self._flushing.add(waiter)
            try:
                await waiter
            finally:
                self._flushing.discard(waiter)
        if self._cut:
            raise TransportClosed

    def _wake(self) -> None:
        for waiter in self._flushing:
            if not waiter.done():
                waiter.set_result(None)

    # -- receiving

    def _pull(self, until: float | None, *, wait: bool) -> bytes | None:  # noqa: ARG002  # never waits
        # The loop pushes. What it left in the socket is read here: when it has given up, and where it has
        # just brought so much that a turn of the loop for each read would cost more than the octets.
        transport = self._transport
        if transport is None or not (self.likely or transport.is_closing()):
            return None
        size = self._read_size
        try:
            octets = self._socket.recv(size)
        except BlockingIOError:
            octets = b""
        except OSError as error:
            raise system_error(error, doing="receiving") from error
        self.likely = len(octets) == size
        self._read_size = grown(size) if self.likely else FIRST_READ
        # Of an end the loop tells: what is read after it has heard of a reset looks like one.
        return octets or None

    def _fetch(self) -> bytes | None:
        """Read what the loop has had no time to read yet; what it has read is in the inbox already."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return self._pull(None, wait=False)
        try:
            octets = self._socket.recv(self._read_size)
        except BlockingIOError:
            self.likely = False
            return None
        except OSError as error:
            raise system_error(error, doing="receiving") from error
        self.likely = len(octets) == self._read_size
        return octets

    def look(self) -> Unread | None:
        """Fetch what is there without waiting, and say what it is; a transport that fails has ended."""
        found = super().look()
        if found is None and self._failing:
            return Unread((), ended=True, failure=None, handed_out=False)
        return found

    def _leave_rest(self) -> None:
        """Ask again in a turn of our own where there is probably more, else leave it to the loop."""
        if self.likely and self.inbox is not None:
            self.inbox.watch(self)
        elif self._paused:
            self._go_on()

    def _take_in(self, octets: bytes) -> None:
        """Pass one read through the layers; what they answer leaves at once."""
        super()._take_in(octets)
        if self._outbox:
            self.write_out()

    # -- the end

    def _end_writing(self) -> None:
        if self._transport is not None and not self._eof_written:
            self._eof_written = True
            self._transport.write_eof()

    def close(self) -> None:
        """Close, in the thread of the loop; from another one, soon."""
        if get_ident() == self.home:
            super().close()
        else:
            with contextlib.suppress(RuntimeError):
                self.loop.call_soon_threadsafe(super().close)

    def _last_words(self) -> None:
        self.write_out()

    def _shut(self) -> None:
        self._cut = self._cut or bool(self.unsent or self.backlog)
        self._wake()
        try:
            if self._transport is None:
                self._socket.close()
            elif self._transport.get_write_buffer_size():
                # What the system did not take is given up: closing never waits.
                self._transport.abort()
            else:
                self._transport.close()
        except RuntimeError:
            # The loop is closed already, and with it everything that could close the socket.
            self._socket.close()
