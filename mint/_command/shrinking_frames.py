"""Remove frames of an HTTP/2 transcript, and shorten their contents."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .frame_edits import OPAQUE, Unit, contents, units, values
from .remaking import Edit, arriving, places
from .searching import Search, entries, reduced

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..transcripts._reading import Transcript


@dataclass(frozen=True, slots=True)
class _Frame:
    """A frame of the input: the place of its step, its number in that step, the frame, the connection."""

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
    for at, part in entries(transcript):
        octets = arriving(part.beginning, part.call)
        if octets is None:
            continue
        found, _ = units(wires[at].held, octets)
        connection = part.beginning.connection
        made += [
            _Frame(at, number, unit, connection) for number, unit in enumerate(found) if unit.kind != OPAQUE
        ]
    return made


def _changing(frames: Sequence[_Frame], unit: Unit | None = None) -> Edit:
    """Return the edit that removes frames, or replaces them with another one."""
    made: defaultdict[int, dict[int, Unit | None]] = defaultdict(dict)
    for frame in frames:
        made[frame.at][frame.number] = unit
    return Edit(units=made)


def without_streams(search: Search) -> Iterator[None]:
    """Remove everything that the server sends on a stream."""
    streams = {(frame.connection, frame.unit.stream): None for frame in _frames(search.best)}
    for connection, stream in streams:
        frames = [
            frame
            for frame in _frames(search.best)
            if (frame.connection, frame.unit.stream) == (connection, stream)
        ]
        if search.accepts(search.best, _changing(frames)):
            yield


def without_frames(search: Search) -> Iterator[None]:
    """Remove frames."""
    base = search.best
    every = _frames(base)

    def keeps(kept: Sequence[_Frame]) -> bool:
        keys = {frame.key for frame in kept}
        return search.accepts(base, _changing([frame for frame in every if frame.key not in keys]))

    for _ in reduced(every, keeps):
        yield


def with_less_in_frames(search: Search) -> Iterator[None]:
    """Remove fields, content and padding, and shorten values."""
    for key in [frame.key for frame in _frames(search.best)]:
        for frame in _now(search, key):
            if search.accepts(search.best, _changing([frame], frame.unit.with_content(frame.unit.content))):
                yield
            if frame.unit.is_block:
                yield from _with_fewer_fields(search, frame)
                yield from _with_shorter_fields(search, key)
            else:
                yield from _with_less_content(search, frame)


def _now(search: Search, key: tuple[int, int]) -> list[_Frame]:
    """Return the frame with this key as it is now; none if there is no such frame any more."""
    return [each for each in _frames(search.best) if each.key == key]


def _of_fields(key: tuple[int, int], changes: Mapping[int, bytes | None]) -> Edit:
    return Edit(fields={key[0]: {key[1]: changes}})


def _with_fewer_fields(search: Search, frame: _Frame) -> Iterator[None]:
    base = search.best
    every = range(len(values(frame.unit)))

    def keeps(kept: Sequence[int]) -> bool:
        return search.accepts(base, _of_fields(frame.key, dict.fromkeys({*every} - {*kept})))

    for _ in reduced(every, keeps):
        yield


def _with_shorter_fields(search: Search, key: tuple[int, int]) -> Iterator[None]:
    for number, value in enumerate(value for frame in _now(search, key) for value in values(frame.unit)):
        base = search.best

        def keeps(less: Sequence[bytes], number: int = number, base: Transcript = base) -> bool:
            return search.accepts(base, _of_fields(key, {number: b"".join(less)}))

        for _ in reduced([bytes((octet,)) for octet in value or b""], keeps):
            yield


def _with_less_content(search: Search, frame: _Frame) -> Iterator[None]:
    base = search.best

    def keeps(less: Sequence[bytes]) -> bool:
        return search.accepts(base, _changing([frame], frame.unit.with_content(b"".join(less))))

    for _ in reduced(contents(frame.unit), keeps):
        yield
