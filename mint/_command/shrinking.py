"""Make a transcript smaller, as long as a check finds that it still shows the behaviour.

These passes are repeated until nothing more can be removed: join pieces of input; remove steps, each request
together with everything that refers to it; remove HTTP/2 streams, frames and fields, and shorten the rest;
remove arguments, lines and octets, and shorten values; reset options to their defaults. Candidates are not
replayed in this process, so that a transcript that makes the process crash can be shrunk, too.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from .._transcripts.calls import Call
from ..transcripts._reading import Beginning, Entry, Transcript
from .remaking import Edit, text
from .searching import Search, entries, reduced
from .shrinking_calls import with_fewer_options, with_shorter_arguments
from .shrinking_frames import with_less_in_frames, without_frames, without_streams

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .searching import Check

_ARRIVES = frozenset({"feed", "unasked"})


def shrink(transcript: Transcript, check: Check) -> Iterator[Transcript]:
    """Yield smaller and smaller transcripts that pass the check; the last one is the result.

    The file of none of them is longer than that of the given one.
    """
    search = Search(transcript, check)
    most = len(text(transcript))
    while True:
        before = search.best
        for smaller in _PASSES:
            for _ in smaller(search):
                if len(text(search.best)) <= most:
                    yield search.best
        if search.best is before:
            return


def _without_steps(search: Search) -> Iterator[None]:
    """Remove steps, and connections that have no steps."""
    base = search.best
    every = [at for at, _ in entries(base)]
    starts = [(at, part.connection) for at, part in enumerate(base.parts) if isinstance(part, Beginning)]
    steps, first = every, starts[0][1] if starts else 0

    def keeps(kept: Sequence[int]) -> bool:
        left = {*kept}
        used = {part.beginning.connection for at, part in entries(base) if at in left} or {first}
        gone = {*every} - left | {at for at, connection in starts if connection not in used}
        return search.accepts(base, Edit(gone=frozenset(gone)))

    for _, connection in starts:
        others = [at for at, part in entries(base) if part.beginning.connection == connection]
        if keeps(others):
            steps, first = others, connection
            yield
            break
    for _ in reduced(steps, keeps):
        yield


def _with_pieces_joined(search: Search) -> Iterator[None]:
    """Join pieces of input that directly follow each other: all at once, or else pair by pair."""
    pairs = _pairs(search.best)
    if len(pairs) > 1 and search.accepts(_joined(search.best, pairs), Edit()):
        yield
        return
    at = 0
    while left := [pair for pair in _pairs(search.best) if pair[0] >= at]:
        if search.accepts(_joined(search.best, left[:1]), Edit()):
            yield
        else:
            at = left[0][0] + 1


def _pairs(transcript: Transcript) -> list[tuple[int, int]]:
    """Return the places of each two steps with input, of which only the second follows the first."""
    following: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    steps = dict(entries(transcript))
    for at, part in steps.items():
        following[part.beginning.connection, part.base].append(at)
    made: list[tuple[int, int]] = []
    for at, part in steps.items():
        after = following[part.beginning.connection, part.number]
        verb = part.call.verb
        if verb in _ARRIVES and len(after) == 1 and steps[after[0]].call.verb == verb:
            made.append((at, after[0]))
    return made


def _joined(base: Transcript, pairs: Sequence[tuple[int, int]]) -> Transcript:
    """Return the transcript with the second step of each pair merged into the first."""
    into = {second: first for first, second in pairs}
    octets: dict[int, bytes] = {}
    stands_for: dict[tuple[int, int], int] = {}
    steps = dict(entries(base))
    for at, entry in steps.items():
        given = entry.call.arguments[0] if entry.call.arguments else None
        if not isinstance(given, bytes):
            continue
        first = at
        while first in into:
            first = into[first]
        octets[first] = octets.get(first, b"") + given
        stands_for[entry.beginning.connection, entry.number] = steps[first].number
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


_PASSES = (
    _with_pieces_joined,
    _without_steps,
    _with_pieces_joined,
    without_streams,
    without_frames,
    with_less_in_frames,
    with_shorter_arguments,
    with_fewer_options,
)
