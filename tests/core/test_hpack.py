"""HPACK encoders and decoders: RFC 7541 appendix C, representations, limits, malformed blocks, forks."""

import tracemalloc

import pytest

from mint._core.fields import SENSITIVE
from mint._core.hpack import Decoded, Decoder, Encoder
from mint._core.hpack_rules import STATIC

Fields = list[tuple[str, str]]


def octets(text: str) -> bytes:
    return bytes.fromhex(text.replace("|", ""))


def decoded(decoder: Decoder, block: bytes) -> tuple[Fields, Decoder]:
    made = decoder.decode(block)
    assert made.fault is None
    return made.fields, made.decoder


def string(text: bytes, *, coded: bool = False) -> bytes:
    assert len(text) < 127
    return bytes([len(text) | 0x80 * coded]) + text


def integer(number: int, prefix: int, first: int = 0) -> bytes:
    most = (1 << prefix) - 1
    if number < most:
        return bytes([first | number])
    out = [first | most]
    number -= most
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def fault_of(made: Decoded) -> tuple[str, str]:
    assert made.fault is not None
    return made.fault.reason, made.fault.value


# -- RFC 7541 appendix C ---------------------------------------------------------------------------


@pytest.mark.parametrize(("block", "number"), [("2a", 10), ("3f9a0a", 1337), ("3f0b", 42)])
def test_c1_integers(block: str, number: int) -> None:
    # The integers of RFC 7541 C.1, as table size updates.
    fields, after = decoded(Decoder(), octets(block))
    assert fields == []
    assert after.maximum == number


def test_c2_1_literal_with_indexing() -> None:
    block = octets("400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572")
    fields, after = decoded(Decoder(), block)
    assert fields == [("custom-key", "custom-header")]
    assert after.entries == (("custom-key", "custom-header"),)
    assert after.size == 55


def test_c2_2_literal_without_indexing() -> None:
    fields, after = decoded(Decoder(), octets("040c 2f73 616d 706c 652f 7061 7468"))
    assert fields == [(":path", "/sample/path")]
    assert after.entries == ()


def test_c2_3_literal_never_indexed() -> None:
    made = Decoder().decode(octets("1008 7061 7373 776f 7264 0673 6563 7265 74"))
    assert made.fields == [("password", "secret")]
    assert made.never == frozenset({0})
    assert made.decoder.entries == ()


def test_c2_4_indexed() -> None:
    assert decoded(Decoder(), b"\x82")[0] == [(":method", "GET")]


REQUESTS: list[Fields] = [
    [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "www.example.com")],
    [
        *[(":method", "GET"), (":scheme", "http"), (":path", "/")],
        *[(":authority", "www.example.com"), ("cache-control", "no-cache")],
    ],
    [
        *[(":method", "GET"), (":scheme", "https"), (":path", "/index.html")],
        *[(":authority", "www.example.com"), ("custom-key", "custom-value")],
    ],
]
REQUEST_TABLES: list[tuple[Fields, int]] = [
    ([(":authority", "www.example.com")], 57),
    ([("cache-control", "no-cache"), (":authority", "www.example.com")], 110),
    (
        [
            ("custom-key", "custom-value"),
            ("cache-control", "no-cache"),
            (":authority", "www.example.com"),
        ],
        164,
    ),
]
PLAIN_REQUESTS = [
    "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
    "8286 84be 5808 6e6f 2d63 6163 6865",
    "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
]
HUFFMAN_REQUESTS = [
    "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
    "8286 84be 5886 a8eb 1064 9cbf",
    "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
]

