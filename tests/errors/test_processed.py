"""`processed` and `conn.after` of errors, for every operation and every kind of failure.

`processed` of an error holds for all requests that it concerns; that of a `RequestFailed` for its own request
only. An error before a request was sent always has `Processed.NO`.
"""

from __future__ import annotations

import asyncio
import itertools
import ssl
from copy import copy
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any  # arguments of others are passed through

import pytest
import trio

import mint
import mint.asyncio
import mint.trio
from mint import errors
from mint.errors import Processed
from mint.testing import ExpectUntil, Origin, Reset, ScriptedServer, showcase
from mint.testing import http2 as h2
from tests.tls import server_context, trusting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NO, MAYBE, YES = Processed
OK = ((":status", "200"),)


def common(outcomes: Sequence[Processed]) -> Processed:
    return outcomes[0] if len(set(outcomes)) == 1 else MAYBE if outcomes else NO


def outcomes_of(responses: Sequence[mint.Response]) -> list[Processed]:
    return [each.error.processed for each in responses if isinstance(each, mint.RequestFailed)]


class Breakable(mint.transport.Memory):
    """A link in memory; once `broken` is set, every call that sends or receives raises it."""

    def __init__(self) -> None:
        super().__init__()
        self.still = False
        self.broken: errors.TransportError | None = None

    def _transmit(self, *, wait: bool) -> None:
        self._check()

    def flush(self, timeout: float | None) -> None:
        self._check()

    def _pull(self, until: float | None, *, wait: bool) -> bytes | None:
        self._check()
        return super()._pull(until, wait=wait)

    def _check(self) -> None:
        if self.broken is not None:
            raise self.broken


def http1(link: mint.transport.Memory) -> mint.HTTP1:
    return mint.http1.initiate(link, scheme="http", hostname="a", identity=1)


def http2(link: mint.transport.Memory) -> mint.HTTP2:
    conn = mint.http2.initiate(link, scheme="http", hostname="a", identity=1)
    link.put(h2.settings().serialize() + h2.settings(ack=True).serialize())
    conn, _ = conn.recv(timeout=0)
    return conn


def upload(conn: mint.Connection) -> object:
    return conn.stream_request_body(mint.RequestRef(1, 1), b"more")


def end(conn: mint.Connection) -> object:
    return conn.stream_request_body(mint.RequestRef(1, 1), mint.Eof())


def only2(operation: Callable[[mint.HTTP2], object]) -> Callable[[mint.Connection], object]:
    def run(conn: mint.Connection) -> object:
        assert isinstance(conn, mint.HTTP2)
        return operation(conn)

    return run


OPERATIONS: dict[str, Callable[[mint.Connection], object]] = {
    "stream_request_body": upload,
    "stream_request_body, end": end,
    "recv": lambda conn: conn.recv(timeout=0),
    "recv, count": lambda conn: conn.recv(5, timeout=0),
    "flush": lambda conn: conn.flush(timeout=0),
}
OPERATIONS2: dict[str, Callable[[mint.Connection], object]] = {
    **OPERATIONS,
    "request": lambda conn: conn.request("GET", "/2"),
    "ping": only2(lambda conn: conn.ping()),
    "cancel_request": only2(lambda conn: conn.cancel_request(mint.RequestRef(1, 1))),
    "put_settings": only2(lambda conn: conn.put_settings(initial_window_size=1)),
    "set_window_size": only2(lambda conn: conn.set_window_size("connection", 2**30)),
}
BREAKS: list[errors.TransportError] = [
    errors.TransportReset(),
    errors.TransportClosed(),
    errors.TransportTimeout("sending"),
    errors.Unreachable("no route"),
    errors.TLSFailed("bad record"),
]
ROWS = [
    *itertools.product(["http1"], OPERATIONS, BREAKS),
    *itertools.product(["http2"], OPERATIONS2, BREAKS),
]


@pytest.mark.parametrize(("protocol", "name", "broken"), ROWS, ids=str)
def test_after_a_broken_wire(protocol: str, name: str, broken: errors.TransportError) -> None:
    link = Breakable()
    conn: mint.Connection = http1(link) if protocol == "http1" else http2(link)
    conn, _ = conn.request("POST", "/", (), mint.STREAM)
    link.broken = copy(broken)
    with pytest.raises(errors.TransportError) as caught:
        OPERATIONS2[name](conn)
    error = caught.value
    after = conn.after(error)
    assert type(after) is type(conn)
    assert not error.local
    if after.is_open("read"):
        assert isinstance(error, errors.TransportTimeout)
        assert after.open_request_count == 1
        assert error.processed is MAYBE
    else:
        assert error.processed is common(outcomes_of(error.responses))
        ended = 0 if name == "cancel_request" else 2 if name == "request" else 1
        assert len(outcomes_of(error.responses)) == ended
    # Errors of the successor have successors too.
    with pytest.raises(errors.MintError) as again:
        after.request("GET", "/")
    assert type(after.after(again.value)) is type(conn)


