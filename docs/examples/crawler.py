"""A crawler: many pages of one origin over a pool; a page that fails is a result like the others."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

import mint
import mint.exchange
import mint.pool

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


Page: TypeAlias = tuple[str, int, int]
"""The target, the status (0 if the page could not be fetched), and how many bytes were received."""


class Crawler:
    def __init__(
        self,
        scheme: mint.types.Scheme,
        address: str,
        port: int,
        *,
        connections: int = 50,
        tls: mint.TLSOptions | None = None,
        timeout: float = 30.0,
    ) -> None:
        self._origin = scheme, address, port
        self._most = connections
        self._tls = tls or mint.TLSOptions()
        self._timeout = timeout
        self.errors: dict[str, mint.MintError] = {}
        # A server may close a connection at any moment. A GET can be sent again.
        self._options = mint.pool.PoolOptions(
            max_connections=connections, max_per_origin=connections, max_retries=10, retry_idempotent=True
        )

    def crawl(self, targets: Iterable[str]) -> Iterator[Page]:
        """Yield each page once, as soon as it is complete. Stopping early closes everything."""
        waiting = iter(targets)
        running: set[Future[Page]] = set()
        with (
            ThreadPoolExecutor(self._most) as threads,
            mint.pool.Pool(options=self._options, timeout=self._timeout, tls=self._tls) as pool,
        ):
            while True:
                for target in islice(waiting, self._most - len(running)):
                    running.add(threads.submit(self._fetch, pool, target))
                if not running:
                    return
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for each in done:
                    yield each.result()

    def _fetch(self, pool: mint.pool.Pool, target: str) -> Page:
        size = 0
        try:
            with pool.stream("GET", mint.exchange.URL(*self._origin, target)) as answer:
                for piece in answer:
                    size += len(piece)
                return target, answer.status, size
        except mint.MintError as error:
            self.errors[target] = error
            return target, 0, size