COOKIE = "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"
FIRST = "Mon, 21 Oct 2013 20:13:21 GMT"
SECOND = "Mon, 21 Oct 2013 20:13:22 GMT"
URL = "https://www.example.com"
RESPONSES: list[Fields] = [
    [(":status", "302"), ("cache-control", "private"), ("date", FIRST), ("location", URL)],
    [(":status", "307"), ("cache-control", "private"), ("date", FIRST), ("location", URL)],
    [
        *[(":status", "200"), ("cache-control", "private"), ("date", SECOND), ("location", URL)],
        *[("content-encoding", "gzip"), ("set-cookie", COOKIE)],
    ],
]
RESPONSE_TABLES: list[tuple[Fields, int]] = [
    ([("location", URL), ("date", FIRST), ("cache-control", "private"), (":status", "302")], 222),
    ([(":status", "307"), ("location", URL), ("date", FIRST), ("cache-control", "private")], 222),
    ([("set-cookie", COOKIE), ("content-encoding", "gzip"), ("date", SECOND)], 215),
]
PLAIN_RESPONSES = [
    (
        "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133"
        "2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70"
        "6c65 2e63 6f6d"
    ),
    "4803 3330 37c1 c0bf",
    (
        "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d"
        "54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049"
        "5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e"
        "3d31"
    ),
]
HUFFMAN_RESPONSES = [
    (
        "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6"
        "2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3"
    ),
    "4883 640e ffc1 c0bf",
    (
        "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab"
        "77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f"
        "9587 3160 65c0 03ed 4ee5 b106 3d50 07"
    ),
]


@pytest.mark.parametrize(
    ("limit", "blocks", "sections", "tables"),
    [
        pytest.param(4096, PLAIN_REQUESTS, REQUESTS, REQUEST_TABLES, id="C.3"),
        pytest.param(4096, HUFFMAN_REQUESTS, REQUESTS, REQUEST_TABLES, id="C.4"),
        pytest.param(256, PLAIN_RESPONSES, RESPONSES, RESPONSE_TABLES, id="C.5"),
        pytest.param(256, HUFFMAN_RESPONSES, RESPONSES, RESPONSE_TABLES, id="C.6"),
    ],
)
def test_c3_to_c6_sequences(
    limit: int, blocks: list[str], sections: list[Fields], tables: list[tuple[Fields, int]]
) -> None:
    decoder = Decoder(limit)
    for block, section, (table, size) in zip(blocks, sections, tables, strict=True):
        fields, decoder = decoded(decoder, octets(block))
        assert fields == section
        assert list(decoder.entries) == table
        assert decoder.size == size


def test_the_encoder_writes_exactly_c4() -> None:
    encoder = Encoder()
    for block, section in zip(HUFFMAN_REQUESTS, REQUESTS, strict=True):
        made, encoder = encoder.encode(section)
        assert made == octets(block)


# -- the static table -------------------------------------------------------------------------------


def test_static_entries_without_a_value_have_an_empty_value() -> None:
    fields, _ = decoded(Decoder(), bytes(0x80 | index for index in range(1, 62)))
    assert tuple(fields) == STATIC
    assert all(isinstance(value, str) for _, value in fields)
    assert fields[0] == (":authority", "")
    assert fields[60] == ("www-authenticate", "")


def test_the_encoder_uses_every_static_entry_except_for_secrets() -> None:
    for index, field in enumerate(STATIC, 1):
        if field[0] not in SENSITIVE:
            assert Encoder().encode([field]) == (bytes([0x80 | index]), Encoder())


def test_fields_from_a_table_are_shared_pairs() -> None:
    fields, after = decoded(Decoder(), octets("82 82 40 03 616263 03 646566 be"))
    assert fields[0] is fields[1]
    assert fields[2] is fields[3]
    again, _ = decoded(after, b"\xbe")
    assert again[0] is fields[2]


# -- malformed blocks -------------------------------------------------------------------------------

ENDS = "the block ends within a field"
INTEGER = "an integer has more than 32 bits or too many octets"
OUTSIDE = "an index is outside the tables"
LATE = "a table size update follows a field"
LARGE = "a table size update exceeds the limit"
MISSING = "a table size update is missing after the limit was reduced"
PADDING = "the Huffman padding is too long or not all ones"
EOS = "a string contains the end-of-string symbol"


