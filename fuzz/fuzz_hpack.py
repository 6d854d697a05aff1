"""HPACK blocks, mint beside the `hpack` library: the same fields or both refuse; then encode and decode back.

The input is cut into blocks at 0xFF 0x00 0xFF so that the dynamic table is used across blocks.
"""

import hpack

from mint._core.hpack import Decoder, Encoder
from support import check, documented, fuzz

MARK = b"\xff\x00\xff"
LIMIT = 65_536


def lenient(error: Exception) -> bool:
    """Where `hpack` is stricter or simply other than RFC 7541 asks; mint's own rule in the comment."""
    text = str(error)
    return (
        "max header list size" in text.lower()  # counts the size as it goes; mint has its own limit
        or isinstance(error, UnicodeDecodeError)  # octets, not text
        or "table size" in text.lower()
        or "Zero-length" in text
        or "zero" in text.lower()
    )


def one(data: bytes) -> None:
    """Decode block after block with both."""
    ours, theirs = Decoder(), hpack.Decoder(max_header_list_size=LIMIT)
    fields: list[tuple[str, str]] = []
    for block in data.split(MARK):
        before = ours.entries
        decoded = ours.decode(block, LIMIT, 4_096)
        again = ours.decode(block, LIMIT, 4_096)
        check(decoded.fields == again.fields and decoded.fault == again.fault, "the second time differs")
        check(ours.entries == before, "decoding wrote to a state")
        expected: list[tuple[bytes, bytes]] | None
        try:
            expected = [(bytes(name), bytes(value)) for name, value in theirs.decode(block, raw=True)]
            refused: Exception | None = None
        except hpack.HPACKError as error:
            expected, refused = None, error
        if decoded.fault is not None:
            documented(decoded.fault)
            limited = decoded.fault.reason != "compression_error"
            strict = b"" if expected is None else b"accepted"
            check(
                expected is None or limited or is_stricter(decoded.fault.value), "mint refuses", strict, block
            )
            return
        if expected is None:
            check(
                refused is not None and lenient(refused), "mint accepts, hpack refuses", str(refused), block
            )
            return
        seen = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in decoded.fields]
        check(seen == expected, "other fields", seen, expected)
        fields += decoded.fields
        ours = decoded.decoder
    round_trip(fields)


def is_stricter(seen: str) -> bool:
    """R14: integers of more octets or beyond 32 bits, and empty names; hpack takes them."""
    return any(mark in seen for mark in ("integer", "update", "size"))


def round_trip(fields: list[tuple[str, str]]) -> None:
    """What mint encodes, both decode to the same."""
    named = [(name, value) for name, value in fields if name]
    encoder, decoder = Encoder(), Decoder()
    reference = hpack.Decoder(max_header_list_size=1 << 24)
    for _ in range(2):
        block, encoder = encoder.encode(named)
        decoded = decoder.decode(block, 1 << 24, 1 << 16)
        check(
            decoded.fault is None and decoded.fields == named, "the round trip changes", named, decoded.fields
        )
        decoder = decoded.decoder
        wanted = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in named]
        got = [(bytes(name), bytes(value)) for name, value in reference.decode(block, raw=True)]
        check(got == wanted, "hpack reads something else", got, wanted)


if __name__ == "__main__":
    fuzz(one)
