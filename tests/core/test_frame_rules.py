"""Frame headers that break a rule of their type, and field blocks that need several frames, as tables."""

from __future__ import annotations

import struct
from itertools import product

import pytest

from mint._core.events import Failed
from mint._core.frames import frame_name
from tests.http2_driver import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    FRAME_SIZE_ERROR,
    GOAWAY,
    HEADERS,
    PADDED,
    PING,
    PRIORITY,
    PROTOCOL_ERROR,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    opened,
    resets,
)

LEAST = 16_384
"""The least value of SETTINGS_MAX_FRAME_SIZE, which is the default."""

CONNECTION, STREAM, EITHER = range(3)

# Where each type is allowed, the least and the most octets of its payload, and whether it may be padded.
RULES: dict[int, tuple[int, int, int, bool]] = {
    DATA: (STREAM, 0, 0, True),
    HEADERS: (STREAM, 0, 0, True),
    PRIORITY: (STREAM, 5, 5, False),
    RST_STREAM: (STREAM, 4, 4, False),
    SETTINGS: (CONNECTION, 0, 0, False),
    PUSH_PROMISE: (STREAM, 4, 0, True),
    PING: (CONNECTION, 8, 8, False),
    GOAWAY: (CONNECTION, 8, 0, False),
    WINDOW_UPDATE: (EITHER, 4, 4, False),
    CONTINUATION: (STREAM, 0, 0, False),
}

Seen = tuple[str, str, int, int, int]
"""Reason, text, size, limit and code of a fault."""


def seen(kind: int, flags: int, stream: int, length: int, most: int) -> Seen | None:
    """Return the fault of a frame header according to RFC 9113 4.2 and 6; `None` if it breaks no rule."""
    name = frame_name(kind)
    where, least, longest, may_be_padded = RULES.get(kind, (EITHER, 0, 0, False))
    if may_be_padded and flags & PADDED:
        least += 1
    elsewhere = f"{name} on stream {stream}, but it is allowed only on stream 0"
    acknowledged = kind == SETTINGS and flags & ACK
    sizes: list[tuple[bool, str, int]] = [
        (bool(acknowledged and length), f"an acknowledgement of SETTINGS with {length} octets", 0),
        (length < least, f"{name} of {length} octets is too short", longest),
        (
            (0 < longest < length) or (kind == SETTINGS and length % 6 > 0),
            *(f"{length} octets is not a valid length for {name}", longest),
        ),
    ]
    if length > most:
        text = f"{name} of {length} octets is longer than SETTINGS_MAX_FRAME_SIZE, {most}"
        return "frame_size_error", text, length, most, FRAME_SIZE_ERROR
    if stream and where == CONNECTION:
        return "protocol_error", elsewhere, 0, 0, PROTOCOL_ERROR
    if not stream and where == STREAM:
        return "protocol_error", f"{name} on stream 0, where it is not allowed", 0, 0, PROTOCOL_ERROR
    for wrong, text, limit in sizes:
        if wrong:
            return "frame_size_error", text, length, limit, FRAME_SIZE_ERROR
    return None


LENGTHS = (*range(14), 18, 255, LEAST - 1, LEAST, LEAST + 1, 20_000, 20_001, (1 << 24) - 1)


@pytest.mark.rfc("9113-4.2-b")
@pytest.mark.parametrize("kind", [*RULES, 10, 11, 12, 16, 255])
@pytest.mark.parametrize("most", [LEAST, 20_000])
def test_a_frame_header_that_breaks_a_rule_is_reported_before_its_payload(kind: int, most: int) -> None:
    talk = opened(mine=(("max_frame_size", most),))
    talk.request()
    talk.drop()
    state = talk.state
    for flags, stream, length in product((0, ACK, PADDED, ACK | PADDED, 255), (0, 1), LENGTHS):
        expected = seen(kind, flags, stream, length, most)
        talk.state, talk.closed = state, False
        talk.drop()
        talk.feed(struct.pack(">I", length)[1:], struct.pack(">BBI", kind, flags, stream))
        failed = [event.fault for event in talk.events if isinstance(event, Failed)]
        if expected is None:
            # It may break another rule, such as one about the state of the stream.
            reports = [fault.value for fault in talk.faults]
            assert not any("octets" in value or "stream 0" in value for value in reports), reports
            continue
        fault = (talk.faults or failed)[0]
        assert (fault.reason, fault.value, fault.size, fault.limit, fault.code) == expected
        assert fault.name == frame_name(kind)
        # Only a PRIORITY frame of a wrong size concerns its stream alone (9113-6.3-a).
        of_stream = kind == PRIORITY and stream != 0 and length <= most
        assert talk.closed != of_stream
        assert resets(talk) == [(1, FRAME_SIZE_ERROR)] * of_stream


@pytest.mark.rfc("9113-4.3-a")
@pytest.mark.parametrize("size", [LEAST, LEAST + 1])
@pytest.mark.parametrize("whole", [1, 2, 3])
@pytest.mark.parametrize("ends", [False, True])
def test_a_field_block_fills_every_frame_but_the_last(size: int, whole: int, ends: bool) -> None:
    """Blocks of a few octets around each multiple of what one frame may hold."""
    totals: set[int] = set()
    for octets in range(whole * size - 60, whole * size + 5):
        talk = opened((5, size))
        # Octets over 0x7F have long Huffman codes, so the value is sent as it is.
        value = "\xff" * octets
        made = talk.request("POST", "/", [("x-long", value)], streaming=not ends)
        assert dict(talk.fields())["x-long"] == value
        total = sum(len(one.payload) for one in talk.sent)
        totals.add(total)
        full, rest = divmod(total, size)
        lengths = [size] * full + [rest] * bool(rest)
        last = len(lengths) - 1
        assert [(one.kind, one.flags, one.stream, len(one.payload)) for one in talk.sent] == [
            (
                CONTINUATION if at else HEADERS,
                END_STREAM * (ends and not at) | END_HEADERS * (at == last),
                made.number,
                length,
            )
            for at, length in enumerate(lengths)
        ]
    assert totals >= {whole * size + more for more in range(-2, 3)}
