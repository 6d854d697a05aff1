"""Mailboxes: any number of connections, one message at a time.

A message is read from its link in the moment it is handed out, so nothing of a connection ever waits in
here: a mailbox knows which links are ready, no more. `Watcher` is that knowledge, without a wait; an
event loop adds how it waits. Links are held weakly. No protocol is known here.

What a message costs does not depend on how many links are watched: one `select` reports many links and
they are all used up before the next; a link stays registered while its message is fed to `stream`, and
is parked (unregistered) only if it is reported while nobody wants to read it.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket as sockets
import weakref
from collections import deque
from time import monotonic
from typing import TYPE_CHECKING, Self

from .._checks import LONGEST as FOREVER
from .._checks import seconds
from .._core.link_base import Mutex, shift
from .._wire.link import Link
from ..errors import MailboxClosed, TransportTimeout
from .system import LONGEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from ..types import Transport

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE

_PHASE = "waiting for a message"

_STREAK = 64
"""How many messages that needed no `select` are handed out before the sockets are asked again."""


class _Watch(weakref.ref[Link]):
    """A link, weakly: which events it is registered for, and whether it stands in a queue."""

    __slots__ = ("events", "fd", "queued")

    fd: int
    """The descriptor of its socket; -1 where there is none."""
    events: int
    queued: bool

    @classmethod
    def of(cls, link: Link, gone: Callable[[weakref.ref[Link]], None]) -> Self:
        """Return the watch of a link; `gone` is called when the link is."""
        made = cls(link, gone)
        made.fd = -1 if link.socket is None else link.socket.fileno()
        made.events = 0
        made.queued = False
        return made


class Watcher:
    """Which links are ready, and what was posted. It never waits; one thread at a time takes.

    Implements `mint.types.Inbox` for links that are sockets of one event loop, or in memory. A registration
    with the selector belongs to a link: it goes when the mailbox lets go of the link, before the socket is
    closed.
    """

    _loop_name = "blocking"

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._bell, self._rope = sockets.socketpair()
        self._bell.setblocking(False)
        self._rope.setblocking(False)
        self._selector.register(self._bell, READ)
        self._process = os.getpid()
        self._registry = Mutex()
        """Held while a registration changes; a signal handler of the same thread may take it again."""
        self._watches: set[_Watch] = set()
        # Written by any thread, obeyed by the one that takes: links to look after, or that are gone.
        self._orders: deque[weakref.ref[Link]] = deque()
        self._ready: deque[_Watch] = deque()
        self._near: deque[object] = deque()
        self._streak = 0
        self._asleep = False
        self._closed = False

    # -- from any thread

    def admit(self, transport: Transport) -> None:
        """Raise `TypeError` for a connection of another event loop, `MailboxClosed` after `close`."""
        if not isinstance(transport, Link) or transport.loop_name not in {"any", self._loop_name}:
            raise TypeError("the mailbox belongs to another event loop than the connection")
        if self._closed:
            raise MailboxClosed

    def watch(self, transport: Transport) -> None:
        """Look after a link; called by connections."""
        if not isinstance(transport, Link) or self._closed:
            return
        watch = transport.note
        if not isinstance(watch, _Watch):
            # The garbage collector gives the order for a link that is gone, in any thread, at any time.
            watch = transport.note = _Watch.of(transport, self._orders.append)
            self._watches.add(watch)
        elif watch.events == READ and transport.is_quiet:
            return  # the selector tells
        self._orders.append(watch)
        if self._asleep:
            self._ring()

    def unwatch(self, transport: Transport) -> None:
        """Let go of a link; called by connections, before they close the socket."""
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
            self._ring()

    def _ring(self) -> None:
        """Wake whoever waits."""
        # A full pipe has woken it already; a closed one has nobody at the other end.
        with contextlib.suppress(OSError):
            self._rope.send(b"\0")

    # -- from the thread that takes

    def _take(self, out: list[object]) -> bool:
        """Put one message into `out`; false where none is there without asking the sockets."""
        while True:
            if self._orders:
                self._obey()
            if self._near and (self._streak < _STREAK or not self._ready):
                if self._streak >= _STREAK:
                    self._look(0)
                self._streak += 1
                entry = self._near[0]
                if not isinstance(entry, _Watch):
                    shift(self._near, out)
                    return True
                self._near.popleft()
            elif self._ready:
                entry = self._ready.popleft()
            else:
                return False
            if self._read(entry, out):
                return True

    def _read(self, watch: _Watch, out: list[object]) -> bool:
        watch.queued = False
        link = watch()
        if link is None or link.note is not watch:
            return False
        found = link.take_message(self, out)
        if not found or link.has_queued:
            self._register(watch, self._events(link, watch, reading=not found))
        return found

    def _events(self, link: Link, watch: _Watch, *, reading: bool) -> int:
        """Return what to register a link for. It stays registered while its message is fed to `stream`."""
        if link.wanted:
            # Another thread holds the wire, for as long as it likes; its end calls `watch`.
            return 0
        events = link.wants & WRITE if link.unsent else 0
        if reading and link.armed:
            events |= READ
        return events | (watch.events & READ)

    def _look(self, timeout: float | None) -> None:
        """Ask the sockets who is ready; wait for the first at most so long."""
        self._streak = 0
        self._asleep = timeout != 0
        try:
            if self._orders or self._near or self._closed:
                timeout = 0
            found = self._select(timeout)
        finally:
            self._asleep = False
        for key, events in found:
            watch: _Watch | None = key.data
            if watch is None:
                self._hush()
            else:
                self._report(watch, events)

    def _select(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        try:
            return self._selector.select(timeout)
        except OSError:
            if isinstance(self._selector, selectors.SelectSelector) and not self._closed:
                return []  # Windows says so where another thread closes a socket meanwhile
            raise

    def _hush(self) -> None:
        with contextlib.suppress(OSError):
            while self._bell.recv(4096):
                pass

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
        else:
            self._register(watch, watch.events & ~READ)  # nobody wants to read: it is parked
        if watch.events & WRITE and (link.wanted or not link.wants & WRITE):
            self._register(watch, watch.events & ~WRITE)

    def _obey(self) -> None:
        orders = self._orders
        while orders:
            watch = orders.popleft()
            if not isinstance(watch, _Watch):
                continue
            link = watch()
            if link is None or link.note is not watch:
                self._forget(watch)
            else:
                self._look_after(link, watch)

    def _look_after(self, link: Link, watch: _Watch) -> None:
        if link.unsent:
            link.write_waiting()
        near = link.armed and (link.likely or link.has_next)
        if near and not watch.queued:
            # Where there is probably something to read, asking first would be a wasted call.
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
                return  # let go of by another thread meanwhile: the number may be another socket's
            # What is noted is never more than what is registered, whatever interrupts this.
            known, watch.events = watch.events, watch.events & events
            try:
                if not events:
                    self._selector.unregister(watch.fd)
                elif known:
                    self._selector.modify(watch.fd, events, watch)
                else:
                    self._selector.register(watch.fd, events, watch)
            except KeyError:
                # An interrupt came between a change and its note.
                with contextlib.suppress(KeyError):
                    self._selector.unregister(watch.fd)
                watch.events = 0
                self._orders.append(watch)
            except (OSError, ValueError):
                # The socket was closed by somebody else; reading it says so.
                watch.events = 0
                if link.armed and not watch.queued:
                    watch.queued = True
                    self._near.append(watch)
            else:
                watch.events = events
            if known & READ and not events & READ and link.armed and not link.wanted:
                # It was armed, or given back, meanwhile: whoever did that may have seen it registered.
                self._orders.append(watch)

    def _forget(self, watch: _Watch) -> None:
        """End the registration of a link."""
        with self._registry:
            self._watches.discard(watch)
            if self._closed or os.getpid() != self._process:
                return  # in a forked child the selector is the parent's
            key = self._selector.get_map().get(watch.fd) if watch.fd >= 0 else None
            if key is not None and key.data is watch:
                watch.events = 0
                with contextlib.suppress(OSError, ValueError, KeyError):
                    self._selector.unregister(watch.fd)

    def _recover(self, out: list[object]) -> None:
        """Take back a message that an exception kept from being handed out, and look at every link again."""
        if out:
            self._near.appendleft(out[0])
        for watch in tuple(self._watches):
            watch.queued = False
            self._orders.append(watch)

    def _release(self, _: object = None) -> None:
        """Give back what the system lent; the links are on their own."""
        with self._registry:
            self._watches.clear()
            self._selector.close()
            self._bell.close()
            self._rope.close()


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
        self._turn = Mutex()

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
                done = self._turn.attempt(self._receive, (until, out), left)
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

    def _receive(self, wanted: tuple[float | None, list[object]]) -> None:
        """Wait for a message; the turn is this thread's."""
        until, out = wanted
        late = False  # asked for the last time
        while not (self._closed or self._take(out)):
            left = None if until is None else until - monotonic()
            if left is not None and left <= 0:
                if late:
                    return
                late = True
            self._look(0 if late else left)

    def __iter__(self) -> Iterator[object]:
        """Hand out messages until the mailbox is closed."""
        while True:
            try:
                message = self.receive()
            except MailboxClosed:
                return
            yield message

    def close(self) -> None:
        """Stop handing out messages. May be called from any thread, and repeatedly.

        Calls of `receive` that are waiting raise `MailboxClosed`. The connections stay open; use `set_mode`
        or `move_to` to continue with them.
        """
        self._closed = True
        if os.getpid() == self._process:  # in a forked child the other end is the parent's, too
            self._ring()
        self._dispose()

    def _dispose(self) -> None:
        """Give the descriptors back, unless a thread is inside `receive`: it does that when it leaves."""
        if not self._turn.held:
            self._turn.attempt(self._release, None, 0.0)

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
