from typing import ClassVar, final

@final
class Leaf:
    """Eight neighbouring streams."""

@final
class Node:
    """Sixteen ranges of leaves."""

@final
class Table:
    """The live streams of one initiator, by index (0 for its first stream)."""
    @property
    def count(self) -> int: ...
    @property
    def work(self) -> int: ...
    def __len__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]  # a value, but compared by content
    def numbers(self) -> list[int]:
        """Return the live indices in order."""
    def added(self, index: int) -> Table:
        """Return a table with one more stream."""
    def touched(self, index: int) -> Table:
        """Return a table with a stream written to."""
    def dropped(self, index: int) -> Table:
        """Return a table without a stream."""
