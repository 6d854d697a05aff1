"""HTTP/2 in scripts, frame by frame: send frames, even illegal ones, and expect frames of the client.

For example::

    from mint.testing import http2

    script = [
        *http2.handshake(),
        http2.ExpectHeaders(1, ((":method", "GET"),), end=True),
        http2.send(http2.headers(1, ((":status", "200"),)), http2.data(1, b"hello", end=True)),
        http2.ExpectFrame(http2.FrameType.GOAWAY),
    ]

The steps can be combined with those of any other script. `Conversation` stores what the client sent. Header
blocks are decoded in the order in which they arrive, whichever step reads them. `mint.testing.hpack` builds
header blocks with Huffman codes and indexing.
"""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Final, Protocol

from . import _arguments
from ._conversation import Conversation, described, other, read_frame
from .frames import (
    ACK,
    END_HEADERS,
    END_STREAM,
    PADDED,
    PREFACE,
    PRIORITY_FLAG,
    ErrorCode,
    Frame,
    FrameType,
    Setting,
    alt_svc,
    block,
    content,
    continuation,
    data,
    goaway,
    headers,
    number_of,
    origin_set,
    ping,
    priority,
    priority_update,
    push_promise,
    rst_stream,
    serialize,
    settings,
    settings_of,
    window_update,
)
from .messages import Fields, Headers, repr_of
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
    "Interleaved",
    "SendFrames",
    "SendHeaders",
    "Setting",
    "alt_svc",
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
    "origin_set",
    "ping",
    "priority",
    "priority_update",
    "push_promise",
    "read_frame",
    "rst_stream",
    "send",
    "settings",
    "settings_of",
    "window_update",
]

_MOST_STREAM: Final = 0x7FFF_FFFF  # the reserved bit is not part of the identifier


@dataclass(frozen=True, slots=True)
class SendFrames(Step):
    """Send frames in one write. Raises `TypeError` if one of them is not a `Frame`."""

    frames: tuple[Frame, ...]

    def __post_init__(self) -> None:
        """Refuse anything but frames."""
        object.__setattr__(self, "frames", tuple(self.frames))
        for place, frame in enumerate(self.frames, 1):
            if not isinstance(frame, Frame):
                raise TypeError(f"frame {place} must be a Frame, not {type(frame).__name__}")

    def play(self, peer: Peer) -> None:
        """Send the frames."""
        peer.send(serialize(self.frames))


def send(*frames: Frame) -> SendFrames:
    """Return a step that sends these frames in one write."""
    return SendFrames(frames)


@dataclass(frozen=True, slots=True)
class SendHeaders(Step):
    """Send a header block with the encoder of the connection: Huffman code, dynamic table (RFC 7541).

    Blocks of `http2.headers`, which use no tables, may be sent in between.

    Attributes:
        stream: the stream identifier.
        fields: the fields of the block.
        end: whether END_STREAM is set.
        padding: the number of octets of padding, 0 to 255; `None` for none.
        priority: dependency, weight and exclusive, as for `http2.headers`; `None` for none.
        size: the maximum number of octets of the block in one frame, 1 or more. The rest is sent in
            CONTINUATION frames.

    """

    stream: int
    fields: Fields
    end: bool = False
    padding: int | None = None
    priority: tuple[int, int, bool] | None = None
    size: int = 16_384

    def __post_init__(self) -> None:
        """Refuse numbers that do not fit into a frame, invalid fields, and a size that is not positive."""
        _arguments.number("stream", self.stream, 0)
        _arguments.fields("fields", self.fields)
        _arguments.number("size", self.size, 1)
        headers(self.stream, b"", end=self.end, padding=self.padding, priority=self.priority)

    def __repr__(self) -> str:
        return repr_of(self, "fields")

    def play(self, peer: Peer) -> None:
        """Encode the block and send it."""
        encoded = peer.state(Conversation).encoder.encode(self.fields)
        parts = [encoded[at : at + self.size] for at in range(0, len(encoded), self.size)] or [b""]
        last = len(parts) - 1
        first = headers(
            self.stream,
            parts[0],
            end=self.end,
            end_headers=last == 0,
            padding=self.padding,
            priority=self.priority,
        )
        others = (
            continuation(self.stream, part, end_headers=number == last)
            for number, part in enumerate(parts[1:], 1)
        )
        peer.send(serialize((first, *others)))


