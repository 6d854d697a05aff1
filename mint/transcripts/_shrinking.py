"""Making a transcript smaller, as long as a check says that it still shows what it is about.

What is tried: fewer steps, fewer fields, fewer octets, options left at their defaults, in that order and
again until nothing more can go. Candidates are not replayed here, so that one that ends the process can be
shrunk, too. What was recorded of a step is kept as long as all before it in its connection is as it was.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeGuard, TypeVar

from .._transcripts.calls import Call
from ._reading import NEEDED, Beginning, Entry, Transcript

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Check = Callable[[Transcript], bool]

_T = TypeVar("_T")


def shrink(transcript: Transcript, check: Check) -> Iterator[Transcript]:
    """Return ever smaller transcripts that pass the check; the last one is the result."""
    best = transcript
    while True:
        before = best
        for smaller in (_without_steps, _with_less_given, _with_fewer_options):
            for found in smaller(best, check):
                best = found
                yield best
        if best is before:
            return


def _reduced(items: Sequence[_T], keeps: Callable[[Sequence[_T]], bool]) -> Sequence[_T]:
    """Leave items out, many at once and then fewer, as long as it `keeps` what is looked for."""
    size = len(items)
    while size and items:
        start = 0
        while start < len(items):
            shorter = [*items[:start], *items[start + size :]]
            if keeps(shorter):
                items = shorter
            else:
                start += size
        size //= 2
    return items


def _remade(parts: Sequence[Beginning | Entry], changed: dict[int, Entry | Beginning]) -> Transcript:
    """Make a transcript of what is left; what was recorded after a change says nothing any more."""
    made: list[Beginning | Entry] = []
    numbers: dict[int, dict[int, int]] = {}
    beginnings: dict[int, Beginning] = {}
    touched: set[int] = set()
    latest: dict[int, int] = {}
    for part in parts:
        now = changed.get(id(part), part)
        connection = now.connection if isinstance(now, Beginning) else now.beginning.connection
        if now is not part:
            touched.add(connection)
        if isinstance(now, Beginning):
            begun = replace(now, results=None) if connection in touched else now
            beginnings[connection] = begun
            numbers[connection] = {0: 0}
            latest[connection] = 0
            made.append(begun)
            continue
        known = numbers[connection]
        number = len(known)
        if now.number != number:
            touched.add(connection)
        # A step whose own base is gone goes on from what came last before it.
        base = known.get(now.base, max((new for old, new in known.items() if old < now.base), default=0))
        known[now.number] = number
        results = None if connection in touched else now.results
        made.append(replace(now, beginning=beginnings[connection], number=number, base=base, results=results))
    return Transcript(tuple(made))


def _without_steps(best: Transcript, check: Check) -> Iterator[Transcript]:
    """Leave steps out, and connections without any."""
    found = [best]

    def keeps(indexes: Sequence[int]) -> bool:
        chosen = set(indexes)
        parts = [part for at, part in enumerate(best.parts) if at in chosen or isinstance(part, Beginning)]
        used = {part.beginning.connection for part in parts if isinstance(part, Entry)}
        first = next(part.connection for part in parts if isinstance(part, Beginning))
        kept = [
            part for part in parts if isinstance(part, Entry) or part.connection in (used or {first})
        ]  # fmt: skip
        candidate = _remade(kept, {})
        if len(candidate.parts) < len(found[-1].parts) and check(candidate):
            found.append(candidate)
            return True
        return False

    steps = [at for at, part in enumerate(best.parts) if isinstance(part, Entry)]
    _reduced(steps, keeps)
    yield from found[1:]


def _with_less_given(best: Transcript, check: Check) -> Iterator[Transcript]:
    """Give the calls less: fields, pieces and octets."""
    current = best
    for at in range(len(best.parts)):
        part = current.parts[at]
        if not isinstance(part, Entry):
            continue
        for place in range(len(part.call.arguments)):
            for found in _with_less_at(current, at, place, check):
                current = found
                yield found


def _with_less_at(best: Transcript, at: int, place: int, check: Check) -> Iterator[Transcript]:
    part = best.parts[at]
    if not isinstance(part, Entry):
        return
    given = part.call.arguments[place]
    found: list[Transcript] = []

    def keeps(less: object) -> bool:
        arguments = (*part.call.arguments[:place], less, *part.call.arguments[place + 1 :])
        changed = replace(part, call=Call(part.call.verb, arguments))
        candidate = _remade(best.parts, {id(part): changed})
        if check(candidate):
            found.append(candidate)
            return True
        return False

    if isinstance(given, bytes):
        _reduced(list(given), lambda octets: keeps(bytes(octets)))
    elif _is_tuple(given):
        _reduced(list(given), lambda items: keeps(tuple(items)))
    yield from found


def _is_tuple(value: object) -> TypeGuard[tuple[object, ...]]:
    return isinstance(value, tuple)


def _with_fewer_options(best: Transcript, check: Check) -> Iterator[Transcript]:
    """Leave options to the defaults of the engine."""
    for at in range(len(best.parts)):
        for found in _with_fewer_at(best, at, check):
            best = found
            yield found


def _with_fewer_at(best: Transcript, at: int, check: Check) -> Iterator[Transcript]:
    part = best.parts[at]
    if not isinstance(part, Beginning):
        return
    found: list[Transcript] = []

    def keeps(names: Sequence[str]) -> bool:
        options = {name: part.options[name] for name in part.options if name in {*names, *NEEDED}}
        candidate = _remade(best.parts, {id(part): replace(part, options=options)})
        if check(candidate):
            found.append(candidate)
            return True
        return False

    _reduced([name for name in part.options if name not in NEEDED], keeps)
    yield from found
