"""A pool shared by threads, with one policy for retries and errors that say what happened to the request."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import mint
import mint.pool

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mint.exchange import Answer


class Client:
    """A client of one service, for any number of threads."""

    def __init__(self, base: str, *, tls: mint.TLSOptions | None = None, timeout: float = 30.0) -> None:
        self._base = base
        # A pool always repeats requests that the server did not act on; this one also repeats idempotent
        # requests on which it may have acted.
        options = mint.pool.PoolOptions(max_per_origin=8, idle_timeout=30.0, retry_idempotent=True)
        self._pool = mint.pool.Pool(options=options, timeout=timeout, tls=tls or mint.TLSOptions())

    def fetch(self, method: str, target: str, body: bytes | None = None) -> Answer:
        try:
            return self._pool.request(method, self._base + target, body=body, max_size=10_000_000)
        except mint.MintError as error:
            if error.processed is not mint.Processed.NO:
                print(f"{method} {target}: the server may have acted on it")
            raise

    def fetch_all(self, targets: Iterable[str], *, threads: int = 8) -> list[Answer]:
        with ThreadPoolExecutor(threads) as executor:
            return list(executor.map(lambda target: self.fetch("GET", target), targets))

    @property
    def statistics(self) -> mint.pool.Statistics:
        return self._pool.statistics

    def close(self) -> None:
        self._pool.close()
