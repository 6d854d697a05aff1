"""Scripts for other HTTP clients, with the expected result of each."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn  # arguments of others are passed through

import pytest

from mint.testing import (
    Close,
    Do,
    Drain,
    Expect,
    ExpectCount,
    ExpectEnd,
    ExpectUntil,
    Flood,
    Pause,
    Peer,
    Reset,
    Script,
    ScriptError,
    Send,
    ShutWrite,
    StartTLS,
    Step,
    Wait,
    build,
    bytewise,
    http2,
    optional,
    repeated,
    request,
    trickle,
)
from mint.testing.certificates import Authority

from .clients import Call

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence

    from .clients import Came, Protocol

AUTHORITY: Final = Authority()
STRANGER: Final = Authority()
WITHOUT_URLLIB3: Final = frozenset({"aiohttp", "curl", "httpx", "httpx2", "httpx async"})
"""Clients except urllib3, which treats an informational response as the final one."""
PATIENT, SHORT = 60.0, 3.0
"""Timeouts of a step, in seconds: long if it must succeed, short if it must fail."""

OK: Final = Send(build.response(200, (), b"ok"))
LAST: Final = Send(build.response(200, [("connection", "close")], b"ok"))
GET, GET2 = Call(), Call("/y")
POST = Call(method="POST", body=b"abc")
GOOD: Final[tuple[int, bytes]] = (200, b"ok")


@dataclass(frozen=True)
class Case:
    """Scripts, the calls of a client, the expected failure of the server, and the expected results."""

    name: str
    scripts: Sequence[Sequence[Step] | Script]
    calls: Sequence[Call] = (GET,)
    verdict: str | None = None
    came: Sequence[Came] | None = None
    error: type[BaseException] = ScriptError
    strict: bool = False
    tls: ssl.SSLContext | None = None
    secure: bool = False
    protocol: Protocol = "http1"
    only: frozenset[str] | None = None

    @property
    def timeout(self) -> float:
        return PATIENT if self.verdict is None else SHORT


def no(_: Peer) -> NoReturn:
    raise AssertionError("not this one")


def fail(_: Peer) -> NoReturn:
    pytest.fail("failed in a step")


def answer(peer: Peer) -> None:
    peer.send(build.response(200, (), b"%d" % peer.number))


NEVER: Final = threading.Event()
NO_RESPONSE: Final = (request(), ShutWrite(), ExpectEnd())

PASSING: Final = (
    Case("a GET", [[request(b"^GET /x HTTP/1.1\r\n"), OK]], came=[GOOD]),
    Case("a host", [[request(rb"(?im)^host: localhost:\d+\r$"), OK]], came=[GOOD]),
    Case("a field", [[request(b"(?i)x-test: 1\r\n"), OK]], [Call(headers={"x-test": "1"})], came=[GOOD]),
    Case("a start line", [[Expect(b"GET /x HTTP/1.1\r\n"), ExpectUntil(), OK]], came=[GOOD]),
    Case("a pattern", [[Expect(re.compile(rb"GET /\w HTTP/1\.1\r\n(.+\r\n)+\r\n")), OK]], came=[GOOD]),
    Case("a POST", [[request(b"^POST "), Expect(b"abc"), OK]], [POST], came=[GOOD]),
    Case("a count", [[request(b"(?i)content-length: 3"), ExpectCount(3), OK]], [POST], came=[GOOD]),
    Case("two on one", [[request(b"/x"), OK, request(b"/y"), LAST]], [GET, GET2], came=[GOOD, GOOD]),
    Case("two on two", [[request(b"/x"), LAST], [request(b"/y"), LAST]], [GET, GET2], came=[GOOD, GOOD]),
    Case("chunks", [[request(), Send(build.chunked_response(b"o", b"k"))]], came=[GOOD]),
    Case("trailers", [[request(), Send(build.chunked_response(b"ok", trailers=[("a", "b")]))]], came=[GOOD]),
    Case("byte by byte", [[request(), bytewise(build.response(200, (), b"ok"))]], came=[GOOD]),
    Case("a trickle", [[request(), *trickle(build.response(200, (), b"ok"), 0.01, 10)]], came=[GOOD]),
    Case("a pause", [[request(), Pause(0.2), OK]], came=[GOOD]),
    Case(
        "a HEAD",
        [[request(b"^HEAD "), Send(build.response(200, [("content-length", "5")])), ExpectEnd()]],
        [Call(method="HEAD")],
        came=[(200, b"")],
    ),
    Case("no content", [[request(), Send(build.response(204))]], came=[(204, b"")]),
    Case("not found", [[request(), Send(build.response(404, (), b"no"))]], came=[(404, b"no")]),
    Case(
        "early hints",
        [[request(), Send(build.response(103, [("a", "b")])), OK]],
        came=[GOOD],
        only=WITHOUT_URLLIB3,
    ),
    Case(
        "early hints to urllib3",
        [[request(), Send(build.response(103, [("a", "b")])), OK]],
        came=[(103, b"")],
        only=frozenset({"urllib3"}),
    ),
    Case(
        "content to the end",
        [[request(), Send(build.head("HTTP/1.1 200 OK") + b"ok"), ShutWrite(), ExpectEnd()]],
        came=[GOOD],
    ),
    Case(
        "content cut short", [[request(), Send(build.response(200, (), b"ok")[:-1]), Close()]], came=["error"]
    ),
    Case("a reset", [[request(), Send(build.response(200, (), b"ok")[:-1]), Reset()]], came=["error"]),
    # aiohttp tries an idempotent request again.
    Case("no response", [NO_RESPONSE, optional(NO_RESPONSE)], came=["error"]),
    Case("an endless line", [[request(), Flood(b"HTTP/1.1 200 " + b"a" * 65536)]], came=["error"]),
    Case(
        "a large body",
        [[request(), Send(build.response(200, (), b"x" * 3_000_000))]],
        came=[(200, b"x" * 3_000_000)],
    ),
    Case("a function", [[request(), Do(answer)]], came=[(200, b"1")]),
    Case("nobody for the second", [[request(), OK], optional([request(), OK])], came=[GOOD]),
    Case(
        "a second that may come",
        [[request(), LAST], optional([request(), OK])],
        [GET, GET2],
        came=[GOOD, GOOD],
    ),
    Case("three times the same", [repeated([request(), LAST])], [GET, GET2, GET], came=[GOOD] * 3),
    Case("everything is read", [[request(), Expect(b"abc"), OK]], [POST], came=[GOOD], strict=True),
    Case("what is not read", [[request(), OK]], [POST], came=None),
    Case("the end of the client", [[request(), OK, ExpectEnd()]], came=[GOOD]),
    Case("TLS", [[request(), OK]], came=[GOOD], tls=AUTHORITY.server_context(), secure=True),
    Case(
        "TLS that is not trusted",
        [[StartTLS(STRANGER.server_context(), refused=True)]],
        came=["error"],
        secure=True,
    ),
    Case(
        "TLS that has expired",
        [[StartTLS(AUTHORITY.server_context(expired=True), refused=True)]],
        came=["error"],
        secure=True,
    ),
)

FAILING: Final = (
    Case(
        "another path",
        [[request(b"^GET /other ")]],
        verdict=r"step 1 of 1, ExpectUntil.*pattern was not found.*GET /x",
    ),
    Case("another method", [[request(b"^PUT "), OK]], verdict=r"step 1 of 2.*not found.*PUT.*GET /x"),
    Case(
        "a field that is absent", [[request(b"x-absent: 1"), OK]], verdict=r"step 1 of 2.*not found.*x-absent"
    ),
    Case(
        "another start",
        [[Expect(b"GET /y")]],
        verdict=r"step 1 of 1, Expect\(.*other bytes were received.*GET /y.*GET /x",
    ),
    Case(
        "another body",
        [[request(), Expect(b"abd"), OK]],
        [POST],
        verdict=r"step 2 of 3.*other bytes.*abd.*abc",
    ),
    Case(
        "too little content",
        [[request(), ExpectCount(9), OK]],
        [POST],
        verdict=r"step 2 of 3.*in time.*9 bytes.*abc",
    ),
    Case(
        "another pattern", [[Expect(re.compile(b"POST .*"))]], verdict=r"step 1 of 1.*in time.*POST.*GET /x"
    ),
    Case("no such marker", [[ExpectUntil(b"never")]], verdict=r"step 1 of 1.*in time.*never.*GET /x"),
    Case(
        "one too many",
        [[request(), LAST]],
        [GET, GET2],
        verdict="connection 2 was opened, but there are 1 scripts",
    ),
    Case("one too few", [[request(), OK], [request(), OK]], verdict="1 of 2 scripts got no connection"),
    Case("fewer than repeated", [repeated([request(), LAST], 3)], [GET, GET2], verdict="1 of 3 scripts got"),
    Case(
        "more than repeated",
        [repeated([request(), LAST], 1, 2)],
        [GET, GET2, GET],
        verdict="connection 3 was opened, but",
    ),
    Case(
        "the second of two fails",
        [[request(), LAST], [request(b"/z"), LAST]],
        [GET, GET2],
        verdict=r"connection 2, step 1 of 2.*/z.*GET /y",
    ),
    Case(
        "a request instead of the end",
        [[request(), OK, ExpectEnd()]],
        [GET, GET2],
        verdict=r"step 3 of 3, ExpectEnd.*bytes were received instead.*GET /y",
    ),
    Case(
        "the end instead of a request",
        [[request(), OK, request(b"/y")]],
        verdict=r"step 3 of 3.*the client ended before the expected bytes arrived",
    ),
    Case("a step that disagrees", [[request(), OK, Do(no)]], verdict="not this one", error=AssertionError),
    Case(
        "a step that fails", [[request(), Do(fail)]], verdict="failed in a step", error=pytest.fail.Exception
    ),
    Case("what was not read", [[request(), OK]], [POST], verdict=r"after the last step.*abc", strict=True),
    Case(
        "an event that does not come",
        [[request(), Wait(NEVER)]],
        verdict=r"step 2 of 2, Wait.*not set in time",
    ),
    Case(
        "sending after the end",
        [[request(), OK, Close(), OK]],
        verdict=r"step 4 of 4, Send.*(OSError|Abort|closed)",
    ),
    Case(
        "a handshake that should fail",
        [[StartTLS(AUTHORITY.server_context(), refused=True)]],
        verdict="the client sent more after the TLS handshake",
        secure=True,
    ),
    Case(
        "a handshake that should not fail",
        [[request(), OK]],
        tls=STRANGER.server_context(),
        verdict=r"before the first step: the TLS handshake failed|step 1 of 2",
        secure=True,
    ),
    Case(
        "TLS in place of clear text",
        [[StartTLS(AUTHORITY.server_context())]],
        verdict=r"TLS handshake failed",
    ),
    Case(
        "HTTP/2 was expected",
        [[*http2.handshake()]],
        verdict=r"step 2 of 3, ExpectPreface.*other bytes were received.*PRI.*GET /x",
    ),
)

STATUS: Final = (":status", "200")
WHOLE: Final = http2.send(http2.headers(1, (STATUS,)), http2.data(1, b"ok", end=True))
WHOLE3: Final = http2.send(http2.headers(3, (STATUS,)), http2.data(3, b"ok", end=True))
SHAKE: Final = http2.handshake()
ASK: Final = http2.ExpectHeaders(1, ((":method", "GET"), (":path", "/x")), end=True, any_order=True)
UPLOAD: Final = http2.ExpectHeaders(1, ((":method", "POST"),), end=False)
END: Final = Drain()
LONG: Final = Call(method="POST", body=b"0123456789" * 3)


def over_http2(name: str, *steps: Step, **others: Any) -> Case:
    return Case(name, [[*SHAKE, *steps]], protocol="http2", **others)


PASSING2: Final = (
    over_http2("a GET", ASK, WHOLE, END, came=[GOOD]),
    over_http2(
        "content", UPLOAD, http2.ExpectData(1, b"abc", end=True), WHOLE, END, calls=[POST], came=[GOOD]
    ),
    over_http2(
        "blocks with a table",
        ASK,
        http2.SendHeaders(1, [STATUS, ("x-long", "y" * 50)]),
        http2.send(http2.data(1, b"ok", end=True)),
        http2.ExpectHeaders(3, ((":path", "/y"),)),
        http2.SendHeaders(3, [STATUS, ("x-long", "y" * 50)], padding=3),
        http2.send(http2.data(3, b"ok", end=True)),
        END,
        calls=[GET, GET2],
        came=[GOOD, GOOD],
        only=frozenset({"httpx", "httpx2"}),
    ),
    over_http2(
        "trailers",
        ASK,
        http2.send(
            http2.headers(1, (STATUS,)), http2.data(1, b"ok"), http2.headers(1, (("a", "b"),), end=True)
        ),
        END,
        came=[GOOD],
    ),
    over_http2(
        "padding",
        ASK,
        http2.send(http2.headers(1, (STATUS,), padding=9), http2.data(1, b"ok", end=True, padding=9)),
        END,
        came=[GOOD],
    ),
    over_http2(
        "a ping",
        ASK,
        http2.send(http2.ping(b"01234567")),
        http2.ExpectFrame(http2.FrameType.PING, 0, http2.ACK, b"01234567"),
        WHOLE,
        END,
        came=[GOOD],
    ),
    over_http2(
        "settings",
        ASK,
        http2.send(http2.settings((http2.Setting.INITIAL_WINDOW_SIZE, 70_000))),
        http2.ExpectFrame(http2.FrameType.SETTINGS, 0, http2.ACK),
        WHOLE,
        END,
        came=[GOOD],
    ),
    over_http2(
        "a reset", ASK, http2.send(http2.rst_stream(1, http2.ErrorCode.INTERNAL_ERROR)), END, came=["error"]
    ),
    over_http2(
        "GOAWAY",
        ASK,
        http2.send(http2.goaway(0)),
        ShutWrite(),
        END,
        came=["error"],
        only=frozenset({"httpx", "httpx2", "httpx async"}),
    ),
    Case(
        "uploads at the same time",
        [
            [
                # httpx makes one request at a time until it knows MAX_CONCURRENT_STREAMS.
                *http2.handshake((http2.Setting.MAX_CONCURRENT_STREAMS, 10)),
                http2.Interleaved(
                    http2.ExpectHeaders(1, ((":method", "POST"),)),
                    http2.ExpectData(1, b"abc", end=True),
                    http2.ExpectHeaders(3, ((":method", "POST"),)),
                    http2.ExpectData(3, b"abc", end=True),
                ),
                WHOLE3,
                WHOLE,
                END,
            ]
        ],
        [POST, POST],
        came=[GOOD, GOOD],
        protocol="http2",
        only=frozenset({"httpx async"}),
    ),
    over_http2(
        "a small window",
        ASK,
        # The client may send its request before it reads our first SETTINGS: wait for both acknowledgements.
        http2.send(http2.settings((http2.Setting.INITIAL_WINDOW_SIZE, 10))),
        http2.ExpectFrame(http2.FrameType.SETTINGS, 0, http2.ACK),
        http2.ExpectFrame(http2.FrameType.SETTINGS, 0, http2.ACK),
        WHOLE,
        http2.ExpectHeaders(3, ((":method", "POST"),), end=False),
        http2.ExpectData(3, b"0123456789", end=False),
        http2.send(http2.window_update(3, 20)),
        http2.ExpectData(3, b"0123456789" * 2, end=True),
        WHOLE3,
        END,
        calls=[GET, LONG],
        came=[GOOD, GOOD],
        only=frozenset({"httpx", "httpx2"}),
    ),
)
FAILING2: Final = (
    over_http2(
        "another path",
        http2.ExpectHeaders(1, ((":path", "/z"),)),
        verdict=r"step 4 of 4, ExpectHeaders.*the fields differ.*/z.*/x",
    ),
    over_http2(
        "not these alone",
        http2.ExpectHeaders(1, ((":path", "/x"),), exact=True),
        verdict=r"the fields differ.*nothing else.*:method",
    ),
    over_http2(
        "no end expected", http2.ExpectHeaders(1, end=False), verdict="END_STREAM is True, expected False"
    ),
    over_http2(
        "another stream",
        http2.ExpectHeaders(3),
        verdict=r"another frame was received: HEADERS.*stream 1.*expected: HEADERS on stream 3",
    ),
    over_http2(
        "another frame",
        http2.ExpectFrame(http2.FrameType.PING),
        verdict=r"step 4 of 4, ExpectFrame.*another frame was received: HEADERS",
    ),
    over_http2(
        "other content",
        UPLOAD,
        http2.ExpectData(1, b"abd", end=True),
        calls=[POST],
        verdict=r"step 5 of 5.*the data differ.*abd.*abc",
    ),
    over_http2(
        "more content",
        UPLOAD,
        http2.ExpectData(1, b"abcd", end=True),
        calls=[POST],
        verdict=r"step 5 of 5.*the data differ.*abcd.*abc",
    ),
    over_http2(
        "a frame that does not come",
        ASK,
        http2.ExpectFrame(http2.FrameType.PING),
        verdict=r"step 5 of 5.*did not arrive in time",
    ),
)
CASES: Final = (*PASSING, *FAILING, *PASSING2, *FAILING2)
