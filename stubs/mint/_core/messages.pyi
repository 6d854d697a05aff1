from dataclasses import dataclass
from typing import Self, final

@final
class Source: ...

@final
@dataclass(frozen=True, slots=True)
class Received:
    source: Source
    sequence: int
    data: bytes
    def __replace__(self, **changes: object) -> Self: ...
