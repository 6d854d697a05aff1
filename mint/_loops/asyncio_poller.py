"""Watching sockets in asyncio: by the loop itself, by a selector that the loop watches, or by a thread.

The default loop of Windows cannot watch sockets, so a thread does it (asyncio_thread.py). If the system
reports an error for a socket (a reset), libuv stops watching it without calling the reader. So on uvloop,
sockets are registered with a selector, and the loop watches the selector's descriptor, which has no errors.
"""

from __future__ import annotations

import asyncio
import contextlib
import selectors
import weakref
from typing import TYPE_CHECKING, Protocol

from .asyncio_thread import ThreadPoller
from .system import no_descriptor

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    Callbacks = dict[int, Callable[[], object]]

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class Poller(Protocol):
    """Calls back while a descriptor can be read or written."""

    def add_reader(self, fd: int, callback: Callable[[], object], /) -> None:
        """Call back while the descriptor can be read."""
        ...

    def remove_reader(self, fd: int, /) -> object:
        """Stop calling back for reading."""
        ...

    def add_writer(self, fd: int, callback: Callable[[], object], /) -> None:
        """Call back while the descriptor can be written."""
        ...

    def remove_writer(self, fd: int, /) -> object:
        """Stop calling back for writing."""
        ...


class SelectorPoller:
    """A selector between sockets and a loop; it exists only while a socket is registered, or it is kept.

    A connection keeps it: if no descriptor is left, the program cannot connect, but the connections that it
    has go on. A signal handler may close the last connection, and so the selector, between any two steps.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = weakref.ref(loop)
        self._selector: selectors.DefaultSelector | None = None
        self._keepers: set[object] = set()

    def keep(self, keeper: object) -> None:
        """Have a selector until `let_go`. Raises `TransportError` if no descriptor is left."""
        self._open()
        self._keepers.add(keeper)

    def let_go(self, keeper: object) -> None:
        """Close the selector if nothing else needs it. Idempotent."""
        self._keepers.discard(keeper)
        self._close_unused()

    def add_reader(self, fd: int, callback: Callable[[], object]) -> None:
        self._change(fd, READ, callback)

    def remove_reader(self, fd: int) -> None:
        self._change(fd, READ, None)

    def add_writer(self, fd: int, callback: Callable[[], object]) -> None:
        self._change(fd, WRITE, callback)

    def remove_writer(self, fd: int) -> None:
        self._change(fd, WRITE, None)

    def _change(self, fd: int, event: int, callback: Callable[[], object] | None) -> None:
        if callback is None and self._selector is None:
            return
        selector = self._open()
        key = (selector.get_map() or {}).get(fd)
        callbacks: Callbacks = {} if key is None else dict(key.data)
        callbacks.pop(event, None)
        if callback is not None:
            callbacks[event] = callback
        events = sum(callbacks)
        if key is None and events:
            selector.register(fd, events, callbacks)
        elif events:
            selector.modify(fd, events, callbacks)
        elif key is not None:
            selector.unregister(fd)
        self._close_unused()

    def _open(self) -> selectors.DefaultSelector:
        loop, selector = self._loop(), self._selector
        if selector is None:
            try:
                selector = self._selector = selectors.DefaultSelector()
            except OSError as error:
                raise no_descriptor(error, "watching sockets") from error
            if loop is not None:
                loop.add_reader(selector.fileno(), self._look)
        return selector

    def _close_unused(self) -> None:
        selector = self._selector
        if selector is None or self._keepers or selector.get_map():
            return
        loop = self._loop()
        self._selector = None
        try:
            if loop is not None and not loop.is_closed():
                with contextlib.suppress(ValueError):  # it was closed meanwhile
                    loop.remove_reader(selector.fileno())
        finally:
            selector.close()

    def _look(self) -> None:
        selector = self._selector
        if selector is None:
            return
        try:
            found = selector.select(0)
        except ValueError:
            if selector is self._selector:
                raise
            return
        for key, events in found:
            callbacks: Callbacks = key.data
            for event in (READ, WRITE):
                callback = callbacks.get(event)
                if events & event and callback is not None and self._current(key.fd, event) == callback:
                    callback()

    def _current(self, fd: int, event: int) -> object:
        """Return the callback that is registered now: another callback may have changed or closed it."""
        selector = self._selector
        key = None if selector is None else (selector.get_map() or {}).get(fd)
        return None if key is None else key.data.get(event)


_MADE: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Poller] = weakref.WeakKeyDictionary()


def poller(loop: asyncio.AbstractEventLoop) -> Poller:
    """Return the object that watches sockets for a loop."""
    needs_thread = type(loop).add_reader is asyncio.AbstractEventLoop.add_reader  # which only raises
    if not needs_thread and type(loop).__module__.partition(".")[0] != "uvloop":
        return loop
    made = _MADE.get(loop)
    if made is None:
        made = _MADE[loop] = ThreadPoller(loop) if needs_thread else SelectorPoller(loop)
    return made


@contextlib.contextmanager
def kept(loop: asyncio.AbstractEventLoop) -> Generator[None]:
    """Have the selector of a loop, if it needs one, during the block. Raises the error of `keep`."""
    found = poller(loop)
    if not isinstance(found, SelectorPoller):
        yield
        return
    keeper = object()
    try:
        found.keep(keeper)
        yield
    finally:
        found.let_go(keeper)
