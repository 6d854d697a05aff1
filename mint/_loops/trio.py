"""Trio: the link, the driver of the connecting procedure, and the mailbox.

The links are sockets. The mailbox extends the one of mailbox.py: its selector has a file descriptor, and trio
waits for that. Every `await` is a checkpoint, and a cancellation at any of them loses nothing. Public names
are in mint/trio.py.
"""

from __future__ import annotations

import contextlib
import selectors
import weakref
from threading import get_ident
from time import monotonic
from typing import TYPE_CHECKING, Literal, Self

import trio

from .._connect.tunnel import establish
from .._wire.pipe import READ, WRITE, Writing
from ..errors import MailboxClosed, TransportClosed, TransportTimeout
from .dialer import RACING, RECEIVING, SENDING, AsyncDriver, given_socket, resolving, socket_of
from .mailbox import Watcher
from .sockets import SocketBase

if TYPE_CHECKING:
    import socket as sockets
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Sequence
    from types import TracebackType

    from .._connect.race import Attempt, Established, Plan
    from .._wire.layer import Layer
    from .._wire.link import Link, LoopName
    from ..options import TCPOptions
    from ..types import AsyncResolver, Resolver, Transport
    from .dialer import Found
    from .reader import Reader

# -- the link


class TrioLink(SocketBase):
    """A socket whose operations never wait; it is used in the thread that runs trio."""

    loop_name: LoopName = "trio"

    _plain = True  # its overrides differ from the base only in that they never wait

    def __init__(self, socket: sockets.socket, options: TCPOptions, layers: Sequence[Layer] = ()) -> None:
        """Take over a connected socket (it is closed with the link)."""
        super().__init__(socket, options, layers)
        socket.setblocking(False)
        self.descriptor: int = socket.fileno()
        self.home: int = get_ident()
        self._token = trio.lowlevel.current_trio_token()
        self._draining = trio.Lock()
        self._socket_wait: trio.CancelScope | None = None

    def permit(self, call: Literal["recv", "flush"]) -> None:
        """Raise `RuntimeError`: both calls would have to wait."""
        if call == "recv":
            raise RuntimeError("recv would block: receive from a mint.trio.Mailbox, feed stream()")
        raise RuntimeError("flush would block: await mint.trio.flush(connection)")

    def _pull(self, until: float | None, *, wait: bool) -> bytes | None:  # noqa: ARG002  # never waits
        return self._read_now()

    def flush(self, timeout: float | None) -> None:  # noqa: ARG002  # never called: `permit` refuses
        """Write what the system accepts now."""
        self.write_waiting()

    async def drain(self) -> None:
        """Wait until the system has accepted everything that is queued.

        It reads meanwhile, so that two peers that both write cannot deadlock, and returns if the input queue
        is full. Raises `TransportClosed` if the rest can never be written.
        """
        # One task waits for the socket, and the others wait for that task.
        async with self._draining:
            self.write_waiting()
            while self.unsent and self._writing < Writing.FAILED and self.wants and not self._is_blocked:
                await self._something_happened()
                if self.wants & READ:
                    octets = self._read_now()
                    if octets is not None:
                        self._take_in(octets)
                self.write_waiting()
                if self.has_next and self.armed and self.inbox is not None:
                    self.inbox.watch(self)
        if self._writing == Writing.FAILED or (self.unsent and not self._is_blocked):
            raise TransportClosed

    async def _something_happened(self) -> None:
        """Wait until the socket can be read or written, depending on `wants`."""
        if isinstance(self.inbox, TrioReader):
            # The task that reads for tunnels waits for the socket already, and trio allows only one.
            await self.inbox.changed(None, "sending")
            return
        wanted = self.wants
        waits: list[Callable[[sockets.socket], Awaitable[None]]] = []
        if wanted & READ:
            waits.append(trio.lowlevel.wait_readable)
        if wanted & WRITE:
            waits.append(trio.lowlevel.wait_writable)

        async def wait(ready: Callable[[sockets.socket], Awaitable[None]]) -> None:
            # Another task may have closed the link before this one started. If the socket is busy, a reader
            # of tunnels is beginning or ending.
            if not self.closed:
                with contextlib.suppress(trio.ClosedResourceError, trio.BusyResourceError):
                    await ready(self._socket)
            nursery.cancel_scope.cancel()

        async with trio.open_nursery() as nursery:
            self._socket_wait = nursery.cancel_scope
            for each in waits:
                nursery.start_soon(wait, each)

    def end_socket_wait(self) -> None:
        """Have a flush that waits for the socket check again what to wait for."""
        if self._socket_wait is not None:
            self._socket_wait.cancel()

    def close(self) -> None:
        """Close now in the thread that runs trio; from another thread, schedule it in trio."""
        if get_ident() == self.home or not self._is_ours:
            super().close()
        else:
            with contextlib.suppress(trio.RunFinishedError):
                self._token.run_sync_soon(super().close)

    def _shut(self) -> None:
        # After trio has ended, `notify_closing` raises RuntimeError, and nobody waits for the socket. In a
        # forked child, only the parent's tasks wait for it.
        if self._is_ours and self._socket.fileno() >= 0:
            with contextlib.suppress(RuntimeError):
                trio.lowlevel.notify_closing(self._socket)
        super()._shut()


