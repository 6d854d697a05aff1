"""mint's HPACK: every block gives a new decoder or encoder value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mint._core.hpack import Decoder, Encoder

from ._hpack import decoding, encoding

if TYPE_CHECKING:
    from mint._core.hpack import Decoded

    from ..measure import Task
    from ..traffic import Field
    from ..work import Blocks


def decode(work: Blocks) -> Task:
    def run(decoder: Decoder, blocks: tuple[bytes, ...]) -> list[Decoded]:
        out: list[Decoded] = []
        put = out.append
        for block in blocks:
            decoded = decoder.decode(block)
            decoder = decoded.decoder
            put(decoded)
        return out

    return decoding(work, Decoder, run, lambda native: native.fields)


def encode(work: Blocks) -> Task:
    def run(encoder: Encoder, lists: list[tuple[Field, ...]]) -> list[bytes]:
        out = []
        for one in lists:
            block, encoder = encoder.encode(one)
            out.append(block)
        return out

    return encoding(work, list(work.lists), Encoder, run)
