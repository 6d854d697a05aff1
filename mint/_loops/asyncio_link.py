"""The link for asyncio and uvloop: a socket that the event loop watches.

Operations never wait. Octets that the system does not accept at once are written when the loop reports that
the socket is writable. The loop watches for input while a mailbox wants a message or `flush` waits. A link
may be used only in the thread of its loop, except that any thread may call `close`.
"""

from __future__ import annotations

import asyncio
import weakref
from threading import get_ident
from typing import TYPE_CHECKING, Literal

from .._process import current_process
from .._wire.pipe import READ, WRITE, Writing
from ..errors import TransportClosed
from .asyncio_poller import SelectorPoller, poller
from .asyncio_waiting import Waiter, nudge
from .sockets import SocketBase, broken

if TYPE_CHECKING:
    import socket as sockets
    from collections.abc import Callable, Sequence

    from .._wire.layer import Layer
    from .._wire.link import LoopName
    from ..options import TCPOptions


class NextIteration:
    """A call in the next iteration of an event loop, scheduled once however often it is asked for.

    If memory runs out in the loop's own code, it can lose the call: it then drops the handle without having
    called anything. So the handle shows whether the call is still scheduled, and a flag would not.
    """

    __slots__ = ("_handle", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._handle: Callable[[], asyncio.Handle | None] | None = None

    def ask(self, work: Callable[[], object]) -> None:
        """Have the loop call this function, unless it is going to call it anyway."""
        if self._handle is None or self._handle() is None:
            handle = self._loop.call_soon(work)
            try:
                self._handle = weakref.ref(handle)
            except TypeError:  # a loop whose handles cannot be referred to: `begun` alone ends the wait
                self._handle = lambda: handle

    def begun(self) -> None:
        """Note that the loop has made the call; the next `ask` schedules another one."""
        self._handle = None


class EagerInbox:
    """The base of an inbox that reads each message in the next iteration of the loop, without being asked."""


class _Registration:
    """The loop's reference to a link: the socket, and a weak reference, so that a dropped link is closed."""

    def __init__(self, link: AsyncioLink, socket: sockets.socket, loop: asyncio.AbstractEventLoop) -> None:
        self._socket = socket
        self._loop = loop
        self._poller = poller(loop)
        self._process = current_process()
        self._events = 0
        self._doubtful = 0
        """The events whose registration was interrupted by an exception, if it is not under way."""
        # Last, because the callback uses the attributes above, even if an exception interrupts `__init__`.
        self._link = weakref.ref(link, self._dropped)
        if isinstance(self._poller, SelectorPoller):
            self._poller.keep(self)
        _OPEN.add(self)

    def change(self, events: int) -> None:
        """Register for these events, and no others. Raises `TransportError` if the system refuses."""
        changed = (events ^ self._events) | (events & self._doubtful)
        if not changed or self._socket.fileno() < 0 or self._process.inherited:
            return  # in a forked child the selector is the parent's
        try:
            # An event is noted before it is registered, until after it has been removed. So if an exception
            # comes in between, it is removed again before the socket is closed. Meanwhile it is doubtful, and
            # the next call registers it again.
            if changed & READ:
                self._doubtful |= READ
                if events & READ:
                    self._events |= READ
                    self._poller.add_reader(self._socket.fileno(), self._readable)
                else:
                    self._poller.remove_reader(self._socket.fileno())
                    self._events &= ~READ
                self._doubtful &= ~READ
            if changed & WRITE:
                self._doubtful |= WRITE
                if events & WRITE:
                    self._events |= WRITE
                    self._poller.add_writer(self._socket.fileno(), self.writable)
                else:
                    self._poller.remove_writer(self._socket.fileno())
                    self._events &= ~WRITE
                self._doubtful &= ~WRITE
        except RuntimeError:
            pass  # the loop is closed
        except (OSError, ValueError, KeyError) as error:
            if self._socket.fileno() < 0:
                return  # a signal handler has closed it meanwhile
            if not isinstance(error, OSError):
                raise
            raise broken(error, "watching the socket") from error

    @property
    def events(self) -> int:
        """The events that the socket is registered for."""
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
        """Let the link write: the socket may be writable."""
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
        """End the registration, and close the socket."""
        self.let_go()
        self._socket.close()

    def let_go(self) -> None:
        """End the registration; the link closes the socket."""
        self.change(0)
        if isinstance(self._poller, SelectorPoller) and not self._process.inherited:
            self._poller.let_go(self)
        _OPEN.discard(self)


_OPEN: set[_Registration] = set()
"""The registrations of links that were not closed: they outlive a dropped link, and close its socket."""


class AsyncioLink(SocketBase):
    """A socket that an event loop of asyncio watches."""

    loop_name: LoopName = "asyncio"

    _plain = True  # its overrides differ from the base only in that they never wait

    def __init__(self, socket: sockets.socket, options: TCPOptions, layers: Sequence[Layer] = ()) -> None:
        """Take over a connected socket (it is closed with the link); it belongs to the running loop."""
        super().__init__(socket, options, layers)
        socket.setblocking(False)
        self.descriptor: int = socket.fileno()
        self.loop: asyncio.AbstractEventLoop = asyncio.get_running_loop()
        """The event loop that the link belongs to."""
        self.home: int = get_ident()
        self._registration = _Registration(self, socket, self.loop)
        self._flushing: set[Waiter] = set()
        self.progressed: Callable[[], object] | None = None
        """Called when octets were written or read, for tunnels that share the connection."""
        self._fresh = True
        """Whether nothing was written since the loop last called the link; then output is written at once."""
        self._soon = NextIteration(self.loop)

    # -- what the loop reports

    def ask(self) -> None:
        """Register for the events that the link needs now."""
        wanted = self.wants
        asked = wanted & WRITE if self.unsent else 0
        if (self.armed and not self.has_next) or (
            wanted & READ and (self._flushing or (self.windowed and self.needs_credit))
        ):
            asked |= READ
        self._registration.change(asked | (self._registration.events & READ))

    def readable(self) -> None:
        """Handle a readable socket: read for `flush`, tell the mailbox, or stop watching for input."""
        self._fresh = True
        if self._flushing and self.wants & READ:
            octets = self._read_now()
            if octets is not None:
                self._take_in(octets)
            self.write_waiting()
            if self.armed and self.has_next and self.inbox is not None:
                self.inbox.watch(self)
        elif self.windowed and self.needs_credit:
            self.write_waiting()
        elif (
            self.armed and self.inbox is not None and (not self.likely or isinstance(self.inbox, EagerInbox))
        ):
            # An `EagerInbox` is told again, because the loop may have lost its call.
            self.likely: bool = True
            self.inbox.watch(self)
        else:
            # Nobody wants input now, or the mailbox was told in an earlier iteration of the loop and has not
            # read yet. `ask` registers again when input is wanted.
            self._registration.change(self._registration.events & ~READ)

    def writable(self) -> None:
        """Handle a writable socket, or the next iteration of the loop after `_transmit`."""
        self._fresh = True
        self._soon.begun()
        self.write_waiting()
        if self.armed and self.has_next and self.inbox is not None:
            self.inbox.watch(self)
        self.ask()

    def loop_interrupted(self) -> None:
        """Abandon the socket, because an exception interrupted a callback of the loop; report that."""
        self.note: object = None  # what the mailbox stored may be incomplete
        self.broken_off()
        self._wake_flushes()

    # -- sending

    def permit(self, call: Literal["recv", "flush"]) -> None:
        """Raise `RuntimeError`: both calls would have to wait."""
        if call == "recv":
            raise RuntimeError("recv would block: receive from a mint.asyncio.Mailbox, feed stream()")
        raise RuntimeError("flush would block: await mint.asyncio.flush(connection)")

    def _transmit(self, *, wait: bool) -> None:
        """Write the first output of a loop iteration at once, and any later output in the next iteration."""
        if self._fresh or not wait:
            self._fresh = not wait
            self._push()
            if self.unsent:
                self.ask()
        else:
            self._soon.ask(self._registration.writable)

    def write_now(self) -> None:
        """Write what the system accepts."""
        super().write_now()
        self._wake_flushes()

    def flush(self, timeout: float | None) -> None:  # noqa: ARG002  # never called: `permit` refuses
        """Write what the system accepts now."""
        self.write_waiting()

    async def drain(self) -> None:
        """Wait until the system has accepted everything that was queued.

        It reads meanwhile, so that two peers that both write cannot deadlock, and returns if the input queue
        is full. Raises `TransportClosed` if the rest can never be written.
        """
        if self.is_inherited:
            self.refuse()
        self.write_waiting()
        while self.unsent and self._writing < Writing.FAILED and self.wants and not self._is_blocked:
            waiter = Waiter(loop=self.loop)
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
            waiter.wake()
        if self.progressed is not None:
            self.progressed()

    # -- receiving

    def _pull(self, until: float | None, *, wait: bool) -> bytes | None:  # noqa: ARG002  # never waits
        return self._read_now()

    def _take_in(self, octets: bytes) -> None:
        super()._take_in(octets)
        self._wake_flushes()

    # -- the end

    def close(self) -> None:
        """Close now in the thread of the loop; from another thread, schedule it in the loop."""
        if get_ident() == self.home:
            super().close()
            if self._flushing or self.progressed is not None:
                nudge(self.loop)
        elif self._is_ours:
            try:
                self.loop.call_soon_threadsafe(super().close)
            except RuntimeError:
                super().close()  # the loop is closed, and its thread does not use the socket any more
        else:
            super().close()

    def _shut(self) -> None:
        self._registration.let_go()
        super()._shut()
        self._wake_flushes()
