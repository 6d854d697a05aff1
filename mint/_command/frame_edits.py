"""What an HTTP/2 server sent, taken apart into frames that can be left out or made shorter (RFC 9113).

Octets arrive in pieces that may end anywhere. A unit is a whole frame, a header block with all its frames,
or octets that belong to a frame which another piece goes on with; those are left alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .block_edits import Table, Tables, fields_of, passed, rewritten

if TYPE_CHECKING:
    from collections.abc import Mapping

HEAD = 9
DATA, HEADERS, SETTINGS, PUSH_PROMISE, GOAWAY, CONTINUATION = 0, 1, 4, 5, 7, 9
END_HEADERS, PADDED, PRIORITY = 4, 8, 32
_PADDABLE = frozenset({DATA, HEADERS, PUSH_PROMISE})
_BLOCKS = frozenset({HEADERS, PUSH_PROMISE})
_PRIORITY_SIZE = 5
_NUMBER_SIZE = 4
_GOAWAY_SIZE = 8
_STREAM_BITS = 0x7FFFFFFF
OPAQUE = -1


class Unit(NamedTuple):
    """A frame, a header block with its frames, or octets that are neither (`OPAQUE`)."""

    octets: bytes
    kind: int = OPAQUE
    flags: int = 0
    stream: int = 0
    fixed: bytes = b""
    """What its payload begins with and cannot do without: the promised stream, the last stream."""
    content: bytes = b""
    """The rest of its payload without padding: the header block, the octets of DATA."""

    @property
    def is_block(self) -> bool:
        """Whether it is a header block."""
        return self.kind in _BLOCKS

    @property
    def promised(self) -> int:
        """The stream that it promises, 0 if it promises none."""
        return int.from_bytes(self.fixed) & _STREAM_BITS if self.kind == PUSH_PROMISE else 0

    def with_content(self, content: bytes) -> Unit:
        """Return it with other content, in one frame without padding and priority."""
        flags = self.flags & ~PADDED if self.kind in _PADDABLE else self.flags
        if self.kind in _BLOCKS:
            flags = flags & ~PRIORITY | END_HEADERS
        payload = self.fixed + content
        head = len(payload).to_bytes(3) + bytes((self.kind, flags)) + self.stream.to_bytes(_NUMBER_SIZE)
        return self._replace(octets=head + payload, flags=flags, content=content)

    def on_stream(self, stream: int, last: int) -> Unit:
        """Return it on another stream; `last` is for GOAWAY."""
        octets = bytearray(self.octets)
        place = 0
        while place < len(octets):
            octets[place + 5 : place + HEAD] = stream.to_bytes(_NUMBER_SIZE)
            place += HEAD + int.from_bytes(octets[place : place + 3])
        if self.kind != GOAWAY or len(self.fixed) < _GOAWAY_SIZE:
            return self._replace(octets=bytes(octets), stream=stream)
        octets[HEAD : HEAD + _NUMBER_SIZE] = last.to_bytes(_NUMBER_SIZE)
        fixed = bytes(octets[HEAD : HEAD + _GOAWAY_SIZE])
        return self._replace(octets=bytes(octets), stream=stream, fixed=fixed)

    @property
    def last(self) -> int:
        """The last stream that a GOAWAY speaks of."""
        return int.from_bytes(self.fixed[:_NUMBER_SIZE]) & _STREAM_BITS if self.kind == GOAWAY else 0


def _end_of(octets: bytes, place: int) -> int | None:
    """Return where a frame ends; `None` where it is not complete."""
    end = place + HEAD + int.from_bytes(octets[place : place + 3])
    return end if place + HEAD <= len(octets) and end <= len(octets) else None


def _fixed_size(kind: int, flags: int) -> int:
    if kind == PUSH_PROMISE:
        return _NUMBER_SIZE
    if kind == GOAWAY:
        return _GOAWAY_SIZE
    return _PRIORITY_SIZE if kind == HEADERS and flags & PRIORITY else 0


def _unit(octets: bytes) -> Unit:
    """Return the unit of one frame, or of a header block."""
    kind, flags = octets[3], octets[4]
    stream = int.from_bytes(octets[5:HEAD]) & _STREAM_BITS
    end = _end_of(octets, 0) or len(octets)
    payload = octets[HEAD:end]
    if kind in _PADDABLE and flags & PADDED:
        padding = payload[0] if payload else 0
        if padding + 1 > len(payload):
            return Unit(octets, kind, flags, stream)  # padding that is too long is what it is about
        payload = payload[1 : len(payload) - padding]
    size = _fixed_size(kind, flags)
    fixed, content = payload[:size], payload[size:]
    if kind == HEADERS:
        fixed = b""  # a priority means nothing
    while end < len(octets):  # CONTINUATION
        following = _end_of(octets, end) or len(octets)
        content += octets[end + HEAD : following]
        end = following
    return Unit(octets, kind, flags, stream, fixed, content)


def _end_of_unit(octets: bytes, place: int) -> int | None:
    """Return where a unit ends; `None` where it is not complete."""
    end = _end_of(octets, place)
    if end is None or octets[place + 3] not in _BLOCKS:
        return end
    flags = octets[place + 4]
    while not flags & END_HEADERS:
        following = _end_of(octets, end)
        if following is None:
            return None if end == len(octets) or octets[end + 3 : end + 4] in {b"\t", b""} else end
        if octets[end + 3] != CONTINUATION:
            return end
        flags = octets[end + 4]
        end = following
    return end


def units(held: bytes, octets: bytes) -> tuple[list[Unit], bytes]:
    """Take a piece of input apart; `held` is what came of an unfinished unit, and so is what is returned."""
    every = held + octets
    place = 0
    made: list[Unit] = []
    while place < len(every) and (end := _end_of_unit(every, place)) is not None:
        if place >= len(held):
            made.append(_unit(every[place:end]))
        else:
            made.append(Unit(every[len(held) : end]))
        place = end
    if len(every) > max(place, len(held)):
        made.append(Unit(every[max(place, len(held)) :]))
    return made, every[place:]


class Numbers(NamedTuple):
    """Which requests were left out, and so what becomes of the numbers of the others."""

    gone: frozenset[int] = frozenset()
    step: int = 1
    """How far the numbers of two requests are apart: 2 where they are streams."""

    def without(self, *numbers: int) -> Numbers:
        """Return them with more requests, or promised streams, left out."""
        return self._replace(gone=self.gone.union(numbers))

    def new(self, number: int) -> int:
        """Return what a number has become; 0 if it has gone."""
        if number in self.gone:
            return 0
        return self.below(number)

    def below(self, number: int) -> int:
        """Return a number less those that have gone below it."""
        if self.step > 1 and number % self.step == 0:  # promised by the server, which may leave numbers out
            return number
        fewer = sum(1 for each in self.gone if each < number and (each % 2 or self.step == 1))
        return number - self.step * fewer


class Wire(NamedTuple):
    """What there is to know of a server's octets between two pieces."""

    held: bytes = b""
    tables: Tables | None = Tables(Table(), Table())
    """`None` once a header block could not be read."""


