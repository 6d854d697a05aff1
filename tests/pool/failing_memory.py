"""Use a blocking pool while one memory allocation fails; test_memory_errors.py runs this in its own process.

    python failing_memory.py PROTOCOL SERVER STEP

PROTOCOL is http1 or http2, and SERVER is a port of 127.0.0.1. Every STEP-th allocation fails, each in a run
of its own. The script prints the name of each use and how many of its allocations failed.
"""

from __future__ import annotations

import _testcapi
import gc
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import mint
import mint.pool
from mint.pool import PoolOptions, Timeouts

if TYPE_CHECKING:
    from collections.abc import Callable

    from mint.types import ProtocolName

NO_MEMORY: Final = (MemoryError, SystemError)
"""CPython raises `SystemError` if it cannot allocate the `MemoryError`."""
SIZE: Final = 100_000


class Use:
    """A pool of one connection, so that the next request fails if a place on the connection is lost."""

    def __init__(self, protocol: ProtocolName, server: int) -> None:
        self.url = f"http://127.0.0.1:{server}/bytes"
        self.pool = mint.pool.Pool(
            protocols=(protocol,),
            options=PoolOptions(max_connections=1, max_streams=1, buffer_size=10_000),
            timeout=10,
        )
        self.answer: mint.pool.StreamedAnswer | None = None

    def get(self) -> None:
        if self.pool.request("GET", f"{self.url}/5").content == b"":
            raise AssertionError("no content")

    def get_again(self) -> None:
        self.get()

    def upload(self) -> None:
        self.pool.request("POST", f"{self.url}/5", (), iter([b"x" * 30_000] * 3))

    def put_back(self) -> None:
        self.answer = self.pool.stream("GET", f"{self.url}/{SIZE}")
        self.answer.receive()
        self.answer.close()

    def wait(self) -> None:
        self.answer = self.pool.stream("GET", f"{self.url}/{SIZE}")
        with suppress(mint.errors.TransportTimeout):
            self.pool.request("GET", f"{self.url}/5", timeout=Timeouts(pool=0.001, total=10))

    def close(self) -> None:
        self.pool.close()

    def check(self) -> None:
        """Check that the pool still answers, or is closed, and that no connection or place is lost."""
        if self.answer is not None:
            self.answer.close()
        if not self.pool._state.is_closed:
            self.get()
            now = self.pool.statistics
            found = (now.connections, now.idle, now.active, now.waiting, now.opening)
            if found != (1, 1, 0, 0, 0):
                raise AssertionError(f"{found}")
        self.pool.close()
        if self.pool._state.sessions or self.pool._driver._mailboxes:
            raise AssertionError("a connection of the pool is not closed")


USES: Final = {
    each.__name__: each for each in (Use.get, Use.get_again, Use.upload, Use.put_back, Use.wait, Use.close)
}
WARM: Final = ("get_again", "close")
"""The uses that start with a pool that has a connection already."""


def descriptors() -> int:
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))


def is_lost(error: BaseException) -> bool:
    """Return whether `socket.socketpair` failed: then it leaks a descriptor that it has not wrapped yet."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return last is not None and last.tb_frame.f_code is socket.socketpair.__code__


def fails(work: Callable[[], None], number: int, lost: list[int]) -> bool:
    """Let one allocation fail; return false if the work makes fewer allocations than that.

    The number is added to `lost` if CPython itself leaks a descriptor at this allocation.
    """
    _testcapi.set_nomemory(number, number + 1)
    try:
        work()
    except NO_MEMORY as error:
        _testcapi.remove_mem_hooks()
        if is_lost(error):
            lost.append(number)
        return True
    except mint.MintError:
        return True  # the connection was closed, and says so
    except RuntimeError as error:
        if str(error) != "can't allocate lock":
            raise
        return True
    finally:
        _testcapi.remove_mem_hooks()
    return False


def main(protocol: ProtocolName, server: str, step: str) -> None:
    count: dict[str, int] = {}
    for name, method in USES.items():
        held = -1
        number, quiet = 1, 0
        while quiet < 30:
            use = Use(protocol, int(server))
            if name in WARM:
                use.get()
            lost: list[int] = []
            failed = fails(lambda: method(use), number, lost)  # noqa: B023  # called at once
            try:
                use.check()
            except (AssertionError, mint.MintError) as error:
                raise AssertionError(f"{name}, allocation {number}: {error!r}") from error
            del use
            if held < 0 or lost:
                held = descriptors()
            elif descriptors() > held:
                raise AssertionError(f"{name}, allocation {number}: a descriptor is left open")
            count[name] = count.get(name, 0) + failed
            quiet = 0 if failed else quiet + 1
            number += int(step)
    sys.stdout.write(f"{count}\n")


if __name__ == "__main__":
    main("http1" if sys.argv[1] == "http1" else "http2", sys.argv[2], sys.argv[3])