@pytest.mark.parametrize(
    ("block", "seen"),
    [
        pytest.param("80", OUTSIDE, id="index 0"),
        pytest.param("be", OUTSIDE, id="index 62 of an empty table"),
        pytest.param("ff 80 ff ff ff 07", OUTSIDE, id="a huge index"),
        pytest.param("7e 00", OUTSIDE, id="name index 62, indexing"),
        pytest.param("0f 2f 00", OUTSIDE, id="name index 62, not indexing"),
        pytest.param("1f 2f 00", OUTSIDE, id="name index 62, never indexing"),
        pytest.param("ff", ENDS, id="integer cut after the prefix"),
        pytest.param("ff 80", ENDS, id="integer cut"),
        pytest.param("3f", ENDS, id="size update cut"),
        pytest.param("40", ENDS, id="no name"),
        pytest.param("40 03 61", ENDS, id="name cut"),
        pytest.param("41", ENDS, id="no value"),
        pytest.param("41 7f", ENDS, id="length cut"),
        pytest.param("41 05 61 62", ENDS, id="value cut"),
        pytest.param("41 ff ff ff ff 0f 61", ENDS, id="a length far over the block"),
        pytest.param("41 85 61 62", ENDS, id="Huffman value cut"),
        pytest.param("ff 80 ff ff ff 0f", OUTSIDE, id="2^32 - 1"),
        pytest.param("ff ff ff ff ff 0f", INTEGER, id="2^32 + 126"),
        pytest.param("ff 81 ff ff ff 0f", INTEGER, id="2^32"),
        pytest.param("ff 80 80 80 80 80 00", INTEGER, id="zeros without end"),
        pytest.param("7f ff ff ff ff ff ff ff ff ff", INTEGER, id="ones without end"),
        pytest.param("41 7f 80 80 80 80 80 01", INTEGER, id="length of too many octets"),
        pytest.param("3f ff ff ff ff 7f", INTEGER, id="size update of 35 bits"),
        pytest.param("82 20", LATE, id="size update after a field"),
        pytest.param("20 82 20", LATE, id="a second size update after a field"),
        pytest.param("3f e2 1f", LARGE, id="4097"),
        pytest.param("20 3f e2 1f", LARGE, id="0, then 4097"),
        pytest.param("41 82 ff ff", PADDING, id="16 bits of padding"),
        pytest.param("41 81 ff", PADDING, id="8 bits of padding"),
        pytest.param("41 82 1f ff", PADDING, id="a symbol and 11 bits of padding"),
        pytest.param("41 83 ff ff ff", PADDING, id="24 bits of padding"),
        pytest.param("41 81 00", PADDING, id="padding of zeros"),
        pytest.param("41 81 1e", PADDING, id="padding that ends in zero"),
        pytest.param("41 8a 1f ff ff ff ff ff ff ff ff ff", EOS, id="EOS after a symbol"),
        pytest.param("41 84 ff ff ff ff", EOS, id="EOS and padding"),
        pytest.param("41 84 ff ff ff fc", EOS, id="EOS and zeros"),
        pytest.param("41 8d 00 00 00 00 00 ff ff ff ff 00 00 00 00", EOS, id="EOS amid symbols"),
        pytest.param("00 81 ff 00", PADDING, id="in a name"),
    ],
)
def test_malformed_blocks_are_compression_errors(block: str, seen: str) -> None:
    before = Decoder()
    made = before.decode(octets(block))
    assert fault_of(made) == ("compression_error", seen)
    assert made.decoder is before


def test_fields_before_a_malformed_one_are_returned() -> None:
    made = Decoder().decode(octets("82 86 80"))
    assert made.fields == [(":method", "GET"), (":scheme", "http")]
    assert fault_of(made) == ("compression_error", OUTSIDE)


def test_a_fault_does_not_change_the_decoder() -> None:
    _, before = decoded(Decoder(), octets("40 01 61 01 62"))
    assert fault_of(before.decode(octets("40 01 63 01 64 80"))) == ("compression_error", OUTSIDE)
    assert before.entries == (("a", "b"),)
    assert decoded(before, octets("40 01 65 01 66 be bf"))[0] == [*[("e", "f"), ("e", "f"), ("a", "b")]]


@pytest.mark.parametrize("text", ["", "a", "0" * 7, "0" * 8, "\xff" * 5, "a\nb", "<{\\}>" * 9])
def test_huffman_strings_of_every_shape(text: str) -> None:
    made, _ = Encoder().encode([(":path", text), ("x", text)])
    assert decoded(Decoder(), made)[0] == [(":path", text), ("x", text)]


def test_huffman_preserves_every_octet() -> None:
    for octet in range(256):
        for padding in range(4):
            # Zeros have short codes, so that the coded string is shorter than the plain one for every octet.
            value = "0" * (20 + padding) + chr(octet) + "0" * 20
            made, _ = Encoder().encode([(":path", value)])
            assert len(made) < 40
            assert decoded(Decoder(), made)[0] == [(":path", value)]


