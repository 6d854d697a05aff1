"""HTTP/2 in scripts, frame by frame: send exactly these frames, also illegal ones; expect those.

For example::

    from mint.testing import http2

    script = [
        *http2.handshake(),
        http2.ExpectHeaders(1, ((":method", "GET"),), end=True),
        http2.send(http2.headers(1, ((":status", "200"),)), http2.data(1, b"hello", end=True)),
        http2.ExpectFrame(http2.FrameType.GOAWAY),
    ]

The steps mix with those of every other script. What the client sent is kept in `Conversation`.
"""

import re
from dataclasses import dataclass, field, replace

from .._core.hpack import Decoder
from .frames import (
    ACK,
    END_HEADERS,
    END_STREAM,
    HEAD_SIZE,
    PADDED,
    PREFACE,
    PRIORITY_FLAG,
    ErrorCode,
    Frame,
    FrameType,
    Setting,
    block,
    content,
    continuation,
    data,
    goaway,
    headers,
    number_of,
    parse_head,
    ping,
    priority,
    push_promise,
    rst_stream,
    serialize,
    settings,
    settings_of,
    window_update,
)
from .messages import Headers
from .peer import Peer
from .steps import Expect, Step, Unexpected, shown

__all__ = [
    "ACK",
    "END_HEADERS",
    "END_STREAM",
    "PADDED",
    "PREFACE",
    "PRIORITY_FLAG",
    "Conversation",
    "ErrorCode",
    "ExpectData",
    "ExpectFrame",
    "ExpectHeaders",
    "ExpectPreface",
    "Frame",
    "FrameType",
    "SendFrames",
    "Setting",
    "block",
    "content",
    "continuation",
    "data",
    "expect_goaway",
    "expect_reset",
    "goaway",
    "handshake",
    "headers",
    "number_of",
    "ping",
    "priority",
    "push_promise",
    "rst_stream",
    "send",
    "settings",
    "settings_of",
    "window_update",
]


@dataclass(slots=True)
class Conversation:
    """What a client said on one connection: `server.peers[0].state(Conversation)`."""

    frames: list[Frame] = field(default_factory=list[Frame])
    requests: dict[int, Headers] = field(default_factory=dict[int, Headers])
    """The fields of the newest header block of each stream that was expected."""
    decoder: Decoder = field(default_factory=Decoder)

    def decode(self, encoded: bytes) -> Headers:
        """Decode the next header block."""
        decoded = self.decoder.decode(encoded)
        if decoded.fault is not None:
            raise Unexpected(f"a header block does not decode: {decoded.fault}")
        self.decoder = decoded.decoder
        return tuple(decoded.fields)


def read_frame(peer: Peer) -> Frame | None:
    """Read the next frame; None where the client ended between frames."""
    if not peer.unread and not peer.fill():
        return None
    length, frame = parse_head(peer.read_exactly(HEAD_SIZE))
    return replace(frame, payload=peer.read_exactly(length))


def _is_routine(frame: Frame) -> bool:
    """Whether a client may send this frame at any time, as it pleases."""
    return frame.type == FrameType.WINDOW_UPDATE or (frame.type == FrameType.SETTINGS and frame.has(ACK))


def _next(peer: Peer, wanted: str, kind: int | None = None, *, at_once: bool = False) -> Frame:
    try:
        while True:
            frame = read_frame(peer)
            if frame is None:
                raise Unexpected(f"the client ended instead of sending {wanted}")
            conversation = peer.state(Conversation)
            conversation.frames.append(frame)
            if at_once or frame.type == kind or not _is_routine(frame):
                return frame
    except TimeoutError:
        raise Unexpected(f"{wanted} did not come in time") from None


@dataclass(frozen=True, slots=True)
class SendFrames(Step):
    """Send frames in one write."""

    frames: tuple[Frame, ...]

    def play(self, peer: Peer) -> None:
        """Send them."""
        peer.send(serialize(self.frames))


def send(*frames: Frame) -> SendFrames:
    """Return a step that sends these frames in one write."""
    return SendFrames(frames)


@dataclass(frozen=True, slots=True)
class ExpectPreface(Step):
    """Expect the client's preface: the magic and its SETTINGS (RFC 9113 3.4)."""

    def play(self, peer: Peer) -> None:
        """Read both."""
        Expect(PREFACE).play(peer)
        ExpectFrame(FrameType.SETTINGS, flags=0).play(peer)


