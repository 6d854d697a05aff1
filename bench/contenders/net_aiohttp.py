"""aiohttp, under asyncio's loop and under uvloop; and, as a floor, a C parser in a bare protocol."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import aiohttp
import httptools

from ._net import asks
from .net_stdlib import head

if TYPE_CHECKING:
    from ..net import Errand
    from ._net import Got, Run


def uvloop_loop() -> asyncio.AbstractEventLoop:
    import uvloop  # noqa: PLC0415  # not everywhere

    return uvloop.new_event_loop()


def _client(errand: Errand, loop: asyncio.AbstractEventLoop) -> Run:
    async def session() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(f"http://localhost:{errand.port}")

    one = loop.run_until_complete(session())
    waiting = asks(errand)

    async def gets(number: int) -> Got:
        out: Got = []
        for _ in range(number):
            target, fields = next(waiting)
            async with one.get(target, headers=fields) as response:
                out.append((response.status, await response.read()))
        return out

    return lambda number: loop.run_until_complete(gets(number))


def client(errand: Errand) -> Run:
    return _client(errand, asyncio.new_event_loop())


def client_uvloop(errand: Errand) -> Run:
    return _client(errand, uvloop_loop())


class _Parsing(asyncio.Protocol):
    """Only httptools: the least that a client under asyncio needs."""

    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.done: asyncio.Future[tuple[int, bytes]] | None = None
        self.fields: list[tuple[bytes, bytes]] = []
        self.body: list[bytes] = []
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's transport does not inherit from it

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_begin(self) -> None:
        self.fields, self.body = [], []

    def onheader(self, name: bytes, value: bytes) -> None:
        self.fields.append((name, value))

    def on_body(self, octets: bytes) -> None:
        self.body.append(octets)

    def on_message_complete(self) -> None:
        assert self.done is not None
        self.done.set_result((self.parser.get_status_code(), b"".join(self.body)))


def _floor(errand: Errand, loop: asyncio.AbstractEventLoop) -> Run:
    async def connected() -> _Parsing:
        _, protocol = await loop.create_connection(_Parsing, "127.0.0.1", errand.port)
        return protocol

    wire = loop.run_until_complete(connected())
    waiting = asks(errand)
    heads = [head(*next(waiting)) for _ in range(1_000)]

    async def gets(number: int) -> Got:
        out: Got = []
        assert wire.transport is not None
        for at in range(number):
            wire.done = loop.create_future()
            wire.transport.write(heads[at % 1_000])
            out.append(await wire.done)
        return out

    return lambda number: loop.run_until_complete(gets(number))


def floor(errand: Errand) -> Run:
    return _floor(errand, asyncio.new_event_loop())


def floor_uvloop(errand: Errand) -> Run:
    return _floor(errand, uvloop_loop())
