"""Mailboxes: any number of connections, one message at a time.

A message is read from its link in the moment it is handed out, so nothing of a connection ever waits in
here: a mailbox knows which links are ready, no more. `Watcher` is that knowledge, without a wait; a
world adds how it waits. Links are held weakly. No protocol is known here.

What a message costs does not depend on how many links are watched: one `select` reports many links and
they are all used up before the next; a link stays registered while its message is fed to `stream`, and
is parked (unregistered) only if it is reported while nobody wants to read it.
"""

from __future__ import annotations

import contextlib
import selectors
import socket as sockets
import threading
import weakref
from collections import deque
from enum import Enum
from time import monotonic
from typing import TYPE_CHECKING, Final, Self

from .._checks import LONGEST as FOREVER
from .._checks import seconds
from .._wire.link import Link
from ..errors import MailboxClosed, TransportTimeout
from .tcp import LONGEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from ..messages import Message
    from ..types import Transport

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE

_PHASE = "waiting for a message"

_STREAK = 64
"""How many messages that needed no `select` are handed out before the sockets are asked again."""


class Nothing(Enum):
    """The type of `NOTHING`."""

    NOTHING = "nothing"


NOTHING: Final = Nothing.NOTHING
"""What `take` returns where there is no message: a message may be anything, also `None`."""


class _Watch(weakref.ref[Link]):
    """A link, weakly: which events it is registered for, and whether it stands in a queue."""

    __slots__ = ("events", "fd", "queued")

    fd: int
    """The descriptor it is registered under; -1 where there is none."""
    events: int
    queued: bool

    @classmethod
    def of(cls, link: Link, fd: int, gone: Callable[[weakref.ref[Link]], None]) -> Self:
        """Return the watch of a link; `gone` is called when the link is."""
        made = cls(link, gone)
        made.fd = fd
        made.events = 0
        made.queued = False
        return made


