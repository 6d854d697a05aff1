from typing import Final

# What the compiled modules offer each other.
__pyx_capi__: dict[str, object]

FRAME_NAMES: Final[tuple[str, ...]]
ERROR_NAMES: Final[tuple[str, ...]]

def frame_name(type: int) -> str:
    """Return the RFC's name of a frame type, or its number in hex."""
def error_name(code: int) -> str:
    """Return the RFC's name of an error code, or its number in hex (9113-7-a)."""
def frame(type: int, flags: int, stream: int, payload: bytes) -> bytes:
    """Return one whole frame."""