def test_long_huffman_strings_are_decoded() -> None:
    for value in ("a" * 5000, "\xe9" * 5000, "0" * 20000):
        made, encoder = Encoder().encode([(":path", value), (":path", value), ("x-y", "z")])
        assert encoder.entries == (("x-y", "z"),)
        assert decoded(Decoder(), made)[0] == [(":path", value), (":path", value), ("x-y", "z")]


# -- limits -----------------------------------------------------------------------------------------


def test_the_limit_on_the_list_size_is_exact() -> None:
    block = octets("82") + b"\x00" + string(b"abc") + string(b"defg")
    size = 42 + 39
    assert Decoder().decode(block, size).fault is None
    made = Decoder().decode(block, size - 1)
    assert made.fields == [(":method", "GET")]
    assert made.fault is not None
    assert made.fault.reason == "max_header_list_size_exceeded"
    assert made.fault.limit == size - 1
    assert made.fault.size > size - 1
    assert made.decoder == Decoder()


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(b"\x00" + string(b"a" * 60) + string(b""), id="a name"),
        pytest.param(b"\x04" + string(b"a" * 60), id="a value"),
        pytest.param(b"\x04" + string(b"\x18\xc6\x31\x8c\x63" * 12, coded=True), id="a Huffman value"),
        pytest.param(b"\x82" * 3, id="many fields"),
    ],
)
def test_the_list_limit_stops_each_representation(block: bytes) -> None:
    made = Decoder().decode(block, 90)
    assert fault_of(made)[0] == "max_header_list_size_exceeded"


def test_a_list_limit_below_one_entry_refuses_every_field() -> None:
    assert fault_of(Decoder().decode(b"\x82", 0))[0] == "max_header_list_size_exceeded"
    assert fault_of(Decoder().decode(b"\x00\x00\x00", 31))[0] == "max_header_list_size_exceeded"
    assert Decoder().decode(b"", 0, 0).fault is None


def test_the_limit_on_the_number_of_fields_is_exact() -> None:
    assert Decoder().decode(b"\x82" * 5, max_fields=5).fault is None
    made = Decoder().decode(b"\x82" * 6, max_fields=5)
    assert len(made.fields) == 5
    assert made.fault is not None
    assert (made.fault.reason, made.fault.size, made.fault.limit) == ("too_many_headers", 6, 5)


def test_a_bomb_of_references_is_stopped_at_the_list_limit() -> None:
    # 16,007 octets that decode to 48 MB: one large entry, and one octet for each reference to it.
    bomb = b"\x40" + string(b"x") + integer(4000, 7) + b"a" * 4000 + b"\xbe" * 12000
    made = Decoder().decode(bomb, 262144, 100000)
    assert made.fault is not None
    assert made.fault.reason == "max_header_list_size_exceeded"
    assert len(made.fields) == 262144 // 4033
    assert fault_of(Decoder().decode(bomb))[0] == "max_header_list_size_exceeded"


def test_a_bomb_of_tiny_fields_is_stopped_at_the_count() -> None:
    made = Decoder().decode(b"\x90" * 100000, 1 << 40)
    assert fault_of(made)[0] == "too_many_headers"
    assert len(made.fields) == 512


def test_a_declared_length_allocates_nothing() -> None:
    tracemalloc.start()
    try:
        made = Decoder().decode(octets("41 ff ff ff ff 07"), 1 << 40)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert fault_of(made) == ("compression_error", ENDS)
    assert peak < 4096


def test_evicted_entries_do_not_accumulate() -> None:
    decoder = Decoder()
    encoder = Encoder()
    sizes = []
    tracemalloc.start()
    try:
        for number in range(20000):
            made, encoder = encoder.encode([("x-number", str(number))])
            decoder = decoder.decode(made).decoder
            if number % 1000 == 999:
                sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert decoder.entries == encoder.entries
    assert max(sizes) < sizes[0] + 32768


# -- the size of the table --------------------------------------------------------------------------


def test_an_acknowledged_table_size_is_applied() -> None:
    _, before = decoded(Decoder(), octets("40 01 61 01 62"))
    larger = before.resized(8192)
    assert (larger.limit, larger.maximum) == (8192, 4096)
    fields, after = decoded(larger, octets("3f e1 3f be"))
    assert fields == [("a", "b")]
    assert after.maximum == 8192
    assert before.limit == 4096
    assert before.resized(4096) is before


