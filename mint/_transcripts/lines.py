"""Masking of secrets in the octets of HTTP/1 responses, however they are split into reads.

Whether a line is part of a head is known from the engine, which is fed everything before it. An incomplete
line that may contain a secret is held back, and recorded when the rest has arrived.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Self

from .._checks import TCHAR
from .masks import plain

if TYPE_CHECKING:
    from .._core.http1 import State

_USERINFO = rb"//[^/?#\s]*@"
_TOKEN = TCHAR.encode()
_FOLDS = rb"[^\n]*(?:\n[ \t][^\n]*)*"
_FOLDED = re.compile(_FOLDS)


def _pattern(names: frozenset[str]) -> re.Pattern[bytes]:
    named = b"|".join(re.escape(name.encode("latin-1", "replace")) for name in sorted(names))
    return re.compile(
        rb"(?i)(?<![^\r\n])(?P<name>[ \t]*(?:%s)(?!%s)[ \t]*:?)%s|%s" % (named, _TOKEN, _FOLDS, _USERINFO)
    )


def _mask(octets: bytes) -> bytes:
    """Mask each line, except for whitespace at its ends."""
    lines = octets.decode("latin-1").split("\n")
    made: list[str] = []
    for line in lines:
        text = line.removesuffix("\r")
        made.append(plain(text, [(0, len(text))]) + line[len(text) :])
    return "\n".join(made).encode("latin-1")


def _is_secret_place(state: State) -> bool:
    """Whether a field may be here; true if the engine reads nothing any more, to be safe."""
    return state.reads_fields or not state.is_open_read


class Lines(NamedTuple):
    """The state of masking between two reads of HTTP/1 responses."""

    names: frozenset[str]
    pattern: re.Pattern[bytes]
    held: bytes = b""
    """The start of a line that may contain a secret."""
    folds: bool = False
    """Whether a line that starts with whitespace continues a secret (obs-fold)."""
    inside: bool = False
    """Whether the start of the current line was recorded; then its field is not a secret one."""

    @classmethod
    def start(cls, names: frozenset[str]) -> Self:
        """Return the initial state; `names` are those of secret fields."""
        return cls(names, _pattern(names))

    def take(self, data: bytes, state: State) -> tuple[bytes, Self]:
        """Return the octets that may be recorded, masked, and the next state of masking.

        `state` is the engine's state after everything that was recorded before.
        """
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
                walk.put(octets[:1])  # this is not the start of a line
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
        """Hold back the last line if it is incomplete and may contain a secret."""
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
        """Whether an incomplete line contains a part of a secret, or may continue with one."""
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
        """Return what is held back, with everything masked that may be a secret."""
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
    """Collects the masked octets, and feeds them to an engine state to know what may follow."""

    def __init__(self, state: State) -> None:
        self.made = bytearray()
        self.secret_end = -2  # no secret yet; -1 would be the position before the first octet
        self._start = self._state = state
        self._fed = 0

    @property
    def read(self) -> int:
        """How many octets were processed: a mask is as long as the secret."""
        return len(self.made)

    def put(self, octets: bytes) -> None:
        """Add octets, masked or not."""
        self.made += octets

    def rewind(self, place: int) -> None:
        """Go back to an earlier position."""
        if place < self._fed:
            self._state, self._fed = self._start, 0
        del self.made[place:]

    def is_secret_place(self) -> bool:
        """Whether a field may be at the current position."""
        if len(self.made) > self._fed:
            self._state = self._state.feed(bytes(self.made[self._fed :])).state
            self._fed = len(self.made)
        return _is_secret_place(self._state)
