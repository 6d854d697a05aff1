"""A link with nothing behind it, and a mailbox that writes down what it is told."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from mint._core.link_base import LinkBase, Mutex
from mint.types import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    Base: TypeAlias = LinkBase["Box", object, str]
else:
    Base = LinkBase

T = TypeVar("T")
LONG = 30.0  # seconds; reached only if a test fails


def in_another_thread(work: Callable[[], T]) -> T:
    """Return what a call returns in another thread."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(work).result(timeout=LONG)


@contextmanager
def held_elsewhere(lock: Mutex) -> Generator[None, None, None]:
    """Have another thread hold the lock."""
    held, end = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            assert end.wait(LONG)

    with ThreadPoolExecutor(1) as threads:
        done = threads.submit(hold)
        try:
            assert held.wait(LONG)
            yield
        finally:
            end.set()
            done.result(timeout=LONG)


class Box:
    """A mailbox that writes down what it is told, and how the link was at that moment."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def watch(self, link: Bare) -> None:
        assert not link._wire.held, "the wire is free when the mailbox is told"
        self.calls.append("watch armed" if link.armed else "watch")

    def unwatch(self, link: Bare) -> None:
        self.calls.append("unwatch")


class Bare(Base):
    """A link with nothing behind it: what it calls is written down, what it reads is set by the test."""

    def __init__(self) -> None:
        self._outbox = deque()
        self._pending = deque()
        self._arrived = deque()
        self.source = Source(7)
        self.calls: list[str] = []
        self.unsent = 0
        self.readable: list[bytes | bytearray | BaseException | None] = []
        self.following = b""

    def _shut(self) -> None:
        self.calls.append("shut")

    def _say_goodbye(self) -> None:
        assert self._wire.held
        self.calls.append("goodbye")

    def write_now(self) -> None:
        assert self._wire.held
        self.calls.append("write")

    def _pull(self, until: float | None, *, wait: bool) -> bytes | bytearray | None:
        assert until is None
        assert not wait
        assert self._wire.held
        found = self.readable.pop(0)
        if isinstance(found, BaseException):
            raise found
        return found

    def _leave_rest(self) -> None:
        self.calls.append("leave rest")

    def _take_in(self, octets: bytes) -> None:
        self.calls.append(f"take in {octets!r}")

    def _next(self) -> bytes:
        return self.following

    def receive_now(self) -> bytes | bytearray | None:
        return self._pull(None, wait=False)

    def deliver(self, octets: bytes) -> str:
        return f"delivered {octets!r} as {self.next_number()}"

    def _broken_message(self, error: Exception) -> str:
        return f"broken by {error} as {self.next_number()}"

    def broken_off(self) -> None:
        self.calls.append("broken off")


def watched(link: Bare | None = None) -> tuple[Bare, Box]:
    """Return a link in active mode that may be read."""
    link, box = link or Bare(), Box()
    link.inbox = box
    link.armed = True
    return link, box
