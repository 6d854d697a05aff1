"""A download with a progress bar, which is drawn again whenever `Data` arrives."""

from __future__ import annotations

import sys
from typing import IO, TYPE_CHECKING

import mint

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH = 40


def download(conn: mint.Connection, target: str, sink: IO[bytes]) -> Iterator[tuple[int, int | None]]:
    """Write the content to `sink`; yield the octets received so far, and the total if it is known."""
    conn, ref = conn.request("GET", target)
    size, total, ended = 0, None, False
    while not ended:
        conn, responses = conn.recv(timeout=30)
        for response in responses:
            match response:
                case mint.Status(ref=each, status=status) if each == ref and status != 200:
                    raise ConnectionError(f"the server answered {status}")
                case mint.Headers(ref=each, headers=headers) if each == ref:
                    lengths = [value for name, value in headers if name == "content-length"]
                    total = int(lengths[0]) if lengths else None
                case mint.Data(ref=each, data=data) if each == ref:
                    sink.write(data)
                    size += len(data)
                case mint.Done(ref=each) if each == ref:
                    ended = True
                case mint.RequestFailed(ref=each, error=error) if each == ref:
                    raise error
                case _:
                    pass  # a Pong, a push, or a kind of response that a later version of mint adds
        yield size, total


def bar(size: int, total: int | None) -> str:
    """Return one line that shows the progress."""
    if not total:
        return f"{size:,} bytes"
    filled = WIDTH * size // total
    return f"[{'#' * filled}{'.' * (WIDTH - filled)}] {100 * size // total:3} %"


def show(conn: mint.Connection, target: str, sink: IO[bytes]) -> None:
    """Download, and draw a progress bar on one line of the terminal."""
    for size, total in download(conn, target, sink):
        sys.stderr.write(f"\r{bar(size, total)}")
    sys.stderr.write("\n")
