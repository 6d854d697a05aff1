"""A streaming relay: it downloads from one server and uploads to another, at the pace of the slower one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mint
import mint.pool

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMITS = mint.pool.Timeouts(pool=10.0, connect=10.0, read=30.0, write=30.0)
KEPT = ("content-type", "content-encoding", "content-language", "last-modified", "content-length")


def relay(
    source: str, target: str, *, method: str = "PUT", tls: mint.TLSOptions | None = None
) -> tuple[int, int]:
    """Send the content of one URL to another; return the status of the upload and the number of bytes sent.

    If the source ends too early, the upload is cancelled, so that the target does not take a part for the
    whole.
    """
    sent = 0
    with (
        mint.pool.Pool(tls=tls or mint.TLSOptions(), timeout=LIMITS) as pool,
        pool.stream("GET", source) as incoming,
    ):
        if incoming.status != 200:
            raise ConnectionError(f"{source}: the server answered {incoming.status}")

        def pieces() -> Iterator[bytes]:
            nonlocal sent
            for piece in incoming:
                sent += len(piece)
                yield piece

        headers = [each for each in incoming.headers if each[0] in KEPT]
        with pool.stream(method, target, headers, pieces()) as answer:
            answer.read(max_size=1_000_000)
            return answer.status, sent
