"""mint under asyncio: connections through `mint.asyncio`, messages through its mailbox."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import mint
import mint.asyncio

from ._net import asks
from .net_aiohttp import uvloop_loop

if TYPE_CHECKING:
    from ..net import Errand
    from ._net import Got, Run


def _client(errand: Errand, loop: asyncio.AbstractEventLoop) -> Run:
    async def begin() -> tuple[mint.asyncio.Mailbox, mint.Connection]:
        mailbox = mint.asyncio.Mailbox()
        made = await mint.asyncio.connect(
            "http", "localhost", errand.port, protocols=("http1",), mailbox=mailbox
        )
        return mailbox, made

    mailbox, connection = loop.run_until_complete(begin())
    waiting = asks(errand)

    async def gets(number: int) -> Got:
        nonlocal connection
        out: Got = []
        for _ in range(number):
            target, fields = next(waiting)
            connection, _ref = connection.request("GET", target, fields)
            status, body, done = 0, [], False
            while not done:
                streamed = connection.stream(await mailbox.receive())
                assert streamed is not mint.UNKNOWN
                connection, responses = streamed
                for one in responses:
                    match one:
                        case mint.Status(status=status):
                            pass
                        case mint.Data(data=data):
                            body.append(data)
                        case mint.Done():
                            done = True
            out.append((status, b"".join(body)))
        return out

    return lambda number: loop.run_until_complete(gets(number))


def client(errand: Errand) -> Run:
    return _client(errand, asyncio.new_event_loop())


def client_uvloop(errand: Errand) -> Run:
    return _client(errand, uvloop_loop())
