"""The budgets of HTTP/2: what a server may cost a client, and from which frame on it costs too much.

A naive model counts what SECURITY.md lists: useless frames, streams that end because of the server, replies
that nobody has read, interim responses; and how these counts fall with time and with useful traffic. The last
frame that is allowed must be accepted, the next one must end the connection with ENHANCE_YOUR_CALM.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from frames_http2 import (
    ACK,
    END_HEADERS,
    END_STREAM,
    ENHANCE_YOUR_CALM,
    GOAWAY,
    HEADERS,
    PING,
    PRIORITY,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    data,
    frame,
    number,
    settings,
)
from mint._core.events import CLOSE, RequestRef
from mint._core.http2 import Config, State
from support import Choices, check, fuzz

if TYPE_CHECKING:
    from collections.abc import Callable

    from mint._core.faults import Fault

GLITCHES, RESETS = 330, 33  # by so many the counts fall each second
INTERIM_OCTETS = 400  # by so many the octets of interim responses fall in each tenth of a second
ALLOWED = 100  # late frames for each request that the caller cancels
MOST_PENDING = 32  # SETTINGS of the client that are not acknowledged
OK, BAD, EARLY = b"\x88", b"\x08\x011", b"\x08\x03103"


@dataclass
class Stream:
    """A request."""

    head: bool = False
    live: bool = True
    interims: int = 0
    interim_octets: int = 0
    early: bool = False  # whether there was an interim response
    heard: int | None = None  # when, in tenths of a second
    moved: int = 0  # credit for its body beyond the initial window
    reset: bool = False  # whether the client has reset it
    used: int = 0  # octets of its content that were not credited


@dataclass
class Model:
    """The counts."""

    most_glitches: int
    most_resets: int
    most_unsent: int
    most_interims: int
    most_interim_octets: int
    most_pings: int
    slow: bool = False  # whether the server sends interim responses, and takes time
    down: int = 65_535  # the window for the content of a response
    remembers: bool = True  # whether the client remembers each stream that it has reset
    glitches: int = 0  # thousandths
    resets: int = 0  # thousandths
    allowance: int = 0
    clock: int | None = None  # milliseconds
    owed: int = 0
    window: int = 65_535  # of the connection, for content
    written: int = 0  # octets of output in all
    pushes: bool = False
    unsent: list[int] = field(default_factory=list)  # where each reply that is not read yet ends
    streams: dict[int, Stream] = field(default_factory=dict)
    pings: list[bytes] = field(default_factory=list)
    pending: int = 1
    over: str = ""  # the limit that was exceeded
    promised: int = 0
    cookie: int = 0  # octets of the cookie in the table of the server, if there is one
    open_promise: bool = False  # whether the last promise was accepted and is open
    joinable: int = 65_536  # octets of promised cookies that may be joined

    @property
    def timed(self) -> bool:
        """Whether the time matters."""
        free = min(100_000, 500 * self.most_glitches)
        early = any(one.live and one.early and not one.head for one in self.streams.values())
        return self.glitches > free or self.resets > 0 or early

    def calm(self) -> None:
        """Forget the time if it does not matter."""
        if not self.timed:
            self.clock = None

    def at(self, now: int) -> None:
        """Learn the time."""
        if not self.timed or (self.clock is not None and now <= self.clock):
            return
        if self.clock is not None:
            self.glitches = max(0, self.glitches - (now - self.clock) * GLITCHES)
            self.resets = max(0, self.resets - (now - self.clock) * RESETS)
        self.clock = now
        self.calm()

    def glitch(self) -> None:
        """Count a useless frame."""
        if self.allowance:
            self.allowance -= 1
            return
        self.glitches += 1_000
        if self.glitches > 1_000 * self.most_glitches:
            if self.clock is None:
                self.glitches = 1_000 * self.most_glitches
            else:
                self.over = "max_glitches"

    def useful(self, frames: int) -> None:
        """Take useless frames off the count."""
        self.glitches = max(0, self.glitches - 1_000 * frames)
        self.calm()

    def answer(self, size: int) -> None:
        """Write a reply, which must be read at some time."""
        self.written += size
        self.unsent.append(self.written)
        if len(self.unsent) > self.most_unsent:
            self.over = self.over or "max_unsent_acks"

    def came(self, octets: bytes) -> None:
        """Count the octets of a frame: after the first promise, they pay for joined cookies."""
        if self.promised:
            self.joinable = min(1 << 20, self.joinable + 64 * len(octets))

    def blame(self, stream: Stream | None) -> None:
        """Reset a stream, or refuse a promise, because of the server."""
        if stream is not None:
            stream.live = False
            stream.reset = True
        self.calm()
        self.resets += 1_000
        if self.resets > 1_000 * self.most_resets:
            self.over = "max_resets"
        self.answer(13)


Sent = tuple[bytes, "Callable[[Model], None]"]


def useless(choices: Choices, model: Model) -> Sent:
    """Return a frame that serves no purpose."""
    closed = [number for number, one in model.streams.items() if not one.live]

    def ping(model: Model) -> None:
        model.glitch()
        if not model.over:
            model.answer(17)

    def settled(model: Model) -> None:
        model.glitch()
        if not model.over:
            model.answer(9)

    excess = model.owed + 1

    def credited(model: Model) -> None:
        model.window += excess
        model.glitch()

    empty = [number for number, one in model.streams.items() if one.live and one.head]
    made: list[Sent] = [
        (frame(PING, 0, 0, b"question"), ping),
        (settings(), settled),
        (frame(PING, ACK, 0, b"nothing!"), Model.glitch),
        (frame(PRIORITY, 0, 1, bytes(5)), Model.glitch),
        (frame(0x77, choices.byte(), choices.below(9), choices.octets(5)), Model.glitch),
        (number(WINDOW_UPDATE, 0, excess), credited),
    ]
    if not model.pending:
        made.append((frame(SETTINGS, ACK, 0), Model.glitch))
    if closed:
        made.append((number(WINDOW_UPDATE, choices.pick(closed), 1), Model.glitch))
        made.append((number(RST_STREAM, choices.pick(closed), 8), Model.glitch))
    if empty:
        made.append((data(choices.pick(empty), b""), Model.glitch))
    return choices.pick(made)


def credit(choices: Choices, model: Model) -> Sent:
    """Return credit for the connection or a request: only what was sent needs it."""
    live = [number for number, one in model.streams.items() if one.live]
    if live and choices.chance(40):
        target = choices.pick(live)
        increment = choices.pick((1, 50, 300))

        def stream_credit(model: Model) -> None:
            model.streams[target].moved += increment
            if model.streams[target].moved > 0:
                model.glitch()

        return number(WINDOW_UPDATE, target, increment), stream_credit
    increment = max(1, choices.pick((1, model.owed, model.owed // 2)))

    def connection_credit(model: Model) -> None:
        model.window += increment
        if increment > model.owed:
            model.glitch()
        else:
            model.owed -= increment

    return number(WINDOW_UPDATE, 0, increment), connection_credit


def response(choices: Choices, model: Model, bad: int, good: int) -> Sent | None:
    """Return the next frame of a response; so many percent of the heads break a rule, or are final."""
    live = [number for number, one in model.streams.items() if one.live]
    if not live:
        return None
    target = choices.pick(live)
    stream = model.streams[target]
    end = choices.chance(40)

    def ended(model: Model) -> None:
        stream.live = False
        model.resets = max(0, model.resets - 1_000)
        model.useful(20)

    def head(model: Model) -> None:
        stream.head = True
        model.useful(10)
        if end:
            ended(model)

    value = b"v" * choices.pick((0, 0, 20, 120, 400))

    def interim(model: Model) -> None:
        stream.early = True
        tick = None if model.clock is None else model.clock // 100
        if tick is not None and stream.heard is not None:
            stream.interims = max(0, stream.interims - (tick - stream.heard))
            fallen = (tick - stream.heard) * INTERIM_OCTETS
            stream.interim_octets = max(0, stream.interim_octets - fallen)
        stream.heard = tick
        size = len(value) and 33 + len(value)  # as RFC 9113 6.5.2 counts it
        if stream.interims >= model.most_interims or stream.interim_octets + size > model.most_interim_octets:
            model.blame(stream)
        else:
            stream.interims += 1
            stream.interim_octets += size

    size = min(choices.pick((0, 1, 30, 1_100)), model.down - stream.used)
    end = end or not size  # an empty frame is useful if it is the last one

    def content(model: Model) -> None:
        if size:
            model.useful(1 + size // 1_024)
        if end:
            ended(model)
            return
        stream.used += size
        if model.down - stream.used <= model.down // 2:
            stream.used = 0
            model.written += 13  # WINDOW_UPDATE

    if stream.head:
        return data(target, bytes(size), end=end), content
    flags = END_HEADERS | END_STREAM * end
    if choices.chance(bad):
        return frame(HEADERS, END_HEADERS, target, BAD), lambda model: model.blame(stream)
    if choices.chance(good):
        return frame(HEADERS, flags, target, OK), head
    field = value and b"\x10\x01a" + text(value)
    return frame(HEADERS, END_HEADERS, target, EARLY + field), interim


def late(choices: Choices, model: Model) -> Sent | None:
    """Return content of a response that the client has reset: it is late within the window, else useless."""
    over = [number for number, one in model.streams.items() if one.reset]
    if not over or not model.remembers:
        return None
    target = choices.pick(over)
    stream = model.streams[target]
    left = model.down - stream.used
    size = min(choices.pick((0, 1, 30, 1_100, left, left + 1)), 16_384)

    def came_late(model: Model) -> None:
        if 0 < size <= model.down - stream.used:
            stream.used += size
        else:
            model.glitch()

    return data(target, bytes(size), end=choices.chance(20)), came_late


def promise(choices: Choices, model: Model) -> Sent | None:
    """Return a promise, perhaps with many cookies, followed by its reset; both cost nearly nothing."""
    live = [number for number, one in model.streams.items() if one.live]
    if not live:
        return None
    parent = choices.pick(live)
    crumbs = choices.pick((0, 0, 1, 2, 30, 60, 90))
    block = b"\x82\x84\x87\x01\x0bexample.org"
    size = model.cookie or choices.pick((1, 700, 1_000))
    if crumbs and not model.cookie:  # it enters the table
        block += b"\x60" + text(b"c" * size)
        block += b"\xbe" * (crumbs - 1)
    else:
        block += b"\xbe" * crumbs
    target = model.promised + 2
    octets = frame(PUSH_PROMISE, END_HEADERS, parent, struct.pack(">I", target) + block)
    joined = crumbs * (size + 2) - 2 if crumbs > 1 else 0

    def promised(model: Model) -> None:
        model.promised = target
        model.cookie = size if crumbs else model.cookie
        model.open_promise = joined <= model.joinable
        if model.open_promise:
            model.joinable -= joined
        else:
            model.blame(None)

    return octets, promised


def reset(model: Model) -> Sent:
    """Return the reset of the last promise, which counts unless the client has refused it."""

    def counted(model: Model) -> None:
        model.open_promise = False
        model.resets += 1_000
        if model.resets > 1_000 * model.most_resets:
            model.over = "max_resets"

    return number(RST_STREAM, model.promised, 8), counted if model.open_promise else Model.glitch


def text(octets: bytes) -> bytes:
    """Return a string literal (RFC 7541 5.2)."""
    size = len(octets)
    return (bytes([size]) if size < 127 else b"\x7f" + varied(size - 127)) + octets


def varied(value: int) -> bytes:
    """Return what follows the prefix of an integer (RFC 7541 5.1)."""
    made = b""
    while value > 127:  # seven bits
        made += bytes([value & 127 | 128])
        value >>= 7
    return made + bytes([value])


def serve(choices: Choices, state: State, model: Model) -> tuple[State, Fault | None]:
    """Let the server send something, often again and again; return the fault."""
    octets, before = b"", model.written
    style = choices.below(6)
    count = choices.pick((1, 1, 3, model.most_glitches, model.most_unsent))
    if style == 0:  # just below a limit, at it, or beyond it
        room = (1_000 * model.most_glitches - model.glitches) // 1_000 + model.allowance
        count = max(1, choices.pick((room, room + 1, room + 2)))
    only = useless(choices, model) if style < 3 else None
    bad, good = choices.pick((10, 25, 95)), 40
    if model.slow:
        count, only, bad, good = choices.pick((1, 1, 3)), None, 0, 3
    for _ in range(min(count, 200)):
        sent = only
        if only is None:
            kind = 2 if model.slow else choices.below(4)
            if kind > 1:
                sent = response(choices, model, bad, good)
            else:
                sent = (useless, credit)[kind](choices, model)
            if choices.chance(20):
                sent = late(choices, model) or sent
            if model.pushes and choices.chance(30):
                sent = reset(model) if model.promised and choices.chance(50) else promise(choices, model)
        if sent is None or model.over:
            break
        octets += sent[0]
        model.came(sent[0])
        sent[1](model)
    return feed(choices, state, octets, model, before)


def feed(
    choices: Choices, state: State, octets: bytes, model: Model, before: int
) -> tuple[State, Fault | None]:
    """Feed what the server sent, which the model has counted; `before` were written until then."""
    fault = None
    size = 0
    for part in choices.cut(octets):
        step = state.feed(part)
        check((step.end == CLOSE) == (step.fault is not None), "a fault that closes nothing", step)
        state, fault = step.state, fault or step.fault
        size += sum(map(len, step.output))
    check(bool(model.over) or size == model.written - before, "other replies", size, octets[:60])
    return state, fault


def leave(choices: Choices, state: State, model: Model) -> Fault | None:
    """Let the server send GOAWAY again and again while a response is open; only the first one is useful."""
    room = (1_000 * model.most_glitches - model.glitches) // 1_000 + model.allowance
    farewell = frame(GOAWAY, 0, 0, struct.pack(">II", (1 << 31) - 1, 0))
    octets, before = farewell, model.written
    for _ in range(min(choices.pick((1, room, room + 1)), 200)):
        octets += farewell
        model.came(farewell)
        model.glitch()
        if model.over:
            break
    return feed(choices, state, octets, model, before)[1]


def request(choices: Choices, state: State, model: Model) -> State:
    """Send a request."""
    body = (bytes(choices.pick((1, 100, 2_000))),) if choices.chance(50) else None
    step = state.request("GET", "/", (), body, False)
    size = len(body[0]) if body else 0
    if size > model.window:
        refused = step.fault is not None and step.fault.reason == "exceeds_window_size"
        check(refused and not any(step.output), "content beyond the window of the connection", step)
        return step.state
    check(step.fault is None, "a request is refused", step.fault)
    ref = RequestRef(7, 2 * len(model.streams) + 1)
    check(step.ref == ref, "a wrong ref", step.ref)
    model.streams[ref.number] = Stream(moved=-size)
    model.owed += size
    model.window -= size
    model.written += sum(map(len, step.output))
    if size:
        model.useful(4 + size // 1_024)
    return step.state


def calls(choices: Choices, state: State, model: Model) -> State:
    """Make a call."""
    live = [number for number, one in model.streams.items() if one.live]
    match choices.below(7):
        case 0 | 1:
            for _ in range(choices.pick((1, 1, 5))):
                state = request(choices, state, model)
            return state
        case 2:
            if not live:
                return state
            target = choices.pick(live)
            step = state.cancel(RequestRef(7, target))
            model.streams[target].live = False
            model.streams[target].reset = True
            model.calm()
            model.allowance += ALLOWED
        case 3:
            payload = b"p%07d" % len(model.pings)
            step = state.ping(payload)
            full = len(model.pings) >= model.most_pings
            check((step.fault is not None) == full, "a wrong limit of pings", step.fault, len(model.pings))
            if not full:
                model.pings.append(payload)
        case 4:
            if not model.pings:
                return state
            octets = frame(PING, ACK, 0, model.pings.pop(choices.below(len(model.pings))))
            model.came(octets)
            step = state.feed(octets)
            check(len(step.responses) == 1, "no Pong", step.responses)
        case 5:
            for _ in range(choices.pick((1, 1, MOST_PENDING))):
                step = state.put_settings((("max_frame_size", 16_384 + choices.below(9)),))
                full = model.pending >= MOST_PENDING
                check((step.fault is not None) == full, "a wrong limit of SETTINGS", model.pending)
                model.pending += not full
                model.written += sum(map(len, step.output))
                state = step.state
            return state
        case _:
            if not model.pending:
                return state
            octets = frame(SETTINGS, ACK, 0)
            model.came(octets)
            step = state.feed(octets)
            model.pending -= 1
    check(step.end != CLOSE, "a call ends the connection", step)
    model.written += sum(map(len, step.output))
    return step.state


def read(choices: Choices, state: State, model: Model) -> State:
    """Let the server read some of what was written."""
    queued = choices.pick((0, choices.below(60), choices.below(400)))
    if model.unsent and choices.chance(60):  # exactly a reply, or one octet less
        queued = max(0, model.written - choices.pick(model.unsent) + choices.below(2))
    model.unsent = [end for end in model.unsent if end > model.written - queued]
    return state.left(queued) if queued or choices.chance(50) else state.flushed()


def one(data: bytes) -> None:
    """Try one input."""
    choices = Choices(data)
    model = Model(
        most_glitches=choices.pick((1, 2, 7, 30)),
        most_resets=choices.between(1, 4),
        most_unsent=choices.pick((1, 3, 8, 300)),
        most_interims=choices.pick((1, 2, 3, 100)),
        most_interim_octets=choices.pick((100, 1_000, 65_536)),
        most_pings=choices.between(1, 3),
        pushes=choices.chance(40),
        slow=choices.chance(15),
        down=choices.pick((65_535, 2_000)),
    )
    remembered = choices.pick((0, 2, 1_024, 1_024))
    model.remembers = remembered > 2  # never more streams than that
    config = Config(
        "example.org",
        port=443,
        scheme="https",
        identity=7,
        user_agent="",
        settings=(("enable_push", int(model.pushes)), ("initial_window_size", model.down)),
        max_glitches=model.most_glitches,
        max_resets=model.most_resets,
        max_unsent_acks=model.most_unsent,
        max_informational=model.most_interims,
        max_informational_size=model.most_interim_octets,
        max_pings=model.most_pings,
        max_remembered=remembered,
    )
    state = State.open(config).state.feed(settings()).state
    model.answer(9)
    now = choices.below(5_000)
    for _ in range(choices.between(4, 30)):
        kind = choices.pick((0, 4, 6, 6, 6)) if model.slow else choices.below(8)
        if kind < 4:  # half
            state, fault = serve(choices, state, model)
            if model.over:
                exceeded(fault, model)
                return
            check(fault is None, "a limit is too low", fault, model)
        elif kind < 6:  # a quarter
            state = calls(choices, state, model)
        elif kind == 6:  # time passes
            now += choices.pick((100, 200, 300) if model.slow else (0, 1, 3, 4, 100, 1_000, 100_000))
            state = state.at(now)
            model.at(now)
        else:
            state = read(choices, state, model)
        check(state.timed == model.timed, "the time matters wrongly, or not", state.timed, model)
    if choices.chance(40) and any(one.live for one in model.streams.values()):
        fault = leave(choices, state, model)
        if model.over:
            exceeded(fault, model)
        else:
            check(fault is None, "a limit is too low", fault, model)


def exceeded(fault: Fault | None, model: Model) -> None:
    """Check that the connection ends because of the limit."""
    check(fault is not None, "a limit is not noticed", model)
    if fault is not None:
        check((fault.name, fault.code) == (model.over, ENHANCE_YOUR_CALM), "another limit", fault, model.over)
        check(fault.size == fault.limit + 1, "a wrong size", fault)


if __name__ == "__main__":
    fuzz(one)
