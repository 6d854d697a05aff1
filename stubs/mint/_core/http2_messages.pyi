from typing import Final, final

# What the compiled modules offer each other.
__pyx_capi__: dict[str, object]

METHODS: Final[dict[str, tuple[str, str]]]
ROOT: Final[tuple[str, str]]
NO_CONTENT: Final[tuple[str, str]]
WITH_CONTENT: Final[frozenset[str]]
CALLER_PSEUDO: Final[frozenset[str]]
NOT_EXTENDED: Final[frozenset[str]]

@final
class Draft:
    """A request that is checked before it is encoded."""
