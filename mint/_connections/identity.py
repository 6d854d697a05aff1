"""Copies and pickles of connections: a copy is the value itself, and pickling is refused."""

from __future__ import annotations

from typing import NoReturn, Self


class Identity:
    """A value whose copies are the value itself, and which cannot be pickled."""

    __slots__ = ()

    def __copy__(self) -> Self:
        """Return the value itself: it is immutable."""
        return self

    def __deepcopy__(self, memo: object) -> Self:
        """Return the value itself: it is immutable, and its link cannot be copied."""
        return self

    def __reduce__(self) -> NoReturn:
        """Raise `TypeError`, because a link cannot be moved to another process."""
        raise TypeError(f"{type(self).__name__} cannot be pickled: its link belongs to this process")
