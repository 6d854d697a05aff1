"""HTTP/2 frames of every kind, flag and stream, valid or not: splits, limits and answers are checked.

A frame is made from a few decisions, so a mutation of the input changes, removes or adds whole frames. Most
header blocks can be decoded. `fuzz_http2_talk` checks the results for valid frames; this harness sends what
no server would send.
"""

import struct

from frames_http2 import (
    ACK,
    CONTINUATION,
    DATA,
    DEFAULT_WINDOW,
    END_HEADERS,
    GOAWAY,
    HEADERS,
    PADDED,
    PING,
    PRIORITY,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    WITH_PRIORITY,
    frame,
    read_frames,
)
from mint._core.events import Event, Headers, Informational, RequestRef, Trailers
from mint._core.http2 import Config, State
from support import Choices, check, compare, fuzz, merged

# 0x88 is `:status: 200`; the others are interim heads, indexed fields, table size updates, invalid blocks.
BLOCKS = (
    b"\x88",
    b"\x88\x5f\x0atext/plain",
    b"\x88\x0f\x0d\x015",
    b"\x08\x03103",
    b"\x08\x03103\x40\x01a\x01b",
    b"\x88\x40\x01x\x01y",
    b"\x40\x01x\x01y",
    b"\x20\x88",
    b"\x3f\xe1\x1f\x88",
    b"\x08\x03204",
    b"\x88\xbe",
    b"\x88\xbe\xbf",
    b"\xbe",
    b"",
    b"\x82\x84\x87\x41\x0bexample.org",
    b"\x82\x84\x87\x41\x0bexample.org\xbe",
    b"\x88" + b"\x40\x01a\x01b" * 8,
    b"\x88\x00\x01A\x01b",
    b"\x80",
)
MAX_FIELDS, MAX_LIST, MAX_INTERIM = 8, 300, 3


def state_for(choices: Choices) -> State:
    """Return a state with some requests open."""
    config = Config(
        hostname="example.org",
        port=443,
        scheme="https",
        identity=7,
        user_agent="fuzz",
        settings=(
            ("enable_push", choices.below(2)),
            ("initial_window_size", choices.pick((20, 100, 65_535))),
            ("max_header_list_size", MAX_LIST),
        ),
        window_update_threshold=choices.pick((1, 10, 160_000)),
        max_fields=MAX_FIELDS,
        max_informational=MAX_INTERIM,
        max_continuations=2,
        max_remembered=choices.pick((0, 1, 1_024)),
        max_reserved=choices.pick((1, 2, 100)),
        events=choices.pick((0, 15)),
    )
    state = State.open(config).state
    for number in range(choices.below(5)):
        method = choices.pick(("GET", "HEAD", "POST", "CONNECT"))
        target = "example.org:443" if method == "CONNECT" else "/"
        state = state.request(method, target, (), None, method in ("POST", "CONNECT")).state
        if choices.chance(10):
            state = state.cancel(RequestRef(7, 2 * number + 1)).state
        if choices.chance(15):
            state = state.ping(b"12345678").state
    return state