@dataclass(frozen=True, slots=True)
class ExpectPreface(Step):
    """Expect the connection preface of the client: `PREFACE` and SETTINGS (RFC 9113 3.4)."""

    def play(self, peer: Peer) -> None:
        """Read and compare both."""
        Expect(PREFACE).play(peer)
        ExpectFrame(FrameType.SETTINGS, flags=0).play(peer)


@dataclass(frozen=True, slots=True)
class ExpectFrame(Step):
    """Expect that the next frame has these properties; `None` means any.

    WINDOW_UPDATE, PRIORITY, PRIORITY_UPDATE and acknowledgements of SETTINGS are skipped unless they are
    expected by `type`, since a client may send them at any time.

    Attributes:
        type: the frame type.
        stream: the stream identifier.
        flags: the flags, which must be exactly these.
        payload: the payload, or a compiled pattern of bytes that must match all of it.

    """

    type: int | None = None
    stream: int | None = None
    flags: int | None = None
    payload: bytes | re.Pattern[bytes] | None = None

    def __post_init__(self) -> None:
        """Refuse numbers that no frame can have, and a payload that is neither bytes nor a pattern."""
        for name, most in (("type", 0xFF), ("stream", _MOST_STREAM), ("flags", 0xFF)):
            if getattr(self, name) is not None:
                _arguments.number(name, getattr(self, name), 0, most)
        if isinstance(self.payload, (bytearray, memoryview)):
            object.__setattr__(self, "payload", bytes(self.payload))
        if self.payload is not None and not isinstance(self.payload, bytes):
            _arguments.pattern("payload", self.payload)

    def play(self, peer: Peer) -> None:
        """Read a frame and compare it."""
        frame = peer.state(Conversation).next_frame(peer, repr(self), self.type, stream=self.stream)
        fits = (
            self.type in {None, frame.type}
            and self.stream in {None, frame.stream}
            and self.flags in {None, frame.flags}
            and self._payload_fits(frame.payload)
        )
        if not fits:
            raise other(repr(self), frame)

    def _payload_fits(self, payload: bytes) -> bool:
        if self.payload is None or isinstance(self.payload, bytes):
            return self.payload in {None, payload}
        return self.payload.fullmatch(payload) is not None


def expect_reset(stream: int, code: int) -> ExpectFrame:
    """Return a step that expects RST_STREAM with this error code on this stream (RFC 9113 6.4)."""
    return ExpectFrame(FrameType.RST_STREAM, stream, payload=rst_stream(stream, code).payload)


def expect_goaway(code: int) -> ExpectFrame:
    """Return a step that expects GOAWAY with this error code and any other contents (RFC 9113 6.8)."""
    pattern = re.compile(b"...." + re.escape(goaway(0, code).payload[4:]) + b".*", re.DOTALL)
    return ExpectFrame(FrameType.GOAWAY, 0, payload=pattern)


@dataclass(frozen=True, slots=True)
class ExpectHeaders(Step):
    """Expect a header block that contains these fields.

    Attributes:
        stream: the stream identifier.
        fields: the fields, pseudo-headers included.
        end: whether END_STREAM must be set; `None` allows both.
        exact: whether the block must contain no other fields.
        any_order: whether the fields may be in another order.

    """

    stream: int
    fields: Fields = ()
    end: bool | None = None
    exact: bool = False
    any_order: bool = False

    def __post_init__(self) -> None:
        """Refuse a stream that no frame can have, invalid fields, and other values than bool."""
        _arguments.number("stream", self.stream, 0, _MOST_STREAM)
        _arguments.fields("fields", self.fields)
        _arguments.flags(end=self.end is None or self.end, exact=self.exact, any_order=self.any_order)

    def __repr__(self) -> str:
        return repr_of(self, "fields")

    def play(self, peer: Peer) -> None:
        """Read HEADERS and its CONTINUATION frames, and compare the fields."""
        wanted, conversation = f"HEADERS on stream {self.stream}", peer.state(Conversation)
        first = frame = conversation.next_frame(peer, wanted, FrameType.HEADERS, stream=self.stream)
        if (first.type, first.stream) != (FrameType.HEADERS, self.stream):
            raise other(wanted, first)
        while not frame.has(END_HEADERS):
            frame = conversation.next_frame(peer, "CONTINUATION", stream=self.stream, at_once=True)
            if (frame.type, frame.stream) != (FrameType.CONTINUATION, self.stream):
                raise other(f"CONTINUATION on stream {self.stream}", frame)
        came = conversation.fields_of(frame)
        conversation.requests[self.stream] = came
        if not self._fits(came):
            raise Unexpected(f"the fields differ\n  expected: {self._described()}\n  received: {came}")
        if self.end not in {None, first.has(END_STREAM)}:
            raise Unexpected(
                f"END_STREAM is {first.has(END_STREAM)}, expected {self.end}\n  received: {described(first)}"
            )

    def _fits(self, came: Headers) -> bool:
        wanted = tuple((name, value) for name, value in self.fields)
        if self.any_order:
            missing, others = Counter(wanted) - Counter(came), Counter(came) - Counter(wanted)
            return not missing and not (self.exact and others)
        rest = iter(came)
        return all(each in rest for each in wanted) and not (self.exact and came != wanted)

    def _described(self) -> str:
        order = "in any order" if self.any_order else "in this order"
        return f"{tuple(self.fields)}, {order}, {'and nothing else' if self.exact else 'among others'}"


