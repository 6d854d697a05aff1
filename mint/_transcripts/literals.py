"""The literals of transcripts: octets, text, numbers. Each literal is on one line."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Iterator

from .._core.http2_config import PREFACE

_WIDTH = 96
"""The most octets of text on one line."""
_HEX_WIDTH = 32
_HEAD = 9
_KINDS = (
    *("DATA", "HEADERS", "PRIORITY", "RST_STREAM", "SETTINGS", "PUSH_PROMISE", "PING", "GOAWAY"),
    *("WINDOW_UPDATE", "CONTINUATION"),
)
_FLAGS: dict[int, tuple[tuple[int, str], ...]] = {
    0: ((1, "END_STREAM"), (8, "PADDED")),
    1: ((1, "END_STREAM"), (4, "END_HEADERS"), (8, "PADDED"), (32, "PRIORITY")),
    4: ((1, "ACK"),),
    5: ((4, "END_HEADERS"), (8, "PADDED")),
    6: ((1, "ACK"),),
    9: ((4, "END_HEADERS"),),
}
_ESCAPES = {0x0A: "\\n", 0x0D: "\\r", 0x09: "\\t", 0x22: '\\"', 0x5C: "\\\\"}
_MARKS = tuple(
    _ESCAPES.get(each, chr(each) if 0x20 <= each < 0x7F else f"\\x{each:02x}") for each in range(256)
)
_UNESCAPED = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|([nrt\"\\]))")
_QUOTED = re.compile(r'"((?:[^"\\\x00-\x1f\x7f-\U0010ffff]|\\x[0-9a-f]{2}|\\[nrt"\\])*)"')
_HEX = re.compile(r"(?:[0-9a-f]{2})+")
_HEADS = re.compile(rb"[\x20-\x7e\t\r\n]*\r\n\r\n")
_COMMENT = re.compile(r"(?:\s+#.*)?\s*")


class LiteralError(ValueError):
    """A part of a transcript is not a valid literal."""


def quoted(octets: bytes) -> str:
    """Return octets as text in quotes."""
    return '"' + "".join([_MARKS[each] for each in octets]) + '"'


def unquoted(text: str) -> bytes:
    """Return the octets of a literal: text in quotes, or hexadecimal digits; a comment may follow."""
    text = text.strip()
    found = _QUOTED.match(text) or _HEX.match(text)
    if found is None or not _COMMENT.fullmatch(text, found.end()):
        raise LiteralError(
            f"octets must be in quotes (\\x41 for other than text) or in hexadecimal, not {text[:60]!a}"
        )
    if found[0].startswith('"'):
        return _ESCAPE.sub(
            lambda each: chr(int(each[1], 16)) if each[1] else _UNESCAPED[each[2]], found[1]
        ).encode("latin-1")
    return bytes.fromhex(found[0])


def value(text: str) -> object:
    """Return the value of a literal in JSON."""
    try:
        made: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LiteralError(f"the value must be JSON, not {text[:60]!a}") from error
    return made


def printable(text: str) -> str:
    """Return text in which everything that could control a terminal is escaped."""
    return text if text.isascii() and text.isprintable() else ascii(text)[1:-1]


def _stand_in(given: object) -> object:
    """Return what is written for a value that JSON does not support."""
    if _is_set(given):
        return sorted(map(str, given))
    return type(given).__name__


def _is_set(value: object) -> TypeGuard[frozenset[object]]:
    return isinstance(value, frozenset)


def written(given: object) -> str:
    """Return a value in JSON, sets as sorted lists."""
    return json.dumps(given, default=_stand_in)


def _is_text(octets: bytes) -> bool:
    """Whether octets are written as text: at least three fifths of them are printable."""
    return sum(0x20 <= each < 0x7F or each in _ESCAPES for each in octets) * 5 >= 3 * len(octets)


def _text_lines(octets: bytes) -> Iterator[str]:
    for line in _lines(octets):
        for at in range(0, len(line), _WIDTH):
            yield quoted(line[at : at + _WIDTH])


def _lines(octets: bytes) -> Iterator[bytes]:
    """Split after each LF, and nowhere else."""
    start = 0
    while start < len(octets):
        end = octets.find(b"\n", start) + 1 or len(octets)
        yield octets[start:end]
        start = end


def _hex_lines(octets: bytes) -> Iterator[str]:
    for at in range(0, len(octets), _HEX_WIDTH):
        yield octets[at : at + _HEX_WIDTH].hex()


def of_octets(octets: bytes) -> Iterator[str]:
    """Return the literals for these octets, one per line; the head of a message is text whatever follows."""
    if _is_text(octets):
        yield from _text_lines(octets)
        return
    begun = _HEADS.match(octets)
    end = begun.end() if begun else 0
    yield from _text_lines(octets[:end])
    yield from _hex_lines(octets[end:])


def of_frames(octets: bytes) -> Iterator[str]:
    """Return the literals for these octets of HTTP/2; if all frames are complete, each has its own lines."""
    if octets.startswith(PREFACE):
        yield quoted(PREFACE) + "  # the preface"
        octets = octets[len(PREFACE) :]
    frames = _frames(octets)
    if frames is None:
        yield from of_octets(octets)
        return
    for frame in frames:
        kind = frame[3]
        named = _KINDS[kind] if kind < len(_KINDS) else f"type {kind}"
        flags = "".join(f", {name}" for bit, name in _FLAGS.get(kind, ()) if frame[4] & bit)
        stream = int.from_bytes(frame[5:_HEAD]) & 0x7FFFFFFF
        yield f"{frame[:_HEAD].hex()}  # {named}, stream {stream}{flags}"
        yield from of_octets(frame[_HEAD:]) if kind == 0 else _hex_lines(frame[_HEAD:])


def _frames(octets: bytes) -> list[bytes] | None:
    """Split octets into frames; return `None` if the last frame is not complete."""
    made: list[bytes] = []
    place = 0
    while place < len(octets):
        end = place + _HEAD + int.from_bytes(octets[place : place + 3])
        if end > len(octets):
            return None
        made.append(octets[place:end])
        place = end
    return made
