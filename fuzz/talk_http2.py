"""A conversation between mint and an HTTP/2 server that knows the correct result of each of its frames.

The server is honest: it builds frames as RFC 9113 allows, keeps its own window counts, and notes for every
frame which events the client must return and what it must send. `violations_http2` breaks the rules one at a
time. Nothing here uses mint's bookkeeping: windows are sums of octets, replies are a list.
"""

from __future__ import annotations

import itertools
import struct
from typing import TYPE_CHECKING

import hpack

from extensions_http2 import extension, settings_came
from frames_http2 import (
    ACK,
    CANCEL,
    CONTINUATION,
    DEFAULT_WINDOW,
    ENABLE_CONNECT,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    INITIAL_WINDOW,
    MAX_FRAME,
    MAX_LIST,
    MAX_STREAMS,
    MOST_WINDOW,
    PADDED,
    PING,
    PREFACE,
    PRIORITY,
    PUSH_PROMISE,
    REFUSED_STREAM,
    RST_STREAM,
    SETTINGS,
    TABLE_SIZE,
    WINDOW_UPDATE,
    WITH_PRIORITY,
    Frame,
    data,
    frame,
    number,
    read_frames,
    settings,
)
from mint._core.events import (
    CLOSE,
    Event,
    RequestRef,
    Step,
)
from mint._core.http2 import Config, State
from notes_http2 import Fields, Options, Seen, Stream, options, reply, shown, size_of
from support import Choices, check, counted, documented, merged

if TYPE_CHECKING:
    from collections.abc import Callable

    from mint._core.faults import Fault

Operation = "Callable[[State], Step[State] | State]"
PLAIN: Fields = [
    ("server", "fuzz"),
    ("x-a", "1"),
    ("set-cookie", "k=v"),
    ("etag", '"abc"'),
    ("date", "today"),
    ("x-empty", ""),
    ("vary", "*"),
    ("x-b", "\xe9" * 30),
]
STATUSES = ("200", "200", "200", "404", "204", "304", "999")
STATUSES_OF_CONNECT = ("200", "200", "200", "404", "204", "304", "999", "299", "300", "300")
BARRED = frozenset({"content-length", "cookie", "host", "trailer"})
SECRETS = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "proxy-authenticate",
    "www-authenticate",
    "authentication-info",
    "proxy-authentication-info",
    "x-auth-token",
    "x-api-key",
    "x-private",
]


