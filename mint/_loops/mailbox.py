"""Mailboxes: any number of connections, one message at a time.

A message is read from its link at the moment it is returned, so a mailbox holds no data of connections: it
only knows which links are ready. `Watcher` does that without waiting; the mailbox of each event loop adds the
waiting. References to links are weak. This module does not depend on any protocol.

The cost of a message does not depend on how many links are watched: one `select` reports many links, which
are all read before the next `select`. A link stays registered while its message is fed to `stream`, and is
unregistered only if it is reported while nobody wants to read it.
"""

from __future__ import annotations

import contextlib
import selectors
import socket as sockets
from collections import deque
from time import monotonic
from typing import TYPE_CHECKING, Self, TypeAlias

from .._checks import LONGEST as FOREVER
from .._checks import seconds
from .._core.link_base import Mutex
from .._core.watching import Watch, WatcherBase
from .._process import current_process, share
from .._wire.link import Link
from ..errors import MailboxClosed, TransportTimeout
from .selector import Epoll, new_selector
from .system import LONGEST, REPORTED, no_descriptor, pass_on

if TYPE_CHECKING:
    import weakref
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from ..types import Transport

    _WatcherBase: TypeAlias = WatcherBase[Link]
else:
    _WatcherBase = WatcherBase

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE

_PHASE = "waiting for a message"


class _Watch(Watch[Link]):
    """A weak reference to a link, with the events it is registered for and whether it is in a queue."""

    __slots__ = ()

    @classmethod
    def of(cls, link: Link, gone: Callable[[weakref.ref[Link]], None]) -> Self:
        """Return the watch of a link; `gone` is called when the link is garbage-collected."""
        made = cls(link, gone)
        made.fd = -1 if link.socket is None else link.socket.fileno()
        return made


class WakeSocket:
    """A pair of sockets that ends the wait for a selector from any thread, and from a signal handler."""

    def __init__(self, selector: selectors.BaseSelector) -> None:
        """Register one of them. Raises `OSError` if there is no descriptor."""
        self._receiver, self._sender = sockets.socketpair()
        self._receiver.setblocking(False)
        self._sender.setblocking(False)
        selector.register(self._receiver, READ)

    def wake(self) -> None:
        """End the wait, or else the next one."""
        # If the buffer is full, the receiver will wake anyway; if the socket is closed, nobody waits.
        with REPORTED:
            self._sender.send(b"\0")

    def drain(self) -> None:
        """Read all wake-ups."""
        with REPORTED:
            while self._receiver.recv(4096):
                pass

    def close(self) -> None:
        """Close both sockets. Idempotent."""
        self._receiver.close()
        self._sender.close()


