"""Whole clients: httpx and httpx2, each with its own core and with mint's transport; mint's pools; others.

Each does the same GETs: one after another in blocking code or under asyncio, or many at once under asyncio.
"""

from __future__ import annotations

import asyncio
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any  # each package has types of its own

import mint
import mint.pool
import mint.pool.asyncio

from .. import servers
from ._net import asks, trust

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..net import Errand
    from ._net import Got, Run

    Fields = list[tuple[str, str]]
    One = Callable[[str, Fields], tuple[int, bytes]]
    AsyncOne = Callable[[str, Fields], Awaitable[tuple[int, bytes]]]

TIMEOUT = 60.0
# The packages have the same interface and no common types.
Package = Any


def _root(errand: Errand) -> str:
    return errand.url.removesuffix(errand.path)


def _blocking(errand: Errand, get: One) -> Run:
    waiting = asks(errand)
    return lambda number: [get(*one) for one in islice(waiting, number)]


def _asynchronous(errand: Errand, make: Callable[[], AsyncOne]) -> Run:
    """Run under asyncio, with as many requests at once as the errand says."""
    loop = asyncio.new_event_loop()
    waiting = asks(errand)

    async def made() -> AsyncOne:
        return make()

    get = loop.run_until_complete(made())

    async def gets(number: int) -> Got:
        if errand.together == 1:
            return [await get(*one) for one in islice(waiting, number)]
        out: Got = []
        while len(out) < number:
            batch = min(errand.together, number - len(out))
            out += await asyncio.gather(*(get(*one) for one in islice(waiting, batch)))
        return out

    return lambda number: loop.run_until_complete(gets(number))


def _mint_options(errand: Errand) -> dict[str, Any]:
    tls = mint.TLSOptions(ca_file=errand.authority) if errand.tls else mint.TLSOptions()
    return {"protocols": ("http2",) if errand.http2 else ("http1",), "tls": tls}


# -- httpx and httpx2


def _client(package: Package, transport: Any, errand: Errand) -> Run:
    session = package.Client(transport=transport, timeout=TIMEOUT)
    root = _root(errand)

    def get(target: str, fields: Fields) -> tuple[int, bytes]:
        response = session.get(root + target, headers=fields)
        return response.status_code, response.content

    return _blocking(errand, get)


def _async_client(package: Package, make_transport: Callable[[], Any], errand: Errand) -> Run:
    root = _root(errand)

    def make() -> AsyncOne:
        session = package.AsyncClient(transport=make_transport(), timeout=TIMEOUT)

        async def get(target: str, fields: Fields) -> tuple[int, bytes]:
            response = await session.get(root + target, headers=fields)
            return response.status_code, response.content

        return get

    return _asynchronous(errand, make)


def _own(package: Package, errand: Errand) -> dict[str, Any]:
    limits = package.Limits(max_connections=1, max_keepalive_connections=1) if errand.http2 else None
    options = {"verify": trust(errand), "http2": errand.http2, "http1": not errand.http2}
    return options if limits is None else {**options, "limits": limits}


def httpx_own(errand: Errand) -> Run:
    package = import_module("httpx")
    return _client(package, package.HTTPTransport(**_own(package, errand)), errand)


def httpx2_own(errand: Errand) -> Run:
    package = import_module("httpx2")
    return _client(package, package.HTTPTransport(**_own(package, errand)), errand)


def httpx_mint(errand: Errand) -> Run:
    transport = import_module("mint.httpx").MintTransport(**_mint_options(errand))
    return _client(import_module("httpx"), transport, errand)


def httpx2_mint(errand: Errand) -> Run:
    transport = import_module("mint.httpx2").MintTransport(**_mint_options(errand))
    return _client(import_module("httpx2"), transport, errand)


def async_httpx_own(errand: Errand) -> Run:
    package = import_module("httpx")
    return _async_client(package, lambda: package.AsyncHTTPTransport(**_own(package, errand)), errand)


