"""How a conversation ends without a broken rule: GOAWAY, the end of the transport, `close`; bad starts."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from extensions_http2 import WANT_GOAWAY
from frames_http2 import (
    ACK,
    CANCEL,
    GOAWAY,
    MOST_WINDOW,
    PING,
    PROTOCOL_ERROR,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    data,
    frame,
    number,
    read_frames,
    settings,
)
from mint._core.events import CLOSE, Failed
from mint._core.faults import Fault
from mint._core.http2 import Config, State
from notes_http2 import Stream, reply, shown
from support import Choices, check, merged
from violations_http2 import give, precede, weight

if TYPE_CHECKING:
    from talk_http2 import Talk


def go_away(talk: Talk, most: int) -> int | None:
    """Send GOAWAY, which fails the requests above some stream; return that stream, `None` if none was sent.

    It must not be above `most`, that of an earlier GOAWAY: then it changes nothing. If no stream is left, the
    client closes the connection; another harness tests that.
    """
    choices = talk.choices
    requests = [one.id for one in talk.streams.values() if not one.promised]
    last = choices.pick([0, MOST_WINDOW, *requests])
    talk.flush()
    if not talk.draining:  # otherwise the end of the last stream would end the connection
        precede(talk)
    alive = [one for one in talk.streams.values() if one.live]
    failing = [one for one in alive if not one.promised and one.id > min(last, most)]
    if len(failing) == len(alive):
        return None
    code = choices.pick((0, 0, 2, 11, 99))
    debug = choices.octets(10)
    give(talk, frame(GOAWAY, 0, 0, struct.pack(">II", last, code) + debug))
    talk.draining = True
    talk.remaining = [one for one in alive if one not in failing]
    if talk.options.events & WANT_GOAWAY:
        talk.expect("goaway", 0, (last, code, debug))
    weights = []
    for one in failing:
        if not one.outcome_seen:
            processed = 2 if one.head or one.interims else 0
            talk.expect("failed", one.id, ("unprocessed", processed))
            weights.append((one.id, ("", processed)))
        one.live = one.client_open = one.server_open = False
        one.outcome_seen = True
    if code and not talk.reported_goaway:
        # An error is reported once, with what is true of all requests that were open.
        talk.reported_goaway = True
        fault, talk.fault = talk.fault, None
        weights += [
            (one.id, ("", 2 if one.head or one.interims else 1))
            for one in talk.remaining
            if not one.outcome_seen
        ]
        check(
            fault is not None and (fault.reason, fault.code) == ("server_closed_connection", code),
            "a GOAWAY with an error is not reported",
            fault,
        )
        if fault is not None:
            check(fault.processed == weight(weights), "a wrong `processed`", fault, weights)
    talk.flush()
    return min(last, most)


def leave(talk: Talk) -> None:
    """End the connection: the server or the network ends it, the caller closes, or the last stream ends."""
    talk.flush()
    if talk.choices.chance(40):
        drain(talk)
    else:
        break_off(talk)


def drain(talk: Talk) -> None:
    """Send GOAWAY, perhaps more than one, and end the streams that are left; then the client leaves."""
    while talk.pings:
        talk.pong()
    last = go_away(talk, MOST_WINDOW)
    for _ in range(talk.choices.below(3)):
        if last is not None:
            last = go_away(talk, last) or last
    if not talk.draining:
        return
    talk.flush()
    give(talk, b"".join(number(RST_STREAM, one.id, CANCEL) for one in talk.remaining))
    ends = [
        ("failed", one.id, ("server_closed_request", 2 if one.head or one.interims else 1))
        for one in talk.remaining
        if not one.outcome_seen
    ]
    check(shown(merged(talk.events)) == ends, "wrong events", talk.events, ends)
    talk.events.clear()
    for one in talk.remaining:
        one.live = one.client_open = one.server_open = False
        one.outcome_seen = True
    if talk.unheard:
        answer_question(talk)
    last_reply = reply(talk.sent[-1]) if talk.sent else None
    wanted = ("goaway", talk.last_acted, 0)
    check(talk.closed and last_reply == wanted, "nothing is left, and nobody leaves", last_reply, talk.state)


def answer_question(talk: Talk) -> None:
    """Answer the PING that asks whether all content was read, perhaps after frames that do not."""
    asked = talk.sent.pop() if talk.sent else None
    check(
        asked is not None and asked.kind == PING and not asked.flags, "content may be lost", asked, talk.state
    )
    check(not talk.closed and not talk.state.is_open_write, "the end before the answer", talk.state)
    if asked is not None:
        for _ in range(talk.choices.below(3)):
            give(talk, talk.choices.pick((frame(77, 0, 0, b"x"), frame(PING, ACK, 0, b"another."))))
        check(not talk.closed, "the end before the answer", talk.state)
        give(talk, frame(PING, ACK, 0, asked.payload))


def break_off(talk: Talk) -> None:
    """End the connection at once."""
    style = talk.choices.below(3)
    open_ones: list[Stream] = [
        one
        for one in sorted(talk.streams.values(), key=lambda one: (one.promised, one.id))
        if not one.outcome_seen
    ]
    if style == 0:
        step = talk.state.feed_eof(talk.choices.chance(50))
    elif style == 1:
        step = talk.state.lose(Fault("connection_reset"))
    else:
        step = talk.state.close()
    failed = [
        (event.ref.number, (event.fault.reason, event.fault.processed))
        for event in step.responses
        if isinstance(event, Failed)
    ]
    check(len(failed) == len(step.responses), "events at the end", step.responses)
    reason = ("transport_closed", "connection_reset", "")[style]
    wanted = [(one.id, (reason, 2 if one.head or one.interims else 1)) for one in open_ones if style < 2]
    check(failed == wanted, "the wrong requests fail at the end", failed, wanted)
    if step.fault is not None:
        check(step.fault.processed == weight(wanted), "a wrong `processed`", step.fault, wanted)
    check(step.end == CLOSE and not step.state.is_open_read and not step.state.is_open_write, "open", step)
    check(step.state.open_request_count == 0, "requests are open after the end", step.state)
    replies = [reply(one) for one in read_frames(b"".join(step.output))]
    check(replies == ([("goaway", talk.last_acted, 0)] if style == 2 else []), "a wrong GOAWAY", replies)


def begin_badly(choices: Choices) -> None:
    """Let the server begin with something else than SETTINGS: nothing of it is used (RFC 9113 3.4)."""
    config = Config("example.org", port=443, scheme="https", identity=7, user_agent="fuzz")
    state = State.open(config).state
    count = choices.below(3)
    for _ in range(count):
        state = state.request("GET", "/", (), None, False).state
    http1 = choices.chance(25)
    octets = choices.pick(
        (
            frame(SETTINGS, ACK, 0),
            frame(PING, 0, 0, b"12345678"),
            number(WINDOW_UPDATE, 0, 1),
            frame(1, 5, 1, b"\x88"),
            data(1, b"x"),
            frame(77, 0, 0, b"x"),
        )
    )
    if http1:
        octets = b"HTTP/1.1 400 Bad Request\r\n\r\n"
    octets += settings()
    events, sent, fault = [], b"", None
    for part in choices.cut(octets):
        step = state.feed(part)
        state, fault = step.state, fault or step.fault
        events += step.responses
        sent += b"".join(step.output)
    check(fault is not None and not state.is_open_read, "another first frame is accepted", octets, events)
    if fault is None:
        return
    failed = [(one.ref.number, one.fault.processed) for one in events if isinstance(one, Failed)]
    check(len(failed) == len(events), "events of another first frame", events)
    wanted = [(2 * place + 1, 0 if http1 else 1) for place in range(count)]
    check(failed == wanted, "the wrong requests fail", failed, wanted)
    check(fault.reason == ("http1_response" if http1 else "protocol_error"), "a wrong fault", fault)
    replies = [reply(one) for one in read_frames(sent)]
    check(replies == ([] if http1 else [("goaway", 0, PROTOCOL_ERROR)]), "a wrong GOAWAY", replies)
