"""Programs that use a connection pool: workers that send requests, with threads, asyncio and trio.

The invariants beside those of every run: no request reaches a server twice unless the pool may repeat
it; no limit is exceeded; every worker ends; a time limit holds; and after the last request no connection is
lost: each is idle or draining.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias  # the event loops have no common types

import trio

import mint
import mint.pool
import mint.pool.asyncio
import mint.pool.trio
from mint.exchange import URL
from mint.pool import PoolOptions

from .record import DONE, FAILED
from .routes import HOST, arguments
from .scripts import content

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from mint.pool import Statistics
    from mint.types import Stream

    from .callers import Caller
    from .record import Exchange

# The pools have the same interface, but no common base class.
AnyPool: TypeAlias = Any
AnyAnswer: TypeAlias = Any

Body: TypeAlias = "bytes | Iterator[bytes] | Literal[Stream.STREAM] | None"

BODIES = (0, 30, 3_000, 40_000, 150_000)
EXCUSES = (mint.errors.PoolClosed, mint.errors.TransportTimeout)


class View(Protocol):
    """The interface of a pool for workers; the one for threads never suspends."""

    pool: AnyPool

    async def open(
        self,
        method: str,
        url: URL,
        body: Body,
        timeout: float | None,  # noqa: ASYNC109  # as pools have it
    ) -> AnyAnswer:
        """Send a request and wait for the head of its answer."""
        ...

    async def receive(self, answer: AnyAnswer) -> bytes | None:
        """Return the next piece."""
        ...

    async def receive_head(self, answer: AnyAnswer) -> None:
        """Wait for the head."""
        ...

    async def send(self, answer: AnyAnswer, data: bytes) -> bool:
        """Send a piece of a body; return whether the server wants more."""
        ...

    async def send_end(self, answer: AnyAnswer) -> None:
        """End a body."""
        ...

    async def limited(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        """Cancel something after some seconds, if that is possible."""
        ...

    async def together(self, works: list[Callable[[], Awaitable[None]]]) -> None:
        """Run several functions concurrently."""
        ...


def options(caller: Caller) -> PoolOptions:
    """Return limits and times, the simplest first."""
    below = caller.kernel.choices.below
    return PoolOptions(
        max_connections=(10, 1, 2, 3)[below(4)],
        max_per_origin=(10, 1, 2)[below(3)],
        max_streams=(100, 1, 2)[below(3)],
        idle_timeout=(60.0, 0.1, 0.0, None)[below(4)],
        max_age=(None, 0.3, 0.0)[below(3)],
        ping_interval=(None, 0.1, 2.0)[below(3)],
        ping_timeout=60.0,
        max_retries=(0, 1, 3)[below(3)],
        retry_idempotent=bool(below(2)),
        buffer_size=(262_144, 0, 3_000)[below(3)],
    )


def make(caller: Caller, chosen: PoolOptions) -> View:
    """Make a pool of the caller's event loop, by the route."""
    kind, view = VIEWS[caller.loop]
    route = arguments(caller.route, caller.kernel)
    return view(
        kind(
            options=chosen,
            timeout=None,
            protocols=route.protocols,
            proxy=route.proxy,
            tls=route.tls,
            tcp=caller.tcp,
        ),
        caller,
    )


