"""Servers that each break one rule, to test that a client detects it.

`HTTP1`, `HTTP2` and `TLS` map names to behaviours. Each behaviour has a script that answers one GET request
with any target. A script ends when the client ends the connection; scripts that send without end are marked
`endless`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from . import build, hpack, http2
from .steps import Drain, Flood, Reset, Send, SendRaw, ShutWrite, Step, Truncate, request

Verdict = Literal["refuse", "accept", "either"]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a server does, and what a client has to do then.

    Attributes:
        name: a short description, which is also its key in the table.
        steps: the script for `ScriptedServer`.
        rule: the section of the RFC that is broken.
        expected: `"refuse"` if a client must not treat the response as complete, `"accept"` if it has to
            continue, and `"either"` if the RFC allows both.
        endless: whether the server sends until the client ends the connection.

    """

    name: str
    steps: tuple[Step, ...]
    rule: str
    expected: Verdict = "refuse"
    endless: bool = False


OK: Final = build.status_line(200)


def _table(*behaviours: Behaviour) -> Mapping[str, Behaviour]:
    return {behaviour.name: behaviour for behaviour in behaviours}


def _answer(name: str, rule: str, octets: bytes, *after: Step, expected: Verdict = "refuse") -> Behaviour:
    return Behaviour(name, (request(), Send(octets), *(after or (ShutWrite(), Drain()))), rule, expected)


def _field(
    name: str, rule: str, *lines: bytes, body: bytes = b"ok", expected: Verdict = "refuse"
) -> Behaviour:
    octets = b"\r\n".join([OK, *lines, b"", b""]) + body
    return _answer(name, rule, octets, expected=expected)


def _chunked(name: str, rule: str, body: bytes, *, expected: Verdict = "refuse") -> Behaviour:
    return _field(name, rule, b"transfer-encoding: chunked", body=body, expected=expected)


LAST: Final = b"0\r\n\r\n"

