"""Making a transcript smaller, as long as a check says that it still shows what it is about.

What is tried, in this order and again until nothing more can go: fewer steps, each request together with all
that refers to it; pieces of input joined; over HTTP/2 fewer streams, frames and fields, and less in them;
fewer arguments, lines and octets, shorter values; options left at their defaults. Candidates are not
replayed here, so that one that ends the process can be shrunk, too.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeGuard, TypeVar

from .._transcripts.calls import Call
from ..transcripts._reading import NEEDED, Beginning, Entry, Transcript, TranscriptError
from .frame_edits import OPAQUE, Unit, contents, units, values
from .remaking import Edit, places, remade, text, weight

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Check = Callable[[Transcript], bool]

_T = TypeVar("_T")
_ARRIVES = frozenset({"feed", "unasked"})
_BUILT = frozenset({"hostname", "user_agent"})
"""Options that have to be there, but may be shorter."""


def shrink(transcript: Transcript, check: Check) -> Iterator[Transcript]:
    """Return ever smaller transcripts that pass the check; the last one is the result.

    None of them makes a longer file than the one given.
    """
    search = _Search(transcript, check)
    most = len(text(transcript))
    while True:
        before = search.best
        for smaller in _PASSES:
            for _ in smaller(search):
                if len(text(search.best)) <= most:
                    yield search.best
        if search.best is before:
            return


class _Search:
    """The smallest transcript so far that passes the check."""

    def __init__(self, best: Transcript, check: Check) -> None:
        self.best = best
        self._weight = weight(best)
        self._check = check

    def accepts(self, base: Transcript, edit: Edit) -> bool:
        """Whether the edit of a transcript makes it smaller and passes; then it is the best one."""
        candidate = remade(base, edit)
        found = weight(candidate)
        if found >= self._weight or not _can_begin(candidate, edit) or not self._check(candidate):
            return False
        self.best, self._weight = candidate, found
        return True


def _can_begin(candidate: Transcript, edit: Edit) -> bool:
    """Whether the engine takes the options of connections, where they were changed."""
    try:
        for part in candidate.parts if edit.options else ():
            if isinstance(part, Beginning):
                part.config()
    except TranscriptError:
        return False
    return True


def _reduced(items: Sequence[_T], keeps: Callable[[Sequence[_T]], bool]) -> Iterator[Sequence[_T]]:
    """Leave items out, many at once and then fewer, as long as it `keeps` what is looked for."""
    size = len(items)
    while size and items:
        start = 0
        while start < len(items):
            shorter = [*items[:start], *items[start + size :]]
            if keeps(shorter):
                items = shorter
                yield items
            else:
                start += size
        size //= 2


def _entries(transcript: Transcript, verb: str = "") -> list[tuple[int, Entry]]:
    return [
        (at, part)
        for at, part in enumerate(transcript.parts)
        if isinstance(part, Entry) and (not verb or part.call.verb == verb)
    ]


# -- steps


def _without_steps(search: _Search) -> Iterator[None]:
    """Leave steps out, and connections without any."""
    base = search.best
    steps = [at for at, _ in _entries(base)]
    starts = [(at, part.connection) for at, part in enumerate(base.parts) if isinstance(part, Beginning)]

    def keeps(kept: Sequence[int]) -> bool:
        used = {part.beginning.connection for at, part in _entries(base) if at in set(kept)}
        used = used or {starts[0][1]}
        gone = {*steps} - {*kept} | {at for at, connection in starts if connection not in used}
        return search.accepts(base, Edit(gone=frozenset(gone)))

    if len(starts) > 1:
        for _, connection in starts:
            others = [at for at, part in _entries(base) if part.beginning.connection == connection]
            if keeps(others):
                steps = others
                starts = [each for each in starts if each[1] == connection]
                yield
                break
    for _ in _reduced(steps, keeps):
        yield


def _with_pieces_joined(search: _Search) -> Iterator[None]:
    """Let octets arrive together: all that follow each other directly, and else one after another."""
    pairs = _pairs(search.best)
    if len(pairs) > 1 and search.accepts(_joined(search.best, pairs), Edit()):
        yield
        return
    at = 0
    while at < len(search.best.parts):
        mine = [pair for pair in _pairs(search.best) if pair[0] == at]
        if mine and search.accepts(_joined(search.best, mine), Edit()):
            yield
        else:
            at += 1


def _pairs(transcript: Transcript) -> list[tuple[int, int]]:
    """Return the places of two steps in which octets arrive, the second the only one to follow the first."""
    following: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    entries = dict(_entries(transcript))
    for at, part in entries.items():
        following[part.beginning.connection, part.base].append(at)
    made: list[tuple[int, int]] = []
    for at, part in entries.items():
        after = following[part.beginning.connection, part.number]
        verb = part.call.verb
        if verb in _ARRIVES and len(after) == 1 and entries[after[0]].call.verb == verb:
            made.append((at, after[0]))
    return made


def _joined(base: Transcript, pairs: Sequence[tuple[int, int]]) -> Transcript:
    """Return the transcript with the second step of each pair made a part of the first."""
    into = {second: first for first, second in pairs}
    octets: dict[int, bytes] = {}
    stands_for: dict[tuple[int, int], int] = {}
    for at, entry in _entries(base):
        given = entry.call.arguments[0] if entry.call.arguments else None
        if not isinstance(given, bytes):
            continue
        first = at
        while first in into:
            first = into[first]
        octets[first] = octets.get(first, b"") + given
        begun = base.parts[first]
        if first != at and isinstance(begun, Entry):
            stands_for[entry.beginning.connection, entry.number] = begun.number
    made: list[Beginning | Entry] = []
    earliest = min(first for first, _ in pairs)
    for at, part in enumerate(base.parts):
        if isinstance(part, Beginning):
            made.append(part)
        elif at not in into:
            call = Call(part.call.verb, (octets[at],)) if part.call.verb in _ARRIVES else part.call
            number = stands_for.get((part.beginning.connection, part.base), part.base)
            results = part.results if at < earliest else None
            made.append(replace(part, call=call, base=number, results=results))
    return Transcript(tuple(made))


# -- frames


@dataclass(frozen=True, slots=True)
class _Frame:
    """A frame of what arrived: the place of its step, its number in it, and the frame."""

    at: int
    number: int
    unit: Unit
    connection: int

    @property
    def key(self) -> tuple[int, int]:
        return self.at, self.number


def _frames(transcript: Transcript) -> list[_Frame]:
    made: list[_Frame] = []
    wires = places(transcript)
    for at, part in _entries(transcript, "feed"):
        octets = part.call.arguments[0]
        if part.beginning.protocol != "http2" or not isinstance(octets, bytes):
            continue
        found, _ = units(wires[at].held, octets)
        connection = part.beginning.connection
        made += [
            _Frame(at, number, unit, connection) for number, unit in enumerate(found) if unit.kind != OPAQUE
        ]
    return made


def _changing(frames: Sequence[_Frame], unit: Unit | None = None) -> Edit:
    """Return the edit that leaves frames out, or makes them another one."""
    made: defaultdict[int, dict[int, Unit | None]] = defaultdict(dict)
    for frame in frames:
        made[frame.at][frame.number] = unit
    return Edit(units=made)


def _without_streams(search: _Search) -> Iterator[None]:
    """Leave out all that the server says on a stream."""
    streams = {(frame.connection, frame.unit.stream): None for frame in _frames(search.best)}
    for connection, stream in streams:
        frames = [
            frame
            for frame in _frames(search.best)
            if (frame.connection, frame.unit.stream) == (connection, stream)
        ]
        if frames and search.accepts(search.best, _changing(frames)):
            yield


def _without_frames(search: _Search) -> Iterator[None]:
    """Leave frames out."""
    base = search.best
    every = _frames(base)

    def keeps(kept: Sequence[_Frame]) -> bool:
        keys = {frame.key for frame in kept}
        return search.accepts(base, _changing([frame for frame in every if frame.key not in keys]))

    for _ in _reduced(every, keeps):
        yield


def _with_less_in_frames(search: _Search) -> Iterator[None]:
    """Leave out fields, content and padding, and make values shorter."""
    for key in [frame.key for frame in _frames(search.best)]:
        frame = next((each for each in _frames(search.best) if each.key == key), None)
        if frame is None:
            continue
        if search.accepts(search.best, _changing([frame], frame.unit.with_content(frame.unit.content))):
            yield
        if frame.unit.is_block:
            yield from _with_fewer_fields(search, frame)
            yield from _with_shorter_fields(search, key)
        else:
            yield from _with_less_content(search, frame)


def _of_fields(key: tuple[int, int], changes: Mapping[int, bytes | None]) -> Edit:
    return Edit(fields={key[0]: {key[1]: changes}})


def _with_fewer_fields(search: _Search, frame: _Frame) -> Iterator[None]:
    base = search.best
    every = range(len(values(frame.unit)))

    def keeps(kept: Sequence[int]) -> bool:
        return search.accepts(base, _of_fields(frame.key, dict.fromkeys({*every} - {*kept})))

    for _ in _reduced(every, keeps):
        yield


def _with_shorter_fields(search: _Search, key: tuple[int, int]) -> Iterator[None]:
    frame = next((each for each in _frames(search.best) if each.key == key), None)
    for number, value in enumerate([] if frame is None else values(frame.unit)):
        base = search.best

        def keeps(less: Sequence[bytes], number: int = number, base: Transcript = base) -> bool:
            return search.accepts(base, _of_fields(key, {number: b"".join(less)}))

        for _ in _reduced([bytes((octet,)) for octet in value or b""], keeps):
            yield


def _with_less_content(search: _Search, frame: _Frame) -> Iterator[None]:
    base = search.best

    def keeps(less: Sequence[bytes]) -> bool:
        return search.accepts(base, _changing([frame], frame.unit.with_content(b"".join(less))))

    for _ in _reduced(contents(frame.unit), keeps):
        yield


# -- what calls are given


def _with_less_given(search: _Search) -> Iterator[None]:
    """Give the calls less: fields, pieces and octets, shorter text and numbers."""
    for at in range(len(search.best.parts)):
        part = search.best.parts[at]
        if isinstance(part, Entry):
            for place in range(len(part.call.arguments)):
                yield from _with_less_at(search, at, place)


def _with_less_at(search: _Search, at: int, place: int) -> Iterator[None]:
    part = search.best.parts[at]
    if not isinstance(part, Entry) or place >= len(part.call.arguments):
        return

    def keeps(less: object) -> bool:
        now = search.best.parts[at]
        if not isinstance(now, Entry):
            return False
        arguments = (*now.call.arguments[:place], less, *now.call.arguments[place + 1 :])
        return search.accepts(search.best, Edit(calls={at: Call(now.call.verb, arguments)}))

    yield from _less(part.call.arguments[place], keeps)


def _less(given: object, keeps: Callable[[object], bool]) -> Iterator[None]:
    """Try what is less than a value of any kind."""
    if isinstance(given, bytes):
        yield from _fewer_octets(given, keeps)
    elif isinstance(given, str):
        for _ in _reduced(given, lambda marks: keeps("".join(marks))):
            yield
    elif isinstance(given, int) and not isinstance(given, bool):
        yield from _smaller_number(given, keeps)
    elif _is_tuple(given):
        yield from _shorter_tuple(given, keeps)


def _fewer_octets(given: bytes, keeps: Callable[[object], bool]) -> Iterator[None]:
    """Leave out lines, and then octets."""
    lines = given.splitlines(keepends=True)
    if len(lines) > 1:
        for left in _reduced(lines, lambda some: keeps(b"".join(some))):
            given = b"".join(left)
            yield
    for _ in _reduced(given, lambda octets: keeps(bytes(octets))):
        yield


def _smaller_number(given: int, keeps: Callable[[object], bool]) -> Iterator[None]:
    """Try 0, and then numbers with ever fewer digits left out."""
    digits = len(str(given))
    for size in range(1, digits):
        for candidate in (0, 10 ** (size - 1), int(str(given)[:size])):
            if keeps(candidate):
                yield
                return


def _shorter_tuple(given: tuple[object, ...], keeps: Callable[[object], bool]) -> Iterator[None]:
    """Leave out items, and then make each of them less."""
    items = list(given)
    for left in _reduced(given, lambda some: keeps(tuple(some))):
        items = list(left)
        yield
    for place, item in enumerate(items):

        def keeps_item(less: object, place: int = place) -> bool:
            changed = [*items[:place], less, *items[place + 1 :]]
            if keeps(tuple(changed)):
                items[place] = less
                return True
            return False

        if _is_tuple(item):  # a pair, neither of which can go
            for each in range(len(item)):

                def keeps_half(less: object, each: int = each, place: int = place) -> bool:
                    pair = items[place]
                    return _is_tuple(pair) and keeps_item((*pair[:each], less, *pair[each + 1 :]), place)

                yield from _less(item[each], keeps_half)
        else:
            yield from _less(item, keeps_item)


def _is_tuple(value: object) -> TypeGuard[tuple[object, ...]]:
    return isinstance(value, tuple)


# -- options


def _with_fewer_options(search: _Search) -> Iterator[None]:
    """Leave options to the defaults of the engine, and make shorter those that have to be there."""
    for at in range(len(search.best.parts)):
        part = search.best.parts[at]
        if not isinstance(part, Beginning):
            continue
        options = part.options

        def keeps(names: Sequence[str], options: dict[str, object] = options, at: int = at) -> bool:
            kept = {name: options[name] for name in options if name in {*names, *NEEDED}}
            return search.accepts(search.best, Edit(options={at: kept}))

        for names in _reduced([name for name in options if name not in NEEDED], keeps):
            options = {name: each for name, each in options.items() if name in {*names, *NEEDED}}
            yield
        for name in _BUILT:

            def keeps_value(less: object, name: str = name, at: int = at) -> bool:
                now = search.best.parts[at]
                return isinstance(now, Beginning) and search.accepts(
                    search.best, Edit(options={at: {**now.options, name: less}})
                )

            yield from _less(part.options[name], keeps_value)


_PASSES = (
    _with_pieces_joined,
    _without_steps,
    _with_pieces_joined,
    _without_streams,
    _without_frames,
    _with_less_in_frames,
    _with_less_given,
    _with_fewer_options,
)
