"""HTTP/2 frames as bytes, in a few lines of code (RFC 9113 4.1, 6).

The code is independent of the client's codec, so that one can be checked against the other. It can build any
frame whose values fit into the fields, even an illegal one.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from .. import _checks
from . import _arguments
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
    """The frame types of RFC 9113 6, RFC 7838 (ALTSVC), RFC 8336 (ORIGIN) and RFC 9218 (PRIORITY_UPDATE)."""

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
    """One frame (RFC 9113 4.1).

    Attributes:
        type: the frame type, 0 to 255; any number, not only those of `FrameType`.
        flags: the flags, 0 to 255.
        stream: the stream identifier, 0 to 2**32 - 1.
        payload: the payload in bytes.
        length: the length that the frame header declares, 0 to 2**24 - 1; `None` for that of the payload.
        reserved: whether the reserved bit before the stream identifier is set.

    Raises `ValueError` for a number out of range or a payload that is too long, and `TypeError` for a payload
    that is not bytes or a bit that is not a `bool`. The functions that build frames do the same.

    """

    type: int
    flags: int = 0
    stream: int = 0
    payload: bytes = b""
    length: int | None = None
    reserved: bool = False

    def __post_init__(self) -> None:
        """Refuse values that do not fit into the frame header."""
        _checks.number("type", self.type, 0, 0xFF)
        _checks.number("flags", self.flags, 0, 0xFF)
        _checks.number("stream", self.stream, 0, 0xFFFF_FFFF)
        _checks.instance("payload", self.payload, bytes, "bytes")
        _arguments.flags(reserved=self.reserved)
        if self.length is not None or len(self.payload) > _MOST:
            _checks.number("length", len(self.payload) if self.length is None else self.length, 0, _MOST)

    def __repr__(self) -> str:
        """Show only the length of field blocks, because they may contain secrets."""
        said = repr(self.payload)
        if self.type in _BLOCKS:
            said = f"<{len(self.payload)} bytes>"
        return (
            f"Frame(type={self.type!r}, flags={self.flags!r}, stream={self.stream!r}, payload={said},"
            f" length={self.length!r}, reserved={self.reserved!r})"
        )

    def serialize(self) -> bytes:
        """Return the frame as bytes."""
        length = len(self.payload) if self.length is None else self.length
        stream = self.stream | (RESERVED_BIT if self.reserved else 0)
        head = struct.pack(">BHBBI", length >> 16, length & 0xFFFF, self.type, self.flags, stream)
        return head + self.payload

    def has(self, flag: int) -> bool:
        """Whether one of these flags is set."""
        return bool(self.flags & flag)


def parse_head(head: bytes) -> tuple[int, Frame]:
    """Return the declared length of a frame header of 9 bytes, and the frame without its payload."""
    high, low, kind, flags, stream = struct.unpack(">BHBBI", head)
    reserved = bool(stream & RESERVED_BIT)
    return high << 16 | low, Frame(kind, flags, stream & ~RESERVED_BIT, reserved=reserved)


def content(frame: Frame) -> bytes:
    """Return the payload of DATA, HEADERS or PUSH_PROMISE without padding and fixed fields.

    Raises `TypeError` if `frame` is not a `Frame`.
    """
    _checks.instance("frame", frame, Frame, "a mint.testing.frames.Frame")
    start, end = 0, len(frame.payload)
    if frame.has(PADDED):
        start, end = 1, end - int.from_bytes(frame.payload[:1])  # an empty payload has no length
    if frame.type == FrameType.HEADERS and frame.has(PRIORITY_FLAG):
        start += 5
    if frame.type == FrameType.PUSH_PROMISE:
        start += 4
    return frame.payload[start:end]


def block(*fields: tuple[str, str]) -> bytes:
    """Return a header block that uses no tables and no Huffman code: only literals (RFC 7541 6.2.2).

    Raises `TypeError` for a field that is not a pair of `str`, and `ValueError` if it is not ISO 8859-1 text.
    """
    _arguments.fields("fields", fields)
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
    """Return a number as `size` octets; raise `ValueError` if it does not fit."""
    return _checks.number(name, value, 0, (1 << 8 * size) - 1).to_bytes(size)


def _octets(name: str, value: bytes) -> bytes:
    return _checks.instance(name, value, bytes, "bytes")


def _block(name: str, fields: Fields | bytes) -> bytes:
    if isinstance(fields, bytes):
        return fields
    _arguments.fields(name, fields)
    return block(*fields)


def _text(name: str, value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else _checks.exact_text(name, value).encode("latin-1")


def data(stream: int, payload: bytes = b"", *, end: bool = False, padding: int | None = None) -> Frame:
    """Return a DATA frame (RFC 9113 6.1).

    Args:
        stream: the stream identifier.
        payload: the content.
        end: whether END_STREAM is set.
        padding: the number of octets of padding, 0 to 255; `None` for no padding and no PADDED flag.

    """
    _arguments.flags(end=end)
    flag, payload = _padded(_octets("payload", payload), padding)
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
    """Return a HEADERS frame (RFC 9113 6.2).

    Args:
        stream: the stream identifier.
        fields: fields, which `block` encodes, or the bytes of a header block or of its first part.
        end: whether END_STREAM is set.
        end_headers: whether END_HEADERS is set; if not, CONTINUATION has to follow.
        padding: the number of octets of padding, 0 to 255; `None` for no padding and no PADDED flag.
        priority: the stream dependency (0 to 2**32 - 1), the weight (1 to 256) and whether it is exclusive;
            `None` for no priority and no PRIORITY flag.

    """
    _arguments.flags(end=end, end_headers=end_headers)
    payload = _block("fields", fields)
    flags = (END_STREAM if end else 0) | (END_HEADERS if end_headers else 0)
    if priority is not None:
        flags |= PRIORITY_FLAG
        payload = _priority(*priority) + payload
    flag, payload = _padded(payload, padding)
    return Frame(FrameType.HEADERS, flags | flag, stream, payload)


def _priority(dependency: int, weight: int, exclusive: bool) -> bytes:
    _checks.number("dependency", dependency, 0, 0xFFFF_FFFF)
    _checks.number("weight", weight, 1, 0x100)
    _arguments.flags(exclusive=exclusive)
    return struct.pack(">IB", dependency | (RESERVED_BIT if exclusive else 0), weight - 1)


def priority(stream: int, dependency: int = 0, weight: int = 16, *, exclusive: bool = False) -> Frame:
    """Return a PRIORITY frame (RFC 9113 6.3); `dependency` is 0 to 2**32 - 1, `weight` 1 to 256."""
    return Frame(FrameType.PRIORITY, 0, stream, _priority(dependency, weight, exclusive))


def rst_stream(stream: int, code: int = ErrorCode.CANCEL) -> Frame:
    """Return a RST_STREAM frame (RFC 9113 6.4); `code` is an error code, 0 to 2**32 - 1."""
    return Frame(FrameType.RST_STREAM, 0, stream, _number("code", code))


def settings(*values: tuple[int, int], ack: bool = False) -> Frame:
    """Return a SETTINGS frame (RFC 9113 6.5).

    Each of `values` is an identifier (0 to 65,535) and a value (0 to 2**32 - 1). `ack` sets the ACK flag.
    """
    _arguments.flags(ack=ack)
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
    """Return a PUSH_PROMISE frame (RFC 9113 6.6).

    Args:
        stream: the identifier of the stream on which it is sent.
        promised: the identifier of the promised stream, 0 to 2**32 - 1.
        fields: fields, which `block` encodes, or the bytes of a header block or of its first part.
        end_headers: whether END_HEADERS is set; if not, CONTINUATION has to follow.
        padding: the number of octets of padding, 0 to 255; `None` for no padding and no PADDED flag.

    """
    _arguments.flags(end_headers=end_headers)
    encoded = _block("fields", fields)
    flag, payload = _padded(_number("promised", promised) + encoded, padding)
    return Frame(FrameType.PUSH_PROMISE, flag | (END_HEADERS if end_headers else 0), stream, payload)


def ping(opaque: bytes = bytes(8), *, ack: bool = False) -> Frame:
    """Return a PING frame (RFC 9113 6.7); `opaque` is its payload, which should have 8 bytes."""
    _arguments.flags(ack=ack)
    return Frame(FrameType.PING, ACK if ack else 0, 0, opaque)


def goaway(last: int, code: int = ErrorCode.NO_ERROR, debug: bytes = b"") -> Frame:
    """Return a GOAWAY frame (RFC 9113 6.8).

    `last` is the last stream identifier, `code` an error code (both 0 to 2**32 - 1), `debug` the debug data.
    """
    return Frame(
        FrameType.GOAWAY, 0, 0, _number("last", last) + _number("code", code) + _octets("debug", debug)
    )


def window_update(stream: int, increment: int) -> Frame:
    """Return a WINDOW_UPDATE frame (RFC 9113 6.9); `increment` is in octets, 0 to 2**32 - 1."""
    return Frame(FrameType.WINDOW_UPDATE, 0, stream, _number("increment", increment))


def continuation(stream: int, fields: Fields | bytes, *, end_headers: bool = True) -> Frame:
    """Return a CONTINUATION frame (RFC 9113 6.10).

    `fields` are fields, which `block` encodes, or the bytes of a part of a header block. `end_headers` sets
    END_HEADERS.
    """
    _arguments.flags(end_headers=end_headers)
    payload = _block("fields", fields)
    return Frame(FrameType.CONTINUATION, END_HEADERS if end_headers else 0, stream, payload)


def origin_set(*origins: str | bytes, stream: int = 0, flags: int = 0) -> Frame:
    """Return an ORIGIN frame with these entries, valid or not (RFC 8336 2.1).

    `str` is encoded in ISO 8859-1. An entry has at most 65,535 octets.
    """
    entries = [_text("origins", origin) for origin in origins]
    payload = b"".join(_number("origins", len(entry), 2) + entry for entry in entries)
    return Frame(FrameType.ORIGIN, flags, stream, payload)


def alt_svc(value: str | bytes, *, origin: str | bytes = "", stream: int = 0) -> Frame:
    """Return an ALTSVC frame (RFC 7838 4).

    Args:
        value: the value of the Alt-Svc field; `str` is encoded in ISO 8859-1.
        origin: the origin, at most 65,535 octets. RFC 7838 requires one on stream 0, and none on any other.
        stream: the stream identifier.

    """
    name = _text("origin", origin)
    return Frame(FrameType.ALTSVC, 0, stream, _number("origin", len(name), 2) + name + _text("value", value))


def priority_update(stream: int, value: str | bytes = "u=3") -> Frame:
    """Return a PRIORITY_UPDATE frame, which only clients send (RFC 9218 7.1).

    `stream` is the prioritized stream, 0 to 2**32 - 1; `value` is a priority, `str` in ISO 8859-1.
    """
    return Frame(FrameType.PRIORITY_UPDATE, 0, 0, _number("stream", stream) + _text("value", value))


def serialize(frames: Iterable[Frame]) -> bytes:
    """Return several frames as bytes. Raises `TypeError` if one of them is not a `Frame`."""
    return b"".join(
        _checks.instance("each of frames", frame, Frame, "a mint.testing.http2.Frame").serialize()
        for frame in frames
    )


def settings_of(frame: Frame) -> dict[int, int]:
    """Return the settings of a SETTINGS frame by identifier; an incomplete one at its end is ignored.

    Raises `TypeError` if `frame` is not a `Frame`.
    """
    _checks.instance("frame", frame, Frame, "a mint.testing.frames.Frame")
    return dict(struct.iter_unpack(">HI", frame.payload[: len(frame.payload) // 6 * 6]))


def number_of(frame: Frame) -> int:
    """Return the error code of RST_STREAM, the increment of WINDOW_UPDATE, or the last stream of GOAWAY.

    It is the number in the first four octets of the payload. Raises `TypeError` if `frame` is not a `Frame`.
    """
    _checks.instance("frame", frame, Frame, "a mint.testing.frames.Frame")
    return int.from_bytes(frame.payload[:4], "big")