class Watcher(_WatcherBase):
    """Knows which links are ready, and what was posted. It never waits; one thread at a time may take.

    Implements `mint.types.Inbox` for links that are sockets of one event loop, or in memory. A registration
    with the selector belongs to a link: it ends when the mailbox stops watching the link, before the socket
    is closed.
    """

    _loop_name = "blocking"
    _selector: Epoll | selectors.DefaultSelector

    def __init__(self) -> None:
        try:
            self._selector = new_selector()
            try:
                self._wake_socket = WakeSocket(self._selector) if self._needs_wake_socket() else None
            except BaseException:
                self._selector.close()
                raise
        except OSError as error:
            raise no_descriptor(error, "making a mailbox") from error
        self._process = current_process()
        self._registry = Mutex()
        """Held while a registration changes; a signal handler of the same thread may take it again."""
        self._watches: set[_Watch] = set()
        # Any thread appends; the thread that takes handles them: links to check, or that no longer exist.
        self._orders = deque()
        self._ready = deque()
        self._near = deque()
        self._refused = deque()  # links that the selector cannot watch at the moment, for the next `_look`
        share(self)

    # -- from any thread

    def admit(self, transport: Transport) -> None:
        """Raise `TypeError` for a connection of another event loop, `MailboxClosed` after `close`."""
        if not isinstance(transport, Link) or transport.loop_name not in {"any", self._loop_name}:
            raise TypeError("the mailbox belongs to another event loop than the connection")
        if self._closed:
            raise MailboxClosed

    def _order(self, link: Link) -> None:
        """Have the thread that takes check a link."""
        watch = link.note
        if not isinstance(watch, _Watch):
            # The garbage collector appends the watch of a link that is gone, in any thread, at any time.
            watch = link.note = _Watch.of(link, self._orders.append)
            self._watches.add(watch)
        self._orders.append(watch)
        if self._asleep:
            self._wake()

    def unwatch(self, transport: Transport) -> None:
        """Stop watching a link; called by connections, before they close the socket."""
        watch = transport.note
        if isinstance(watch, _Watch):
            transport.note = None
            self._forget(watch)

    def post(self, message: object) -> None:
        """Add a message of your own, from any thread; a waiting receiver wakes up.

        Raises `MailboxClosed` after `close`.
        """
        if self._closed:
            raise MailboxClosed
        self._near.append(message)
        if self._asleep:
            self._wake()

    def _needs_wake_socket(self) -> bool:
        """Whether only a socket can end the wait for the selector."""
        return True

    def _wake(self) -> None:
        """Wake the receiver that waits."""
        if self._wake_socket is not None:
            self._wake_socket.wake()

    # -- from the thread that takes

    def _read(self, watch: _Watch, out: list[object]) -> bool:
        watch.queued = False
        link = watch()
        if link is None or link.note is not watch:
            return False
        found = link.take_message(self, out)
        if not found or link.has_queued:
            self._register(watch, self._events(link, watch, reading=not found))
        return found

    def _settle(self, link: Link, watch: _Watch, found: bool) -> None:
        """Register what a link needs after an attempt to read it."""
        self._register(watch, self._events(link, watch, reading=not found))

    def _events(self, link: Link, watch: _Watch, *, reading: bool) -> int:
        """Return the events to register; a link stays registered while its message is fed to `stream`."""
        if link.wanted:
            # Another thread holds the link, perhaps for long; when it releases the link, it calls `watch`.
            return 0
        events = link.wants & WRITE if link.unsent else 0
        if (reading and link.armed) or (link.windowed and link.needs_credit):
            events |= READ
        return events | (watch.events & READ)

    def _explains(self, error: Exception) -> bool:
        """Whether an error of the selector only means that another thread has closed a socket meanwhile."""
        return isinstance(error, OSError) and isinstance(self._selector, selectors.SelectSelector)

    def _report(self, watch: _Watch, events: int) -> None:
        link = watch()
        if link is None or link.note is not watch:
            self._forget(watch)
            return
        if events & WRITE:
            link.write_waiting()
            if link.has_next:
                events |= READ
        if not events & READ:
            pass
        elif link.armed:
            if not watch.queued:
                watch.queued = True
                self._ready.append(watch)
        elif link.windowed and link.needs_credit:
            link.write_waiting()
            self._register(watch, self._events(link, watch, reading=False))
        else:
            self._register(watch, watch.events & ~READ)  # nobody wants to read it now
        if watch.events & WRITE and (link.wanted or not link.wants & WRITE):
            self._register(watch, watch.events & ~WRITE)

    def _update_watches(self) -> None:
        orders = self._orders
        while orders:
            watch = orders.popleft()
            if not isinstance(watch, _Watch):
                continue
            link = watch()
            if link is None or link.note is not watch:
                self._forget(watch)
            else:
                self._update_watch(link, watch)

    def _update_watch(self, link: Link, watch: _Watch) -> None:
        if link.unsent:
            link.write_waiting()
        near = link.armed and (link.likely or link.has_next)
        if near and not watch.queued:
            # There is probably something to read, so `select` would be a wasted call.
            watch.queued = True
            self._near.append(watch)
        events = self._events(link, watch, reading=not near)
        if events != watch.events:
            self._register(watch, events)

    def _register(self, watch: _Watch, events: int) -> None:
        if watch.events == events or watch.fd < 0:
            return
        with self._registry:
            link = watch()
            if link is None or link.note is not watch:
                return  # another thread removed it meanwhile: the number may belong to another socket
            # `events` is never more than what is registered, even if an exception interrupts this.
            known, watch.events = watch.events, watch.events & events
            try:
                if not events:
                    self._selector.unregister(watch.fd)
                elif known:
                    self._selector.modify(watch.fd, events, watch)
                else:
                    self._selector.register(watch.fd, events, watch)
            except KeyError:
                # An exception had interrupted a change before it was noted.
                with contextlib.suppress(KeyError):
                    self._selector.unregister(watch.fd)
                watch.events = 0
                self._orders.append(watch)
            except (OSError, ValueError) as error:
                pass_on(error)
                # If something else has closed the socket, reading from it reports that. Otherwise the
                # system has no memory, or watches as many sockets as it may.
                watch.events = 0
                if not watch.queued:
                    watch.queued = True
                    (self._near if link.armed and link.has_next else self._refused).append(watch)
            else:
                watch.events = events
            if known & READ and not events & READ and link.armed and not link.wanted:
                # It was armed or released meanwhile by a thread that may have seen it still registered.
                self._orders.append(watch)

    def _forget(self, watch: _Watch) -> None:
        """End the registration of a link."""
        if not self._is_ours:
            return  # in a forked child the selector is the parent's
        with self._registry:
            self._watches.discard(watch)
            if self._closed:
                return
            self._unregister(watch)

    def _registered(self, watch: _Watch) -> int:
        """Return the events that the selector knows for a link; its number may belong to another link."""
        known = self._selector.get_map() or {}  # `None` if a signal handler has just closed it
        key = known.get(watch.fd) if watch.fd >= 0 else None
        return key.events if key is not None and key.data is watch else 0

    def _unregister(self, watch: _Watch) -> None:
        registered = self._registered(watch)
        watch.events = 0
        if registered:
            with contextlib.suppress(OSError, ValueError, KeyError):
                self._selector.unregister(watch.fd)

    def _recover(self, out: list[object]) -> None:
        """Put back a message that an exception kept from being returned, and check every link again."""
        if out:
            self._near.appendleft(out[0])
        for watch in tuple(self._watches):
            watch.queued = False
            self._orders.append(watch)
            with self._registry:
                # If a change was interrupted, the selector could report without end what nobody wants, or
                # never what is wanted.
                if watch.events != self._registered(watch):
                    self._unregister(watch)

    def _release(self, _: object = None) -> None:
        """Close the descriptors, and stop watching all links."""
        # In a forked child, a thread of the parent may have held the lock, and would never release it.
        with self._registry if self._is_ours else contextlib.nullcontext():
            self._watches.clear()
            self._selector.close()
            if self._wake_socket is not None:
                self._wake_socket.close()

    def begin_anew(self) -> None:
        """Close it in a forked child, which would take notifications and wake-ups from the parent."""
        self._closed = True
        self._release()

    @property
    def _is_ours(self) -> bool:
        """Whether this process made the mailbox, and did not inherit it."""
        return not self._process.inherited