def edited(
    octets: bytes,
    wire: Wire,
    numbers: Numbers,
    changes: Mapping[int, Unit | None],
    fields: Mapping[int, Mapping[int, bytes | None]],
) -> tuple[bytes, Wire, Numbers]:
    """Return a piece of input with units and fields changed or left out, and how to go on.

    `changes` and `fields` are by the number of the unit in the piece.
    """
    found, held = units(wire.held, octets)
    tables = wire.tables
    made: list[bytes] = []
    for number, unit in enumerate(found):
        now = changes.get(number, unit)
        if unit.kind == OPAQUE:
            # It may be a part of a header block: what follows is left as it is.
            tables = None if _may_hold_fields(wire.held, held, octets, unit) else tables
            made += [] if now is None else [now.octets]
            continue
        if unit.stream and unit.stream in numbers.gone:
            now = None
        if unit.is_block and tables is not None:
            if now is None:
                tables = passed(unit.content, tables)
                numbers = numbers.without(unit.promised) if unit.promised else numbers
            else:
                content, tables = rewritten(unit.content, tables, fields.get(number))
                now = now if content == now.content else now.with_content(content)
        if now is None:
            continue
        if numbers.gone:
            now = now.on_stream(numbers.below(now.stream), numbers.below(now.last))
        made.append(now.octets)
    return b"".join(made), Wire(held, tables), numbers


def _may_hold_fields(before: bytes, after: bytes, octets: bytes, unit: Unit) -> bool:
    begun = after if octets.endswith(unit.octets) and after else before
    return len(begun) < HEAD or begun[3] in {*_BLOCKS, CONTINUATION}


def contents(unit: Unit) -> list[bytes]:
    """Return what the content of a unit consists of, for leaving out some of it."""
    if unit.kind == SETTINGS:
        return [unit.content[at : at + 6] for at in range(0, len(unit.content), 6)]
    return [unit.content[at : at + 1] for at in range(len(unit.content))]


def values(unit: Unit) -> list[bytes | None]:
    """Return the values that a header block itself has, by the number of the representation."""
    return [each.text for each in fields_of(unit.content)]
