"""Threads that a test leaves behind."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def no_thread_left() -> Iterator[None]:
    """Check that every thread that starts in the block ends; wait briefly for one that is ending."""
    before = threading.enumerate()
    yield
    begun = [each for each in threading.enumerate() if each not in before]
    for each in begun:
        each.join(10)
    assert not [each for each in begun if each.is_alive()]
