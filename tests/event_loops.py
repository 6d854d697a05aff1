"""Helpers for the tests of asyncio and trio: checks for open sockets, and running coroutines."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import trio

import mint

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator

_T = TypeVar("_T")

PAGE = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
PATIENCE = 10.0


def free_port() -> int:
    """Return a port of this machine at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


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
    """Fail if the block leaves a socket open."""
    gc.collect()
    before = open_sockets()
    yield
    for thread in threading.enumerate():
        # This thread watches sockets for loops that cannot, and closes its own sockets when none is left.
        if thread.name == "mint-sockets":
            thread.join(PATIENCE)
    left = open_sockets() - before
    assert not left, left


def data(responses: list[mint.Response]) -> bytes:
    """Return the content among responses."""
    return b"".join(each.data for each in responses if isinstance(each, mint.Data))


def fed(conn: mint.Connection, message: object) -> tuple[mint.Connection, list[mint.Response]]:
    """Feed a message that must belong to the connection."""
    streamed = conn.stream(message)
    assert streamed is not mint.UNKNOWN
    return streamed


class Receiver(Protocol):
    """A mailbox of asyncio or trio."""

    async def receive(self) -> object: ...


async def fetch(conn: mint.Connection, mailbox: Receiver, target: str) -> tuple[mint.Connection, bytes]:
    """Return the content of a page, received through a mailbox."""
    conn, _ = conn.request("GET", target)
    body = b""
    while conn.open_request_count:
        conn, responses = fed(conn, await mailbox.receive())
        body += data(responses)
    return conn, body


class Loop:
    """Runs coroutines of asyncio, with a time limit."""

    def __init__(self, make: Callable[[], asyncio.AbstractEventLoop]) -> None:
        self._make = make

    def __call__(self, work: Coroutine[object, object, _T]) -> _T:
        async def limited() -> _T:
            async with asyncio.timeout(3 * PATIENCE):
                return await work

        with warnings.catch_warnings(), asyncio.Runner(loop_factory=self._make) as runner:
            try:
                return runner.run(limited())
            except BaseException:
                # If warnings are errors, uvloop cannot close what a failed test left open.
                warnings.simplefilter("ignore", ResourceWarning)
                raise


def run_trio(work: Callable[..., Awaitable[_T]], *given: object) -> _T:
    """Run an async function in trio, with a time limit."""

    async def limited() -> _T:
        with trio.fail_after(3 * PATIENCE):
            return await work(*given)

    return trio.run(limited)
