from typing import final

# What the compiled modules offer each other.
__pyx_capi__: dict[str, object]

@final
class Table:
    """Entries in the order they were added; for an encoder, also hash tables to find them."""
