"""Programs under asyncio and trio: the real loops with a simulated selector, sockets and clock."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

import trio

import mint
import mint.asyncio
import mint.trio

from ..bomb import Interrupt
from .callers import Blocking, Caller, Selecting
from .handles import Handle, Late
from .polling import SimEpollSelector
from .routes import HOST, arguments

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from .record import Record

_T = TypeVar("_T")


class SimLoop(asyncio.SelectorEventLoop):
    """The real event loop of asyncio, with a simulated selector and clock."""

    def __init__(self, record: Record) -> None:
        self._kernel = record.kernel
        super().__init__(SimEpollSelector())

    def time(self) -> float:
        """Return the time of the simulated clock."""
        return self._kernel.now


class Asyncio(Caller):
    """Connections of asyncio."""

    loop = "asyncio"
    waits_to_send = False
    mailboxes: list[mint.asyncio.Mailbox]
    tunnels: list[mint.asyncio.Tunnels]

    def new_loop(self) -> asyncio.AbstractEventLoop:
        """Return a new event loop, simulated or real."""
        return asyncio.SelectorEventLoop() if self.kernel.real else SimLoop(self.record)

    def run(self, program: Callable[[Caller], Coroutine[object, object, None]]) -> None:
        """Run a program in a loop."""
        loop = self.new_loop()
        loop.set_exception_handler(self._unhandled)

        async def main() -> None:
            with mint.asyncio.Mailbox() as one, mint.asyncio.Mailbox() as two:
                self.mailboxes, self.tunnels = [one, two], []
                await program(self)
                for handle in self.handles.values():
                    handle.close()
                for tunnels in self.tunnels:
                    self.end(tunnels)
                await asyncio.sleep(0)
                await asyncio.sleep(0)

        task = loop.create_task(main())
        try:
            loop.run_until_complete(task)
        finally:
            self.kernel.quiet = True
            if not task.done():
                task.cancel()
                with suppress(BaseException):
                    loop.run_until_complete(task)
            loop.close()

    def _unhandled(self, _: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        if isinstance(context.get("exception"), Interrupt):
            return  # it was raised in a callback of the loop, which reports it and continues
        self.kernel.blame(f"the event loop reports {context.get('exception') or context.get('message')!r}")

    async def dial(self) -> Handle:
        """Connect once."""
        if self.route == "shared tunnel":
            return self.keep(await self._through_tunnel())
        route = arguments(self.route, self.kernel)
        conn = await mint.asyncio.connect(
            *route.where,
            mailbox=self.mailboxes[0],
            protocols=route.protocols,
            proxy=route.proxy,
            tls=route.tls,
            tcp=self.tcp,
        )
        return self.keep(conn)

    async def _through_tunnel(self) -> mint.Connection:
        """Connect through the connection to the proxy, which all tunnels share."""
        if not self.tunnels or not self.tunnels[-1].connection.is_open():
            proxy = await mint.asyncio.connect(
                "http", HOST, self.kernel.proxy, protocols=("http2",), tcp=self.tcp
            )
            self.tunnels.append(mint.asyncio.Tunnels(proxy))
        return await self.tunnels[-1].connect(
            "http", HOST, 80, protocols=("http1",), mailbox=self.mailboxes[0], tcp=self.tcp
        )

    async def receive(self, handle: Handle, timeout: float | None = None) -> None:  # noqa: ASYNC109  # as in blocking code
        """Wait for a message of any connection."""
        started = self.kernel.now
        timeout = self.kernel.patience if timeout is None else timeout / self.kernel.speed
        try:
            async with asyncio.timeout(timeout):
                message = await self.mailboxes[handle.inbox].receive()
        except TimeoutError:
            self.timed(started, timeout)
            raise Late from None
        self.dispatch(message)

    async def flush(self, handle: Handle) -> None:
        """Wait until everything has left."""
        try:
            async with asyncio.timeout(self.kernel.patience):
                await mint.asyncio.flush(handle.conn)
        except mint.MintError as error:
            handle.failed(error)
        except TimeoutError:
            raise Late from None

    async def sleep(self, seconds: float) -> None:
        """Do nothing for some seconds."""
        await asyncio.sleep(seconds / self.kernel.speed)

    async def limited(self, seconds: float, work: Awaitable[_T]) -> _T | None:
        """Cancel something after some seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds / self.kernel.speed):
                return await work
        return None

    async def passive_for_a_while(self, handle: Handle) -> None:
        """Take the connection out of its mailbox, and put it back."""
        try:
            handle.conn = handle.conn.set_mode("passive")
            if self.kernel.choices.below(2):
                await self.sleep(0.2)
            handle.conn = handle.conn.set_mode("active", self.mailboxes[handle.inbox])
        except mint.MintError as error:
            handle.failed(error)

    def move(self, handle: Handle) -> None:
        """Move a connection to the other mailbox."""
        handle.inbox = 1 - handle.inbox
        try:
            handle.conn = handle.conn.move_to(self.mailboxes[handle.inbox])
        except mint.MintError as error:
            handle.failed(error)


