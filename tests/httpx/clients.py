"""Run one test with the clients of httpx and httpx2: blocking, under asyncio and under trio.

The transport is either mint's or the package's own, so that tests can compare them.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar  # httpx and httpx2 have no common types

from ..event_loops import Loop, run_trio
from ..together import finish, reached, together

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
    """A client whose methods can be awaited also if it is blocking."""

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
        """Close a response without reading the rest."""
        if self.kind == "blocking":
            response.close()
        else:
            await response.aclose()

    async def together(self, *work: Callable[[], Coroutine[Any, Any, _T]]) -> list[_T]:
        """Run everything at the same time; return the results in order."""
        return await together(self.kind, *work)

    async def event(self, event: threading.Event) -> None:
        """Wait for an event that a server of the test sets."""
        await reached(self.kind, event)


def play(
    flavour: Flavour,
    kind: Kind,
    scenario: Callable[[User], Coroutine[Any, Any, _T]],
    options: dict[str, Any],
    *,
    whose: Whose = "mint",
    timeout: float = 10.0,
) -> _T:
    """Run a test with a client whose transport has these options."""
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
        return Loop(asyncio.SelectorEventLoop)(whole())
    return run_trio(whole)
