"""The rules of RFC 7541 (HPACK) in rows.txt."""

import pytest

from mint._core.hpack import Decoded, Decoder, Encoder


def octets(text: str) -> bytes:
    return bytes.fromhex(text)


def seen(made: Decoded) -> str:
    assert made.fault is not None
    assert made.fault.reason == "compression_error"
    return made.fault.value


def good(made: Decoded) -> Decoded:
    assert made.fault is None
    return made


# A decoder with one entry, a: b, in its dynamic table.
ONE = good(Decoder().decode(octets("40 01 61 01 62"))).decoder


@pytest.mark.rfc("7541-2.1-a")
def test_the_order_of_fields_is_preserved() -> None:
    fields = [("b", "1"), ("a", "2"), (":late", "3"), ("b", "1"), ("a", "1"), ("cookie", "4")]
    block, encoder = Encoder().encode(fields)
    again, _ = encoder.encode(fields[::-1])
    made = good(Decoder().decode(block))
    assert made.fields == fields
    assert good(made.decoder.decode(again)).fields == fields[::-1]


@pytest.mark.rfc("7541-2.3.2-a")
def test_duplicate_entries_are_no_error() -> None:
    made = good(ONE.decode(octets("40 01 61 01 62 be bf")))
    assert made.fields == [("a", "b")] * 3
    assert made.decoder.entries == (("a", "b"), ("a", "b"))


@pytest.mark.rfc("7541-2.3.3-a")
@pytest.mark.parametrize("block", ["be", "ff 80 ff ff ff 07", "7f 00 00", "0f 30 00", "1f 30 00"])
def test_an_index_beyond_the_tables_is_an_error(block: str) -> None:
    assert seen(Decoder().decode(octets(block))) == "an index is outside the tables"


@pytest.mark.rfc("7541-3.2-a")
def test_each_representation_is_processed_by_its_rule() -> None:
    made = good(ONE.decode(octets("be 7e 01 63 0f 2f 01 64 1f 30 01 65 00 01 66 01 67 82")))
    assert made.fields == [*[("a", "b"), ("a", "c"), ("a", "d"), ("a", "e"), ("f", "g"), (":method", "GET")]]
    assert made.decoder.entries == (("a", "c"), ("a", "b"))
    assert made.never == frozenset({3})


@pytest.mark.rfc("7541-4.1-a")
def test_an_entry_counts_32_octets_more_and_evicts_older_ones() -> None:
    table = good(Decoder(68).decode(octets("40 01 61 01 62 40 01 63 01 64"))).decoder
    assert (table.size, table.entries) == (68, (("c", "d"), ("a", "b")))
    # The name of a new entry may be that of an entry which it evicts.
    made = good(table.decode(octets("7f 00 01 65")))
    assert made.fields == [("a", "e")]
    assert made.decoder.entries == (("a", "e"), ("c", "d"))
    # An entry that is larger than the table empties it.
    made = good(table.decode(b"\x40\x01x\x24" + b"y" * 36))
    assert made.fields == [("x", "y" * 36)]
    assert (made.decoder.size, made.decoder.entries) == (0, ())


@pytest.mark.rfc("7541-4.2-a")
@pytest.mark.parametrize("limit", [0, 33, 34, 100, 4096, 65536])
def test_the_encoder_stays_within_the_peers_limit(limit: int) -> None:
    encoder = Encoder().resized(limit)
    decoder = Decoder().resized(limit)
    for number in range(300):
        block, encoder = encoder.encode([("x", str(number))])
        assert encoder.size <= limit
        decoder = good(decoder.decode(block)).decoder
        assert decoder.entries == encoder.entries
    assert encoder.size <= min(limit, 4096)


@pytest.mark.rfc("7541-4.2-b")
def test_a_changed_limit_is_signalled_smallest_first() -> None:
    encoder = Encoder().resized(0).resized(4096)
    block, encoder = encoder.encode([(":method", "GET")])
    assert block == octets("20 3f e1 1f 82")
    assert encoder.encode([(":method", "GET")])[0] == octets("82")
    assert encoder.resized(10).resized(5).resized(20).encode([])[0] == octets("25 34")


@pytest.mark.rfc("7541-4.2-c")
@pytest.mark.parametrize("block", ["82 20", "40 01 61 01 62 3f e1 1f", "20 82 20"])
def test_a_size_update_after_a_field_is_an_error(block: str) -> None:
    assert seen(Decoder().decode(octets(block))) == "a table size update follows a field"


@pytest.mark.rfc("7541-4.3-a")
def test_shrinking_evicts() -> None:
    two = good(ONE.decode(octets("40 01 63 01 64"))).decoder
    assert good(two.decode(octets("3f 25"))).decoder.entries == (("c", "d"), ("a", "b"))
    assert good(two.decode(octets("3f 24"))).decoder.entries == (("c", "d"),)
    assert seen(two.decode(octets("3f 02 be"))) == "an index is outside the tables"
    assert good(two.decode(octets("20 3f e1 1f"))).decoder.entries == ()
    _, encoder = Encoder().encode([("a", "b"), ("c", "d")])
    assert encoder.resized(67).entries == (("c", "d"),)


