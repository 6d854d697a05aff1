from typing import final

__pyx_capi__: dict[str, object]

@final
class Repeat:
    """The last request, and how to make the like of it."""
