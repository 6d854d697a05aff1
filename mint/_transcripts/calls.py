"""The calls of an engine state in a transcript: their arguments, and how they are written.

The same table is used to write a call and to read it back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from json import JSONDecoder
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeGuard

from .._core.events import RequestRef, Step
from .._core.faults import Fault
from ..errors.table import reasons
from .literals import LiteralError, of_frames, of_octets, printable, unquoted, value, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from .._core import http1, http2

State: TypeAlias = "http1.State | http2.State"

Kind = Literal["text", "octets", "input", "pieces", "pairs", "numbers", "flag", "number", "ref", "fault"]

_BOTH: dict[str, tuple[tuple[str, Kind], ...]] = {
    "request": (
        ("method", "text"),
        ("target", "text"),
        ("header", "pairs"),
        ("body", "pieces"),
        ("streaming", "flag"),
    ),
    "stream_body": (("ref", "ref"), ("data", "octets")),
    "end_body": (("ref", "ref"), ("trailer", "pairs")),
    "feed": (("<", "input"),),
    "feed_eof": (("clean", "flag"),),
    "lose": (("fault", "fault"),),
    "close": (),
}
VERBS: dict[str, dict[str, tuple[tuple[str, Kind], ...]]] = {
    "http1": {**_BOTH, "unasked": (("<", "input"),)},
    "http2": {
        **_BOTH,
        "cancel": (("ref", "ref"),),
        "ping": (("payload", "octets"),),
        "put_settings": (("setting", "numbers"),),
        "update_priority": (("ref", "ref"), ("value", "octets")),
        "set_receive_window": (("ref", "ref"), ("size", "number")),
        "set_refill": (("ref", "ref"), ("refill", "flag")),
        "at": (("milliseconds", "number"),),
        "left": (("queued", "number"),),
    },
}
"""The names and kinds of the arguments of each call of a protocol's engine."""

_DECODER = JSONDecoder()
_REF = re.compile(r"(-?[0-9]{1,20})(?: of ([0-9]{1,20}))?")
_FAULT = ("reason", "name", "value", "size", "limit", "code", "processed", "local")
_FAULT_DEFAULTS = (None, "", "", 0, 0, 0, 1, False)


def fault_text(fault: Fault) -> str:
    """Return a fault on one line: its reason, and its other attributes in JSON."""
    found: tuple[object, ...] = tuple(getattr(fault, name) for name in _FAULT)
    more = {
        name: each
        for name, each, default in zip(_FAULT, found, _FAULT_DEFAULTS, strict=True)
        if each != default and name != "reason"
    }
    return f"{fault.reason} {written(more)}" if more else fault.reason


def _made(make: Callable[..., Fault], reason: str, more: Mapping[str, object]) -> Fault:
    return make(reason, **more)


def _fault(text: str) -> Fault:
    reason, _, rest = text.partition(" ")
    more: object = value(rest or "{}")
    if not _is_object(more):
        raise LiteralError(f"a JSON object must follow the reason, not {rest[:60]!a}")
    if reason not in reasons():
        raise LiteralError(f"no fault has the reason {reason[:60]!a}")
    try:
        made = _made(Fault, reason, more)
    except (TypeError, OverflowError) as error:
        raise LiteralError(f"the fault cannot be made: {printable(str(error))}") from error
    if made.processed not in {0, 1, 2}:
        raise LiteralError(f"processed must be 0, 1 or 2, not {made.processed}")
    return made


def _is_tuple(value: object) -> TypeGuard[tuple[object, ...]]:
    return isinstance(value, tuple)


def _is_object(value: object) -> TypeGuard[dict[str, object]]:
    return isinstance(value, dict)


def _pieces_text(name: str, pieces: tuple[object, ...]) -> Iterator[str]:
    yield f"{name} {len(pieces)}"
    for piece in pieces:
        first, *others = list(of_octets(piece)) if isinstance(piece, bytes) and piece else ['""']
        yield f"piece {first}"
        yield from (f"+ {each}" for each in others)


def _pairs_text(name: str, pairs: tuple[object, ...]) -> Iterator[str]:
    for pair in pairs:
        if _is_tuple(pair):
            yield f"{name} {' '.join(written(each) for each in pair)}"


