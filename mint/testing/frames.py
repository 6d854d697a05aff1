"""Frames of HTTP/2 as bytes: a codec of a few lines that checks nothing (RFC 9113 4.1, 6).

It was written for tests and shares no code with the client's own codec, so that one can be checked against
the other. It can build any frame whose values fit its fields, even an illegal one.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from .. import _checks
from .messages import Fields

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD_SIZE: Final = 9
RESERVED_BIT: Final = 0x8000_0000
_MOST: Final = 0xFF_FFFF

ACK: Final = 0x1
END_STREAM: Final = 0x1
END_HEADERS: Final = 0x4
PADDED: Final = 0x8
PRIORITY_FLAG: Final = 0x20


class FrameType(IntEnum):
    """The frame types of RFC 9113 6 and of the extensions a client may meet."""

    DATA = 0x0
    HEADERS = 0x1
    PRIORITY = 0x2
    RST_STREAM = 0x3
    SETTINGS = 0x4
    PUSH_PROMISE = 0x5
    PING = 0x6
    GOAWAY = 0x7
    WINDOW_UPDATE = 0x8
    CONTINUATION = 0x9
    ALTSVC = 0xA
    ORIGIN = 0xC
    PRIORITY_UPDATE = 0x10


class Setting(IntEnum):
    """The settings of RFC 9113 6.5.2, RFC 8441 and RFC 9218."""

    HEADER_TABLE_SIZE = 0x1
    ENABLE_PUSH = 0x2
    MAX_CONCURRENT_STREAMS = 0x3
    INITIAL_WINDOW_SIZE = 0x4
    MAX_FRAME_SIZE = 0x5
    MAX_HEADER_LIST_SIZE = 0x6
    ENABLE_CONNECT_PROTOCOL = 0x8
    NO_RFC7540_PRIORITIES = 0x9


class ErrorCode(IntEnum):
    """The error codes of RFC 9113 7."""

    NO_ERROR = 0x0
    PROTOCOL_ERROR = 0x1
    INTERNAL_ERROR = 0x2
    FLOW_CONTROL_ERROR = 0x3
    SETTINGS_TIMEOUT = 0x4
    STREAM_CLOSED = 0x5
    FRAME_SIZE_ERROR = 0x6
    REFUSED_STREAM = 0x7
    CANCEL = 0x8
    COMPRESSION_ERROR = 0x9
    CONNECT_ERROR = 0xA
    ENHANCE_YOUR_CALM = 0xB
    INADEQUATE_SECURITY = 0xC
    HTTP_1_1_REQUIRED = 0xD


_BLOCKS: Final = frozenset({FrameType.HEADERS, FrameType.PUSH_PROMISE, FrameType.CONTINUATION})


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame. `length` is what the head declares, if that is not the length of the payload."""

    type: int
    flags: int = 0
    stream: int = 0
    payload: bytes = b""
    length: int | None = None
    reserved: bool = False

    def __post_init__(self) -> None:
        """Refuse what does not fit the fields, before a server is busy with it."""
        _checks.number("type", self.type, 0, 0xFF)
        _checks.number("flags", self.flags, 0, 0xFF)
        _checks.number("stream", self.stream, 0, 0xFFFF_FFFF)
        _checks.instance("payload", self.payload, bytes, "bytes")
        if self.length is not None or len(self.payload) > _MOST:
            _checks.number("length", len(self.payload) if self.length is None else self.length, 0, _MOST)

    def __repr__(self) -> str:
        """Show of field blocks, which may hold secrets, no more than their length."""
        said = repr(self.payload)
        if self.type in _BLOCKS:
            said = f"<{len(self.payload)} bytes>"
        return (
            f"Frame(type={self.type!r}, flags={self.flags!r}, stream={self.stream!r}, payload={said},"
            f" length={self.length!r}, reserved={self.reserved!r})"
        )

    def serialize(self) -> bytes:
        """Return the bytes on the wire."""
        length = len(self.payload) if self.length is None else self.length
        stream = self.stream | (RESERVED_BIT if self.reserved else 0)
        head = struct.pack(">BHBBI", length >> 16, length & 0xFFFF, self.type, self.flags, stream)
        return head + self.payload

    def has(self, flag: int) -> bool:
        """Whether a flag is set."""
        return bool(self.flags & flag)


