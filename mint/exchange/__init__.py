"""Send one request and receive its complete answer, with the loop that most programs need.

    url = mint.exchange.split_url("https://example.org/")
    with mint.connect(url.scheme, url.host, url.port) as conn:
        conn, answer = mint.exchange.exchange(conn, "GET", url.target, timeout=10.0)

`mint.exchange.asyncio` and `mint.exchange.trio` have an `exchange` to await. `Collector` and `send_body` are
its two parts, for programs with their own loop.
"""

from ._answer import Answer, Collector
from ._blocking import exchange, send_body
from ._url import URL, Origin, split_url

__all__ = ["URL", "Answer", "Collector", "Origin", "exchange", "send_body", "split_url"]
