"""HTTP/1 responses: mint and a naive reader read the same octets, however they are split, with forks.

A quarter of the inputs are the octets of a server; the others are decisions for a grammar, so that most runs
reach bodies, trailers, pipelines and limits.
"""

import re

from grammar_http1 import laden, requests, spaced, stream
from grammar_http1 import limits as chosen_limits
from mint._core.events import (
    Data,
    Done,
    Event,
    Failed,
    Headers,
    Informational,
    Status,
    StatusReason,
    Trailers,
)
from mint._core.faults import Fault
from mint._core.http1 import Config, State
from mint.tolerance import Tolerance, bits_of
from model_http1 import LIMITS, Asked, Limits, Read, Reader, Reading
from support import Choices, check, compare, fuzz, play, ref_of, shows_no_secret, without_surplus

ALL = bits_of(True)
EMPTY_LINES = bits_of(Tolerance(empty_lines=True))


def state_for(asked: list[Asked], limits: Limits, *, reasons: bool = False, tolerance: int = 0) -> State:
    """Return a state in which these requests wait for their responses."""
    config = Config(
        hostname="example.org",
        port=443,
        scheme="https",
        identity=7,
        user_agent="fuzz",
        status_reason=reasons,
        tolerance=tolerance,
        **vars(limits),
    )
    state = State(config)
    for one in asked:
        headers: list[tuple[str, str]] = []
        if one.offers:
            headers.append(("upgrade", ", ".join(one.offers)))
        if one.closes:
            headers.append(("connection", "close"))
        target = "example.org:443" if one.method == "CONNECT" else "/"
        step = state.request(one.method, target, headers, None, one.streaming)
        check(step.fault is None, "a request was refused", step.fault)
        state = step.state
    return state


def seen(events: list[Event]) -> tuple[list[Read], set[int]]:
    """Return events in the form of the naive reader, and the requests that failed."""
    made: list[Read] = []
    failed: set[int] = set()
    for event in events:
        number = ref_of(event).number
        match event:
            case Status(status=status):
                made.append(("status", number, status))
            case StatusReason(reason=reason):
                made.append(("reason", number, reason))
            case Informational(status=status, headers=headers):
                made.append(("interim", number, (status, headers)))
            case Headers(headers=headers):
                made.append(("headers", number, headers))
            case Trailers(headers=headers):
                made.append(("trailers", number, headers))
            case Data(data=data):
                made.append(("data", number, data))
            case Done():
                made.append(("done", number, None))
            case Failed():
                failed.add(number)
            case _:
                check(False, "an event that HTTP/1 does not have", event)
    return made, failed


def judge(events: list[Event], fault: Fault | None, model: Reading) -> None:
    """Compare what mint read with what the naive reader read."""
    got, failed = seen(events)
    reason = "" if fault is None else fault.reason
    at = next(
        (i for i, (ours, theirs) in enumerate(zip(got, model.events, strict=False)) if ours != theirs), -1
    )
    at = min(len(got), len(model.events)) if at < 0 else at
    check(
        got == model.events, "a wrong reading", at, got[at:][:2], model.events[at:][:2], fault, model.refused
    )
    if model.surplus_behind_nothing or model.refused == "unexpected_data":
        return  # RFC 9112 9.2: such octets belong to no response; `one` checks that the connection closes
    check(failed == model.failed, "the wrong requests failed", failed, model.failed, model.refused)
    check(bool(reason) == bool(model.refused), "only one of the two refuses", reason, model.refused)
    if reason in LIMITS or model.refused in LIMITS:
        check(reason == model.refused, "a wrong limit", reason, model.refused)


SECRET = re.compile(rb"(?i)\n(?:set-cookie|www-authenticate) ?:[^:]{0,14}?hidden(?:[^:]{0,8}hidden)?")


def hides(state: State, octets: bytes) -> None:
    """Check that no fault or note shows a secret, even one that a line break has cut off from its name.

    What follows the end of a response, or is no field, may be anything, so other faults may show it.
    """
    known = sum(match[0].lower().count(b"hidden") for match in SECRET.finditer(octets))
    if b"hidden" not in octets or known != octets.count(b"hidden"):
        return
    step = state.traced(len(octets) % 2 == 0).feed(octets)
    if step.fault is None or "header" in step.fault.reason:
        shows_no_secret(step, "hidden-")


def one(data: bytes) -> None:
    """Try one input."""
    if not data:
        return
    raw = data[0] < 64 and len(data) > 12  # a quarter of them
    choices = Choices(data[1:9] if raw else data[1:])
    limits = chosen_limits(choices)
    asked = requests(choices)
    octets = data[9:] if raw else stream(choices, asked, limits)
    eof, clean = choices.chance(60), choices.chance(70)
    reasons = choices.chance(30)
    between = len(octets) % 8 == 3  # not a choice, so that the stored inputs keep their meaning
    if len(octets) % 8 == 6 and not raw and limits.max_chunk_line < 1_000:  # the same, with a small limit
        octets = laden(choices, asked, limits)
    if choices.chance(12):
        # Most tolerances have no model, but splits, forks and repetition must not change the result.
        tolerance = choices.below(ALL + 1) if len(octets) % 2 else ALL
        octets = spaced(choices, octets) if between else octets
        state = state_for(asked, limits, reasons=reasons, tolerance=tolerance)
        hides(state, octets)
        compare(state, octets, choices.cut(octets), clean=clean, eof=eof)
        fork(state, octets, choices)
        return
    octets = spaced(choices, octets) if between else octets
    state = state_for(asked, limits, reasons=reasons, tolerance=EMPTY_LINES if between else 0)
    hides(state, octets)
    parts = choices.cut(octets)
    events, fault, last = compare(state, octets, parts, clean=clean, eof=eof)
    reader = Reader(octets, asked, limits, reasons=reasons, empty_lines=between)
    model = reader.read(eof=eof, clean=clean)
    judge(events, fault, model)
    if octets and model.surplus_behind_nothing:
        check(not last.is_open_read, "open after octets that answer no request", last, model)
    else:
        check(last.is_open_read != model.closed, "wrongly open or closed", last, model)
        check(last.is_tunnel == model.tunnel, "wrongly a tunnel or not", last, model)
    fork(state, octets, choices)


def fork(state: State, octets: bytes, choices: Choices) -> None:
    """Check that using a fork does not change the original."""
    place = choices.below(len(octets) + 1)
    trunk = state.feed(octets[:place]).state
    twin = state.feed(octets[:place]).state
    before = play(trunk, [octets[place:]], clean=True)
    other = bytearray(octets[place:])
    for _ in range(3):
        other.insert(choices.below(len(other) + 1), choices.byte())
    play(trunk, choices.cut(bytes(other)), clean=False)
    check(trunk == twin, "a fork changed its original", trunk, twin)
    after = play(trunk, [octets[place:]], clean=True)
    check(
        before[0] == after[0]
        and without_surplus(before[1]) == without_surplus(after[1])
        and before[2] == after[2],
        "a fork changed what its original goes on to",
        before,
        after,
    )


if __name__ == "__main__":
    fuzz(one)
