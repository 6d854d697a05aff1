"""What depends on the process: whether a fork has happened, numbers that no other process uses, and locks.

A forked child has only the thread that forked. A lock that another thread of the parent held is never
released there. So objects that children may use begin anew: before the child continues, their locks are
replaced.

The answers take no system call, because they are needed for every connection. They rely on the hooks that
Python calls in a child process (`os.register_at_fork`).
"""

from __future__ import annotations

import os
import weakref
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, Protocol

from ._core.link_base import Mutex, ProcessBase
from ._core.messages import Numbers

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

IDENTITIES: Final = 2**64
"""The number of possible identities of a connection, which its refs carry."""


class Process(ProcessBase):
    """Stands for a process; a forked child makes one of its own, and that of its parent is `inherited`."""

    __slots__ = ("identity",)

    def __init__(self) -> None:
        self.identity: Callable[[], int] = Numbers(int.from_bytes(os.urandom(8))).next
        """Return a number of 64 bits that this process has not returned before.

        The numbers start at a random one, so that two processes return different ones. They are no secret.
        """


_current = Process()


def current_process() -> Process:
    """Return the object that stands for this process; in a forked child it is `inherited`."""
    return _current


class Shared(Protocol):
    """An object that forked children may use, too."""

    def begin_anew(self) -> None:
        """Continue in a child; other threads of the parent may have held its locks or been changing it."""
        ...


_first: Final[weakref.WeakSet[Shared]] = weakref.WeakSet()
_then: Final[weakref.WeakSet[Shared]] = weakref.WeakSet()


def share(each: Shared, *, uses_others: bool = False) -> None:
    """Have `begin_anew` of an object called in forked children, as long as the object exists.

    `uses_others` says that it uses other shared objects then, so that their locks have to be replaced before.
    """
    (_then if uses_others else _first).add(each)


def unlocked(lock: AbstractContextManager[object]) -> AbstractContextManager[object]:
    """Return a lock to use in a child in place of this one; the same one if this thread holds it."""
    return Mutex() if isinstance(lock, Mutex) and not lock.held else lock


def _forked() -> None:
    global _current  # noqa: PLW0603  # a child must not continue with what its parent uses
    _current.inherited = True
    _current = Process()
    # If one fails, perhaps because a signal handler raises, the others still begin anew. Python reports it.
    with ExitStack() as stack:
        for each in (*_then, *_first):
            stack.callback(each.begin_anew)


if hasattr(os, "register_at_fork"):  # where processes can fork
    os.register_at_fork(after_in_child=_forked)
