"""What type checkers must know about the transports for httpx2. Checked, never executed."""

from typing import assert_type

import httpx2

import mint.httpx2
from mint import pool as pools
from mint.pool._asynchronous import AsyncPool


async def httpx2_asyncminttransport_aclose(it: mint.httpx2.AsyncMintTransport) -> None:
    await it.aclose()


async def httpx2_asyncminttransport_handle_async_request(
    it: mint.httpx2.AsyncMintTransport, request: httpx2.Request
) -> None:
    assert_type(await it.handle_async_request(request), httpx2.Response)


def httpx2_asyncminttransport_pool(it: mint.httpx2.AsyncMintTransport) -> None:
    assert_type(it.pool, AsyncPool)


def httpx2_minttransport_close(it: mint.httpx2.MintTransport) -> None:
    it.close()


def httpx2_minttransport_handle_request(it: mint.httpx2.MintTransport, request: httpx2.Request) -> None:
    assert_type(it.handle_request(request), httpx2.Response)


def httpx2_minttransport_pool(it: mint.httpx2.MintTransport) -> None:
    assert_type(it.pool, pools.Pool)