def some_frame(choices: Choices) -> bytes:
    """Return a frame that is often valid for its type."""
    kind = choices.pick(
        (
            DATA,
            DATA,
            HEADERS,
            HEADERS,
            HEADERS,
            PRIORITY,
            RST_STREAM,
            SETTINGS,
            PUSH_PROMISE,
            PING,
            GOAWAY,
            WINDOW_UPDATE,
            WINDOW_UPDATE,
            CONTINUATION,
            10,
            12,
            16 if choices.chance(10) else 10,
            200,
        )
    )
    stream = choices.pick((1, 1, 3, 3, 5, 7, 2, 4, 0, 9))
    flags = choices.byte() if choices.chance(15) else 0
    payload = choices.octets(12)
    if choices.chance(85):
        match kind:
            case 0:
                flags, payload = choices.pick((0, 0, 1)), choices.octets(40)
            case 1 | 9:
                flags = choices.pick((END_HEADERS, END_HEADERS, END_HEADERS | 1, 0, 1))
                payload = choices.pick(BLOCKS)
            case 3:
                payload = struct.pack(">I", choices.below(14))
            case 4:
                stream, flags = 0, choices.pick((0, 0, ACK))
                payload = (
                    b""
                    if flags
                    else b"".join(
                        struct.pack(
                            ">HI", choices.below(10), choices.pick((0, 1, 100, 16_384, 65_535, 1 << 31))
                        )
                        for _ in range(choices.below(4))
                    )
                )
            case 5:
                flags = choices.pick((END_HEADERS, END_HEADERS, 0))
                payload = struct.pack(">I", choices.pick((2, 4, 6, 8, 1))) + choices.pick(BLOCKS[-5:])
            case 6:
                stream, flags, payload = 0, choices.pick((0, ACK)), choices.pick((b"12345678", b"abcdefgh"))
            case 7:
                stream = 0
                payload = struct.pack(">II", choices.pick((0, 1, 3, 1 << 30)), choices.below(14)) + payload
            case 8:
                stream = choices.pick((0, 1, 3, 5))
                payload = struct.pack(">I", choices.pick((0, 1, 1_000, (1 << 31) - 1)))
            case 10:
                stream = choices.pick((0, 1, 3))
                name = b"" if stream else b"https://a.test"
                payload = struct.pack(">H", len(name)) + name + choices.pick((b"clear", payload))
            case 12:
                stream, payload = 0, b"\0\x0ehttps://a.test" * choices.below(3) + choices.pick((b"", payload))
            case _:
                pass
    if kind in (HEADERS, PUSH_PROMISE, DATA) and choices.chance(20):
        if kind == HEADERS and choices.chance(50):
            payload, flags = bytes(5) + payload, flags | WITH_PRIORITY
        padding = choices.pick((0, 1, 5, len(payload), len(payload) + 1))
        payload, flags = (
            bytes([padding]) + payload + bytes(choices.pick((padding, padding, 0))),
            flags | PADDED,
        )
    return frame(kind, flags, stream, payload)


def limits_kept(events: list[Event]) -> None:
    """Check that no event exceeds the limits on size and number."""
    interims: dict[RequestRef, int] = {}
    for event in events:
        if isinstance(event, Headers | Trailers | Informational):
            size = sum(len(name) + len(value) + 32 for name, value in event.headers)
            check(len(event.headers) < MAX_FIELDS + 1 and size <= MAX_LIST, "more than a limit allows", event)
        if isinstance(event, Informational):
            interims[event.ref] = interims.get(event.ref, 0) + 1
            check(interims[event.ref] <= MAX_INTERIM, "too many interim responses", event)


def answers_fit(state: State, octets: bytes) -> None:
    """Check that acknowledgements and credit match what was sent, and that nothing else is sent."""
    step = state.feed(octets)
    asked, read = [], 0
    at = 0
    while at + 9 <= len(octets):
        length = int.from_bytes(octets[at : at + 3], "big")
        kind, flags = octets[at + 3], octets[at + 4]
        if kind in (PING, SETTINGS) and not flags & ACK:
            asked.append((kind, octets[at + 9 : at + 17] if kind == PING else b""))
        read += length * (kind == DATA)
        at += 9 + length
    sent = read_frames(b"".join(step.output))
    answers = [(one.kind, one.payload) for one in sent if one.kind in (PING, SETTINGS)]
    check(answers == asked[: len(answers)], "an answer to nothing", answers, asked)
    check(bool(step.end) or len(answers) == len(asked), "an answer is missing", answers, asked)
    credit = sum(one.number for one in sent if one.kind == WINDOW_UPDATE and one.stream == 0)
    check(credit <= read, "more credit than octets", credit, read)
    for one in sent:
        check(one.kind in (RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE), "a frame of a wrong type", one)
        check(one.kind != WINDOW_UPDATE or 0 < one.number <= max(read, DEFAULT_WINDOW), "odd credit", one)


def one(data: bytes) -> None:
    """Try one input."""
    choices = Choices(data)
    state = state_for(choices)
    octets = b"" if choices.chance(3) else frame(SETTINGS, 0, 0)
    if choices.chance(10):
        octets += choices.octets(200)
    else:
        octets += b"".join(some_frame(choices) for _ in range(choices.between(1, 24)))
    answers_fit(state, octets)
    events, _, _ = compare(state, octets, choices.cut(octets), clean=True, eof=choices.chance(50))
    limits_kept(merged(events))


if __name__ == "__main__":
    fuzz(one)
