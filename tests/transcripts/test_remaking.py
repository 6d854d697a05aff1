"""Transcripts made from others: which results stay, how refs are renamed, and what a transcript weighs."""

from __future__ import annotations

import pytest

from mint._command.frame_edits import Numbers
from mint._command.remaking import Edit, _renamed, _size, remade, weight
from mint._core.events import RequestRef
from mint._transcripts.calls import Call
from mint.transcripts._reading import Beginning, Entry, Transcript

OPTIONS: dict[str, object] = {"hostname": "h", "port": 80, "identity": 7}


def step(beginning: Beginning, number: int, base: int, *arguments: object, verb: str = "ping") -> Entry:
    return Entry(beginning, number, base, Call(verb, arguments), ("= 0",), 1)


def two_connections() -> Transcript:
    """Return two connections of three steps each, one after the other in turn."""
    first, second = (Beginning(number, "http1", OPTIONS, (". 0",), 1) for number in (1, 2))
    return Transcript(
        (
            first,
            step(first, 1, 0, b"a"),
            second,
            step(second, 1, 0, b"x"),
            step(first, 2, 1, b"b"),
            step(second, 2, 1, b"y"),
            step(first, 3, 2, b"c"),
            step(second, 3, 2, b"z"),
        )
    )


def shown(made: Transcript) -> list[tuple[int, int, int, object, bool]]:
    """Return the connection, number, base, argument and whether there are results; 0 for beginnings."""
    return [
        (part.connection, 0, 0, None, part.results is not None)
        if isinstance(part, Beginning)
        else (
            part.beginning.connection,
            part.number,
            part.base,
            part.call.arguments[0],
            part.results is not None,
        )
        for part in made.parts
    ]


def test_without_changes_nothing_changes() -> None:
    whole = two_connections()
    assert remade(whole, Edit()) == whole
    same = whole.parts[4]
    assert isinstance(same, Entry)
    assert remade(whole, Edit(calls={4: same.call})) == whole


def test_results_are_kept_up_to_a_removed_step() -> None:
    """Those of other connections are all kept; the steps after it follow the step before it."""
    assert shown(remade(two_connections(), Edit(gone=frozenset({4})))) == [
        (1, 0, 0, None, True),
        (1, 1, 0, b"a", True),
        (2, 0, 0, None, True),
        (2, 1, 0, b"x", True),
        (2, 2, 1, b"y", True),
        (1, 2, 1, b"c", False),
        (2, 3, 2, b"z", True),
    ]


def test_results_are_kept_up_to_a_changed_call() -> None:
    assert shown(remade(two_connections(), Edit(calls={5: Call("ping", (b"?",))}))) == [
        (1, 0, 0, None, True),
        (1, 1, 0, b"a", True),
        (2, 0, 0, None, True),
        (2, 1, 0, b"x", True),
        (1, 2, 1, b"b", True),
        (2, 2, 1, b"?", False),
        (1, 3, 2, b"c", True),
        (2, 3, 2, b"z", False),
    ]


def test_no_results_are_kept_with_other_options() -> None:
    made = remade(two_connections(), Edit(options={2: {**OPTIONS, "port": 81}}))
    assert [part[4] for part in shown(made)] == [part[0] == 1 for part in shown(made)]
    changed = made.parts[2]
    assert isinstance(changed, Beginning)
    assert changed.options["port"] == 81
    entries = [part for part in made.parts if isinstance(part, Entry) and part.beginning.connection == 2]
    assert all(part.beginning is changed for part in entries)


def test_steps_that_continue_from_old_values() -> None:
    """A step whose base was removed continues from the base of that one."""
    beginning = Beginning(1, "http1", OPTIONS, None, 1)
    steps = [
        step(beginning, number, base, b"%d" % number) for number, base in ((1, 0), (2, 1), (3, 1), (4, 2))
    ]
    whole = Transcript((beginning, *steps))
    gone = [shown(remade(whole, Edit(gone=frozenset({at})))) for at in (1, 2, 3)]
    assert [[(number, base, octets) for _, number, base, octets, _ in each[1:]] for each in gone] == [
        [(1, 0, b"2"), (2, 0, b"3"), (3, 1, b"4")],
        [(1, 0, b"1"), (2, 1, b"3"), (3, 1, b"4")],
        [(1, 0, b"1"), (2, 1, b"2"), (3, 2, b"4")],
    ]
    assert [part[4] for part in gone[1][1:]] == [True, False, False]


