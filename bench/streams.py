"""HTTP/2 workloads in memory: requests to send and what a server answers, frame by frame."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from hpack import Encoder

from .traffic import Field, Traffic
from .work import Message, cut

DATA, HEADERS, RST_STREAM, SETTINGS, WINDOW_UPDATE = 0, 1, 3, 4, 8
ACK = END_STREAM = 1
END_HEADERS = 4
PRIORITY = 32
PADDED = 8
MAX_WINDOW = (1 << 31) - 1
MAX_FRAME = 1 << 14
WINDOW = 16 << 20  # receive windows, of a stream and of the connection, for clients that have to choose them
STREAMS = 100_000  # how many requests the server allows at once

Request = tuple[Field, ...]


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Return one frame."""
    size = len(payload)
    return struct.pack(">BHBBI", size >> 16, size & 0xFFFF, kind, flags, stream) + payload


def setting(identifier: int, value: int) -> bytes:
    """Return one entry of a SETTINGS frame."""
    return struct.pack(">HI", identifier, value)


# The settings of a server that never blocks a client: every window is as large as possible.
PREFACE = (
    frame(SETTINGS, 0, 0, setting(3, STREAMS) + setting(4, MAX_WINDOW))
    + frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", MAX_WINDOW - 65_535))
    + frame(SETTINGS, ACK, 0)
)


def requests(number: int) -> tuple[Request, ...]:
    """Return header lists of GETs, 30 % of the fields new."""
    traffic = Traffic()
    return tuple(
        (
            (":method", "GET"),
            (":scheme", "https"),
            (":authority", "api.example.org"),
            (":path", traffic.target()),
            *traffic.request(),
        )
        for _ in range(number)
    )


def answers(number: int, length: int) -> tuple[tuple[bytes, ...], tuple[Message, ...]]:
    """Return responses to streams 1, 3, 5 ..., each as one read, and their contents."""
    traffic, encoder = Traffic(), Encoder()
    reads, messages = [], []
    for at in range(number):
        fields, body = traffic.response(10, length), traffic.octets(length)
        block = encoder.encode([(":status", "200"), *fields])
        stream = 2 * at + 1
        reads.append(frame(HEADERS, END_HEADERS, stream, block) + frame(DATA, END_STREAM, stream, body))
        messages.append(Message(200, tuple(fields), body))
    return tuple(reads), tuple(messages)


@dataclass(frozen=True, slots=True)
class Opening:
    """Open a connection: make it, and its first octets."""


@dataclass(frozen=True, slots=True)
class Getting:
    """Send GETs while `open` streams are open."""

    open: int
    requests: tuple[Request, ...] = field(default_factory=lambda: requests(1_000), repr=False)

    @property
    def clients(self) -> int:
        """Connections in a round; several if few streams are open, so that a round is not too short."""
        return max(1, 32 // self.open)

    @property
    def each(self) -> int:
        """Requests in a round, on each connection."""
        return max(1, min(100, self.open // 10))


@dataclass(frozen=True, slots=True)
class Receiving:
    """Receive responses while up to `open` streams are open, `each` in a round."""

    open: int
    reads: tuple[bytes, ...]
    messages: tuple[Message, ...]
    requests: tuple[Request, ...]

    @property
    def each(self) -> int:
        """Responses in a round."""
        return min(self.open, 1_000)

    @property
    def rounds(self) -> int:
        """Rounds until the connection is replaced, while at least half of the streams are still open."""
        return max(1, self.open // self.each // 2)


def receiving(number: int) -> Receiving:
    """Return 1 KB responses to that many open streams."""
    return Receiving(number, *answers(number, 1_024), requests(1_000))


@dataclass(frozen=True, slots=True)
class Exchanging:
    """Send a GET and receive its response, one at a time, on one connection."""

    reads: tuple[bytes, ...]
    messages: tuple[Message, ...]
    requests: tuple[Request, ...]


def exchanging(number: int = 500) -> Exchanging:
    """Return exchanges of 1 KB."""
    return Exchanging(*answers(number, 1_024), requests(number))


@dataclass(frozen=True, slots=True)
class Refusing:
    """Receive a GOAWAY that fails `open` streams; an operation is one stream."""

    open: int
    read: bytes = frame(7, 0, 0, bytes(8))  # GOAWAY: no stream was processed, NO_ERROR
    requests: tuple[Request, ...] = field(default_factory=lambda: requests(100), repr=False)


@dataclass(frozen=True, slots=True)
class Down:
    """One large response body, in full frames, and in reads of 64 KiB that do not respect frames."""

    reads: tuple[bytes, ...]
    body: bytes = field(repr=False)
    request: Request


def down(length: int = 100_000_000) -> Down:
    """Return a download."""
    traffic = Traffic()
    body = (traffic.octets(1 << 20) * (length // (1 << 20) + 1))[:length]
    block = Encoder().encode([(":status", "200"), *traffic.response(10, length)])
    parts = [frame(HEADERS, END_HEADERS, 1, block)]
    parts += [frame(DATA, 0, 1, piece) for piece in cut(body, MAX_FRAME)]
    parts.append(frame(DATA, END_STREAM, 1))
    return Down(cut(b"".join(parts), 1 << 16), body, requests(1)[0])


@dataclass(frozen=True, slots=True)
class Up:
    """One large request body, in pieces of 256 KiB."""

    pieces: tuple[bytes, ...]
    request: Request


def up(length: int = 64 << 20) -> Up:
    """Return an upload."""
    return Up(cut(Traffic().octets(length), 1 << 18), ((":method", "POST"), *requests(1)[0][1:]))