# -- connecting


async def open_link(
    plan: Plan, resolver: Resolver | AsyncResolver | None, socket: sockets.socket | None
) -> tuple[TrioLink, Established]:
    """Run the connecting procedure; return the link and the result."""
    given = given_socket(socket, plan.tcp)
    established = await Driver(plan.tcp, resolver, given).run(establish(plan, given))
    made = socket_of(established.attempt)
    try:
        link = TrioLink(made, plan.tcp, established.layers)
        link.begin(established.arrived, secure=plan.tls is not None)
    except BaseException:
        made.close()
        raise
    return link, established


class Driver(AsyncDriver):
    """Performs the steps of one procedure with trio."""

    async def _look_up(self, host: str, port: int, left: float | None) -> Found:
        token = trio.lowlevel.current_trio_token()
        answers: list[Found] = []
        answered = trio.Event()

        def answer(found: Found) -> None:
            answers.append(found)
            # trio may have ended by the time the system answers.
            with contextlib.suppress(trio.RunFinishedError):
                token.run_sync_soon(answered.set)

        self.ask(host, port, answer)
        with _until(left, resolving(host)):
            await answered.wait()
        return answers[0]

    async def _await_answer(
        self, answer: Coroutine[object, object, Found], left: float | None, phase: str
    ) -> Found:
        with _until(left, phase):
            return await answer

    async def _first(self, attempts: tuple[Attempt, ...], left: float | None) -> Attempt | None:
        decided: list[Attempt] = []

        async def wait(attempt: Attempt) -> None:
            await trio.lowlevel.wait_writable(socket_of(attempt))
            decided.append(attempt)
            nursery.cancel_scope.cancel()

        with contextlib.suppress(TransportTimeout), _until(left, RACING):
            async with trio.open_nursery() as nursery:
                for attempt in attempts:
                    nursery.start_soon(wait, attempt)
        return decided[0] if decided else None

    async def _send(self, socket: sockets.socket, octets: bytes, left: float | None) -> None:
        rest = memoryview(octets)
        with _until(left, SENDING):
            while rest:
                await trio.lowlevel.wait_writable(socket)
                with contextlib.suppress(BlockingIOError):
                    rest = rest[socket.send(rest) :]

    async def _receive(self, socket: sockets.socket, left: float | None) -> bytes:
        with _until(left, RECEIVING):
            while True:
                await trio.lowlevel.wait_readable(socket)
                with contextlib.suppress(BlockingIOError):
                    return socket.recv(self.tcp.receive_size)


@contextlib.contextmanager
def _until(left: float | None, phase: str) -> Generator[None]:
    with trio.move_on_after(float("inf") if left is None else left) as scope:
        yield
    if scope.cancelled_caught:
        raise TransportTimeout(phase)


# -- the mailbox


