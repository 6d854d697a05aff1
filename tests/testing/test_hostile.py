"""Exactly what each hostile server sends: nothing but the one rule is broken."""

from __future__ import annotations

from typing import Final

import pytest

from mint.testing import hostile
from mint.testing.http2 import ExpectHeaders, FrameType, SendFrames, handshake
from mint.testing.steps import Drain, Flood, Reset, Send, SendRaw, ShutWrite, Step, Truncate, request

_OK: Final = b"HTTP/1.1 200 OK\r\n"
_CHUNKED: Final = _OK + b"transfer-encoding: chunked\r\n\r\n"
_TWO: Final = b"content-length: 2\r\n\r\nok"
_LAST: Final = b"0\r\n\r\n"

# What is sent before the server closes its side.
SENT: Final = {
    "content-length with a sign": _OK + b"content-length: +2\r\n\r\nok",
    "content-length below zero": _OK + b"content-length: -2\r\n\r\nok",
    "content-length in hexadecimal": _OK + b"content-length: 0x2\r\n\r\nok",
    "two content-lengths": _OK + b"content-length: 2\r\ncontent-length: 3\r\n\r\nokk",
    "content-length and chunked": (
        _OK + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n" + _LAST
    ),
    "less than content-length": _OK + b"content-length: 5\r\n\r\nok",
    "chunk size with a prefix": _CHUNKED + b"0x2\r\nok\r\n" + _LAST,
    "chunk size with a sign": _CHUNKED + b"+2\r\nok\r\n" + _LAST,
    "chunk size with an underscore": _CHUNKED + b"0_2\r\nok\r\n" + _LAST,
    "chunk size of 80 bits": _CHUNKED + b"fffffffffffffffffff2\r\nok\r\n" + _LAST,
    "chunk longer than its size": _CHUNKED + b"2\r\nokay\r\n" + _LAST,
    "no last chunk": _CHUNKED + b"2\r\nok\r\n",
    "unknown transfer coding": _OK + b"transfer-encoding: x, chunked\r\n\r\n2\r\nok\r\n" + _LAST,
    "space before the colon": _OK + b"content-length : 2\r\n\r\nok",
    "NUL in a value": _OK + b"x: a\0b\r\n" + _TWO,
    "bare CR in a value": _OK + b"x: a\rb: c\r\n" + _TWO,
    "folded line": _OK + b"x: a\r\n b\r\n" + _TWO,
    "no status line": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "status of two digits": b"HTTP/1.1 20 \r\n" + _TWO,
    "version 3": b"HTTP/3.0 200 OK\r\n" + _TWO,
    "end within the fields": _OK + b"content-length: 2\r\n",
    "end before the response": b"HTTP/1.1 ",
    "reset within the content": _OK + b"content-length: 4\r\n\r\nok",
    "bytes after the response": _OK + _TWO + _OK + b"content-length: 7\r\n\r\nplanted",
}
ENDLESS: Final[dict[str, tuple[Step, ...]]] = {
    "endless 100 (Continue)": (Flood(b"HTTP/1.1 100 Continue\r\n\r\n" * 100),),
    "endless fields": (Send(_OK), Flood(b"a: b\r\n" * 1000)),
    "endless status line": (Flood(b"HTTP/1.1 200 " + b"a" * 10_000),),
}
EITHER: Final = {
    "content-length and chunked",
    "unknown transfer coding",
    "space before the colon",
    "NUL in a value",
    "bare CR in a value",
    "folded line",
    "version 3",
    "bytes after the response",
}

_STATUS: Final = b"\x00\x07:status\x03200"
_HEAD: Final = (FrameType.HEADERS, 4, 1, _STATUS)
_TRUSTED: Final = (FrameType.HEADERS, 4, 1, _STATUS + b"\x00\x0econtent-length\x012")
_END: Final = (FrameType.DATA, 1, 1, b"ok")
_MOST: Final = (FrameType.WINDOW_UPDATE, 0, 0, b"\x7f\xff\xff\xff")


def _fields(block: bytes) -> list[tuple[int, int, int, bytes]]:
    return [(FrameType.HEADERS, 4, 1, block), _END]