def test_a_reduced_limit_must_be_followed_by_an_update() -> None:
    _, before = decoded(Decoder(), octets("40 01 61 01 62"))
    reduced = before.resized(100)
    assert fault_of(reduced.decode(b"\x82")) == ("compression_error", MISSING)
    assert fault_of(reduced.decode(b"")) == ("compression_error", MISSING)
    assert fault_of(reduced.decode(octets("3f 46"))) == ("compression_error", LARGE)
    fields, after = decoded(reduced, octets("3f 45 be"))
    assert fields == [("a", "b")]
    assert after.maximum == 100
    # One update is enough.
    assert decoded(after, b"\x82")[0] == [(":method", "GET")]


def test_the_smallest_of_several_limits_must_be_signalled() -> None:
    back = Decoder().resized(0).resized(4096)
    assert fault_of(back.decode(b"\x82")) == ("compression_error", MISSING)
    assert fault_of(back.decode(octets("3f e1 1f 82"))) == ("compression_error", MISSING)
    assert decoded(back, octets("20 3f e1 1f 82"))[1].maximum == 4096
    assert fault_of(Decoder().resized(50).resized(100).decode(octets("3f 45"))) == (
        *("compression_error", MISSING),
    )


def test_a_limit_the_peer_does_not_use_needs_no_update() -> None:
    _, small = decoded(Decoder(), b"\x3f\x45")
    assert decoded(small.resized(200), b"\x82")[0] == [(":method", "GET")]


def test_the_encoder_signals_the_smallest_size_then_the_last() -> None:
    encoder = Encoder().encode([("a", "b")])[1]
    made, after = encoder.resized(0).resized(4096).encode([(":method", "GET")])
    assert made == octets("20 3f e1 1f 82")
    assert after.entries == ()
    assert after.encode([(":method", "GET")]) == (b"\x82", after)
    assert encoder.resized(100).encode([("a", "b")])[0] == octets("3f 45 be")
    assert encoder.resized(100).resized(50).encode([])[0] == octets("3f 13")
    assert encoder.resized(50).resized(100).encode([])[0] == octets("3f 13 3f 45")


def test_the_encoder_never_exceeds_its_maximum() -> None:
    encoder = Encoder()
    assert encoder.resized(65536) is encoder
    assert encoder.resized(65536).encode([(":method", "GET")])[0] == b"\x82"
    small = Encoder(cap=0)
    assert small.maximum == 0
    made, after = small.encode([("a", "b")])
    assert made == octets("20 00 01 61 01 62")
    assert after.resized(4096).encode([("a", "b")])[0] == octets("00 01 61 01 62")
    large = Encoder(cap=65536).resized(65536)
    assert large.encode([])[0] == integer(65536, 5, 0x20)


# -- what the encoder chooses -----------------------------------------------------------------------

SECRETS = [
    *["authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"],
    *["x-auth-token", "x-csrf-token", "authentication-info", "session", "x-amz-security-token"],
]


@pytest.mark.parametrize("name", SECRETS)
def test_secrets_are_never_indexed(name: str) -> None:
    field = (name, "no secret of mine")
    made, after = Encoder().encode([field])
    assert after.entries == ()
    assert made[0] & 0xF0 == 0x10
    assert after.encode([field])[0] == made
    seen = Decoder().decode(made)
    assert seen.fields == [field]
    assert seen.never == frozenset({0})


def test_names_that_the_caller_marks_are_never_indexed() -> None:
    fields = [("x-plain", "value"), ("x-shy", "value"), (":method", "GET")]
    encoder = Encoder().encode(fields)[1]
    assert encoder.entries == (("x-shy", "value"), ("x-plain", "value"))
    made, after = encoder.encode(fields, frozenset({"x-shy", ":method"}))
    seen = Decoder().decode(Encoder().encode(fields)[0]).decoder.decode(made)
    assert seen.fields == fields
    assert seen.never == frozenset({1, 2})
    assert after is encoder


@pytest.mark.parametrize(
    "value",
    [
        "550e8400-e29b-41d4-a716-446655440000",
        "dGhpcyBpcyBhIHNlY3JldCBrZXk=",
        "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
        "9f86d081884c7d659a2feaa0c55ad015",
        "12345678901234567890",
    ],
)
def test_unknown_fields_of_high_entropy_are_not_indexed(value: str) -> None:
    made, after = Encoder().encode([("x-unknown", value)])
    assert after.entries == ()
    assert made[0] & 0xF0 == 0x00