class Mailbox(Watcher):
    """A mailbox of trio: any number of connections, one message at a time.

    Only `post` may be called from another thread. Any number of tasks may receive; each message is handed out
    once, and none is lost if `receive` is cancelled. Octets that connections have queued are written
    meanwhile. A mailbox has only weak references to connections, so keep your own.
    """

    _loop_name = "trio"

    def __init__(self) -> None:
        super().__init__()
        self._receive_lock = trio.Lock()
        self._limiter = trio.CapacityLimiter(1)  # waiting mailboxes could use up trio's default limiter

    async def receive(self) -> object:
        """Return the next message; wait until there is one.

        Raises `MailboxClosed` after `close`. For a time limit, use `trio.fail_after`.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        if self._closed:
            raise MailboxClosed
        out: list[object] = []
        try:
            if not self._take(out):
                return await self._receive(out)
            await trio.lowlevel.cancel_shielded_checkpoint()
            return out[0]
        except (MailboxClosed, trio.Cancelled):
            raise
        except BaseException:
            self._recover(out)
            raise

    async def _receive(self, out: list[object]) -> object:
        """Wait for a message: one task waits for the selector, and the others wait for that task."""
        await self._receive_lock.acquire()
        try:
            while not self._closed:
                if self._take(out):
                    return out[0]
                self._look(0)
                if self._take(out):
                    return out[0]
                await self._wait()
        finally:
            self._receive_lock.release()
            if self._closed:
                self._dispose()
        raise MailboxClosed

    def _dispose(self) -> None:
        """Close the descriptors; if tasks are in `receive`, the last one does that."""
        if not self._receive_lock.locked():
            self._release()

    async def _wait(self) -> None:
        # Set before the last check, so that a post from another thread is either seen or wakes this task.
        self._asleep = True
        try:
            if not (self._near or self._orders or self._closed):
                if isinstance(self._selector, selectors.SelectSelector):
                    await self._wait_in_thread()
                else:
                    await trio.lowlevel.wait_readable(self._selector.fileno())
        finally:
            self._asleep = False

    async def _wait_in_thread(self) -> None:
        """Wait for a selector without a descriptor, like that of Windows."""
        returned = False

        async def wait() -> None:
            nonlocal returned
            await trio.to_thread.run_sync(self._select, None, limiter=self._limiter)
            returned = True
            nursery.cancel_scope.cancel()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            try:
                await trio.sleep_forever()
            finally:
                # After a cancellation from outside, wake the thread; the nursery waits until it ends.
                if not returned:
                    self._wake()

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
        if not self._is_ours:
            self._release()  # the tasks that receive are the parent's, and must not be woken
            return
        if self._receive_lock.locked():
            self._wake()
        self._dispose()

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


def read_for(wire: Link, take: weakref.WeakMethod[Callable[[object], None]]) -> Reader:
    """Start to read the connection that carries tunnels."""
    return TrioReader(wire, take)


class _Wakeup:
    """An event that can be cleared, and does not forget tasks that it could not wake.

    If memory runs out in `trio.Event.set`, the event counts as set, and tasks wait for it forever.
    """

    def __init__(self) -> None:
        self._is_set = False
        self._tasks: set[trio.lowlevel.Task] = set()

    def set(self) -> None:
        """Wake the tasks that wait; until `clear`, no task waits."""
        self._is_set = True
        self.wake()

    def clear(self) -> None:
        """Let tasks wait again."""
        self._is_set = False

    @trio.lowlevel.enable_ki_protection
    def wake(self) -> None:
        """Wake the tasks that wait now."""
        while self._tasks:
            task = self._tasks.pop()
            try:
                trio.lowlevel.reschedule(task)
            except (MemoryError, SystemError):
                self._tasks.add(task)  # for the next call
                raise
            except AssertionError:
                continue  # trio had no memory for its own queue the first time, and has lost the task

    async def wait(self) -> None:
        """Wait until it is set, or tasks are woken."""
        if self._is_set:
            await trio.lowlevel.checkpoint()
            return
        task = trio.lowlevel.current_task()

        def abort(_: object) -> trio.lowlevel.Abort:
            self._tasks.discard(task)
            return trio.lowlevel.Abort.SUCCEEDED

        self._tasks.add(task)
        try:
            await trio.lowlevel.wait_task_rescheduled(abort)
        finally:
            self._tasks.discard(task)


class TrioReader:
    """Reads the connection that carries tunnels, in a system task that ends with the connection."""

    def __init__(self, wire: Link, take: weakref.WeakMethod[Callable[[object], None]]) -> None:
        self._token = trio.lowlevel.current_trio_token()
        self._wire = weakref.ref(wire, self._dropped)
        self._take = take
        self._read_requested = _Wakeup()
        self._came = _Wakeup()
        self._stopped = False
        self._wrote = False
        """Whether octets were waiting to be written when the task last waited."""
        if isinstance(wire, TrioLink):
            wire.end_socket_wait()  # trio allows only one task to wait for a socket
        trio.lowlevel.spawn_system_task(self._run)

    def _dropped(self, _: object) -> None:
        # The garbage collector runs in any thread.
        self.call_in_loop(self._read_requested.set)

    def admit(self, transport: Transport) -> None:
        """Raise `TypeError` for a connection of another event loop."""
        if not isinstance(transport, TrioLink):
            raise TypeError("these tunnels belong to another event loop than the connection")

    def watch(self, transport: Transport) -> None:  # noqa: ARG002  # the only one
        """Watch the connection."""
        self._read_requested.set()

    def unwatch(self, transport: Transport) -> None:
        """Stop watching the connection."""
        if not transport.closed:  # otherwise trio reports that the socket is being closed
            self._read_requested.set()

    async def _run(self) -> None:
        while not self._stopped:
            self._read_requested.clear()
            try:
                waiting = self._work()
            except (MemoryError, SystemError):
                # In a task of the system it would end the whole program. Without memory, CPython also raises
                # `SystemError`, for a call that failed without saying why.
                self._interrupted()
                await trio.lowlevel.checkpoint()
                continue
            if waiting is None:
                return
            socket, wanted = waiting
            if socket is None:
                await trio.lowlevel.checkpoint()
                continue
            async with trio.open_nursery() as nursery:
                if wanted & READ:
                    nursery.start_soon(_then_cancel, nursery, trio.lowlevel.wait_readable, socket)
                if wanted & WRITE:
                    nursery.start_soon(_then_cancel, nursery, trio.lowlevel.wait_writable, socket)
                await self._read_requested.wait()
                nursery.cancel_scope.cancel()
            if self._wire() is None:
                # The link was dropped without being closed. The task kept its socket open, because trio
                # would have refused to wait for a new socket with the same descriptor number.
                socket.close()

    def _work(self) -> tuple[sockets.socket | None, int] | None:
        """Read or write without waiting; return the socket and what to wait for.

        The socket is `None` if there may be more to do now. Nothing is returned at the end.
        """
        wire, take = self._wire(), self._take()
        if wire is None or take is None or wire.socket is None or wire.socket.fileno() < 0:
            return None
        if wire.inbox is not self:
            return None  # the connection was taken back
        out: list[object] = []
        if wire.take_message(self, out):
            take(out[0])
            return None, 0
        if wire.unsent:
            wire.write_waiting()
        if self._wrote:
            self.notify()  # a flush waits until the system has accepted everything
        wanted = wire.wants
        self._wrote = bool(wanted & WRITE and wire.unsent)
        return wire.socket, (READ if wire.armed else 0) | (wanted & WRITE if wire.unsent else 0)

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

    def _interrupted(self) -> None:
        """Give the connection up, and say so: what was read may have been heard, or not."""
        wire = self._wire()
        if wire is not None:
            wire.armed = True  # for the message that says so
            wire.broken_off()

    def notify(self) -> None:
        """Wake the tasks that wait in `changed`."""
        self._came.wake()

    async def changed(self, until: float | None, phase: str) -> None:
        """Wait for the next `notify`; raise `TransportTimeout` when the time is up."""
        with _until(None if until is None else max(0.0, until - monotonic()), phase):
            await self._came.wait()

    def call_in_loop(self, work: Callable[[], object]) -> None:
        """Have trio call a function; any thread may ask for that. Does nothing after the end of trio."""
        with contextlib.suppress(trio.RunFinishedError):
            self._token.run_sync_soon(work)

    def stop(self) -> None:
        """Stop reading."""
        self._stopped = True
        self._read_requested.set()
        self.notify()


async def _then_cancel(
    nursery: trio.Nursery, ready: Callable[[sockets.socket], Awaitable[None]], socket: sockets.socket
) -> None:
    # If the socket is busy, a flush is about to stop waiting for it. A closed socket has no descriptor.
    with contextlib.suppress(trio.ClosedResourceError, trio.BusyResourceError, OSError, ValueError):
        await ready(socket)
    nursery.cancel_scope.cancel()
