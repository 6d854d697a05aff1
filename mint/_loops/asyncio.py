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
from .asyncio_calls import NextIteration, Waiter, wake_all
from .asyncio_link import AsyncioLink, EagerInbox
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
        waiter = Waiter(loop=loop)
        answers: list[Found] = []

        def arrive() -> None:
            _twice(waiter.wake)

        def answer(found: Found) -> None:
            answers.append(found)
            # The loop may be closed by the time the system answers.
            with contextlib.suppress(RuntimeError):
                _twice(lambda: loop.call_soon_threadsafe(arrive))

        self.ask(host, port, answer)
        await _within(waiter, left, resolving(host))
        return answers[0]

    async def _await_answer(
        self, answer: Coroutine[object, object, Found], left: float | None, phase: str
    ) -> Found:
        return await _within(answer, left, phase)

    async def _first(self, attempts: tuple[Attempt, ...], left: float | None) -> Attempt | None:
        loop = asyncio.get_running_loop()
        waiter = Waiter(loop=loop)
        decided: list[Attempt] = []

        def decide(attempt: Attempt) -> None:
            # The loop calls this again and again, until the task has continued.
            decided.append(attempt)
            waiter.wake()

        reports = poller(loop)
        try:
            for attempt in attempts:
                reports.add_writer(socket_of(attempt).fileno(), functools.partial(decide, attempt))
            await _within(waiter, left, RACING)
            return decided[0]
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

    # Not with the socket functions of the loops: without memory, they leave a socket registered that mint
    # closes, and libuv ends the program.

    async def _send(self, socket: sockets.socket, octets: bytes, left: float | None) -> None:
        until = None if left is None else monotonic() + left
        reports = poller(asyncio.get_running_loop())
        rest = memoryview(octets)
        while rest:
            try:
                rest = rest[socket.send(rest) :]
            except BlockingIOError:
                await _reported(reports.add_writer, reports.remove_writer, socket, until, SENDING)

    async def _receive(self, socket: sockets.socket, left: float | None) -> bytes:
        until = None if left is None else monotonic() + left
        reports = poller(asyncio.get_running_loop())
        while True:
            try:
                return socket.recv(self.tcp.receive_size)
            except BlockingIOError:
                await _reported(reports.add_reader, reports.remove_reader, socket, until, RECEIVING)


async def _reported(
    add: Callable[[int, Callable[[], object]], object],
    remove: Callable[[int], object],
    socket: sockets.socket,
    until: float | None,
    phase: str,
) -> None:
    """Wait until the loop reports a socket."""
    number = socket.fileno()
    waiter = Waiter(loop=asyncio.get_running_loop())
    try:
        add(number, waiter.wake)
        await _within(waiter, None if until is None else until - monotonic(), phase)
    finally:
        try:
            remove(number)
        except BaseException:
            # A signal handler raised it, or memory ran out. The next socket may get the same number.
            remove(number)
            raise


def _ignore(reports: Poller, attempts: tuple[Attempt, ...]) -> None:
    for attempt in attempts:
        reports.remove_writer(socket_of(attempt).fileno())


async def _within(work: Awaitable[_T], left: float | None, phase: str) -> _T:
    try:
        async with asyncio.timeout(left):
            return await work
    except TimeoutError:
        raise TransportTimeout(phase) from None


def _twice(work: Callable[[], object]) -> None:
    """Call a function once more if memory has run out, because nobody else would do it."""
    try:
        work()
    except MemoryError:
        work()


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
        self._waiting: deque[Waiter] = deque()
        self._woken: deque[Waiter] = deque()
        """Those whose tasks have not continued yet: the loop may have lost them."""
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
        # The type is compared first, because `isinstance` is slow for an abstract class.
        if not (type(transport) is AsyncioLink or isinstance(transport, Link)) or self._closed:
            return
        if transport.closed and not transport.armed:
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
        waiter = Waiter(loop=self._loop)
        self._waiting.append(waiter)
        try:
            await waiter
        except BaseException:
            self._forget(waiter)
            if not waiter.cancelled():
                # This task was woken but will not receive: wake another one.
                self._wake()
            raise
        self._forget(waiter)

    def _forget(self, waiter: Waiter) -> None:
        if self._woken and self._woken[0] is waiter:
            del self._woken[0]
            return
        for waiters in (self._woken, self._waiting):
            with contextlib.suppress(ValueError):
                waiters.remove(waiter)

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
        # From here on, the message is in the queue, so an exception would say the opposite.
        if get_ident() == self._thread:
            _twice(self._wake)
        else:
            with contextlib.suppress(RuntimeError):
                _twice(lambda: self._loop.call_soon_threadsafe(self._wake))

    def _wake(self) -> None:
        """Wake the next task that waits."""
        if self._woken:
            self._woken[0].wake()  # in case the loop has lost it
        while self._waiting:
            waiter = self._waiting[0]
            waits = not waiter.done()
            if waits:
                waiter.wake()
                self._woken.append(waiter)
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
        self._waiting: set[Waiter] = set()
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
        wake_all(self._waiting)

    async def changed(self, until: float | None, phase: str) -> None:
        """Wait for the next `notify`; raise `TransportTimeout` when the time is up."""
        waiter = Waiter(loop=self._loop)
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
