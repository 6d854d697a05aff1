"""One interface to other HTTP clients: each makes calls to a server and returns their results."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias  # httpx and httpx2 have no common types

import aiohttp
import httpx
import httpx2
import urllib3

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from mint.testing import ScriptedServer

TIMEOUT: Final = 30.0
Protocol: TypeAlias = Literal["http1", "http2"]
Came: TypeAlias = "tuple[int, bytes] | Literal['error']"
"""Status and content, or "error" if the client raised an exception."""


@dataclass(frozen=True)
class Call:
    """One request."""

    path: str = "/x"
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True)
class Target:
    """The server of the calls, and the authority to trust."""

    server: ScriptedServer
    authority: Path | None = None

    def url(self, call: Call) -> str:
        scheme = "http" if self.authority is None else "https"
        return f"{scheme}://localhost:{self.server.port}{call.path}"

    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=None if self.authority is None else str(self.authority))


def by_urllib3(target: Target, calls: Sequence[Call]) -> list[Came]:
    came: list[Came] = []
    with urllib3.PoolManager(retries=False, timeout=TIMEOUT, ssl_context=target.context()) as pool:
        for call in calls:
            try:
                response = pool.request(
                    call.method, target.url(call), headers=call.headers, body=call.body, redirect=False
                )
                came.append((response.status, response.data))
            except urllib3.exceptions.HTTPError:
                came.append("error")
    return came


def by_httpx(module: Any, protocol: Protocol, target: Target, calls: Sequence[Call]) -> list[Came]:
    came: list[Came] = []
    speaks = {"http1": protocol == "http1", "http2": protocol == "http2"}
    with module.Client(**speaks, timeout=TIMEOUT, trust_env=False, verify=target.context()) as client:
        for call in calls:
            try:
                response = client.request(
                    call.method, target.url(call), headers=call.headers, content=call.body
                )
                came.append((response.status_code, response.content))
            except module.HTTPError:
                came.append("error")
    return came


async def by_httpx_async(protocol: Protocol, target: Target, calls: Sequence[Call]) -> list[Came]:
    """Make the calls concurrently with HTTP/2, and one after the other with HTTP/1."""
    client = httpx.AsyncClient(
        http1=protocol == "http1",
        http2=protocol == "http2",
        timeout=TIMEOUT,
        trust_env=False,
        verify=target.context(),
    )
    async with client:

        async def one(call: Call) -> Came:
            try:
                response = await client.request(
                    call.method, target.url(call), headers=call.headers, content=call.body
                )
            except httpx.HTTPError:
                return "error"
            return response.status_code, response.content

        if protocol == "http2":
            return list(await asyncio.gather(*map(one, calls)))
        return [await one(call) for call in calls]


async def by_aiohttp(target: Target, calls: Sequence[Call]) -> list[Came]:
    came: list[Came] = []
    timeout = aiohttp.ClientTimeout(TIMEOUT)
    connector = aiohttp.TCPConnector(ssl=target.context(), force_close=False)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
        for call in calls:
            try:
                async with session.request(
                    call.method,
                    target.url(call),
                    headers=call.headers,
                    data=call.body,
                    allow_redirects=False,
                ) as response:
                    came.append((response.status, await response.read()))
            except (aiohttp.ClientError, TimeoutError):
                came.append("error")
    return came


def by_curl(protocol: Protocol, target: Target, calls: Sequence[Call]) -> list[Came]:
    """Make the calls in one process, so that connections are reused."""
    command = ["curl", "--disable", "--silent", "--no-buffer", "--noproxy", "*"]
    for number, call in enumerate(calls):
        command += ["--next"] if number else []
        command += ["--max-time", str(TIMEOUT), "-w", "\\n%{http_code} %{exitcode}\\n=====\\n"]
        command += ["--http2-prior-knowledge" if protocol == "http2" else "--http1.1"]
        command += [] if target.authority is None else ["--cacert", str(target.authority)]
        command += ["--head"] if call.method == "HEAD" else ["--request", call.method]
        command += [part for pair in call.headers.items() for part in ("--header", ": ".join(pair))]
        if call.body is not None:
            command += ["--header", "content-type: x/y", "--data-binary", call.body.decode()]
        command.append(target.url(call))
    shown = subprocess.run(command, capture_output=True, check=False).stdout
    came: list[Came] = []
    for call, part in zip(calls, shown.split(b"=====\n"), strict=False):
        content, _, codes = part.removesuffix(b"\n").rpartition(b"\n")
        status, exit_code = map(int, codes.split())
        content = b"" if call.method == "HEAD" else content
        came.append((status, content) if exit_code == 0 else "error")
    return came


Blocking: TypeAlias = "Callable[[Target, Sequence[Call]], list[Came]]"
Async: TypeAlias = "Callable[[Target, Sequence[Call]], Awaitable[list[Came]]]"

HAS_CURL: Final = shutil.which("curl") is not None
BLOCKING: Final[dict[tuple[str, Protocol], Blocking]] = {
    ("urllib3", "http1"): by_urllib3,
    ("httpx", "http1"): partial(by_httpx, httpx, "http1"),
    ("httpx2", "http1"): partial(by_httpx, httpx2, "http1"),
    ("httpx", "http2"): partial(by_httpx, httpx, "http2"),
    ("httpx2", "http2"): partial(by_httpx, httpx2, "http2"),
    ("curl", "http1"): partial(by_curl, "http1"),
    ("curl", "http2"): partial(by_curl, "http2"),
}
ASYNC: Final[dict[tuple[str, Protocol], Async]] = {
    ("aiohttp", "http1"): by_aiohttp,
    ("httpx async", "http1"): partial(by_httpx_async, "http1"),
    ("httpx async", "http2"): partial(by_httpx_async, "http2"),
}
