"""Operations on immutable states, while allocations fail and garbage is collected.

Each operation uses one of the states that there have been so far. Some operations run while an allocation
fails. Others run while every allocation collects garbage, whose finalizers use other states. In the end,
replaying the history of a state must give an equal state, and further operations the same results.
"""

from __future__ import annotations

import gc
from collections.abc import Callable

import fuzz_http2
from grammar_http1 import requests, stream
from mint._core.events import RequestRef
from mint._core.http1 import Config as Config1
from mint._core.http1 import State as State1
from mint._core.http2 import State as State2
from model_http1 import Limits
from support import Choices, check, fuzz

try:
    from _testcapi import remove_mem_hooks, set_nomemory
except ImportError:  # a Python without its test modules
    set_nomemory = None


State = State1 | State2
Operation = Callable[[State], object]


class Garbage:
    """Garbage in a reference cycle, whose finalizer uses a state."""

    def __init__(self, state: State, octets: bytes) -> None:
        self.itself = self
        self.state = state
        self.octets = octets

    def __del__(self) -> None:
        self.state.feed(self.octets)
        self.state.request("GET", "/garbage", [("x-garbage", "g" * 40)], None, False)


def operation(choices: Choices, http2: bool) -> tuple[str, Operation]:
    """Return the name of an operation on a state, and the operation."""
    kind = choices.below(10)
    ref = RequestRef(7, choices.pick((1, 3, 5) if http2 else (1, 2, 3)))
    salt = "s" * choices.below(60)
    octets = choices.octets(20)
    if kind < 5:  # half of all
        if http2:
            octets = b"".join(fuzz_http2.some_frame(choices) for _ in range(choices.between(1, 4)))
        else:
            octets = stream(choices, requests(choices), Limits())
        octets = octets[: choices.below(len(octets) + 1)] if choices.chance(40) else octets
        return "feed", lambda state: state.feed(octets)
    if kind < 7:  # a fifth
        streaming = choices.chance(50)
        headers = [("x-a", salt), ("authorization", salt or "x"), ("x-b", "1")]
        return "request", lambda state: state.request("POST", "/x", headers, None, streaming)
    if kind == 7:  # a body
        return "body", lambda state: state.stream_body(ref, octets)
    if kind == 8:  # its end
        trailers = [("x-t", salt)] if choices.chance(50) else []
        return "end", lambda state: state.end_body(ref, trailers)
    if http2:
        return choices.pick(
            (
                ("cancel", lambda state: state.cancel(ref)),
                ("ping", lambda state: state.ping(b"12345678")),
                ("settings", lambda state: state.put_settings((("header_table_size", 100),))),
                ("flushed", lambda state: state.flushed()),
            )
        )
    return "eof", lambda state: state.feed_eof(True)


def outcome(step: object) -> tuple[object, ...]:
    """Return the result of an operation as a tuple that can be compared."""
    if isinstance(step, State1 | State2):
        return (step,)
    return (step.responses, step.output, step.fault, step.ref, step.end, step.state)  # type: ignore[attr-defined]  # a Step


def carried_out(doing: Operation, state: State) -> object:
    """Run an operation; return the `ValueError` that it raises for a ref that no request has."""
    try:
        return doing(state)
    except ValueError as error:
        return ValueError(str(error))


def run_with_failing_allocation(choices: Choices, doing: Operation, state: State) -> None:
    """Run an operation while one allocation fails: it succeeds or raises MemoryError, and changes nothing."""
    if set_nomemory is None:
        return
    start = choices.between(1, 30)
    set_nomemory(start, start + 1)  # only one: if several in a row fail, CPython loses the exception
    try:
        carried_out(doing, state)
    except MemoryError:
        pass
    except SystemError as error:
        # CPython may lose the MemoryError if it cannot create a frame. An error from a deeper frame is a bug.
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        if place is None or place.tb_frame.f_code is not carried_out.__code__:
            raise
    finally:
        remove_mem_hooks()


def run_with_collections(doing: Operation, state: State, others: list[State], octets: bytes) -> object:
    """Run an operation while every allocation may collect garbage that uses the other states."""
    for other in others:
        Garbage(other, octets)
    before = gc.get_threshold()
    gc.set_threshold(1)
    try:
        return carried_out(doing, state)
    finally:
        gc.set_threshold(*before)


def first(choices: Choices, http2: bool) -> Callable[[], State]:
    """Return a function that makes the first state, an equal one each time."""
    if http2:
        seed = choices.octets(6)
        return lambda: fuzz_http2.state_for(Choices(b"\x01" + seed)).feed(b"\0\0\0\4\0\0\0\0\0").state
    config = Config1(hostname="example.org", port=443, scheme="https", identity=7, user_agent="fuzz")
    method = choices.pick(("GET", "HEAD", "POST"))
    return lambda: State1(config).request(method, "/", (), None, False).state


def one(data: bytes) -> None:
    """Try one input."""
    choices = Choices(data)
    http2 = choices.chance(60)
    make = first(choices, http2)
    known: list[tuple[State, tuple[Operation, ...]]] = [(make(), ())]
    for _ in range(choices.between(4, 24)):
        state, history = known[-1] if choices.chance(60) else choices.pick(known)
        _, doing = operation(choices, http2)
        kind = choices.below(10)
        if kind == 0:
            run_with_failing_allocation(choices, doing, state)
        if kind == 1:
            others = [choices.pick(known)[0] for _ in range(2)]
            made = run_with_collections(doing, state, [*others, state], choices.octets(30))
        else:
            made = carried_out(doing, state)
        again = carried_out(doing, state)
        if isinstance(made, ValueError):
            check(repr(made) == repr(again), "an error only the first time", made, again)
            continue
        check(outcome(made) == outcome(again), "the second time differs", outcome(made), outcome(again))
        after = made if isinstance(made, State1 | State2) else made.state  # type: ignore[attr-defined]  # a Step
        known.append((after, (*history, doing)))
    for state, history in [known[-1], *(choices.pick(known) for _ in range(3))]:
        fresh: State = make()
        for doing in history:
            step = carried_out(doing, fresh)
            fresh = step if isinstance(step, State1 | State2) else step.state  # type: ignore[attr-defined]  # a Step
        check(state == fresh, "a state differs from a repetition of its history", state, fresh)
        for _ in range(2):
            _, doing = operation(choices, http2)
            ours, theirs = carried_out(doing, state), carried_out(doing, fresh)
            if not isinstance(ours, ValueError):
                check(outcome(ours) == outcome(theirs), "equal states have different results", ours, theirs)


if __name__ == "__main__":
    fuzz(one)
