"""Content as the caller gives it, made into what an engine takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..types import BytesLike


def as_pieces(body: BytesLike | Sequence[BytesLike]) -> tuple[bytes, ...]:
    """Return content as pieces of `bytes`; `bytes` pass by reference, what is like them is copied."""
    if type(body) is bytes:
        return (body,)
    if isinstance(body, (bytes, bytearray, memoryview)):
        return (bytes(body),)
    pieces: list[bytes] = []
    for piece in body:
        if not isinstance(piece, (bytes, bytearray, memoryview)):
            raise TypeError(f"body wants bytes or a sequence of bytes, not {type(piece).__name__}")
        pieces.append(bytes(piece))
    return tuple(pieces)