def parse_head(head: bytes) -> tuple[int, Frame]:
    """Return the declared length and the frame without its payload."""
    high, low, kind, flags, stream = struct.unpack(">BHBBI", head)
    reserved = bool(stream & RESERVED_BIT)
    return high << 16 | low, Frame(kind, flags, stream & ~RESERVED_BIT, reserved=reserved)


def content(frame: Frame) -> bytes:
    """Return the payload of DATA, HEADERS or PUSH_PROMISE without padding and fixed fields."""
    _checks.instance("frame", frame, Frame, "a mint.testing.frames.Frame")
    start, end = 0, len(frame.payload)
    if frame.has(PADDED):
        start, end = 1, end - frame.payload[0]
    if frame.type == FrameType.HEADERS and frame.has(PRIORITY_FLAG):
        start += 5
    if frame.type == FrameType.PUSH_PROMISE:
        start += 4
    return frame.payload[start:end]


def block(*fields: tuple[str, str]) -> bytes:
    """Return a header block that needs no state: literals, not indexed, no Huffman (RFC 7541)."""
    return b"".join(
        b"\x00" + _string(name.encode("latin-1")) + _string(value.encode("latin-1")) for name, value in fields
    )


def _string(octets: bytes) -> bytes:
    prefix = 127
    if len(octets) < prefix:
        return bytes((len(octets),)) + octets
    rest, encoded = len(octets) - prefix, bytearray((prefix,))
    while rest >= 128:
        encoded.append(rest % 128 + 128)
        rest //= 128
    encoded.append(rest)
    return bytes(encoded) + octets


def _padded(payload: bytes, padding: int | None) -> tuple[int, bytes]:
    if padding is None:
        return 0, payload
    return PADDED, _number("padding", padding, 1) + payload + bytes(padding)


def _number(name: str, value: int, size: int = 4) -> bytes:
    """Return a number in so many octets; `ValueError` for one that does not fit."""
    return _checks.number(name, value, 0, (1 << 8 * size) - 1).to_bytes(size)


