"""Masks, which replace secrets in transcripts.

A mask has as many characters as the secret, and as many octets after HPACK compression (RFC 7541 5.2), so
that frames, windows, tables and limits come to the same sizes. Characters that make a value invalid are kept:
whitespace at its ends, control characters, and characters above U+00FF.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .._checks import TCHAR
from .._core.fields import SENSITIVE
from .._core.hpack import Encoder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..types import HeaderFields

Span = tuple[int, int]
"""The start and end of a secret in a value."""

_USERINFO = re.compile(r"//([^/?#\s]*)@")
_SCHEMES = re.compile(r"(?i)(?:basic|bearer|digest|dpop|hawk|negotiate|ntlm|hoba|mutual|scram-\S+) +(?=\S)")
_WITH_SCHEME = frozenset({"authorization", "proxy-authorization"})
_HIDDEN = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f\u0100-\U0010ffff]")
_UNSENDABLE = re.compile("[\u0100-\U0010ffff]")
_TOKEN = re.compile(f":?{TCHAR}+")
_BEGINNING = re.compile(f":?{TCHAR}*")
# Words with a hyphen or underscore between them, and few digits: random text does not look like this.
_WORD = r"(?:[A-Za-z][a-z]{0,15}|[A-Z]{1,16})[0-9]{0,2}"
_WORDS = re.compile(f":?(?:{_WORD}(?:[-_]{_WORD})*)?")
_OTHERS = re.compile(r"[^0-9a-z]")
_LINE_BREAK = re.compile(r"[\r\n\0]")
_HOSTS = frozenset({"host", ":authority"})
_BLANKS = " \t"
_LEAST = 5
_SHORT = "0"  # a character with one of the shortest codes
_FILLERS = "0-x*!|#@^{\\"  # one visible character for each length of code
_PADDING = 800  # so many characters that the encoder compresses the string, whatever else is in it
_OCTET = 8


def _sizes() -> tuple[int, ...]:
    """Return the length in bits of each character's Huffman code (RFC 7541 appendix B)."""
    encoder = Encoder()
    padding = _SHORT * _PADDING

    def size(text: str) -> int:
        return len(encoder.encode((("authorization", text + padding),))[0])

    without = size("")
    return tuple(size(chr(mark) * _OCTET) - without for mark in range(256))


_BITS = _sizes()
# The characters of masks, by the length of their codes; the longest codes are those of obs-text.
_MARKS = {
    **{_BITS[mark]: chr(mark) for mark in range(0x80, 0x100)},
    **{_BITS[ord(each)]: each for each in _FILLERS},
}


def bits(text: str) -> int:
    """Return the length in bits of a value in the Huffman code."""
    return sum(_BITS[ord(mark)] for mark in text)


