import weakref
from collections import deque
from select import epoll
from selectors import SelectorKey
from typing import Any, Generic, TypeVar

from _typeshed import FileDescriptorLike
from typing_extensions import disjoint_base

_L = TypeVar("_L")

RETRY: float
STREAK: int

@disjoint_base
class Poller:
    """The part of a selector that waits: an `epoll` object, and the keys of the watched descriptors."""
    _epoll: epoll
    @property
    def _keys(self) -> dict[FileDescriptorLike, SelectorKey]: ...
    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        """Wait for the first event; return the keys and the events of those that are ready."""

@disjoint_base
class Watch(weakref.ref[_L]):
    """A weak reference to a link, with the events it is registered for and whether it is in a queue."""
    fd: int
    events: int
    queued: bool

@disjoint_base
class WatcherBase(Generic[_L]):
    """The base class of mailboxes that watch links with a selector."""
    _orders: deque[weakref.ref[_L]]
    _near: deque[object]
    _ready: deque[Watch[_L]]
    _refused: deque[Watch[_L]]
    _selector: Any  # the subclass says of which kind
    _asleep: bool
    _closed: bool
    def watch(self, transport: object) -> None:
        """Watch a link; called by connections."""
    def _take(self, out: list[object]) -> bool:
        """Put one message into `out`; return false if none is available without checking the sockets."""
    def _receive(self, wanted: tuple[float | None, list[object]]) -> None:
        """Wait for a message, until a time that may be None; this thread holds the lock of receivers."""
    def _select(self, timeout: float | None) -> list[tuple[SelectorKey, int]]:
        """Return what the selector reports; nothing if the mailbox was closed meanwhile."""
    def _look(self, timeout: float | None) -> None:
        """Check which sockets are ready; wait for the first one at most `timeout` seconds."""
