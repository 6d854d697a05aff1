"""Answers that become garbage without having been closed: their requests are cancelled, with a warning."""

from __future__ import annotations

import warnings
import weakref
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from ._session import Stream
    from ._state import PoolState

Finalizer: TypeAlias = "weakref.finalize[[PoolState, Stream], object]"


def finalizer(answer: object, pool: PoolState, stream: Stream) -> Finalizer:
    """Return a finalizer of an answer, which is to be detached when the answer is closed.

    It is not a method `__del__`, because that would also run for closed answers, and Python discards
    exceptions of signal handlers, such as `KeyboardInterrupt`, that are raised there.
    """
    made = weakref.finalize(answer, _give_up, pool, stream)
    made.atexit = False
    return made


def _give_up(pool: PoolState, stream: Stream) -> None:
    if pool.drop(stream):
        message = "unclosed answer of a pool: use a with block, or close it"
        # The caller is `weakref.finalize`; its caller is the place where the answer was dropped.
        warnings.warn(message, ResourceWarning, stacklevel=3)