HTTP1: Final = _table(
    _field("content-length with a sign", "RFC 9112 6.3", b"content-length: +2"),
    _field("content-length below zero", "RFC 9112 6.3", b"content-length: -2"),
    _field("content-length in hexadecimal", "RFC 9112 6.3", b"content-length: 0x2"),
    _field("two content-lengths", "RFC 9112 6.3", b"content-length: 2", b"content-length: 3", body=b"okk"),
    _field(
        "content-length and chunked",
        "RFC 9112 6.3",
        b"content-length: 2",
        b"transfer-encoding: chunked",
        body=b"2\r\nok\r\n" + LAST,
        expected="either",
    ),
    _field("less than content-length", "RFC 9112 8", b"content-length: 5"),
    _chunked("chunk size with a prefix", "RFC 9112 7.1", b"0x2\r\nok\r\n" + LAST),
    _chunked("chunk size with a sign", "RFC 9112 7.1", b"+2\r\nok\r\n" + LAST),
    _chunked("chunk size with an underscore", "RFC 9112 7.1", b"0_2\r\nok\r\n" + LAST),
    _chunked("chunk size of 80 bits", "RFC 9112 7.1", b"2".rjust(20, b"f") + b"\r\nok\r\n" + LAST),
    _chunked("chunk longer than its size", "RFC 9112 7.1", b"2\r\nokay\r\n" + LAST),
    _chunked("no last chunk", "RFC 9112 8", b"2\r\nok\r\n"),
    _field(
        "unknown transfer coding",
        "RFC 9112 6.1",
        b"transfer-encoding: x, chunked",
        body=b"2\r\nok\r\n" + LAST,
        expected="either",
    ),
    _field("space before the colon", "RFC 9112 5.1", b"content-length : 2", expected="either"),
    _field("NUL in a value", "RFC 9110 5.5", b"x: a\0b", b"content-length: 2", expected="either"),
    _field("bare CR in a value", "RFC 9112 2.2", b"x: a\rb: c", b"content-length: 2", expected="either"),
    _field("folded line", "RFC 9112 5.2", b"x: a", b" b", b"content-length: 2", expected="either"),
    _answer("no status line", "RFC 9112 4", b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    _answer("status of two digits", "RFC 9112 4", build.response("20", (), b"ok")),
    _answer(
        "version 3", "RFC 9110 2.5", build.response(200, (), b"ok", version="HTTP/3.0"), expected="either"
    ),
    _answer("end within the fields", "RFC 9112 8", OK + b"\r\ncontent-length: 2\r\n"),
    _answer("end before the response", "RFC 9112 8", b"HTTP/1.1 "),
    _answer("reset within the content", "RFC 9112 8", build.response(200, (), b"okay")[:-2], Reset()),
    Behaviour(
        "endless 100 (Continue)",
        (request(), Flood(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)),
        "RFC 9110 15.2",
        endless=True,
    ),
    Behaviour(
        "endless fields",
        (request(), Send(OK + b"\r\n"), Flood(b"a: b\r\n" * 1000)),
        "RFC 9110 5.4",
        endless=True,
    ),
    Behaviour(
        "endless status line",
        (request(), Flood(b"HTTP/1.1 200 " + b"a" * 10_000)),
        "RFC 9112 4",
        endless=True,
    ),
    _answer(
        "bytes after the response",
        "RFC 9112 9.2",
        build.response(200, (), b"ok") + build.response(200, (), b"planted"),
        expected="either",
    ),
)

GET: Final = http2.ExpectHeaders(1, ((":method", "GET"),), end=True)
STATUS: Final = (":status", "200")
HEADERS: Final = http2.headers(1, (STATUS,))
END: Final = http2.data(1, b"ok", end=True)
TRUSTED: Final = http2.headers(1, (STATUS, ("content-length", "2")))


def _frames(
    name: str, rule: str, *frames: http2.Frame, expected: Verdict = "refuse", after: tuple[Step, ...] = ()
) -> Behaviour:
    steps = (*http2.handshake(), GET, http2.send(*frames), *(after or (Drain(),)))
    return Behaviour(name, steps, rule, expected)


def _fields(name: str, rule: str, *fields: tuple[str, str]) -> Behaviour:
    return _frames(name, rule, http2.headers(1, fields), END)


HTTP2: Final = _table(
    _fields("no :status", "RFC 9113 8.3.2", ("x", "y")),
    _fields("two :status", "RFC 9113 8.3", STATUS, (":status", "404")),
    _fields(":status after a field", "RFC 9113 8.3", ("x", "y"), STATUS),
    _fields("a pseudo-header of requests", "RFC 9113 8.3", STATUS, (":path", "/")),
    _fields("upper case in a name", "RFC 9113 8.2.1", STATUS, ("Xy", "z")),
    _fields("connection field", "RFC 9113 8.2.2", STATUS, ("connection", "close")),
    _fields("transfer-encoding field", "RFC 9113 8.2.2", STATUS, ("transfer-encoding", "chunked")),
    _fields("CR LF in a value", "RFC 9113 8.2.1", STATUS, ("x", "a\r\nb: c")),
    _fields("content-length too large", "RFC 9113 8.1.1", STATUS, ("content-length", "5")),
    _fields("content-length too small", "RFC 9113 8.1.1", STATUS, ("content-length", "1")),
    _fields("content-length with a sign", "RFC 9113 8.1.1", STATUS, ("content-length", "+2")),
    _frames("DATA before HEADERS", "RFC 9113 8.1", END),
    _frames("stream that was never opened", "RFC 9113 5.1", http2.headers(7, (STATUS,), end=True)),
    _frames("RST_STREAM on an idle stream", "RFC 9113 6.4", http2.rst_stream(7), TRUSTED, END),
    _frames(
        "reset by the server", "RFC 9113 8.1", HEADERS, http2.rst_stream(1, http2.ErrorCode.INTERNAL_ERROR)
    ),
    _frames(
        "GOAWAY that leaves the request out",
        "RFC 9113 6.8",
        http2.goaway(0),
        after=(ShutWrite(), Drain()),
    ),
    _frames("end within the response", "RFC 9113 8.1", HEADERS, after=(ShutWrite(), Drain())),
    _frames(
        "PUSH_PROMISE although it is disabled",
        "RFC 9113 6.6",
        http2.push_promise(1, 2, (STATUS,)),
        TRUSTED,
        END,
    ),
    _frames("frame longer than allowed", "RFC 9113 4.2", HEADERS, http2.data(1, b"x" * 20_000, end=True)),
    _frames("PING of 7 octets", "RFC 9113 6.7", http2.ping(b"1234567"), TRUSTED, END),
    _frames(
        "SETTINGS of 5 octets",
        "RFC 9113 6.5",
        http2.Frame(http2.FrameType.SETTINGS, 0, 0, bytes(5)),
        TRUSTED,
        END,
    ),
    _frames("window increment of 0", "RFC 9113 6.9", http2.window_update(0, 0), TRUSTED, END),
    _frames("window above 2^31-1", "RFC 9113 6.9.1", *[http2.window_update(0, 2**31 - 1)] * 2, TRUSTED, END),
    _frames(
        "padding longer than the frame",
        "RFC 9113 6.1",
        HEADERS,
        http2.Frame(http2.FrameType.DATA, http2.PADDED | http2.END_STREAM, 1, b"\x09ok"),
    ),
    _frames(
        "a frame within a header block",
        "RFC 9113 4.3",
        http2.headers(1, b"", end_headers=False),
        http2.ping(),
        http2.continuation(1, (STATUS,)),
        END,
    ),
    _frames("CONTINUATION without HEADERS", "RFC 9113 6.10", http2.continuation(1, (STATUS,)), END),
    _frames("HPACK index 0", "RFC 7541 6.1", http2.headers(1, hpack.indexed(0)), END),
    _frames("HPACK index beyond the tables", "RFC 7541 2.3.3", http2.headers(1, hpack.indexed(90)), END),
    _frames(
        "HPACK table larger than allowed",
        "RFC 7541 6.3",
        http2.headers(1, hpack.table_size(1 << 20) + hpack.indexed(8)),
        END,
    ),
    _frames(
        "pseudo-header in the trailers",
        "RFC 9113 8.1",
        HEADERS,
        http2.data(1, b"ok"),
        http2.headers(1, (STATUS,), end=True),
    ),
    _frames(
        "unknown frame type",
        "RFC 9113 4.1",
        http2.Frame(0xBB, 0xFF, 1, b"?"),
        TRUSTED,
        END,
        expected="accept",
    ),
    Behaviour(
        "endless CONTINUATION",
        (
            *http2.handshake(),
            GET,
            http2.send(http2.headers(1, (STATUS,), end_headers=False)),
            Flood(http2.continuation(1, (("a", "b" * 100),), end_headers=False).serialize() * 100),
        ),
        "RFC 9113 10.5",
        endless=True,
    ),
    Behaviour(
        "endless PING",
        (*http2.handshake(), GET, Flood(http2.ping().serialize() * 1000)),
        "RFC 9113 10.5",
        endless=True,
    ),
)

_UNENDED: Final[bytes] = OK + b"\r\n\r\n" + b"ok"
TLS: Final = _table(
    Behaviour(
        "end without close_notify",
        (request(), Send(_UNENDED), Truncate()),
        "RFC 9112 9.8",
    ),
    Behaviour("bytes beneath TLS", (request(), SendRaw(_UNENDED)), "RFC 8446 5"),
)
"""Behaviours that need TLS, with HTTP/1."""
