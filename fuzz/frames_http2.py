"""HTTP/2 frames as octets, built and read without mint."""

from __future__ import annotations

import struct
from dataclasses import dataclass

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = (
    range(10)
)
END_STREAM = ACK = 1
END_HEADERS = 4
PADDED = 8
WITH_PRIORITY = 32
(
    NO_ERROR,
    PROTOCOL_ERROR,
    INTERNAL_ERROR,
    FLOW_CONTROL_ERROR,
    SETTINGS_TIMEOUT,
    STREAM_CLOSED,
    FRAME_SIZE_ERROR,
    REFUSED_STREAM,
    CANCEL,
    COMPRESSION_ERROR,
    CONNECT_ERROR,
    ENHANCE_YOUR_CALM,
) = range(12)
TABLE_SIZE, ENABLE_PUSH, MAX_STREAMS, INITIAL_WINDOW, MAX_FRAME, MAX_LIST = range(1, 7)
ENABLE_CONNECT = 8
MOST_WINDOW = 2**31 - 1
DEFAULT_WINDOW = 65_535


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Return one frame; the arguments are not checked."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def settings(*pairs: tuple[int, int]) -> bytes:
    """Return SETTINGS."""
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *pair) for pair in pairs))


def data(stream: int, content: bytes, *, end: bool = False, padding: int | None = None) -> bytes:
    """Return DATA."""
    if padding is None:
        return frame(DATA, END_STREAM * end, stream, content)
    return frame(DATA, END_STREAM * end | PADDED, stream, bytes([padding]) + content + bytes(padding))


def number(kind: int, stream: int, value: int) -> bytes:
    """Return RST_STREAM or WINDOW_UPDATE."""
    return frame(kind, 0, stream, struct.pack(">I", value))


@dataclass(frozen=True)
class Frame:
    """One frame that the client sent."""

    kind: int
    flags: int
    stream: int
    payload: bytes

    @property
    def number(self) -> int:
        """The payload as one number."""
        return int.from_bytes(self.payload[:4], "big")


def read_frames(octets: bytes) -> list[Frame]:
    """Split what the client sent into frames."""
    found = []
    at = 0
    while at < len(octets):
        length = int.from_bytes(octets[at : at + 3], "big")
        kind, flags, stream = struct.unpack(">BBI", octets[at + 3 : at + 9])
        if at + 9 + length > len(octets) or stream >> 31:
            raise ValueError("the client sent half a frame, or a reserved bit")
        found.append(Frame(kind, flags, stream, octets[at + 9 : at + 9 + length]))
        at += 9 + length
    return found