def _text(name: str, value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else _checks.exact_text(name, value).encode("latin-1")


def data(stream: int, payload: bytes = b"", *, end: bool = False, padding: int | None = None) -> Frame:
    """Return a DATA frame."""
    flag, payload = _padded(payload, padding)
    return Frame(FrameType.DATA, flag | (END_STREAM if end else 0), stream, payload)


def headers(
    stream: int,
    fields: Fields | bytes,
    *,
    end: bool = False,
    end_headers: bool = True,
    padding: int | None = None,
    priority: tuple[int, int, bool] | None = None,
) -> Frame:
    """Return a HEADERS frame: `fields`, or a block; `priority` is dependency, weight, exclusive."""
    payload = fields if isinstance(fields, bytes) else block(*fields)
    flags = (END_STREAM if end else 0) | (END_HEADERS if end_headers else 0)
    if priority is not None:
        flags |= PRIORITY_FLAG
        payload = _priority(*priority) + payload
    flag, payload = _padded(payload, padding)
    return Frame(FrameType.HEADERS, flags | flag, stream, payload)


def _priority(dependency: int, weight: int, exclusive: bool) -> bytes:
    _checks.number("dependency", dependency, 0, 0xFFFF_FFFF)
    _checks.number("weight", weight, 1, 0x100)
    return struct.pack(">IB", dependency | (RESERVED_BIT if exclusive else 0), weight - 1)


def priority(stream: int, dependency: int = 0, weight: int = 16, *, exclusive: bool = False) -> Frame:
    """Return a PRIORITY frame."""
    return Frame(FrameType.PRIORITY, 0, stream, _priority(dependency, weight, exclusive))


def rst_stream(stream: int, code: int = ErrorCode.CANCEL) -> Frame:
    """Return a RST_STREAM frame."""
    return Frame(FrameType.RST_STREAM, 0, stream, _number("code", code))


def settings(*values: tuple[int, int], ack: bool = False) -> Frame:
    """Return a SETTINGS frame."""
    payload = b"".join(_number("a setting", key, 2) + _number("a setting", value) for key, value in values)
    return Frame(FrameType.SETTINGS, ACK if ack else 0, 0, payload)


def push_promise(
    stream: int,
    promised: int,
    fields: Fields | bytes,
    *,
    end_headers: bool = True,
    padding: int | None = None,
) -> Frame:
    """Return a PUSH_PROMISE frame: `fields`, or a block."""
    encoded = fields if isinstance(fields, bytes) else block(*fields)
    flag, payload = _padded(_number("promised", promised) + encoded, padding)
    return Frame(FrameType.PUSH_PROMISE, flag | (END_HEADERS if end_headers else 0), stream, payload)


def ping(opaque: bytes = bytes(8), *, ack: bool = False) -> Frame:
    """Return a PING frame."""
    return Frame(FrameType.PING, ACK if ack else 0, 0, opaque)


def goaway(last: int, code: int = ErrorCode.NO_ERROR, debug: bytes = b"") -> Frame:
    """Return a GOAWAY frame."""
    return Frame(FrameType.GOAWAY, 0, 0, _number("last", last) + _number("code", code) + debug)


def window_update(stream: int, increment: int) -> Frame:
    """Return a WINDOW_UPDATE frame."""
    return Frame(FrameType.WINDOW_UPDATE, 0, stream, _number("increment", increment))


def continuation(stream: int, fields: Fields | bytes, *, end_headers: bool = True) -> Frame:
    """Return a CONTINUATION frame: `fields`, or a part of a block."""
    payload = fields if isinstance(fields, bytes) else block(*fields)
    return Frame(FrameType.CONTINUATION, END_HEADERS if end_headers else 0, stream, payload)


def origin_set(*origins: str | bytes, stream: int = 0, flags: int = 0) -> Frame:
    """Return an ORIGIN frame with these entries, right or not (RFC 8336)."""
    entries = [_text("origins", origin) for origin in origins]
    payload = b"".join(_number("origins", len(entry), 2) + entry for entry in entries)
    return Frame(FrameType.ORIGIN, flags, stream, payload)


def alt_svc(value: str | bytes, *, origin: str | bytes = "", stream: int = 0) -> Frame:
    """Return an ALTSVC frame: on stream 0 an `origin` belongs in it, on any other none (RFC 7838)."""
    name = _text("origin", origin)
    return Frame(FrameType.ALTSVC, 0, stream, _number("origin", len(name), 2) + name + _text("value", value))


def priority_update(stream: int, value: str | bytes = "u=3") -> Frame:
    """Return a PRIORITY_UPDATE frame for a stream, which only clients send (RFC 9218)."""
    return Frame(FrameType.PRIORITY_UPDATE, 0, 0, _number("stream", stream) + _text("value", value))


def serialize(frames: Iterable[Frame]) -> bytes:
    """Return the bytes of several frames."""
    return b"".join(frame.serialize() for frame in frames)


def settings_of(frame: Frame) -> dict[int, int]:
    """Return what a SETTINGS frame sets."""
    return dict(struct.iter_unpack(">HI", frame.payload[: len(frame.payload) // 6 * 6]))


def number_of(frame: Frame) -> int:
    """Return the code of RST_STREAM, the increment of WINDOW_UPDATE, the last stream of GOAWAY."""
    _checks.instance("frame", frame, Frame, "a mint.testing.frames.Frame")
    return int.from_bytes(frame.payload[:4], "big")
