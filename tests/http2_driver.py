"""Drives the HTTP/2 engine in tests: frames of a server, with the library `hpack` as an independent coder."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import hpack

from mint._core.events import (
    CLOSE,
    AltSvc,
    Data,
    Event,
    Failed,
    GoAway,
    Origins,
    RequestRef,
    ServerSettings,
    Step,
)
from mint._core.http2 import Config, State
from tests.fault_shapes import CODES, check_fault, check_faults

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mint._core.faults import Fault

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
IDENTITY = 7
HOST = "example.org"
AGENT = "mint/test"

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS = range(5)
PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(5, 10)
PRIORITY_UPDATE = 0x10
ACK = END_STREAM = 1
END_HEADERS = 4
PADDED = 8
PRIORITY_FLAG = 32

NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR = range(4)
STREAM_CLOSED, FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL, COMPRESSION_ERROR = range(5, 10)
ENHANCE_YOUR_CALM = 11

Fields = list[tuple[str, str]]
OK: Fields = [(":status", "200")]
PROMISED: Fields = [(":method", "GET"), (":scheme", "https"), (":authority", HOST), (":path", "/p")]
NO, MAYBE, YES = range(3)


def config(
    settings: tuple[tuple[str, int], ...] = (),
    sensitive: frozenset[str] = frozenset(),
    **limits: int,
) -> Config:
    """Return a configuration with the defaults the tests use."""
    given = {"port": 443, "identity": IDENTITY, **limits}
    return Config(
        HOST,
        scheme="https",
        user_agent=AGENT,
        settings=settings,
        skip_target_validation=bool(given.pop("skip_target_validation", False)),
        index_credentials=bool(given.pop("index_credentials", False)),
        sensitive=sensitive,
        **given,
    )


def ref(number: int) -> RequestRef:
    return RequestRef(IDENTITY, number)


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Return one frame, without checking it."""
    head = struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream)
    return head + payload


def settings(*pairs: tuple[int, int]) -> bytes:
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *pair) for pair in pairs))


def ack() -> bytes:
    return frame(SETTINGS, ACK, 0)


def data(stream: int, content: bytes = b"", end: bool = False, padding: int | None = None) -> bytes:
    if padding is None:
        return frame(DATA, END_STREAM * end, stream, content)
    payload = bytes([padding]) + content + bytes(padding)
    return frame(DATA, END_STREAM * end | PADDED, stream, payload)


def reset(stream: int, code: int = CANCEL) -> bytes:
    return frame(RST_STREAM, 0, stream, struct.pack(">I", code))


def goaway(last: int, code: int = NO_ERROR, debug: bytes = b"") -> bytes:
    return frame(GOAWAY, 0, 0, struct.pack(">II", last, code) + debug)


def window_update(stream: int, increment: int) -> bytes:
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", increment))


def ping(payload: bytes = b"12345678", flags: int = 0) -> bytes:
    return frame(PING, flags, 0, payload)


@dataclass(frozen=True)
class Frame:
    """One frame that the client sent."""

    kind: int
    flags: int
    stream: int
    payload: bytes

    @property
    def number(self) -> int:
        """The payload as one number: an error code or increment."""
        return int.from_bytes(self.payload[:4], "big")

    @property
    def last_and_code(self) -> tuple[int, int]:
        """The contents of a GOAWAY."""
        last, code = struct.unpack(">II", self.payload[:8])
        return last, code


def text(octets: str | bytes) -> str:
    return octets if isinstance(octets, str) else octets.decode("latin-1")


def assert_size(made: Frame) -> None:
    """Check that a frame which the client sent has a size that its type allows."""
    size = len(made.payload)
    exact = {RST_STREAM: 4, PING: 8, WINDOW_UPDATE: 4}.get(made.kind, size)
    least = {GOAWAY: 8, PRIORITY_UPDATE: 4}.get(made.kind, 0)
    assert size == exact
    assert size >= least
    if made.kind == SETTINGS:
        assert size % 6 == 0
        assert not (made.flags & ACK and size)


def frames_of(octets: bytes | Sequence[bytes]) -> list[Frame]:
    """Split what the client sent into frames, without the preface."""
    whole = octets if isinstance(octets, bytes) else b"".join(octets)
    whole = whole.removeprefix(PREFACE)
    found = []
    at = 0
    while at < len(whole):
        length = int.from_bytes(whole[at : at + 3], "big")
        kind, flags, stream = struct.unpack(">BBI", whole[at + 3 : at + 9])
        assert at + 9 + length <= len(whole)
        assert stream < 1 << 31
        found.append(Frame(kind, flags, stream, whole[at + 9 : at + 9 + length]))
        assert_size(found[-1])
        at += 9 + length
    return found