class Talk:
    """The conversation."""

    def __init__(self, choices: Choices, chosen: Options | None = None) -> None:
        self.choices = choices
        self.options = chosen or options(choices)
        given = self.options
        self.config = Config(
            "example.org",
            port=443,
            scheme="https",
            identity=7,
            user_agent="fuzz",
            settings=(
                ("enable_push", int(given.push)),
                ("max_concurrent_streams", given.max_pushes),
                ("initial_window_size", given.window),
                ("max_header_list_size", given.max_list),
            ),
            connection_window_size=given.connection_window,
            window_update_threshold=given.threshold,
            max_fields=given.max_fields,
            max_header_block=given.max_block,
            max_continuations=given.max_continuations,
            max_informational=given.max_informational,
            max_informational_size=given.max_informational_size,
            max_trailer_fields=given.max_trailer_fields,
            max_trailer_size=given.max_trailer_size,
            max_settings=given.max_settings,
            max_reserved=given.max_reserved,
            max_remembered=given.max_remembered,
            first_stream=given.first_stream,
            events=given.events,
            sensitive=frozenset({"x-private"}),
        )
        self.encoder = hpack.Encoder()
        self.decoder = hpack.Decoder(max_header_list_size=1 << 24)
        step = State.open(self.config)
        self.state = step.state
        self.history: list[Callable[[State], Step[State] | State]] = []
        self.kept: list[tuple[int, State]] = []
        self.all_octets = b""
        self.pending = b""
        self.expected: list[Seen] = []
        self.log: list[Seen] = []  # all that was expected before
        self.wanted: list[tuple[str, int, object]] = []  # what the client must send back, in order
        self.streams: dict[int, Stream] = {}
        self.closed = False
        self.fault: Fault | None = None
        self.events: list[Event] = []
        self.sent: list[Frame] = []
        self.conn = Stream(0)
        self.up_all = DEFAULT_WINDOW
        self.peer = {MAX_FRAME: 16_384, INITIAL_WINDOW: DEFAULT_WINDOW, MAX_STREAMS: 100, TABLE_SIZE: 4_096}
        self.peer_connects = False
        self.peer_priorities = 0
        self.peer_list = 1 << 32  # octets of a header section that the server accepts
        self.own_window = given.window  # the settings in force; the client's first SETTINGS apply at once
        self.own_frame = 16_384
        self.unacknowledged: list[dict[str, int]] = [{}]
        self.cancelled: list[Stream] = []
        self.plain = False  # whether to send nothing that some clients do not support
        self.next_push = 2
        self.last_acted = 0  # the last promise that the client accepted: its GOAWAY names it
        self.next_request = given.first_stream
        self.remaining: list[Stream] = []  # the streams that are not complete after a GOAWAY
        self.pings: list[tuple[bytes, int]] = []
        self.next_ping = -1
        self.draining = False
        self.unheard = False  # whether the client does not know that all content of finished streams was read
        self.reported_goaway = False
        self.open(b"".join(step.output))

    def open(self, octets: bytes) -> None:
        """Read the preface, and answer it."""
        check(octets.startswith(PREFACE), "the preface is missing", octets)
        frames = read_frames(octets[len(PREFACE) :])
        check(frames[0].kind == SETTINGS and frames[0].stream == 0, "the first frame is not SETTINGS", frames)
        said = dict(struct.iter_unpack(">HI", frames[0].payload))
        wanted = {
            2: int(self.options.push),
            3: self.options.max_pushes,
            4: self.options.window,
            6: self.options.max_list,
        }
        check(said == wanted, "wrong SETTINGS", said, wanted)
        extra = self.options.connection_window - DEFAULT_WINDOW
        rest = [(one.kind, one.stream, one.number) for one in frames[1:]]
        check(rest == ([(WINDOW_UPDATE, 0, extra)] if extra else []), "a wrong connection window", rest)
        self.conn.extra = extra
        pairs = [(MAX_STREAMS, self.choices.pick((3, 100, 1_000)))] if self.choices.chance(60) else []
        self.peer[MAX_STREAMS] = pairs[0][1] if pairs else 1 << 32
        if self.choices.chance(60):
            pairs.append((INITIAL_WINDOW, self.choices.pick((0, 5, 100, 65_535))))
            self.peer[INITIAL_WINDOW] = pairs[-1][1]
        if self.choices.chance(50):
            pairs.append((ENABLE_CONNECT, 1))
            self.peer_connects = True
        self.put(settings(*pairs))
        settings_came(self, pairs)
        self.wanted.append(("settings-ack", 0, b""))
        if self.choices.chance(70):
            self.acknowledge()

    # -- what the server knows -----------------------------------------------------------------------

    def down(self, stream: Stream) -> int:
        """Return how many octets the server may still send on a stream."""
        window = DEFAULT_WINDOW if stream is self.conn else self.own_window
        return window + stream.extra - stream.received + stream.credited

    def due(self, stream: Stream, used: int) -> bool:
        """Whether the client must send credit now, when so many received octets have not been credited."""
        size = (DEFAULT_WINDOW if stream is self.conn else self.own_window) + stream.extra
        return used > 0 and size - used <= min(self.options.threshold, size // 2)

    def live(self, *, answering: bool = False) -> list[Stream]:
        """Return the streams on which the server may send; with `answering`, those whose head was sent."""
        return [
            one
            for one in self.streams.values()
            if one.live and one.server_open and (one.head or not answering)
        ]

    def put(self, octets: bytes) -> None:
        """Queue octets of the server for the next flush."""
        self.pending += octets

    def expect(self, kind: str, stream: int, what: object = None) -> None:
        """Note an event that the client must return."""
        last = self.expected[-1] if self.expected else None
        if kind == "data":
            if not what:
                return
            if last is not None and last[:2] == (kind, stream):
                self.expected[-1] = (kind, stream, bytes(last[2]) + bytes(what))  # type: ignore[call-overload]  # bytes
                return
        self.expected.append((kind, stream, what))

    # -- moving octets -------------------------------------------------------------------------------

    def flush(self) -> None:
        """Feed the client what is queued, split in some manner, and check the result."""
        if self.pending:
            octets, self.pending = self.pending, b""
            self.all_octets += octets
            for part in self.choices.cut(octets):
                self.apply(lambda state, part=part: state.feed(part))  # type: ignore[misc]  # default of a lambda
        self.judge()

    def apply(self, operation: Callable[[State], Step[State]]) -> Step[State]:
        """Run an operation of the client and keep its results."""
        if self.choices.chance(4):
            self.kept.append((len(self.history), self.state))
        if self.choices.chance(4):
            self.detour()
        step = operation(self.state)
        self.history.append(operation)
        self.state = step.state
        self.events += step.responses
        self.read(b"".join(step.output))
        if step.fault is not None:
            documented(step.fault)
            self.fault = step.fault
        self.closed = self.closed or step.end == CLOSE
        return step

    def detour(self) -> None:
        """Use a fork; this must not have any effect on the connection."""
        fork = self.state
        for _ in range(self.choices.between(1, 3)):
            match self.choices.below(4):
                case 0:
                    fork = fork.feed(self.choices.octets(30)).state
                case 1:
                    fork = fork.request(
                        "GET", "/fork", [("x-fork", "y" * self.choices.below(60))], None, False
                    ).state
                case 2:
                    fork = fork.feed(number(WINDOW_UPDATE, 0, 7) + frame(PING, 0, 0, b"detour!!")).state
                case _:
                    numbers = [one.id for one in self.streams.values() if one.live]
                    if numbers:
                        fork = fork.cancel(RequestRef(7, self.choices.pick(numbers))).state

    def read(self, octets: bytes) -> None:
        """Read what the client sent."""
        for one in read_frames(octets):
            if one.kind == WINDOW_UPDATE:
                stream = self.conn if one.stream == 0 else self.streams.get(one.stream)
                check(stream is not None, "credit for a stream that does not exist", one)
                if stream is not None:
                    self.credit(stream, one.number)
            else:
                self.sent.append(one)

    def credit(self, stream: Stream, increment: int) -> None:
        """Check a WINDOW_UPDATE: it must be due, and credit everything up to the end of some frame."""
        total = stream.credited + increment
        check(total in stream.marks, "credit is not what was received", stream, increment)
        check(not stream.held and self.due(stream, increment), "credit that is not due", stream, increment)
        stream.credited = total

    def judge(self) -> None:
        """Compare the events and frames so far with the expected ones, and clear both."""
        got = shown(merged(self.events))
        at = next(
            (i for i, pair in enumerate(zip(got, self.expected, strict=False)) if pair[0] != pair[1]), None
        )
        at = min(len(got), len(self.expected)) if at is None else at
        check(got == self.expected, "wrong events", got[at:][:3], self.expected[at:][:3], self.fault)
        replies = [reply(one) for one in self.sent]
        check(replies == self.wanted, "wrong frames were sent", replies, self.wanted, self.fault)
        check(self.fault is None, "an honest server is refused", self.fault)
        for stream in (self.conn, *self.live()):
            used = stream.received - stream.credited
            if not stream.held and stream.live:
                check(not self.due(stream, used), "a window is not credited", stream, used)
        self.state_agrees()
        self.log += self.expected
        self.events, self.expected, self.sent, self.wanted = [], [], [], []

    def state_agrees(self) -> None:
        """Check that the properties of the state agree with the server's counts."""
        state = self.state
        requests = [one for one in self.streams.values() if not one.promised]
        waiting = sum(not one.outcome_seen for one in requests)
        check(state.open_request_count == waiting, "the wrong number of open requests", state, waiting)
        check(state.send_window(None) == self.up_all, "a wrong window of the connection", state, self.up_all)
        check(not self.closed and state.is_open_read, "the connection to an honest server is closed", state)
        more = not self.draining and self.next_request < 1 << 31
        check(state.is_open_write == more, "wrongly open or closed for requests", state)
        for one in requests:
            ref = RequestRef(7, one.id)
            check(
                state.body_is_open(ref) == (one.live and one.client_open),
                "a body is wrongly open or closed",
                one,
            )
            if one.live and one.client_open:
                check(state.send_window(ref) == one.up, "a wrong window", one, state.send_window(ref))
                room = max(0, min(one.up, self.up_all))
                check(state.body_window(ref) == room, "a wrong body window", one)

    def replay(self) -> None:
        """Repeat everything without forks, and check that the kept states equal those of the repetition."""
        state = State.open(self.config).state
        kept = dict(self.kept)
        for place, operation in enumerate(self.history):
            if place in kept:
                check(kept[place] == state, "an old value has changed", kept[place], state)
            made = operation(state)
            state = made if isinstance(made, State) else made.state
        check(self.state == state, "forks have changed the connection", self.state, state)
        block = self.state.request("GET", "/last", [("x-a", "1"), ("x-fork", "y")], None, False).output
        again = state.request("GET", "/last", [("x-a", "1"), ("x-fork", "y")], None, False).output
        check(block == again, "forks have changed what is sent next", block, again)

    # -- actions of the server -----------------------------------------------------------------------

    def acknowledge(self) -> None:
        """Acknowledge and apply the oldest SETTINGS of the client."""
        if not self.unacknowledged:
            return
        self.flush()
        said = self.unacknowledged.pop(0)
        self.put(frame(SETTINGS, ACK, 0))
        if said.get("header_table_size", self.encoder.header_table_size) != self.encoder.header_table_size:
            # `hpack` forgets a change that it has not announced when the same size is set again.
            self.encoder.header_table_size = said["header_table_size"]
            # RFC 7541 4.2: the smallest size and the last one; `hpack` would also send those in between.
            changes = self.encoder.table_size_changes
            if changes:
                self.encoder.table_size_changes = list(dict.fromkeys((min(changes), changes[-1])))
        self.own_frame = said.get("max_frame_size", self.own_frame)
        self.own_window = said.get("initial_window_size", self.own_window)
        self.flush()

    def block(self, stream: int, fields: Fields, *, end: bool, promised: int = 0) -> bytes:
        """Return HEADERS or PUSH_PROMISE, with CONTINUATION, padding and priority."""
        return self.framed(stream, self.coded(fields), end=end, promised=promised)

    def coded(self, fields: Fields) -> bytes:
        """Return the HPACK block of fields."""
        pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields]
        plain = all(value.isascii() for _, value in pairs)
        return bytes(self.encoder.encode(pairs, huffman=plain and self.choices.chance(70)))

    def framed(
        self, stream: int, block: bytes, *, end: bool, promised: int = 0, cuts: int | None = None
    ) -> bytes:
        """Return the frames of a block."""
        choices = self.choices
        most = self.options.max_continuations
        if cuts is None:
            cuts = choices.pick((0, most, choices.below(most + 1))) if choices.chance(40) else 0
        least = -(-len(block) // (self.own_frame - 300)) - 1
        cuts = max(cuts, least)
        places = sorted(choices.below(len(block) + 1) for _ in range(cuts))
        if least > 0:
            places = [(place + 1) * (self.own_frame - 300) for place in range(cuts)]
        edges = [0, *places, len(block)]
        parts = [block[one:two] for one, two in itertools.pairwise(edges)]
        first, flags = parts[0], END_STREAM * end
        if promised:
            first = struct.pack(">I", promised) + first
        elif choices.chance(20):
            first = struct.pack(">IB", 0 if self.plain else choices.pick((0, 1, 0x80000003)), 16) + first
            flags |= WITH_PRIORITY
        if choices.chance(25) and not (self.plain and not first):
            padding = choices.pick((0, 1, 5, 255))
            first = bytes([padding]) + first + bytes(padding)
            flags |= PADDED
        flags |= 0 if cuts else END_HEADERS
        made = frame(PUSH_PROMISE if promised else HEADERS, flags, stream, first)
        for place, part in enumerate(parts[1:], 1):
            made += frame(CONTINUATION, END_HEADERS if place == cuts else 0, stream, part)
        return made

    def fits(self, fields: Fields) -> bool:
        """Whether a block is within every limit of the client, however it is encoded."""
        octets = sum(len(name) + len(value) for name, value in fields)
        return (
            len(fields) <= self.options.max_fields
            and size_of(fields) <= self.options.max_list
            and octets * 4 // 3 + 8 * len(fields) + 12 <= self.options.max_block
        )

    def some_fields(self, first: Fields, most: int | None = None) -> Fields:
        """Return fields within the limits, often just within them."""
        fields = list(first)
        if self.choices.chance(15) and self.options.max_fields < 20:  # a small limit
            fields += [("a", "b")] * (self.options.max_fields - len(fields))
            if self.fits(fields):
                return fields
            fields = list(first)
        for _ in range(self.choices.below(4 if most is None else most)):
            more = [*fields, self.choices.pick(PLAIN)]
            if self.fits(more):
                fields = more
        return fields

    def interim(self, stream: Stream) -> None:
        """Send a 1xx response, if one more is allowed."""
        fields = self.some_fields([(":status", self.choices.pick(("100", "103", "199")))])
        size = size_of(fields[1:])
        if (
            stream.interims >= self.options.max_informational
            or stream.interim_size + size > self.options.max_informational_size
        ):
            return
        stream.interims += 1
        stream.interim_size += size
        self.put(self.block(stream.id, fields, end=False))
        self.expect("interim", stream.id, (int(fields[0][1]), tuple(fields[1:])))

    def head(self, stream: Stream) -> None:
        """Send the head of a response."""
        choices = self.choices
        status = choices.pick(STATUSES if stream.method != "CONNECT" else STATUSES_OF_CONNECT)
        fields: Fields = [(":status", status)]
        empty = stream.method == "HEAD" or status in ("204", "304")
        length: int | None = None
        if choices.chance(40) and not (self.plain and empty):
            length = choices.pick((0, 1, 10, 300))
            fields.append(
                (
                    "content-length",
                    str(length)
                    if self.plain
                    else choices.pick((str(length), f"{length}, {length}", f"0{length}")),
                )
            )
            if choices.chance(10) and not self.plain:
                fields.append(("content-length", str(length)))
        if stream.method == "CONNECT" and status[0] == "2":
            stream.tunnel = True
            stream.left = None
        elif empty:
            stream.left = 0
        else:
            stream.left = length
        if not self.fits(fields):
            fields, stream.left = [(":status", status)], 0 if empty else None
        fields = self.some_fields(fields)
        end = choices.chance(30) and not stream.left
        stream.head = True
        self.put(self.block(stream.id, fields, end=end))
        self.expect("status", stream.id, int(status))
        self.expect("headers", stream.id, tuple(fields[1:]))
        if end:
            self.end(stream)

    def content(self, stream: Stream) -> None:
        """Send DATA within the windows and the declared length."""
        choices = self.choices
        room = min(self.down(stream), self.down(self.conn), self.own_frame)
        most = room if stream.left is None else min(room, stream.left)
        wanted = choices.pick((0, 1, 10, 30, 100, 1_000, most))
        size = max(0, min(most, wanted))
        padding = None
        if choices.chance(35) and not (self.plain and not size):
            padding = min(choices.pick((0, 0, 1, 20, 255)), room - size - 1)
            if padding < 0:
                size += padding
                padding = 0
            if size < 0:
                return
        end = choices.chance(25) and (stream.left is None or stream.left == size)
        octets = counted(size, choices.byte())
        self.put(data(stream.id, octets, end=end, padding=padding))
        self.count(stream, size + (0 if padding is None else padding + 1))
        if stream.left is not None:
            stream.left -= size
        self.expect("data", stream.id, octets)
        if end:
            self.end(stream)

    def count(self, stream: Stream, size: int) -> None:
        """Count what a DATA frame takes from the windows."""
        for one in (self.conn, stream):
            one.received += size
            one.marks.add(one.received)

    def send_late_frame(self, stream: Stream) -> None:
        """Send frames on a stream that the client has reset, as if they had been in flight."""
        match self.choices.below(4):
            case 0:
                size = max(0, min(self.down(self.conn), self.choices.pick((0, 1, 40))))
                self.put(data(stream.id, b"l" * size, end=self.choices.chance(30)))
                self.conn.received += size
                self.conn.marks.add(self.conn.received)
            case 1:
                self.put(self.block(stream.id, self.some_fields([("x-late", "1")]), end=True))
            case 2:
                self.put(number(RST_STREAM, stream.id, CANCEL))
            case _:
                self.put(number(WINDOW_UPDATE, stream.id, 5))

    def trailers(self, stream: Stream) -> None:
        """Send trailers, which end the response."""
        if stream.left or stream.tunnel:
            return
        fields: Fields = []
        for _ in range(self.choices.between(0, self.options.max_trailer_fields)):
            more = [
                *fields,
                self.choices.pick((*PLAIN, ("content-length", "5"), ("host", "x"), ("grpc-status", "0"))),
            ]
            if self.fits(more) and size_of(more) <= self.options.max_trailer_size:
                fields = more
        self.put(self.block(stream.id, fields, end=True))
        given = tuple(pair for pair in fields if pair[0] not in BARRED | {"date", "set-cookie", "vary"})
        if given:
            self.expect("trailers", stream.id, given)
        self.end(stream)

    def end(self, stream: Stream) -> None:
        """End the response."""
        stream.server_open = False
        stream.outcome_seen = True
        self.expect("done", stream.id)
        if stream.client_open and not stream.tunnel:
            self.wanted.append(("rst", stream.id, 0))
            stream.live = stream.client_open = False
        elif not stream.client_open:
            self.finish(stream)

    def finish(self, stream: Stream) -> None:
        """Note that both sides have ended a stream."""
        stream.live = False
        stream.finished = True
        self.unheard = self.unheard or stream.spoke

    def reserves_all(self) -> bool:
        """Whether so many promised responses are open that the client refuses one more promise."""
        pushed = [one for one in self.streams.values() if one.promised and one.live]
        reserved = [one for one in pushed if not (one.head or one.interims)]
        return len(reserved) >= self.options.max_reserved or len(pushed) >= self.options.max_pushes

    def promise(self, parent: Stream) -> None:
        """Promise a response."""
        pushed = Stream(self.next_push, promised=True)
        fields = [
            (":method", self.choices.pick(("GET", "HEAD"))),
            (":scheme", "https"),
            (":authority", self.choices.pick(("example.org", "example.org:443", "Example.ORG"))),
            (":path", f"/{self.next_push}"),
        ]
        if not self.fits(fields):
            return
        fields = self.some_fields(fields, 2)
        for _ in range(self.choices.below(4) if self.choices.chance(40) else 0):
            more = [*fields, ("cookie", self.choices.pick(("a=b", "c", "d=e; f")))]
            fields = more if self.fits(more) else fields
        pushed.method = fields[0][1]
        self.next_push += 2
        refused = self.reserves_all()
        self.put(self.block(parent.id, fields, end=False, promised=pushed.id))
        if refused:
            self.wanted.append(("rst", pushed.id, REFUSED_STREAM))
            return
        self.streams[pushed.id] = pushed
        self.last_acted = pushed.id
        crumbs = [value for name, value in fields if name == "cookie"]
        first = next((place for place, pair in enumerate(fields) if pair[0] == "cookie"), 0)
        if len(crumbs) > 1:  # RFC 9113 8.2.3: they are one field again
            fields[first] = ("cookie", "; ".join(crumbs))
            fields = [pair for place, pair in enumerate(fields) if pair[0] != "cookie" or place == first]
        self.expect("promise", parent.id, (pushed.id, tuple(fields)))

    def reset(self, stream: Stream) -> None:
        """Reset a stream."""
        code = self.choices.pick((2, CANCEL, REFUSED_STREAM, 0, 99))
        self.put(number(RST_STREAM, stream.id, code))
        if not stream.outcome_seen:
            seen = stream.head or stream.interims
            processed = 2 if seen else 0 if code == REFUSED_STREAM else 1
            self.expect("failed", stream.id, ("server_closed_request", processed))
        stream.live = stream.client_open = stream.server_open = False
        stream.outcome_seen = True

    def update(self) -> None:
        """Send the client credit."""
        open_ones = [one for one in self.streams.values() if one.live and not one.promised]
        increment = self.choices.pick((1, 10, 1_000, 60_000))
        if open_ones and self.choices.chance(60):
            one = self.choices.pick(open_ones)
            room = min(MOST_WINDOW, MOST_WINDOW - one.up)
            increment = room if self.choices.chance(10) and not self.plain else min(increment, room)
            if increment:
                one.up += increment
                self.put(number(WINDOW_UPDATE, one.id, increment))
        else:
            room = MOST_WINDOW - self.up_all
            increment = room if self.choices.chance(10) and not self.plain else min(increment, room)
            if increment:
                self.up_all += increment
                self.put(number(WINDOW_UPDATE, 0, increment))

    def settle(self) -> None:
        """Send SETTINGS."""
        choices = self.choices
        pairs: list[tuple[int, int]] = []
        if choices.chance(50):
            size = choices.pick((0, 3, 100, 70_000))
            highest = max((one.up for one in self.streams.values() if one.live), default=0)
            if size - self.peer[INITIAL_WINDOW] + highest <= MOST_WINDOW:
                pairs.append((INITIAL_WINDOW, size))
                for one in self.streams.values():
                    one.up += size - self.peer[INITIAL_WINDOW]
                self.peer[INITIAL_WINDOW] = size
        if choices.chance(25):
            pairs.append((TABLE_SIZE, choices.pick((0, 100, 4_096, 1 << 20))))
            self.peer[TABLE_SIZE] = pairs[-1][1]
            self.decoder.max_allowed_table_size = pairs[-1][1]
        if choices.chance(25):
            pairs.append((MAX_FRAME, choices.pick((16_384, 16_385, (1 << 24) - 1))))
            self.peer[MAX_FRAME] = pairs[-1][1]
        if choices.chance(25):
            pairs.append((MAX_STREAMS, choices.pick((0, 1, 5, 1_000))))
            self.peer[MAX_STREAMS] = pairs[-1][1]
        if choices.chance(20) and not self.plain:
            pairs.append((MAX_LIST, choices.pick((0, 200, 250, 1 << 20))))
            self.peer_list = pairs[-1][1]
        while len(pairs) < self.options.max_settings and choices.chance(30):
            pairs.append((choices.pick((0, 7, 0x4242, 9)), choices.below(2)))
        if choices.chance(10):
            pairs += [(0x99, 1)] * (self.options.max_settings - len(pairs))
        self.put(settings(*pairs))
        settings_came(self, pairs)
        self.wanted.append(("settings-ack", 0, b""))

    def ping(self) -> None:
        """Send a PING."""
        payload = bytes(self.choices.byte() for _ in range(8))
        self.put(frame(PING, self.choices.pick((0, 0, 2, 128)), 0, payload))
        self.wanted.append(("ping-ack", 0, payload))

    def pong(self) -> None:
        """Acknowledge a PING of the client, or one that it never sent."""
        if not self.pings or self.choices.chance(10):
            self.put(frame(PING, ACK, 0, b"nothing!"))
            return
        payload, ref = self.pings.pop(self.choices.below(len(self.pings)))
        self.put(frame(PING, ACK, 0, payload))
        self.expect("pong", ref)

    def strange(self) -> None:
        """Send a frame that many clients ignore: of an extension, of an unknown type, or PRIORITY."""
        if not self.plain and self.choices.chance(50):
            extension(self)
        elif self.choices.chance(50):
            self.put(
                frame(
                    self.choices.between(32 if self.plain else 17, 255),
                    self.choices.byte(),
                    self.choices.below(9),
                    self.choices.octets(20),
                )
            )
        else:
            self.put(frame(PRIORITY, 0, self.choices.between(1, 9), struct.pack(">IB", 0, 3)))
