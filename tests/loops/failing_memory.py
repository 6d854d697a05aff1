"""Exchanges in which one allocation fails; test_memory_errors.py runs this program in its own process.

    python failing_memory.py LOOP ROUTE SERVER PROXY STEP

LOOP is blocking, mailbox, asyncio or trio. SERVER and PROXY are ports of 127.0.0.1; the file CA in the
working directory contains the certificate to trust. Every STEP-th allocation fails, one in each exchange. The
servers run in another process, so that none of their allocations fail. The program prints the operations and
how many allocations of each failed.
"""

from __future__ import annotations

import _testcapi
import asyncio
import gc
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

import trio

import mint
import mint.asyncio
import mint.trio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Generator
    from types import ModuleType

    from mint.types import ProtocolName, Scheme

_T = TypeVar("_T")

NO_MEMORY = (MemoryError, SystemError)
"""CPython raises SystemError if it has no memory for a MemoryError."""
PATIENCE = 10.0
BODY = b"0123456789" * 300


QUIET = 3
"""After this number of attempts without a failure, an operation is assumed to have no more allocations."""
ONCE: tuple[str, ...] = ("connect", "receive", "flush")
"""Operations that may be coroutines, which cannot be repeated."""


class Target:
    """The allocation that fails, and its operation."""

    def __init__(self, operation: str = "", number: int = 0) -> None:
        self.operation = operation
        self.number = number
        self.failed = False
        self.armed = False
        """Whether an allocation was made to fail; the operation may have continued nevertheless."""
        self.seen: list[str] = []

    def _arm(self, operation: str) -> bool:
        if operation not in self.seen:
            self.seen.append(operation)
        if self.failed or operation != self.operation:
            return False
        self.armed = True
        _testcapi.set_nomemory(self.number, self.number + 1)
        return True

    def tried(self, operation: str, work: Callable[[], _T]) -> _T:
        """Run an operation; if an allocation fails in it, run it once more."""
        armed = self._arm(operation)
        try:
            return work()
        except NO_MEMORY:
            self.failed = armed
            if not armed or operation in ONCE:
                raise
        finally:
            if armed:
                _testcapi.remove_mem_hooks()
        return work()


class _Armed(Generic[_T]):
    """An awaitable that runs a coroutine in which an allocation fails."""

    def __init__(self, target: Target, operation: str, work: Awaitable[_T]) -> None:
        self.target, self.operation, self.work = target, operation, work
        self.finished = False
        self.result: _T | None = None

    async def kept(self) -> None:
        """Keep the result: without memory, the `StopIteration` that has it is lost outside the coroutine."""
        self.result = await self.work
        self.finished = True

    def __await__(self) -> Generator[object, object, _T]:
        steps = self.kept().__await__()
        given: object = None
        failed: BaseException | None = None
        while True:
            try:
                step = self.target.tried(self.operation, lambda: _step(steps, given, failed))  # noqa: B023  # called at once
            except (StopIteration, *NO_MEMORY):
                if not self.finished:
                    raise
                return self.result  # type: ignore[return-value]  # it is set
            given = failed = None
            try:
                given = yield step
            except BaseException as error:  # noqa: BLE001  # passed on to the coroutine
                failed = error


def _step(steps: Generator[object, object, object], given: object, failed: BaseException | None) -> object:
    return steps.send(given) if failed is None else steps.throw(failed)


class Client:
    """One event loop and one route; blocking code unless a subclass overrides it."""

    mailbox: mint.Mailbox | None = None

    def __init__(self, route: str, server: int, proxy: int) -> None:
        secure = "TLS" in route
        self.scheme: Scheme = "https" if secure else "http"
        self.server = server
        version: ProtocolName = "http2" if route.startswith("HTTP/2") else "http1"
        self.protocols = (version,)
        trusted = Path("CA").read_text(encoding="ascii") if secure else None
        self.tls = mint.TLSOptions(ca_data=trusted)
        self.proxy = None
        if "proxy" in route:
            spoken: ProtocolName = "http2" if "HTTP/2 proxy" in route else "http1"
            self.proxy = mint.Proxy("http", "127.0.0.1", proxy, protocols=(spoken,), tunnel=True)
        self.number = 0

    def run(self, program: Coroutine[object, object, _T]) -> _T:
        """Run a coroutine to its end; in blocking code it never waits."""
        try:
            program.send(None)
        except StopIteration as end:
            result: _T = end.value
            return result
        raise RuntimeError("blocking code was suspended")

    async def connect(self, target: Target) -> mint.Connection:
        return target.tried(
            "connect",
            lambda: mint.connect(
                *(self.scheme, "127.0.0.1", self.server),
                protocols=self.protocols,
                tls=self.tls,
                proxy=self.proxy,
                mailbox=self.mailbox,
            ),
        )

    async def receive(self, conn: mint.Connection, target: Target) -> mint.Connection:
        return target.tried("recv", lambda: conn.recv(timeout=PATIENCE))[0]

    async def flush(self, conn: mint.Connection, target: Target) -> mint.Connection:
        return target.tried("flush", lambda: conn.flush(PATIENCE))

    async def check(self) -> None:
        """Check that nothing is locked."""

    # -- one exchange, in any event loop

    def fields(self, what: str) -> list[tuple[str, str]]:
        self.number += 1
        return [("x-number", f"{self.number}"), ("x-kind", what)]

    async def finish(self, conn: mint.Connection, target: Target) -> mint.Connection:
        while conn.open_request_count:
            conn = await self.receive(conn, target)
        return conn

    async def exchange(self, target: Target) -> None:
        """Send two requests, and repeat an operation that fails: nothing is sent twice, nothing waits."""
        conn = await self.connect(target)
        try:
            fields = self.fields("get")
            conn, _ = target.tried("request", lambda: conn.request("GET", "/", fields))
            conn = await self.finish(conn, target)
            fields = self.fields("post")
            conn, ref = target.tried("stream", lambda: conn.request("POST", "/", fields, mint.STREAM))
            for piece in (BODY, BODY, mint.Eof()):
                name = "eof" if isinstance(piece, mint.Eof) else "body"
                conn = target.tried(name, lambda: conn.stream_request_body(ref, piece))  # noqa: B023  # called at once
            conn = await self.flush(conn, target)
            conn = await self.finish(conn, target)
        except (mint.errors.TransportTimeout, TimeoutError):
            raise AssertionError("an operation waited until its time limit") from None
        except mint.MintError as error:
            if not target.failed or conn.after(error).is_open():
                raise AssertionError(f"open after {error!r}") from error
        except NO_MEMORY:
            if not target.failed:
                raise
        finally:
            target.tried("close", conn.close)
            conn.close()


