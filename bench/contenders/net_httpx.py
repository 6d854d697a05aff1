"""httpx: one client; under asyncio if several requests are sent at once."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import TYPE_CHECKING

import httpx

from ..servers import content
from ._net import asks, pieces, trust

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..net import Errand
    from ._net import Got, Run


def client(errand: Errand) -> Run:
    session = httpx.Client(verify=trust(errand), http2=errand.http2, http1=not errand.http2)
    root = errand.url.removesuffix(errand.path)
    waiting = asks(errand)

    def get() -> tuple[int, bytes]:
        target, fields = next(waiting)
        response = session.get(root + target, headers=fields)
        return response.status_code, response.content

    def down() -> tuple[int, bytes]:
        with session.stream("GET", errand.url, timeout=60) as response:
            total = sum(map(len, response.iter_raw()))
            return response.status_code, b"%d" % total

    body = pieces(content()) if errand.verb == "up" else []

    def source() -> Iterator[bytes]:
        for piece in body:
            yield bytes(piece)

    def up() -> tuple[int, bytes]:
        length = str(sum(map(len, body)))
        response = session.post(errand.url, content=source(), headers={"content-length": length}, timeout=60)
        return response.status_code, response.content

    one = {"get": get, "down": down, "up": up}[errand.verb]
    return lambda number: [one() for _ in range(number)]


def together(errand: Errand) -> Run:
    loop = asyncio.new_event_loop()
    limits = httpx.Limits(max_connections=1, max_keepalive_connections=1)
    session = httpx.AsyncClient(verify=trust(errand), http2=True, http1=False, limits=limits)
    root = errand.url.removesuffix(errand.path)
    waiting = asks(errand)

    async def get(target: str, fields: list[tuple[str, str]]) -> tuple[int, bytes]:
        response = await session.get(root + target, headers=fields, timeout=60)
        return response.status_code, response.content

    async def batch(number: int) -> Got:
        return list(await asyncio.gather(*(get(*one) for one in islice(waiting, number))))

    def run(number: int) -> Got:
        out: Got = []
        while len(out) < number:
            out += loop.run_until_complete(batch(min(errand.together, number - len(out))))
        return out

    return run