def async_httpx2_own(errand: Errand) -> Run:
    package = import_module("httpx2")
    return _async_client(package, lambda: package.AsyncHTTPTransport(**_own(package, errand)), errand)


def async_httpx_mint(errand: Errand) -> Run:
    make = import_module("mint.httpx").AsyncMintTransport
    return _async_client(import_module("httpx"), lambda: make(**_mint_options(errand)), errand)


def async_httpx2_mint(errand: Errand) -> Run:
    make = import_module("mint.httpx2").AsyncMintTransport
    return _async_client(import_module("httpx2"), lambda: make(**_mint_options(errand)), errand)


# -- httpx over nothing: what is left when the transport is taken away

_FIELDS = [("content-type", "text/html"), ("content-length", "200"), ("server", "nginx")]


def _mock(package: Package) -> Any:
    content = servers.small()
    return package.MockTransport(lambda _: package.Response(200, headers=_FIELDS, content=content))


def httpx_mock(errand: Errand) -> Run:
    package = import_module("httpx")
    return _client(package, _mock(package), errand)


def async_httpx_mock(errand: Errand) -> Run:
    package = import_module("httpx")
    return _async_client(package, lambda: _mock(package), errand)


# -- the transports alone: what is left when the client around them is taken away


def _bare(package: Package, transport: Any, errand: Errand) -> Run:
    root = _root(errand)

    def get(target: str, fields: Fields) -> tuple[int, bytes]:
        response = transport.handle_request(package.Request("GET", root + target, headers=fields))
        return response.status_code, response.read()

    return _blocking(errand, get)


def httpx_own_transport(errand: Errand) -> Run:
    package = import_module("httpx")
    return _bare(package, package.HTTPTransport(**_own(package, errand)), errand)


def httpx_mint_transport(errand: Errand) -> Run:
    transport = import_module("mint.httpx").MintTransport(**_mint_options(errand))
    return _bare(import_module("httpx"), transport, errand)


# -- mint's pools


def pool(errand: Errand) -> Run:
    made = mint.pool.Pool(**_mint_options(errand))
    root = _root(errand)

    def get(target: str, fields: Fields) -> tuple[int, bytes]:
        answer = made.request("GET", root + target, fields)
        return answer.status, answer.content

    return _blocking(errand, get)


def async_pool(errand: Errand) -> Run:
    root = _root(errand)

    def make() -> AsyncOne:
        made = mint.pool.asyncio.Pool(**_mint_options(errand))

        async def get(target: str, fields: Fields) -> tuple[int, bytes]:
            answer = await made.request("GET", root + target, fields)
            return answer.status, answer.content

        return get

    return _asynchronous(errand, make)


# -- others


def niquests(errand: Errand) -> Run:
    session = import_module("niquests").Session(disable_http3=True, disable_http2=not errand.http2)
    session.verify = errand.authority
    root = _root(errand)

    def get(target: str, fields: Fields) -> tuple[int, bytes]:
        response = session.get(root + target, headers=dict(fields), verify=errand.authority)
        return response.status_code, response.content

    return _blocking(errand, get)


def async_niquests(errand: Errand) -> Run:
    root = _root(errand)

    def make() -> AsyncOne:
        session = import_module("niquests").AsyncSession(disable_http3=True, disable_http2=not errand.http2)
        session.verify = errand.authority

        async def get(target: str, fields: Fields) -> tuple[int, bytes]:
            response = await session.get(root + target, headers=dict(fields), verify=errand.authority)
            return response.status_code, response.content

        return get

    return _asynchronous(errand, make)


def aiohttp(errand: Errand) -> Run:
    package = import_module("aiohttp")
    root = _root(errand)

    def make() -> AsyncOne:
        connector = package.TCPConnector(ssl=trust(errand) if errand.tls else False, limit=100)
        session = package.ClientSession(connector=connector)

        async def get(target: str, fields: Fields) -> tuple[int, bytes]:
            async with session.get(root + target, headers=fields) as response:
                return response.status, await response.read()

        return get

    return _asynchronous(errand, make)