@dataclass
class Server:
    """The HPACK coders of a server, and the frames that need them."""

    encoder: hpack.Encoder = field(default_factory=hpack.Encoder)
    decoder: hpack.Decoder = field(default_factory=hpack.Decoder)

    def block(self, fields: Iterable[tuple[str, str]]) -> bytes:
        return bytes(self.encoder.encode(list(fields)))

    def headers(
        self,
        stream: int,
        fields: Iterable[tuple[str, str]],
        end: bool = False,
        cuts: int = 0,
        padding: int | None = None,
        priority: bool = False,
    ) -> bytes:
        """Return HEADERS, and `cuts` CONTINUATION frames with the rest of the block."""
        block = self.block(fields)
        size = len(block) // (cuts + 1) + 1
        pieces = [block[i * size : (i + 1) * size] for i in range(cuts + 1)]
        first = (b"\x00\x00\x00\x00\x10" if priority else b"") + pieces[0]
        flags = END_STREAM * end | PRIORITY_FLAG * priority | END_HEADERS * (not cuts)
        if padding is not None:
            first = bytes([padding]) + first + bytes(padding)
            flags |= PADDED
        made = frame(HEADERS, flags, stream, first)
        for i, piece in enumerate(pieces[1:], 1):
            made += frame(CONTINUATION, END_HEADERS * (i == cuts), stream, piece)
        return made

    def answer(
        self,
        stream: int,
        content: bytes = b"",
        fields: Iterable[tuple[str, str]] = (),
        status: int = 200,
        trailers: Fields | None = None,
    ) -> bytes:
        """Return a whole response."""
        made = self.headers(stream, [(":status", str(status)), *fields], end=not content and trailers is None)
        if content:
            made += data(stream, content, end=trailers is None)
        if trailers is not None:
            made += self.headers(stream, trailers, end=True)
        return made

    def promise(self, stream: int, promised: int, fields: Fields, cuts: int = 0) -> bytes:
        block = self.block(fields)
        size = len(block) // (cuts + 1) + 1
        pieces = [block[i * size : (i + 1) * size] for i in range(cuts + 1)]
        made = frame(PUSH_PROMISE, END_HEADERS * (not cuts), stream, struct.pack(">I", promised) + pieces[0])
        for i, piece in enumerate(pieces[1:], 1):
            made += frame(CONTINUATION, END_HEADERS * (i == cuts), stream, piece)
        return made

    def read(self, octets: bytes | Sequence[bytes]) -> list[Fields]:
        """Decode the field blocks of what the client sent, in their order."""
        found: list[Fields] = []
        block = b""
        for one in frames_of(octets):
            if one.kind in {HEADERS, CONTINUATION}:
                block += one.payload
                if one.flags & END_HEADERS:
                    pairs = self.decoder.decode(block, raw=True)
                    found.append([(text(name), text(value)) for name, value in pairs])
                    block = b""
        return found


@dataclass
class Conversation:
    """The current client state, the results so far, and the server's coders."""

    state: State
    server: Server = field(default_factory=Server)
    events: list[Event] = field(default_factory=list)
    sent: list[Frame] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    closed: bool = False
    last: Step[State] | None = None

    def take(self, step: Step[State]) -> Step[State]:
        check_faults(step.fault, step.responses, CODES)
        self.state = step.state
        self.events += step.responses
        self.sent += frames_of(step.output)
        if step.fault is not None:
            self.faults.append(step.fault)
        self.closed = self.closed or step.end == CLOSE
        self.last = step
        return step

    def feed(self, *octets: bytes) -> Step[State]:
        return self.take(self.state.feed(b"".join(octets)))

    def request(
        self,
        method: str = "GET",
        target: str = "/",
        headers: Iterable[tuple[str, str]] = (),
        body: tuple[bytes, ...] | None = None,
        streaming: bool = False,
    ) -> RequestRef:
        """Send a request that is not refused."""
        step = self.state.request(method, target, headers, body, streaming)
        assert step.fault is None, step.fault
        assert step.ref is not None
        self.take(step)
        return step.ref

    def refuse(
        self,
        method: str = "GET",
        target: str = "/",
        headers: Iterable[tuple[str, str]] = (),
        body: tuple[bytes, ...] | None = None,
        streaming: bool = False,
    ) -> Fault:
        """Make a request that must be refused, without any effect."""
        step = self.state.request(method, target, headers, body, streaming)
        assert_refused(self.state, step)
        assert step.fault is not None
        return step.fault

    def fields(self) -> Fields:
        """Decode the request that was sent last."""
        assert self.last is not None
        return self.server.read(self.last.output)[-1]

    @property
    def replies(self) -> list[Frame]:
        """Return what was sent besides requests and bodies."""
        return [one for one in self.sent if one.kind not in {DATA, HEADERS, CONTINUATION}]

    def drop(self) -> None:
        """Discard what was collected so far."""
        self.events.clear()
        self.sent.clear()
        self.faults.clear()


