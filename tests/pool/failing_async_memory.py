"""Use a pool of asyncio or trio while one memory allocation fails; test_memory_errors.py runs this.

    python failing_async_memory.py LOOP PROTOCOL SERVER STEP

It prints the name of each use and how many of its allocations failed. Under trio, allocations fail only in
methods of mint that never wait, because trio itself does not survive a failed allocation.
"""

from __future__ import annotations

import _testcapi
import asyncio
import gc
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import trio

import mint
import mint.pool.asyncio
import mint.pool.trio
from mint.pool import PoolOptions, Timeouts
from mint.pool._session import Session
from mint.pool._state import PoolState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Generator

    from mint.pool._asynchronous import AsyncPool, StreamedAnswer
    from mint.types import ProtocolName

NO_MEMORY: Final = (MemoryError, SystemError)
"""CPython raises `SystemError` if it cannot allocate the `MemoryError`."""
SIZE: Final = 100_000
QUIET: Final = 30


class Use:
    """A pool of one connection, so that the next request fails if a place on the connection is lost."""

    def __init__(self, loop: str, protocol: ProtocolName, server: int) -> None:
        self.url = f"http://127.0.0.1:{server}/bytes"
        make = mint.pool.asyncio.Pool if loop == "asyncio" else mint.pool.trio.Pool
        self.pool: AsyncPool = make(
            protocols=(protocol,),
            options=PoolOptions(max_connections=1, max_streams=1, buffer_size=10_000),
            timeout=10,
        )
        self.answer: StreamedAnswer | None = None

    async def get(self) -> None:
        if (await self.pool.request("GET", f"{self.url}/5")).content == b"":
            raise AssertionError("no content")

    async def get_again(self) -> None:
        await self.get()

    async def upload(self) -> None:
        await self.pool.request("POST", f"{self.url}/5", (), pieces())

    async def put_back(self) -> None:
        self.answer = await self.pool.stream("GET", f"{self.url}/{SIZE}")
        await self.answer.receive()
        self.answer.close()

    async def wait(self) -> None:
        self.answer = await self.pool.stream("GET", f"{self.url}/{SIZE}")
        with suppress(mint.errors.TransportTimeout):
            await self.pool.request("GET", f"{self.url}/5", timeout=Timeouts(pool=0.001, total=10))

    async def close(self) -> None:
        self.pool.close()

    async def check(self) -> None:
        """Check that the pool still answers, or is closed, and that no connection or place is lost."""
        if self.answer is not None:
            self.answer.close()
        if not self.pool._state.is_closed:
            await self.get()
            now = self.pool.statistics
            found = (now.connections, now.idle, now.active, now.waiting, now.opening)
            if found != (1, 1, 0, 0, 0):
                raise AssertionError(f"{found}")
        self.pool.close()
        if self.pool._state.sessions:
            raise AssertionError("a connection of the pool is not closed")


async def pieces() -> AsyncIterator[bytes]:
    """Yield the content of an upload."""
    for _ in range(3):
        yield b"x" * 30_000


USES: Final = {
    each.__name__: each for each in (Use.get, Use.get_again, Use.upload, Use.put_back, Use.wait, Use.close)
}
WARM: Final = ("get_again", "close")
"""The uses that start with a pool that has a connection already."""


class Armed:
    """Runs a coroutine, one of whose allocations fails; those of the event loop between its steps succeed."""

    def __init__(self, number: int, work: Awaitable[None]) -> None:
        self.number, self.work = number, work
        self.armed = True

    def __await__(self) -> Generator[object, object, None]:
        steps = self.work.__await__()
        given: object = None
        failed: BaseException | None = None
        while True:
            if self.armed:
                _testcapi.set_nomemory(self.number, self.number + 1)
            try:
                step = steps.send(given) if failed is None else steps.throw(failed)
            except StopIteration:
                return
            except BaseException:
                self.armed = False
                raise
            finally:
                _testcapi.remove_mem_hooks()
            given = failed = None
            try:
                given = yield step
            except BaseException as error:  # noqa: BLE001  # passed on to the coroutine
                failed = error


FAILING: Final = (
    *((Session, name) for name in ("open", "push", "end_body", "cancel", "feed", "process", "lose")),
    *((PoolState, name) for name in ("ask", "give_back", "leave", "add", "settle", "close")),
)
"""The methods in which allocations fail under trio; none of them waits."""


class Sprung:
    """Lets one allocation fail in the first of the `FAILING` methods that makes so many."""

    def __init__(self, number: int) -> None:
        self.left = number
        self.inside = False
        self.kept = {(owner, name): getattr(owner, name) for owner, name in FAILING}

    def __enter__(self) -> None:
        for (owner, name), method in self.kept.items():
            setattr(owner, name, self.wrapped(method))

    def __exit__(self, *_: object) -> None:
        for (owner, name), method in self.kept.items():
            setattr(owner, name, method)

    def wrapped(self, method: Callable[..., object]) -> Callable[..., object]:
        def sprung(*args: object, **named: object) -> object:
            if self.inside or self.left < 0:
                return method(*args, **named)
            self.inside = True
            _testcapi.set_nomemory(self.left, self.left + 1)
            try:
                return method(*args, **named)
            except NO_MEMORY:
                self.left = -1
                raise
            finally:
                _testcapi.remove_mem_hooks()
                self.inside = False

        return sprung


def descriptors() -> int:
    """Return how many descriptors are open."""
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))


async def fails(loop: str, work: Awaitable[None], number: int) -> bool:
    """Let one allocation fail; return whether it did."""
    try:
        if loop == "trio":
            with Sprung(number):
                await work
        else:
            await Armed(number, work)
    except NO_MEMORY:
        return True
    except mint.MintError:
        return True  # the connection was closed, and says so
    except RuntimeError as error:
        if str(error) != "can't allocate lock":
            raise
        return True
    return False


async def main(loop: str, protocol: ProtocolName, server: int, step: int) -> None:
    count: dict[str, int] = {}
    for name, method in USES.items():
        held = -1
        number, quiet = 1, 0
        while quiet < QUIET:
            use = Use(loop, protocol, server)
            if name in WARM:
                await use.get()
            failed = await fails(loop, method(use), number)
            try:
                await use.check()
            except (AssertionError, mint.MintError) as error:
                raise AssertionError(f"{name}, allocation {number}: {error!r}") from error
            del use
            for _ in range(3):
                # The event loop closes sockets.
                if loop == "trio":
                    await trio.lowlevel.checkpoint()
                else:
                    await asyncio.sleep(0)
            if held < 0:
                held = descriptors()
            elif descriptors() > held:
                raise AssertionError(f"{name}, allocation {number}: a descriptor is left open")
            count[name] = count.get(name, 0) + failed
            quiet = 0 if failed else quiet + 1
            number += step
    sys.stdout.write(f"{count}\n")


if __name__ == "__main__":
    spoken: ProtocolName = "http1" if sys.argv[2] == "http1" else "http2"
    if sys.argv[1] == "trio":
        trio.run(main, "trio", spoken, int(sys.argv[3]), int(sys.argv[4]))
    else:
        asyncio.run(main("asyncio", spoken, int(sys.argv[3]), int(sys.argv[4])))
