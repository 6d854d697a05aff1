"""The HTTP/2 part of `Origin`: reads the frames of a client and enforces the rules (RFC 9113).

The rules of each frame type are in a table at the end. `answer2.py` answers requests, and `wire2.py` writes
frames. It is strict on purpose, so that no mistake of a client under test goes unnoticed.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from .._core.hpack import Decoder
from .answer2 import Answers
from .frames import (
    ACK,
    END_HEADERS,
    END_STREAM,
    HEAD_SIZE,
    PADDED,
    PREFACE,
    ErrorCode,
    Frame,
    FrameType,
    Setting,
    content,
    goaway,
    number_of,
    parse_head,
    ping,
    settings,
    settings_of,
    window_update,
)
from .messages import OF_THE_CONNECTION, TOKEN, Handler, Headers
from .peer import Peer
from .wire2 import DEFAULT_WINDOW, FRAME_SIZE, LARGEST_WINDOW, Stream, Wire

BLOCK_LIMIT: Final = 1 << 18
VALUE: Final = re.compile(r"(?![ \t])[^\0\r\n]*(?<![ \t])")
LENGTH: Final = re.compile(r"[0-9]{1,18}")
LIMITS: Final[Mapping[int, tuple[int, int, ErrorCode]]] = {
    Setting.ENABLE_PUSH: (0, 1, ErrorCode.PROTOCOL_ERROR),
    Setting.INITIAL_WINDOW_SIZE: (0, LARGEST_WINDOW, ErrorCode.FLOW_CONTROL_ERROR),
    Setting.MAX_FRAME_SIZE: (FRAME_SIZE, 0xFF_FFFF, ErrorCode.PROTOCOL_ERROR),
    Setting.ENABLE_CONNECT_PROTOCOL: (0, 1, ErrorCode.PROTOCOL_ERROR),
    Setting.NO_RFC7540_PRIORITIES: (0, 1, ErrorCode.PROTOCOL_ERROR),
}
"""The least and the greatest value of settings, and the error code for other values."""
PSEUDO: Final = frozenset({":method", ":scheme", ":authority", ":path", ":protocol"})
OURS: Final[Mapping[int, int]] = {
    Setting.MAX_CONCURRENT_STREAMS: 100,
    Setting.INITIAL_WINDOW_SIZE: 1 << 20,
    Setting.ENABLE_CONNECT_PROTOCOL: 1,
}


class ConnectionFault(Exception):  # noqa: N818  an event, not an error of this program
    """A connection error (RFC 9113 5.4.1) of the client, which is answered with GOAWAY."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code


class StreamFault(ConnectionFault):
    """A stream error (RFC 9113 5.4.2) of the client, which is answered with RST_STREAM."""