@pytest.mark.parametrize(
    "value",
    ["gzip", "Mozilla/5.0 (X11; Linux x86_64)", "application/x-www-form-urlencoded", "a,b,c;d=1"],
)
def test_unknown_fields_that_may_repeat_are_indexed(value: str) -> None:
    made, after = Encoder().encode([("x-unknown", value)])
    assert after.entries == (("x-unknown", value),)
    assert after.encode([("x-unknown", value)])[0] == b"\xbe"
    assert len(made) > 10


@pytest.mark.parametrize("name", ["x-request-id", "traceparent", "x-b3-trace-id"])
def test_only_the_names_of_varying_numbers_are_indexed(name: str) -> None:
    first, after = Encoder().encode([(name, "a" * 8)])
    assert after.entries == ((name, "a" * 8),)
    second, last = after.encode([(name, "b" * 8)])
    assert last is after
    assert len(second) < len(first)
    assert decoded(decoded(Decoder(), first)[1], second)[0] == [(name, "b" * 8)]


@pytest.mark.parametrize("name", [":path", "content-length", "etag", "if-none-match", "location"])
def test_fields_that_rarely_repeat_are_not_indexed(name: str) -> None:
    made, after = Encoder().encode([(name, "/x")])
    assert after.entries == ()
    assert made[0] & 0xF0 == 0x00


def test_entries_that_would_evict_most_others_are_not_indexed() -> None:
    assert Encoder().encode([("server", "a" * 3034)])[1].entries
    assert not Encoder().encode([("server", "a" * 3035)])[1].entries


def test_names_are_taken_from_the_tables() -> None:
    made, after = Encoder().encode([("server", "mint"), ("x-unknown", "one"), ("x-unknown", "two")])
    assert after.entries[0] == ("x-unknown", "two")
    fields, same = decoded(Decoder(), made)
    assert fields[2] == ("x-unknown", "two")
    assert same.entries == after.entries
    assert made.count(Encoder().encode([("x-unknown", "one")])[0][2:8]) == 1


def test_huffman_coding_is_used_if_it_is_shorter() -> None:
    assert Encoder().encode([("server", "&&")])[0] == octets("76 02 26 26")
    assert Encoder().encode([("server", "00")])[0] == octets("76 02 30 30")
    assert Encoder().encode([("server", "000")])[0] == octets("76 82 00 01")
    assert Encoder().encode([("server", "")])[0] == octets("b6")


class Text(str):
    __slots__ = ()


def test_any_pairs_of_str_are_accepted() -> None:
    plain, after = Encoder().encode([("server", "mint")])
    assert Encoder().encode((("server", "mint"),)) == (plain, after)
    assert Encoder().encode(pair for pair in [("server", "mint")]) == (plain, after)
    assert Encoder().encode([(Text("server"), Text("mint"))]) == (plain, after)
    assert type(Encoder().encode([(Text("server"), Text("mint"))])[1].entries[0][0]) is str


def test_values_that_are_no_fields_raise_and_change_nothing() -> None:
    encoder = Encoder()
    with pytest.raises(ValueError, match="latin-1"):
        encoder.encode([("a", "b"), ("server", "\u20ac")])
    for pair in ((b"server", "x"), ("server", b"x"), (None, "x"), ("x", None), ("x", 1)):
        with pytest.raises(TypeError, match="a field must be a pair of str"):
            encoder.encode([("a", "b"), pair])  # type: ignore[list-item]  # not of str
    assert encoder == Encoder()
    assert encoder.encode([("c", "d")])[0] == octets("40 01 63 01 64")


# -- values -----------------------------------------------------------------------------------------


def test_an_older_encoder_is_independent_of_the_newest() -> None:
    base = Encoder().encode([("a", "1"), ("b", "2")])[1]
    one_block, one = base.encode([("c", "3"), ("a", "1")])
    other_block, other = base.encode([("d", "4"), ("c", "3"), ("a", "1")])
    assert one.entries[0] == ("c", "3")
    assert other.entries[:2] == (("c", "3"), ("d", "4"))
    assert base.entries == (("b", "2"), ("a", "1"))
    # The first fork put c: 3 at the same place of the shared log; the second fork must not see it.
    start = decoded(Decoder(), Encoder().encode([("a", "1"), ("b", "2")])[0])[1]
    assert decoded(start, one_block)[0] == [("c", "3"), ("a", "1")]
    assert decoded(start, other_block)[0] == [("d", "4"), ("c", "3"), ("a", "1")]
    assert base.encode([("c", "3"), ("a", "1")]) == (one_block, one)


