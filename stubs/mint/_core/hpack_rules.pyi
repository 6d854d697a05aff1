from typing import final

# What the compiled modules offer each other.
__pyx_capi__: dict[str, object]

STATIC: tuple[tuple[str, str], ...]
UNREPEATED: frozenset[str]
STATICS: Statics

@final
class Statics:
    """The static table as both directions want it; STATIC owns what it points to."""
