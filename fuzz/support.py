"""Code that the harnesses share: it makes decisions from an input, compares outcomes, and runs a harness.

python fuzz/fuzz_http1.py FILE...                       # replay inputs
python fuzz/fuzz_http1.py --plain SECONDS [--seed N]    # random inputs, without atheris
python fuzz/fuzz_http1.py [LIBFUZZER OPTIONS] CORPUS    # under libFuzzer
"""

from __future__ import annotations

import itertools
import random
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self, TypeVar

from mint._core.events import (
    AltSvc,
    Data,
    Done,
    Event,
    Failed,
    GoAway,
    Origins,
    RequestRef,
    ServerSettings,
    Step,
)
from mint._core.faults import Fault
from mint.errors.table import from_fault

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")


class Engine(Protocol):
    """A state of either protocol."""

    @property
    def open_request_count(self) -> int:
        """How many requests have not ended."""
        ...

    def feed(self, data: bytes) -> Step[Self]:
        """Feed octets."""
        ...

    def traced(self, on: bool) -> Self:
        """Return the state with notes on or off."""
        ...

    def feed_eof(self, clean: bool) -> Step[Self]:
        """Feed the end of the connection."""
        ...


E = TypeVar("E", bound=Engine)


class Finding(Exception):  # noqa: N818  # what the fuzzer looks for
    """A wrong result."""


def check(condition: bool, text: str, *seen: object) -> None:
    """Raise `Finding` unless a condition is true; unlike `assert`, `python -O` does not remove this."""
    if not condition:
        raise Finding(text, *seen)


class Choices:
    """Decisions decoded from an input.

    The octets of the input are used first, so that a small mutation of the input is a small change of the
    decisions. After them comes a random sequence that the input seeds. So even short inputs lead to long and
    deep runs, and the same input always leads to the same run.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._random: random.Random | None = None

    def byte(self) -> int:
        """Return a number below 256."""
        if self._at < len(self._data):
            self._at += 1
            return self._data[self._at - 1]
        if self._random is None:
            self._random = random.Random(self._data)  # not for secrets
        return self._random.getrandbits(8)

    def below(self, limit: int) -> int:
        """Return a number below `limit`, which is at most 2**24."""
        value = self.byte()
        if limit > 256:  # one octet
            value = value << 8 | self.byte()
        if limit > 65_536:  # two octets
            value = value << 8 | self.byte()
        return value % limit

    def between(self, least: int, most: int) -> int:
        """Return a number between two others, both included."""
        return least + self.below(most - least + 1)

    def chance(self, percent: int) -> bool:
        """Return `True` with a probability in percent."""
        return self.byte() * 100 < percent * 256

    def pick(self, items: Sequence[T]) -> T:
        """Return one of several."""
        return items[self.below(len(items))]

    def octets(self, most: int) -> bytes:
        """Return some octets, at most that many."""
        return bytes(self.byte() for _ in range(self.below(most + 1)))

    def around(self, limit: int) -> int:
        """Return a number at a limit, next to it, or well below it."""
        return max(0, self.pick((limit - 1, limit, limit, limit + 1, limit // 2, self.below(limit + 1))))

    def cut(self, data: bytes) -> list[bytes]:
        """Split octets: not at all, octet by octet, into pieces of one size, or at some places."""
        style = self.below(6)
        if style == 0 or len(data) < 2:  # nothing to split
            return [data]
        if style == 1 and len(data) < 200:  # octet by octet would take too long
            return pieces(data, 0)
        if style == 2:  # the third style
            return pieces(data, max(self.between(1, 40), len(data) // 40))
        places = sorted(self.below(len(data)) for _ in range(self.between(1, 5)))
        edges = [0, *places, len(data)]
        return [data[one:two] for one, two in itertools.pairwise(edges)]


def counted(size: int, first: int = 0) -> bytes:
    """Return octets that differ from those around them, so that a piece from a wrong place is noticed."""
    first %= 251  # a prime: no piece that a power of two separates is equal
    return (bytes(range(251)) * (size // 251 + 2))[first : first + size]


def shows_no_secret(step: Step[object], secret: str) -> None:
    """Check that neither the fault of a step, nor its error, nor a note shows a secret."""
    texts = [note.text for note in step.notes]
    if step.fault is not None:
        texts += [step.fault.name, step.fault.value, str(from_fault(step.fault))]
    check(all(secret not in text for text in texts), "a secret is shown", texts)


def pieces(data: bytes, style: int) -> list[bytes]:
    """Split the input: octet by octet, in halves, or into pieces of a fixed size."""
    if style == 0:
        return [data[place : place + 1] for place in range(len(data))]
    size = max(1, len(data) // 2) if style == 1 else style
    return [data[place : place + size] for place in range(0, len(data), size)]


def ref_of(event: Event) -> RequestRef:
    """Return the ref of an event, which must be about a request."""
    if isinstance(event, Origins | AltSvc | GoAway | ServerSettings):
        raise Finding("an event of the connection in place of one of a request", event)
    return event.ref


def merged(events: Sequence[Event]) -> list[Event]:
    """Join adjacent Data of one request: splits of the input may change nothing else."""
    out: list[Event] = []
    for event in events:
        last = out[-1] if out else None
        if isinstance(event, Data) and isinstance(last, Data) and last.ref == event.ref:
            out[-1] = Data(event.ref, last.data + event.data)
        else:
            out.append(event)
    return out


def play(
    state: E, parts: Sequence[bytes], *, clean: bool, eof: bool = True
) -> tuple[list[Event], Fault | None, E]:
    """Feed the parts and the end; stop at a fault that closes, and return the last fault."""
    events: list[Event] = []
    kept: Fault | None = None
    for part in parts:
        step = state.feed(part)
        events += step.responses
        state = step.state
        if step.fault is not None:
            documented(step.fault)
            kept = step.fault
            if step.end:
                return merged(events), kept, state
    if eof:
        step = state.feed_eof(clean)
        events += step.responses
        state = step.state
        if step.fault is not None:
            documented(step.fault)
            kept = step.fault
    return merged(events), kept, state


def without_surplus(fault: Fault | None) -> Fault | None:
    """Return a fault without what depends on splits: it shows the surplus octets that had arrived."""
    if fault is None or fault.reason != "unexpected_data":
        return fault
    return Fault(
        fault.reason, fault.name, "", fault.size, fault.limit, fault.code, fault.processed, fault.local
    )


def documented(fault: Fault) -> None:
    """Check that a fault has an error class, and that the error's text is safe to log."""
    text = str(from_fault(fault))
    check(text.isprintable() and len(text) < 2_000, "an error text is not fit for a log", text)


