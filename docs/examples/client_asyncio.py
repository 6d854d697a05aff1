"""An asyncio client of a JSON service: one pool, any number of tasks."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Self

import mint
import mint.pool
import mint.pool.asyncio

if TYPE_CHECKING:
    from collections.abc import Iterable


class Service:
    """A client to use with `async with`. Cancelling one call does not affect the others."""

    def __init__(self, base: str, *, tls: mint.TLSOptions | None = None) -> None:
        self._base = base
        options = mint.pool.PoolOptions(retry_idempotent=True)
        self._pool = mint.pool.asyncio.Pool(options=options, timeout=10.0, tls=tls or mint.TLSOptions())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._pool.close()

    async def get(self, path: str) -> object:
        return await self._call("GET", path)

    async def post(self, path: str, value: object) -> object:
        return await self._call("POST", path, json.dumps(value).encode())

    async def get_all(self, paths: Iterable[str]) -> list[object]:
        return await asyncio.gather(*(self.get(path) for path in paths))

    async def _call(self, method: str, path: str, body: bytes | None = None) -> object:
        headers = [("accept", "application/json")]
        if body is not None:
            headers.append(("content-type", "application/json"))
        answer = await self._pool.request(method, self._base + path, headers, body, max_size=1_000_000)
        if not 200 <= answer.status < 300:
            raise ConnectionError(f"{method} {path}: the server answered {answer.status}")
        value: object = json.loads(answer.content)
        return value
