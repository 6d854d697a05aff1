from typing import ClassVar, final

@final
class Leaf:
    """Eight consecutive streams."""

@final
class Node:
    """Up to sixteen branches, each for one range of leaves."""

@final
class Table:
    """The live streams that one endpoint has opened, by index (0 for the first stream)."""
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
        """Return a table in which a stream was changed."""
    def dropped(self, index: int) -> Table:
        """Return a table without a stream."""