def test_an_older_decoder_is_independent_of_the_newest() -> None:
    base = decoded(Decoder(), octets("40 01 61 01 62"))[1]
    one = decoded(base, octets("40 01 63 01 64"))[1]
    other = decoded(base, octets("40 01 65 01 66"))[1]
    assert one.entries == (("c", "d"), ("a", "b"))
    assert other.entries == (("e", "f"), ("a", "b"))
    assert base.entries == (("a", "b"),)
    assert decoded(one, octets("be bf"))[0] == [("c", "d"), ("a", "b")]


def test_coders_are_compared_by_their_entries_and_limits() -> None:
    one = Encoder().encode([("a", "1"), ("b", "2")])[1]
    other = Encoder().encode([("a", "1")])[1].encode([("b", "2")])[1]
    assert one == other
    assert one != Encoder()
    assert one != Encoder().encode([("a", "1"), ("b", "3")])[1]
    assert one.resized(0).resized(4096) != one
    assert Encoder().resized(0).resized(4096).encode([])[1] == Encoder()  # what it announced is forgotten
    assert Encoder(100) != Encoder()
    assert Decoder() == Decoder()
    assert Decoder() != Decoder(100)
    assert Decoder().resized(100) != Decoder(4096)
    evicted = Encoder(70)
    evicted = evicted.encode([("a", "1")])[1].encode([("b", "2")])[1].encode([("c", "3")])[1]
    assert evicted == Encoder(70).encode([("b", "2"), ("c", "3")])[1]
    assert (Encoder() == 1, Decoder() == 1) == (False, False)
    for state in (one, Decoder()):
        with pytest.raises(TypeError):
            hash(state)


def test_states_show_no_fields() -> None:
    encoder = Encoder().encode([("x-name", "value")])[1]
    assert repr(encoder) == "<Encoder: 1 entries, 43 of 4096 octets>"
    assert repr(Decoder()) == "<Decoder: 0 entries, 0 of 4096 octets>"


# -- marks ------------------------------------------------------------------------------------------

NAME, VALUE, PSEUDO = 1, 2, 4


@pytest.mark.parametrize(
    ("name", "value", "marks"),
    [
        (b"a", b"b", 0),
        (b"a-long-enough-name", b"a value of some length, with\ta tab", 0),
        (b"a", b"\xff\x80 obs-text \xe9", 0),
        (b":new", b"b", PSEUDO),
        (b":", b"b", PSEUDO | NAME),
        (b"", b"b", NAME),
        (b"A", b"b", NAME),
        (b"a:b", b"b", NAME),
        (b"a b", b"b", NAME),
        (b"a\xe9", b"b", NAME),
        (b"a", b" b", VALUE),
        (b"a", b"b ", VALUE),
        (b"a", b"\tb", VALUE),
        (b"a", b"b\t", VALUE),
        (b"a", b"b\nc", VALUE),
        (b"a", b"b\rc", VALUE),
        (b"a", b"b\x00c", VALUE),
        (b"a", b"b\x7fc", VALUE),
        (b"a", b"long before \x01 and after it", VALUE),
        (b"a", b"only at the very last one \x1f", VALUE),
        (b"a", b"", 0),
    ],
)
def test_marks_say_what_must_be_checked(name: bytes, value: bytes, marks: int) -> None:
    block = b"\x40" + string(name) + string(value)
    made = Decoder().decode(block)
    assert made.fields == [(name.decode("latin-1"), value.decode("latin-1"))]
    assert made.marks == marks
    assert made.decoder.decode(b"\xbe").marks == marks
    # A name from the table has its own marks, and not those of the value of its entry.
    assert made.decoder.decode(b"\x0f\x2f\x01b").marks == marks & ~VALUE


def test_marks_of_the_static_table() -> None:
    assert Decoder().decode(b"\x88").marks == PSEUDO
    assert Decoder().decode(b"\x90").marks == 0
