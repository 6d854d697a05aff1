from typing import final

# What the compiled modules offer each other.
__pyx_capi__: dict[str, object]

STATIC: tuple[tuple[str, str], ...]
UNREPEATED: frozenset[str]
STATICS: Statics

@final
class Statics:
    """The static table, in the form that the decoder and the encoder use; STATIC owns what it points to."""
