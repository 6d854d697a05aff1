from typing import final

# What the compiled modules offer each other.
__pyx_capi__: dict[str, object]

@final
class ByteLog:
    """The octets of a partial line, section or frame."""

@final
class ListLog:
    """The objects of an incomplete section."""
