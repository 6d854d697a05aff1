"""Another library decodes the field blocks of `mint.testing` (RFC 7541)."""

from __future__ import annotations

import hpack as other
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mint.testing import hpack

TEXT = st.text(st.characters(max_codepoint=255), max_size=300)
NAMES = st.sampled_from(["a", "cookie", ":path", "x-" + "y" * 200, *(name for name, _ in hpack.STATIC_TABLE)])
VALUES = st.sampled_from(["", "GET", "/", "200", "z" * 5000]) | TEXT
FIELDS = st.lists(st.tuples(NAMES, VALUES), max_size=8)


def decoded(decoder: other.Decoder, block: bytes) -> list[tuple[str, str]]:
    return [
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in decoder.decode(block, raw=True)
    ]


@given(
    st.lists(FIELDS, max_size=4),
    st.sampled_from([0, 40, 100, 4096]),
    st.sampled_from(["incremental", "without", "never"]),
    st.booleans(),
)
def test_every_block_is_read_by_another_decoder(
    blocks: list[list[tuple[str, str]]], size: int, indexing: hpack.Indexing, huffman_coded: bool
) -> None:
    encoder = hpack.Encoder(size=size, indexing=indexing, huffman_coded=huffman_coded)
    decoder = other.Decoder(max_header_list_size=1 << 24)
    for fields in blocks:
        assert decoded(decoder, encoder.encode(fields)) == fields
    table = decoder.header_table.dynamic_entries
    assert [(name.decode("latin-1"), value.decode("latin-1")) for name, value in table] == list(encoder.table)


def test_the_size_of_the_table_may_change() -> None:
    encoder, decoder = hpack.Encoder(), other.Decoder()
    fields = [("a", "b")]
    first = encoder.encode(fields)
    assert first != encoder.encode(fields) == b"\xbe"
    decoder.decode(first)
    encoder.size = 0
    block = encoder.encode(fields)
    assert block[:1] == b"\x20"
    assert encoder.table == ()
    assert decoded(decoder, block) == fields


@pytest.mark.parametrize("octets", [bytes((octet,)) * count for octet in range(256) for count in (1, 3, 8)])
def test_the_huffman_code(octets: bytes) -> None:
    assert hpack.huffman(octets) == other.huffman.HuffmanEncoder(
        other.huffman_constants.REQUEST_CODES, other.huffman_constants.REQUEST_CODES_LENGTH
    ).encode(octets)


# RFC 7541 C.1, C.2.
@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (hpack.integer(10, 5), "0a"),
        (hpack.integer(1337, 5), "1f9a0a"),
        (hpack.integer(42), "2a"),
        (
            hpack.literal("custom-key", "custom-header", "incremental"),
            "400a" + b"custom-key\x0dcustom-header".hex(),
        ),
        (hpack.literal(4, "/sample/path"), "040c" + b"/sample/path".hex()),
        (hpack.literal("password", "secret", "never"), "1008" + b"password\x06secret".hex()),
        (hpack.indexed(2), "82"),
        (hpack.string("www.example.com", huffman_coded=True), "8cf1e3c2e5f23a6ba0ab90f4ff"),
        (hpack.table_size(256), "3fe101"),
        (hpack.indexed(0), "80"),
    ],
)
def test_representations(made: bytes, expected: str) -> None:
    assert made.hex() == expected


def test_illegal_representations_can_be_made() -> None:
    for block in (hpack.indexed(0), hpack.indexed(200), hpack.table_size(5000), hpack.literal(99, "x")):
        with pytest.raises(other.HPACKError):
            other.Decoder().decode(block)
