"""Clients of httpx and httpx2, blocking, under asyncio and trio, in one shape: a scenario runs with each.

The transport may be mint's or the package's own, so that a test can hold one against the other.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar  # httpx and httpx2 have no common types

import trio

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Coroutine

    from .conftest import Flavour

_T = TypeVar("_T")

Kind: TypeAlias = Literal["blocking", "asyncio", "trio"]
Whose: TypeAlias = Literal["mint", "own"]
KINDS: tuple[Kind, ...] = ("blocking", "asyncio", "trio")
# The packages have the same interface and no common types.
Response: TypeAlias = Any


class User:
    """A client, and how several things are done with it at the same time."""

    def __init__(self, client: Any, package: Any, kind: Kind) -> None:
        self.client = client
        self.package = package
        self.kind = kind

    async def get(self, url: str, **options: Any) -> Response:
        """Return a whole response."""
        found = self.client.get(url, **options)
        return found if self.kind == "blocking" else await found

    async def open(self, url: str, **options: Any) -> Response:
        """Return a response whose content is not read yet."""
        found = self.client.send(self.client.build_request("GET", url, **options), stream=True)
        return found if self.kind == "blocking" else await found

    async def read(self, response: Response) -> bytes:
        """Return the rest of the content."""
        content: bytes = response.read() if self.kind == "blocking" else await response.aread()
        return content

    async def close(self, response: Response) -> None:
        """Give the rest of a response up."""
        if self.kind == "blocking":
            response.close()
        else:
            await response.aclose()

    async def together(self, *work: Callable[[], Coroutine[Any, Any, _T]]) -> list[_T]:
        """Do everything at the same time; return the results in order."""
        if self.kind == "blocking":
            with ThreadPoolExecutor(len(work)) as executor:
                return list(executor.map(lambda each: finish(each()), work))
        if self.kind == "asyncio":
            return list(await asyncio.gather(*(each() for each in work)))
        found: dict[int, _T] = {}

        async def keep(number: int) -> None:
            found[number] = await work[number]()

        async with trio.open_nursery() as nursery:
            for number in range(len(work)):
                nursery.start_soon(keep, number)
        return [found[number] for number in range(len(work))]

    async def event(self, event: threading.Event) -> None:
        """Wait for something that a server of the test sets."""
        if self.kind == "blocking":
            assert event.wait(10)
        elif self.kind == "asyncio":
            assert await asyncio.get_running_loop().run_in_executor(None, event.wait, 10)
        else:
            assert await trio.to_thread.run_sync(event.wait, 10)


def finish(work: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine that never suspends."""
    try:
        work.send(None)
    except StopIteration as over:
        result: _T = over.value
        return result
    raise AssertionError("something would have waited")


def play(
    flavour: Flavour,
    kind: Kind,
    scenario: Callable[[User], Coroutine[Any, Any, _T]],
    options: dict[str, Any],
    *,
    whose: Whose = "mint",
    timeout: float = 10.0,
) -> _T:
    """Run a scenario with a client over a transport that is made with these options."""
    package, module = flavour
    names = (
        ("MintTransport", "AsyncMintTransport")
        if whose == "mint"
        else ("HTTPTransport", "AsyncHTTPTransport")
    )
    make = getattr(module if whose == "mint" else package, names[kind != "blocking"])

    async def whole() -> _T:
        transport = make(**options)
        if kind == "blocking":
            with package.Client(transport=transport, timeout=timeout) as client:
                return await scenario(User(client, package, kind))
        async with package.AsyncClient(transport=transport, timeout=timeout) as client:
            return await scenario(User(client, package, kind))

    if kind == "blocking":
        return finish(whole())
    if kind == "asyncio":
        return asyncio.run(whole())
    return trio.run(partial(whole))
