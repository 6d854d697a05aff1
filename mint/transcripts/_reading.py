"""Reading transcripts, and writing them back."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeGuard

from .._core import http1, http2
from .._transcripts.calls import VERBS, Call, read
from .._transcripts.literals import LiteralError, printable, value, written
from .._transcripts.recorded import configured
from .._transcripts.recorder import FIRST_LINE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .._transcripts.recorder import TextSink

Source: TypeAlias = "str | os.PathLike[str] | Iterable[str]"
"""The source of a transcript: the path of a file, a text file, or lines of text."""

_CONNECTION = re.compile(r"connection ([0-9]{1,9}) (http1|http2)")
_STEP = re.compile(r"([0-9]{1,9}) (\w+)")
_HEAD = re.compile(f"{_CONNECTION.pattern}|{_STEP.pattern}")
_REF = re.compile(r"= ([0-9]{1,10})")
_FROM = re.compile(r"from ([0-9]{1,9})")
_VERSION = re.compile(r"mint-transcript (\S{1,60})")
_RESULTS = frozenset(">=*!.~ ")
NEEDED = ("hostname", "port", "scheme", "identity", "user_agent")
_SETS = frozenset({"sensitive"})


class TranscriptError(ValueError):
    """The text is not a valid transcript of this version; the message says in which line, and why."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """A connection in a transcript: its number, its protocol and the options of its engine."""

    connection: int
    protocol: str
    options: dict[str, object]
    results: tuple[str, ...] | None
    line: int

    @property
    def identity(self) -> int:
        """The `connection` of its refs."""
        found = self.options["identity"]
        return found if isinstance(found, int) else 0

    def config(self) -> http1.Config | http2.Config:
        """Return the configuration of the engine."""
        try:
            if self.protocol == "http1":
                return configured(http1.Config, self.options)
            return configured(http2.Config, self.options)
        except (TypeError, ValueError, OverflowError) as error:
            why = printable(str(error))
            raise TranscriptError(f"line {self.line}: the connection cannot be made: {why}") from error

    def lines(self) -> Iterator[str]:
        """Return its lines in a transcript."""
        yield f"connection {self.connection} {self.protocol}"
        yield from (f"  {name} {written(each)}" for name, each in self.options.items())
        yield from (f"  {each}" for each in self.results or ())


@dataclass(frozen=True, slots=True)
class Entry:
    """One step in a transcript: a call, and its results."""

    beginning: Beginning
    number: int
    """The number of the step within its connection."""
    base: int
    """The step that led to the state on which the call is made."""
    call: Call
    results: tuple[str, ...] | None
    """The recorded results; `None` if the transcript ends before them, or was shrunk."""
    line: int
    ref: int | None = None
    """The number of the ref that a request got, 0 if it was refused; `None` if there are no results."""

    def lines(self, *, follows: bool) -> Iterator[str]:
        """Return its lines in a transcript; `follows` means that `base` is the step before it."""
        yield f"{self.beginning.connection} {self.call.verb}"
        if not follows:
            yield f"  from {self.base}"
        yield from (f"  {each}" for each in self.call.lines(self.beginning.protocol, self.beginning.identity))
        yield from (f"  {each}" for each in self.results or ())


@dataclass(frozen=True, slots=True)
class Transcript:
    """The contents of a file: connections and their steps, in order."""

    parts: tuple[Beginning | Entry, ...]

    def write(self, sink: TextSink) -> None:
        """Write the transcript in its file format."""
        sink.write(f"{FIRST_LINE}\n")
        latest: dict[int, int] = {}
        for part in self.parts:
            if isinstance(part, Beginning):
                lines = part.lines()
                latest[part.connection] = 0
            else:
                connection = part.beginning.connection
                lines = part.lines(follows=part.base == latest[connection])
                latest[connection] = part.number
            sink.write("\n" + "\n".join([*lines, ""]))


def _lines(source: Source) -> tuple[list[str], str]:
    """Return the complete lines, and what follows them."""
    if isinstance(source, (str, os.PathLike)):
        with open(source, "rb") as file:  # noqa: PTH123  # a path of either kind
            octets = file.read()
        text = octets.decode("utf-8", "replace")
    else:
        given = list(source)
        if wrong := [line for line in given if not isinstance(line, str)]:
            raise TypeError(f"a transcript must be text, not {type(wrong[0]).__name__}")
        if len(given) > 1 and not any("\n" in line for line in given):
            return [line.removesuffix("\r") for line in given], ""
        text = "".join(given)
    *lines, rest = text.split("\n")
    return [line.removesuffix("\r") for line in lines], rest


def read_transcript(source: Source) -> Transcript:
    """Read a transcript from the path of a file, from a text file or from lines.

    Raises `TranscriptError` for an invalid transcript, `OSError` for a file that cannot be read, `TypeError`
    for a binary file.
    """
    lines, rest = _lines(source)
    first = lines[0].strip() if lines else ""
    if first != FIRST_LINE:
        if found := _VERSION.fullmatch(first):
            known = FIRST_LINE.split()[1]
            raise TranscriptError(
                f"line 1: this is version {found[1]!a} of the format; only version {known} can be read"
            )
        raise TranscriptError(f"line 1: a transcript begins with {FIRST_LINE!r}, not {first[:60]!a}")
    return Transcript(tuple(_Reader(lines, rest).parts()))


def _is_ignored(line: str) -> bool:
    """Whether a line is empty or a comment."""
    text = line.strip()
    return not text or text.startswith("#")


def _belongs(line: str) -> bool:
    """Whether a line belongs to the part before it; empty lines and comments may be within a part."""
    return line.startswith(" ") or _is_ignored(line)


class _Reader:
    """Parses the lines of a transcript.

    An incomplete last line, which a full disk leaves, is ignored. Unless it is one of the results, the
    arguments of its step are incomplete, and the step is ignored, too.
    """

    def __init__(self, lines: list[str], rest: str) -> None:
        self._lines = lines
        self._cuts_arguments = rest.startswith(" ") and rest[2:3] not in _RESULTS
        self._connections: dict[int, Beginning] = {}
        self._steps: dict[int, int] = {}

    def parts(self) -> Iterator[Beginning | Entry]:
        """Return the connections and steps in their order."""
        at = 1
        while at < len(self._lines):
            head = self._lines[at]
            end = at + 1
            if not _is_ignored(head):
                while end < len(self._lines) and _belongs(self._lines[end]):
                    end += 1
                if end == len(self._lines) and self._cuts_arguments:
                    return
                self._check_lines(at + 1, end)
                try:
                    if not head.startswith("by "):
                        yield self._part(head, at, self._lines[at + 1 : end])
                except LiteralError as error:
                    raise TranscriptError(f"line {at + 1}: {error}") from error
            at = end

    def _check_lines(self, start: int, end: int) -> None:
        """Raise an error that names the line if one of a part, or the one after it, is indented wrongly.

        Otherwise an argument would be missing, and the error would not say why.
        """
        for at in range(start, end):
            line = self._lines[at]
            if not _is_ignored(line) and not line.startswith("  "):
                said = f"what belongs to a step is indented by two spaces, not {line[:60]!a}"
                raise TranscriptError(f"line {at + 1}: {said}")
        following = self._lines[end] if end < len(self._lines) else "by"
        if not _HEAD.fullmatch(following.strip()) and not following.startswith("by"):
            said = f"a connection or a step must follow, not {following[:60]!a}"
            raise TranscriptError(f"line {end + 1}: {said}")

    @staticmethod
    def _body(lines: list[str]) -> tuple[list[tuple[str, str]], tuple[str, ...] | None]:
        """Return the arguments of a part, each a name and the rest of its line, and the results."""
        given: list[tuple[str, str]] = []
        results: list[str] = []
        for line in lines:
            if _is_ignored(line):
                continue
            text = line[2:]
            if text[:1] in _RESULTS:
                results.append(printable(text.rstrip()))
            elif text.strip() and not text.startswith("#"):
                name, _, rest = text.partition(" ")
                given.append((name, rest.strip()))
        return given, tuple(results) if results else None

    def _part(self, head: str, at: int, lines: list[str]) -> Beginning | Entry:
        if found := _CONNECTION.fullmatch(head.strip()):
            return self._beginning(int(found[1]), found[2], at, lines)
        if found := _STEP.fullmatch(head.strip()):
            return self._entry(int(found[1]), found[2], at, lines)
        raise LiteralError(f"a connection or a step must follow, not {head[:60]!a}")

    def _beginning(self, number: int, protocol: str, at: int, lines: list[str]) -> Beginning:
        given, results = self._body(lines)
        options: dict[str, object] = {}
        for name, text in given:
            if name in options:
                raise LiteralError(f"the connection has the option {name[:60]!a} twice")
            options[name] = _option(name, value(text))
        if missing := [name for name in NEEDED if name not in options]:
            raise LiteralError(f"the connection has no {missing[0]}")
        if number in self._connections:
            raise LiteralError(f"there are two connections with the number {number}")
        made = Beginning(number, protocol, options, results, at + 1)
        self._connections[number] = made
        self._steps[number] = 0
        return made

    def _entry(self, connection: int, verb: str, at: int, lines: list[str]) -> Entry:
        beginning = self._connections.get(connection)
        if beginning is None:
            raise LiteralError(f"there is no connection {connection} before this step")
        if verb not in VERBS[beginning.protocol]:
            raise LiteralError(f"a connection of {beginning.protocol} has no call {verb!a}")
        given, results = self._body(lines)
        base = latest = self._steps[connection]
        if given and given[0][0] == "from":
            base = _base(given.pop(0), latest)
        self._steps[connection] = latest + 1
        call = read(beginning.protocol, beginning.identity, verb, given)
        return Entry(beginning, latest + 1, base, call, results, at + 1, _given_ref(results))


def _given_ref(results: tuple[str, ...] | None) -> int | None:
    if results is None:
        return None
    found = (_REF.fullmatch(line) for line in results)
    return next((int(each[1]) for each in found if each is not None), 0)


def _base(line: tuple[str, str], latest: int) -> int:
    found = _FROM.fullmatch(" ".join(line))
    if found is None or int(found[1]) > latest:
        raise LiteralError(f"from must be the number of an earlier step, not {line[1][:60]!a}")
    return int(found[1])


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)


def _option(name: str, given: object) -> object:
    """Return the value of an option in the type that an engine takes."""
    if not _is_list(given):
        return given
    if name in _SETS:
        if not all(isinstance(each, str) for each in given):
            raise LiteralError(f"{name} must be a list of text")
        return frozenset(given)
    return tuple(tuple(each) if _is_list(each) else each for each in given)
