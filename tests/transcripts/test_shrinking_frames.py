"""How frames are read and shortened when a transcript is shrunk: each flag, each limit, each connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mint._command.block_edits import fields_of
from mint._command.frame_edits import CONTINUATION, OPAQUE, Numbers, Unit, Wire, edited, units
from mint._command.searching import Search
from mint._command.shrinking_frames import _frames, with_less_in_frames, without_frames, without_streams
from mint._transcripts.calls import Call
from mint.testing import frames as f
from mint.testing import hpack
from mint.transcripts._reading import Beginning, Entry, Transcript

from .test_shrinking_parts import OPTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

END_HEADERS, PADDED, PRIORITY = 4, 8, 32
BLOCK = hpack.literal("n", "v")


def unit_of(*sent: f.Frame) -> Unit:
    [found], held = units(b"", f.serialize(sent))
    assert held == b""
    return found


# -- reading frames


@pytest.mark.parametrize("flag", [0, *(1 << bit for bit in range(8))])
@pytest.mark.parametrize("kind", range(11))
def test_each_flag_of_each_frame(kind: int, flag: int) -> None:
    """No flag but PADDED and PRIORITY says that something precedes the content, and END_HEADERS is added."""
    flags = flag | END_HEADERS if kind in {1, 5} else flag
    payload = b"\1abcdefghijklmn"
    rest = payload
    if flag == PADDED and kind in {0, 1, 5}:
        rest = payload[1:-1]
    if flag == PRIORITY and kind == 1:
        rest = payload[5:]
    size = {5: 4, 7: 8}.get(kind, 0)
    left = flags & ~{0: PADDED, 1: PADDED | PRIORITY, 5: PADDED | PRIORITY}.get(kind, 0)
    for stream in (0, 1, 0x01020305, 0x7FFFFFFF, 0x80000003):
        octets = f.Frame(kind, flags, stream, payload).serialize()
        [unit], held = units(b"", octets)
        stream_id = stream & 0x7FFFFFFF
        assert unit == Unit(octets, kind, flags, stream_id, rest[:size], rest[size:])
        assert held == b""
        made = f.Frame(kind, left, stream_id, rest[:size] + b"new").serialize()
        assert unit.with_content(b"new") == Unit(made, kind, left, stream_id, rest[:size], b"new")


@pytest.mark.parametrize("padding", [0, 1, 2, 3, 4, 5, 255])
@pytest.mark.parametrize("kind", [f.FrameType.HEADERS, f.FrameType.PUSH_PROMISE])
def test_a_padded_block_goes_on_after_its_padding(kind: f.FrameType, padding: int) -> None:
    """If the padding is too long, the frames stay as they are, with no content to shorten."""
    sent = f.serialize(
        [
            f.Frame(kind, PADDED, 1, bytes((padding,)) + b"abcd"),
            f.continuation(1, b"ef", end_headers=False),
            f.continuation(1, b"g"),
        ]
    )
    [unit], held = units(b"", sent)
    assert (unit.octets, held) == (sent, b"")
    whole = b"abcd"[: 4 - padding] if padding <= 4 else b""
    size = 4 if kind == f.FrameType.PUSH_PROMISE else 0
    if padding <= 4:
        assert (unit.fixed, unit.content) == (whole[:size], whole[size:] + b"efg")
    else:
        assert unit == Unit(sent, kind, PADDED, 1)


def opaque(octets: bytes) -> Unit:
    return Unit(octets, OPAQUE, 0, 0, b"", b"")


@pytest.mark.parametrize("kind", [f.FrameType.HEADERS, f.FrameType.PUSH_PROMISE])
@pytest.mark.parametrize("following", range(11))
def test_a_block_ends_where_another_frame_begins(kind: f.FrameType, following: int) -> None:
    """A block without END_HEADERS is incomplete until the type of the next frame is known."""
    block = f.Frame(kind, 0, 1, b"abcdef").serialize()
    other = f.Frame(following, END_HEADERS, 1, b"ghij").serialize()
    for cut in range(len(other) + 1):
        found, held = units(b"", block + other[:cut])
        if cut < 4 or (following == CONTINUATION and cut < len(other)):
            assert (found, held) == ([opaque(block + other[:cut])], block + other[:cut])
        elif following == CONTINUATION:
            [unit] = found
            assert (unit.octets, unit.content[-4:], held) == (block + other, b"ghij", b"")
        else:
            assert found[0].octets == block
            assert found[1:] == ([opaque(other[:cut])] if cut < len(other) else units(b"", other)[0])
            assert held == (other[:cut] if cut < len(other) else b"")


@pytest.mark.parametrize("frame", [f.ping(), f.data(1, b"abc"), f.Frame(9, END_HEADERS, 1, b"ab")])
def test_pieces_of_frames_have_no_fields(frame: f.Frame) -> None:
    whole = frame.serialize()
    for cut in range(1, len(whole)):
        assert units(b"", whole[:cut]) == ([opaque(whole[:cut])], whole[:cut])
        assert units(whole[:cut], whole[cut:]) == ([opaque(whole[cut:])], b"")
    assert units(b"", b"") == ([], b"")
    assert units(whole[:1], b"") == ([], whole[:1])


# -- numbers


@pytest.mark.parametrize("last", range(8))
@pytest.mark.parametrize("gone", [(1,), (3,), (1, 3), (5,), (1, 2, 5)])
def test_the_last_stream_of_goaway_counts_the_requests_before_it(last: int, gone: tuple[int, ...]) -> None:
    numbers = Numbers(step=2).without(*gone)
    made, wire, after = edited(f.goaway(last, 1, b"x").serialize(), Wire(), numbers, {}, {})
    new = last - 2 * sum(1 for each in gone if each < last and each % 2) if last % 2 else last
    assert (made, wire, after) == (f.goaway(new, 1, b"x").serialize(), Wire(), numbers)


@pytest.mark.parametrize("kind", range(11))
def test_reserved_bits_of_streams_stay_unless_requests_were_removed(kind: int) -> None:
    octets = f.Frame(
        kind, END_HEADERS if kind in {1, 5} else 0, 0x80000003, b"\x80\0\0\3\0\0\0\0x"
    ).serialize()
    assert edited(octets, Wire(), Numbers(step=2), {}, {})[0] == octets
    new = (
        octets[:5] + b"\0\0\0\1" + (b"\0\0\0\1" if kind == f.FrameType.GOAWAY else octets[9:13]) + octets[13:]
    )
    assert edited(octets, Wire(), Numbers(step=2).without(1), {}, {})[0] == new


# -- passes


def fed(*pieces: bytes, connection: int = 1, protocol: str = "http2") -> list[Beginning | Entry]:
    beginning = Beginning(connection, protocol, OPTIONS, None, 1)
    return [
        beginning,
        *(
            Entry(beginning, number, number - 1, Call("feed", (piece,)), None, 1)
            for number, piece in enumerate(pieces, 1)
        ),
    ]


def input_of(made: Transcript) -> list[bytes]:
    return [
        octets
        for part in made.parts
        if isinstance(part, Entry) and isinstance(octets := part.call.arguments[0], bytes)
    ]


def after(
    run: Callable[[Search], Iterator[None]],
    parts: list[Beginning | Entry],
    check: Callable[[list[bytes]], bool] = lambda _: True,
) -> tuple[list[bytes], list[list[bytes]]]:
    """Run a pass; return the input that is left, and every input that was checked.

    It yields exactly once for each smaller transcript.
    """
    seen: list[list[bytes]] = []
    accepted = 0

    def passes(candidate: Transcript) -> bool:
        nonlocal accepted
        seen.append(input_of(candidate))
        accepted += check(seen[-1])
        return check(seen[-1])

    search = Search(Transcript(tuple(parts)), passes)
    yielded = sum(1 for _ in run(search))
    assert yielded == accepted
    return input_of(search.best), seen


@pytest.mark.parametrize("verb", ["feed", "unasked"])
@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_frames_are_found_in_input_over_http2(protocol: str, verb: str) -> None:
    beginning = Beginning(3, protocol, OPTIONS, None, 1)
    ping, data = f.ping().serialize(), f.data(1, b"a").serialize()
    calls = [Call("ping", (ping,)), Call(verb, (ping + data[:4],)), Call(verb, (data[4:] + ping,))]
    steps = [Entry(beginning, number, number - 1, call, None, 1) for number, call in enumerate(calls, 1)]
    found = _frames(Transcript((beginning, *steps)))
    expected = [(2, 0, 3, unit_of(f.ping())), (3, 1, 3, unit_of(f.ping()))]
    if (protocol, verb) != ("http2", "feed"):
        expected = []
    assert [(each.at, each.number, each.connection, each.unit) for each in found] == expected
    assert [each.key for each in found] == [each[:2] for each in expected]


def test_the_frames_of_each_stream_of_each_connection_are_removed_together() -> None:
    one, three, none = f.data(1, b"a").serialize(), f.data(3, b"b").serialize(), f.ping().serialize()
    pieces = [one + three, none + one]
    parts = [*fed(*pieces), *fed(*pieces, connection=2)]
    left, seen = after(without_streams, parts)
    assert left == [b"", b"", b"", b""]
    assert seen == [
        [three, none, *pieces],
        [b"", none, *pieces],
        [b"", b"", *pieces],
        [b"", b"", three, none],
        [b"", b"", b"", none],
        [b"", b"", b"", b""],
    ]
    left, seen = after(without_streams, parts, lambda _: False)
    assert left == pieces * 2
    assert seen == [
        [three, none, *pieces],
        [one, none + one, *pieces],
        [one + three, one, *pieces],
        [*pieces, three, none],
        [*pieces, one, none + one],
        [*pieces, one + three, one],
    ]


@pytest.mark.parametrize("kept", range(4))
def test_frames_are_removed_one_by_one(kept: int) -> None:
    sent = [f.data(1, bytes((each,))).serialize() for each in range(4)]
    left, seen = after(
        without_frames,
        fed(sent[0] + sent[1], sent[2] + sent[3]),
        lambda made: sent[kept] in b"".join(made),
    )
    assert left == ([sent[kept], b""] if kept < 2 else [b"", sent[kept]])
    assert seen[0] == [b"", b""]


@pytest.mark.parametrize(
    ("sent", "less"),
    [
        (f.data(1, b"abc", padding=3), f.data(1, b"abc")),
        (f.data(1, b"abc", padding=0, end=True), f.data(1, b"abc", end=True)),
        (f.headers(1, BLOCK, padding=2), f.headers(1, BLOCK)),
        (f.Frame(1, END_HEADERS | PRIORITY, 1, bytes(5) + BLOCK), f.headers(1, BLOCK)),
        (f.push_promise(1, 2, BLOCK, padding=1), f.push_promise(1, 2, BLOCK)),
    ],
    ids=str,
)
def test_padding_and_priority_are_removed_although_the_content_is_needed(
    sent: f.Frame, less: f.Frame
) -> None:
    """In each frame, also after one that has none."""
    first = f.ping().serialize()
    size, content = len(first), unit_of(less).content

    def check(made: list[bytes]) -> bool:
        second = made[1]
        return made[0] == second[:size] == second[-size:] == first and content in second[size:-size]

    left, _ = after(with_less_in_frames, fed(first, first + sent.serialize() + first), check)
    assert left == [first, first + less.serialize() + first]


def test_a_block_in_several_frames_becomes_one_frame() -> None:
    block = f.serialize([f.headers(1, BLOCK[:2], end_headers=False), f.continuation(1, BLOCK[2:])])
    left, _ = after(with_less_in_frames, fed(block), lambda made: BLOCK in made[0])
    assert left == [f.headers(1, BLOCK).serialize()]


FIELDS = [hpack.literal(name, value) for name, value in (("a", "one"), ("b", "two"), ("c", "three"))]


@pytest.mark.parametrize("needed", [set[int](), {0}, {1}, {2}, {0, 2}, {1, 2}, {0, 1, 2}])
def test_fields_that_are_not_needed_are_removed(needed: set[int]) -> None:
    """Of the second frame, not of the first, and their values stay if they are needed."""
    ping = f.ping().serialize()
    block = b"".join(FIELDS)
    left, seen = after(
        with_less_in_frames,
        fed(ping, ping + f.headers(1, block).serialize()),
        lambda made: made[1][:17] == ping and all(FIELDS[each] in made[1] for each in needed),
    )
    least = f.headers(1, b"".join(FIELDS[each] for each in sorted(needed))).serialize()
    assert left[1] == ping + least
    for _, octets in seen:
        _, head = units(b"", octets)[0]
        assert head.kind == f.FrameType.HEADERS
        assert head.octets == f.headers(1, head.content).serialize(), "every candidate is a whole frame"


@pytest.mark.parametrize("needed", ["", "t", "wo", "two"])
@pytest.mark.parametrize("kind", [f.FrameType.HEADERS, f.FrameType.PUSH_PROMISE])
def test_values_of_fields_are_shortened(kind: f.FrameType, needed: str) -> None:
    """What is no literal, such as an index, has no value; it stays if it is needed."""
    fixed = b"" if kind == f.FrameType.HEADERS else b"\0\0\0\2"
    block = hpack.indexed(2) + FIELDS[1] + hpack.indexed(8) + FIELDS[2]

    def frame(content: bytes) -> bytes:
        return f.Frame(kind, END_HEADERS, 1, fixed + content).serialize()

    def check(made: list[bytes]) -> bool:
        [found], _ = units(b"", made[0])
        fields = list(read(found.content))
        kept = [each for each in fields if not each.startswith(("b ", "c "))]
        return kept == ["2", "8"] and any(each.startswith("b ") and needed in each[2:] for each in fields)

    left, _ = after(with_less_in_frames, fed(frame(block)), check)
    assert left == [frame(hpack.indexed(2) + hpack.literal("b", needed) + hpack.indexed(8))]


def read(block: bytes) -> Iterator[str]:
    """Yield the index of each field, or its name and its value."""
    for each in fields_of(block):
        value = (each.text or b"").decode()
        yield str(each.number) if each.name is None else f"{each.name.octets.decode()} {value}"
