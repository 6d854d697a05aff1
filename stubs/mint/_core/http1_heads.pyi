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
    """The common names, each made once, found by their common spellings."""

@final
class LineCache:
    """The pairs of lines that came before, for one connection and its forks.

    It is bounded, and holds no sensitive and no long lines. Its pairs are equal to those that would be made
    without it.
    """