@pytest.mark.parametrize("gone", [set[int](), {1}, {3}, {5}, {1, 3}])
def test_refs_are_renamed_unless_their_request_was_removed(gone: set[int]) -> None:
    numbers = Numbers(step=2).without(*gone)
    call = Call("cancel", (b"a", RequestRef(7, 3), RequestRef(8, 3), 3))
    found = _renamed(call, numbers, 7)
    if not gone:
        assert found is call
    elif 3 in gone:
        assert found is None
    else:
        new = 1 if 1 in gone else 3
        assert found == Call("cancel", (b"a", RequestRef(7, new), RequestRef(8, 3), 3))


def test_a_removed_request_takes_its_calls_with_it() -> None:
    beginning = Beginning(1, "http2", OPTIONS, None, 1)
    requests = [
        Entry(
            beginning,
            number,
            number - 1,
            Call("request", ("GET",)),
            (f"= {2 * number - 1}",),
            1,
            2 * number - 1,
        )
        for number in (1, 2)
    ]
    cancels = [step(beginning, 2 + number, 1 + number, RequestRef(7, 2 * number - 1)) for number in (1, 2)]
    whole = Transcript((beginning, *requests, *cancels))
    for gone, left in ((1, 4), (2, 3)):
        _, request, cancel = remade(whole, Edit(gone=frozenset({gone}))).parts
        assert isinstance(request, Entry)
        assert isinstance(cancel, Entry)
        assert (request.ref, request.number, cancel.number, cancel.base) == (1, 1, 2, 1)
        assert cancel.call.arguments == (RequestRef(7, 1),)
        assert (request.results is None) is (gone == 1)
        assert isinstance(whole.parts[left], Entry)


@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize(("protocol", "apart"), [("http1", 1), ("http2", 2)])
@pytest.mark.parametrize("gone", range(1, 6))
def test_refs_follow_from_the_requests_before_if_none_were_recorded(
    protocol: str, apart: int, recorded: bool, gone: int
) -> None:
    """A request that was refused has the ref 0, and the next one gets the number after the others."""
    beginning = Beginning(1, protocol, OPTIONS, None, 1)
    refs = [1, 1 + apart, 0, 1 + 2 * apart, 1 + 3 * apart]
    parts: list[Beginning | Entry] = [beginning]
    for number, ref in enumerate(refs, 1):
        known = ref if recorded or not ref else None
        parts.append(Entry(beginning, number, number - 1, Call("request", ("GET",)), None, 1, known))
    parts += [
        step(beginning, 6 + number, 5 + number, RequestRef(7, ref))
        for number, ref in enumerate(each for each in refs if each)
    ]
    taken = refs.pop(gone - 1)
    if taken:  # the call that uses it goes with it
        refs = [ref - apart if ref > taken else ref for ref in refs]
    made = remade(Transcript(tuple(parts)), Edit(gone=frozenset({gone}))).parts[1:]
    begun = [part.ref for part in made if isinstance(part, Entry) and part.call.verb == "request"]
    used = [part.call.arguments for part in made if isinstance(part, Entry) and part.call.verb == "ping"]
    assert begun == refs
    assert used == [(RequestRef(7, ref),) for ref in refs if ref]


# -- the weight


@pytest.mark.parametrize(
    ("given", "size"),
    [
        (b"", 1),
        (b"abc", 4),
        ("", 1),
        ("ab", 3),
        (0, 1),
        (123, 3),
        (None, 4),
        (True, 4),
        ((), 1),
        ((b"a", "bc"), 6),
        ((("a", "b"), ("c", "d")), 11),
        (RequestRef(12345, 1), 1),
        (RequestRef(1, 12345), 5),
    ],
    ids=repr,
)
def test_the_size_of_a_value(given: object, size: int) -> None:
    assert _size(given) == size


def test_the_weight_of_a_transcript() -> None:
    """A step weighs 8 and its arguments, and 1 more if it does not follow the one before it."""
    beginning = Beginning(1, "http1", {"port": 80, "a": "b"}, ("results do not count",), 1)
    assert weight(Transcript(())) == 0
    assert weight(Transcript((beginning,))) == 8 + (4 + 2) + (1 + 2)
    for base, more in ((0, 1), (1, 0)):
        steps = (step(beginning, 1, 0), step(beginning, 2, base, b"abc"))
        assert weight(Transcript((beginning, *steps))) == 17 + (8 + 1) + (8 + more + 1 + 4)
