"""Split what an HTTP/2 server sent into frames that can be removed or shortened (RFC 9113).

Octets arrive in pieces that may end anywhere. A unit is a complete frame, a header block with all its frames,
or the octets of a frame that continues in another piece, which are left unchanged.
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
    """The required beginning of the payload: the promised stream, or the last stream and the error code."""
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
        """Return the unit with other content, in one frame without padding and priority."""
        flags = self.flags & ~PADDED if self.kind in _PADDABLE else self.flags
        if self.kind in _BLOCKS:
            flags = flags & ~PRIORITY | END_HEADERS
        payload = self.fixed + content
        head = len(payload).to_bytes(3) + bytes((self.kind, flags)) + self.stream.to_bytes(_NUMBER_SIZE)
        return self._replace(octets=head + payload, flags=flags, content=content)

    def on_stream(self, stream: int, last: int) -> Unit:
        """Return the unit on another stream; `last` is the last stream of GOAWAY."""
        octets = bytearray(self.octets)
        place = 0
        while place < len(octets):
            octets[place + 5 : place + HEAD] = stream.to_bytes(_NUMBER_SIZE)
            place = _end_of(octets, place)
        if self.kind != GOAWAY or len(self.fixed) < _GOAWAY_SIZE:
            return self._replace(octets=bytes(octets), stream=stream)
        octets[HEAD : HEAD + _NUMBER_SIZE] = last.to_bytes(_NUMBER_SIZE)
        fixed = bytes(octets[HEAD : HEAD + _GOAWAY_SIZE])
        return self._replace(octets=bytes(octets), stream=stream, fixed=fixed)

    @property
    def last(self) -> int:
        """The last stream of GOAWAY; 0 for other frames."""
        return int.from_bytes(self.fixed[:_NUMBER_SIZE]) & _STREAM_BITS if self.kind == GOAWAY else 0


def _end_of(octets: bytes | bytearray, place: int) -> int:
    """Return where a frame ends, which is after the end of the octets if it is incomplete."""
    return place + HEAD + int.from_bytes(octets[place : place + 3])


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
    end = _end_of(octets, 0)
    payload = octets[HEAD:end]
    if kind in _PADDABLE and flags & PADDED:
        if not payload or payload[0] >= len(payload):
            return Unit(octets, kind, flags, stream)  # left unchanged, because its padding is too long
        payload = payload[1 : len(payload) - payload[0]]
    size = _fixed_size(kind, flags)
    fixed, content = payload[:size], payload[size:]
    if kind == HEADERS:
        fixed = b""  # the priority can be removed
    while end < len(octets):  # CONTINUATION
        following = _end_of(octets, end)
        content += octets[end + HEAD : following]
        end = following
    return Unit(octets, kind, flags, stream, fixed, content)


def _end_of_unit(octets: bytes, place: int) -> int | None:
    """Return where a unit ends; `None` if it is incomplete."""
    end = _end_of(octets, place)
    if end > len(octets):
        return None
    if octets[place + 3] not in _BLOCKS:
        return end
    flags = octets[place + 4]
    while not flags & END_HEADERS:
        following = _end_of(octets, end)
        if end + 3 < len(octets) and octets[end + 3] != CONTINUATION:
            return end
        if following > len(octets):
            return None
        flags = octets[end + 4]
        end = following
    return end


def units(held: bytes, octets: bytes) -> tuple[list[Unit], bytes]:
    """Split a piece of input into units.

    `held` is the beginning of an incomplete unit from earlier pieces. Returns the units, and what is
    incomplete after this piece.
    """
    every = held + octets
    place = 0
    made: list[Unit] = []
    while (end := _end_of_unit(every, place)) is not None:
        if place >= len(held):
            made.append(_unit(every[place:end]))
        else:
            made.append(Unit(every[len(held) : end]))
        place = end
    if len(every) > max(place, len(held)):
        made.append(Unit(every[max(place, len(held)) :]))
    return made, every[place:]


class Numbers(NamedTuple):
    """The requests that were removed, from which the new numbers of the others follow."""

    gone: frozenset[int] = frozenset()
    step: int = 1
    """The difference between the numbers of consecutive requests: 2 for HTTP/2 streams, otherwise 1."""

    def without(self, *numbers: int) -> Numbers:
        """Return the numbers with more requests or promised streams removed."""
        return self._replace(gone=self.gone.union(numbers))

    def new(self, number: int) -> int:
        """Return the new number of a request; 0 if it was removed."""
        if number in self.gone:
            return 0
        return self.below(number)

    def below(self, number: int) -> int:
        """Return a number reduced by the requests before it that were removed."""
        if self.step > 1 and number % self.step == 0:  # promised by the server, which may leave numbers out
            return number
        fewer = sum(1 for each in self.gone if each < number and (each % 2 or self.step == 1))
        return number - self.step * fewer


class Wire(NamedTuple):
    """The state of a server's octets between two pieces."""

    held: bytes = b""
    tables: Tables | None = Tables(Table(), Table())
    """`None` after a header block that could not be decoded."""


def edited(
    octets: bytes,
    wire: Wire,
    numbers: Numbers,
    changes: Mapping[int, Unit | None],
    fields: Mapping[int, Mapping[int, bytes | None]],
) -> tuple[bytes, Wire, Numbers]:
    """Return a piece of input with units and fields changed or removed, and the state after it.

    The keys of `changes` and `fields` are the numbers of units in the piece.
    """
    found, held = units(wire.held, octets)
    tables = wire.tables
    made: list[bytes] = []
    for number, unit in enumerate(found):
        now = changes.get(number, unit)
        if unit.kind == OPAQUE:
            # If it may be a part of a header block, the blocks that follow are left unchanged.
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
    """Return the content of a unit as parts that can be removed."""
    if unit.kind == SETTINGS:
        return [unit.content[at : at + 6] for at in range(0, len(unit.content), 6)]
    return [unit.content[at : at + 1] for at in range(len(unit.content))]


def values(unit: Unit) -> list[bytes | None]:
    """Return the value of each representation of a header block; `None` if it is not in the block itself."""
    return [each.text for each in fields_of(unit.content)]
