"""Tunnels through one shared connection in which one allocation fails; test_memory_errors.py runs this.

    python failing_tunnels.py LOOP ROUTE SERVER PROXY STEP

The arguments and the output are those of failing_memory.py. While allocations of one exchange fail, there is
another exchange through the same connection: it is completed, or it reports that the connection is closed.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import trio
import trio.testing

import mint
import mint.asyncio
import mint.trio
from mint._loops.asyncio_tunnels import LoopReader
from mint._loops.trio_tunnels import TrioReader

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Coroutine

    from mint._connections.tunnels_base import TunnelsBase

    from . import failing_memory as memory
else:
    # This file is run by its path, outside the package.
    _found = util.spec_from_file_location("failing_memory", Path(__file__).with_name("failing_memory.py"))
    memory = util.module_from_spec(_found)
    sys.modules["failing_memory"] = memory
    _found.loader.exec_module(memory)

_T = TypeVar("_T")

LARGE = b"0123456789" * 300
QUIET = 30
"""After this many allocations without a failure, and six attempts, an operation has no more of them."""


class Shared(memory.Client):
    """Blocking code."""

    tunnels: TunnelsBase | None = None
    neighbour: mint.Connection | None = None
    failed = armed = False

    async def connect_proxy(self) -> mint.HTTP2:
        assert self.proxy is not None
        return mint.http2.connect("http", "127.0.0.1", self.proxy.port)

    def make_tunnels(self, conn: mint.HTTP2, target: memory.Target) -> TunnelsBase:
        # Nothing fails here, because CPython loses a descriptor if memory runs out in `socket.socketpair`.
        return mint.Tunnels(conn)

    async def open_tunnel(self, target: memory.Target) -> mint.Connection:
        tunnels = self.tunnels
        assert isinstance(tunnels, mint.Tunnels)
        return target.tried(
            "connect",
            lambda: tunnels.connect(
                *(self.scheme, "127.0.0.1", self.server),
                protocols=self.protocols,
                tls=self.tls,
                tunnel_timeout=memory.PATIENCE,
            ),
        )

    async def connect(self, target: memory.Target) -> mint.Connection:
        if self.tunnels is not None:
            return await self.open_tunnel(target)
        conn = await self.connect_proxy()
        try:
            self.tunnels = self.make_tunnels(conn, target)
        except BaseException:
            conn.close()
            raise
        self.neighbour = await self.open_tunnel(memory.Target())
        self.neighbour, _ = self.neighbour.request("POST", "/", self.fields("post"), LARGE + LARGE)
        made = await self.open_tunnel(target)
        return await self.begin(made)

    async def begin(self, conn: mint.Connection) -> mint.Connection:
        """Choose the mode."""
        return conn

    @property
    def is_shared_open(self) -> bool:
        """Whether the connection that the tunnels share is open."""
        return self.tunnels is not None and self.tunnels.connection.is_open()

    async def answered(self, conn: mint.Connection) -> None:
        """Wait for the responses of a tunnel. It may fail only if the shared connection is closed."""
        target = memory.Target()
        try:
            await self.finish(conn, target)
        except (mint.errors.TransportTimeout, TimeoutError):
            raise AssertionError("another tunnel waits until its time limit") from None
        except mint.MintError as error:
            # The allocation may have failed for its message, or for its part of the output. What it broke may
            # be reported later than the first look at the shared connection.
            lost = self.failed or (self.armed and not self.is_shared_open)
            if not lost or conn.after(error).is_open():
                raise AssertionError(f"another tunnel is open after {error!r}") from error
        finally:
            conn.close()

    async def exchange(self, target: memory.Target) -> None:
        self.tunnels = self.neighbour = None
        try:
            await super().exchange(target)
        except memory.NO_MEMORY:
            if not target.failed:
                raise
        except (mint.errors.TransportTimeout, TimeoutError):
            raise AssertionError("opening a tunnel waited until its time limit") from None
        except mint.MintError as error:
            # Opening a tunnel fails if the connection is closed; otherwise it may be repeated.
            if not target.armed:
                raise AssertionError(f"{error!r} although nothing failed") from error
        if self.tunnels is not None:
            await self.check_others(self.tunnels, target)
            self.close_all(self.tunnels, target)

    async def check_others(self, tunnels: TunnelsBase, target: memory.Target) -> None:
        """Check that other tunnels continue, or report that the connection is closed."""
        check_unlocked(tunnels)
        self.failed = self.armed = target.armed
        if self.neighbour is not None:
            await self.answered(self.neighbour)
        self.neighbour, self.failed = None, False
        if tunnels.connection.is_open():
            try:
                another = await self.passive_tunnel()
                another, _ = another.request("GET", "/", self.fields("get"))
                await self.answered(await self.begin(another))
            except mint.MintError as error:
                if not target.armed or tunnels.connection.is_open():
                    raise AssertionError(f"open after {error!r}") from error
        elif not target.armed:
            raise AssertionError("the connection is closed although nothing failed")

    def close_all(self, tunnels: TunnelsBase, target: memory.Target) -> None:
        """Close the connection that carries the tunnels."""
        target.tried("close_all", tunnels.close)
        tunnels.close()
        self.closed()
        check_unlocked(tunnels)
        if tunnels.connection.is_open("read") or tunnels.connection.is_open():
            raise AssertionError("open after close")
        self.tunnels = None

    async def passive_tunnel(self) -> mint.Connection:
        return await self.open_tunnel(memory.Target())

    def closed(self) -> None:
        """Called when everything has been closed."""


def check_unlocked(tunnels: TunnelsBase) -> None:
    """Check that another thread can acquire the lock."""
    taken: list[bool] = []
    thread = threading.Thread(target=tunnels._lock.attempt, args=(taken.append, True, memory.PATIENCE))
    thread.start()
    thread.join()
    if not taken:
        raise AssertionError("the lock of the tunnels is held")


class SharedSelecting(Shared):
    """A mailbox that reads for all tunnels."""

    def __init__(self, route: str, server: int, proxy: int) -> None:
        super().__init__(route, server, proxy)
        self.mailbox: mint.Mailbox = mint.Mailbox()

    @property
    def is_shared_open(self) -> bool:
        """Whether the connection that the tunnels share is open."""
        return self.tunnels is not None and self.tunnels.connection.is_open()

    async def answered(self, conn: mint.Connection) -> None:
        await super().answered(await self.begin(conn))

    async def begin(self, conn: mint.Connection) -> mint.Connection:
        assert isinstance(self.tunnels, mint.Tunnels)
        if self.tunnels.mode == "passive":
            self.tunnels.set_mode("active", self.mailbox)
        if conn is not self.neighbour and self.neighbour is not None and self.neighbour.mode == "passive":
            self.neighbour = self.neighbour.set_mode("active", self.mailbox)
        return conn.set_mode("active", self.mailbox) if conn.mode == "passive" else conn

    async def passive_tunnel(self) -> mint.Connection:
        assert isinstance(self.tunnels, mint.Tunnels)
        self.mailbox.post("x")
        while (message := self.mailbox.receive(memory.PATIENCE)) != "x":
            self.tunnels.stream(message)  # a message that an exception left undelivered
        self.tunnels.set_mode("passive")
        return await self.open_tunnel(memory.Target())

    async def receive(self, conn: mint.Connection, target: memory.Target) -> mint.Connection:
        message = target.tried("receive", lambda: self.mailbox.receive(memory.PATIENCE))
        return self.fed(conn, message, target)

    def fed(self, conn: mint.Connection, message: object, target: memory.Target) -> mint.Connection:
        """Feed a message to the connection that it belongs to."""
        taken = target.tried("feed", lambda: conn.stream(message))
        if taken is not mint.UNKNOWN:
            return taken[0]
        if self.neighbour is not None and self.neighbour.source != conn.source:
            try:
                neighbour = self.neighbour.stream(message)
            except mint.MintError as error:
                self.neighbour = self.neighbour.after(error)
                return conn
            if neighbour is not mint.UNKNOWN:
                self.neighbour = neighbour[0]
                return conn
        tunnels = self.tunnels
        if isinstance(tunnels, mint.Tunnels):
            try:
                target.tried("share", lambda: tunnels.stream(message))
            except mint.MintError as error:
                if not target.armed or tunnels.connection.is_open():
                    raise AssertionError(f"open after {error!r}") from error
        return conn

    async def check(self) -> None:
        self.mailbox.post("x")
        while self.mailbox.receive(memory.PATIENCE) != "x":
            pass


class SharedLooping(memory.Looping, Shared):
    """asyncio, which reads in a callback of the loop."""

    target = memory.Target()

    def run(self, program: Coroutine[object, object, _T]) -> _T:
        async def main() -> _T:
            # An exception of a callback has already become an error of the connection.
            asyncio.get_running_loop().set_exception_handler(lambda *_: None)
            return await program

        return asyncio.run(main())

    async def connect_proxy(self) -> mint.HTTP2:
        assert self.proxy is not None
        if self.inbox is None:
            self.inbox = self.loop.Mailbox()
        made: mint.HTTP2 = await self.loop.connect("http", "127.0.0.1", self.proxy.port, protocols=("http2",))
        return made

    def make_tunnels(self, conn: mint.HTTP2, target: memory.Target) -> TunnelsBase:
        made: TunnelsBase = target.tried("make", lambda: self.loop.Tunnels(conn))
        return made

    async def connect(self, target: memory.Target) -> mint.Connection:
        return await Shared.connect(self, target)

    async def open_tunnel(self, target: memory.Target) -> mint.Connection:
        tunnels = self.tunnels
        assert isinstance(tunnels, (mint.asyncio.Tunnels, mint.trio.Tunnels))
        return await self.awaited(
            target,
            "connect",
            tunnels.connect(
                *(self.scheme, "127.0.0.1", self.server),
                protocols=self.protocols,
                tls=self.tls,
                mailbox=self.inbox,
                tunnel_timeout=memory.PATIENCE,
            ),
        )

    async def exchange(self, target: memory.Target) -> None:
        SharedLooping.target = target
        await Shared.exchange(self, target)

    def closed(self) -> None:
        SharedLooping.target = memory.Target()

    async def receive(self, conn: mint.Connection, target: memory.Target) -> mint.Connection:
        assert self.inbox is not None
        message = await self.limit(self.awaited(target, "receive", self.inbox.receive()))
        taken = target.tried("feed", lambda: conn.stream(message))
        if taken is not mint.UNKNOWN:
            return taken[0]
        if self.neighbour is not None and self.neighbour.source != conn.source:
            try:
                neighbour = self.neighbour.stream(message)
            except mint.MintError as error:
                self.neighbour = self.neighbour.after(error)
                return conn
            if neighbour is not mint.UNKNOWN:
                self.neighbour = neighbour[0]
        return conn


class SharedNursery(memory.Nursery, SharedLooping):
    """trio, which reads in a task of the system."""

    def make_tunnels(self, conn: mint.HTTP2, target: memory.Target) -> TunnelsBase:
        # Nothing fails here, because trio itself does not survive it while it starts a task.
        return mint.trio.Tunnels(conn)

    def run(self, program: Coroutine[object, object, _T]) -> _T:
        return memory.Nursery.run(self, program)

    def limit(self, work: Awaitable[_T]) -> Awaitable[_T]:
        return memory.Nursery.limit(self, work)

    async def check(self) -> None:
        await super().check()
        # If a socket could not be closed with its link, the task that waits for it does that.
        await trio.testing.wait_all_tasks_blocked()


CLIENTS = {
    "blocking": Shared,
    "mailbox": SharedSelecting,
    "asyncio": SharedLooping,
    "trio": SharedNursery,
}


def let_readers_fail() -> None:
    """Make allocations fail while an event loop reads for all tunnels."""
    read: Callable[[LoopReader], None] = LoopReader._read
    work: Callable[[TrioReader], tuple[socket.socket | None, int] | None] = TrioReader._work
    LoopReader._read = lambda self: SharedLooping.target.tried("heard", lambda: read(self))  # type: ignore[method-assign]  # in this process only
    TrioReader._work = lambda self: SharedLooping.target.tried("heard", lambda: work(self))  # type: ignore[method-assign]  # as above


def main(loop: str, route: str, server: str, proxy: str, step: str) -> None:
    memory.ONCE = (*memory.ONCE, "heard", "make")
    memory.QUIET = max(6, QUIET // int(step))
    let_readers_fail()
    client = CLIENTS[loop](route, int(server), int(proxy))
    sys.stdout.write(f"{dict(client.run(memory.every(client, int(step))))}\n")


if __name__ == "__main__":
    gc.collect()
    main(*sys.argv[1:])