class Session:
    """One HTTP/2 connection."""

    def __init__(
        self,
        peer: Peer,
        handler: Handler,
        failed: Callable[[BaseException], None],
        values: Mapping[int, int],
        timeout: float,
    ) -> None:
        self._peer = peer
        self._timeout = timeout
        self._ours = {**OURS, **values}
        self._wire = Wire(peer, self._ours, timeout)
        self._answers = Answers(self._wire, handler, failed)
        self._decoder = Decoder()
        self._newest = 0

    def run(self) -> None:
        """Serve until the client ends or breaks the protocol."""
        self._peer.patience = math.inf
        self._wire.start()
        try:
            self._wire.put(settings(*self._ours.items()))
            self._greet()
            while (frame := self._read()) is not None:
                self._receive(frame)
            # A client that closed its direction may still read the responses.
            self._wire.end_input()
            self._answers.join(self._timeout, self._peer.gone)
        except ConnectionFault as fault:
            self._wire.end(goaway(self._newest, fault.code, str(fault).encode()))
        except (OSError, EOFError):
            pass
        finally:
            self._wire.close()
            self._answers.join(self._timeout, self._peer.gone)
            self._wire.finish()
        self._peer.patience = self._timeout
        self._peer.linger()

    def _greet(self) -> None:
        if self._peer.read_exactly(len(PREFACE)) != PREFACE:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "the connection preface is missing")
        first = self._read()
        if first is None or first.type != FrameType.SETTINGS or first.has(ACK):
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "the first frame is not SETTINGS")
        self._receive(first)
        # There is no setting for the window of the connection: enlarge it to that of a stream.
        more = self._ours[Setting.INITIAL_WINDOW_SIZE] - DEFAULT_WINDOW
        if more > 0:
            with self._wire.changed:
                self._wire.allowed += more
                self._wire.put(window_update(0, more))

    def _read(self) -> Frame | None:
        """Read a frame; HEADERS together with its CONTINUATION frames."""
        frame = self._read_one()
        if frame is None or frame.type != FrameType.HEADERS:
            return frame
        if frame.has(PADDED) and (not frame.payload or frame.payload[0] >= len(frame.payload)):
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "the padding is longer than the payload")
        block, part = content(frame), frame
        while not part.has(END_HEADERS):
            following = self._read_one()
            expected = (FrameType.CONTINUATION, frame.stream)
            if following is None or (following.type, following.stream) != expected:
                raise ConnectionFault(
                    ErrorCode.PROTOCOL_ERROR, "a field block is interrupted by another frame"
                )
            part = following
            block += part.payload
            if len(block) > BLOCK_LIMIT:
                raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "a field block is too long")
        return Frame(frame.type, frame.flags & END_STREAM, frame.stream, block)

    def _read_one(self) -> Frame | None:
        if not self._peer.unread and not self._peer.fill():
            return None
        length, frame = parse_head(self._peer.read_exactly(HEAD_SIZE))
        if length > self._ours.get(Setting.MAX_FRAME_SIZE, FRAME_SIZE):
            raise ConnectionFault(
                ErrorCode.FRAME_SIZE_ERROR, f"a frame has {length} octets, more than SETTINGS_MAX_FRAME_SIZE"
            )
        return Frame(frame.type, frame.flags, frame.stream, self._peer.read_exactly(length))

    def _receive(self, frame: Frame) -> None:
        rule = RULES.get(frame.type)
        if rule is None:
            return
        if rule.stream is not None and rule.stream is not bool(frame.stream):
            raise ConnectionFault(
                ErrorCode.PROTOCOL_ERROR,
                f"a frame of type {frame.type} is not allowed on stream {frame.stream}",
            )
        if not rule.size(frame):
            raise ConnectionFault(
                ErrorCode.FRAME_SIZE_ERROR,
                f"{len(frame.payload)} octets is not a valid length for type {frame.type}",
            )
        if rule.opened and frame.stream > self._newest:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, f"stream {frame.stream} is idle")
        with self._wire.changed:
            try:
                rule.receive(self, frame)
            except StreamFault as fault:
                self._wire.reset(frame.stream, fault.code)
            self._wire.changed.notify_all()

    def on_settings(self, frame: Frame) -> None:
        """Process the client's settings, or its acknowledgement of ours."""
        wire = self._wire
        if frame.has(ACK):
            self._on_settings_taken()
            return
        before = wire.theirs.get(Setting.INITIAL_WINDOW_SIZE, DEFAULT_WINDOW)
        for name, value in settings_of(frame).items():
            least, most, code = LIMITS.get(name, (0, value, ErrorCode.NO_ERROR))
            if not least <= value <= most:
                raise ConnectionFault(code, f"setting {name} must be from {least} to {most}, not {value}")
            wire.theirs[name] = value
            if name == Setting.HEADER_TABLE_SIZE:
                wire.encoder = wire.encoder.resized(value)
        change = wire.theirs.get(Setting.INITIAL_WINDOW_SIZE, DEFAULT_WINDOW) - before
        for stream in wire.streams.values():
            stream.window += change
        wire.put(settings(ack=True))

    def _on_settings_taken(self) -> None:
        wire, initial = self._wire, self._ours[Setting.INITIAL_WINDOW_SIZE]
        for stream in wire.streams.values():
            stream.allowed += initial - wire.granted
        wire.granted = initial
        self._decoder = self._decoder.resized(self._ours.get(Setting.HEADER_TABLE_SIZE, 4096))

    def on_ping(self, frame: Frame) -> None:
        """Answer a PING."""
        if not frame.has(ACK):
            self._wire.put(ping(frame.payload, ack=True))

    def on_window_update(self, frame: Frame) -> None:
        """Enlarge the window of a stream or of the connection."""
        increment = number_of(frame) & LARGEST_WINDOW
        fault = StreamFault if frame.stream else ConnectionFault
        if increment == 0:
            raise fault(ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE has an increment of 0")
        if not frame.stream:
            self._wire.window += increment
            window = self._wire.window
        elif stream := self._wire.streams.get(frame.stream):
            stream.window += increment
            window = stream.window
        else:
            return
        if window > LARGEST_WINDOW:
            raise fault(ErrorCode.FLOW_CONTROL_ERROR, "WINDOW_UPDATE would raise the window above 2^31-1")

    def on_rst_stream(self, frame: Frame) -> None:
        """Note that the client has reset a stream."""
        if stream := self._wire.streams.get(frame.stream):
            stream.reset = True

    def on_data(self, frame: Frame) -> None:
        """Process a part of a body."""
        wire, size = self._wire, len(frame.payload)
        wire.allowed -= size
        if wire.allowed < 0:
            raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "DATA exceeds the window")
        if frame.has(PADDED) and (size == 0 or frame.payload[0] >= size):
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "the padding is longer than the payload")
        stream = wire.streams.get(frame.stream)
        if stream is None or stream.reset:
            wire.give_back(None, size)
            return
        if stream.remote_ended:
            raise StreamFault(ErrorCode.STREAM_CLOSED, "DATA was sent after the end of the stream")
        stream.allowed -= size
        if size and stream.allowed < 0:
            raise StreamFault(ErrorCode.FLOW_CONTROL_ERROR, "DATA exceeds the window")
        octets = content(frame)
        stream.arrived += len(octets)
        _check_length(stream, ended=frame.has(END_STREAM))
        stream.remote_ended = frame.has(END_STREAM)
        wire.give_back(stream, size - len(octets))
        if octets:
            stream.pieces.append(octets)

    def on_headers(self, frame: Frame) -> None:
        """Process the head or the trailers of a request."""
        decoded = self._decoder.decode(frame.payload)
        if decoded.fault is not None:
            raise ConnectionFault(ErrorCode.COMPRESSION_ERROR, "a field block cannot be decoded")
        self._decoder = decoded.decoder
        fields: Headers = tuple(decoded.fields)
        stream = self._wire.streams.get(frame.stream)
        if stream is not None:
            if stream.remote_ended or not frame.has(END_STREAM):
                raise StreamFault(ErrorCode.PROTOCOL_ERROR, "a second field block does not end the stream")
            if any(name.startswith(":") for name, _ in fields):
                raise StreamFault(ErrorCode.PROTOCOL_ERROR, "trailers contain a pseudo-header")
            if not _are_allowed(fields):
                raise StreamFault(ErrorCode.PROTOCOL_ERROR, "the trailers are malformed")
            _check_length(stream, ended=True)
            stream.trailers, stream.remote_ended = fields, True
        elif frame.stream > self._newest:
            self._open(frame, fields)

    def _open(self, frame: Frame, fields: Headers) -> None:
        if frame.stream % 2 == 0:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, f"a client cannot open stream {frame.stream}")
        self._newest = frame.stream
        requests = sum(number % 2 for number in self._wire.streams)
        if requests >= self._ours[Setting.MAX_CONCURRENT_STREAMS]:
            raise StreamFault(ErrorCode.REFUSED_STREAM, "too many streams are open")
        pseudo = dict(pair for pair in fields if pair[0].startswith(":"))
        if not _is_well_formed(pseudo, fields):
            raise StreamFault(ErrorCode.PROTOCOL_ERROR, "the request is malformed")
        stream = self._wire.new_stream(frame.stream)
        stream.remote_ended = frame.has(END_STREAM)
        stream.declared = _declared(pseudo, fields)
        _check_length(stream, ended=stream.remote_ended)
        self._answers.begin(stream, pseudo, fields[len(pseudo) :])


