"""Trio: what leaves a nursery of mint.

A function of mint may open a nursery that its caller knows nothing about. If Ctrl-C interrupts it, the caller
expects `KeyboardInterrupt`, and not a group that contains one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from types import TracebackType
    from typing import TypeGuard


class OneError:
    """A context in which one exception is raised as itself, and not in a group.

    An interrupt comes first, and a cancellation last, because the nursery cancels its other tasks after an
    error. A group with several other exceptions is raised as it is.
    """

    __slots__ = ()

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not _is_group(error):
            return
        found = _one(error)
        if found is None:
            return
        context = found.__context__
        try:
            raise found
        finally:
            # Otherwise the context would be the group, which contains the exception.
            found.__context__ = context
            del found, context, error


def _is_group(error: BaseException | None) -> TypeGuard[BaseExceptionGroup[BaseException]]:
    return isinstance(error, BaseExceptionGroup)


def _one(group: BaseExceptionGroup[BaseException]) -> BaseException | None:
    """Return the exception that a group stands for; `None` if there are several."""
    for each in group.exceptions:
        if isinstance(each, (KeyboardInterrupt, SystemExit)):
            return each
    errors = [each for each in group.exceptions if not isinstance(each, trio.Cancelled)]
    if len(errors) > 1:
        return None
    return errors[0] if errors else group.exceptions[0]
