from typing import Final

# What the compiled modules offer each other.
__pyx_capi__: dict[str, object]

FRAME_NAMES: Final[tuple[str, ...]]
ERROR_NAMES: Final[tuple[str, ...]]

def frame_name(type: int) -> str:
    """Return the name of a frame type in the RFCs, or its number in hexadecimal."""
def error_name(code: int) -> str:
    """Return the name of an error code in the RFC, or its number in hexadecimal (9113-7-a)."""
def frame(type: int, flags: int, stream: int, payload: bytes) -> bytes:
    """Return one complete frame."""