def _argument(name: str, kind: Kind, given: object, identity: int, *, frames: bool) -> Iterator[str]:
    """Return the lines of one argument; none if it is `None` or empty."""
    if isinstance(given, bytes):
        by_frame = frames and kind == "input"
        yield from (f"{name} {each}" for each in (of_frames(given) if by_frame else of_octets(given)))
    elif _is_tuple(given):
        yield from _pieces_text(name, given) if kind == "pieces" else _pairs_text(name, given)
    elif isinstance(given, RequestRef):
        yield f"{name} {ref_text(given, identity)}"
    elif isinstance(given, Fault):
        yield f"{name} {fault_text(given)}"
    elif given is not None:
        yield f"{name} {written(given)}"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an engine state: its name, and its arguments in order."""

    verb: str
    arguments: tuple[object, ...]

    def lines(self, protocol: str, identity: int) -> Iterator[str]:
        """Return the lines of the arguments."""
        for (name, kind), given in zip(VERBS[protocol][self.verb], self.arguments, strict=True):
            yield from _argument(name, kind, given, identity, frames=protocol == "http2")

    def make(self, state: State) -> Step[State] | State:
        """Make the call."""
        operation: Callable[..., Step[State] | State] = getattr(state, self.verb)
        return operation(*self.arguments)


def read(protocol: str, identity: int, verb: str, lines: Sequence[tuple[str, str]]) -> Call:
    """Return a call from its lines, each a name and the rest of the line."""
    expected = VERBS[protocol].get(verb)
    if expected is None:
        raise LiteralError(f"a connection of {protocol} has no call {verb!a}")
    left = list(lines)
    made = tuple(_taken(name, kind, left, identity) for name, kind in expected)
    if left:
        raise LiteralError(f"{verb} has no argument {left[0][0]!a}")
    return Call(verb, made)


def _taken(name: str, kind: Kind, lines: list[tuple[str, str]], identity: int) -> object:
    """Remove the lines of one argument from the list and return its value."""
    names = {name, "piece", "+"} if kind == "pieces" else {name}
    mine = [each for each in lines if each[0] in names]
    lines[:] = [each for each in lines if each[0] not in names]
    match kind:
        case "input" | "octets":
            return b"".join(unquoted(text) for _, text in mine)
        case "pieces":
            return _pieces(mine)
        case "pairs" | "numbers":
            return tuple(_pair(text) for _, text in mine)
        case "ref":
            return _ref(mine[0][1], identity) if mine else None
        case _:
            pass
    if len(mine) != 1:
        raise LiteralError(f"{name} must be given once, not {len(mine)} times")
    return _fault(mine[0][1]) if kind == "fault" else value(mine[0][1])


def _pieces(lines: list[tuple[str, str]]) -> tuple[bytes, ...] | None:
    if not lines:
        return None
    made: list[bytes] = []
    for name, text in lines:
        if name == "piece":
            made.append(unquoted(text))
        elif name == "+":
            if not made:
                raise LiteralError("a piece must come before +")
            made[-1] += unquoted(text)
    return tuple(made)


def _pair(text: str) -> tuple[object, object]:
    """Return the two values of a line, each in JSON."""
    made: list[object] = []
    at = 0
    try:
        while at < len(text):
            found: tuple[object, int] = _DECODER.raw_decode(text, at)
            made.append(found[0])
            at = found[1]
            at += len(text[at:]) - len(text[at:].lstrip())
    except (ValueError, RecursionError):
        made = []
    if len(made) != 2:  # as the message says
        raise LiteralError(f"a name and a value must follow, each in JSON, not {text[:60]!a}")
    return made[0], made[1]


def _ref(text: str, identity: int) -> RequestRef:
    found = _REF.fullmatch(text)
    try:
        if found is not None:
            return RequestRef(identity if found[2] is None else int(found[2]), int(found[1]))
    except OverflowError:
        pass
    raise LiteralError(f"a ref must be NUMBER, or NUMBER of CONNECTION, not {text[:60]!a}")


def ref_text(ref: RequestRef, identity: int) -> str:
    """Return the number of a ref; for a ref of another connection, with the identity of that."""
    return f"{ref.number}" if ref.connection == identity else f"{ref.number} of {ref.connection}"