# Type, flags, stream and payload of each frame after the client's request.
FRAMES: Final[dict[str, list[tuple[int, int, int, bytes]]]] = {
    "no :status": _fields(b"\x00\x01x\x01y"),
    "two :status": _fields(_STATUS + b"\x00\x07:status\x03404"),
    ":status after a field": _fields(b"\x00\x01x\x01y" + _STATUS),
    "a pseudo-header of requests": _fields(_STATUS + b"\x00\x05:path\x01/"),
    "upper case in a name": _fields(_STATUS + b"\x00\x02Xy\x01z"),
    "connection field": _fields(_STATUS + b"\x00\x0aconnection\x05close"),
    "transfer-encoding field": _fields(_STATUS + b"\x00\x11transfer-encoding\x07chunked"),
    "CR LF in a value": _fields(_STATUS + b"\x00\x01x\x07a\r\nb: c"),
    "content-length too large": _fields(_STATUS + b"\x00\x0econtent-length\x015"),
    "content-length too small": _fields(_STATUS + b"\x00\x0econtent-length\x011"),
    "content-length with a sign": _fields(_STATUS + b"\x00\x0econtent-length\x02+2"),
    "DATA before HEADERS": [_END],
    "stream that was never opened": [(FrameType.HEADERS, 5, 7, _STATUS)],
    "RST_STREAM on an idle stream": [(FrameType.RST_STREAM, 0, 7, b"\0\0\0\x08"), _TRUSTED, _END],
    "reset by the server": [_HEAD, (FrameType.RST_STREAM, 0, 1, b"\0\0\0\x02")],
    "GOAWAY that leaves the request out": [(FrameType.GOAWAY, 0, 0, bytes(8))],
    "end within the response": [_HEAD],
    "PUSH_PROMISE although it is disabled": [
        (FrameType.PUSH_PROMISE, 4, 1, b"\0\0\0\x02" + _STATUS),
        _TRUSTED,
        _END,
    ],
    "frame longer than allowed": [_HEAD, (FrameType.DATA, 1, 1, b"x" * 20_000)],
    "PING of 7 octets": [(FrameType.PING, 0, 0, b"1234567"), _TRUSTED, _END],
    "SETTINGS of 5 octets": [(FrameType.SETTINGS, 0, 0, bytes(5)), _TRUSTED, _END],
    "window increment of 0": [(FrameType.WINDOW_UPDATE, 0, 0, bytes(4)), _TRUSTED, _END],
    "window above 2^31-1": [_MOST, _MOST, _TRUSTED, _END],
    "padding longer than the frame": [_HEAD, (FrameType.DATA, 9, 1, b"\x09ok")],
    "a frame within a header block": [
        (FrameType.HEADERS, 0, 1, b""),
        (FrameType.PING, 0, 0, bytes(8)),
        (FrameType.CONTINUATION, 4, 1, _STATUS),
        _END,
    ],
    "CONTINUATION without HEADERS": [(FrameType.CONTINUATION, 4, 1, _STATUS), _END],
    "HPACK index 0": _fields(b"\x80"),
    "HPACK index beyond the tables": _fields(b"\xda"),
    "HPACK table larger than allowed": _fields(b"\x3f\xe1\xff\x3f\x88"),
    "pseudo-header in the trailers": [
        _HEAD,
        (FrameType.DATA, 0, 1, b"ok"),
        (FrameType.HEADERS, 5, 1, _STATUS),
    ],
    "unknown frame type": [(0xBB, 0xFF, 1, b"?"), _TRUSTED, _END],
}
# Behaviours after which the server closes its side; after the others, it only waits for the client to do so.
CLOSED: Final = {"GOAWAY that leaves the request out", "end within the response"}
_CONTINUATION: Final = b"\0\0\x68\x09\0\0\0\0\x01" + b"\x00\x01a\x64" + b"b" * 100
FLOODS: Final = {
    "endless CONTINUATION": ([(FrameType.HEADERS, 0, 1, _STATUS)], _CONTINUATION * 100),
    "endless PING": ([], (b"\0\0\x08\x06\0\0\0\0\0" + bytes(8)) * 1000),
}


def test_every_behaviour_is_in_these_tables() -> None:
    assert set(hostile.HTTP1) == {*SENT, *ENDLESS}
    assert set(hostile.HTTP2) == {*FRAMES, *FLOODS}
    assert set(hostile.TLS) == {"end without close_notify", "bytes beneath TLS"}
    for table in (hostile.HTTP1, hostile.HTTP2, hostile.TLS):
        assert [each.name for each in table.values()] == list(table)


@pytest.mark.parametrize("name", hostile.HTTP1)
def test_what_is_sent_over_http1(name: str) -> None:
    behaviour = hostile.HTTP1[name]
    first, *rest = behaviour.steps
    assert first == request()
    if name in ENDLESS:
        assert tuple(rest) == ENDLESS[name]
    else:
        after = [Reset()] if name == "reset within the content" else [ShutWrite(), Drain()]
        assert rest == [Send(SENT[name]), *after]
    assert behaviour.expected == ("either" if name in EITHER else "refuse")
    assert behaviour.endless is (name in ENDLESS)


@pytest.mark.parametrize("name", hostile.HTTP2)
def test_what_is_sent_over_http2(name: str) -> None:
    behaviour = hostile.HTTP2[name]
    begun = (*handshake(), ExpectHeaders(1, ((":method", "GET"),), end=True))
    assert behaviour.steps[: len(begun)] == begun
    rest = behaviour.steps[len(begun) :]
    sent = [frame for step in rest if isinstance(step, SendFrames) for frame in step.frames]
    assert all(frame.length is None and not frame.reserved for frame in sent)
    expected, flood = FLOODS[name] if name in FLOODS else (FRAMES[name], None)
    assert [(frame.type, frame.flags, frame.stream, frame.payload) for frame in sent] == expected
    last = [step for step in rest if not isinstance(step, SendFrames)]
    if flood is not None:
        assert last == [Flood(flood)]
    else:
        assert last == ([ShutWrite(), Drain()] if name in CLOSED else [Drain()])
    assert behaviour.expected == ("accept" if name == "unknown frame type" else "refuse")
    assert behaviour.endless is (flood is not None)


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("end without close_notify", (Send(_OK + b"\r\nok"), Truncate())),
        ("bytes beneath TLS", (SendRaw(_OK + b"\r\nok"),)),
    ],
)
def test_what_is_sent_over_tls(name: str, steps: tuple[Step, ...]) -> None:
    behaviour = hostile.TLS[name]
    assert behaviour.steps == (request(), *steps)
    assert (behaviour.expected, behaviour.endless) == ("refuse", False)