@dataclass(frozen=True, slots=True)
class ExpectData(Step):
    """Expect DATA with this content, in any number of frames.

    Attributes:
        stream: the stream identifier.
        data: the content of all the frames together.
        end: whether END_STREAM must be set on the last of them; `None` allows both.

    """

    stream: int
    data: bytes
    end: bool | None = None

    def __post_init__(self) -> None:
        """Refuse a stream that no frame can have, data that is not bytes, and an end that is not a bool."""
        _arguments.number("stream", self.stream, 0, _MOST_STREAM)
        _arguments.flags(end=self.end is None or self.end)
        object.__setattr__(self, "data", _arguments.octets("data", self.data))

    def play(self, peer: Peer) -> None:
        """Read the frames and compare their content."""
        came, ended = bytearray(), False
        while len(came) < len(self.data) or (self.end and not ended):
            wanted = f"DATA on stream {self.stream}"
            frame = peer.state(Conversation).next_frame(peer, wanted, FrameType.DATA, stream=self.stream)
            if (frame.type, frame.stream) != (FrameType.DATA, self.stream):
                so_far = f"\n  received so far: {shown(bytes(came))}, expected: {shown(self.data)}"
                raise Unexpected(f"{other(wanted, frame)}{so_far}")
            piece, at = content(frame), len(came)
            came += piece
            ended = frame.has(END_STREAM)
            if ended or self.data[at : len(came)] != piece:
                break
        if bytes(came) != self.data:
            received = shown(bytes(came))
            raise Unexpected(f"the data differ\n  expected: {shown(self.data)}\n  received: {received}")
        if self.end not in {None, ended}:
            raise Unexpected(f"END_STREAM is {ended}, expected {self.end}")


class _OfStream(Step, Protocol):
    """A step that expects something on one stream."""

    @property
    def stream(self) -> int | None:
        """The stream identifier; `None` for any."""
        ...


@dataclass(frozen=True, slots=True, init=False)
class Interleaved(Step):
    """Play several steps that expect frames, although the client may mix the frames of different streams.

    The steps are `ExpectHeaders`, `ExpectData`, and `ExpectFrame` with a stream. On each stream, the frames
    must arrive in the order of the steps. Raises `TypeError` for an argument that is not such a step.
    """

    steps: tuple[_OfStream, ...]

    def __init__(self, *steps: _OfStream) -> None:
        for place, step in enumerate(steps, 1):
            _arguments.method(f"step {place}", step, "play")
            if not hasattr(step, "stream"):
                raise TypeError(f"step {place} must expect frames of a stream, and {step!r} does not")
        object.__setattr__(self, "steps", steps)

    def play(self, peer: Peer) -> None:
        """Play the steps; a frame of another stream is kept for the step that expects it."""
        conversation = peer.state(Conversation)
        conversation.mixed = frozenset(step.stream for step in self.steps if step.stream is not None)
        for step in self.steps:
            try:
                step.play(peer)
            except Unexpected as error:
                raise Unexpected(f"in {step!r}: {error}") from error
        conversation.mixed = frozenset()
        if conversation.early:
            raise other("no more frames on these streams", conversation.early[0])


def handshake(*values: tuple[int, int]) -> tuple[Step, ...]:
    """Return the steps that begin a connection (RFC 9113 3.4).

    The server sends SETTINGS, expects the client's preface, and acknowledges its SETTINGS. `values` are the
    settings of the server, each an identifier and a value.
    """
    return (
        send(settings(*values)),
        ExpectPreface(),
        send(settings(ack=True)),
    )