def end_once(events: Sequence[Event], open_before: int, open_after: int) -> None:
    """Check that each request ends once, has no events after that, and is counted while it is open."""
    ended = set()
    for event in events:
        if isinstance(event, Origins | AltSvc | GoAway | ServerSettings):
            continue
        check(event.ref not in ended, "an event of a request after its end", event)
        if isinstance(event, Done | Failed):
            ended.add(event.ref)
    requests = sum(ref.number & 1 or ref.number > 0 for ref in ended)
    check(
        open_after <= open_before and requests >= open_before - open_after,
        "the count of open requests is wrong",
        open_before,
        open_after,
        ended,
    )


def same(state: E, data: bytes, style: int, *, clean: bool) -> None:
    """Check that splits and repetition do not change the result, and that the state stays the same."""
    compare(state, data, pieces(data, style), clean=clean)


def compare(
    state: E, data: bytes, parts: Sequence[bytes], *, clean: bool, eof: bool = True
) -> tuple[list[Event], Fault | None, E]:
    """Feed data whole, split and whole again; check that responses, fault and state are always the same."""
    whole = play(state, [data] if data else [], clean=clean, eof=eof)
    cut = play(state, parts, clean=clean, eof=eof)
    check(whole[0] == cut[0], "a cut changes the responses", whole[0], cut[0])
    check(without_surplus(whole[1]) == without_surplus(cut[1]), "a cut changes the fault", whole[1], cut[1])
    check(whole[2] == cut[2], "a cut changes the state", whole[2], cut[2])
    again = play(state, [data] if data else [], clean=clean, eof=eof)
    check(whole[0] == again[0] and whole[1] == again[1], "the second time differs", whole, again)
    check(whole[2] == again[2], "the second time, the state differs", whole[2], again[2])
    if len(data) % 8 == 1:
        traced = play(state.traced(True), [data], clean=clean, eof=eof)
        check(whole[0] == traced[0] and whole[1] == traced[1], "tracing changes something", whole, traced)
        check(traced[2].traced(False) == whole[2], "tracing changes the state", whole[2])
        notes = [note.text for note in state.traced(True).feed(data).notes]
        check(all(text.isprintable() for text in notes), "a note is not fit for a log", notes)
    end_once(whole[0], state.open_request_count, whole[2].open_request_count)
    return whole


def fuzz(one: Callable[[bytes], None]) -> None:
    """Run one harness: replay files, try random inputs, or run under libFuzzer."""
    arguments = sys.argv[1:]
    if arguments and arguments[0] == "--plain":
        plain(one, float(arguments[1]), int(arguments[3]) if "--seed" in arguments else None)
    elif arguments and all(Path(name).is_file() for name in arguments):
        for name in arguments:
            one(Path(name).read_bytes())
    else:
        import atheris  # noqa: PLC0415  # only if it is needed: it may be missing

        atheris.Setup(sys.argv, one)
        atheris.Fuzz()


def plain(one: Callable[[bytes], None], seconds: float, seed: int | None) -> None:
    """Try random inputs for some time; an input that leads to a finding is written to a file."""
    source = random.Random(seed)  # not for secrets
    begun = time.monotonic()
    count = 0
    while time.monotonic() - begun < seconds:
        data = source.randbytes(source.choice((4, 16, 64, 400)))
        try:
            one(data)
        except Exception:
            place = Path(f"finding-{Path(sys.argv[0]).stem}")
            place.write_bytes(data)
            print(f"found after {time.monotonic() - begun:.1f} s, {count} runs: {place}", flush=True)
            raise
        count += 1
    print(f"{count} runs, nothing found", flush=True)
