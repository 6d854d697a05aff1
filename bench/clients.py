"""Rows of whole clients: the cost of a request in clients that use mint, and in others."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from . import net
from .measure import Contender, Goal, Row

if TYPE_CHECKING:
    from collections.abc import Callable

    from .measure import Kind

HTTPX, HTTPX2 = "httpx, own core", "httpx2, own core"
MINT_HTTPX, MINT_HTTPX2 = "httpx over mint", "httpx2 over mint"
POOL, NIQUESTS, AIOHTTP = "mint.pool", "niquests", "aiohttp"
MOCK = "httpx over a MockTransport"
OWN_TRANSPORT, MINT_TRANSPORT = "HTTPTransport alone", "MintTransport alone"


def _row(key: str, title: str, made: Callable[[], object], factor: float, **where: str) -> Row:
    names = {
        "mint_httpx": MINT_HTTPX,
        "mint_httpx2": MINT_HTTPX2,
        "pool": POOL,
        "httpx": HTTPX,
        "httpx2": HTTPX2,
        "niquests": NIQUESTS,
        "aiohttp": AIOHTTP,
        "mint_transport": MINT_TRANSPORT,
        "own_transport": OWN_TRANSPORT,
        "mock": MOCK,
    }

    def kind(name: str) -> Kind:
        return "limit" if name == MOCK else "mint" if "mint" in name.lower() else "peer"

    contenders = tuple(
        Contender(names[each], kind(names[each]), f"net_clients:{function}", apart=True)
        for each, function in where.items()
    )
    goals = (Goal(MINT_HTTPX, factor, HTTPX), Goal(MINT_HTTPX2, factor, HTTPX2), Goal(POOL, factor, HTTPX))
    return Row(f"client-{key}", "Whole clients", title, made, contenders, goals)


BLOCKING = {
    "mint_httpx": "httpx_mint",
    "mint_httpx2": "httpx2_mint",
    "pool": "pool",
    "httpx": "httpx_own",
    "httpx2": "httpx2_own",
    "niquests": "niquests",
    "mint_transport": "httpx_mint_transport",
    "own_transport": "httpx_own_transport",
    "mock": "httpx_mock",
}
ASYNCIO = {
    "mint_httpx": "async_httpx_mint",
    "mint_httpx2": "async_httpx2_mint",
    "pool": "async_pool",
    "httpx": "async_httpx_own",
    "httpx2": "async_httpx2_own",
    "niquests": "async_niquests",
    "mock": "async_httpx_mock",
}
WITH_AIOHTTP = {**ASYNCIO, "aiohttp": "aiohttp"}  # which speaks HTTP/1 only

CLIENTS = (
    _row("h1", "sequential GETs, HTTP/1 in clear", partial(net.gets, count=2_000), 1 / 3, **BLOCKING),
    _row(
        "h1-asyncio",
        "the same under asyncio",
        partial(net.gets, count=2_000),
        1 / 3,
        **WITH_AIOHTTP,
    ),
    _row(
        "h2",
        "sequential GETs, HTTP/2 over TLS",
        partial(net.gets, tls=True, http2=True, count=2_000),
        1 / 3,
        **BLOCKING,
    ),
    _row(
        "h2-asyncio",
        "the same under asyncio",
        partial(net.gets, tls=True, http2=True, count=2_000),
        1 / 3,
        **ASYNCIO,
    ),
    _row(
        "h2-100",
        "100 at once, HTTP/2 over TLS, under asyncio",
        partial(net.gets, tls=True, http2=True, together=100, count=4_000),
        1 / 5,
        **ASYNCIO,
    ),
)
