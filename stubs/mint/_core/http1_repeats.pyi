from typing import final

__pyx_capi__: dict[str, object]

@final
class Repeat:
    """The last request, from which similar ones can be made."""
