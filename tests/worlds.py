"""What the tests of asyncio and trio share: descriptors counted, a cancellation at every step."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import mint

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
PATIENCE = 10.0


def open_sockets() -> set[str]:
    """Return the sockets that this process holds."""
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            target = str(entry.readlink())
        except OSError:
            continue
        if target.startswith("socket:"):
            found.add(target)
    return found


@contextmanager
def no_socket_left() -> Iterator[None]:
    """Fail where the block leaves a socket behind."""
    gc.collect()
    before = open_sockets()
    yield
    left = open_sockets() - before
    assert not left, left


def data(responses: list[mint.Response]) -> bytes:
    """Return the content among responses."""
    return b"".join(each.data for each in responses if isinstance(each, mint.Data))


def fed(conn: mint.Connection, message: object) -> tuple[mint.Connection, list[mint.Response]]:
    """Feed a message that must be the connection's."""
    streamed = conn.stream(message)
    assert streamed is not mint.UNKNOWN
    return streamed
