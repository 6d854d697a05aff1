"""The selector of mailboxes: `epoll` with a compiled `select`, or that of the standard library."""

from __future__ import annotations

import contextlib
import select
import selectors
from typing import TYPE_CHECKING, Final, TypeAlias

from .._core.watching import Poller

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _typeshed import FileDescriptorLike

    Key: TypeAlias = selectors.SelectorKey

_BITS: Final = (0, 1, 4, 1 | 4)
"""EPOLLIN, EPOLLOUT or both, by the events of `selectors`."""


def new_selector() -> Epoll | selectors.DefaultSelector:
    """Return the best selector of the system. Raises `OSError` if there is no descriptor."""
    epoll = getattr(selectors, "EpollSelector", None)
    return Epoll() if selectors.DefaultSelector is epoll else selectors.DefaultSelector()


class Epoll(Poller, selectors.BaseSelector):
    """Does what `selectors.EpollSelector` does, in fewer steps."""

    def __init__(self) -> None:
        self._epoll = select.epoll()

    def register(self, fileobj: FileDescriptorLike, events: int, data: object = None) -> Key:
        """Watch a descriptor. Raises `KeyError` if that number is registered."""
        fd = fileobj if isinstance(fileobj, int) else fileobj.fileno()
        if fd in self._keys:
            raise KeyError(f"{fd} is already registered")
        key = self._keys[fd] = selectors.SelectorKey(fileobj, fd, events, data)
        try:
            self._epoll.register(fd, _BITS[events])
        except BaseException:
            self.unregister(fd)
            raise
        return key

    def unregister(self, fileobj: FileDescriptorLike) -> Key:
        """Stop watching a descriptor. Raises `KeyError` if it is not registered."""
        key = self._keys[fileobj]
        # What the system watches always has a key, even if a signal handler raises an exception in between.
        with contextlib.suppress(OSError):  # it is not watched: refused, or the socket was closed meanwhile
            self._epoll.unregister(key.fd)
        del self._keys[fileobj]
        return key

    def modify(self, fileobj: FileDescriptorLike, events: int, data: object = None) -> Key:
        """Change the events of a descriptor. Raises `KeyError` if it is not registered."""
        before = self._keys[fileobj]
        try:
            if events != before.events:
                self._epoll.modify(before.fd, _BITS[events])
            key = self._keys[fileobj] = before._replace(events=events, data=data)
        except BaseException:
            self.unregister(fileobj)
            raise
        return key

    def get_map(self) -> Mapping[FileDescriptorLike, Key]:
        """Return what is registered; `None` after `close`."""
        return None if self._epoll.closed else self._keys  # type: ignore[return-value]  # as in `selectors`

    def fileno(self) -> int:
        """Return its own descriptor."""
        return self._epoll.fileno()

    def close(self) -> None:
        """Close it. Idempotent."""
        self._epoll.close()
        self._keys.clear()
