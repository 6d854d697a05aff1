"""Masking of secrets in the octets of HTTP/2 responses, however they are split into reads.

A header block is changed string by string (RFC 7541 6). Each mask has the size of the secret, so frames and
tables do not change. The engine's own decoder decodes the fields. A header block that is not complete is held
back, and recorded when the rest has arrived.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple, Self

from .._core.hpack import Decoder, Encoder
from .masks import bits, name_spans, plain, refit, spans

if TYPE_CHECKING:
    from .._core.http2 import State
    from .masks import Span

HEAD = 9
HEADERS, PUSH_PROMISE, CONTINUATION = 1, 5, 9
END_HEADERS, PADDED, PRIORITY = 4, 8, 32
_NO_LIMIT = 2**31 - 1
_PRIORITY_SIZE = 5
_PROMISED_SIZE = 4
_NUMBER_SIZE = 7  # octets of an integer at most, before the engine gives up


class Frames(NamedTuple):
    """The state of masking between two reads of HTTP/2 frames."""

    names: frozenset[str]
    held: bytes = b""
    """The start of an incomplete header block, from its first frame on, or of an incomplete frame header."""
    passing: int = 0
    """How many octets are still to arrive of a frame that is not part of a header block."""

    def take(self, data: bytes, state: State) -> tuple[bytes, Self]:
        """Return the octets that may be recorded, masked, and the next state of masking.

        `state` is the engine's state after everything that was recorded before.
        """
        octets = bytearray(self.held + data)
        place = min(self.passing, len(octets))
        passing = self.passing - place
        fed = 0
        while not passing and place < len(octets):
            end = _end_of(octets, place)
            if end is None:
                break
            if octets[place + 3] in {HEADERS, PUSH_PROMISE, CONTINUATION}:
                end, whole = _end_of_block(octets, place)
                if not whole:
                    break
                if place > fed:
                    state = state.feed(bytes(octets[fed:place])).state
                    fed = place
                decoder = state.decoder if state.is_open_read else None
                _mask_block(octets, place, end, decoder, self.names)
            passing = max(0, end - len(octets))
            place = min(end, len(octets))
        return bytes(octets[:place]), self._replace(held=bytes(octets[place:]), passing=passing)

    def rest(self) -> bytes:
        """Return what is held back, with everything masked that may be a secret."""
        octets = bytearray(self.held)
        place = 0
        while place + HEAD < len(octets):
            end = min(_end_of(octets, place) or len(octets), len(octets))
            octets[place + HEAD : end] = bytes(end - place - HEAD)
            place = end
        return bytes(octets)


def _end_of(octets: bytearray, place: int) -> int | None:
    """Return where a frame ends, even if it is not complete; `None` if its frame header is not complete."""
    if place + HEAD > len(octets):
        return None
    return place + HEAD + int.from_bytes(octets[place : place + 3])


def _end_of_block(octets: bytearray, place: int) -> tuple[int, bool]:
    """Return where the frames of a header block end, and whether the block is complete."""
    stream = octets[place + 5 : place + HEAD]
    while True:
        end = _end_of(octets, place)
        if end is None or end > len(octets):
            return len(octets), False
        if octets[place + 4] & END_HEADERS:
            return end, True
        following = _end_of(octets, end)
        if following is None:
            return len(octets), False
        if octets[end + 3] != CONTINUATION or octets[end + 5 : end + HEAD] != stream:
            return end, True  # the engine ends the connection here
        place = end


def _fragments(octets: bytearray, place: int, end: int) -> list[tuple[int, int]]:
    """Return the positions of the fragments of a header block, without padding and other fields of frames."""
    found: list[tuple[int, int]] = []
    while place < end:
        kind, flags = octets[place + 3], octets[place + 4]
        start = place + HEAD
        place = _end_of(octets, place) or end
        stop = place
        if kind != CONTINUATION and flags & PADDED and start < stop:
            stop -= octets[start]
            start += 1
        if kind == HEADERS and flags & PRIORITY:
            start += _PRIORITY_SIZE
        elif kind == PUSH_PROMISE:
            start += _PROMISED_SIZE
        if start < stop:
            found.append((start, stop))
    return found


def _mask_block(
    octets: bytearray, place: int, end: int, decoder: Decoder | None, names: frozenset[str]
) -> None:
    """Mask the secrets of a complete header block in place."""
    pieces = _fragments(octets, place, end)
    block = bytearray().join(octets[start:stop] for start, stop in pieces)
    if decoder is None:
        block = bytearray(len(block))
    else:
        decoded = decoder.decode(bytes(block), _NO_LIMIT, _NO_LIMIT)
        _Block(block, names).mask(decoded.fields, broken=decoded.fault is not None)
    at = 0
    for start, stop in pieces:
        octets[start:stop] = block[at : at + stop - start]
        at += stop - start


class _Block:
    """A header block that is read from one representation to the next."""

    def __init__(self, block: bytearray, names: frozenset[str]) -> None:
        self._block = block
        self._names = names
        self._at = 0

    def mask(self, fields: list[tuple[str, str]], *, broken: bool) -> None:
        """Mask the secrets among the fields; if the block is broken, also everything after the fields."""
        block = self._block
        left = iter(fields)
        while self._at < len(block):
            first = block[self._at]
            if first & 0xE0 == 0x20:  # a table size update
                self.number(0x1F)
                continue
            field = next(left, None)
            if field is None:
                break
            if first & 0x80:
                self.number(0x7F)
                continue
            name, value = field
            if self.number(0x3F if first & 0x40 else 0x0F) == 0:
                self._mask_string(name, name_spans(name, value, self._names))
            self._mask_string(value, spans(name, value, self._names))
        if broken:
            self._blank()

    def _mask_string(self, text: str, where: list[Span]) -> None:
        compressed, start, end = self.string()
        self._at = end
        if not where:
            return
        if compressed:
            made = huffman(refit(text, where, end - start))
            made = made if len(made) == end - start else bytes(end - start)
        else:
            made = plain(text, where).encode("latin-1")
        self._block[start:end] = made

    def _blank(self) -> None:
        """Mask the rest of the block, but keep the start of the representation that the engine refuses."""
        block = self._block
        first = block[self._at] if self._at < len(block) else 0
        if first & 0x80 or first & 0xE0 == 0x20:  # no string in it
            self._at += _NUMBER_SIZE
            block[self._at :] = bytes(len(block) - min(self._at, len(block)))
            return
        named = self.number(0x3F if first & 0x40 else 0x0F)
        for _ in range(1 if named else 2):
            compressed, start, end = self.string()
            self._at = end = min(end, len(block))
            if compressed:
                block[start:end] = b"\xff" * (end - start)
            else:
                block[start:end] = b"x" * (end - start)
        block[self._at :] = bytes(len(block) - self._at)

    def number(self, most: int) -> int:
        """Read an integer (RFC 7541 5.1)."""
        block = self._block
        value = block[self._at] & most if self._at < len(block) else 0
        self._at += 1
        if value < most:
            return value
        shift = 0
        while self._at < len(block) and shift < 7 * _NUMBER_SIZE:
            octet = block[self._at]
            self._at += 1
            value += (octet & 0x7F) << shift
            shift += 7
            if not octet & 0x80:
                break
        return value

    def string(self) -> tuple[bool, int, int]:
        """Return whether the string that starts here is compressed, and where its octets start and end."""
        compressed = self._at < len(self._block) and self._block[self._at] & 0x80 != 0
        size = self.number(0x7F)
        return compressed, self._at, self._at + size


@cache
def _code(mark: str) -> str:
    """Return the Huffman code of a character, as binary digits (RFC 7541 appendix B)."""
    block, _ = Encoder().encode((("authorization", mark + "0" * 800),))
    walk = _Block(bytearray(block), frozenset())
    walk.number(0x0F)
    _, start, _ = walk.string()
    octets = block[start : start + 4]
    return f"{int.from_bytes(octets):032b}"[: bits(mark)]


def huffman(text: str) -> bytes:
    """Return a string in the Huffman code (RFC 7541 5.2)."""
    digits = "".join(_code(mark) for mark in text)
    digits += "1" * (-len(digits) % 8)
    return int(digits or "0", 2).to_bytes(len(digits) // 8)
