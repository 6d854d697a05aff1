"""What the decoder needs of a coding: take input, and give output in bounded pieces."""

from __future__ import annotations

from typing import Protocol


class Stage(Protocol):
    """One coding of the content. It never produces more than about one piece per call."""

    coding: str
    """Its name, for error messages."""
    unit_cost: int
    """What a member or frame costs, as so many bytes of output. Members without content are work, too."""
    units: int
    """How many members or frames have begun."""

    def push(self, data: bytes) -> None:
        """Take more input; only when `pull` has returned `None`."""
        ...

    def pull(self, size: int) -> bytes | None:
        """Return the next output, about `size` bytes at most.

        `b""` means that a member ended and produced nothing more: call again. `None` means that all
        input is used up. Raises `InvalidContent`.
        """
        ...

    def finish(self) -> None:
        """Raise `TruncatedContent` where the input ended inside a member."""
        ...
