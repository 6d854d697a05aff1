"""jh2's HPACK, in Rust."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jh2._hazmat import Decoder, Encoder

from ._hpack import decoding, encoding

if TYPE_CHECKING:
    from ..measure import Task
    from ..work import Blocks


def decode(work: Blocks) -> Task:
    def run(decoder: Decoder, blocks: tuple[bytes, ...]) -> list[object]:
        take = decoder.decode
        return [take(block, raw=True) for block in blocks]

    return decoding(
        work,
        Decoder,
        run,
        lambda native: ((bytes(one[0]).decode(), bytes(one[1]).decode()) for one in native),
    )


def encode(work: Blocks) -> Task:
    def run(encoder: Encoder, lists: list[list[tuple[bytes, bytes, bool]]]) -> list[bytes]:
        put = encoder.encode
        return [put(one, huffman=True) for one in lists]

    lists = [[(n.encode(), v.encode(), False) for n, v in one] for one in work.lists]
    return encoding(work, lists, Encoder, run)
