"""The link for asyncio and uvloop: a socket that the event loop reports when it can be read or written.

Operations never wait. What the system does not take at once is written when the loop reports that it takes
more. Reading is asked for while a mailbox wants a message or `flush` waits. All of it belongs to the thread
of its loop; only `close` may come from another.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import weakref
from threading import get_ident
from typing import TYPE_CHECKING, Literal

from .._wire.pipe import READ, WRITE, Writing
from ..errors import TransportClosed
from .asyncio_poller import poller
from .sockets import SocketBase

if TYPE_CHECKING:
    import socket as sockets
    from collections.abc import Sequence

    from .._wire.layer import Layer
    from .._wire.link import LoopName
    from ..options import TCPOptions


class _Registration:
    """What the loop holds: the socket, and the link weakly. Who drops the last connection value closes it."""

    def __init__(self, link: AsyncioLink, socket: sockets.socket, loop: asyncio.AbstractEventLoop) -> None:
        self._socket = socket
        self._loop = loop
        self._poller = poller(loop)
        self._process = os.getpid()
        self._events = 0
        # Last, since it uses the rest, also where an interrupt comes in here.
        self._link = weakref.ref(link, self._dropped)
        _OPEN.add(self)

    def change(self, events: int) -> None:
        """Register for these events, and no others."""
        changed = events ^ self._events
        if not changed or self._socket.fileno() < 0 or os.getpid() != self._process:
            return  # in a forked child the selector is the parent's
        with contextlib.suppress(RuntimeError):  # the loop is closed
            # An event counts from before it is registered until after it is not. So where an exception comes
            # in between, it is removed once more before the socket is closed.
            if changed & READ:
                if events & READ:
                    self._events |= READ
                    self._poller.add_reader(self._socket.fileno(), self._readable)
                else:
                    self._poller.remove_reader(self._socket.fileno())
                    self._events &= ~READ
            if changed & WRITE:
                if events & WRITE:
                    self._events |= WRITE
                    self._poller.add_writer(self._socket.fileno(), self.writable)
                else:
                    self._poller.remove_writer(self._socket.fileno())
                    self._events &= ~WRITE

    @property
    def events(self) -> int:
        """What the socket is registered for."""
        return self._events

    def _readable(self) -> None:
        link = self._link()
        if link is not None:
            try:
                link.readable()
            except BaseException:
                link.loop_interrupted()
                raise

    def writable(self) -> None:
        """Pass on that the socket can be written, or is to be tried."""
        link = self._link()
        if link is not None:
            try:
                link.writable()
            except BaseException:
                link.loop_interrupted()
                raise

    def _dropped(self, _: object) -> None:
        # The garbage collector runs in any thread.
        try:
            self._loop.call_soon_threadsafe(self.close)
        except RuntimeError:  # the loop is closed
            self.close()

    def close(self) -> None:
        """Register no more, and close the socket."""
        self.let_go()
        self._socket.close()

    def let_go(self) -> None:
        """Register no more; the link closes the socket."""
        self.change(0)
        _OPEN.discard(self)


_OPEN: set[_Registration] = set()
"""Those of links that were not closed: they outlive a link that is dropped, and close its socket."""


class AsyncioLink(SocketBase):
    """A socket whose event loop says when it can be read and written."""

    loop_name: LoopName = "asyncio"

    _plain = True  # it differs from a blocking socket in what never waits

    def __init__(self, socket: sockets.socket, options: TCPOptions, layers: Sequence[Layer] = ()) -> None:
        """Take over a connected socket (it is closed with the link); it belongs to the running loop."""
        super().__init__(socket, options, layers)
        socket.setblocking(False)
        self.loop: asyncio.AbstractEventLoop = asyncio.get_running_loop()
        """The loop it belongs to."""
        self.home: int = get_ident()
        self._registration = _Registration(self, socket, self.loop)
        self._flushing: set[asyncio.Future[None]] = set()
        self._fresh = True
        """Whether nothing was written since the loop last reported something: then writing need not wait."""
        self._scheduled = False

    # -- what the loop reports

    def ask(self) -> None:
        """Register for what is wanted now."""
        wanted = self.wants
        asked = wanted & WRITE if self.unsent else 0
        if (self.armed and not self.has_next) or (self._flushing and wanted & READ):
            asked |= READ
        self._registration.change(asked | (self._registration.events & READ))

    def readable(self) -> None:
        """Take that there is something to read: for the mailbox, for `flush`, or for nobody at the moment."""
        self._fresh = True
        if self._flushing and self.wants & READ:
            octets = self._read_now()
            if octets is not None:
                self._take_in(octets)
            self.write_waiting()
            if self.armed and self.has_next and self.inbox is not None:
                self.inbox.watch(self)
        elif self.armed and self.inbox is not None and not self.likely:
            self.likely: bool = True
            self.inbox.watch(self)
        else:
            # Nobody wants it, or the mailbox has known for a whole turn of the loop: it is asked for again
            # then.
            self._registration.change(self._registration.events & ~READ)

    def writable(self) -> None:
        """Take that the system may take more."""
        self._fresh = True
        self._scheduled = False
        self.write_waiting()
        if self.armed and self.has_next and self.inbox is not None:
            self.inbox.watch(self)
        self.ask()

    def loop_interrupted(self) -> None:
        """Take that an exception came while the loop reported something: give the wire up, and say so."""
        self.note: object = None  # what the mailbox had noted may be half of it
        self.broken_off()
        self._wake_flushes()

    # -- sending

    def permit(self, call: Literal["recv", "flush"]) -> None:
        """Refuse what would have to wait."""
        if call == "recv":
            raise RuntimeError("recv would block: receive from a mint.asyncio.Mailbox, feed stream()")
        raise RuntimeError("flush would block: await mint.asyncio.flush(connection)")

    def _transmit(self, *, wait: bool) -> None:
        """Write the first of this turn of the loop at once, the others together in the next."""
        if self._fresh or not wait:
            self._fresh = not wait
            self._push()
            if self.unsent:
                self.ask()
        elif not self._scheduled:
            self._scheduled = True
            self.loop.call_soon(self._registration.writable)

    def write_now(self) -> None:
        """Write what the system takes."""
        super().write_now()
        self._wake_flushes()

    def flush(self, timeout: float | None) -> None:  # noqa: ARG002  # never called: `permit` refuses
        """Write what the system takes now."""
        self.write_waiting()

    async def drain(self) -> None:
        """Wait until the system has taken everything that was queued; raise where it never will.

        It reads meanwhile, so that two peers that both write cannot deadlock, and returns where the input
        queue is full.
        """
        self.write_waiting()
        while self.unsent and self._writing < Writing.FAILED and self.wants and not self._is_blocked:
            waiter = self.loop.create_future()
            self._flushing.add(waiter)
            try:
                self.ask()
                await waiter
            finally:
                self._flushing.discard(waiter)
        if self._writing == Writing.FAILED or (self.unsent and not self._is_blocked):
            raise TransportClosed

    def _wake_flushes(self) -> None:
        for waiter in self._flushing:
            if not waiter.done():
                waiter.set_result(None)

    # -- receiving

    def _pull(self, until: float | None, *, wait: bool) -> bytes | None:  # noqa: ARG002  # never waits
        return self._read_now()

    def _take_in(self, octets: bytes) -> None:
        super()._take_in(octets)
        self._wake_flushes()

    # -- the end

    def close(self) -> None:
        """Close, in the thread of the loop; from another one, soon."""
        if get_ident() == self.home:
            super().close()
        elif self._is_ours:
            with contextlib.suppress(RuntimeError):
                self.loop.call_soon_threadsafe(super().close)
        else:
            super().close()

    def _shut(self) -> None:
        self._registration.let_go()
        super()._shut()
        self._wake_flushes()
