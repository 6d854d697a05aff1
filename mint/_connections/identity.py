"""Copies and pickles of connections: a value is its own copy, and its link does not travel."""

from __future__ import annotations

from typing import NoReturn, Self


class Identity:
    """A value that is its own copy and cannot be pickled."""

    __slots__ = ()

    def __copy__(self) -> Self:
        """Return the value itself: it is never written."""
        return self

    def __deepcopy__(self, memo: object) -> Self:
        """Return the value itself: it is never written, and its link cannot be copied."""
        return self

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled: a link does not travel."""
        raise TypeError(f"{type(self).__name__} cannot be pickled: its link belongs to this process")
