"""One connection for many tasks of asyncio: each awaits its answer, and every wait ends.

It ends with an answer, or with an error whose `processed` says whether the server may have acted on the
request, or the task is cancelled. Cancelling a task resets its own stream and does not affect the others.
After the server was restarted, the pool connects again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import mint
import mint.exchange
import mint.pool
import mint.pool.asyncio

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Iterable

    from mint.exchange import Answer


class Process:
    """A shared connection for an `async with` block. At its end, open requests fail with `PoolClosed`."""

    def __init__(
        self,
        scheme: mint.types.Scheme,
        address: str,
        port: int,
        tls: mint.TLSOptions | None = None,
        *,
        timeout: float = 30.0,
    ) -> None:
        self._origin = scheme, address, port
        options = mint.pool.PoolOptions(max_per_origin=1)
        self._pool = mint.pool.asyncio.Pool(options=options, timeout=timeout, tls=tls or mint.TLSOptions())

    async def request(
        self,
        method: str,
        target: str,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes | AsyncIterable[bytes] | None = None,
    ) -> Answer:
        """Make a request and return its answer. Raises `PoolClosed` after the block."""
        return await self._pool.request(method, mint.exchange.URL(*self._origin, target), headers, body)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._pool.close()
