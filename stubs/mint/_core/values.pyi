from typing import TypeVar, final

_T = TypeVar("_T")

@final
class Slots:
    """Makes successors of the values of one class with slots."""
    def __init__(self, owner: type[object], state: str, generation: str) -> None: ...
    def make(self, owner: type[_T], *contents: object) -> _T:
        """Return a value of the class with these contents in its slots, in the order of the slots."""
    def succeed(self, value: _T, state: object, generation: int) -> _T:
        """Return a copy of the value with another state and generation; everything else is shared."""
    def replace(self, value: _T, name: str, content: object) -> _T:
        """Return a copy of the value with one slot changed."""
