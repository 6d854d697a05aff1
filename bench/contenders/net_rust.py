"""Clients in Rust: primp and pyreqwest."""

from __future__ import annotations

import asyncio
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from ..servers import content
from ._net import asks

if TYPE_CHECKING:
    from ..net import Errand
    from ._net import Got, Run


def primp(errand: Errand) -> Run:
    import primp as package  # noqa: PLC0415  # one of the two may be missing

    session = package.Client(ca_cert_file=errand.authority, http2_only=errand.http2, timeout=60)
    root = errand.url.removesuffix(errand.path)
    waiting = asks(errand)

    def get() -> tuple[int, bytes]:
        target, fields = next(waiting)
        response = session.get(root + target, headers=dict(fields))
        return response.status_code, response.content

    def down() -> tuple[int, bytes]:
        response = session.get(errand.url)
        return response.status_code, b"%d" % len(response.content)

    body = content() if errand.verb == "up" else b""

    def up() -> tuple[int, bytes]:
        response = session.post(errand.url, content=body)
        return response.status_code, response.content

    one = {"get": get, "down": down, "up": up}[errand.verb]
    return lambda number: [one() for _ in range(number)]


def pyreqwest(errand: Errand) -> Run:
    from pyreqwest.client import SyncClientBuilder  # noqa: PLC0415  # installed only where it is measured

    pem = Path(errand.authority).read_bytes()
    made = SyncClientBuilder().add_root_certificate_pem(pem)
    session = (made.http2_prior_knowledge() if errand.http2 else made.http1_only()).build()
    root = errand.url.removesuffix(errand.path)
    waiting = asks(errand)

    def get() -> tuple[int, bytes]:
        target, fields = next(waiting)
        response = session.get(root + target).headers(fields).build().send()
        return response.status, bytes(response.bytes())

    def down() -> tuple[int, bytes]:
        with session.get(errand.url).build_streamed() as response:
            total = 0
            while (piece := response.body_reader.read_chunk()) is not None:
                total += len(piece)
            return response.status, b"%d" % total

    body = content() if errand.verb == "up" else b""

    def up() -> tuple[int, bytes]:
        response = session.post(errand.url).body_bytes(body).build().send()
        return response.status, bytes(response.bytes())

    one = {"get": get, "down": down, "up": up}[errand.verb]
    return lambda number: [one() for _ in range(number)]


def pyreqwest_together(errand: Errand) -> Run:
    from pyreqwest.client import ClientBuilder  # noqa: PLC0415  # installed only where it is measured

    loop = asyncio.new_event_loop()
    pem = Path(errand.authority).read_bytes()
    made = ClientBuilder().add_root_certificate_pem(pem).http2_prior_knowledge()
    session = made.build()
    root = errand.url.removesuffix(errand.path)
    waiting = asks(errand)

    async def get(target: str, fields: list[tuple[str, str]]) -> tuple[int, bytes]:
        response = await session.get(root + target).headers(fields).build().send()
        return response.status, bytes(await response.bytes())

    async def batch(number: int) -> Got:
        return list(await asyncio.gather(*(get(*one) for one in islice(waiting, number))))

    def run(number: int) -> Got:
        out: Got = []
        while len(out) < number:
            out += loop.run_until_complete(batch(min(errand.together, number - len(out))))
        return out

    return run
