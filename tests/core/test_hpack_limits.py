"""Limits of the HPACK decoder, exact for every representation of a field, and blocks that end anywhere."""

from __future__ import annotations

from itertools import product

import pytest
from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH

from mint._core.hpack import Decoder

Pair = tuple[str, str]

HUFFMAN = HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH)
GET = (":method", "GET")
KNOWN = ("x-known", "known value")


def integer(number: int, prefix: int, first: int) -> bytes:
    most = (1 << prefix) - 1
    if number < most:
        return bytes([first | number])
    number -= most
    out = [first | most]
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def string(text: str, *, coded: bool) -> bytes:
    octets = text.encode("latin-1")
    if coded:
        octets = HUFFMAN.encode(octets)
    return integer(len(octets), 7, 0x80 * coded) + octets


def primed() -> Decoder:
    """Return a decoder with one entry in its table."""
    made = Decoder().decode(b"\x40" + string(KNOWN[0], coded=False) + string(KNOWN[1], coded=False))
    assert made.fault is None
    return made.decoder


TEXTS = ["", "v", "\xff", "\n", "0" * 7, "0" * 8, "a" * 9, "\xe9a" * 30, "a" * 127, "0" * 2_040, "b" * 3_000]


def representations() -> list[tuple[bytes, Pair]]:
    """Return a field in every representation, as octets and as a pair; the table has one entry."""
    made: list[tuple[bytes, Pair]] = [
        (b"\x82", GET),
        (b"\xbe", KNOWN),
        (b"\x90", ("accept-encoding", "gzip, deflate")),
    ]
    for (first, prefix), text, coded in product(((0x40, 6), (0, 4), (0x10, 4)), TEXTS, (False, True)):
        value = string(text, coded=coded)
        made.append((integer(54, prefix, first) + value, ("server", text)))
        made.append((integer(62, prefix, first) + value, (KNOWN[0], text)))
        made.append((bytes([first]) + string("x", coded=not coded) + value, ("x", text)))
        made.append((bytes([first]) + string(text, coded=coded) + string("v", coded=coded), (text, "v")))
    return made


def size_of(pair: Pair) -> int:
    return len(pair[0]) + len(pair[1]) + 32


@pytest.mark.parametrize("before", [0, 1, 3, 40])
def test_the_limit_on_the_list_is_exact_in_every_representation(before: int) -> None:
    decoder = primed()
    for octets, pair in representations():
        block = b"\x82" * before + octets
        size = size_of(GET) * before + size_of(pair)
        for limit in (size + 1, size):
            made = decoder.decode(block, limit)
            assert made.fault is None, octets
            assert made.fields == [GET] * before + [pair]
            assert made.size == size
        for limit in {size - 1, size - 2, size - size_of(pair)}:
            made = decoder.decode(block, limit)
            assert made.fault is not None, octets
            assert made.fault.reason == "max_header_list_size_exceeded"
            assert (made.fault.size, made.fault.limit) == (limit + 1, limit)
            assert made.fields == [GET] * before
            assert made.decoder is decoder


@pytest.mark.parametrize("before", [0, 1, 3, 40])
def test_the_limit_on_the_number_of_fields_is_exact_in_every_representation(before: int) -> None:
    decoder = primed()
    for octets, pair in representations():
        block = b"\x82" * before + octets
        made = decoder.decode(block, 1 << 20, before + 1)
        assert made.fault is None
        assert made.fields == [GET] * before + [pair]
        made = decoder.decode(block, 1 << 20, before)
        assert made.fault is not None
        assert (made.fault.reason, made.fault.size, made.fault.limit) == (
            "too_many_headers",
            before + 1,
            before,
        )
        assert made.fields == [GET] * before


def test_a_block_that_ends_within_a_field_is_refused() -> None:
    decoder = primed()
    for octets, pair in representations():
        for end in sorted({*range(1, min(len(octets), 40)), len(octets) - 1} - {0, len(octets)}):
            made = decoder.decode(b"\x82" + octets[:end])
            assert made.fault is not None, octets[:end]
            assert (made.fault.reason, made.fault.value) == (
                *("compression_error", "the block ends within a field"),
            )
            assert made.fields == [GET]
        assert decoder.decode(b"\x82" + octets).fields == [GET, pair]


def test_fields_are_never_indexed_only_where_the_block_says_so() -> None:
    decoder = primed()
    every = representations()
    kept = [(octets, pair) for octets, pair in every if octets[0] & 0xC0 != 0x40]  # these change the table
    made = decoder.decode(b"".join(octets for octets, _ in kept), 1 << 20)
    assert made.fields == [pair for _, pair in kept]
    assert made.never == frozenset(at for at, (octets, _) in enumerate(kept) if 0x10 <= octets[0] < 0x20)
    assert made.decoder is decoder
    for octets, pair in every:
        after = decoder.decode(octets).decoder
        assert after.entries == ((pair, KNOWN) if octets[0] & 0xC0 == 0x40 else (KNOWN,))


@pytest.mark.parametrize("value", [b"\x05ab", b"\x81\xff", b"\x84\xff\xff\xff\xff", b""])
@pytest.mark.parametrize("coded", [False, True])
@pytest.mark.parametrize("first", [0x00, 0x10, 0x40])
def test_decoding_stops_where_the_list_becomes_too_large(first: int, coded: bool, value: bytes) -> None:
    """A name that exceeds the limit ends it: errors in the value after it are not looked for."""
    decoder = primed()
    block = bytes([first]) + string("n" * 9, coded=coded) + value
    for limit, reason in (
        (32 + 8, "max_header_list_size_exceeded"),
        (8, "max_header_list_size_exceeded"),
        (32 + 9, "compression_error"),
    ):
        made = decoder.decode(block, limit)
        assert made.fault is not None
        assert made.fault.reason == reason, limit