@pytest.mark.parametrize("protocol", ["http1", "http2"])
@pytest.mark.parametrize("name", [*OPERATIONS2, "set_mode", "stream"])
def test_after_a_refusal_the_value_is_unchanged(protocol: str, name: str) -> None:
    """A superseded value refuses every operation; nothing is sent, so nothing was processed."""
    link = Breakable()
    old: mint.Connection = http1(link) if protocol == "http1" else http2(link)
    old.request("GET", "/")
    closed = mint.Mailbox()
    closed.close()
    operations: dict[str, Callable[[mint.Connection], object]] = {
        **(OPERATIONS if protocol == "http1" else OPERATIONS2),
        "set_mode": lambda conn: conn.set_mode("active", closed),
        "stream": lambda conn: conn.stream(mint.Received(conn.source, 9, b"x")),
    }
    if name not in operations:
        return
    with pytest.raises(errors.MintError) as caught:
        operations[name](old)
    assert caught.value.processed is NO
    assert caught.value.local
    assert old.after(caught.value) == old


# What arrived of the first response, and `processed` of the first request if the connection then ends.
SEEN1 = {
    "nothing": (b"", MAYBE),
    "an interim head": (b"HTTP/1.1 103 Early Hints\r\n\r\n", YES),
    "half a status line": (b"HTTP/1.1 2", YES),
    "a head": (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", YES),
    "half of the content": (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc", YES),
}
ENDS = ("reset", "end", "truncated", "timeout")


@pytest.mark.parametrize("seen", SEEN1)
@pytest.mark.parametrize("how", ENDS)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_http1_requests_that_are_cut_off(seen: str, how: str, count: int) -> None:
    octets, first = SEEN1[seen]
    link = Breakable()
    conn: mint.Connection = http1(link)
    for _ in range(count):
        conn, _ = conn.request("POST", "/")
    if octets:
        link.put(octets)
        conn, _ = conn.recv(timeout=0)
    outcomes = [first] + [MAYBE] * (count - 1)
    check_cut(conn, link, how, outcomes)


def check_cut(conn: mint.Connection, link: Breakable, how: str, outcomes: list[Processed]) -> None:
    if how == "reset":
        link.broken = errors.TransportReset()
    elif how != "timeout":
        link.put_eof(clean=how == "end")
    with pytest.raises(errors.MintError) as caught:
        conn.recv(timeout=0)
    assert caught.value.processed is common(outcomes)
    assert conn.after(caught.value).is_open("read") is (how == "timeout")
    assert outcomes_of(caught.value.responses) == ([] if how == "timeout" else outcomes)


def frames2(*frames: h2.Frame) -> bytes:
    return b"".join(each.serialize() for each in frames)


@pytest.mark.parametrize("seen", list(itertools.product([False, True], repeat=2)), ids=str)
@pytest.mark.parametrize("how", ENDS)
def test_http2_requests_that_are_cut_off(seen: tuple[bool, bool], how: str) -> None:
    link = Breakable()
    conn: mint.Connection = http2(link)
    for stream, is_seen in zip((1, 3), seen, strict=True):
        conn, _ = conn.request("POST", "/")
        if is_seen:
            link.put(frames2(h2.headers(stream, OK)))
            conn, _ = conn.recv(timeout=0)
    check_cut(conn, link, how, [YES if each else MAYBE for each in seen])


BREACH = frames2(h2.data(0, b"x"))
# A GOAWAY with an error code: which of two requests have a response head, its last stream id, `processed` of
# the requests that it refuses, and `processed` of the error.
GOAWAYS = {
    "of none was anything seen": ((False, False), 0, [NO, NO], NO),
    "the first goes on": ((False, False), 1, [NO], MAYBE),
    "the first goes on, and was seen": ((True, False), 1, [NO], MAYBE),
    "both go on": ((False, False), 3, [], MAYBE),
    "both go on, and were seen": ((True, True), 3, [], YES),
}


@pytest.mark.parametrize("row", GOAWAYS)
def test_processed_of_a_goaway_holds_for_all_requests(row: str) -> None:
    seen, last, outcomes, whole = GOAWAYS[row]
    link = Breakable()
    conn: mint.Connection = http2(link)
    for stream, is_seen in zip((1, 3), seen, strict=True):
        conn, _ = conn.request("POST", "/")
        if is_seen:
            link.put(frames2(h2.headers(stream, OK)))
            conn, _ = conn.recv(timeout=0)
    link.put(frames2(h2.goaway(last, 11)))
    with pytest.raises(errors.ServerClosedConnection) as caught:
        conn.recv(timeout=0)
    assert outcomes_of(caught.value.responses) == outcomes
    assert caught.value.processed is whole


@pytest.mark.parametrize("before", ["nothing", "a reset stream", "a complete response"])
@pytest.mark.parametrize("at_once", [False, True], ids=["two reads", "one read"])
def test_processed_does_not_depend_on_how_the_input_is_split(before: str, at_once: bool) -> None:
    """The frames before the violation arrive in the same read or in an earlier one."""
    link = Breakable()
    conn: mint.Connection = http2(link)
    for _ in range(2):
        conn, _ = conn.request("POST", "/")
    first = {
        "nothing": b"",
        "a reset stream": frames2(h2.rst_stream(3, 7)),
        "a complete response": frames2(h2.headers(3, OK, end=True)),
    }[before]
    first += frames2(h2.headers(1, OK))
    if at_once:
        link.put(first + BREACH)
    else:
        link.put(first)
        conn, _ = conn.recv(timeout=0)
        link.put(BREACH)
    with pytest.raises(errors.ProtocolViolation) as caught:
        conn.recv(timeout=0)
    assert caught.value.processed is (MAYBE if before == "nothing" else YES)


@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_without_open_requests_processed_is_no(protocol: str) -> None:
    link = Breakable()
    conn: mint.Connection = http1(link) if protocol == "http1" else http2(link)
    link.put(b"HTTP/1.1 200 OK\r\n\r\n" if protocol == "http1" else BREACH)
    with pytest.raises(errors.HTTPError) as caught:
        conn.recv(timeout=0)
    assert caught.value.processed is NO


# -- connecting

CERTIFIED = server_context("localhost")
UNKNOWING = server_context("localhost", alpn=("http/1.1",))
WEAK = server_context("localhost", alpn=("h2",))
WEAK.maximum_version = ssl.TLSVersion.TLSv1_2
WEAK.set_ciphers("ECDHE+AES128:!AESGCM:!AESCCM")


def without_protocols(connect: Callable[..., object]) -> Callable[..., object]:
    def run(*given: Any, **more: Any) -> object:
        more.pop("protocols", None)
        return connect(*given, **more)

    return run


def in_asyncio(*given: Any, **more: Any) -> None:
    asyncio.run(mint.asyncio.connect(*given, **more))


def in_trio(*given: Any, **more: Any) -> None:
    trio.run(partial(mint.trio.connect, *given, **more))


CONNECTS: dict[str, Callable[..., object]] = {
    "connect": mint.connect,
    "asyncio": in_asyncio,
    "trio": in_trio,
    "http1": without_protocols(mint.http1.connect),
    "http2": without_protocols(mint.http2.connect),
}
H2 = {"protocols": ("http2",)}
FAILURES: dict[str, tuple[ssl.SSLContext, dict[str, Any]]] = {
    "no ALPN": (CERTIFIED, {"tls": trusting(), **H2}),
    "another ALPN": (UNKNOWING, {"tls": trusting(), **H2}),
    "weak TLS": (WEAK, {"tls": replace(trusting(), ciphers="ECDHE+AES128"), **H2}),
    "not trusted": (CERTIFIED, {}),
    "another name": (CERTIFIED, {"tls": trusting(), "hostname": "other.test"}),
    "no file": (CERTIFIED, {"tls": mint.TLSOptions(ca_file="/nowhere.pem")}),
}


@pytest.mark.parametrize("loop", CONNECTS)
@pytest.mark.parametrize("row", FAILURES)
def test_processed_of_every_connect_error_is_no(loop: str, row: str) -> None:
    context, options = FAILURES[row]
    if loop == "http1" and options.get("protocols"):
        return  # `http1.connect` offers no HTTP/2
    with Origin(showcase, tls=context) as origin:
        with pytest.raises(errors.MintError) as caught:
            CONNECTS[loop]("https", "127.0.0.1", origin.port, **{"hostname": "localhost", **options})
        assert caught.value.processed is NO


class Dead(mint.transport.Memory):
    """A link in memory on which every send fails."""

    def __init__(self) -> None:
        super().__init__()
        self.still = False

    def _transmit(self, *, wait: bool) -> None:
        raise errors.TransportReset


def test_if_the_preface_cannot_be_sent_processed_is_no() -> None:
    with pytest.raises(errors.TransportReset) as caught:
        mint.http2.initiate(Dead(), scheme="http", hostname="a")
    assert caught.value.processed is NO


# -- `flush` of the event loops, with a server that reads no content and then resets the connection


STUBBORN = [ExpectUntil(b"\r\n\r\n"), Reset()]
MUCH = bytes(16_777_216)


async def flush_fails(connect: Any, flush: Any, port: int) -> None:
    conn: mint.Connection = await connect("http", "127.0.0.1", port)
    with conn:
        conn, ref = conn.request("POST", "/", (), mint.STREAM, flush=False)
        conn = conn.stream_request_body(ref, MUCH, flush=False)
        for _ in range(2):
            with pytest.raises(errors.TransportClosed) as caught:
                await flush(conn)
            assert conn.after(caught.value) == conn
            assert conn.after(caught.value).open_request_count == 1
            assert caught.value.processed is MAYBE


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_after_a_failed_flush(loop: str) -> None:
    with ScriptedServer(STUBBORN) as server:
        if loop == "asyncio":
            asyncio.run(flush_fails(mint.asyncio.connect, mint.asyncio.flush, server.port))
        else:
            trio.run(flush_fails, mint.trio.connect, mint.trio.flush, server.port)
