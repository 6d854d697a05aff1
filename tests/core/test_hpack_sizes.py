"""Sizes of HPACK tables: every short sequence of limits, compared with a model. RFC 7541 4, RFC 9113 4.3."""

from __future__ import annotations

from itertools import product

import pytest

from mint._core.hpack import Decoder, Encoder

DEFAULT = 4096
SIZES = (0, 1, 69, 70, 110, DEFAULT, 5_000)
PAIRS = [("a", "22"), ("bb", "1"), ("c", "333")]
"""Entries of 35, 35 and 36 octets: two fit into 70 octets, and the newest two do not."""
SEQUENCES = [sequence for count in range(4) for sequence in product(SIZES, repeat=count)]

Entries = tuple[tuple[str, str], ...]


def update(size: int) -> bytes:
    """Return a table size update (RFC 7541 6.3)."""
    if size < 31:
        return bytes([0x20 | size])
    rest = size - 31
    out = bytearray(b"\x3f")
    while rest > 127:
        out.append(rest & 127 | 128)
        rest >>= 7
    return bytes([*out, rest])


def evicted(entries: Entries, maximum: int) -> Entries:
    """Return what is left of these entries, the newest first."""
    while sum(len(name) + len(value) + 32 for name, value in entries) > maximum:
        entries = entries[:-1]
    return entries


def filled() -> tuple[Encoder, Decoder]:
    block, encoder = Encoder(8192).encode(PAIRS)
    made = Decoder().decode(block)
    assert made.fault is None
    assert made.decoder.entries == encoder.entries == tuple(PAIRS[::-1])
    return encoder, made.decoder


@pytest.mark.parametrize("first", [None, *SIZES[:-1]])
def test_a_decoder_requires_the_smallest_limit_that_matters(first: int | None) -> None:
    """After `first`, the peer has chosen a size of its own, which may be below each further limit."""
    for limits in SEQUENCES:
        decoder = filled()[1]
        maximum, entries = DEFAULT, decoder.entries
        if first is not None:
            decoder = decoder.decode(update(first)).decoder
            maximum, entries = first, evicted(entries, first)
        assert decoder.entries == entries
        limit, required = DEFAULT, -1
        for one in limits:
            decoder = decoder.resized(one)
            if one != limit and one < maximum:
                required = min(required, one) if required >= 0 else one
            limit = one
            assert (decoder.limit, decoder.maximum, decoder.entries) == (limit, maximum, entries)
        for sizes in ((), *product(SIZES, repeat=1), *product(SIZES[:4], repeat=2)):
            made = decoder.decode(b"".join(map(update, sizes)) + b"\x82")
            late = required >= 0 and (not sizes or sizes[0] > required)
            if late or any(size > limit for size in sizes):
                assert made.fault is not None
                assert made.fault.reason == "compression_error"
                assert made.decoder is decoder
                continue
            assert made.fault is None
            assert made.fields == [(":method", "GET")]
            assert made.decoder.maximum == (sizes[-1] if sizes else maximum)
            assert made.decoder.entries == evicted(entries, min((*sizes, maximum)))
            # One block settles it: the next needs no update.
            assert made.decoder.decode(b"\x82").fault is None


@pytest.mark.parametrize("cap", SIZES)
def test_an_encoder_signals_the_smallest_size_and_the_last(cap: int) -> None:
    for limits in SEQUENCES:
        encoder = Encoder(cap)
        maximum = min(cap, DEFAULT)
        smallest = cap if cap < DEFAULT else -1
        for limit in limits:
            encoder = encoder.resized(limit)
            if min(limit, cap) != maximum:
                maximum = min(limit, cap)
                smallest = min(smallest, maximum) if smallest >= 0 else maximum
            assert encoder.maximum == maximum
        expected = b""
        if smallest >= 0:
            expected = update(maximum) if smallest == maximum else update(smallest) + update(maximum)
        block, after = encoder.encode([(":method", "GET")])
        assert block == expected + b"\x82"
        # It is signalled once, and the state is the same from then on.
        assert after.encode([(":method", "GET")]) == (b"\x82", after)


@pytest.mark.parametrize("limits", SEQUENCES[: 1 + len(SIZES) + len(SIZES) ** 2], ids=str)
def test_both_sides_evict_the_same_entries(limits: tuple[int, ...]) -> None:
    encoder, decoder = filled()
    entries = encoder.entries
    for limit in limits:
        encoder, decoder = encoder.resized(limit), decoder.resized(limit)
        entries = evicted(entries, limit)
        assert encoder.entries == entries
        assert encoder.size == sum(len(name) + len(value) + 32 for name, value in entries)
    block, encoder = encoder.encode([])
    made = decoder.decode(block)
    assert made.fault is None
    assert made.decoder.entries == encoder.entries == entries
    assert (made.decoder.size, made.decoder.maximum) == (encoder.size, encoder.maximum)
