"""HTTP/2 server bytes: any cut the same, a fork equals its original, a value or a documented error.

An octet chooses between raw input and frames that are built from it: a fuzzer that must guess lengths
rarely gets past the first frame.
"""

import struct

from support import fuzz, same

from mint._core.http2 import Config, State

KINDS = 11
BLOCKS = (
    b"\x88",
    b"\x88\x5f\x0atext/plain",
    b"\x88\x0f\x0d\x015",
    b"\x08\x03103",
    b"\x40\x01x\x01y",
    b"\x20\x88",
    b"\x08\x03204",
    b"\xbe",
)


def state_for(choice: int) -> State:
    """Return a state with some requests open."""
    config = Config(
        hostname="example.org",
        port=443,
        scheme="https",
        identity=7,
        user_agent="fuzz",
        settings=(("enable_push", choice >> 2 & 1), ("initial_window_size", 100 if choice & 8 else 65_535)),
        window_update_threshold=10 if choice & 16 else 160_000,
        max_fields=8 if choice & 32 else 512,
    )
    state = State.open(config).state
    for number in range(choice & 3):
        state = state.request("GET" if number else "POST", "/", (), None, not number).state
    return state


def frames(data: bytes) -> bytes:
    """Build frames of the input: kind, flags, stream, length, payload, again and again."""
    out = bytearray()
    place = 0
    while place + 4 <= len(data):
        kind, flags, stream, length = data[place : place + 4]
        place += 4
        payload = data[place : place + (length & 63)]
        place += len(payload)
        if kind % KINDS == 1 and length & 64:
            payload = BLOCKS[length & 7]
        wide = length & 128 and not payload
        out += struct.pack(">I", len(payload) + (1 << 23 if wide else 0))[1:]
        out += bytes((kind % KINDS, flags)) + struct.pack(">I", stream % 9) + payload
    return bytes(out)


def one(data: bytes) -> None:
    """Try one input."""
    if len(data) < 3:
        return
    built = data[2:] if data[0] & 128 else b"\0\0\0\4\0\0\0\0\0" + frames(data[2:])
    same(state_for(data[0]), built, data[1] % 32, clean=True)


if __name__ == "__main__":
    fuzz(one)
