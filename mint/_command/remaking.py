"""Make a new transcript from parts of another one, with steps, refs, frames and tables adapted."""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple, TypeGuard

from .._core.events import RequestRef
from .._transcripts.calls import Call
from ..transcripts._reading import Beginning, Entry, Transcript
from .frame_edits import Numbers, Wire, edited

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .frame_edits import Unit

_STEP = 8
"""The weight of a step, in octets."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Changes to a transcript. The keys are the places of parts in it."""

    gone: frozenset[int] = frozenset()
    """The parts that are removed."""
    calls: Mapping[int, Call] = field(default_factory=dict[int, Call])
    """New calls."""
    options: Mapping[int, dict[str, object]] = field(default_factory=dict[int, "dict[str, object]"])
    """New options of connections."""
    units: Mapping[int, Mapping[int, Unit | None]] = field(
        default_factory=dict[int, "Mapping[int, Unit | None]"]
    )
    """New HTTP/2 frames of input, by their number in the part; `None` removes one."""
    fields: Mapping[int, Mapping[int, Mapping[int, bytes | None]]] = field(
        default_factory=dict[int, "Mapping[int, Mapping[int, bytes | None]]"]
    )
    """New values of fields, by the number of the frame and of the representation; `None` removes one."""


class Place(NamedTuple):
    """The state after a step: its number in the new transcript, and what later steps depend on."""

    number: int
    numbers: Numbers
    wire: Wire
    following: int
    """The number of the next request."""


def places(transcript: Transcript) -> dict[int, Wire]:
    """Return the state of the server's octets before each step, by the place of the step."""
    made: dict[int, Wire] = {}
    known: dict[tuple[int, int], Wire] = {}
    for at, part in enumerate(transcript.parts):
        if isinstance(part, Beginning):
            known[part.connection, 0] = Wire()
            continue
        connection = part.beginning.connection
        wire = made[at] = known[connection, part.base]
        octets = arriving(part.beginning, part.call)
        if octets is not None:
            wire = edited(octets, wire, Numbers(), {}, {})[1]
        known[connection, part.number] = wire
    return made


def arriving(beginning: Beginning, call: Call) -> bytes | None:
    """Return the octets of the frames that arrive with a call; `None` if it is another call."""
    octets = call.arguments[0] if beginning.protocol == "http2" and call.verb == "feed" else None
    return octets if isinstance(octets, bytes) else None


def remade(best: Transcript, edit: Edit) -> Transcript:
    """Return the transcript with an edit applied, and everything that depends on it adapted.

    The recorded results of a step are kept if nothing before it on its connection has changed.
    """
    maker = _Maker(edit)
    for at, part in enumerate(best.parts):
        if isinstance(part, Beginning):
            maker.beginning(at, part)
        else:
            maker.entry(at, part)
    return Transcript(tuple(maker.made))


class _Maker:
    def __init__(self, edit: Edit) -> None:
        self.made: list[Beginning | Entry] = []
        self._edit = edit
        self._beginnings: dict[int, Beginning] = {}
        self._places: dict[tuple[int, int], Place] = {}
        self._latest: dict[int, int] = {}
        self._touched: set[int] = set()

    def beginning(self, at: int, part: Beginning) -> None:
        options = self._edit.options.get(at)
        if options is not None:
            part = replace(part, options=options, results=None)
            self._touched.add(part.connection)
        self._beginnings[part.connection] = part
        self._latest[part.connection] = 0
        step = 2 if part.protocol == "http2" else 1
        self._places[part.connection, 0] = Place(0, Numbers(step=step), Wire(), 1)
        if at not in self._edit.gone:
            self.made.append(part)

    def entry(self, at: int, part: Entry) -> None:
        connection = part.beginning.connection
        base = self._places[connection, part.base]
        ref = 0
        following = base.following
        if part.call.verb == "request":
            ref = following if part.ref is None else part.ref
            following = ref + base.numbers.step if ref else following
        call = self._edit.calls.get(at, part.call)
        numbers, wire = base.numbers, base.wire
        octets = arriving(part.beginning, call)
        if octets is not None:
            units = self._edit.units.get(at, {})
            octets, wire, numbers = edited(octets, wire, numbers, units, self._edit.fields.get(at, {}))
            call = Call(call.verb, (octets,))
        renamed = _renamed(call, numbers, part.beginning.identity)
        if at in self._edit.gone or renamed is None:
            self._leave_out(part, base, ref, following)
            return
        number = self._latest[connection] = self._latest[connection] + 1
        self._places[connection, part.number] = Place(number, numbers, wire, following)
        if renamed != part.call:
            self._touched.add(connection)
        made = replace(
            part, beginning=self._beginnings[connection], number=number, base=base.number, call=renamed
        )
        if part.call.verb == "request":
            made = replace(made, ref=numbers.below(ref) if ref else 0)
        if connection in self._touched:
            made = replace(made, results=None)
        self.made.append(made)

    def _leave_out(self, part: Entry, base: Place, ref: int, following: int) -> None:
        """Remove a step, with the request that it began; the steps after it follow the step before it."""
        connection = part.beginning.connection
        numbers, wire = base.numbers, base.wire
        if ref:
            numbers = numbers.without(ref)
        octets = arriving(part.beginning, part.call)
        if octets is not None:
            every = dict.fromkeys(range(len(octets)))
            _, wire, numbers = edited(octets, wire, numbers, every, {})
        self._places[connection, part.number] = Place(base.number, numbers, wire, following)
        self._touched.add(connection)


def _renamed(call: Call, numbers: Numbers, identity: int) -> Call | None:
    """Return a call with the new refs of its requests; `None` if the request was removed."""
    if not numbers.gone:
        return call
    made: list[object] = []
    for given in call.arguments:
        if isinstance(given, RequestRef) and given.connection == identity:
            number = numbers.new(given.number)
            if not number:
                return None
            made.append(RequestRef(identity, number))
        else:
            made.append(given)
    return Call(call.verb, tuple(made))


def text(transcript: Transcript) -> str:
    """Return a transcript as the text of a file."""
    sink = io.StringIO()
    transcript.write(sink)
    return sink.getvalue()


def weight(transcript: Transcript) -> int:
    """Return the size of the contents of a transcript, independent of the format of its file."""
    return sum(map(_weight_of, transcript.parts))


def _weight_of(part: Beginning | Entry) -> int:
    if isinstance(part, Beginning):
        return _STEP + sum(len(name) + _size(given) for name, given in part.options.items())
    follows = part.base == part.number - 1
    return _STEP + (0 if follows else 1) + _size(part.call.arguments)


def _size(given: object) -> int:
    if isinstance(given, (str, bytes)):
        return 1 + len(given)
    if _is_tuple(given):
        return 1 + sum(map(_size, given))
    if isinstance(given, RequestRef):
        return len(str(given.number))
    return len(str(given))


def _is_tuple(value: object) -> TypeGuard[tuple[object, ...]]:
    return isinstance(value, tuple)
