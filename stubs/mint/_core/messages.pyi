from dataclasses import dataclass
from typing import Self, final

@final
class Numbers:
    """Numbers of 64 bits, each of them once, for any number of threads."""
    def __init__(self, first: int) -> None: ...
    def next(self) -> int:
        """Return a number that was not returned before."""

@final
class Source:
    """Identifies one link: hashable, and the same for every value of a connection.

    Two sources are equal if their `token` is equal, which has 64 bits: a number, or eight octets in network
    order.
    """
    def __init__(self, token: int | bytes) -> None: ...
    @property
    def token(self) -> int: ...
    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[type[Source], tuple[int]]: ...

@final
@dataclass(frozen=True, slots=True)
class Received:
    """Plaintext has arrived. `sequence` numbers the messages of one link, so that none is fed twice.

    The `repr` shows only the size of the data, because heads may contain secrets.
    """
    source: Source
    sequence: int
    data: bytes
    def __reduce__(self) -> tuple[type[Received], tuple[Source, int, bytes]]: ...
    def __replace__(self, **changes: object) -> Self: ...