@pytest.mark.rfc("7541-5.1-a")
@pytest.mark.parametrize("first", ["ff", "7f", "3f", "0f", "1f", "41 7f", "41 ff", "00 7f"])
@pytest.mark.parametrize("rest", [b"\xff" * 10, b"\x80" * 10 + b"\0", b"\x80" * 5 + b"\0"])
def test_integers_over_32_bits_or_six_octets_are_an_error(first: str, rest: bytes) -> None:
    wrong = "an integer has more than 32 bits or too many octets"
    assert seen(Decoder().decode(octets(first) + rest)) == wrong


@pytest.mark.rfc("7541-5.1-a")
def test_an_endless_integer_is_an_error() -> None:
    made = Decoder().decode(b"\x7f" + b"\xff" * 1_000_000)
    assert seen(made) == "an integer has more than 32 bits or too many octets"


PADDING = "the Huffman padding is too long or not all ones"


@pytest.mark.rfc("7541-5.2-a")
@pytest.mark.parametrize("block", ["04 81 ff", "04 82 1f ff", "04 83 07 ff ff", "00 81 ff 00"])
def test_padding_of_more_than_7_bits_is_an_error(block: str) -> None:
    assert seen(Decoder().decode(octets(block))) == PADDING


@pytest.mark.rfc("7541-5.2-b")
@pytest.mark.parametrize("padding", range(7))
def test_padding_of_anything_but_ones_is_an_error(padding: int) -> None:
    # The symbol `a` is 00011: three bits of padding follow.
    assert seen(Decoder().decode(bytes([0x04, 0x81, 0x18 | padding]))) == PADDING
    assert good(Decoder().decode(octets("04 81 1f"))).fields == [(":path", "a")]


@pytest.mark.rfc("7541-5.2-c")
@pytest.mark.parametrize("before", range(0, 40, 5))
def test_the_end_of_string_symbol_within_a_string_is_an_error(before: int) -> None:
    bits = "0" * before + "1" * 30
    bits += "1" * (-len(bits) % 8)
    coded = bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))
    made = Decoder().decode(bytes([0x04, 0x80 | len(coded)]) + coded)
    assert seen(made) == "a string contains the end-of-string symbol"


@pytest.mark.rfc("7541-5.2-d")
@pytest.mark.parametrize("block", ["04 05 61 62 63 64", "04 85 61 62 63 64", "04 7f ff ff ff 07"])
def test_a_string_longer_than_the_block_is_an_error(block: str) -> None:
    assert seen(Decoder().decode(octets(block))) == "the block ends within a field"


@pytest.mark.rfc("7541-6.1-a")
def test_index_0_is_an_error() -> None:
    assert seen(Decoder().decode(b"\x80")) == "an index is outside the tables"


@pytest.mark.rfc("7541-6.2.3-a")
def test_a_field_that_is_never_indexed_stays_so() -> None:
    made = good(Decoder().decode(octets("82 10 01 61 01 62 00 01 63 01 64")))
    assert made.never == frozenset({1})
    names = frozenset(made.fields[position][0] for position in made.never)
    block, encoder = Encoder().encode(made.fields, names)
    assert good(Decoder().decode(block)).never == frozenset({1})
    assert encoder.entries == (("c", "d"),)
    assert good(Decoder().decode(b"\x82")).never is None


@pytest.mark.rfc("7541-6.3-a")
@pytest.mark.parametrize("block", ["3f e2 1f", "20 3f e2 1f", "3f e0 ff ff ff 0f"])
def test_a_size_update_over_our_limit_is_an_error(block: str) -> None:
    assert seen(Decoder().decode(octets(block))) == "a table size update exceeds the limit"


@pytest.mark.rfc("7541-7.1-a")
def test_secrets_are_not_indexed() -> None:
    fields = [
        *[("authorization", "Basic Og=="), ("proxy-authorization", "Basic Og=="), ("cookie", "a=b")],
        *[("set-cookie", "a=b"), ("x-api-key", "1234")],
    ]
    block, encoder = Encoder().encode(fields)
    assert encoder.entries == ()
    assert good(Decoder().decode(block)).never == frozenset({0, 1, 2, 3, 4})


@pytest.mark.rfc("7541-7.3-a")
def test_the_table_octets_and_fields_have_separate_limits() -> None:
    bomb = b"\x40\x01x\x7f\x81\x1e" + b"y" * 4000 + b"\xbe" * 4000
    made = Decoder().decode(bomb, max_fields=10000)
    assert made.fault is not None
    assert (made.fault.reason, made.fault.limit) == ("max_header_list_size_exceeded", 262144)
    made = Decoder().decode(b"\x90" * 4000)
    assert made.fault is not None
    assert (made.fault.reason, made.fault.limit) == ("too_many_headers", 512)
    full = Decoder()
    for number in range(500):
        full = good(full.decode(b"\x40\x01x\x64" + b"%100d" % number)).decoder
        assert full.size <= 4096
