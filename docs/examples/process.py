"""One connection for many threads: callers get futures, and every future completes.

A future ends with an answer, or with an error whose `processed` says whether the server may have acted on
the request, or it is cancelled. Requests are concurrent over HTTP/2, and follow one another over HTTP/1.
After the server was restarted, the pool connects again.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

import mint
import mint.exchange
import mint.pool

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mint.exchange import Answer


class Process:
    """A shared connection to use in a `with` block. At its end, open requests fail with `PoolClosed`."""

    def __init__(
        self,
        scheme: mint.types.Scheme,
        address: str,
        port: int,
        tls: mint.TLSOptions | None = None,
        *,
        timeout: float = 30.0,
        at_once: int = 32,
    ) -> None:
        self._origin = scheme, address, port
        options = mint.pool.PoolOptions(max_per_origin=1)
        self._pool = mint.pool.Pool(options=options, timeout=timeout, tls=tls or mint.TLSOptions())
        self._threads = ThreadPoolExecutor(at_once)
        self._lock = threading.Lock()
        self._is_closed = False

    def request(
        self,
        method: str,
        target: str,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes | Iterable[bytes] | None = None,
    ) -> Future[Answer]:
        """Make a request, from any thread. After `close`, the future fails with `PoolClosed`."""
        url = mint.exchange.URL(*self._origin, target)
        with self._lock:
            if not self._is_closed:
                return self._threads.submit(self._pool.request, method, url, headers, body)
        late: Future[Answer] = Future()
        late.set_exception(mint.errors.PoolClosed().marked(processed=mint.Processed.NO))
        return late

    def close(self) -> None:
        """Close: requests that were sent or wait fail with `PoolClosed`; its `processed` tells which."""
        with self._lock:
            self._is_closed = True
        self._pool.close()
        self._threads.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
