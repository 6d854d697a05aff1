"""HPACK: round trips, agreement with the library `hpack` in both directions, and immutable states."""

import hpack
from hypothesis import assume, example, given
from hypothesis import strategies as st

from mint._core.hpack import Decoder, Encoder
from mint._core.hpack_rules import STATIC

Fields = list[tuple[str, str]]

NAMES = st.one_of(
    st.sampled_from(sorted({name for name, _ in STATIC})),
    st.sampled_from(["x-one", "x-two", "x-request-id", "x-api-key", "x-long-name-of-a-field"]),
    st.text(st.characters(max_codepoint=255), max_size=12),
)
VALUES = st.one_of(
    st.sampled_from(sorted({value for _, value in STATIC})),
    st.sampled_from(["a", "gzip, br", "text/html; charset=utf-8", "0123456789abcdef" * 2]),
    st.text(st.characters(max_codepoint=255), max_size=60),
    st.text("0123456789abcdef", min_size=10, max_size=400),
)
SECTIONS = st.lists(st.tuples(NAMES, VALUES), max_size=8)
SIZES = st.sampled_from([0, 31, 64, 100, 200, 1000, 4095, 4096, 10000])
# A conversation: field sections, with changes of the table size between them.
TALKS = st.lists(st.one_of(SECTIONS, SECTIONS, SIZES), max_size=12)


def encoded(section: Fields) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in section]


@given(TALKS)
def test_round_trip(talk: list[Fields | int]) -> None:
    encoder = Encoder(cap=8192)
    decoder = Decoder()
    for turn in talk:
        if isinstance(turn, int):
            encoder = encoder.resized(turn)
            decoder = decoder.resized(turn)
            continue
        block, encoder = encoder.encode(turn)
        made = decoder.decode(block, 1 << 20)
        assert made.fault is None
        assert made.fields == turn
        decoder = made.decoder
        assert decoder.entries == encoder.entries
        assert decoder.maximum == encoder.maximum
        assert decoder.size == encoder.size <= encoder.maximum


@given(TALKS)
def test_the_other_library_decodes_our_blocks(talk: list[Fields | int]) -> None:
    encoder = Encoder(cap=8192)
    other = hpack.Decoder(max_header_list_size=1 << 20)
    for turn in talk:
        if isinstance(turn, int):
            encoder = encoder.resized(turn)
            other.max_allowed_table_size = turn
            continue
        block, encoder = encoder.encode(turn)
        assert [tuple(field) for field in other.decode(block, raw=True)] == encoded(turn)


@given(TALKS, st.booleans())
def test_we_decode_blocks_of_the_other_library(talk: list[Fields | int], coded: bool) -> None:
    other = hpack.Encoder()
    decoder = Decoder()
    size = 4096
    for turn in talk:
        if isinstance(turn, int):
            size = turn
            continue
        # The other library announces every change of the size, and loses one that is set twice.
        if size != decoder.limit:
            other.header_table_size = size
            decoder = decoder.resized(size)
        made = decoder.decode(other.encode(encoded(turn), huffman=coded), 1 << 20)
        assert made.fault is None
        assert made.fields == turn
        decoder = made.decoder


@given(st.lists(st.tuples(st.integers(0, 1 << 16), SECTIONS, SIZES), max_size=12))
def test_forks_of_an_encoder_are_independent(
    steps: list[tuple[int, Fields, int]],
) -> None:
    # Every step continues from any earlier state; repeating its history alone must give the same state.
    states = [Encoder()]
    histories: list[list[tuple[Fields, int]]] = [[]]
    for choice, section, size in steps:
        start = choice % len(states)
        block, after = states[start].resized(size).encode(section)
        alone = Encoder()
        for earlier, limit in histories[start]:
            alone = alone.resized(limit).encode(earlier)[1]
        before = states[start].entries
        assert alone.resized(size).encode(section) == (block, after)
        assert states[start].entries == before
        assert states[start] == alone
        states.append(after)
        histories.append([*histories[start], (section, size)])


@given(st.lists(st.tuples(st.integers(0, 1 << 16), SECTIONS), max_size=12))
def test_forks_of_a_decoder_are_independent(steps: list[tuple[int, Fields]]) -> None:
    pairs = [(Encoder(), Decoder())]
    for choice, section in steps:
        encoder, decoder = pairs[choice % len(pairs)]
        block, next_encoder = encoder.encode(section)
        before = decoder.entries
        made = decoder.decode(block)
        again = decoder.decode(block)
        assert made.fault is None
        assert (made.fields, made.decoder) == (again.fields, again.decoder)
        assert made.fields == section
        assert decoder.entries == before
        assert made.decoder.entries == next_encoder.entries
        pairs.append((next_encoder, made.decoder))


def other_says(block: bytes) -> list[tuple[bytes, bytes]] | None:
    """Return how the other library decodes a first block, or `None` if it refuses the block."""
    other = hpack.Decoder(max_header_list_size=1 << 20)
    try:
        return [(field[0], field[1]) for field in other.decode(block, raw=True)]
    except hpack.HPACKError:
        return None


@given(st.binary(max_size=80))
@example(b"\xff\x80\x80\x80\x80\x00")
@example(b"\x3f\xe1\x1f\x82")
def test_any_octets_are_fields_or_a_fault(block: bytes) -> None:
    before = Decoder()
    made = before.decode(block, 1 << 20)
    assert before == Decoder()
    theirs = other_says(block)
    if made.fault is not None:
        assert made.fault.reason == "compression_error"
        assert made.decoder is before
        assert theirs is None
    else:
        assert encoded(made.fields) == theirs


@given(SECTIONS, st.data())
def test_damaged_blocks_are_fields_or_a_fault(section: Fields, data: st.DataObject) -> None:
    block = bytearray(Encoder().encode(section)[0])
    assume(block)
    for _ in range(data.draw(st.integers(1, 3))):
        block[data.draw(st.integers(0, len(block) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(block[: data.draw(st.integers(0, len(block)))])
    made = Decoder().decode(cut, 1 << 20)
    theirs = other_says(cut)
    if made.fault is None:
        assert encoded(made.fields) == theirs
    else:
        assert theirs is None


@given(SECTIONS, st.integers(0, 600), st.integers(0, 8))
def test_limits_only_truncate_the_list(section: Fields, octets: int, fields: int) -> None:
    block = Encoder().encode(section)[0]
    made = Decoder().decode(block, octets, fields)
    assert made.fields == section[: len(made.fields)]
    sizes = [len(name) + len(value) + 32 for name, value in made.fields]
    assert sum(sizes) <= octets
    assert len(sizes) <= fields
    if made.fault is None:
        assert made.fields == section
    elif made.fault.reason == "too_many_headers":
        assert len(made.fields) == fields < len(section)
    else:
        assert made.fault.reason == "max_header_list_size_exceeded"
        name, value = section[len(sizes)]
        assert sum(sizes) + len(name) + len(value) + 32 > octets
