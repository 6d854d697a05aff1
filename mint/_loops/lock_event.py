"""An event for which one thread waits, and which no exception can leave locked."""

from __future__ import annotations

import threading


class LockEvent:
    """An event for which one thread waits, and which no exception can leave locked.

    `threading.Event` and `threading.Condition` acquire a lock in Python code. If memory runs out there, or a
    signal handler raises an exception, that lock may never be released. This class is only a lock, which is
    held until the event is set.
    """

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    def set(self) -> None:
        """Wake the waiting thread."""
        try:
            self._lock.release()
        except RuntimeError:
            return  # it was already set

    def clear(self) -> None:
        """Make the next `wait` block again."""
        self._lock.acquire(blocking=False)

    def is_set(self) -> bool:
        """Whether `wait` would return at once."""
        return not self._lock.locked()

    def wait(self, timeout: float | None) -> bool:
        """Wait until it is set, at most `timeout` seconds; return whether it was set."""
        if not self._lock.acquire(timeout=-1 if timeout is None else min(timeout, threading.TIMEOUT_MAX)):
            return False
        self.set()
        return True
