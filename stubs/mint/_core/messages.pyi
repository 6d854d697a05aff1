from dataclasses import dataclass
from typing import Self, final

@final
class Source:
    def __reduce__(self) -> tuple[type[Source], tuple[()]]: ...

@final
@dataclass(frozen=True, slots=True)
class Received:
    source: Source
    sequence: int
    data: bytes
    def __reduce__(self) -> tuple[type[Received], tuple[Source, int, bytes]]: ...
    def __replace__(self, **changes: object) -> Self: ...
