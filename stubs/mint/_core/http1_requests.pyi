from typing import final

__pyx_capi__: dict[str, object]

EXPECT_CONTENT: frozenset[str]

@final
class Draft:
    """A request that is being made."""
