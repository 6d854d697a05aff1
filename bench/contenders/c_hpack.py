"""libnghttp2's HPACK without Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import native
from ._hpack import decoded

if TYPE_CHECKING:
    from pathlib import Path

    from ..measure import Task
    from ..work import Blocks


def _program() -> Path:
    return native.build("hpack", libraries=("nghttp2",))


def decode(work: Blocks) -> Task:
    said = "".join("".join(f"{name}:{value}\n" for name, value in one) + "\n" for one in work.lists)
    return native.Program(_program(), ("inflate",), native.pieces(work.blocks), said.encode())


def encode(work: Blocks) -> Task:
    packed = (native.pieces(text.encode() for field in one for text in field) for one in work.lists)
    return _Encoding(work, native.pieces(packed))


class _Encoding(native.Program):
    def __init__(self, work: Blocks, packed: bytes) -> None:
        super().__init__(_program(), ("deflate",), packed, b"")
        self._work = work

    def check(self) -> None:
        """Decode the blocks and compare: encoders may choose different representations."""
        decoded(self._work, native.unpacked(self.said("check")))