class Work:
    """What the workers of one run share."""

    def __init__(self, caller: Caller, view: View, chosen: PoolOptions) -> None:
        self.caller = caller
        self.kernel = caller.kernel
        self.record = caller.record
        self.view = view
        self.options = chosen
        scheme, _, port = arguments(caller.route, self.kernel).where
        self.scheme = scheme
        self.ports = (
            [port] if "tunnel" in caller.route or "in TLS" in caller.route else [port, self.kernel.proxy]
        )

    async def worker(self) -> None:
        """Send some requests, one after the other."""
        choices = self.kernel.choices
        for _ in range(1 + choices.below(3)):
            exchange = self.record.exchange(
                content(60, BODIES[choices.below(5)]) if choices.below(2) else b""
            )
            timeout = (None, 0.2, 4.0)[choices.below(3)] if choices.rarely(4) else None
            started = self.kernel.now
            try:
                if choices.rarely(6):
                    # Whether it was cancelled is known only when it has ended.
                    await self.view.limited(
                        (0.01, 0.0, 1.0)[choices.below(3)], partial(self.one, exchange, timeout)
                    )
                    exchange.abandoned = exchange.abandoned or exchange.end is None
                else:
                    await self.one(exchange, timeout)
            except Exception as error:  # noqa: BLE001  # any exception is a finding
                self.kernel.blame(f"{type(error).__name__} left the pool: {error}")
                exchange.abandoned = True
            if timeout is not None and self.kernel.exact and self.kernel.now - started > timeout + 0.0021:
                self.kernel.blame("a deadline of the pool was passed")
            self.check()
            if choices.rarely(4):
                await self.caller.sleep((0.5, 0.0, 3.0)[choices.below(3)])

    async def one(self, exchange: Exchange, timeout: float | None) -> None:  # noqa: ASYNC109  # the pool's
        """Send one request and read its response, or the start of it."""
        choices = self.kernel.choices
        method = "POST" if exchange.body else "GET"
        if method == "GET" and self.options.retry_idempotent:
            self.record.repeatable.add(exchange.number)
        port = self.ports[choices.below(len(self.ports))]
        url = URL(self.scheme, HOST, port, f"/{exchange.number}")
        exchange.sent = len(exchange.body)
        body: Body = exchange.body or None
        kind = choices.below(3) if exchange.body else 0
        if kind == 2:
            body = mint.STREAM
        elif kind:
            most = 1 + len(exchange.body) // 3
            body = iter([exchange.body[at : at + most] for at in range(0, len(exchange.body), most)])
        try:
            answer = await self.view.open(method, url, body, timeout)
            try:
                if kind == 2:
                    await self.both(exchange, answer, hurries=timeout is not None)
                else:
                    await self.read(exchange, answer, hurries=timeout is not None)
            finally:
                answer.close()
        except mint.MintError as error:
            self.kernel.note(f"raised {error!r}")
            exchange.end, exchange.error = FAILED, error
            exchange.abandoned = exchange.abandoned or isinstance(error, EXCUSES) or self.record.severed

    async def both(self, exchange: Exchange, answer: AnyAnswer, *, hurries: bool) -> None:
        """Send the body and read the response at the same time."""
        errors: list[mint.MintError] = []

        async def send() -> None:
            try:
                most = 1 + len(exchange.body) // 3
                for at in range(0, len(exchange.body), most):
                    if not await self.view.send(answer, exchange.body[at : at + most]):
                        return
                await self.view.send_end(answer)
            except mint.MintError as error:
                self.kernel.note(f"sending raised {error!r}")

        async def read() -> None:
            try:
                await self.view.receive_head(answer)
                await self.read(exchange, answer, hurries=hurries)
            except mint.MintError as error:
                errors.append(error)
            finally:
                # A reader that stops early ends the request for the sender, too.
                answer.close()

        await self.view.together([send, read])
        if errors:
            raise errors[0]

    async def read(self, exchange: Exchange, answer: AnyAnswer, *, hurries: bool) -> None:
        """Read a response to its end, or cancel it."""
        choices = self.kernel.choices
        exchange.status = answer.status
        if ("x-number", str(exchange.number)) not in answer.headers:
            self.kernel.blame("the answer to another request")
        left = choices.below(4) if choices.rarely(5) else -1
        while left:
            piece = await self.view.receive(answer)
            if piece is None:
                exchange.end = DONE
                return
            exchange.content += piece
            left -= 1
            if not hurries and choices.rarely(8):
                await self.caller.sleep(0.3)
        exchange.abandoned = True

    def check(self) -> None:
        """Check that no limit is exceeded."""
        now = self.view.pool.statistics
        if now.connections > self.options.max_connections:
            self.kernel.blame("more connections than the pool may have")
        if now.connections - now.draining > self.options.max_per_origin * len(self.ports):
            self.kernel.blame("more connections to the origins than there may be")
        if now.active > (now.connections - now.opening) * self.options.max_streams:
            self.kernel.blame("more requests on the connections than there may be")

    def check_over(self, now: Statistics) -> None:
        """Check that no request is in progress and no connection is lost."""
        if now.active or now.waiting or now.opening:
            self.kernel.blame(
                f"{now.active} active, {now.waiting} waiting, {now.opening} opening after the last"
            )
        if now.connections != now.idle + now.draining:
            self.kernel.blame("a connection of the pool is lost")


