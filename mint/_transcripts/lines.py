"""Masking the secrets of HTTP/1 responses in what arrives, however it is cut.

The engine itself says whether a line is part of a head: it is fed what comes before. A line that is not
complete and may hold a secret is held back, and recorded together with the rest of it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Self

from .masks import plain

if TYPE_CHECKING:
    from .._core.http1 import State

_USERINFO = rb"//[^/?#\s\"'<>]*@"
_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]"
_FOLDS = rb"[^\n]*(?:\n[ \t][^\n]*)*"
_FOLDED = re.compile(_FOLDS)


def _pattern(names: frozenset[str]) -> re.Pattern[bytes]:
    named = b"|".join(re.escape(name.encode("latin-1", "replace")) for name in sorted(names))
    return re.compile(
        rb"(?i)(?<![^\r\n])(?P<name>[ \t]*(?:%s)(?!%s)[ \t]*:?)%s|%s" % (named, _TOKEN, _FOLDS, _USERINFO)
    )


def _mask(octets: bytes) -> bytes:
    """Mask line by line: blanks and line ends stay where they are."""
    lines = octets.decode("latin-1").split("\n")
    made: list[str] = []
    for line in lines:
        text = line.removesuffix("\r")
        made.append(plain(text, [(0, len(text))]) + line[len(text) :])
    return "\n".join(made).encode("latin-1")


def _is_secret_place(state: State) -> bool:
    """Whether fields are read here; where nothing is read any more, everything could be one."""
    return state.reads_fields or not state.is_open_read


class Lines(NamedTuple):
    """What there is to know of a stream of HTTP/1 responses between two reads."""

    names: frozenset[str]
    pattern: re.Pattern[bytes]
    held: bytes = b""
    """The beginning of a line that may hold a secret."""
    folds: bool = False
    """Whether a line that begins with a blank goes on with a secret."""
    inside: bool = False
    """Whether the beginning of the line that goes on was recorded: it names no secret."""

    @classmethod
    def start(cls, names: frozenset[str]) -> Self:
        """Begin a stream; `names` are those of secret fields."""
        return cls(names, _pattern(names))

    def take(self, data: bytes, state: State) -> tuple[bytes, Self]:
        """Return what may be recorded of the octets, and how to go on. `state` has seen what was recorded."""
        octets = self.held + data
        walk = _Walk(state)
        if self.folds and not self.inside and octets[:1] in {b" ", b"\t"}:
            first = _FOLDED.match(octets)
            if first is not None and _is_secret_place(state):
                walk.put(_mask(first[0]))
                walk.secret_end = first.end()
        while (found := self.pattern.search(octets, walk.read)) is not None:
            walk.put(octets[walk.read : found.start()])
            name = found["name"]
            if name is not None and self.inside and not found.start():
                walk.put(octets[:1])  # no line begins here
            elif not walk.is_secret_place():
                walk.put(found[0])
            elif name is not None:
                walk.put(name + _mask(found[0][len(name) :]))
                walk.secret_end = found.end()
            else:
                walk.put(b"//" + _mask(found[0][2:-1]) + b"@")
        walk.put(octets[walk.read :])
        return self._kept(octets, walk)

    def _kept(self, octets: bytes, walk: _Walk) -> tuple[bytes, Self]:
        """Hold back the last line where it is not complete and may hold a secret."""
        made = bytes(walk.made)
        begin = octets.rfind(b"\n") + 1
        folds = walk.secret_end >= begin - 1
        inside = self.inside and not begin
        if self._may_be_secret(octets[begin:], folds=folds, inside=inside):
            walk.rewind(begin)
            if walk.is_secret_place():
                return made[:begin], self._replace(held=octets[begin:], folds=folds, inside=inside)
        if not octets:
            return made, self
        whole = begin == len(octets)
        return made, self._replace(held=b"", folds=whole and folds, inside=not whole)

    def _may_be_secret(self, line: bytes, *, folds: bool, inside: bool) -> bool:
        """Whether an unfinished line may go on with a secret, or holds a part of one."""
        if inside:
            return line.endswith(b"/") or b"//" in line
        if line[:1] in {b" ", b"\t"}:
            return folds
        name, colon, value = line.partition(b":")
        begun = name.strip(b" \t").lower().decode("latin-1")
        if colon:
            return begun in self.names or value.endswith(b"/") or b"//" in value
        return bool(begun) and any(each.startswith(begun) or begun.startswith(each) for each in self.names)

    def rest(self) -> bytes:
        """Return what is held back, with all that may be a secret masked."""
        if self.inside:
            return _mask(self.held)
        found = self.pattern.match(self.held)
        if found is not None and found["name"] is not None:
            return found["name"] + _mask(self.held[found.end("name") :])
        name, colon, value = self.held.partition(b":")
        if name[:1] in {b" ", b"\t"}:
            return _mask(self.held)
        return name + colon + _mask(value) if colon else self.held


class _Walk:
    """Goes through octets once, and knows what the engine makes of those that it has passed."""

    def __init__(self, state: State) -> None:
        self.made = bytearray()
        self.secret_end = -2  # not even before the first octet
        self._start = self._state = state
        self._fed = 0

    @property
    def read(self) -> int:
        """How many octets were passed: a mask is as long as what it hides."""
        return len(self.made)

    def put(self, octets: bytes) -> None:
        """Pass octets, masked or not."""
        self.made += octets

    def rewind(self, place: int) -> None:
        """Let `is_secret_place` speak of another place."""
        if place < self._fed:
            self._state, self._fed = self._start, 0
        del self.made[place:]

    def is_secret_place(self) -> bool:
        """Whether a field can begin where the walk has come to."""
        if len(self.made) > self._fed:
            self._state = self._state.feed(bytes(self.made[self._fed :])).state
            self._fed = len(self.made)
        return _is_secret_place(self._state)
