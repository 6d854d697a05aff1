"""A downloader: several URLs at a time, each into a file that is either complete or does not exist."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import mint
import mint.content
import mint.pool

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

LIMITS = mint.pool.Timeouts(pool=60.0, connect=10.0, read=30.0)


def download(pool: mint.pool.Pool, url: str, target: Path, *, max_size: int | None = None) -> int:
    """Download one URL and return the size of the file. If that fails, no file is left."""
    part = target.with_name(target.name + ".part")
    try:
        with (
            pool.stream("GET", url, [mint.content.accept_encoding()], timeout=LIMITS) as answer,
            part.open("wb") as file,
        ):
            if answer.status != 200:
                raise ConnectionError(f"{url}: the server answered {answer.status}")
            decoder = mint.content.Decoder(answer.headers_all("content-encoding"), max_size=max_size)
            for data in answer:
                file.writelines(decoder.feed(data))
            file.writelines(decoder.finish())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return decoder.size


def download_all(
    files: Iterable[tuple[str, Path]], *, at_once: int = 8, tls: mint.TLSOptions | None = None
) -> dict[str, int | Exception]:
    """Download many URLs; return the size or the error of each."""
    options = mint.pool.PoolOptions(retry_idempotent=True)

    def one(given: tuple[str, Path]) -> tuple[str, int | Exception]:
        try:
            return given[0], download(pool, *given)
        except (mint.MintError, OSError, ValueError) as error:
            return given[0], error

    with (
        mint.pool.Pool(options=options, tls=tls or mint.TLSOptions()) as pool,
        ThreadPoolExecutor(at_once) as threads,
    ):
        return dict(threads.map(one, files))