async def pool(caller: Caller) -> None:
    """Use a pool from several workers; close it at the end, or in the middle."""
    chosen = options(caller)
    view = make(caller, chosen)
    work = Work(caller, view, chosen)
    works: list[Callable[[], Awaitable[None]]] = [work.worker] * (1 + caller.kernel.choices.below(5))
    closes = caller.kernel.choices.rarely(10)

    async def close() -> None:
        await caller.sleep(caller.kernel.choices.of((0.1, 0.0, 2.0)))
        caller.kernel.note("close the pool")
        view.pool.close()

    try:
        await view.together([*works, close] if closes else works)
        if not closes:
            work.check_over(view.pool.statistics)
    finally:
        view.pool.close()


# -- event loops


class Threads:
    """A blocking pool, used by threads."""

    def __init__(self, made: mint.pool.Pool, caller: Caller) -> None:
        self.pool = made
        self._kernel = caller.kernel

    async def open(
        self,
        method: str,
        url: URL,
        body: Body,
        timeout: float | None,  # noqa: ASYNC109  # as pools have it
    ) -> mint.pool.StreamedAnswer:
        return self.pool.stream(method, url, (), body, timeout=timeout)

    async def receive(self, answer: mint.pool.StreamedAnswer) -> bytes | None:
        return answer.receive()

    async def receive_head(self, answer: mint.pool.StreamedAnswer) -> None:
        answer.receive_head()

    async def send(self, answer: mint.pool.StreamedAnswer, data: bytes) -> bool:
        return answer.send(data)

    async def send_end(self, answer: mint.pool.StreamedAnswer) -> None:
        answer.send_end()

    async def limited(self, _: float, work: Callable[[], Awaitable[None]]) -> None:
        await work()

    async def together(self, works: list[Callable[[], Awaitable[None]]]) -> None:
        def drive(each: Callable[[], Awaitable[None]]) -> None:
            with suppress(StopIteration):
                each().__await__().__next__()

        tasks = [self._kernel.spawn(f"w{at}", partial(drive, each)) for at, each in enumerate(works)]
        self._kernel.join(tasks)


class _Tasks:
    """A pool to await."""

    def __init__(self, made: mint.pool.asyncio.Pool | mint.pool.trio.Pool, _: Caller) -> None:
        self.pool = made

    async def open(
        self,
        method: str,
        url: URL,
        body: Body,
        timeout: float | None,  # noqa: ASYNC109  # as pools have it
    ) -> mint.pool.asyncio.StreamedAnswer:
        return await self.pool.stream(method, url, (), body, timeout=timeout)

    async def receive(self, answer: mint.pool.asyncio.StreamedAnswer) -> bytes | None:
        return await answer.receive()

    async def receive_head(self, answer: mint.pool.asyncio.StreamedAnswer) -> None:
        await answer.receive_head()

    async def send(self, answer: mint.pool.asyncio.StreamedAnswer, data: bytes) -> bool:
        return await answer.send(data)

    async def send_end(self, answer: mint.pool.asyncio.StreamedAnswer) -> None:
        await answer.send_end()


class AsyncioTasks(_Tasks):
    """The pool of asyncio."""

    async def limited(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await work()

    async def together(self, works: list[Callable[[], Awaitable[None]]]) -> None:
        await asyncio.gather(*(each() for each in works))


class TrioTasks(_Tasks):
    """The pool of trio."""

    async def limited(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        with trio.move_on_after(seconds):
            await work()

    async def together(self, works: list[Callable[[], Awaitable[None]]]) -> None:
        async with trio.open_nursery() as nursery:
            for each in works:
                nursery.start_soon(each)


VIEWS: Mapping[str, tuple[Callable[..., AnyPool], Callable[..., View]]] = {
    "blocking": (mint.pool.Pool, Threads),
    "asyncio": (mint.pool.asyncio.Pool, AsyncioTasks),
    "trio": (mint.pool.trio.Pool, TrioTasks),
}
