from typing import final

from .fields import SENSITIVE as SENSITIVE

__pyx_capi__: dict[str, object]

SECRET: str
KINDS: dict[str, int]
SINGLE: frozenset[str]
END_TO_END: frozenset[str]
COMMON: tuple[str, ...]
SPELLINGS: tuple[str, ...]

@final
class Names: ...

@final
class LineCache: ...
