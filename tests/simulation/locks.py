"""Locks, conditions and events of the simulated threads.

A signal may arrive right after `acquire` has acquired the lock, and its handler may raise an exception: then
the lock is held, but the caller does not know it. In CPython, this cannot happen in a `with` statement, so it
does not happen in `__enter__`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

from .sockets import Machine

if TYPE_CHECKING:
    from collections.abc import Callable

    from .kernel import Kernel, Task

_T = TypeVar("_T")
_A = TypeVar("_A")


class SimRLock:
    """`threading.RLock`, or with `again=False` what `threading.Lock` makes."""

    again = True

    def __init__(self) -> None:
        self._kernel = Machine.kernel()
        self._kernel.locks.append(self)
        self.owner: Task | None = None
        self.depth = 0

    def _take(self, timeout: float | None) -> bool:
        kernel = self._kernel
        kernel.give_way()
        if self.owner is kernel.running and self.again:
            self.depth += 1
            return True
        if self.owner is not None and (timeout == 0 or not kernel.wait(lambda: self.owner is None, timeout)):
            return False
        self.owner = kernel.running
        self.depth = 1
        return True

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:  # as in `threading`
        """Acquire the lock."""
        taken = self._take((None if timeout < 0 else timeout) if blocking else 0)
        if taken:
            self._kernel.tick()
        return taken

    def release(self) -> None:
        """Release the lock."""
        if self.owner is None:
            raise RuntimeError("release unlocked lock")
        self.depth -= 1
        if not self.depth:
            self.owner = None

    def locked(self) -> bool:
        """Return whether a thread holds it."""
        return self.owner is not None

    def __enter__(self) -> bool:
        self._kernel.tick()
        return self._take(None)

    def __exit__(self, *_: object) -> None:
        self.release()


class SimMutex(SimRLock):
    """`mint._core.link_base.Mutex`, the lock of mint that a signal handler may acquire again."""

    @property
    def held(self) -> bool:
        """Whether this thread holds it."""
        return self.owner is self._kernel.running

    def attempt(self, work: Callable[[_A], object], argument: _A, seconds: float) -> bool:
        """Call `work` while holding the lock; return false if it could not be acquired in time."""
        if self.held:
            raise RuntimeError("this thread holds the lock already")
        if not self._take(None if seconds < 0 else seconds):
            return False
        try:
            work(argument)
        finally:
            self.release()
        return True


class SimLock(SimRLock):
    """`threading.Lock`."""

    again = False


class SimCondition:
    """`threading.Condition`."""

    def __init__(self, lock: SimRLock | None = None) -> None:
        self._kernel: Kernel = Machine.kernel()
        self._lock = SimRLock() if lock is None else lock
        self.acquire = self._lock.acquire
        self.release = self._lock.release
        self._waiting: list[SimEvent] = []

    def __enter__(self) -> bool:
        return self._lock.__enter__()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait to be notified."""
        waiter = SimEvent()
        self._waiting.append(waiter)
        depth, owner = self._lock.depth, self._lock.owner
        self._lock.depth, self._lock.owner = 0, None
        try:
            return waiter.wait(timeout)
        finally:
            if not waiter.is_set():
                self._waiting.remove(waiter)
            if self._lock.owner is not None:
                self._kernel.wait(lambda: self._lock.owner is None, None)
            self._lock.depth, self._lock.owner = depth, owner

    def wait_for(self, predicate: Callable[[], _T], timeout: float | None = None) -> _T:
        """Wait until something is true."""
        until = math.inf if timeout is None else self._kernel.now + timeout
        while not (result := predicate()):
            left = until - self._kernel.now
            if left <= 0:
                break
            self.wait(None if left == math.inf else left)
        return result

    def notify(self, n: int = 1) -> None:
        """Wake some of those that wait."""
        for waiter in self._waiting[:n]:
            waiter.set()
        del self._waiting[:n]

    def notify_all(self) -> None:
        """Wake all that wait."""
        self.notify(len(self._waiting))


class SimEvent:
    """`threading.Event`."""

    def __init__(self) -> None:
        self._kernel: Kernel = Machine.kernel()
        self._set = False

    def is_set(self) -> bool:
        """Return whether it is set."""
        return self._set

    def set(self) -> None:
        """Set it."""
        self._set = True

    def clear(self) -> None:
        """Clear it."""
        self._set = False

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for it."""
        return bool(self._kernel.wait(lambda: self._set, timeout))