def _is_well_formed(pseudo: dict[str, str], fields: Headers) -> bool:
    """Whether pseudo-headers come first and once and all fields are allowed (RFC 9113 8.2)."""
    connect = pseudo.get(":method") == "CONNECT" and ":protocol" not in pseudo
    needed = {":method", ":authority"} if connect else {":method", ":scheme", ":path"}
    first, regular = fields[: len(pseudo)], fields[len(pseudo) :]
    return (
        all(name.startswith(":") for name, _ in first)
        and not any(name.startswith(":") for name, _ in regular)
        and needed <= pseudo.keys() <= PSEUDO
        and not (connect and pseudo.keys() & {":scheme", ":path"})
        and pseudo.get(":path") != ""
        and all(VALUE.fullmatch(value) for value in pseudo.values())
        and _are_allowed(regular)
    )


def _are_allowed(fields: Headers) -> bool:
    """Whether these fields, which are no pseudo-headers, may be sent in HTTP/2 (RFC 9113 8.2)."""
    return all(
        name == name.lower()
        and TOKEN.fullmatch(name)
        and VALUE.fullmatch(value)
        and name not in OF_THE_CONNECTION
        and (name != "te" or value == "trailers")
        for name, value in fields
    )


def _declared(pseudo: Mapping[str, str], fields: Headers) -> int | None:
    """Return the content-length of a request, or `None`; it has no meaning for CONNECT (RFC 9110 9.3.6)."""
    lengths = {value for name, value in fields if name == "content-length"}
    if not lengths or pseudo[":method"] == "CONNECT":
        return None
    (length, *others) = lengths
    if others or LENGTH.fullmatch(length) is None:
        raise StreamFault(ErrorCode.PROTOCOL_ERROR, "the content-length is not one number")
    return int(length)


