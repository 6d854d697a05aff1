"""Conversion of the content that callers pass to the `bytes` that engines take."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .._checks import octets
from ..types import Eof

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..types import BytesLike


def as_piece(data: BytesLike | Eof) -> bytes | Eof:
    """Return a piece of a streamed body as `bytes`, or its end as it is."""
    if isinstance(data, Eof):
        return data
    piece = octets(data)
    if piece is None:
        raise TypeError(f"data must be bytes or mint.Eof(), not {type(data).__name__}")
    return piece


def as_pieces(body: BytesLike | Sequence[BytesLike]) -> tuple[bytes, ...]:
    """Return content as pieces of `bytes`; `bytes` are passed by reference, mutable buffers are copied."""
    if type(body) is bytes:
        return (body,)
    whole = octets(body)
    if whole is not None:
        return (whole,)
    if not isinstance(body, Iterable) or hasattr(body, "keys"):
        raise TypeError(f"body must be bytes or a sequence of bytes, not {type(body).__name__}")
    pieces: list[bytes] = []
    for piece in body:
        exact = octets(piece)
        if exact is None:
            raise TypeError(f"body must be bytes or a sequence of bytes, not {type(piece).__name__}")
        pieces.append(exact)
    return tuple(pieces)
