"""The parts of shrinking HTTP/2 input: tables, representations, frames and numbers, at each limit."""

from __future__ import annotations

import pytest

from mint._command.block_edits import Field, Table, Tables, _Broken, _Entry, _String, fields_of, rewritten
from mint._command.frame_edits import OPAQUE, Numbers, Wire, contents, edited, units, values
from mint._command.remaking import places
from mint._transcripts.calls import Call
from mint.testing import frames as f
from mint.testing import hpack
from mint.transcripts._reading import Beginning, Entry, Transcript

STATIC = len(hpack.STATIC_TABLE)


def text(octets: bytes) -> _String:
    return _String(octets, hpack.string(octets))


def entry(name: bytes, value: bytes) -> _Entry:
    return _Entry(text(name), text(value))


# -- tables (RFC 7541 4)


@pytest.mark.parametrize("most", [0, 33, 34, 35, 67, 68, 69, 101, 102, 4096])
def test_as_many_entries_stay_as_fit(most: int) -> None:
    """Each of the three takes 34 octets."""
    added = Table(most=most)
    for name in (b"a", b"b", b"c"):
        added = added.with_entry(entry(name, b"1"))
    full = Table()
    for name in (b"a", b"b", b"c"):
        full = full.with_entry(entry(name, b"1"))
    for table in (added, full.resized(most)):
        assert [each.name.octets for each in table.entries] == [b"c", b"b", b"a"][: most // 34]
        assert table.most == most


def test_an_entry_that_does_not_fit_empties_the_table() -> None:
    table = Table(most=68).with_entry(entry(b"a", b"1")).with_entry(entry(b"b", b"1"))
    assert table.with_entry(entry(b"c", b"1" * 36)).entries == ()
    assert len(table.with_entry(entry(b"c", b"1" * 35)).entries) == 1


def test_indices_of_both_tables() -> None:
    table = Table().with_entry(entry(b"age", b"1")).with_entry(entry(b"new", b"2"))
    assert table.at(1).text == (b":authority", b"")
    assert table.at(STATIC).text == (b"www-authenticate", b"")
    assert table.at(STATIC + 1).text == (b"new", b"2")
    assert table.at(STATIC + 2).text == (b"age", b"1")
    for wrong in (-1, 0, STATIC + 3):
        with pytest.raises(_Broken):
            table.at(wrong)
    for index in (2, STATIC, STATIC + 1, STATIC + 2):
        assert table.index_of(table.at(index)) == index
    assert table.index_of(entry(b"new", b"3")) == 0
    found = [table.index_of_name(name) for name in (b"new", b"age", b":method", b"none")]
    assert found == [STATIC + 1, 21, 2, 0]


# -- representations (RFC 7541 6)


@pytest.mark.parametrize(
    ("block", "kind", "number", "name", "value"),
    [
        (hpack.indexed(2), 0x80, 2, None, None),
        (hpack.indexed(126), 0x80, 126, None, None),
        (hpack.indexed(127), 0x80, 127, None, None),
        (hpack.indexed(300), 0x80, 300, None, None),
        (hpack.literal(62, "v", "incremental"), 0x40, 62, None, b"v"),
        (hpack.literal(63, "v", "incremental"), 0x40, 63, None, b"v"),
        (hpack.literal("n", "v", "incremental"), 0x40, 0, b"n", b"v"),
        (hpack.table_size(30), 0x20, 30, None, None),
        (hpack.table_size(31), 0x20, 31, None, None),
        (hpack.literal(14, "v", "never"), 0x10, 14, None, b"v"),
        (hpack.literal("n", "v", "never"), 0x10, 0, b"n", b"v"),
        (hpack.literal(15, "v"), 0x00, 15, None, b"v"),
        (hpack.literal("n", "v", huffman_coded=True), 0x00, 0, b"n", b"v"),
        (hpack.literal("n" * 127, "v" * 128), 0x00, 0, b"n" * 127, b"v" * 128),
    ],
)
def test_each_representation(
    block: bytes, kind: int, number: int, name: bytes | None, value: bytes | None
) -> None:
    found, other = fields_of(block + b"\x82")
    assert (found.kind, found.number, found.coded) == (kind, number, block)
    assert (None if found.name is None else found.name.octets, found.text) == (name, value)
    assert other == Field(0x80, 2, None, None, b"\x82")
    for cut in range(1, len(block)):
        assert fields_of(block[:cut]) == []


@pytest.mark.parametrize("octets", range(1, 12))
def test_integers_of_at_most_nine_more_octets(octets: int) -> None:
    block = b"\xff" + b"\x80" * (octets - 1) + b"\x01"
    found = fields_of(block)
    assert [each.number for each in found] == ([127 + (1 << 7 * (octets - 1))] if octets <= 9 else [])


@pytest.mark.parametrize("kind", ["incremental", "without", "never"])
def test_a_new_value_keeps_the_kind_of_its_literal(kind: hpack.Indexing) -> None:
    block = hpack.literal("n", "old", kind) + hpack.indexed(2)
    made, tables = rewritten(block, Tables(), {0: b"new"})
    first, second = fields_of(made)
    assert (first.kind, first.text, second.number) == (fields_of(block)[0].kind, b"new", 2)
    in_tables = [[each.text for each in table.entries] for table in tables]
    assert in_tables == ([[(b"n", b"old")], [(b"n", b"new")]] if kind == "incremental" else [[], []])


@pytest.mark.parametrize("value", [b"", b"a", b"www.example.com", b"\xff\xfe\xfd", bytes(range(256))])
def test_a_new_value_is_coded_as_short_as_possible(value: bytes) -> None:
    # Without the first octet, which is the index of the name.
    codings = [hpack.literal(1, value, huffman_coded=coded)[1:] for coded in (False, True)]
    [found] = fields_of(rewritten(hpack.literal("n", "old"), Tables(), {0: value})[0])
    assert found.value is not None
    assert found.value.octets == value
    assert len(found.value.coded) == min(map(len, codings))


def test_a_field_that_lost_its_entry_becomes_a_literal_that_adds_it() -> None:
    first = hpack.literal("n", "v", "incremental")
    made, tables = rewritten(first, Tables(), {0: None})
    assert made == b""
    again, tables = rewritten(hpack.indexed(62), tables)
    [literal] = fields_of(again)
    assert (literal.kind, literal.text) == (0x40, b"v")
    assert tables.before == tables.after
    assert rewritten(hpack.indexed(62), tables) == (hpack.indexed(62), tables)


@pytest.mark.parametrize("size", [0, 30, 31, 4096, 5000])
@pytest.mark.parametrize("goes", [False, True])
def test_a_change_of_the_table_size_counts_for_what_is_left_only_if_it_stays(size: int, goes: bool) -> None:
    change, rest = hpack.table_size(size), hpack.indexed(2)
    made, tables = rewritten(change + rest, Tables(), {0: None} if goes else {})
    assert made == (rest if goes else change + rest)
    assert [table.most for table in tables] == [size, 4096 if goes else size]
    # The same with a change in the rest of the block, without which a block stays as it is.
    made, tables = rewritten(change + rest, Tables(), {0: None, 1: None} if goes else {1: None})
    assert made == (b"" if goes else change)
    assert [table.most for table in tables] == [size, 4096 if goes else size]


def test_every_index_of_the_static_table_can_be_changed() -> None:
    """A new value may be one that another entry has; without one, the index stays."""
    for index in range(1, STATIC + 1):
        for change in (None, b"GET", b"POST", b"200"):
            changes = {1: None} if change is None else {0: change, 1: None}
            made, _ = rewritten(hpack.indexed(index) + hpack.indexed(2), Tables(), changes)
            [field] = fields_of(made)
            name, value = Table().at(index).text
            found = Table().at(field.number).text if field.value is None else (name, field.text)
            assert found == (name, value if change is None else change)
            if change is None:
                assert made == hpack.indexed(index)


def test_an_index_is_kept_although_another_entry_is_equal() -> None:
    """As long as nothing was changed, every octet stays."""
    twice = hpack.literal("n", "v", "incremental") * 2
    _, tables = rewritten(twice, Tables())
    for index in (62, 63):
        assert rewritten(hpack.indexed(index), tables)[0] == hpack.indexed(index)


# -- frames


@pytest.mark.parametrize("padding", [0, 1, 3, 4, 5, 255])
@pytest.mark.parametrize("kind", [f.FrameType.DATA, f.FrameType.HEADERS, f.FrameType.PUSH_PROMISE])
def test_padding_is_not_content(padding: int, kind: f.FrameType) -> None:
    """Padding that is longer than the rest of the frame leaves no content."""
    rest = b"abcd" + b"efgh"
    frame = f.Frame(kind, 8 | 4, 3, bytes((padding,)) + rest)
    [unit], held = units(b"", frame.serialize())
    assert held == b""
    whole = rest[: len(rest) - padding] if padding <= len(rest) else b""
    fixed = 4 if kind == f.FrameType.PUSH_PROMISE else 0
    assert (unit.fixed, unit.content) == (whole[:fixed], whole[fixed:])
    assert (unit.kind, unit.stream, unit.octets) == (kind, 3, frame.serialize())


def test_padding_without_a_length_is_left_as_it_is() -> None:
    frame = f.Frame(f.FrameType.DATA, 8, 3, b"")
    [unit], _ = units(b"", frame.serialize())
    assert (unit.content, unit.octets) == (b"", frame.serialize())


@pytest.mark.parametrize("kind", range(11))
def test_flags_count_for_the_frames_that_have_them(kind: int) -> None:
    frame = f.Frame(kind, 8 | 32 | 4, 0x80000003, b"\2abcdefghijkl")
    [unit], _ = units(b"", frame.serialize())
    assert unit.stream == 3
    assert unit.is_block is (kind in {1, 5})
    padded, fixed = kind in {0, 1, 5}, {5: 4, 7: 8}.get(kind, 0)
    rest = b"abcdefghij" if padded else b"\2abcdefghijkl"
    if kind == 1:
        rest = rest[5:]
    assert (unit.fixed, unit.content) == (rest[:fixed], rest[fixed:])
    again = unit.with_content(unit.content)
    assert again.flags == (8 | 32 | 4) & ~(8 if padded else 0) & ~(32 if kind in {1, 5} else 0)
    [same], _ = units(b"", again.octets)
    assert (same.fixed, same.content, same.octets) == (unit.fixed, unit.content, again.octets)


def test_what_frames_say_of_other_streams() -> None:
    [goaway], _ = units(b"", f.goaway(0x80000005, 1, b"x").serialize())
    [promise], _ = units(b"", f.push_promise(1, 4, b"\x82").serialize())
    [data], _ = units(b"", f.data(1, b"abcdefgh").serialize())
    assert [(each.last, each.promised) for each in (goaway, promise, data)] == [(5, 0), (0, 4), (0, 0)]
    moved = goaway.on_stream(0, 3)
    assert (moved.last, moved.content, len(moved.octets)) == (3, b"x", len(goaway.octets))
    block = f.serialize([f.headers(5, b"\x88", end_headers=False), f.continuation(5, b"\x82")])
    [unit], _ = units(b"", block)
    moved = unit.on_stream(3, 0)
    assert moved.octets == f.serialize([f.headers(3, b"\x88", end_headers=False), f.continuation(3, b"\x82")])
    [short], _ = units(b"", f.Frame(7, 0, 0, b"\0\0\0\1").serialize())  # too short for a GOAWAY
    assert short.on_stream(0, 3).octets == short.octets


@pytest.mark.parametrize("cut", range(1, 29))
def test_pieces_of_frames_are_opaque_until_a_frame_begins(cut: int) -> None:
    octets = f.serialize([f.data(1, b"abc"), f.ping(b"12345678")])
    assert cut < len(octets) == 29
    first, held = units(b"", octets[:cut])
    second, rest = units(held, octets[cut:])
    assert rest == b""
    assert b"".join(each.octets for each in first) == octets[:cut]
    assert b"".join(each.octets for each in second) == octets[cut:]
    kinds = [each.kind for each in (*first, *second)]
    assert kinds == ([OPAQUE, OPAQUE, 6] if cut < 12 else [0, 6] if cut == 12 else [0, OPAQUE, OPAQUE])


def test_the_parts_of_content() -> None:
    [given], _ = units(b"", f.settings((1, 2), (3, 4)).serialize())
    assert contents(given) == [b"\0\1\0\0\0\2", b"\0\3\0\0\0\4"]
    [data], _ = units(b"", f.data(1, b"ab").serialize())
    assert contents(data) == [b"a", b"b"]
    [head], _ = units(b"", f.headers(1, b"\x88" + hpack.literal("a", "b")).serialize())
    assert values(head) == [None, b"b"]


# -- numbers


@pytest.mark.parametrize("number", range(12))
def test_numbers_after_requests_were_removed(number: int) -> None:
    """Requests over HTTP/2 have odd numbers; even ones are promised, and keep theirs."""
    for gone in (set[int](), {1}, {3}, {1, 5}, {1, 3, 5}, {2}, {2, 5}):
        left = [each for each in range(1, 30, 2) if each not in gone]
        numbers = Numbers(step=2).without(*gone)
        if number in gone:
            assert numbers.new(number) == 0
        elif number % 2:
            assert numbers.new(number) == numbers.below(number) == 2 * left.index(number) + 1
        else:
            assert numbers.new(number) == number
    for gone in (set(), {1}, {2}, {1, 4}, {2, 3, 4}):
        left = [each for each in range(1, 30) if each not in gone]
        numbers = Numbers().without(*gone)
        if number and number not in gone:
            assert numbers.new(number) == left.index(number) + 1


@pytest.mark.parametrize(("gone", "kept"), [((), [1, 3]), ((1,), [1]), ((3,), [1]), ((1, 3), [])])
def test_frames_of_removed_requests_are_removed(gone: tuple[int, ...], kept: list[int]) -> None:
    sent = [f.headers(1, b"\x88"), f.data(3, b"x"), f.ping(), f.push_promise(1, 2, b"\x82")]
    octets = f.serialize(sent)
    made, wire, numbers = edited(octets, Wire(), Numbers(step=2).without(*gone), {}, {})
    left, held = units(b"", made)
    assert held == wire.held == b""
    streams = [each.stream for each in left if each.kind in {0, 1}]
    assert streams == kept
    assert [each.kind for each in left].count(6) == 1
    assert (2 in numbers.gone) is (1 in gone)


@pytest.mark.parametrize("kind", range(11))
def test_tables_are_unknown_after_a_part_of_what_may_be_a_header_block(kind: int) -> None:
    """The kind of a frame is known once its head is complete."""
    frame = f.Frame(kind, 4 if kind in {1, 5, 9} else 0, 1, b"\x82\x82\x82\x82\x82").serialize()
    for cut in range(1, len(frame)):
        head_is_known = cut >= f.HEAD_SIZE
        _, first, _ = edited(frame[:cut], Wire(), Numbers(step=2), {}, {})
        assert first.held == frame[:cut]
        assert (first.tables is None) is (not head_is_known or kind in {1, 5, 9})
        # The rest follows, alone or with another frame after it.
        for more in (b"", f.ping().serialize()):
            known = Wire(first.held)  # as if nothing were known of the first piece
            _, second, _ = edited(frame[cut:] + more, known, Numbers(step=2), {}, {})
            assert second.held == b""
            assert (second.tables is None) is (not head_is_known or kind in {1, 5, 9})


@pytest.mark.parametrize("verb", ["feed", "unasked", "ping"])
@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_only_input_over_http2_is_read_as_frames(protocol: str, verb: str) -> None:
    """Each step continues with what was incomplete at the step that it follows."""
    beginning = Beginning(1, protocol, {"identity": 7}, None, 1)
    pieces = [f.ping().serialize()[:12], f.ping().serialize()[12:15], b"\0", b""]
    bases = [0, 1, 0, 2]
    steps = [
        Entry(beginning, number, base, Call(verb, (piece,)), None, 1)
        for number, (base, piece) in enumerate(zip(bases, pieces, strict=True), 1)
    ]
    found = places(Transcript((beginning, *steps)))
    before = [b"", pieces[0], b"", pieces[0] + pieces[1]]
    read = (protocol, verb) == ("http2", "feed")
    assert [found[at].held for at in range(1, 5)] == (before if read else [b""] * 4)