class Selecting(Client):
    """Active mode in blocking code."""

    def __init__(self, route: str, server: int, proxy: int) -> None:
        super().__init__(route, server, proxy)
        self.mailbox: mint.Mailbox = mint.Mailbox()

    async def receive(self, conn: mint.Connection, target: Target) -> mint.Connection:
        message = target.tried("receive", lambda: self.mailbox.receive(PATIENCE))
        taken = target.tried("feed", lambda: conn.stream(message))
        return conn if taken is mint.UNKNOWN else taken[0]

    async def check(self) -> None:
        self.mailbox.post("x")
        while self.mailbox.receive(PATIENCE) != "x":
            pass


class Looping(Client):
    """asyncio."""

    loop: ModuleType = mint.asyncio

    def __init__(self, route: str, server: int, proxy: int) -> None:
        super().__init__(route, server, proxy)
        self.inbox: mint.asyncio.Mailbox | mint.trio.Mailbox | None = None

    def run(self, program: Coroutine[object, object, _T]) -> _T:
        return asyncio.run(program)

    def limit(self, work: Awaitable[_T]) -> Awaitable[_T]:
        return asyncio.wait_for(work, PATIENCE)

    def awaited(self, target: Target, operation: str, work: Awaitable[_T]) -> Awaitable[_T]:
        """Make an allocation of a coroutine fail."""
        return _Armed(target, operation, work)

    async def connect(self, target: Target) -> mint.Connection:
        if self.inbox is None:
            self.inbox = self.loop.Mailbox()
        made: mint.Connection = await self.awaited(
            target,
            "connect",
            self.loop.connect(
                *(self.scheme, "127.0.0.1", self.server),
                protocols=self.protocols,
                tls=self.tls,
                proxy=self.proxy,
                mailbox=self.inbox,
            ),
        )
        return made

    async def receive(self, conn: mint.Connection, target: Target) -> mint.Connection:
        assert self.inbox is not None
        message = await self.limit(self.awaited(target, "receive", self.inbox.receive()))
        taken = target.tried("feed", lambda: conn.stream(message))
        return conn if taken is mint.UNKNOWN else taken[0]

    async def flush(self, conn: mint.Connection, target: Target) -> mint.Connection:
        await self.limit(self.awaited(target, "flush", self.loop.flush(conn)))
        return conn

    async def check(self) -> None:
        assert self.inbox is not None
        self.inbox.post("x")
        while await self.limit(self.inbox.receive()) != "x":
            pass


class Nursery(Looping):
    """trio."""

    loop: ModuleType = mint.trio

    def run(self, program: Coroutine[object, object, _T]) -> _T:
        async def main() -> _T:
            return await program

        return trio.run(main)

    def limit(self, work: Awaitable[_T]) -> Awaitable[_T]:
        async def limited() -> _T:
            with trio.fail_after(PATIENCE):
                return await work
            raise AssertionError

        return limited()

    def awaited(self, target: Target, operation: str, work: Awaitable[_T]) -> Awaitable[_T]:
        """Make no allocation fail, because the cancel scopes of trio do not survive a `MemoryError`."""
        return work


CLIENTS = {"blocking": Client, "mailbox": Selecting, "asyncio": Looping, "trio": Nursery}


def descriptors() -> int:
    """Return the number of open descriptors."""
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))


async def every(client: Client, step: int) -> Counter[str]:
    """Make allocations of each operation of an exchange fail, one at a time; return how many failed."""
    first = Target()
    await client.exchange(first)
    count: Counter[str] = Counter()
    held = descriptors()
    for operation in first.seen:
        number, quiet = 1, 0
        while quiet < QUIET:
            target = Target(operation, number)
            try:
                await client.exchange(target)
            except NO_MEMORY:
                if not target.failed:
                    raise
            except Exception as error:
                raise AssertionError(f"{operation}, allocation {number}: {error!r}") from error
            quiet = 0 if target.failed else quiet + 1
            count[operation] += target.failed
            number += step
            await client.check()
            if descriptors() > held:
                raise AssertionError(f"{operation}, allocation {number - step}: a descriptor is left open")
    return count


def main(loop: str, route: str, server: str, proxy: str, step: str) -> None:
    client = CLIENTS[loop](route, int(server), int(proxy))
    sys.stdout.write(f"{dict(client.run(every(client, int(step))))}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
