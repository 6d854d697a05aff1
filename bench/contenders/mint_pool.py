"""mint's blocking pool in memory, alone and under httpx: the cost without a network."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any  # each package has types of its own

import mint
import mint.pool
from mint.transport import Memory

from ..measure import Rounds

if TYPE_CHECKING:
    from collections.abc import Callable

    from mint.exchange import Origin

    from ..measure import Task

TIMES = 20
URL = "http://127.0.0.1/"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nhello"
FIELDS = [("content-type", "text/plain"), ("content-length", "5")]


class _Answering(Memory):
    """A server in memory: its answer is there as soon as a caller waits for it."""

    def _pull(self, until: float | None, *, wait: bool) -> bytes | None:
        sent = self.take() if wait else b""
        return ANSWER if sent else super()._pull(until, wait=wait)


def _pool() -> mint.pool.Pool:
    def connect(origin: Origin, _: float | None) -> mint.Connection:
        return mint.http1.initiate(_Answering(), scheme=origin.scheme, hostname=origin.host, identity=1)

    return mint.pool.Pool(connect=connect)


def _task(get: Callable[[], bytes]) -> Task:
    def run(_: object) -> list[bytes]:
        return [get() for _ in range(TIMES)]

    def verify(_: int, got: list[bytes]) -> None:
        assert got == [b"hello"] * TIMES, got

    return Rounds(lambda _: None, run, verify, TIMES)


def pool(_: object) -> Task:
    """mint.pool, with complete answers."""
    made = _pool()
    return _task(lambda: made.request("GET", URL).content)


def _httpx(transport: Any) -> Task:  # from either package; they have no common types
    session = import_module("httpx").Client(transport=transport)

    def get() -> bytes:
        content: bytes = session.get(URL).content
        return content

    return _task(get)


def httpx(_: object) -> Task:
    """httpx with mint's transport, which uses such a pool."""
    return _httpx(import_module("mint.httpx").MintTransport(pool=_pool()))


def transport(_: object) -> Task:
    """mint's transport for httpx without the client around it."""
    package = import_module("httpx")
    made = import_module("mint.httpx").MintTransport(pool=_pool())
    request = package.Client().build_request("GET", URL)

    def get() -> bytes:
        response = made.handle_request(request)
        content: bytes = response.read()
        response.close()
        return content

    return _task(get)


def floor(_: object) -> Task:
    """httpx with a transport that does nothing."""
    package = import_module("httpx")
    return _httpx(package.MockTransport(lambda _: package.Response(200, headers=FIELDS, content=b"hello")))
