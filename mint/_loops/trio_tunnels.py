"""Trio: the reader of a connection that carries tunnels."""

from __future__ import annotations

import contextlib
import weakref
from time import monotonic
from typing import TYPE_CHECKING

import trio

from .._wire.pipe import READ, WRITE
from .trio_connecting import limited
from .trio_link import TrioLink, WaitingInbox, running_task

if TYPE_CHECKING:
    import socket as sockets
    from collections.abc import Awaitable, Callable

    from .._wire.link import Link
    from ..types import Transport
    from .reader import Reader


def read_for(wire: Link, take: weakref.WeakMethod[Callable[[object], None]]) -> Reader:
    """Start to read the connection that carries tunnels."""
    return TrioReader(wire, take)


class _Wakeup:
    """An event that can be cleared, and does not forget tasks that it could not wake.

    If memory runs out in `trio.Event.set`, the event counts as set, and tasks wait for it forever. A signal
    handler may set this event at any time; trio does not allow that for its own events.
    """

    def __init__(self, token: trio.lowlevel.TrioToken) -> None:
        self._token = token
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
        # In a signal handler, trio itself or a task that is just about to wait may have been interrupted.
        if not self._tasks:
            return
        running = running_task()
        if running is None or running in self._tasks:
            with contextlib.suppress(trio.RunFinishedError):
                self._token.run_sync_soon(self.wake, idempotent=True)
            return
        while self._tasks:
            try:
                task = self._tasks.pop()
            except KeyError:
                return
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
            try:
                self._tasks.remove(task)
            except KeyError:
                return trio.lowlevel.Abort.FAILED  # a signal handler has just woken it
            return trio.lowlevel.Abort.SUCCEEDED

        self._tasks.add(task)
        try:
            if self._is_set:  # by a signal handler, since the first check
                self.wake()
            await trio.lowlevel.wait_task_rescheduled(abort)
        finally:
            self._tasks.discard(task)


class TrioReader(WaitingInbox):
    """Reads the connection that carries tunnels, in a system task that ends with the connection."""

    def __init__(self, wire: Link, take: weakref.WeakMethod[Callable[[object], None]]) -> None:
        self._token = trio.lowlevel.current_trio_token()
        self._wire = weakref.ref(wire, self._dropped)
        self._take = take
        self._read_requested = _Wakeup(self._token)
        self._came = _Wakeup(self._token)
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

    def nudge(self) -> None:
        """Do nothing: trio itself notices signals while it waits."""

    async def changed(self, until: float | None, phase: str) -> None:
        """Wait for the next `notify`; raise `TransportTimeout` when the time is up."""
        with limited(None if until is None else max(0.0, until - monotonic()), phase):
            await self._came.wait()

    def call_in_loop(self, work: Callable[[], object]) -> bool:
        """Have trio call a function; any thread may ask for that. Returns false after the end of trio."""
        try:
            self._token.run_sync_soon(work)
        except trio.RunFinishedError:
            return False
        return True

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
