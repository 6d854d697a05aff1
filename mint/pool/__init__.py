"""Connection pools: connections are kept by origin and shared by threads or tasks, over HTTP/1 and HTTP/2.

    with mint.pool.Pool() as pool:
        answer = pool.request("GET", "https://example.org/")
        with pool.stream("GET", "https://example.org/large") as streamed:
            for piece in streamed:
                ...

`mint.pool.asyncio` and `mint.pool.trio` have the same pool with `await`.
"""

from ._blocking import Pool, StreamedAnswer
from ._options import PoolOptions, Statistics, Timeouts

__all__ = ["Pool", "PoolOptions", "Statistics", "StreamedAnswer", "Timeouts"]
