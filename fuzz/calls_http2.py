"""Calls that the caller of an HTTP/2 connection makes, and what the server must receive for each."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from hpack import NeverIndexedHeaderTuple

from extensions_http2 import PRIORITY_UPDATE, settings_came
from frames_http2 import (
    CANCEL,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    INITIAL_WINDOW,
    MAX_FRAME,
    MAX_LIST,
    MAX_STREAMS,
    PING,
    RST_STREAM,
    SETTINGS,
    Frame,
    settings,
)
from mint._core.events import RequestRef, Step
from notes_http2 import Fields, Stream, size_of
from support import check, counted
from talk_http2 import SECRETS, Talk

if TYPE_CHECKING:
    from collections.abc import Callable

    from mint._core.http2 import State

SETTING_IDS = {"header_table_size": 1, "initial_window_size": 4, "max_frame_size": 5}


def call(talk: Talk, operation: Callable[[State], Step[State]], *, allowed: bool) -> list[Frame]:
    """Make a call and return the frames that it sent. A refused call must change and send nothing."""
    talk.flush()
    before = talk.state
    step = talk.apply(operation)
    frames, talk.sent = talk.sent, []
    if allowed:
        check(step.fault is None, "a valid call is refused", step.fault)
    else:
        check(step.fault is not None and step.fault.local, "a call is not refused", step, frames)
        check(
            step.state is before and not frames and not step.responses, "a refused call has an effect", step
        )
        talk.fault = None
    return frames


def limit_fields(talk: Talk, size: int) -> None:
    """Let the server say how large a header section may be."""
    talk.flush()
    talk.put(settings((MAX_LIST, size)))
    settings_came(talk, [(MAX_LIST, size)])
    talk.wanted.append(("settings-ack", 0, b""))
    talk.peer_list = size
    talk.flush()


def widen(talk: Talk, exact: bool) -> None:
    """Let the server accept more again, if its limit was made exact for one call."""
    if exact:
        limit_fields(talk, 1 << 20)


def request(talk: Talk) -> None:
    """Send some request, within the server's limits or beyond them."""
    choices = talk.choices
    method = choices.pick(("GET", "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "CONNECT"))
    method = "GET" if talk.plain and method == "CONNECT" else method
    streaming = choices.chance(45)
    body: tuple[bytes, ...] | None = None
    if not streaming and method != "CONNECT" and choices.chance(45):
        body = tuple(counted(choices.pick((0, 1, 7, 300, 20_000)), at) for at in range(choices.below(3)))
    target = (
        "example.org:443" if method == "CONNECT" else choices.pick(("/", "/a?b", "/" + "p" * 200, "/%41"))
    )
    extended = method == "CONNECT" and choices.chance(50)
    headers: Fields = []
    for _ in range(choices.below(4)):
        headers.append(
            choices.pick(
                (
                    ("x-a", "1"),
                    ("X-Case", "v"),
                    ("accept", "*/*"),
                    ("x-long", "l" * 500),
                    ("x-latin", "\xe9"),
                    ("x-empty", ""),
                    ("te", "trailers"),
                )
            )
        )
    if choices.chance(4):  # more than one frame
        headers.append(("x-huge", "h" * choices.pick((16_500, 40_000))))
    if choices.chance(30):
        headers.append((choices.pick(SECRETS), choices.pick(("secret-1", "secret-2"))))
    singles = [name.lower() for name, _ in headers if name in ("authorization", "proxy-authorization")]
    if len(set(singles)) < len(singles):
        return
    declared: int | None = None
    if streaming and method != "CONNECT" and choices.chance(30):
        declared = choices.pick((0, 5, 100, 70_000))
        headers.append(("content-length", str(declared)))
    if extended:
        headers = [(":protocol", "websocket"), *headers]
        target = "/chat"
    total = sum(map(len, body or ()))
    fields = wanted_fields(method, target, headers, total if body is not None else None, streaming=streaming)
    exact = choices.chance(8) and not talk.plain
    if exact:  # the limit is the size of this section, or one octet less
        limit_fields(talk, size_of(fields) - choices.below(2))
    active = sum(one.live for one in talk.streams.values() if not one.promised)
    may = (
        not talk.draining
        and active < talk.peer[MAX_STREAMS]
        and talk.next_request < 1 << 31
        and size_of(fields) <= talk.peer_list
        and (not extended or talk.peer_connects)
        and (total == 0 or total <= min(talk.peer[INITIAL_WINDOW], talk.up_all))
    )
    frames = call(talk, lambda state: state.request(method, target, headers, body, streaming), allowed=may)
    if not may:
        widen(talk, exact)
        return
    stream = Stream(
        talk.next_request,
        method,
        client_open=streaming,
        was_streaming=streaming,
        spoke=total > 0,
        up=talk.peer[INITIAL_WINDOW] - total,
    )
    stream.declared = declared
    talk.next_request += 2
    talk.streams[stream.id] = stream
    talk.up_all -= total
    ends = not streaming and total == 0
    rest = read_block(talk, frames, stream.id, fields, ends=ends)
    read_content(talk, rest, stream.id, b"".join(body or ()), ends=not streaming and total > 0)
    widen(talk, exact)


def wanted_fields(method: str, target: str, headers: Fields, total: int | None, *, streaming: bool) -> Fields:
    """Return the fields that the server must receive."""
    fields: Fields = [(":method", method)]
    extended = any(name == ":protocol" for name, _ in headers)
    if method == "CONNECT" and not extended:
        fields.append((":authority", target))
    else:
        fields += [(":scheme", "https"), (":path", target), (":authority", "example.org")]
    if extended:
        fields.append((":protocol", "websocket"))
    fields.append(("user-agent", "fuzz"))
    fields += [(name.lower(), value) for name, value in headers if name != ":protocol"]
    if total is not None:
        fields.append(("content-length", str(total)))
    elif not streaming and method in ("POST", "PUT", "PATCH"):
        fields.append(("content-length", "0"))
    return fields


def read_block(talk: Talk, frames: list[Frame], stream: int, fields: Fields, *, ends: bool) -> list[Frame]:
    """Decode a field block with `hpack`; check its fields, and that no secret enters a table."""
    check(bool(frames) and frames[0].kind == HEADERS, "no HEADERS frame", frames)
    check(frames[0].flags & ~END_HEADERS == END_STREAM * ends, "wrong flags", frames[0], ends)
    block = b""
    for place, one in enumerate(frames):
        check(
            one.stream == stream and one.kind == (CONTINUATION if place else HEADERS),
            "an unexpected frame",
            one,
        )
        check(len(one.payload) <= talk.peer[MAX_FRAME], "a frame is too long", len(one.payload))
        check(not place or not one.flags & ~END_HEADERS, "wrong flags", one)
        block += one.payload
        if one.flags & END_HEADERS:
            decoded = talk.decoder.decode(block, raw=True)
            got = [(bytes(name).decode("latin-1"), bytes(value).decode("latin-1")) for name, value in decoded]
            check(got == fields, "the server reads other fields", got, fields)
            for pair in decoded:
                if bytes(pair[0]).decode("latin-1") in SECRETS:
                    check(isinstance(pair, NeverIndexedHeaderTuple), "a secret may be indexed", pair)
            for name, value in talk.decoder.header_table.dynamic_entries:
                check(not bytes(value).startswith(b"secret-"), "a secret is in the table", name, value)
            return frames[place + 1 :]
    check(False, "a block without END_HEADERS", frames)
    return []


def read_content(talk: Talk, frames: list[Frame], stream: int, content: bytes, *, ends: bool) -> None:
    """Check DATA frames: the content in order, frames of an allowed size, END_STREAM on the last one."""
    for one in frames:
        check(one.kind == DATA and one.stream == stream, "an unexpected frame", one)
        check(len(one.payload) <= talk.peer[MAX_FRAME], "a frame is too long", len(one.payload))
    check(b"".join(one.payload for one in frames) == content, "wrong content", frames, content)
    flags = [one.flags for one in frames]
    check(flags == [0] * (len(flags) - 1) + [END_STREAM * ends] * bool(flags), "wrong flags", flags, ends)
    check(bool(flags) or not ends, "the end is missing", frames)


def some_request(talk: Talk) -> Stream | None:
    """Return one of the requests, most often one whose body is open."""
    requests = [one for one in talk.streams.values() if not one.promised]
    alive = [one for one in requests if one.live and one.client_open]
    if alive and talk.choices.chance(80):
        return talk.choices.pick(alive)
    return talk.choices.pick(requests) if requests else None


def room_of(talk: Talk, stream: Stream) -> int:
    """Return how many octets of a body may be sent."""
    room = max(0, min(stream.up, talk.up_all))
    return room if stream.declared is None else min(room, stream.declared)


def body(talk: Talk) -> None:
    """Send a piece of a body, within the windows and the declared length, or one octet too long."""
    stream = some_request(talk)
    if stream is None:
        return
    room = room_of(talk, stream)
    send(talk, stream, min(talk.choices.pick((0, 1, 100, room, room, room + 1, 40_000)), 70_000))


def send(talk: Talk, stream: Stream, size: int) -> None:
    """Send so much of a body."""
    open_ = stream.live and stream.client_open
    room = room_of(talk, stream)
    ref = RequestRef(7, stream.id)
    piece = counted(size, talk.choices.byte())
    may = open_ and (size <= room or size == 0)
    frames = call(talk, lambda state: state.stream_body(ref, piece), allowed=may)
    if open_ and size <= room:
        read_content(talk, frames, stream.id, piece, ends=False)
        stream.spoke = stream.spoke or size > 0
        stream.up -= size
        talk.up_all -= size
        if stream.declared is not None:
            stream.declared -= size


def end(talk: Talk) -> None:
    """End a body, with or without trailers; it may not end before all that was declared was sent."""
    stream = some_request(talk)
    if stream is None:
        return
    if stream.declared and talk.choices.chance(50):
        send(talk, stream, stream.declared - 1)
    trailers: Fields = []
    if talk.choices.chance(35):
        trailers = [("x-check", "1"), ("x-auth-token", "secret-3")]
    may = (
        stream.live
        and stream.client_open
        and not stream.declared
        and not (trailers and stream.method == "CONNECT")
    )
    exact = bool(trailers) and talk.choices.chance(40) and not talk.plain
    if exact:
        limit_fields(talk, size_of(trailers) - talk.choices.below(2))
    may = may and size_of(trailers) <= talk.peer_list
    ref = RequestRef(7, stream.id)
    frames = call(talk, lambda state: state.end_body(ref, trailers), allowed=may)
    if not may:
        widen(talk, exact)
        return
    if trailers:
        check(not read_block(talk, frames, stream.id, trailers, ends=True), "more frames", frames)
    else:
        check(frames == [Frame(DATA, END_STREAM, stream.id, b"")], "a wrong end", frames)
    stream.spoke = True
    stream.client_open = False
    if not stream.server_open:
        talk.finish(stream)
    widen(talk, exact)


def cancel(talk: Talk) -> None:
    """Cancel a request or a push; if it is over, nothing changes."""
    if not talk.streams:
        return
    alive = [one for one in talk.streams.values() if one.live]
    stream = talk.choices.pick(alive or list(talk.streams.values()))
    talk.flush()
    ref = RequestRef(7, stream.id)
    live = stream.live
    if talk.draining and sum(one.live for one in talk.streams.values()) < 2:  # the last one
        return
    frames = call(talk, lambda state: state.cancel(ref), allowed=True)
    check(
        frames == ([Frame(RST_STREAM, 0, stream.id, struct.pack(">I", CANCEL))] if live else []),
        "a wrong cancellation",
        frames,
        live,
    )
    if live:
        stream.live = stream.client_open = stream.server_open = False
        stream.outcome_seen = True
        talk.cancelled.append(stream)


def ping(talk: Talk) -> None:
    """Send a PING."""
    payload = b"p%07d" % -talk.next_ping
    frames = call(talk, lambda state: state.ping(payload), allowed=True)
    check(frames == [Frame(PING, 0, 0, payload)], "a wrong PING", frames)
    talk.pings.append((payload, talk.next_ping))
    talk.next_ping -= 1


def put_settings(talk: Talk) -> None:
    """Send SETTINGS, which apply once the server has acknowledged them."""
    name = talk.choices.pick(tuple(SETTING_IDS))
    size = {
        "header_table_size": (0, 100, 4_096, 65_536),
        "initial_window_size": (0, 60, 1_000, 65_535, 100_000),
        "max_frame_size": (16_384, 20_000),
    }[name]
    value = talk.choices.pick(size)
    if len(talk.unacknowledged) > 5:  # so many may be unacknowledged
        return
    frames = call(talk, lambda state: state.put_settings(((name, value),)), allowed=True)
    wanted = Frame(SETTINGS, 0, 0, struct.pack(">HI", SETTING_IDS[name], value))
    check(frames == [wanted], "wrong SETTINGS", frames, wanted)
    talk.unacknowledged.append({name: value})
    if talk.choices.chance(30):  # what has arrived may need credit at once
        while talk.unacknowledged:
            talk.acknowledge()


def prioritize(talk: Talk) -> None:
    """Send PRIORITY_UPDATE for a request; it is refused if the server does not support it."""
    talk.flush()
    alive = [one for one in talk.streams.values() if one.live]
    if not alive:
        return
    stream, value = talk.choices.pick(alive), talk.choices.pick((b"u=0", b"u=7, i"))
    allowed = talk.peer_priorities == 1
    frames = call(talk, lambda state: state.update_priority(RequestRef(7, stream.id), value), allowed=allowed)
    wanted = [Frame(PRIORITY_UPDATE, 0, 0, struct.pack(">I", stream.id) + value)] if allowed else []
    check(frames == wanted, "a wrong PRIORITY_UPDATE", frames, wanted)


def enlarge(talk: Talk) -> None:
    """Enlarge a receive window, or ask for a smaller one, which is refused."""
    alive = [one for one in talk.streams.values() if one.live and one.server_open]
    stream = talk.choices.pick([talk.conn, *alive])
    now = (65_535 if stream is talk.conn else talk.own_window) + stream.extra
    size = max(1, now + talk.choices.pick((-1, 0, 1, 1_000, 70_000)))
    if stream is not talk.conn and stream.outcome_seen:
        return
    ref = None if stream is talk.conn else RequestRef(7, stream.id)
    talk.flush()
    before = stream.credited
    stream.marks.add(stream.received)
    step = talk.state.set_receive_window(ref, size)
    check(
        (step.fault is None) == (size >= now),
        "a window is wrongly refused or accepted",
        size,
        now,
        step.fault,
    )
    if size <= now:
        check(step.state is talk.state and not step.output, "a refused call has an effect", step)
        return
    wanted = b"\0\0\4\x08\0" + struct.pack(">II", stream.id, size - now)
    check(b"".join(step.output) == wanted, "a wrong WINDOW_UPDATE", step.output, wanted)
    talk.history.append(lambda state: state.set_receive_window(ref, size))
    talk.state = step.state
    stream.extra += size - now
    check(stream.credited == before, "credit in addition to the enlargement", stream)


def hold(talk: Talk) -> None:
    """Turn the refilling of a stream's window off or on."""
    alive = [one for one in talk.streams.values() if one.live and one.server_open and not one.outcome_seen]
    if not alive:
        return
    stream = talk.choices.pick(alive)
    on = talk.choices.chance(50)
    ref = RequestRef(7, stream.id)
    talk.flush()
    stream.held = not on  # from now on, the client must not credit it, or must credit what is due
    step = talk.apply(lambda state: state.set_refill(ref, on))
    check(step.fault is None and not talk.sent, "a refusal, or an unexpected frame", step)


def flushed(talk: Talk) -> None:
    """Report that everything that was queued has been written."""
    talk.flush()
    talk.history.append(lambda state: state.flushed())
    talk.state = talk.state.flushed()


CALLS: tuple[Callable[[Talk], None], ...] = (
    request,
    request,
    request,
    request,
    body,
    body,
    body,
    end,
    end,
    cancel,
    ping,
    put_settings,
    prioritize,
    enlarge,
    hold,
    flushed,
)