class Mailbox(Watcher):
    """The mailbox for blocking calls: any number of connections, one message at a time.

    For example::

        mailbox = mint.Mailbox()
        conn = mint.connect("https", "example.org", 443, mailbox=mailbox)
        for message in mailbox:
            match conn.stream(message):
                case mint.UNKNOWN: ...
                case conn, responses: ...

    Messages are the `Received`, `Closed` and `Broken` of connections, and anything given to `post`. Any
    thread may receive; each message is handed out once. If several threads receive, keep a lock for each
    connection from the call of `stream` until its result is stored, because another thread may get the
    connection's next message before that. A mailbox has only weak references to connections, so keep your
    own.
    """

    def __init__(self) -> None:
        super().__init__()
        self._receive_lock = Mutex()

    def receive(self, timeout: float | None = None) -> object:
        """Return the next message; wait for it at most `timeout` seconds, `None` for no limit.

        Octets that connections have queued are written meanwhile. Raises `TransportTimeout` (a
        `TimeoutError`) when the time is up, `MailboxClosed` after `close`, and `RuntimeError` in a signal
        handler that interrupted `receive` of the same mailbox. If a signal handler raises an exception, no
        message is lost.
        """
        if timeout is not None:
            timeout = seconds("timeout", timeout, -FOREVER)
            if timeout > LONGEST:
                timeout = None
        until = None if timeout is None else monotonic() + timeout
        out: list[object] = []
        try:
            while not out:
                left = -1.0 if until is None else max(0.0, until - monotonic())
                done = self._receive_lock.attempt(self._receive, (until, out), left)
                if self._closed:
                    self._dispose()
                    if not out:
                        raise MailboxClosed
                if not out and until is not None and (done or not left):
                    raise TransportTimeout(_PHASE)
            return out[0]
        except (MailboxClosed, TransportTimeout):
            raise
        except BaseException:
            self._recover(out)
            raise

    def _receive_until(self, until: float, out: list[object]) -> None:
        """Wait for a message until a time; this thread holds the lock of receivers."""
        late = False  # the time is up, and the sockets are checked for the last time
        while not (self._closed or self._take(out)):
            left = until - monotonic()
            if left <= 0:
                if late:
                    return
                late = True
            self._look(0 if late else left)

    def __iter__(self) -> Iterator[object]:
        """Return messages until the mailbox is closed."""
        while True:
            try:
                message = self.receive()
            except MailboxClosed:
                return
            yield message

    def close(self) -> None:
        """Stop returning messages. May be called from any thread, and repeatedly.

        Calls of `receive` that are waiting raise `MailboxClosed`. The connections stay open; use `set_mode`
        or `move_to` to continue with them.
        """
        self._closed = True
        if self._is_ours:
            self._wake()
            self._dispose()
        else:
            # A wake-up would reach the parent. In a child no thread receives, even if one held the lock.
            self._release()

    def _dispose(self) -> None:
        """Close the descriptors; if a thread is in `receive`, it does that when it leaves."""
        if not self._receive_lock.held:
            self._receive_lock.attempt(self._release, None, 0.0)

    def __enter__(self) -> Self:
        """Close the mailbox at the end of the block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
