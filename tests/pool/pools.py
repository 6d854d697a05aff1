"""Run one test of a pool with threads, asyncio, uvloop and trio.

A test passes a coroutine function to `play`. With a blocking pool, nothing that this function awaits ever
suspends, and concurrent work runs in separate threads.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar  # arguments of others are passed through

import trio
import uvloop

import mint.pool
import mint.pool.asyncio
import mint.pool.trio

from ..event_loops import Loop, run_trio
from ..exchange.loops import LOOPS, TLS, LoopName
from ..together import finish, reached, together

if TYPE_CHECKING:
    import threading
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine

_T = TypeVar("_T")

__all__ = ["LOOPS", "Client", "LoopName", "play"]


class Streamed:
    """A streamed answer of a blocking pool, with methods that can be awaited."""

    def __init__(self, streamed: mint.pool.StreamedAnswer) -> None:
        self._streamed = streamed

    def __getattr__(self, name: str) -> Any:  # attributes and methods that need not be awaited
        return getattr(self._streamed, name)

    async def receive(self) -> bytes | None:
        return self._streamed.receive()

    async def receive_head(self) -> Streamed:
        self._streamed.receive_head()
        return self

    async def read(self, **named: Any) -> bytes:
        return self._streamed.read(**named)

    async def send(self, data: bytes) -> bool:
        return self._streamed.send(data)

    async def send_end(self, trailers: Any = ()) -> None:
        self._streamed.send_end(trailers)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for each in self._streamed:
            yield each

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._streamed.close()


class Blocking:
    """A blocking pool with methods that can be awaited."""

    def __init__(self, **options: Any) -> None:
        self.pool = mint.pool.Pool(**options)
        self._state = self.pool._state

    async def request(self, *given: Any, **named: Any) -> mint.exchange.Answer:
        return self.pool.request(*given, **named)

    async def stream(self, *given: Any, **named: Any) -> Streamed:
        return Streamed(self.pool.stream(*given, **named))

    @property
    def statistics(self) -> mint.pool.Statistics:
        return self.pool.statistics

    def close(self) -> None:
        self.pool.close()


class Client:
    """A pool for one event loop, with the means to run coroutines concurrently."""

    def __init__(self, name: LoopName, options: dict[str, Any]) -> None:
        self.name = name
        given = {"tls": TLS, "timeout": 20.0, **options}
        self.pool: Any
        if name == "blocking":
            self.pool = Blocking(**given)
        elif name == "trio":
            self.pool = mint.pool.trio.Pool(**given)
        else:
            self.pool = mint.pool.asyncio.Pool(**given)

    async def together(self, *work: Callable[[], Coroutine[Any, Any, _T]]) -> list[_T | BaseException]:
        """Run everything at the same time; return results and errors in order."""

        async def one(each: Callable[[], Awaitable[_T]]) -> _T | BaseException:
            try:
                return await each()
            except Exception as error:  # noqa: BLE001  # it is returned
                return error

        return await together(self.name, *(partial(one, each) for each in work))

    async def event(self, event: threading.Event) -> None:
        """Wait for an event that a server of the test sets."""
        await reached(self.name, event)


def play(name: LoopName, scenario: Callable[[Client], Coroutine[Any, Any, _T]], **options: Any) -> _T:
    """Run a scenario in an event loop."""

    async def whole() -> _T:
        client = Client(name, options)
        try:
            return await scenario(client)
        finally:
            client.pool.close()
            if name == "trio":
                await trio.lowlevel.checkpoint()
            elif name != "blocking":
                for _ in range(3):
                    await asyncio.sleep(0)

    if name == "blocking":
        return finish(whole())
    if name == "trio":
        return run_trio(partial(whole))
    return Loop(uvloop.new_event_loop if name == "uvloop" else asyncio.new_event_loop)(whole())
