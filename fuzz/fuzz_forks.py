"""Forks that share memory: one is fed while finalizers of collected garbage feed the others.

Frames are split anywhere, so that payloads and field blocks stay in the logs that states share. Each step
runs twice: alone, and then while every allocation may collect garbage whose finalizers feed other states of
the same history. The result must be the same, and AddressSanitizer checks the memory.
"""

from __future__ import annotations

import gc
import struct

from mint._core.http2 import Config, State
from support import Choices, check, fuzz

MOST_STATES = 12
TAKEN: list[bytes] = []
"""Objects that reuse memory that was freed, and overwrite it."""


class Intruder:
    """Garbage in a reference cycle, whose finalizer feeds a state."""

    def __init__(self, state: State, octets: bytes) -> None:
        self.itself = self
        self.state = state
        self.octets = octets

    def __del__(self) -> None:
        step = self.state.feed(self.octets)
        step.state.request("GET", "/intruder", [("x-intruder", "i" * 40)], None, False)
        TAKEN[:] = [b"Z" * size for size in range(64, 8_192, 256)]


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """Return one frame."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def fields(choices: Choices) -> bytes:
    """Return literal fields, indexed or not, and some that were indexed before."""
    out = bytearray()
    for _ in range(choices.between(1, 40)):
        if choices.chance(15):
            out.append(0x80 | 62 + choices.below(6))
            continue
        value = bytes((97 + choices.below(26),)) * choices.below(100)
        out += bytes((0x40 if choices.chance(50) else 0, 3)) + b"x-%c" % (97 + choices.below(26))
        out += bytes((len(value),)) + value
    return bytes(out)


def octets(choices: Choices) -> bytes:
    """Return what a server sends next, mostly pieces of field blocks."""
    kind = choices.below(10)
    stream = 1 + 2 * choices.below(3)
    if kind < 3:  # a block begins
        return frame(1, choices.pick((0, 0, 4, 1)), stream, b"\x88" + fields(choices))
    if kind < 6:  # it continues, or ends with an empty frame
        return frame(9, choices.pick((0, 4)), stream, b"" if choices.chance(50) else fields(choices))
    if kind == 6:  # a long one, to fill the logs
        return frame(9, 0, stream, b"\xff" * choices.pick((100, 2_000, 16_384)))
    if kind == 7:  # one setting
        return frame(4, 0, 0, struct.pack(">HIHI", 1, choices.below(8_192), 4, 65_535))
    if kind == 8:  # frames whose payloads are kept until they are complete
        return choices.pick(
            (frame(6, 0, 0, b"12345678"), frame(7, 0, 0, struct.pack(">II", 99, 2) + b"why" * 60))
        )
    return frame(0, choices.below(2), stream, b"content")


def started() -> State:
    """Return a connection with three requests."""
    config = Config("example.org", port=443, scheme="https", identity=7, user_agent="", max_glitches=1 << 30)
    state = State.open(config).state.feed(frame(4, 0, 0, b"") + frame(4, 1, 0, b"")).state
    for _ in range(3):
        state = state.request("GET", "/", (), None, False).state
    return state


def one(data: bytes) -> None:
    """Try one input."""
    choices = Choices(data)
    states = [started()]
    threshold = gc.get_threshold()
    enabled = gc.isenabled()
    gc.freeze()  # the objects that exist already need not be examined in each collection
    try:
        for _ in range(choices.between(4, 12)):
            gc.disable()
            state = choices.pick(states)
            given = octets(choices)
            if choices.chance(50):
                given = given[: choices.below(len(given)) + 1]
            alone = state.feed(given)
            for _ in range(choices.below(4)):
                other = state if choices.chance(70) else choices.pick(states)
                Intruder(other, octets(choices) * choices.between(1, 6))
            gc.set_threshold(choices.between(1, 60), 1_000, 1_000)
            gc.enable()
            beside = state.feed(given)
            gc.disable()
            check(alone.responses == beside.responses, "a fork changes responses", alone, beside)
            check(alone.fault == beside.fault, "a fork changes a fault", alone.fault, beside.fault)
            check(alone.state == beside.state, "a fork changes a state")
            if not alone.end:
                states = [*states[-MOST_STATES:], choices.pick((alone.state, beside.state))]
    finally:
        gc.set_threshold(*threshold)
        gc.collect()
        gc.unfreeze()
        (gc.enable if enabled else gc.disable)()


if __name__ == "__main__":
    fuzz(one)