def _check_length(stream: Stream, *, ended: bool) -> None:
    """Compare the content that has arrived with the content-length (RFC 9113 8.1.1)."""
    length = stream.declared
    if length is not None and (stream.arrived > length or (ended and stream.arrived < length)):
        raise StreamFault(
            ErrorCode.PROTOCOL_ERROR, f"the content-length is {length}, but {stream.arrived} octets arrived"
        )


@dataclass(frozen=True, slots=True)
class _Rule:
    """How to process a frame of one type, and what it has to be like."""

    receive: Callable[[Session, Frame], None]
    stream: bool | None
    """Whether it belongs to a stream or to the connection; `None` allows both."""
    opened: bool = False
    """Whether the stream must not be idle."""
    size: Callable[[Frame], bool] = lambda _: True
    """Whether the length of the payload is valid."""


def _of_size(size: int) -> Callable[[Frame], bool]:
    return lambda frame: len(frame.payload) == size


def _refuse(_: Session, frame: Frame) -> None:
    raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, f"a client must not send a frame of type {frame.type}")


def _ignore(_: Session, __: Frame) -> None:
    pass


RULES: Final[Mapping[int, _Rule]] = {
    FrameType.DATA: _Rule(Session.on_data, stream=True, opened=True),
    FrameType.HEADERS: _Rule(Session.on_headers, stream=True),
    FrameType.PRIORITY: _Rule(_ignore, stream=True, size=_of_size(5)),
    FrameType.RST_STREAM: _Rule(Session.on_rst_stream, stream=True, opened=True, size=_of_size(4)),
    FrameType.SETTINGS: _Rule(
        Session.on_settings,
        stream=False,
        size=lambda frame: len(frame.payload) % 6 == 0 and not (frame.payload and frame.has(ACK)),
    ),
    FrameType.PUSH_PROMISE: _Rule(_refuse, stream=None),
    FrameType.PING: _Rule(Session.on_ping, stream=False, size=_of_size(8)),
    FrameType.GOAWAY: _Rule(_ignore, stream=False, size=lambda frame: len(frame.payload) >= 8),
    FrameType.WINDOW_UPDATE: _Rule(Session.on_window_update, stream=None, opened=True, size=_of_size(4)),
    FrameType.CONTINUATION: _Rule(_refuse, stream=None),
}
