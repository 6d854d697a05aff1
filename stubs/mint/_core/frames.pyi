from typing import Final

# What the compiled modules offer each other.
__pyx_capi__: dict[str, object]

FRAME_NAMES: Final[tuple[str, ...]]
ERROR_NAMES: Final[tuple[str, ...]]

def frame_name(type: int) -> str: ...
def error_name(code: int) -> str: ...
def frame(type: int, flags: int, stream: int, payload: bytes) -> bytes: ...
