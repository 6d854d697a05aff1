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
class Names:
    """The common names, each made once, found by the ways they are spelled."""

@final
class LineCache:
    """Finished pairs of lines that came before, for one connection and its forks.

    It holds nothing sensitive and nothing long, it is bounded, and what it gives is equal to what
    would be made without it.
    """