def assert_refused(state: State, step: Step[State]) -> None:
    """Check a refused call: the same state, nothing written, a local fault."""
    assert step.fault is not None
    assert step.fault.local
    check_fault(step.fault, CODES)
    assert step.state is state
    assert step.output == ()
    assert step.responses == []
    assert step.ref is None


def opened(*pairs: tuple[int, int], mine: tuple[tuple[str, int], ...] = (), **limits: int) -> Conversation:
    """Return a conversation after the exchange of SETTINGS; `pairs` are the server's."""
    talk = Conversation(State.open(config(mine, frozenset(), **limits)).state)
    talk.feed(settings(*pairs), ack())
    assert talk.sent == [Frame(SETTINGS, ACK, 0, b"")]
    talk.drop()
    talk.state = talk.state.flushed()
    return talk


def with_request(method: str = "GET") -> Conversation:
    """Return a conversation whose request 1 is open."""
    talk = opened()
    talk.request(method, "*" if method == "OPTIONS" else "/")
    talk.drop()
    return talk


def pushing(**limits: int) -> Conversation:
    """Return a conversation with push on, request 1 open and stream 2 promised."""
    talk = opened(mine=(("enable_push", 1),), **limits)
    talk.request()
    talk.feed(talk.server.promise(1, 2, PROMISED))
    talk.drop()
    return talk


def merged(events: Iterable[Event]) -> list[Event]:
    """Join adjacent Data of one request, because it does not matter where content is split."""
    made: list[Event] = []
    for event in events:
        before = made[-1] if made else None
        if isinstance(event, Data) and isinstance(before, Data) and before.ref == event.ref:
            made[-1] = Data(event.ref, before.data + event.data)
        else:
            made.append(event)
    return made


def fed(state: State, octets: bytes, cuts: Iterable[int]) -> Conversation:
    """Feed octets that are split at these offsets."""
    talk = Conversation(state)
    at = 0
    for cut in [*sorted(cuts), len(octets)]:
        talk.feed(octets[at:cut])
        at = cut
    return talk


def kinds(events: Iterable[Event]) -> list[str]:
    """Return short names of events, such as status:1 and data:1."""
    return [
        type(event).__name__.lower()
        if isinstance(event, (Origins, AltSvc, GoAway, ServerSettings))
        else f"{type(event).__name__.lower()}:{event.ref.number}"
        for event in events
    ]


def failure(talk: Conversation, number: int = 1) -> Fault:
    """Return the fault of the only `Failed` event of a request."""
    found = [e for e in talk.events if isinstance(e, Failed) and e.ref.number == number]
    assert len(found) == 1, talk.events
    return found[0].fault


def resets(talk: Conversation) -> list[tuple[int, int]]:
    """Return (stream, code) of the RST_STREAM frames that were sent."""
    return [(one.stream, one.number) for one in talk.sent if one.kind == RST_STREAM]


def updates(talk: Conversation) -> list[tuple[int, int]]:
    """Return (stream, increment) of the WINDOW_UPDATE frames that were sent."""
    return [(one.stream, one.number) for one in talk.sent if one.kind == WINDOW_UPDATE]


def assert_breach(talk: Conversation, code: int, reason: str) -> Fault:
    """Check a connection error: GOAWAY with the code, the fault, the end; later input is ignored."""
    assert talk.closed
    assert talk.faults, talk.events
    fault = talk.faults[-1]
    assert (fault.reason, fault.code) == (reason, code), fault
    assert not fault.local
    assert talk.sent[-1].kind == GOAWAY
    assert talk.sent[-1].last_and_code[1] == code
    assert not talk.state.is_open_read
    assert not talk.state.is_open_write
    assert talk.state.open_request_count == 0
    after = talk.state.feed(ping() + b"\xff" * 50)
    assert (after.state, after.responses, after.output, after.fault) == (talk.state, [], (), None)
    return fault


def assert_stream_error(talk: Conversation, code: int, reason: str, number: int = 1) -> Fault:
    """Check a stream error: RST_STREAM, RequestFailed, and the connection continues."""
    assert resets(talk) == [(number, code)]
    fault = failure(talk, number)
    assert fault.reason == reason, fault
    assert not talk.closed
    assert talk.faults == []
    talk.drop()
    other = talk.request()
    talk.feed(talk.server.answer(other.number, b"fine"))
    assert kinds(talk.events) == [f"{kind}:{other.number}" for kind in ("status", "headers", "data", "done")]
    return fault
