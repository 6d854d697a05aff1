"""The interface of a coding for the decoder: it takes input and returns output in bounded pieces."""

from __future__ import annotations

from typing import Protocol


class Stage(Protocol):
    """One coding of the content. It never produces more than about one piece per call."""

    coding: str
    """Its name, for error messages."""
    unit_cost: int
    """The cost of a member or frame, as a number of bytes of output: even an empty one takes work."""
    units: int
    """How many members or frames have begun."""

    def push(self, data: bytes) -> None:
        """Take more input. Call it only at the beginning, and after `pull` has returned `None`."""
        ...

    def pull(self, size: int) -> bytes | None:
        """Return the next output, at most about `size` bytes.

        `b""` means that there is no output yet: call again. `None` means that all input is used up. Raises
        `InvalidContent`.
        """
        ...

    def finish(self) -> None:
        """Raise `TruncatedContent` if the input ended inside a member."""
        ...
