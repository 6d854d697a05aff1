from dataclasses import dataclass
from typing import Self, final

@final
class Source:
    """Names one link: hashable, the same for every value of a connection, equal to its own copies only.

    `token` is what tells it from others: 64 random bits.
    """
    def __init__(self, token: int) -> None: ...
    @property
    def token(self) -> int: ...
    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[type[Source], tuple[int]]: ...

@final
@dataclass(frozen=True, slots=True)
class Received:
    """Plaintext came. `sequence` counts the messages of one link, so none is fed twice.

    Its `repr` gives the size of the data only: heads are among it, and their secrets.
    """
    source: Source
    sequence: int
    data: bytes
    def __reduce__(self) -> tuple[type[Received], tuple[Source, int, bytes]]: ...
    def __replace__(self, **changes: object) -> Self: ...