class Watcher:
    """Which links are ready, and what was posted. It never waits; one thread at a time takes.

    Implements `mint.types.Inbox` for links that are sockets of one world, or in memory.
    """

    _world = "blocking"

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._bell, self._rope = sockets.socketpair()
        self._bell.setblocking(False)
        self._rope.setblocking(False)
        self._selector.register(self._bell, READ)
        self._watches: dict[int, _Watch] = {}
        # Written by any thread, obeyed in order by the one that takes: links to look after, or to forget.
        # The order matters: a number that was closed may be a new socket's next.
        self._orders: deque[weakref.ref[Link]] = deque()
        self._ready: deque[_Watch] = deque()
        self._near: deque[object] = deque()
        self._streak = 0
        self._asleep = False
        self._closed = False

    # -- from any thread

    def admit(self, transport: Transport) -> None:
        """Raise `TypeError` for a connection of another world, `MailboxClosed` after `close`."""
        if not isinstance(transport, Link) or transport.world not in {"any", self._world}:
            raise TypeError("this mailbox is of another world than the connection")
        if self._closed:
            raise MailboxClosed

    def watch(self, transport: Transport) -> None:
        """Look after a link; called by connections."""
        watch = transport.note
        if not isinstance(watch, _Watch):
            if not isinstance(transport, Link):
                return
            socket = transport.socket
            # The garbage collector gives the order for a link that is gone, in any thread, at any time.
            watch = _Watch.of(transport, -1 if socket is None else socket.fileno(), self._orders.append)
            transport.note = watch
        if not self._closed:
            self._orders.append(watch)
            if self._asleep:
                self._ring()

    def unwatch(self, transport: Transport) -> None:
        """Let go of a link; called by connections."""
        watch = transport.note
        if isinstance(watch, _Watch):
            transport.note = None
            self._orders.append(watch)

    def post(self, message: object) -> None:
        """Add a message of your own, from any thread; a receiver that waits wakes.

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

    def _take(self) -> object:
        """Return one message, `NOTHING` where none is there without asking the sockets."""
        while True:
            if self._orders:
                self._obey()
            if self._near and (self._streak < _STREAK or not self._ready):
                if self._streak >= _STREAK:
                    self._look(0)
                self._streak += 1
                entry = self._near.popleft()
                if not isinstance(entry, _Watch):
                    return entry
            elif self._ready:
                entry = self._ready.popleft()
            else:
                return NOTHING
            message = self._read(entry)
            if message is not None:
                return message

    def _read(self, watch: _Watch) -> Message | None:
        watch.queued = False
        link = watch()
        if link is None:
            return None
        message = link.take_message(self)
        if message is None and link.armed:
            # Where another thread holds the wire, for as long as it likes, its end calls `watch`.
            self._register(watch, watch.events & ~READ if link.wanted else watch.events | READ)
        return message

    def _look(self, timeout: float | None) -> None:
        """Ask the sockets who is ready; wait for the first at most so long."""
        self._streak = 0
        self._asleep = timeout != 0
        try:
            if self._orders or self._near or self._closed:
                timeout = 0
            found = self._selector.select(timeout)
        finally:
            self._asleep = False
        for key, events in found:
            watch: _Watch | None = key.data
            if watch is None:
                self._hush()
            else:
                self._report(watch, events)

    def _hush(self) -> None:
        with contextlib.suppress(OSError):
            while self._bell.recv(4096):
                pass

    def _report(self, watch: _Watch, events: int) -> None:
        link = watch()
        if link is None or link.note is not watch or link.closed:
            self._forget(watch)
            return
        if events & WRITE:
            link.write_waiting()
            if link.has_next and link.armed:
                events |= READ
        keep = READ if watch.events & READ else 0
        if events & READ:
            if link.armed and not watch.queued:
                watch.queued = True
                self._ready.append(watch)
            elif not link.armed:
                keep = 0
        if link.unsent and not link.wanted:
            keep |= WRITE
        self._register(watch, keep)

    def _obey(self) -> None:
        orders = self._orders
        while orders:
            watch = orders.popleft()
            if not isinstance(watch, _Watch):
                continue
            link = watch()
            if link is None or link.note is not watch or link.closed:
                self._forget(watch)
            else:
                self._look_after(link, watch)

    def _look_after(self, link: Link, watch: _Watch) -> None:
        events = watch.events
        if link.unsent:
            link.write_waiting()
            if link.unsent and not link.wanted:
                events |= WRITE
        if link.armed and not watch.queued:
            # Where there is probably something to read, asking first would be a wasted call.
            if link.likely or link.has_next:
                watch.queued = True
                self._near.append(watch)
            else:
                events |= READ
        if events != watch.events:
            self._register(watch, events)

    def _register(self, watch: _Watch, events: int) -> None:
        if watch.events == events or watch.fd < 0:
            return
        known = self._watches.get(watch.fd)
        if known is not watch:
            if known is not None:
                self._forget(known)
            self._watches[watch.fd] = watch
        try:
            if not watch.events:
                self._selector.register(watch.fd, events, watch)
            elif events:
                self._selector.modify(watch.fd, events, watch)
            else:
                self._selector.unregister(watch.fd)
        except (OSError, ValueError, KeyError):
            # The socket was closed meanwhile; its link has told, or will.
            self._forget(watch)
        else:
            watch.events = events

    def _forget(self, watch: _Watch) -> None:
        if self._watches.get(watch.fd) is watch:
            del self._watches[watch.fd]
            if watch.events:
                with contextlib.suppress(OSError, ValueError, KeyError):
                    self._selector.unregister(watch.fd)
        watch.events = 0

    def _release(self) -> None:
        """Give back what the system lent; the links are on their own."""
        self._watches.clear()
        self._selector.close()
        self._bell.close()
        self._rope.close()


class Mailbox(Watcher):
    """The mailbox of the blocking world: any number of connections, one message at a time.

    For example::

        mailbox = mint.Mailbox()
        conn = mint.connect("https", "example.org", 443, mailbox=mailbox)
        for message in mailbox:
            match conn.stream(message):
                case mint.UNKNOWN: ...
                case conn, responses: ...

    Messages are `Received`, `Closed` and `Broken` of connections, and whatever `post` was given. Any
    thread may receive; each message is handed out once. Connections are held weakly: keep them.
    """

    def __init__(self) -> None:
        super().__init__()
        self._turn = threading.Lock()

    def receive(self, timeout: float | None = None) -> object:
        """Return the next message; wait for it at most `timeout` seconds, `None` for ever.

        Octets that connections have queued are written meanwhile. Raises `TransportTimeout` (a
        `TimeoutError`) when the time is up, `MailboxClosed` after `close`.
        """
        late = False  # asked for the last time
        if timeout is not None:
            timeout = seconds("timeout", timeout, -FOREVER)
            if timeout > LONGEST:
                timeout = None
        until = None if timeout is None else monotonic() + timeout
        if not self._turn.acquire(timeout=-1 if timeout is None else max(0.0, timeout)):
            raise TransportTimeout(_PHASE)
        try:
            while not self._closed:
                message = self._take()
                if message is not NOTHING:
                    return message
                left = None if until is None else until - monotonic()
                if left is not None and left <= 0 and late:
                    raise TransportTimeout(_PHASE)
                late = left is not None and left <= 0
                self._look(0 if late else left)
        finally:
            self._turn.release()
        raise MailboxClosed

    def __iter__(self) -> Iterator[object]:
        """Hand out messages until the mailbox is closed."""
        while True:
            try:
                message = self.receive()
            except MailboxClosed:
                return
            yield message

    def close(self) -> None:
        """Stop handing out messages, from any thread; whoever waits in `receive` is woken. Idempotent.

        The connections live on: `set_mode` and `move_to` take them elsewhere.
        """
        self._closed = True
        self._ring()
        # Whoever is inside `receive` leaves soon, and only then the descriptors can go.
        with self._turn:
            self._release()

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