@dataclass(frozen=True, slots=True)
class ExpectFrame(Step):
    """Expect that the next frame is like this; what is None may be anything.

    WINDOW_UPDATE and acknowledgements of SETTINGS are passed over where not asked for by type,
    since a client sends them when it likes. A pattern must match the whole payload.
    """

    type: int | None = None
    stream: int | None = None
    flags: int | None = None
    payload: bytes | re.Pattern[bytes] | None = None

    def play(self, peer: Peer) -> None:
        """Read the frame and compare."""
        frame = _next(peer, repr(self), self.type)
        fits = (
            self.type in {None, frame.type}
            and self.stream in {None, frame.stream}
            and self.flags in {None, frame.flags}
            and self._payload_fits(frame.payload)
        )
        if not fits:
            raise _other(frame)

    def _payload_fits(self, payload: bytes) -> bool:
        if self.payload is None or isinstance(self.payload, bytes):
            return self.payload in {None, payload}
        return self.payload.fullmatch(payload) is not None


def _other(frame: Frame) -> Unexpected:
    name = FrameType(frame.type).name if frame.type in set(FrameType) else f"type {frame.type}"
    head = f"{name}, flags {frame.flags:#x}, stream {frame.stream}"
    return Unexpected(f"another frame came: {head}, payload {shown(frame.payload)}")


def expect_reset(stream: int, code: int) -> ExpectFrame:
    """Return a step that expects RST_STREAM with this code."""
    return ExpectFrame(FrameType.RST_STREAM, stream, payload=rst_stream(stream, code).payload)


def expect_goaway(code: int) -> ExpectFrame:
    """Return a step that expects GOAWAY with this code, whatever else is in it."""
    pattern = re.compile(b"...." + re.escape(code.to_bytes(4, "big")) + b".*", re.DOTALL)
    return ExpectFrame(FrameType.GOAWAY, 0, payload=pattern)


@dataclass(frozen=True, slots=True)
class ExpectHeaders(Step):
    """Expect a header block on `stream` in which these fields are, in this order, among others.

    `exact` leaves no room for others; `end` says whether the stream must end with it.
    """

    stream: int
    fields: Headers = ()
    end: bool | None = None
    exact: bool = False

    def play(self, peer: Peer) -> None:
        """Read HEADERS and what continues it, decode, compare."""
        wanted = f"HEADERS on stream {self.stream}"
        first = frame = _next(peer, wanted)
        if (first.type, first.stream) != (FrameType.HEADERS, self.stream):
            raise _other(first)
        encoded = content(first)
        while not frame.has(END_HEADERS):
            frame = _next(peer, "CONTINUATION", at_once=True)
            if (frame.type, frame.stream) != (FrameType.CONTINUATION, self.stream):
                raise _other(frame)
            encoded += frame.payload
        conversation = peer.state(Conversation)
        came = conversation.decode(encoded)
        conversation.requests[self.stream] = came
        rest = iter(came)
        if not all(wish in rest for wish in self.fields) or (self.exact and came != self.fields):
            raise Unexpected(f"other fields\n  expected: {self.fields}\n  came:     {came}")
        if self.end not in {None, first.has(END_STREAM)}:
            raise Unexpected(f"END_STREAM is {first.has(END_STREAM)}, expected {self.end}")


@dataclass(frozen=True, slots=True)
class ExpectData(Step):
    """Expect DATA on `stream` until `data` has come, in as many frames as the client likes."""

    stream: int
    data: bytes
    end: bool | None = None

    def play(self, peer: Peer) -> None:
        """Read frame by frame."""
        came, ended = b"", False
        while len(came) < len(self.data) or (self.end and not ended):
            frame = _next(peer, f"DATA on stream {self.stream}")
            if (frame.type, frame.stream) != (FrameType.DATA, self.stream):
                raise _other(frame)
            came += content(frame)
            ended = frame.has(END_STREAM)
            if ended or not self.data.startswith(came):
                break
        if came != self.data:
            raise Unexpected(f"other data\n  expected: {shown(self.data)}\n  came:     {shown(came)}")
        if self.end not in {None, ended}:
            raise Unexpected(f"END_STREAM is {ended}, expected {self.end}")


def handshake(*values: tuple[int, int]) -> tuple[Step, ...]:
    """Return the steps that begin a connection: preface, SETTINGS both ways, our ACK."""
    return (
        send(settings(*values)),
        ExpectPreface(),
        send(settings(ack=True)),
    )