class SimClock(trio.abc.Clock):
    """A clock for trio that shows the simulated time, which advances inside `epoll.poll`."""

    def __init__(self, record: Record) -> None:
        self._kernel = record.kernel

    def start_clock(self) -> None:
        """Do nothing: it is running already."""

    def current_time(self) -> float:
        """Return the time."""
        return self._kernel.now

    def deadline_to_sleep_time(self, deadline: float) -> float:
        """Return how long to wait."""
        return max(0.0, deadline - self._kernel.now)


class Trio(Caller):
    """Connections of trio."""

    loop = "trio"
    waits_to_send = False
    mailboxes: list[mint.trio.Mailbox]
    tunnels: list[mint.trio.Tunnels]

    def run(self, program: Callable[[Caller], Coroutine[object, object, None]]) -> None:
        """Run a program in trio."""
        # trio runs its tasks in random order: seed it with a decision of this run.
        trio._core._run._r.seed(self.kernel.choices.below(1 << 16))

        async def main() -> None:
            with mint.trio.Mailbox() as one, mint.trio.Mailbox() as two:
                self.mailboxes, self.tunnels = [one, two], []
                await program(self)
                for handle in self.handles.values():
                    handle.close()
                for tunnels in self.tunnels:
                    self.end(tunnels)

        trio.run(main, clock=None if self.kernel.real else SimClock(self.record))

    async def dial(self) -> Handle:
        """Connect once."""
        if self.route == "shared tunnel":
            return self.keep(await self._through_tunnel())
        route = arguments(self.route, self.kernel)
        conn = await mint.trio.connect(
            *route.where,
            mailbox=self.mailboxes[0],
            protocols=route.protocols,
            proxy=route.proxy,
            tls=route.tls,
            tcp=self.tcp,
        )
        return self.keep(conn)

    async def _through_tunnel(self) -> mint.Connection:
        """Connect through the connection to the proxy, which all tunnels share."""
        if not self.tunnels or not self.tunnels[-1].connection.is_open():
            proxy = await mint.trio.connect(
                "http", HOST, self.kernel.proxy, protocols=("http2",), tcp=self.tcp
            )
            self.tunnels.append(mint.trio.Tunnels(proxy))
        return await self.tunnels[-1].connect(
            "http", HOST, 80, protocols=("http1",), mailbox=self.mailboxes[0], tcp=self.tcp
        )

    async def receive(self, handle: Handle, timeout: float | None = None) -> None:  # noqa: ASYNC109  # as in blocking code
        """Wait for a message of any connection."""
        started = self.kernel.now
        timeout = self.kernel.patience if timeout is None else timeout / self.kernel.speed
        message: object = None
        with trio.move_on_after(timeout) as scope:
            message = await self.mailboxes[handle.inbox].receive()
        if scope.cancelled_caught:
            self.timed(started, timeout)
            raise Late
        self.dispatch(message)

    async def flush(self, handle: Handle) -> None:
        """Wait until everything has left."""
        try:
            with trio.move_on_after(self.kernel.patience):
                await mint.trio.flush(handle.conn)
                return
        except mint.MintError as error:
            handle.failed(error)
            return
        raise Late

    async def sleep(self, seconds: float) -> None:
        """Do nothing for some seconds."""
        await trio.sleep(seconds / self.kernel.speed)

    async def limited(self, seconds: float, work: Awaitable[_T]) -> _T | None:
        """Cancel something after some seconds."""
        with trio.move_on_after(seconds / self.kernel.speed):
            return await work
        return None

    async def passive_for_a_while(self, handle: Handle) -> None:
        """Take the connection out of its mailbox, and put it back."""
        try:
            handle.conn = handle.conn.set_mode("passive")
            if self.kernel.choices.below(2):
                await self.sleep(0.2)
            handle.conn = handle.conn.set_mode("active", self.mailboxes[handle.inbox])
        except mint.MintError as error:
            handle.failed(error)

    def move(self, handle: Handle) -> None:
        """Move a connection to the other mailbox."""
        handle.inbox = 1 - handle.inbox
        try:
            handle.conn = handle.conn.move_to(self.mailboxes[handle.inbox])
        except mint.MintError as error:
            handle.failed(error)


CALLERS: dict[str, type[Caller]] = {
    "blocking": Blocking,
    "mailbox": Selecting,
    "asyncio": Asyncio,
    "trio": Trio,
}
