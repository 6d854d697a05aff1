"""hpack, in Python: what h2 uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpack import Decoder, Encoder

from ._hpack import decoding, encoding

if TYPE_CHECKING:
    from ..measure import Task
    from ..work import Blocks


def decode(work: Blocks) -> Task:
    def run(decoder: Decoder, blocks: tuple[bytes, ...]) -> list[object]:
        take = decoder.decode
        return [take(block, raw=True) for block in blocks]

    return decoding(work, Decoder, run, lambda native: ((n.decode(), v.decode()) for n, v in native))


def encode(work: Blocks) -> Task:
    def run(encoder: Encoder, lists: list[list[tuple[bytes, bytes]]]) -> list[bytes]:
        put = encoder.encode
        return [put(one) for one in lists]

    return encoding(work, [[(n.encode(), v.encode()) for n, v in one] for one in work.lists], Encoder, run)
