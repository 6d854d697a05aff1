"""One broken rule of HTTP/2 at a time, and the error that it must lead to.

The outcome of a violation is known before mint sees it: a connection error with its code, a stream error with
its code, or no error if the rule is just kept. `BROKEN` is the list of those that end the connection;
`violations_streams_http2` has those of streams.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from extensions_http2 import WANT_GOAWAY
from frames_http2 import (
    ACK,
    CONTINUATION,
    ENABLE_CONNECT,
    END_HEADERS,
    ENHANCE_YOUR_CALM,
    FLOW_CONTROL_ERROR,
    FRAME_SIZE_ERROR,
    GOAWAY,
    HEADERS,
    INITIAL_WINDOW,
    MAX_FRAME,
    MOST_WINDOW,
    PING,
    PRIORITY,
    PROTOCOL_ERROR,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    data,
    frame,
    number,
    settings,
)
from mint._core.events import CLOSE
from mint._core.faults import Fault
from notes_http2 import Fields, Stream, reply, shown
from support import check, documented, merged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from talk_http2 import Talk


def give(talk: Talk, octets: bytes) -> list[Fault]:
    """Feed octets, split in some manner, without checking the result; return all faults.

    What is queued comes in the same input, or before it: then the events so far are checked.
    """
    if talk.choices.chance(50):
        talk.flush()
    octets, talk.pending = talk.pending + octets, b""
    talk.all_octets += octets
    faults: list[Fault] = []
    for part in talk.choices.cut(octets):
        step = talk.state.feed(part)
        talk.history.append(lambda state, part=part: state.feed(part))  # type: ignore[misc]  # default of a lambda
        talk.state = step.state
        talk.events += step.responses
        talk.read(b"".join(step.output))
        if step.fault is not None:
            documented(step.fault)
            talk.fault = step.fault
        faults += [each for each in (step.cause, step.fault) if isinstance(each, Fault)]
        talk.closed = talk.closed or step.end == CLOSE
    return faults


def precede(talk: Talk) -> None:
    """Queue frames that may come in the same input as what follows: their events must not be lost."""
    for _ in range(talk.choices.below(3)):
        streams = talk.live(answering=True)
        if streams:
            talk.content(talk.choices.pick(streams))
        else:
            talk.ping()


def weight(failed: Sequence[tuple[int, tuple[str, int]]]) -> int:
    """Return what is true of all requests that failed: 0 (not processed), 1 (perhaps) or 2 (processed)."""
    found = {processed for _, (_, processed) in failed}
    return found.pop() if len(found) == 1 else int(bool(found))


def connection_error(talk: Talk, octets: bytes, *codes: int) -> None:
    """Check that the connection ends: GOAWAY has the code, each request fails once, no event is lost.

    Before it, the server may say why it closes the connection; this is reported as well.
    """
    warned = bool(talk.live()) and not (talk.draining or talk.plain) and talk.choices.chance(20)
    warning = frame(GOAWAY, 0, 0, struct.pack(">II", MOST_WINDOW, ENHANCE_YOUR_CALM))
    faults = give(talk, warning * warned + octets)
    if warned and talk.options.events & WANT_GOAWAY:
        talk.expect("goaway", 0, (MOST_WINDOW, ENHANCE_YOUR_CALM, b""))
    reasons = [each.reason for each in faults[:-1]]
    check(reasons == ["server_closed_connection"] * warned, "not exactly what went wrong", faults, warned)
    fault = talk.fault
    check(
        fault is not None and talk.closed, "a broken rule is not noticed", octets[:60], talk.events, talk.sent
    )
    if fault is None:
        return
    check(fault.code in codes and not fault.local, "a wrong error", fault, codes)
    got = shown(merged(talk.events))
    count = len(talk.expected)
    check(got[:count] == talk.expected, "earlier events are lost", got, talk.expected)
    failed = [(one[1], one[2]) for one in got[count:] if one[0] == "failed"]
    check(len(failed) == len(got) - count, "events after an error", got[count:])
    wanted = [
        (one.id, (fault.reason, 2 if one.head or one.interims else 1))
        for one in sorted(talk.streams.values(), key=lambda one: (one.promised, one.id))
        if not one.outcome_seen
    ]
    check(failed == wanted, "the wrong requests fail", failed, wanted)
    replies = [reply(one) for one in talk.sent]
    goodbye = ("goaway", talk.last_acted, fault.code)
    check(replies == [*talk.wanted, goodbye], "not exactly one GOAWAY", replies, talk.wanted, goodbye)
    check(fault.processed == weight(wanted), "a wrong `processed` of the connection", fault, wanted)
    state = talk.state
    check(not state.is_open_read and not state.is_open_write and state.open_request_count == 0, "open", state)
    after = state.feed(frame(PING, 0, 0, b"12345678"))
    check(not after.output and not after.responses and after.state == state, "an answer after the end", after)


def stream_error(
    talk: Talk, stream: Stream, octets: bytes, code: int, reason: str = "malformed_response"
) -> None:
    """Check that the stream ends: RST_STREAM has the code, its request fails, the connection continues."""
    give(talk, octets)
    if not stream.outcome_seen:
        talk.expect("failed", stream.id, (reason, 2 if stream.head or stream.interims else 1))
    talk.wanted.append(("rst", stream.id, code))
    stream.live = stream.client_open = stream.server_open = False
    stream.outcome_seen = True
    talk.judge()
    talk.put(frame(PING, 0, 0, b"goes on!"))
    talk.wanted.append(("ping-ack", 0, b"goes on!"))
    talk.flush()


def limited(talk: Talk, stream: Stream, octets: bytes) -> None:
    """Check that a header section beyond a limit fails its request or the connection, and is not returned."""
    give(talk, octets)
    got = shown(merged(talk.events))
    count = len(talk.expected)
    check(got[:count] == talk.expected, "earlier events are lost", got, talk.expected)
    check(all(one[0] == "failed" for one in got[count:]), "more than a limit allows is returned", got[count:])
    failed = [one[1] for one in got[count:]]
    check(
        stream.outcome_seen or stream.id in failed, "a request beyond a limit does not fail", failed, stream
    )
    if talk.closed:
        return
    # Only the request failed: it is reset, and the connection continues.
    replies = [reply(one) for one in talk.sent]
    check(
        [one[:2] for one in replies] == [*(one[:2] for one in talk.wanted), ("rst", stream.id)],
        "replies",
        replies,
    )
    check(
        failed == ([] if stream.outcome_seen else [stream.id]) and talk.fault is None,
        "more than one fails",
        failed,
    )
    stream.live = stream.client_open = stream.server_open = False
    stream.outcome_seen = True
    talk.events, talk.expected, talk.sent, talk.wanted = [], [], [], []
    talk.put(frame(PING, 0, 0, b"goes on!"))
    talk.wanted.append(("ping-ack", 0, b"goes on!"))
    talk.flush()


def whole(talk: Talk, stream: Stream, octets: bytes, fields: Fields) -> None:
    """Check that a response that is just within the limits is returned."""
    stream.head = True
    stream.tunnel = stream.method == "CONNECT"
    talk.put(octets)
    talk.expect("status", stream.id, 200)
    talk.expect("headers", stream.id, tuple(fields))
    talk.end(stream)
    talk.flush()


# -- connection errors: what is sent, and the codes that are right ---------------------------------------

Made = tuple[bytes, tuple[int, ...]]
SIZE = (FRAME_SIZE_ERROR,)
PROTOCOL = (PROTOCOL_ERROR,)


def idle(talk: Talk) -> int:
    """Return the number of a stream that nobody has opened."""
    return talk.next_request + 2 * talk.choices.below(5)


def live(talk: Talk) -> int:
    """Return the number of a stream on which the server may send; an idle one if there is none."""
    streams = [one.id for one in talk.live() if not one.promised]
    return talk.choices.pick(streams) if streams else idle(talk)


BROKEN: dict[str, Callable[[Talk], Made]] = {
    "data-without-stream": lambda talk: (data(0, b"x"), PROTOCOL),
    "headers-without-stream": lambda talk: (frame(HEADERS, END_HEADERS, 0, b"\x88"), PROTOCOL),
    "rst-without-stream": lambda talk: (number(RST_STREAM, 0, 0), PROTOCOL),
    "priority-without-stream": lambda talk: (frame(PRIORITY, 0, 0, bytes(5)), PROTOCOL),
    "settings-on-stream": lambda talk: (frame(SETTINGS, 0, live(talk), b""), PROTOCOL),
    "ping-on-stream": lambda talk: (frame(PING, 0, live(talk), bytes(8)), PROTOCOL),
    "goaway-on-stream": lambda talk: (frame(GOAWAY, 0, live(talk), bytes(8)), PROTOCOL),
    "data-on-idle-stream": lambda talk: (data(idle(talk), b"x"), PROTOCOL),
    "headers-on-idle-stream": lambda talk: (talk.framed(idle(talk), b"\x88", end=True, cuts=0), PROTOCOL),
    "headers-on-even-stream": lambda talk: (talk.framed(talk.next_push, b"\x88", end=True, cuts=0), PROTOCOL),
    "rst-on-idle-stream": lambda talk: (number(RST_STREAM, idle(talk), 0), PROTOCOL),
    "window-update-on-idle-stream": lambda talk: (number(WINDOW_UPDATE, idle(talk), 1), PROTOCOL),
    "settings-of-odd-size": lambda talk: (frame(SETTINGS, 0, 0, bytes(talk.choices.pick((1, 5, 7)))), SIZE),
    "settings-ack-with-payload": lambda talk: (frame(SETTINGS, ACK, 0, bytes(6)), SIZE),
    "ping-of-another-size": lambda talk: (frame(PING, 0, 0, bytes(talk.choices.pick((0, 7, 9)))), SIZE),
    "rst-of-another-size": lambda talk: (
        frame(RST_STREAM, 0, live(talk), bytes(talk.choices.pick((3, 5)))),
        SIZE,
    ),
    "window-update-of-another-size": lambda talk: (
        frame(WINDOW_UPDATE, 0, 0, bytes(talk.choices.pick((3, 5, 0)))),
        SIZE,
    ),
    "goaway-too-short": lambda talk: (frame(GOAWAY, 0, 0, bytes(talk.choices.pick((0, 7)))), SIZE),
    "frame-too-long": lambda talk: (
        frame(talk.choices.pick((PING, SETTINGS, 77)), 0, 0, bytes(largest(talk) + 1)),
        SIZE,
    ),
    "window-update-of-zero": lambda talk: (number(WINDOW_UPDATE, 0, 0), PROTOCOL),
    "connection-window-overflows": lambda talk: (
        number(WINDOW_UPDATE, 0, MOST_WINDOW - talk.up_all + 1),
        (FLOW_CONTROL_ERROR,),
    ),
    "initial-window-too-large": lambda talk: (
        settings((INITIAL_WINDOW, talk.choices.pick((1 << 31, (1 << 32) - 1)))),
        (FLOW_CONTROL_ERROR,),
    ),
    "max-frame-size-out-of-range": lambda talk: (
        settings((MAX_FRAME, talk.choices.pick((0, 16_383, 1 << 24)))),
        PROTOCOL,
    ),
    "server-enables-push": lambda talk: (settings((2, 1)), PROTOCOL),
    "enable-connect-of-two": lambda talk: (settings((ENABLE_CONNECT, 2)), PROTOCOL),
    "priorities-of-two": lambda talk: (settings((9, talk.choices.pick((2, 1 << 31)))), PROTOCOL),
    "enable-connect-withdrawn": lambda talk: (settings((ENABLE_CONNECT, 1), (ENABLE_CONNECT, 0)), PROTOCOL),
    "priority-update-of-a-server": lambda talk: (
        frame(16, 0, talk.choices.pick((0, 1)), struct.pack(">I", 1) + b"u=1"),
        PROTOCOL,
    ),
    "continuation-without-block": lambda talk: (frame(CONTINUATION, END_HEADERS, live(talk), b""), PROTOCOL),
    "too-many-settings": lambda talk: (
        settings(*[(0x99, 1)] * (talk.options.max_settings + 1)),
        (ENHANCE_YOUR_CALM,),
    ),
    "push-without-permission": lambda talk: (
        talk.framed(live(talk), b"\x82\x84\x87", end=False, promised=talk.next_push, cuts=0),
        PROTOCOL,
    ),
    "connection-window-exceeded": lambda talk: (b"", ()),  # `broken` makes it
}


def largest(talk: Talk) -> int:
    """Return the largest frame that the client may have allowed."""
    return max(talk.own_frame, *(said.get("max_frame_size", 0) for said in talk.unacknowledged), 0)


def broken(talk: Talk, name: str) -> None:
    """Break a rule of the connection."""
    if name == "push-without-permission" and talk.options.push:
        return
    if name == "connection-window-exceeded":
        # Only if nothing is credited in between: the stream was reset, so its frames are dropped.
        if not talk.cancelled or talk.options.threshold > talk.options.connection_window // 2:
            return
        talk.flush()  # content that is queued may lead to credit
        stream = talk.cancelled[-1].id
        size = talk.down(talk.conn) + 1
        if size > talk.own_frame:
            return
        connection_error(talk, data(stream, bytes(size)), FLOW_CONTROL_ERROR)
        return
    if name == "connection-window-overflows" and talk.up_all < 1:
        return  # no increment is that large
    octets, codes = BROKEN[name](talk)
    connection_error(talk, octets, *codes)
