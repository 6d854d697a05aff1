"""What the harnesses share: how input is cut, how outcomes are compared, what a fault may say."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol, Self, TypeVar

from mint._core.events import Data, Event, Step
from mint._core.faults import Fault
from mint.errors.table import from_fault

if TYPE_CHECKING:
    from collections.abc import Callable


class Engine(Protocol):
    """A state of either protocol."""

    def feed(self, data: bytes) -> Step[Self]:
        """Take octets."""
        ...

    def feed_eof(self, clean: bool) -> Step[Self]:
        """Take the end."""
        ...


E = TypeVar("E", bound=Engine)


class Finding(Exception):  # noqa: N818  # what the fuzzer looks for
    """The oracle says no."""


def check(condition: bool, text: str, *seen: object) -> None:
    """Report a finding; a statement that `python -O` does not remove."""
    if not condition:
        raise Finding(text, *seen)


def pieces(data: bytes, style: int) -> list[bytes]:
    """Cut the input: byte by byte, in halves, or in pieces of a fixed size."""
    if style == 0:
        return [data[place : place + 1] for place in range(len(data))]
    size = max(1, len(data) // 2) if style == 1 else style
    return [data[place : place + size] for place in range(0, len(data), size)]


def merged(events: list[Event]) -> list[Event]:
    """Join adjacent Data of one request: that is all a cut may change."""
    out: list[Event] = []
    for event in events:
        last = out[-1] if out else None
        if isinstance(event, Data) and isinstance(last, Data) and last.ref == event.ref:
            out[-1] = Data(event.ref, last.data + event.data)
        else:
            out.append(event)
    return out


def play(state: E, parts: list[bytes], *, clean: bool) -> tuple[list[Event], Fault | None, E]:
    """Feed the parts and the end; stop at the first fault that closes, keep one that does not."""
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
    step = state.feed_eof(clean)
    events += step.responses
    if step.fault is not None:
        documented(step.fault)
        kept = step.fault
    return merged(events), kept, step.state


def blurred(fault: Fault | None) -> Fault | None:
    """A fault without what a cut may change: surplus octets are shown as far as they had come."""
    if fault is None or fault.reason != "unexpected_data":
        return fault
    return Fault(
        fault.reason, fault.name, "", fault.size, fault.limit, fault.code, fault.processed, fault.local
    )


def documented(fault: Fault) -> None:
    """A fault has an error, and the error a text that cannot harm a log."""
    text = str(from_fault(fault))
    check(text.isprintable() and len(text) < 2_000, "an error text is not fit for a log", text)


def same(state: E, data: bytes, style: int, *, clean: bool) -> None:
    """The oracle: any cut gives the same, a state stays as it was, a second time gives the same."""
    whole = play(state, [data] if data else [], clean=clean)
    cut = play(state, pieces(data, style), clean=clean)
    check(whole[0] == cut[0], "a cut changes the responses", whole[0], cut[0])
    check(blurred(whole[1]) == blurred(cut[1]), "a cut changes the fault", whole[1], cut[1])
    again = play(state, [data] if data else [], clean=clean)
    check(whole[0] == again[0] and whole[1] == again[1], "the second time differs", whole, again)
    check(whole[2] == again[2], "the second time leads to another state", whole[2], again[2])


def fuzz(one: Callable[[bytes], None]) -> None:
    """Run one harness under libFuzzer."""
    import atheris  # noqa: PLC0415  # only where it is installed

    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