def octets_on_the_wire(text: str) -> int:
    """Return how many octets the encoder writes for a value: compressed or not, whichever is shorter."""
    return min(len(text), -(-bits(text) // _OCTET))


def filler(count: int, least: int, most: int) -> str | None:
    """Return `count` characters whose codes have `least` to `most` bits; `None` if that is impossible."""
    made: list[str] = []
    for left in range(count, 0, -1):
        share = (most - _LEAST * left) / left + _LEAST
        fitting = [size for size in _MARKS if size <= share]
        if not fitting:
            return None
        size = max(fitting)
        made.append(_MARKS[size])
        least -= size
        most -= size
    return "".join(sorted(made, reverse=True)) if least <= 0 <= most else None


def secret_names(sensitive: Iterable[str]) -> frozenset[str]:
    """Return the names, in lower case, of the fields whose values are secrets."""
    return SENSITIVE | frozenset(sensitive)


def _mentions(text: str, names: frozenset[str]) -> bool:
    """Whether text in lower case contains the name of a secret field, with anything between its letters."""
    letters = _OTHERS.sub("", text)
    return any(_OTHERS.sub("", each) in letters for each in names)


def _is_odd(name: str, names: frozenset[str]) -> bool:
    """Whether an invalid name, which the engine refuses, contains the name of a secret field."""
    return not _TOKEN.fullmatch(name) and _mentions(name, names)


def name_spans(name: str, value: str, names: frozenset[str]) -> list[Span]:
    """Return the positions in a field's name of what may be a secret: only an invalid name has any.

    A line or a value may have been given as the name. So everything after the first character that no name
    has is masked. What precedes it is kept only if it looks like words, and if the value does not contain
    the name of a secret field, as it does if name and value were exchanged.
    """
    begun = _BEGINNING.match(name)
    end = 0 if begun is None else begun.end()
    if end == len(name):
        return []
    kept = _WORDS.fullmatch(name, 0, end) and not _mentions(value.lower(), names)
    return [(end + 1, len(name))] if kept else [(0, end), (end + 1, len(name))]


def spans(name: str, value: str, names: frozenset[str]) -> list[Span]:
    """Return the positions of the secrets in a field's value."""
    lower = name.lower()
    if lower not in names and not _is_odd(lower, names):
        if lower in _HOSTS and "@" in value:
            return [(0, value.rfind("@"))]
        # The text after a line break may be meant as another field; the engine refuses such a value.
        broken = _LINE_BREAK.search(value)
        end = len(value) if broken is None else broken.start()
        found = [each.span(1) for each in _USERINFO.finditer(value, 0, end)]
        return found if broken is None else [*found, (end, len(value))]
    scheme = _SCHEMES.match(value) if lower in _WITH_SCHEME else None
    return [(0 if scheme is None else scheme.end(), len(value))]


def _trimmed(value: str, where: Iterable[Span]) -> list[Span]:
    """Return the same positions without whitespace at their ends, which makes values invalid."""
    found: list[Span] = []
    for start, end in where:
        text = value[start:end]
        first = start + len(text) - len(text.lstrip(_BLANKS))
        found.append((first, first + len(text.strip(_BLANKS))))
    return found


def plain(value: str, where: Iterable[Span]) -> str:
    """Return the value with `x` for each character of its secrets."""
    for start, end in _trimmed(value, where):
        masked = _UNSENDABLE.sub("\u0100", _HIDDEN.sub("x", value[start:end]))
        value = value[:start] + masked + value[end:]
    return value


def refit(value: str, where: list[Span], size: int | None = None) -> str:
    """Return the value with its secrets masked, and as many octets in HPACK as before.

    `size` is the size of a value that a peer has compressed, which may be longer than uncompressed.
    """
    if not where or _UNSENDABLE.search(value):
        return plain(value, where)
    hidden = [
        at for start, end in _trimmed(value, where) for at in range(start, end) if _HIDDEN.match(value, at)
    ]
    kept = bits(value) - sum(_BITS[ord(value[at])] for at in hidden)
    most = _OCTET * (octets_on_the_wire(value) if size is None else size) - kept
    made = filler(len(hidden), most - _OCTET + 1, most)
    if made is None:
        return plain(value, where)
    marks = list(value)
    for at, mark in zip(hidden, made, strict=True):
        marks[at] = mark
    return "".join(marks)


def fields(pairs: HeaderFields, names: frozenset[str], *, fitted: bool) -> HeaderFields:
    """Return fields with their secrets masked. A masked name is never sent, so its size does not matter."""
    made: list[tuple[str, str]] = []
    for name, value in pairs:
        where = spans(name, value, names)
        shown = plain(name, name_spans(name, value, names))
        made.append((shown, refit(value, where) if fitted else plain(value, where)))
    return tuple(made)


def target(text: str) -> str:
    """Return a request target with the credentials before its host masked.

    If the target is not a valid URI, it is unclear where the host ends, and rather too much is masked.
    """
    at = text.rfind("@")
    if at < 0 or text.startswith("/"):
        return text
    start = text.find("//") + 2
    if start < 2 or start > at:  # 2 is the length of "//"
        return plain(text, [(0, at)])
    authority = re.split(r"[/?#]", text[start:], maxsplit=1)[0]
    _, colon, port = authority.rpartition(":")
    if "@" in authority and not (colon and "@" not in port and not port.isdigit()):
        at = start + authority.rfind("@")
    elif "@" not in authority and (not colon or port.isdigit() or authority.endswith("]")):
        return text
    return plain(text, [(start, at)])
