"""The passes of shrinking one by one: what they try, in which order, and what is left."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

import mint
from mint._command.remaking import Edit, remade
from mint._command.searching import Search, reduced
from mint._command.shrinking import _joined, _pairs, _with_pieces_joined, _without_steps, shrink
from mint._command.shrinking_calls import _less, with_fewer_options, with_shorter_arguments
from mint._command.shrinking_frames import with_less_in_frames, without_frames
from mint._transcripts.calls import Call
from mint.testing import frames, hpack
from mint.transcripts._reading import NEEDED, Beginning, Entry, Transcript, read_transcript

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

OPTIONS: dict[str, object] = {
    "hostname": "h",
    "port": 80,
    "scheme": "http",
    "identity": 7,
    "user_agent": "u",
}


def tried(given: object, wanted: Callable[[object], bool] = lambda _: False) -> tuple[list[object], object]:
    """Return the smaller values that are tried, and the last one that was kept."""
    every: list[object] = []
    kept = [given]

    def keeps(less: object) -> bool:
        every.append(less)
        if wanted(less):
            kept.append(less)
        return wanted(less)

    yields = sum(1 for _ in _less(given, keeps))
    assert yields == len(kept) - 1, "each smaller value is reported once"
    return every, kept[-1]


# -- values


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (0, []),
        (9, []),
        (10, [0, 1, 1]),
        (47, [0, 1, 4]),
        (1234, [0, 1, 1, 0, 10, 12, 0, 100, 123]),
        (True, []),
        (None, []),
        ("", []),
        ("ab", ["", "b", "a"]),
        (b"", []),
        (b"ab", [b"", b"b", b"a"]),
        (b"a\nb\n", [b"", b"b\n", b"a\n", b"", b"b\n", b"a\n", b"a\n\n", b"a\nb"]),
        ((), []),
        (("a", 10), [(), (10,), ("a",), ("", 10), ("a", 0), ("a", 1), ("a", 1)]),
    ],
)
def test_which_smaller_values_are_tried(given: object, expected: list[object]) -> None:
    every, kept = tried(given)
    if given == b"a\nb\n":  # first the lines, and then at most half of the octets at once
        assert every[:3] == expected[:3]
        assert {b"", b"b\n", b"a\n", b"\nb\n", b"ab\n", b"a\n\n", b"a\nb"} <= set(every)
    else:
        assert every == expected
    assert kept == given


@pytest.mark.parametrize("number", [0, 1, 4, 12, 47, 10, 100, 123])
def test_the_first_number_that_is_kept_ends_the_search(number: int) -> None:
    every, kept = tried(1234, lambda less: less == number)
    assert kept == (number if number in every else 1234)
    assert every.count(number) == (1 if number in every else 0)
    if kept == number:
        assert every[-1] == number


def test_each_item_of_a_tuple_is_shortened_where_it_is() -> None:
    given = ("abc", b"def", 444, "ghi")
    for place in range(4):
        other = ("abc"[:1], b"def"[:1], 4, "ghi"[:1])[place]

        def wanted(less: object, place: int = place, other: object = other) -> bool:
            return (
                isinstance(less, tuple)
                and len(less) == 4
                and less[:place] == given[:place]
                and less[place + 1 :] == given[place + 1 :]
                and (less[place] == other or (place != 2 and other in less[place]))
            )

        _, kept = tried(given, wanted)
        assert kept == (*given[:place], other, *given[place + 1 :])


def test_both_halves_of_pairs_are_shortened() -> None:
    given = (("name", "value"), ("other", "text"), ("x", "y"))

    def wanted(less: object) -> bool:
        if not isinstance(less, tuple) or any(len(each) != 2 for each in less):
            return False
        found = dict(less)
        return any("m" in name and "u" in value for name, value in found.items()) and len(less) >= 2

    _, kept = tried(given, wanted)
    assert kept == (("m", "u"), ("", ""))


def test_lines_are_removed_before_octets() -> None:
    given = b"one\r\ntwo\r\nthree\r\n"
    every, kept = tried(given, lambda less: isinstance(less, bytes) and b"w" in less)
    assert kept == b"w"
    assert every[:4] == [b"", b"two\r\nthree\r\n", b"three\r\n", b"two\r\n"]


@pytest.mark.parametrize(
    ("number", "lines"), [(1, []), (2, [b"", b"ab\n", b""]), (3, [b"", b"ab\nab\n", b"ab\n", b""])]
)
def test_octets_are_removed_from_the_lines_that_are_left(number: int, lines: list[bytes]) -> None:
    """Only if there are several lines, lines are removed; then octets of the line that is left."""
    every, kept = tried(b"ab\n" * number, lambda less: isinstance(less, bytes) and less.endswith(b"b\n"))
    assert kept == b"b\n"
    assert every == [*lines, b"", b"b\n", b"\n", b"b"]


@pytest.mark.parametrize("needed", [set[int](), {0}, {6}, {0, 6}, {1, 2, 5}, set(range(7))])
def test_everything_that_is_not_needed_is_removed(needed: set[int]) -> None:
    sizes = [len(left) for left in reduced(range(7), lambda some: needed <= set(some))]
    assert sizes == sorted(sizes, reverse=True)
    assert (sizes or [7])[-1] == len(needed)


def test_what_is_left_out_if_everything_is_needed() -> None:
    tries: list[list[int]] = []

    def keeps(some: Sequence[int]) -> bool:
        tries.append(list(some))
        return False

    assert list(reduced([1, 2, 3], keeps)) == []
    assert tries == [[], [2, 3], [1, 3], [1, 2]]


# -- steps


def transcript(*steps: tuple[str, int, bytes] | None, protocol: str = "http1") -> Transcript:
    """Return a connection whose steps have a verb, the step before and octets; `None` begins another one."""
    number, made = 0, list[Beginning | Entry]()
    beginning = Beginning(1, protocol, OPTIONS, None, 1)
    made.append(beginning)
    for step in steps:
        if step is None:
            beginning = Beginning(beginning.connection + 1, protocol, OPTIONS, None, 1)
            made.append(beginning)
            number = 0
            continue
        number += 1
        verb, base, octets = step
        made.append(Entry(beginning, number, base, Call(verb, (octets,)), ("= 0",), 1))
    return Transcript(tuple(made))


def shown(made: Transcript) -> list[tuple[int, int, str, object, bool]]:
    """Return the connection, base, verb and octets of each step, and whether it has results."""
    return [
        (
            part.beginning.connection,
            part.base,
            part.call.verb,
            part.call.arguments[0],
            part.results is not None,
        )
        for part in made.parts
        if isinstance(part, Entry)
    ]


@pytest.mark.parametrize(
    ("steps", "pairs"),
    [
        ([], []),
        ([("feed", 0, b"a")], []),
        ([("feed", 0, b"a"), ("feed", 1, b"b")], [(1, 2)]),
        ([("unasked", 0, b"a"), ("unasked", 1, b"b")], [(1, 2)]),
        ([("feed", 0, b"a"), ("unasked", 1, b"b")], []),
        ([("ping", 0, b"a"), ("ping", 1, b"b")], []),
        ([("feed", 0, b"a"), ("feed", 0, b"b")], []),
        ([("feed", 0, b"a"), ("feed", 1, b"b"), ("feed", 1, b"c")], []),
        ([("feed", 0, b"a"), ("feed", 1, b"b"), ("feed", 2, b"c")], [(1, 2), (2, 3)]),
        ([("feed", 0, b"a"), ("ping", 0, b"x"), ("feed", 1, b"b")], [(1, 3)]),
        ([("feed", 0, b"a"), None, ("feed", 0, b"b"), ("feed", 1, b"c")], [(3, 4)]),
    ],
)
def test_which_pieces_of_input_are_joined(
    steps: list[tuple[str, int, bytes] | None], pairs: list[tuple[int, int]]
) -> None:
    assert _pairs(transcript(*steps)) == pairs


def test_joined_pieces() -> None:
    """The results of a joined step and of those after it are not known; the others stay."""
    whole = transcript(
        ("ping", 0, b"x"),
        ("feed", 1, b"a"),
        ("feed", 2, b"b"),
        ("feed", 3, b"c"),
        ("ping", 4, b"y"),
        None,
        ("feed", 0, b"z"),
    )
    assert shown(_joined(whole, [(2, 3)])) == [
        (1, 0, "ping", b"x", True),
        (1, 1, "feed", b"ab", False),
        (1, 2, "feed", b"c", False),
        (1, 4, "ping", b"y", False),
        (2, 0, "feed", b"z", False),
    ]
    assert shown(_joined(whole, [(2, 3), (3, 4)])) == [
        (1, 0, "ping", b"x", True),
        (1, 1, "feed", b"abc", False),
        (1, 2, "ping", b"y", False),
        (2, 0, "feed", b"z", False),
    ]
    assert shown(_joined(whole, [(3, 4)]))[1:3] == [(1, 1, "feed", b"a", True), (1, 2, "feed", b"bc", False)]


def test_pieces_are_joined_after_steps_with_other_arguments() -> None:
    beginning = Beginning(1, "http1", OPTIONS, None, 1)
    calls = [
        Call("at", (5,)),
        Call("feed", (b"a",)),
        Call("ping", ()),
        Call("feed", (b"b",)),
        Call("feed", (b"c",)),
    ]
    steps = [Entry(beginning, number, number - 1, call, None, 1) for number, call in enumerate(calls, 1)]
    made = _joined(Transcript((beginning, *steps)), [(4, 5)])
    assert [part.call for part in made.parts if isinstance(part, Entry)] == [
        *calls[:3],
        Call("feed", (b"bc",)),
    ]


def test_passes_are_repeated_until_nothing_changes() -> None:
    """The pieces can be joined only after the option was left out, which is tried last."""
    beginning = Beginning(1, "http1", {**OPTIONS, "max_fields": 10}, None, 1)
    steps = [Entry(beginning, number, number - 1, Call("feed", (b"a",)), None, 1) for number in (1, 2)]

    def check(candidate: Transcript) -> bool:
        first, *rest = candidate.parts
        assert isinstance(first, Beginning)
        octets = [part.call.arguments[0] for part in rest if isinstance(part, Entry)]
        return octets == [b"a", b"a"] or (octets == [b"aa"] and "max_fields" not in first.options)

    *_, best = shrink(Transcript((beginning, *steps)), check)
    assert [each[3] for each in shown(best)] == [b"aa"]


@pytest.mark.parametrize("pieces", [2, 3, 4])
@pytest.mark.parametrize("kept", [1, 2, 3])
def test_pieces_are_joined_at_once_or_pair_by_pair(pieces: int, kept: int) -> None:
    """The check accepts transcripts with exactly so many pieces."""
    whole = transcript(*(("feed", number, b"%d" % number) for number in range(pieces)))
    search = Search(whole, lambda candidate: len(candidate.parts) - 1 == kept)
    assert len(list(_with_pieces_joined(search))) == (kept in {1, pieces - 1})
    assert len(search.best.parts) - 1 == (kept if kept in {1, pieces - 1} else pieces)
    joined = b"".join(each for *_, each, _ in shown(search.best) if isinstance(each, bytes))
    assert joined == b"0123"[:pieces]


@pytest.mark.parametrize(
    "refused", [set[bytes](), {b"ab"}, {b"bc"}, {b"cd"}, {b"ab", b"cd"}, {b"ab", b"bc", b"cd"}]
)
def test_pieces_that_cannot_be_joined_are_tried_once(refused: set[bytes]) -> None:
    """First all together, if there are several pairs; each refused pair stays apart."""
    for octets in (b"ab", b"abc", b"abcd"):
        sent = [octets[at : at + 1] for at in range(len(octets))]
        whole = transcript(("ping", 0, b"x"), *(("feed", at + 1, each) for at, each in enumerate(sent)))
        seen: list[list[bytes]] = []

        def check(candidate: Transcript, seen: list[list[bytes]] = seen) -> bool:
            pieces = [each for _, _, verb, each, _ in shown(candidate) if verb == "feed"]
            seen.append([each for each in pieces if isinstance(each, bytes)])
            return not any(each in piece for piece in seen[-1] for each in refused)

        search = Search(whole, check)
        list(_with_pieces_joined(search))
        left = [sent[0]]
        for each in sent[1:]:
            if left[-1][-1:] + each in refused:
                left.append(each)
            else:
                left[-1] += each
        assert [each for _, _, verb, each, _ in shown(search.best) if verb == "feed"] == left
        # All at once, and then one try for each place where two pieces meet.
        tries = 1 if len(sent) == 2 or not any(each in octets for each in refused) else len(sent)
        assert len(seen) == tries


@pytest.mark.parametrize("first", [b"a", b"abc", b"a" * 1000])
@pytest.mark.parametrize("second", [b"b", b"bcd"])
def test_the_first_connection_that_is_enough_is_kept(first: bytes, second: bytes) -> None:
    """Also if another one is enough and smaller."""
    whole = transcript(("feed", 0, first), None, ("feed", 0, second), None, ("feed", 0, b"c"))
    search = Search(whole, lambda candidate: any(isinstance(part, Entry) for part in candidate.parts))
    assert sum(1 for _ in _without_steps(search)) == 1
    [[connection, *_, octets, _]] = shown(search.best)
    assert (connection, octets) == (1, first)
    assert [part.connection for part in search.best.parts if isinstance(part, Beginning)] == [1]


@pytest.mark.parametrize("wanted", [1, 2, 3])
def test_a_connection_that_is_not_enough_is_not_kept(wanted: int) -> None:
    whole = transcript(("feed", 0, b"a"), None, ("feed", 0, b"b"), None, ("feed", 0, b"c"))
    step = (wanted, 0, "feed", b"abc"[wanted - 1 : wanted])
    *_, best = shrink(whole, lambda candidate: step in [each[:4] for each in shown(candidate)])
    assert [each[:4] for each in shown(best)] == [step]
    assert [part.connection for part in best.parts if isinstance(part, Beginning)] == [wanted]


def test_without_any_step_one_connection_is_left() -> None:
    whole = transcript(("feed", 0, b"a"), None, ("feed", 0, b"b"))
    *_, best = shrink(whole, lambda _: True)
    assert [part.connection for part in best.parts if isinstance(part, Beginning)] == [1]
    assert shown(best) == []


@pytest.mark.parametrize("protocol", ["http1", "http2"])
@pytest.mark.parametrize("gone", [(), (1,), (2,), (3,), (1, 2), (1, 3), (1, 2, 3)])
def test_requests_get_the_refs_that_a_replay_gives_them(protocol: str, gone: tuple[int, ...]) -> None:
    out = io.StringIO()
    initiate = mint.http1.initiate if protocol == "http1" else mint.http2.initiate
    conn: mint.Connection = initiate(
        mint.transport.Memory(), scheme="https", hostname="example.org", identity=7, record=out
    )
    for number in range(4):
        conn, _ = conn.request("GET", f"/{number}")
    with pytest.raises(mint.MintError) as caught:
        conn.request("GET", "/\n")
    conn.after(caught.value)
    whole = read_transcript(io.StringIO(out.getvalue()))
    made = remade(whole, Edit(gone=frozenset(gone)))
    refs = [part.ref for part in made.parts if isinstance(part, Entry)]
    step = 2 if protocol == "http2" else 1
    assert refs == [*(1 + step * number for number in range(4 - len(gone))), 0]
    # Edits can follow each other, so a second one has to find what the first one made.
    again = remade(made, Edit(gone=frozenset({1})))
    refs = [part.ref for part in again.parts if isinstance(part, Entry)]
    assert refs == [*(1 + step * number for number in range(3 - len(gone))), 0]


# -- what the server sends


def input_of(made: Transcript) -> list[bytes]:
    """Return the input of each step."""
    return [
        octets
        for part in made.parts
        if isinstance(part, Entry) and isinstance(octets := part.call.arguments[0], bytes)
    ]


def test_what_a_removed_step_put_into_the_table_is_put_there_by_the_next() -> None:
    first = frames.headers(1, hpack.literal("n", "v", "incremental"))
    second = frames.headers(1, hpack.indexed(62))
    whole = transcript(("feed", 0, first.serialize()), ("feed", 1, second.serialize()), protocol="http2")
    assert input_of(remade(whole, Edit(gone=frozenset({1})))) == [first.serialize()]


@pytest.mark.parametrize("cut", range(1, 17))
def test_the_rest_of_a_frame_that_began_in_a_removed_step_is_no_frame(cut: int) -> None:
    """So the number 1 is that of the frame after it."""
    ping, settings = frames.ping().serialize(), frames.settings((1, 2)).serialize()
    whole = transcript(
        ("feed", 0, settings + ping[:cut]), ("feed", 1, ping[cut:] + settings), protocol="http2"
    )
    made = remade(whole, Edit(gone=frozenset({1}), units={2: {1: None}}))
    assert input_of(made) == [ping[cut:]]


def test_promises_of_a_removed_step_are_forgotten() -> None:
    """What follows on their streams is removed, too."""
    promise = frames.push_promise(1, 2, hpack.indexed(2)).serialize()
    rest = [frames.headers(2, hpack.indexed(8)), frames.data(2, b"x", end=True)]
    ping = frames.ping().serialize()
    whole = transcript(("feed", 0, promise), ("feed", 1, frames.serialize(rest) + ping), protocol="http2")
    assert input_of(remade(whole, Edit(gone=frozenset({1})))) == [ping]


@pytest.mark.parametrize("places", [[0], [0, 2], [1, 3], [0, 1, 2, 3]])
def test_only_frames_over_http2_are_removed(places: list[int]) -> None:
    """The transcript has connections over both protocols, in any order."""
    ping = frames.ping().serialize()
    parts: list[Beginning | Entry] = []
    for number in range(4):
        protocol = "http2" if number in places else "http1"
        beginning = Beginning(number + 1, protocol, OPTIONS, None, 1)
        parts += [beginning, Entry(beginning, 1, 0, Call("feed", (ping,)), None, 1)]
    search = Search(Transcript(tuple(parts)), lambda _: True)
    list(without_frames(search))
    assert input_of(search.best) == [b"" if number in places else ping for number in range(4)]


@pytest.mark.parametrize(
    "frame", [frames.data(1, b"abc"), frames.settings((1, 2), (3, 4)), frames.goaway(0, 0, b"abc")]
)
def test_content_of_frames_is_removed_in_its_units(frame: frames.Frame) -> None:
    """Octets, settings or debug data: what is left is a frame of the same type without them."""
    whole = transcript(("feed", 0, frame.serialize()), protocol="http2")

    def check(candidate: Transcript) -> bool:
        [octets] = input_of(candidate)
        return len(octets) >= 9 and octets[3] == frame.type

    search = Search(whole, check)
    assert list(with_less_in_frames(search))
    [left] = input_of(search.best)
    assert left[3] == frame.type
    assert len(left) == 9 + (8 if frame.type == frames.FrameType.GOAWAY else 0)


# -- options


@pytest.mark.parametrize("needed", [set[str](), {"max_fields"}, {"proxy_headers", "tolerance"}])
def test_options_are_left_out_unless_they_matter(needed: set[str]) -> None:
    """Those without which there is no engine stay, and their text gets shorter."""
    options = {**OPTIONS, "max_fields": 10, "proxy_headers": (), "tolerance": 3, "hostname": "example.org"}
    whole = Transcript((Beginning(1, "http1", options, None, 1),))
    seen: list[dict[str, object]] = []

    def check(candidate: Transcript) -> bool:
        [beginning] = candidate.parts
        assert isinstance(beginning, Beginning)
        seen.append(beginning.options)
        return needed <= set(beginning.options)

    search = Search(whole, check)
    assert list(with_fewer_options(search))
    [best] = search.best.parts
    assert isinstance(best, Beginning)
    assert all(set(NEEDED) <= set(each) for each in seen)
    kept = {name: options[name] for name in needed}
    text = {name: best.options[name] for name in ("hostname", "user_agent")}
    assert best.options == {**OPTIONS, **kept, **text}
    assert max(map(len, map(str, text.values()))) <= 1


@pytest.mark.parametrize("place", range(4))
def test_each_argument_is_shortened_and_the_others_stay(place: int) -> None:
    """What was shortened in one argument stays so while the next ones are shortened."""
    beginning = Beginning(1, "http1", OPTIONS, None, 1)
    given = (b"one", "two", 333, (b"four",))
    other = Entry(beginning, 1, 0, Call("feed", (b"",)), None, 1)
    step = Entry(beginning, 2, 1, Call("call", given), None, 1)
    seen: list[tuple[object, ...]] = []

    def check(candidate: Transcript) -> bool:
        part = candidate.parts[2]
        assert isinstance(part, Entry)
        assert (candidate.parts[:2], part.call.verb) == ((beginning, other), "call")
        seen.append(part.call.arguments)
        return part.call.arguments[place] == given[place]

    search = Search(Transcript((beginning, other, step)), check)
    assert list(with_shorter_arguments(search))
    least: list[object] = [b"", "", 0, ()]
    least[place] = given[place]
    best = search.best.parts[2]
    assert isinstance(best, Entry)
    assert best.call == Call("call", tuple(least))
    for each in seen:
        changed = [at for at in range(4) if each[at] != given[at]]
        last = max(changed)
        # Each earlier one is as short as it gets, and each later one as it was.
        assert each[:last] == tuple(least[:last])
        assert each[last + 1 :] == given[last + 1 :]


def test_options_of_every_connection_are_left_out() -> None:
    parts: list[Beginning | Entry] = []
    for number in (1, 2):
        beginning = Beginning(number, "http1", {**OPTIONS, "max_fields": 10}, None, 1)
        parts += [beginning, Entry(beginning, 1, 0, Call("feed", (b"a",)), None, 1)]
    search = Search(Transcript(tuple(parts)), lambda candidate: len(candidate.parts) == 4)
    list(with_fewer_options(search))
    left = [part.options for part in search.best.parts if isinstance(part, Beginning)]
    assert [set(options) for options in left] == [set(NEEDED)] * 2
