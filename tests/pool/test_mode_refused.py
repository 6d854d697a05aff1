"""A connection that cannot be read by the pool's mailbox is closed, and so is the mailbox."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

import pytest
import trio

import mint
import mint.asyncio
import mint.pool
import mint.pool.asyncio
import mint.pool.trio
import mint.trio
from mint._wire.link import Link
from mint.pool import _driver
from mint.testing import Origin, showcase

if TYPE_CHECKING:
    from collections.abc import Callable

    from mint.exchange import Origin as Server
    from mint.types import Transport

_M = TypeVar("_M", mint.Mailbox, mint.asyncio.Mailbox, mint.trio.Mailbox)


def kept(monkeypatch: pytest.MonkeyPatch, base: type[_M], made: list[_M]) -> Callable[[], _M]:
    """Return a function that makes mailboxes without memory for connections, and keeps them."""

    def admit(transport: Transport) -> None:  # it refuses everything
        raise MemoryError

    def make() -> _M:
        mailbox = base()
        monkeypatch.setattr(mailbox, "admit", admit)
        made.append(mailbox)
        return mailbox

    return make


def check(made: list[_M], conns: list[mint.HTTP2], now: mint.pool.Statistics) -> None:
    (mailbox,) = made
    with pytest.raises(mint.errors.MailboxClosed):
        mailbox.post("x")
    (conn,) = conns
    assert isinstance(conn.transport, Link)
    assert conn.transport.closed
    assert (now.connections, now.opening, now.waiting) == (0, 0, 0)


def test_blocking(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[mint.Mailbox] = []
    conns: list[mint.HTTP2] = []

    def connect(server: Server, _: float | None) -> mint.HTTP2:
        conns.append(mint.http2.connect(server.scheme, server.host, server.port))
        return conns[-1]

    monkeypatch.setattr(_driver, "Mailbox", kept(monkeypatch, mint.Mailbox, made))
    with Origin(showcase) as origin, mint.pool.Pool(connect=connect) as pool:
        with pytest.raises(MemoryError):
            pool.request("GET", f"http://127.0.0.1:{origin.port}/bytes/5")
        check(made, conns, pool.statistics)


def test_asyncio(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[mint.asyncio.Mailbox] = []
    conns: list[mint.HTTP2] = []

    async def connect(server: Server, _: float | None) -> mint.HTTP2:
        conns.append(
            await mint.asyncio.connect(server.scheme, server.host, server.port, protocols=("http2",))
        )
        return conns[-1]

    async def main(port: int) -> None:
        async with mint.pool.asyncio.Pool(connect=connect) as pool:
            with pytest.raises(MemoryError):
                await pool.request("GET", f"http://127.0.0.1:{port}/bytes/5")
            check(made, conns, pool.statistics)

    monkeypatch.setattr(mint.asyncio, "Mailbox", kept(monkeypatch, mint.asyncio.Mailbox, made))
    with Origin(showcase) as origin:
        asyncio.run(main(origin.port))


def test_trio(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[mint.trio.Mailbox] = []
    conns: list[mint.HTTP2] = []

    async def connect(server: Server, _: float | None) -> mint.HTTP2:
        conns.append(await mint.trio.connect(server.scheme, server.host, server.port, protocols=("http2",)))
        return conns[-1]

    async def main(port: int) -> None:
        async with mint.pool.trio.Pool(connect=connect) as pool:
            with pytest.raises(MemoryError):
                await pool.request("GET", f"http://127.0.0.1:{port}/bytes/5")
            check(made, conns, pool.statistics)

    monkeypatch.setattr(mint.trio, "Mailbox", kept(monkeypatch, mint.trio.Mailbox, made))
    with Origin(showcase) as origin:
        trio.run(main, origin.port)
