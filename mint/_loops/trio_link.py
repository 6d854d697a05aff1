"""Trio: the link of a socket.

Every `await` is a checkpoint, and a cancellation at any of them loses nothing.
"""

from __future__ import annotations

import contextlib
from threading import get_ident
from typing import TYPE_CHECKING, Literal

import trio

from .._wire.pipe import READ, WRITE, Writing
from ..errors import TransportClosed
from .sockets import SocketBase
from .trio_nursery import OneError

if TYPE_CHECKING:
    import socket as sockets
    from collections.abc import Awaitable, Callable, Sequence

    from .._wire.layer import Layer
    from .._wire.link import LoopName
    from ..options import TCPOptions


class WaitingInbox:
    """The base of an inbox with a task that waits for the socket of its only link."""

    async def changed(self, until: float | None, phase: str) -> None:
        """Wait until the task has read or written, at most until this time."""
        raise NotImplementedError


def running_task() -> trio.lowlevel.Task | None:
    """Return the task that runs now; `None` in code of trio itself, and outside of it."""
    try:
        return trio.lowlevel.current_task()
    except RuntimeError:
        return None


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
        if self.is_inherited:
            self.refuse()
        # One task waits for the socket, and the others wait for that task.
        async with self._draining:
            self.write_waiting()
            while self.unsent and self._writing < Writing.FAILED and self.wants and not self._is_blocked:
                await self._something_happened()
                self._read_and_write()
        if self._writing == Writing.FAILED or (self.unsent and not self._is_blocked):
            raise TransportClosed

    def _read_and_write(self) -> None:
        """Read and write once, for a flush; the mailbox is told of what was read."""
        try:
            if self.wants & READ:
                octets = self._read_now()
                if octets is not None:
                    self._take_in(octets)
            self.write_waiting()
            if self.has_next and self.armed and self.inbox is not None:
                self.inbox.watch(self)
        except BaseException:
            # A signal handler raised it, or memory ran out. What was read may be lost.
            self.broken_off()
            raise

    async def _something_happened(self) -> None:
        """Wait until the socket can be read or written, depending on `wants`."""
        if isinstance(self.inbox, WaitingInbox):
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

        with OneError():
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
            try:
                self._token.run_sync_soon(super().close)
            except trio.RunFinishedError:
                super().close()  # its thread does not use the socket any more

    def _shut(self) -> None:
        # After trio has ended, nobody waits for the socket. In a forked child, only the parent's tasks do.
        if self._is_ours and self._socket.fileno() >= 0 and not self._tell_tasks():
            return
        super()._shut()

    def _tell_tasks(self) -> bool:
        """Tell the tasks that wait for the socket that it is closed; return false if that is done soon."""
        if running_task() is None:
            try:
                self._token.run_sync_soon(self._shut)  # a signal handler has interrupted trio itself
            except trio.RunFinishedError:
                return True
            return False
        try:
            trio.lowlevel.notify_closing(self._socket)
        except trio.ClosedResourceError:
            # A signal handler has interrupted the task that was just about to wait.
            self._token.run_sync_soon(self.end_socket_wait)
        return True
