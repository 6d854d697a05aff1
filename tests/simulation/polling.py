"""`poll`, `epoll`, `select` and the selectors of `selectors` on the simulated system.

As on Linux, `epoll` keeps a registration for a number *and* the file that was open under it, and forgets
it silently when the file is closed.
"""

from __future__ import annotations

import errno
import select
import selectors
import weakref
from typing import TYPE_CHECKING, Protocol

from .sockets import Machine
from .streams import ERR, HUP, failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .kernel import File, Kernel


class HasFileno(Protocol):
    """An object with a descriptor number."""

    def fileno(self) -> int:
        """Return the number."""
        ...


def number_of(file: int | HasFileno) -> int:
    """Return the number of a file, as the functions of `select` do."""
    number = file if isinstance(file, int) else file.fileno()
    if number < 0:
        raise ValueError(f"file descriptor cannot be a negative integer ({number})")
    return number


class SimPoll:
    """`select.poll()`."""

    def __init__(self) -> None:
        self._kernel = Machine.kernel()
        self._wanted: dict[int, int] = {}

    def register(
        self, file: int | HasFileno, events: int = select.POLLIN | select.POLLPRI | select.POLLOUT
    ) -> None:
        """Register a file for events."""
        self._wanted[number_of(file)] = events

    def modify(self, file: int | HasFileno, events: int) -> None:
        """Change the events."""
        number = number_of(file)
        if number not in self._wanted:
            raise failure(errno.ENOENT)
        self._wanted[number] = events

    def unregister(self, file: int | HasFileno) -> None:
        """Remove a file."""
        del self._wanted[number_of(file)]

    def _ready(self, files: list[tuple[int, int, File | None]]) -> list[tuple[int, int]]:
        found = []
        for number, events, file in files:
            bits = select.POLLNVAL if file is None else file.bits() & (events | ERR | HUP)
            if bits:
                found.append((number, bits))
        return found

    def poll(self, timeout: float | None = None) -> list[tuple[int, int]]:
        """Wait for events, at most `timeout` milliseconds."""
        seconds = None if timeout is None or timeout < 0 else timeout / 1000
        # As on Linux, closing a descriptor does not end a wait for the file.
        files = [(number, events, self._kernel.files.get(number)) for number, events in self._wanted.items()]
        return self._kernel.wait(lambda: self._ready(files), seconds) or []


class SimEpoll:
    """`select.epoll()`."""

    def __init__(self, sizehint: int = -1, flags: int = 0) -> None:
        self._number = -1
        self._kernel = Machine.kernel()
        # A weak reference: an epoll object that is dropped is closed.
        self._number = self._kernel.open(weakref.proxy(self))
        self._wanted: dict[int, tuple[File, int]] = {}
        closing = weakref.WeakMethod(self._closing)
        self._watcher = lambda number, file: (call := closing()) and call(number, file)
        self._kernel.watchers.append(self._watcher)

    def _closing(self, number: int, file: File) -> None:
        if self._wanted.get(number, (None,))[0] is file:
            self._kernel.note(f"{number} is closed while epoll {self._number} watches it")
            self._kernel.dropped += 1
            del self._wanted[number]

    def fileno(self) -> int:
        """Return its own number."""
        if self._number == -1:
            raise ValueError("I/O operation on closed epoll object")
        return self._number

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._number == -1

    def close(self) -> None:
        """Close it."""
        number, self._number = self._number, -1
        if number != -1:
            self._kernel.watchers.remove(self._watcher)
            self._wanted.clear()
            self._kernel.close(number)

    def __del__(self) -> None:
        self.close()

    def _enter(self, file: int | HasFileno) -> int:
        self._kernel.tick()
        self.fileno()
        return number_of(file)

    def register(self, file: int | HasFileno, eventmask: int = select.EPOLLIN | select.EPOLLOUT) -> None:
        """Watch a file."""
        number = self._enter(file)
        found = self._kernel.files.get(number)
        if found is None:
            raise failure(errno.EBADF)
        if number in self._wanted:
            raise failure(errno.EEXIST)
        self._wanted[number] = (found, eventmask)
        self._kernel.note(f"epoll register {number} {eventmask}")

    def modify(self, file: int | HasFileno, eventmask: int) -> None:
        """Change the events of a file."""
        number = self._enter(file)
        found = self._kernel.files.get(number)
        if found is None:
            raise failure(errno.EBADF)
        if number not in self._wanted:
            raise failure(errno.ENOENT)
        self._wanted[number] = (found, eventmask)
        self._kernel.note(f"epoll modify {number} {eventmask}")

    def unregister(self, file: int | HasFileno) -> None:
        """Stop watching a file."""
        number = self._enter(file)
        if number not in self._kernel.files:
            raise failure(errno.EBADF)
        if number not in self._wanted:
            raise failure(errno.ENOENT)
        del self._wanted[number]
        self._kernel.note(f"epoll unregister {number}")

    def _ready(self) -> list[tuple[int, int]]:
        found = []
        for number, (file, events) in self._wanted.items():
            # After a one-shot registration has reported, it reports nothing until it is modified.
            if events and (bits := file.bits() & (events | ERR | HUP)):
                found.append((number, bits))
        return found

    def bits(self) -> int:
        """Return what `poll` reports of the selector itself."""
        return select.POLLIN if self._ready() else 0

    def poll(self, timeout: float | None = None, maxevents: int = -1) -> list[tuple[int, int]]:
        """Wait for events, at most `timeout` seconds."""
        self.fileno()
        seconds = None if timeout is None or timeout < 0 else timeout
        found = self._kernel.wait(self._ready, seconds) or []
        if len(found) > 1 and (at := self._kernel.choices.below(len(found))):
            found = found[at:] + found[:at]
        reported = found if maxevents < 0 else found[:maxevents]
        for number, _ in reported:
            file, events = self._wanted[number]
            if events & select.EPOLLONESHOT:
                self._wanted[number] = (file, 0)
        return reported


class SimEpollSelector(selectors.EpollSelector):
    """The real selector of the standard library over the simulated `epoll`."""

    _selector_cls = SimEpoll


def sim_select(
    reading: Sequence[int | HasFileno],
    writing: Sequence[int | HasFileno],
    exceptional: Sequence[int | HasFileno],
    timeout: float | None = None,
) -> tuple[list[int | HasFileno], list[int | HasFileno], list[int | HasFileno]]:
    """Do what `select.select` does."""
    kernel: Kernel = Machine.kernel()

    def bits(file: int | HasFileno) -> int:
        found = kernel.files.get(number_of(file))
        if found is None:
            raise failure(errno.EBADF)
        return found.bits()

    def ready() -> tuple[list[int | HasFileno], list[int | HasFileno]] | None:
        readable = [each for each in reading if bits(each) & (select.POLLIN | ERR | HUP)]
        writable = [each for each in writing if bits(each) & (select.POLLOUT | ERR)]
        return (readable, writable) if readable or writable else None

    found = kernel.wait(ready, timeout)
    return (*found, []) if found else ([], [], [])
