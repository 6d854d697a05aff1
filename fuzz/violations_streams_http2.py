"""Broken rules that need a stream in some state, and limits that are just kept or exceeded by one."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from calls_http2 import request
from frames_http2 import (
    COMPRESSION_ERROR,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    ENHANCE_YOUR_CALM,
    FLOW_CONTROL_ERROR,
    FRAME_SIZE_ERROR,
    HEADERS,
    INITIAL_WINDOW,
    MOST_WINDOW,
    PADDED,
    PING,
    PRIORITY,
    PROTOCOL_ERROR,
    PUSH_PROMISE,
    REFUSED_STREAM,
    STREAM_CLOSED,
    WINDOW_UPDATE,
    WITH_PRIORITY,
    data,
    frame,
    number,
    settings,
)
from mint._core.events import CLOSE
from notes_http2 import Fields, Stream, size_of
from support import check, counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from talk_http2 import Talk

from violations_http2 import (
    BROKEN,
    broken,
    connection_error,
    give,
    largest,
    limited,
    precede,
    stream_error,
    whole,
)

OK: Fields = [(":status", "200")]


def waiting(talk: Talk) -> Stream | None:
    """Return a request whose response has not begun."""
    streams = [one for one in talk.live() if not one.head and not one.promised]
    return talk.choices.pick(streams) if streams else None


def answering(talk: Talk) -> Stream | None:
    """Return a request whose response has begun, and that is not a tunnel."""
    streams = [one for one in talk.live(answering=True) if not one.promised and not one.tunnel]
    return talk.choices.pick(streams) if streams else None


def bad_head(talk: Talk) -> None:
    """Send a head that is malformed."""
    stream = waiting(talk)
    if stream is None or talk.options.max_fields < 4 or talk.options.max_list < 200:  # room
        return
    bad = talk.choices.pick(BAD_HEADS)
    if not talk.fits(bad):
        return
    end = talk.choices.chance(30)
    stream_error(
        talk,
        stream,
        talk.block(stream.id, bad, end=end),
        PROTOCOL_ERROR,
        "missing_status_header" if not any(name == ":status" for name, _ in bad) else "malformed_response",
    )


BAD_HEADS: tuple[Fields, ...] = (
    [("server", "x")],
    [],
    [("x-a", "1"), (":status", "200")],
    [(":status", "200"), (":status", "200")],
    [(":status", "20")],
    [(":status", "2000")],
    [(":status", "099")],
    [(":status", "+20")],
    [(":status", "")],
    [(":status", "101")],
    [(":status", "200"), (":path", "/")],
    [(":status", "200"), ("X-Upper", "1")],
    [(":status", "200"), ("x y", "1")],
    [(":status", "200"), ("", "1")],
    [(":status", "200"), ("x", "a\rb")],
    [(":status", "200"), ("x", "a\nb")],
    [(":status", "200"), ("x", "a\0b")],
    [(":status", "200"), ("connection", "close")],
    [(":status", "200"), ("transfer-encoding", "chunked")],
    [(":status", "200"), ("keep-alive", "1")],
    [(":status", "200"), ("upgrade", "h2c")],
    [(":status", "200"), ("proxy-connection", "x")],
    [(":status", "200"), ("te", "trailers")],
    [(":status", "200"), ("content-length", "1"), ("content-length", "2")],
    [(":status", "200"), ("content-length", "1, 2")],
    [(":status", "200"), ("content-length", "+1")],
    [(":status", "200"), ("content-length", "-1")],
    [(":status", "200"), ("content-length", "9999999999999999999")],
    [(":status", "200"), ("content-length", "")],
)


def content_beyond(talk: Talk) -> None:
    """Send more content than was declared, or than a response of this kind may have."""
    stream = waiting(talk)
    if stream is None or min(talk.down(stream), talk.down(talk.conn)) < 20:  # room
        return
    length = talk.choices.between(0, 9)
    status = "204" if talk.choices.chance(20) else "200"
    fields = [(":status", status), ("content-length", str(length))]
    if not talk.fits(fields) or stream.method == "CONNECT":
        return
    if stream.method == "HEAD" or status == "204":
        length = 0
    stream.head = True
    talk.put(talk.block(stream.id, fields, end=False))
    talk.expect("status", stream.id, int(status))
    talk.expect("headers", stream.id, tuple(fields[1:]))
    first = talk.choices.pick((talk.choices.between(0, length), max(0, length - 1)))  # often all but one
    if first:
        talk.put(data(stream.id, b"f" * first))
        talk.count(stream, first)
        talk.expect("data", stream.id, b"f" * first)
    talk.flush()
    end = talk.choices.chance(50)
    if talk.choices.chance(50) and first < length:  # too little content, and the end
        trailers: Fields = talk.choices.pick(([], [("x-a", "1")], [("x-a", "1")]))  # they are not given
        octets = data(stream.id, b"", end=True)
        if talk.choices.chance(60):
            octets = talk.block(stream.id, trailers, end=True)
        stream_error(talk, stream, octets, PROTOCOL_ERROR)
        return
    padding = talk.choices.pick((None, None, 0, 3))
    rest = length - first + 1
    used = rest + (0 if padding is None else padding + 1)
    if min(talk.down(stream), talk.down(talk.conn)) < used:
        return
    talk.conn.received += used
    talk.conn.marks.add(talk.conn.received)
    stream.held = True  # a stream that is reset needs no credit
    stream_error(talk, stream, data(stream.id, b"r" * rest, end=end, padding=padding), PROTOCOL_ERROR)


def data_before_head(talk: Talk) -> None:
    """Send content before any head."""
    stream = waiting(talk)
    if stream is None or min(talk.down(stream), talk.down(talk.conn)) < 5:  # room
        return
    size = talk.choices.between(0, 5)
    talk.conn.received += size
    talk.conn.marks.add(talk.conn.received)
    stream_error(talk, stream, data(stream.id, b"d" * size, end=talk.choices.chance(50)), PROTOCOL_ERROR)


def stream_window(talk: Talk) -> None:
    """Send one octet more than the window of a stream; padding counts, too."""
    talk.flush()  # content that is queued may lead to credit
    stream = answering(talk)
    if stream is None:
        return
    most = max(talk.own_window, *(said.get("initial_window_size", 0) for said in talk.unacknowledged), 0)
    room = most + stream.extra - stream.received + stream.credited
    if (
        room < 0
        or room + 1 > min(talk.down(talk.conn), talk.own_frame)
        or (stream.left or 1 << 30) <= room + 1
    ):
        return
    padding = min(talk.choices.pick((0, 5)), room) if talk.choices.chance(50) else None
    size = room + 1 - (0 if padding is None else padding + 1)
    if size < 0 or stream.left == 0:
        return
    talk.conn.received += room + 1
    talk.conn.marks.add(talk.conn.received)
    stream_error(
        talk, stream, data(stream.id, b"w" * size, padding=padding), FLOW_CONTROL_ERROR, "flow_control_error"
    )


def window_update_of_stream(talk: Talk) -> None:
    """Send a WINDOW_UPDATE of 0, or one that makes a window larger than 2**31-1."""
    streams = [one for one in talk.live() if not one.promised]
    if not streams:
        return
    stream = talk.choices.pick(streams)
    if talk.choices.chance(50):
        stream_error(talk, stream, number(WINDOW_UPDATE, stream.id, 0), PROTOCOL_ERROR, "protocol_error")
    elif stream.up >= 1:
        octets = number(WINDOW_UPDATE, stream.id, MOST_WINDOW - stream.up + 1)
        stream_error(talk, stream, octets, FLOW_CONTROL_ERROR, "flow_control_error")


def initial_window_overflows(talk: Talk) -> None:
    """Make the window of a stream larger than 2**31-1 with SETTINGS."""
    streams = [one for one in talk.streams.values() if one.live and not one.promised]
    over = [one for one in streams if one.up > talk.peer[INITIAL_WINDOW]]
    if over:
        size = MOST_WINDOW - max(one.up - talk.peer[INITIAL_WINDOW] for one in over) + 1
        connection_error(talk, settings((INITIAL_WINDOW, size)), FLOW_CONTROL_ERROR)


def bad_trailers(talk: Talk) -> None:
    """Send trailers that do not end the stream, or contain a field that they may not."""
    stream = answering(talk)
    if stream is None or talk.options.max_trailer_size < 60:  # room
        return
    stream.left = stream.left or None
    fields, end = talk.choices.pick(BAD_TRAILERS)
    stream_error(talk, stream, talk.block(stream.id, fields, end=end), PROTOCOL_ERROR)


BAD_TRAILERS: tuple[tuple[Fields, bool], ...] = (
    ([("x-a", "1")], False),
    ([(":status", "200")], True),
    ([("x-a", "1"), (":path", "/")], True),
    ([("connection", "x")], True),
    ([("transfer-encoding", "x")], True),
    ([("te", "trailers")], True),
    ([("X-Up", "x")], True),
    ([("x-a", "a\rb")], True),
)


def trailers_limit(talk: Talk) -> None:
    """Send as many trailers, or octets of trailers, as are allowed, or one more."""
    stream = answering(talk)
    if stream is None or stream.left:
        return
    given = talk.options
    if talk.choices.chance(50):
        count = given.max_trailer_fields + talk.choices.below(2)
        fields = [("x-a", "1")] * count
    else:
        size = given.max_trailer_size + talk.choices.below(2)
        fields = [("x-a", "y" * (size - 35))]
    over = len(fields) > given.max_trailer_fields or size_of(fields) > given.max_trailer_size
    if not talk.fits(fields):
        return
    octets = talk.block(stream.id, fields, end=True)
    if over:
        reason = (
            "too_many_headers" if len(fields) > given.max_trailer_fields else "max_header_list_size_exceeded"
        )
        stream_error(talk, stream, octets, ENHANCE_YOUR_CALM, reason)
    else:
        talk.put(octets)
        talk.expect("trailers", stream.id, tuple(fields))
        talk.end(stream)
        talk.flush()


def interim_limit(talk: Talk) -> None:
    """Send one interim response too many, or one that ends the stream."""
    stream = waiting(talk)
    if stream is None:
        return
    fields: Fields = [(":status", "103")]
    if talk.choices.chance(25):
        stream_error(talk, stream, talk.block(stream.id, fields, end=True), PROTOCOL_ERROR)
        return
    for _ in range(
        talk.options.max_informational - stream.interims if talk.options.max_informational < 9 else 0
    ):
        talk.put(talk.block(stream.id, fields, end=False))
        talk.expect("interim", stream.id, (103, ()))
        stream.interims += 1
    talk.flush()
    if stream.interims == talk.options.max_informational:
        octets = talk.block(stream.id, fields, end=False)
        stream.interims += 1  # it counts as seen, although it is one too many
        stream_error(talk, stream, octets, ENHANCE_YOUR_CALM, "too_many_informational")


def section_limit(talk: Talk) -> None:
    """Send a header section of as many fields or octets as are allowed, or of one more."""
    stream = waiting(talk)
    given = talk.options
    if stream is None or given.max_fields > 20:  # a small limit
        return
    over = talk.choices.below(2)
    if talk.choices.chance(50):
        fields = [*OK, *[("a", "b")] * (given.max_fields - 1 + over)]
        if size_of(fields) > given.max_list or 4 * len(fields) > given.max_block:
            return
    else:
        rest = given.max_list - size_of(OK) - 33 + over
        fields = [*OK, ("x", "z" * rest)]
    block = b"\x88" + b"".join(
        b"\0" + bytes([len(name)]) + name.encode() + integer(len(value)) + value.encode()
        for name, value in fields[1:]
    )
    if len(block) > given.max_block:
        return
    octets = talk.framed(stream.id, block, end=True)
    if over:
        limited(talk, stream, octets)
        return
    whole(talk, stream, octets, fields[1:])


def interim_size_limit(talk: Talk) -> None:
    """Send interim responses of as many octets as are allowed, or of one octet more."""
    stream = waiting(talk)
    given = talk.options
    if stream is None or stream.interims >= given.max_informational:
        return
    over = talk.choices.below(2)
    rest = given.max_informational_size - stream.interim_size + over
    fields = [(":status", "103"), ("x", "i" * (rest - 33))]
    if rest < 33 or not talk.fits(fields):  # the name and the overhead of a field
        return
    octets = talk.block(stream.id, fields, end=False)
    stream.interims += 1
    if over:
        stream_error(talk, stream, octets, ENHANCE_YOUR_CALM, "too_many_informational")
        return
    stream.interim_size += rest
    talk.put(octets)
    talk.expect("interim", stream.id, (103, tuple(fields[1:])))
    talk.flush()


def integer(value: int) -> bytes:
    """Return an HPACK integer with a prefix of seven bits."""
    if value < 127:  # it fits the prefix
        return bytes([value])
    value -= 127
    made = b"\x7f"
    while value > 127:  # seven bits
        made += bytes([value & 127 | 128])
        value >>= 7
    return made + bytes([value])


def block_limit(talk: Talk) -> None:
    """Send a block of as many octets as are allowed, or of one more; in one frame or in several."""
    stream = waiting(talk)
    given = talk.options
    if stream is None or given.max_fields > 20:  # a small limit
        return
    over = talk.choices.below(2)
    size = given.max_block + over
    block = b"\x88"
    # an indexed name takes one octet in the block, so that the section stays small
    rest = size - len(block) - 2
    rest -= 0 if rest < 127 else 1 if rest - 128 < 128 else 2  # octets of the length
    value = b"v" * rest
    block += b"\x0f\x27"[:1] + b"\x27" + integer(rest) + value  # the name `server`, without indexing
    if len(block) != size + 1 and len(block) != size:
        return
    block = block if len(block) == size else block[:1] + b"\x0f\x27" + integer(rest - 1) + value[1:]
    if len(block) != size:
        return
    fields = [("server", value.decode()[-len(block) :])]
    fields = [
        ("server", "v" * (len(value) if block.endswith(value) and integer(len(value)) in block else rest - 1))
    ]
    if size_of([*OK, *fields]) > given.max_list:
        return
    octets = talk.framed(stream.id, block, end=True)
    if over:
        limited(talk, stream, octets)
        return
    whole(talk, stream, octets, fields)


def continuation_limit(talk: Talk) -> None:
    """Send as many CONTINUATION frames as are allowed, or one more, empty or not."""
    stream = waiting(talk)
    given = talk.options
    if stream is None:
        return
    over = talk.choices.below(2)
    cuts = given.max_continuations + over
    octets = talk.framed(stream.id, b"\x88", end=True, cuts=cuts)
    if over:
        connection_error(talk, octets, ENHANCE_YOUR_CALM)
        return
    whole(talk, stream, octets, [])


def inside_block(talk: Talk) -> None:
    """Send another frame within a field block, or CONTINUATION of another stream."""
    stream = waiting(talk)
    if stream is None:
        return
    other = talk.choices.pick(
        (
            frame(PING, 0, 0, bytes(8)),
            settings(),
            data(stream.id, b""),
            frame(CONTINUATION, END_HEADERS, stream.id + 2, b"\x88"),
            frame(77, 0, stream.id, b""),
            number(WINDOW_UPDATE, stream.id, 1),
            frame(PRIORITY, 0, stream.id, bytes(5)),
        )
    )
    connection_error(talk, frame(HEADERS, 0, stream.id, b"\x88") + other, PROTOCOL_ERROR)


def padding_beyond(talk: Talk) -> None:
    """Send padding that is at least as long as the payload, or one octet shorter, which is allowed."""
    stream = answering(talk)
    if stream is None or min(talk.down(stream), talk.down(talk.conn)) < 10 or stream.left == 0:
        return
    size = talk.choices.between(1, 9)
    padding = talk.choices.pick((size - 1, size, size + 1, 255))
    octets = frame(DATA, PADDED, stream.id, bytes([padding]) + bytes(size - 1))
    if padding >= size:
        connection_error(talk, octets, PROTOCOL_ERROR)
        return
    talk.put(octets)
    talk.count(stream, size)
    talk.expect("data", stream.id, b"")
    talk.flush()


def padding_of_head(talk: Talk) -> None:
    """Send HEADERS whose padding does not fit in the rest of the frame."""
    stream = waiting(talk)
    if stream is None:
        return
    block = b"\x88"
    padding = talk.choices.pick((len(block), len(block) + 1, 2, 255))
    extra = b""
    flags = END_HEADERS | PADDED | END_STREAM
    if talk.choices.chance(40):
        extra = bytes(5)
        flags |= WITH_PRIORITY
        padding = talk.choices.pick((2, 3, 6, 7, 255))
    octets = frame(HEADERS, flags, stream.id, bytes([padding]) + extra + block)
    if padding > len(block) + len(extra):
        connection_error(talk, octets, PROTOCOL_ERROR)
    elif padding > len(
        block
    ):  # RFC 9113 6.2: PROTOCOL_ERROR; FRAME_SIZE_ERROR if the frame is too short for its fields
        connection_error(talk, octets, PROTOCOL_ERROR, FRAME_SIZE_ERROR)
    elif padding == len(block):  # only padding: a block without fields
        stream_error(talk, stream, octets, PROTOCOL_ERROR, "missing_status_header")


def priority_of_another_size(talk: Talk) -> None:
    """Send PRIORITY of a wrong size: an error of its stream (RFC 9113 6.3), or nothing if that is idle."""
    payload = bytes(talk.choices.pick((0, 4, 6)))
    if talk.choices.chance(25):
        talk.put(frame(PRIORITY, 0, talk.next_request + 2, payload))
        talk.flush()
        return
    streams = [one for one in talk.live() if not one.promised]
    if streams:
        stream = talk.choices.pick(streams)
        octets = frame(PRIORITY, 0, stream.id, payload)
        stream_error(talk, stream, octets, FRAME_SIZE_ERROR, "frame_size_error")


def bad_hpack(talk: Talk) -> None:
    """Send a block that cannot be decoded."""
    stream = waiting(talk)
    if stream is None:
        return
    live_entries = len(talk.encoder.header_table.dynamic_entries)
    block = talk.choices.pick(
        (
            b"\x80",
            b"\xff" + bytes([61 + live_entries + 1 - 126])
            if 61 + live_entries + 1 - 126 > 0
            else b"\xff\x80\x01",
            bytes([0x80 | 62 + live_entries]) if live_entries < 64 else b"\x80",  # one beyond
            b"\x88\x20",
            b"\x3f\xe2\xff\x7f\x88",
            b"\x40\x81\xff",
            b"\x00\x01",
            b"\x00\x05ab",
            b"\x0f\xff\xff\xff\xff\xff\xff\x7f",
        )
    )
    connection_error(talk, talk.framed(stream.id, block, end=True, cuts=0), COMPRESSION_ERROR)


def after_the_end(talk: Talk) -> None:
    """Send DATA or HEADERS after END_STREAM: one RST_STREAM answers any number of them."""
    tunnels = [one for one in talk.streams.values() if one.tunnel and one.live and not one.server_open]
    if tunnels and talk.choices.chance(50):
        stream = talk.choices.pick(tunnels)
        stream_error(talk, stream, data(stream.id, b""), STREAM_CLOSED, "stream_closed")
        return
    over = [one for one in talk.streams.values() if one.finished]
    if not over or talk.options.max_remembered < 1_000:  # it may take them for streams that were reset
        return
    stream = talk.choices.pick(over)
    for place in range(talk.choices.between(1, 3)):
        if talk.choices.chance(50):
            size = max(0, min(talk.down(talk.conn), talk.choices.below(9)))
            talk.put(data(stream.id, b"a" * size))
            talk.conn.received += size
            talk.conn.marks.add(talk.conn.received)
        else:
            talk.put(talk.block(stream.id, [("x-a", "1")], end=True))
        if place == 0:
            talk.wanted.append(("rst", stream.id, STREAM_CLOSED))
    talk.flush()
    stream.finished = False


def headers_on_tunnel(talk: Talk) -> None:
    """Send a field block on an open tunnel, which carries only DATA."""
    tunnels = [one for one in talk.live(answering=True) if one.tunnel]
    fields: Fields = [("x-a", "1")] if talk.choices.chance(50) else [(":status", "200")]
    if tunnels and talk.fits(fields):
        stream = talk.choices.pick(tunnels)
        octets = talk.block(stream.id, fields, end=talk.choices.chance(50))
        stream_error(talk, stream, octets, PROTOCOL_ERROR, "malformed_response")


def bad_promise(talk: Talk) -> None:
    """Send an invalid promise: on a push, of an old or odd stream, or of what may not be promised."""
    good: Fields = [(":method", "GET"), (":scheme", "https"), (":authority", "example.org"), (":path", "/")]
    pushed = [one for one in talk.live() if one.promised]
    if pushed and talk.choices.chance(50):
        octets = talk.block(talk.choices.pick(pushed).id, good, end=False, promised=talk.next_push)
        connection_error(talk, octets, PROTOCOL_ERROR)
        return
    parents = [one for one in talk.live() if not one.promised]
    if not parents or not talk.options.push:
        return
    parent = talk.choices.pick(parents)
    if talk.choices.chance(25):
        wrong = talk.choices.pick((0, 1, talk.next_push - 2, talk.next_push + 1))
        # an old stream, stream 0, or one of the client
        if wrong and wrong % 2 == 0 and wrong >= talk.next_push:
            return
        octets = frame(PUSH_PROMISE, END_HEADERS, parent.id, struct.pack(">I", wrong) + talk.coded(good))
        connection_error(talk, octets, PROTOCOL_ERROR)
        return
    # A pseudo-header that is wrong, a field that is not allowed, or a pseudo-header behind a field.
    bad: list[Fields] = [[*good[:3], ("x-a", "1"), good[3]], *([*good, pair] for pair in BAD_IN_PROMISE)]
    for place, replacements in enumerate(BAD_PSEUDO):
        bad += [[*good[:place], *pairs, *good[place + 1 :]] for pairs in replacements]
    for _ in range(talk.choices.between(1, 5)):
        fields = talk.choices.pick(bad)
        if not talk.fits(fields):
            continue
        code = REFUSED_STREAM if talk.reserves_all() else PROTOCOL_ERROR
        give(talk, talk.block(parent.id, fields, end=False, promised=talk.next_push))
        talk.wanted.append(("rst", talk.next_push, code))
        talk.next_push += 2
        talk.judge()


# What may not be in place of :method, :scheme, :authority and :path, and what may not follow them.
BAD_PSEUDO: tuple[tuple[Fields, ...], ...] = (
    ([(":method", "POST")], [(":method", "get")], [(":scheme", "https")], []),
    ([(":scheme", "http")], [(":scheme", "")], []),
    (
        [(":authority", "other.example")],
        [(":authority", "example.org:444")],
        [(":authority", "example.orga")],
        [(":authority", "")],
        [],
    ),
    ([(":path", "")], [(":path", "x")], [(":status", "200")], [(":path", "/"), (":path", "/")], []),
)
BAD_IN_PROMISE: Fields = [
    ("connection", "close"),
    ("keep-alive", "1"),
    ("transfer-encoding", "chunked"),
    ("te", "gzip"),
    ("content-length", "1"),
    ("X-Up", "x"),
    ("x", "a\nb"),
    (":protocol", "websocket"),
]


def at_pending_limits(talk: Talk) -> None:
    """Send as much as the SETTINGS of the client allow, those that were not acknowledged as well."""
    talk.put(frame(77, 0, 0, bytes(largest(talk))))
    stream = answering(talk)
    if stream is not None and stream.left is None:
        most = max(talk.own_window, *(said.get("initial_window_size", 0) for said in talk.unacknowledged), 0)
        size = min(talk.down(stream) + most - talk.own_window, talk.down(talk.conn), talk.own_frame)
        if size > 0:
            octets = counted(size)
            talk.put(data(stream.id, octets))
            talk.count(stream, size)
            talk.expect("data", stream.id, octets)
    talk.flush()


def flood(talk: Talk) -> None:
    """Ask for more answers than may stay unread, or make the client reset stream after stream."""
    kind = talk.choices.below(3)
    if kind == 0:
        octets = frame(PING, 0, 0, b"floods!!") * 4_100
    elif kind == 1:
        octets = settings() * 4_100
    else:
        parents = [one.id for one in talk.live() if not one.promised]
        if not parents or not talk.options.push or talk.options.max_fields < 2:  # room
            return
        octets = b"".join(
            frame(
                PUSH_PROMISE, END_HEADERS, parents[0], struct.pack(">I", talk.next_push + 2 * place) + b"\x83"
            )
            for place in range(4_100)
        )
    talk.flush()
    step = talk.state.feed(octets)
    fault = step.fault
    check(fault is not None and fault.code == ENHANCE_YOUR_CALM, "a flood has no limit", fault, octets[:20])
    check(step.end == CLOSE and not step.state.is_open_read, "open after a flood", step)
    # a moderate number is allowed once what was queued has been written
    calm = talk.state.flushed().feed(frame(PING, 0, 0, b"floods!!") * 100)
    check(calm.fault is None, "a few PINGs count as a flood", calm.fault)


OTHERS: dict[str, Callable[[Talk], None]] = {
    "bad-head": bad_head,
    "content-beyond": content_beyond,
    "data-before-head": data_before_head,
    "stream-window": stream_window,
    "window-update-of-stream": window_update_of_stream,
    "initial-window-overflows": initial_window_overflows,
    "bad-trailers": bad_trailers,
    "trailers-limit": trailers_limit,
    "interim-limit": interim_limit,
    "interim-size-limit": interim_size_limit,
    "section-limit": section_limit,
    "block-limit": block_limit,
    "continuation-limit": continuation_limit,
    "inside-block": inside_block,
    "padding-beyond": padding_beyond,
    "padding-of-head": padding_of_head,
    "priority-of-another-size": priority_of_another_size,
    "bad-hpack": bad_hpack,
    "after-the-end": after_the_end,
    "headers-on-tunnel": headers_on_tunnel,
    "bad-promise": bad_promise,
    "at-pending-limits": at_pending_limits,
    "flood": flood,
}


def violate(talk: Talk) -> None:
    """Break one rule, or several rules of streams one after the other."""
    talk.flush()
    for _ in range(talk.choices.between(1, 4)):
        if talk.closed or talk.encoder.table_size_changes:  # blocks made by hand lack the update
            return
        if not any(one.head for one in talk.live()) or talk.choices.chance(50):
            request(talk)
        if talk.choices.chance(20):
            break
        precede(talk)
        OTHERS[talk.choices.pick(tuple(OTHERS))](talk)
    precede(talk)
    if not talk.closed and talk.choices.chance(60):
        broken(talk, talk.choices.pick(tuple(BROKEN)))
