"""Asyncio: the driver of the connecting procedure, and the mailbox.

The links are in asyncio_link.py; uvloop works as well. Public names are in mint/asyncio.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import weakref
from collections import deque
from threading import get_ident
from time import monotonic
from typing import TYPE_CHECKING, Self, TypeVar

from .._connect.tunnel import establish
from .._core.link_base import shift
from .._wire.link import Link
from ..errors import MailboxClosed, TransportTimeout
from .asyncio_link import AsyncioLink, EagerInbox, NextIteration
from .asyncio_poller import poller
from .dialer import RACING, RECEIVING, SENDING, AsyncDriver, given_socket, resolving, socket_of
from .shared import TunnelLink

if TYPE_CHECKING:
    import socket as sockets
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
    from types import TracebackType

    from .._connect.race import Attempt, Established, Plan
    from ..types import AsyncResolver, Resolver, Transport
    from .asyncio_poller import Poller
    from .dialer import Found

_T = TypeVar("_T")

# -- connecting


async def open_link(
    plan: Plan, resolver: Resolver | AsyncResolver | None, socket: sockets.socket | None
) -> tuple[AsyncioLink, Established]:
    """Run the connecting procedure; return the link and the result."""
    given = given_socket(socket, plan.tcp)
    established = await Driver(plan.tcp, resolver, given).run(establish(plan, given))
    made = socket_of(established.attempt)
    try:
        link = AsyncioLink(made, plan.tcp, established.layers)
        link.begin(established.arrived, secure=plan.tls is not None)
    except BaseException:
        made.close()
        raise
    return link, established


class Driver(AsyncDriver):
    """Performs the steps of one procedure with the socket functions of the event loop."""

    async def _look_up(self, host: str, port: int, left: float | None) -> Found:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Found] = loop.create_future()

        def arrive(answer: Found) -> None:
            if not future.done():
                future.set_result(answer)

        def answer(found: Found) -> None:
            # The loop may be closed by the time the system answers.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(arrive, found)

        self.ask(host, port, answer)
        return await _within(future, left, resolving(host))

    async def _await_answer(
        self, answer: Coroutine[object, object, Found], left: float | None, phase: str
    ) -> Found:
        return await _within(answer, left, phase)

    async def _first(self, attempts: tuple[Attempt, ...], left: float | None) -> Attempt | None:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Attempt] = loop.create_future()

        def decide(attempt: Attempt) -> None:
            if not future.done():
                future.set_result(attempt)

        reports = poller(loop)
        try:
            for attempt in attempts:
                reports.add_writer(socket_of(attempt).fileno(), functools.partial(decide, attempt))
            return await _within(future, left, RACING)
        except TransportTimeout:
            return None
        finally:
            try:
                _ignore(reports, attempts)
            except BaseException:
                # A signal handler raised it. Remove all of them, because the next socket may get the same
                # descriptor number.
                _ignore(reports, attempts)
                raise

    async def _send(self, socket: sockets.socket, octets: bytes, left: float | None) -> None:
        await _within(asyncio.get_running_loop().sock_sendall(socket, octets), left, SENDING)

    async def _receive(self, socket: sockets.socket, left: float | None) -> bytes:
        return await _within(
            asyncio.get_running_loop().sock_recv(socket, self.tcp.receive_size), left, RECEIVING
        )


def _ignore(reports: Poller, attempts: tuple[Attempt, ...]) -> None:
    for attempt in attempts:
        reports.remove_writer(socket_of(attempt).fileno())


async def _within(work: Awaitable[_T], left: float | None, phase: str) -> _T:
    try:
        async with asyncio.timeout(left):
            return await work
    except TimeoutError:
        raise TransportTimeout(phase) from None


# -- the mailbox


_STREAK = 16
"""How many messages of busy connections `receive` returns in a row before it lets other tasks run."""


class _Ready(weakref.ref[Link]):
    """A link that may have a message, and whether it is in the queue; programs never post one of these."""

    __slots__ = ("queued",)

    queued: bool

    @classmethod
    def of(cls, link: Link) -> Self:
        """Return the queue entry of a link."""
        made = cls(link)
        made.queued = False
        return made


class Mailbox:
    """A mailbox of asyncio: any number of connections, one message at a time.

    It belongs to the event loop that is running when it is made. Only `post` may be called from another
    thread. Any number of tasks may receive; each message is handed out once, and none is lost if `receive` is
    cancelled. A mailbox has only weak references to connections, so keep your own.
    """

    _loop_name = "asyncio"

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = get_ident()
        self._queue: deque[object] = deque()
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._streak = 0
        self._closed = False

    # -- called by connections

    def admit(self, transport: Transport) -> None:
        """Raise `TypeError` for a connection of another event loop, `MailboxClosed` after `close`."""
        if not isinstance(transport, Link) or transport.loop_name not in {"any", "asyncio"}:
            raise TypeError("the mailbox belongs to another event loop than the connection")
        wire = transport.tunnels.wire if isinstance(transport, TunnelLink) else transport
        if isinstance(wire, AsyncioLink) and wire.loop is not self._loop:
            raise TypeError("the mailbox belongs to another event loop than the connection")
        if self._closed:
            raise MailboxClosed

    def watch(self, transport: Transport) -> None:
        """Watch a link; called by connections."""
        if not isinstance(transport, Link) or self._closed or (transport.closed and not transport.armed):
            return  # nothing can be read from a closed link, and a receiver would try again and again
        # If there is probably something to read, the receiver tries without waiting for the event loop.
        if transport.armed and (transport.has_next or transport.likely):
            ready = transport.note
            if not isinstance(ready, _Ready):
                ready = transport.note = _Ready.of(transport)
            if not ready.queued:
                self._queue.append(ready)
                ready.queued = True
            if self._waiting:
                self._wake()  # even if it was queued already: an exception may have prevented the wake-up
        elif isinstance(transport, AsyncioLink):
            transport.ask()
        elif isinstance(transport, TunnelLink) and transport.unsent:
            # A tunnel has no socket that the loop could report as writable.
            self._loop.call_soon(self._write, weakref.ref(transport))

    def _write(self, reference: weakref.ref[TunnelLink]) -> None:
        """Write what a tunnel has queued, for example a request with `flush=False`."""
        link = reference()
        if link is not None and link.inbox is self:
            link.write_waiting()
            if link.armed and link.has_next:
                self.watch(link)

    def unwatch(self, transport: Transport) -> None:
        """Stop watching a link; called by connections."""
        transport.note = None

    # -- called by programs

    async def receive(self) -> object:
        """Return the next message; wait until there is one.

        Raises `MailboxClosed` after `close`. For a time limit, use `asyncio.timeout`. With a limit of 0,
        `receive` may time out although a message has arrived, because it sometimes lets other tasks run
        first.
        """
        out: list[object] = []
        entry: object = None
        try:
            while not self._closed:
                while self._queue and self._streak < _STREAK:
                    entry = self._queue[0]
                    if not isinstance(entry, _Ready):
                        shift(self._queue, out)
                        return out[0]
                    self._queue.popleft()
                    if self._take(entry, out):
                        return out[0]
                entry = None
                if self._queue:
                    await self._give_way()
                    continue
                await self._wait()
        except asyncio.CancelledError:
            raise
        except BaseException:
            self._recover(entry, out)
            raise
        raise MailboxClosed

    async def _wait(self) -> None:
        """Wait until there may be a message."""
        self._streak = 0
        waiter = self._loop.create_future()
        self._waiting.append(waiter)
        try:
            await waiter
        except BaseException:
            with contextlib.suppress(ValueError):
                self._waiting.remove(waiter)
            if not waiter.cancelled():
                # This task was woken but will not receive: wake another one.
                self._wake()
            raise

    def _recover(self, entry: object, out: list[object]) -> None:
        """Put back a message that an exception kept from being returned, and wake another task."""
        if out:
            self._queue.appendleft(out[0])
        elif isinstance(entry, _Ready) and entry not in self._queue:
            entry.queued = True
            self._queue.appendleft(entry)
        self._wake()

    async def _give_way(self) -> None:
        """Let the event loop and other tasks run."""
        self._streak = 0
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            self._wake()
            raise

    def _take(self, entry: _Ready, out: list[object]) -> bool:
        entry.queued = False
        link = entry()
        if link is None or link.note is not entry:
            return False
        found = link.take_message(self, out)
        if link.likely:
            self._streak += 1
        if not found:
            self.watch(link)
        elif isinstance(link, AsyncioLink) and link.unsent:
            link.ask()
        return found

    def post(self, message: object) -> None:
        """Add a message of your own, from any thread; a waiting receiver wakes up.

        Raises `MailboxClosed` after `close`.
        """
        if self._closed:
            raise MailboxClosed
        self._queue.append(message)
        if get_ident() == self._thread:
            self._wake()
        else:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        while self._waiting:
            waiter = self._waiting[0]
            waits = not waiter.done()
            if waits:
                waiter.set_result(None)
            del self._waiting[0]
            if waits:
                return

    async def __aiter__(self) -> AsyncIterator[object]:
        """Return messages until the mailbox is closed."""
        while True:
            try:
                message = await self.receive()
            except MailboxClosed:
                return
            yield message

    def close(self) -> None:
        """Stop returning messages; waiting calls of `receive` raise `MailboxClosed`. Idempotent.

        The connections stay open; use `set_mode` or `move_to` to continue with them.
        """
        self._closed = True
        while self._waiting:
            self._wake()

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


# -- tunnels


class LoopReader(EagerInbox):
    """Reads the connection that carries tunnels whenever the loop reports that it is readable."""

    def __init__(self, wire: Link, take: weakref.WeakMethod[Callable[[object], None]]) -> None:
        self._loop = asyncio.get_running_loop()
        self._wire = weakref.ref(wire)
        self._take = take
        self._soon = NextIteration(self._loop)
        self._waiting: set[asyncio.Future[None]] = set()
        if isinstance(wire, AsyncioLink):
            wire.progressed = self.notify  # a flush waits until the system has accepted everything

    def admit(self, transport: Transport) -> None:
        """Raise `TypeError` for a connection of another event loop."""
        if not isinstance(transport, AsyncioLink) or transport.loop is not self._loop:
            raise TypeError("these tunnels belong to another event loop than the connection")

    def watch(self, transport: Transport) -> None:
        """Watch the connection."""
        if not isinstance(transport, AsyncioLink):
            return
        if transport.armed and (transport.has_next or transport.likely):
            self._soon.ask(self._read)
        transport.ask()

    def unwatch(self, transport: Transport) -> None:
        """Stop watching the connection."""

    def _read(self) -> None:
        try:
            self._soon.begun()
            wire, take = self._wire(), self._take()
            out: list[object] = []
            if wire is None:
                return
            if take is None:
                wire.armed = False  # the tunnels were dropped, but not their connection; stop watching it
            elif wire.take_message(self, out):
                take(out[0])
            else:
                self.watch(wire)
        except BaseException:
            self._interrupted()
            raise

    def _interrupted(self) -> None:
        """Abandon the connection after an exception, because a message may have been lost."""
        self._soon.begun()
        wire = self._wire()
        if isinstance(wire, AsyncioLink):
            wire.armed = True  # for the message that reports it
            wire.loop_interrupted()

    def read_now(self, take: Callable[[object], object]) -> None:
        """Pass what has arrived to a function, without waiting."""
        try:
            wire = self._wire()
            out: list[object] = []
            while wire is not None and wire.take_message(self, out):
                take(out.pop())
        except BaseException:
            self._interrupted()
            raise

    def notify(self) -> None:
        """Wake the tasks that wait in `changed`."""
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)

    async def changed(self, until: float | None, phase: str) -> None:
        """Wait for the next `notify`; raise `TransportTimeout` when the time is up."""
        waiter = self._loop.create_future()
        self._waiting.add(waiter)
        try:
            await _within(waiter, None if until is None else until - monotonic(), phase)
        finally:
            self._waiting.discard(waiter)

    def call_in_loop(self, work: Callable[[], object]) -> None:
        """Have the loop call a function; any thread may ask for that. Does nothing if the loop is closed."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(work)

    def stop(self) -> None:
        """Stop reading."""
        self.notify()
