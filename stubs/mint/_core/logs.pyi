from typing import final

# What the compiled modules offer each other.
__pyx_capi__: dict[str, object]

@final
class ByteLog:
    """Octets of a partial line, section or frame."""

@final
class ListLog:
    """Objects of a section that is not complete yet."""
