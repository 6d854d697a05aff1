"""A `get()` function: it follows redirects, and returns the decoded answer for one URL."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urljoin

import mint
import mint.content
import mint.exchange

REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True)
class Page:
    url: str
    status: int
    content: bytes
    answer: mint.exchange.Answer


def get(
    url: str, *, timeout: float = 30.0, max_size: int = 10_000_000, tls: mint.TLSOptions | None = None
) -> Page:
    """Return the page at a URL. `timeout` and `max_size` apply to each answer, redirects included."""
    for _ in range(10):
        parts = mint.exchange.split_url(url)
        tcp = mint.TCPOptions(connect_timeout=timeout)
        options = tls or mint.TLSOptions()
        with mint.connect(parts.scheme, parts.host, parts.port, tcp=tcp, tls=options) as conn:
            headers = [mint.content.accept_encoding()]
            _, answer = mint.exchange.exchange(
                conn, "GET", parts.target, headers, timeout=timeout, max_size=max_size
            )
        location = answer.header("location")
        if answer.status not in REDIRECTS or location is None:
            codings = answer.headers_all("content-encoding")
            content = mint.content.decode(answer.content, codings, max_size=max_size)
            return Page(url, answer.status, content, answer)
        url = urljoin(url, location)
    raise ConnectionError(f"too many redirects, the last one to {url}")
