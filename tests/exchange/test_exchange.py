from __future__ import annotations

import hashlib
import sys
import threading
from typing import TYPE_CHECKING

import pytest

import mint
import mint.exchange
from mint.errors import ContentTooLarge, InvalidRequestTarget, ServerClosedRequest, TransportTimeout
from mint.exchange import Answer
from mint.testing import (
    ExpectUntil,
    Flood,
    Request,
    Response,
    ScriptedServer,
    Send,
    Step,
    Wait,
    http2,
    request,
)

from ..examples.serving import PROTOCOLS, Protocol, serving
from .loops import LOOPS, Client, LoopName, call

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

WHOLE = b"".join(bytes([number]) * 250_000 for number in range(12))


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("loop", LOOPS)
def test_requests_with_any_body(loop: LoopName, protocol: Protocol) -> None:
    async def awaited() -> AsyncIterator[bytes]:
        for start in range(0, len(WHOLE), 100_000):
            yield WHOLE[start : start + 100_000]

    def pieces() -> Iterator[bytes]:
        yield b""
        for start in range(0, len(WHOLE), 700_000):
            yield WHOLE[start : start + 700_000]

    asynchronous = () if loop == "blocking" else (call("POST", "/echo", (), awaited()),)
    with serving(protocol) as origin:
        answers = Client(loop, origin.port).run(
            call("POST", "/echo", (), WHOLE),
            call("POST", "/echo", (), pieces()),
            call("POST", "/echo", (("content-length", str(len(WHOLE))),), pieces()),
            call("POST", "/echo", (), [bytearray(WHOLE)]),
            *asynchronous,
            call("POST", "/echo", (), WHOLE, trailers=(("x-t", "1"),)),
        )
        for answer in answers:
            assert isinstance(answer, Answer), answer
            assert (answer.status, answer.content) == (200, WHOLE)
        assert isinstance(answers[-1], Answer)
        assert answers[-1].trailers == (("x-t", "1"),)
        small = Client(loop, origin.port).run(
            call("GET", "/early"),
            call("POST", "/echo", (), b"x"),
            call("POST", "/sink", (), b""),
            call("HEAD", "/"),
        )
        assert isinstance(small[0], Answer)
        assert [each.status for each in small[0].interim] == [103]
        assert [each.content[:1] for each in small if isinstance(each, Answer)] == [b"H", b"x", b"0", b""]
        assert len(origin.peers) == 2


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("loop", LOOPS)
def test_an_answer_before_the_end_of_the_upload(loop: LoopName, protocol: Protocol) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 500_000_000:
            sent += 100_000
            yield bytes(100_000)

    def refusing(given: Request) -> Response:
        return Response(413, (("connection", "close"),) if protocol == "http1" else (), b"too large")

    with serving(protocol, refusing) as origin:
        (answer,) = Client(loop, origin.port).run(call("POST", "/", (), endless()))
    assert isinstance(answer, Answer), answer
    assert (answer.status, answer.content) == (413, b"too large")
    assert sent < 100_000_000


@pytest.mark.parametrize("status", [200, 400, 413, 500])
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("loop", LOOPS)
def test_an_answer_that_ends_only_after_the_upload(loop: LoopName, protocol: Protocol, status: int) -> None:
    def reads_on(given: Request) -> Response:
        def pieces() -> Iterator[bytes]:
            yield b"I have read "
            yield str(len(given.body.read())).encode()

        return Response(status, (), pieces())

    with serving(protocol, reads_on) as origin:
        body = (bytes(100_000) for _ in range(30))
        (answer,) = Client(loop, origin.port).run(call("POST", "/", (), body, timeout=20))
    assert isinstance(answer, Answer), answer
    assert (answer.status, answer.content) == (status, b"I have read 3000000")


@pytest.mark.parametrize("timeout", [3e6, 1e12, sys.float_info.max])
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("loop", LOOPS)
def test_timeouts_of_years(loop: LoopName, protocol: Protocol, timeout: float) -> None:
    """Every wait accepts such a timeout, also one for the socket: the body exceeds the kernel's buffers."""

    def counting(given: Request) -> Response:
        return Response(200, (), str(len(given.body.read())).encode())

    with serving(protocol, counting) as origin:
        body = (bytes(1_000_000) for _ in range(9))
        (answer,) = Client(loop, origin.port).run(call("POST", "/", (), body, timeout=timeout))
    assert isinstance(answer, Answer), answer
    assert answer.content == b"9000000"


@pytest.mark.parametrize("loop", LOOPS)
def test_an_answer_of_a_server_that_stops_reading_and_does_not_close(loop: LoopName) -> None:
    over = threading.Event()
    script: list[Step] = [
        ExpectUntil(b"\r\n\r\n"),
        Send(b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 3\r\n\r\nno!"),
        Wait(over),
    ]
    with ScriptedServer(script, timeout=60) as server:
        (answer,) = Client(loop, server.port, scheme="http").run(
            call("POST", "/", (), bytes(50_000_000), timeout=20)
        )
        over.set()
    assert isinstance(answer, Answer), answer
    assert (answer.status, answer.content) == (413, b"no!")


@pytest.mark.parametrize("loop", LOOPS)
def test_one_deadline_for_a_server_that_neither_reads_nor_answers(loop: LoopName) -> None:
    over = threading.Event()
    with ScriptedServer([ExpectUntil(b"\r\n\r\n"), Wait(over)], timeout=60) as server:
        (error,) = Client(loop, server.port, scheme="http").run(
            call("POST", "/", (), bytes(50_000_000), timeout=0.3)
        )
        over.set()
    assert isinstance(error, TransportTimeout)
    assert isinstance(error.successor, mint.HTTP1)
    assert not error.successor.is_open("read")


@pytest.mark.parametrize("loop", LOOPS)
def test_one_deadline_for_a_server_that_never_ends(loop: LoopName) -> None:
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    with ScriptedServer([request(), Send(head), Flood(b"1\r\nx\r\n" * 1000)], timeout=60) as server:
        (error,) = Client(loop, server.port, scheme="http").run(call("GET", "/", timeout=0.3, max_size=None))
    assert isinstance(error, TransportTimeout)


@pytest.mark.parametrize("loop", LOOPS)
def test_after_a_failure_the_http2_connection_is_used_again(loop: LoopName) -> None:
    ok = ((":status", "200"),)
    script = [
        *http2.handshake(),
        http2.ExpectHeaders(1, (), end=True),
        http2.send(http2.headers(1, ok), http2.data(1, b"x" * 20)),
        http2.expect_reset(1, http2.ErrorCode.CANCEL),
        http2.ExpectHeaders(3, (), end=True),
        http2.send(http2.rst_stream(3, http2.ErrorCode.INTERNAL_ERROR)),
        http2.ExpectHeaders(5, (), end=True),
        http2.expect_reset(5, http2.ErrorCode.CANCEL),
        http2.ExpectHeaders(7, (), end=True),
        http2.send(http2.ping(b"12345678"), http2.headers(7, ok), http2.data(7, b"fine", end=True)),
        http2.ExpectFrame(http2.FrameType.PING),
    ]
    with ScriptedServer(script) as server:
        found = Client(loop, server.port, scheme="http", protocols=("http2",)).run(
            call("GET", "/", max_size=10),
            call("GET", "/"),
            call("GET", "/", timeout=0.2),
            call("GET", "not a target"),
            call("GET", "/"),
        )
    assert [type(each) for each in found] == [
        ContentTooLarge,
        ServerClosedRequest,
        TransportTimeout,
        InvalidRequestTarget,
        Answer,
    ]
    assert isinstance(found[-1], Answer)
    assert found[-1].content == b"fine"


@pytest.mark.parametrize("loop", LOOPS)
def test_pings_and_zero_windows(loop: LoopName) -> None:
    ok = ((":status", "200"),)
    script = [
        *http2.handshake((http2.Setting.INITIAL_WINDOW_SIZE, 0)),
        http2.ExpectHeaders(1, (), end=True),
        http2.send(http2.headers(1, ok, end=True)),
        http2.ExpectHeaders(3, (), end=False),
        http2.send(http2.window_update(3, 3)),
        http2.ExpectData(3, b"con"),
        http2.send(http2.window_update(3, 100), http2.headers(3, ok), http2.data(3, b"early")),
        http2.ExpectData(3, b"tent", end=True),
        http2.send(http2.ping(bytes(8)), http2.data(3, b" and late", end=True)),
        http2.ExpectFrame(http2.FrameType.PING),
    ]
    with ScriptedServer(script) as server:
        _, answer = Client(loop, server.port, scheme="http", protocols=("http2",)).run(
            call("GET", "/"), call("POST", "/", (), b"content")
        )
    assert isinstance(answer, Answer), answer
    assert answer.content == b"early and late"


@pytest.mark.parametrize("loop", LOOPS)
def test_pushes(loop: LoopName) -> None:
    settings = mint.ClientSettings(enable_push=True)
    options = mint.HTTP2Options(client_settings=settings)
    with serving("http2") as origin:
        found = Client(loop, origin.port, http2=options).run(call("GET", "/push"), call("GET", "/bytes/3"))
    assert [each.content[:5] for each in found if isinstance(each, Answer)] == [b"Hello", b"\x00\x01\x02"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("loop", LOOPS)
def test_a_method_that_allows_no_body(loop: LoopName, protocol: Protocol) -> None:
    with serving(protocol) as origin:
        answers = Client(loop, origin.port).run(call("TRACE", "/"), call("GET", "/bytes/3"))
    assert [type(each) for each in answers] == [Answer, Answer]


def test_requests_that_an_exchange_refuses() -> None:
    with serving() as origin:
        conn = mint.connect("https", "localhost", origin.port, tls=Client("blocking", 0)._options["tls"])
        with pytest.raises(ValueError, match="tunnel"):
            mint.exchange.exchange(conn, "CONNECT", "h:1")
        conn, _ = conn.request("GET", "/")
        with pytest.raises(ValueError, match="1 requests are open"):
            mint.exchange.exchange(conn, "GET", "/")
        # The arguments are checked before the state of the connection.
        with pytest.raises(ValueError, match="max_size"):
            mint.exchange.exchange(conn, "GET", "/", max_size=-1)
        conn.close()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_send_body_in_a_loop_of_your_own(protocol: Protocol) -> None:
    with serving(protocol) as origin:
        tls = Client("blocking", 0)._options["tls"]
        with mint.connect("https", "localhost", origin.port, tls=tls) as conn:
            for target in ("/sink", "/echo"):
                collector = mint.exchange.Collector()
                conn, ref = conn.request("POST", target, (), mint.STREAM)
                conn, responses = mint.exchange.send_body(conn, ref, [WHOLE, b"", b"end"], timeout=20)
                ended = collector.feed(responses)
                while ref not in ended:
                    conn, responses = conn.recv(timeout=10)
                    ended |= collector.feed(responses)
                answer = ended[ref]
                assert isinstance(answer, Answer)
                digest = hashlib.sha256(WHOLE + b"end").hexdigest().encode()
                assert digest in answer.content or answer.content == WHOLE + b"end"


def test_send_body_delivers_the_responses_before_an_error() -> None:
    script: list[Step] = [
        ExpectUntil(b"\r\n\r\n"),
        Send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n"),
        ExpectUntil(b"0\r\n\r\n"),
    ]
    with ScriptedServer(script) as server:
        conn = mint.connect("http", server.address, server.port)
        conn, ref = conn.request("POST", "/", (), mint.STREAM)

        def slow() -> Iterator[bytes]:
            nonlocal conn
            yield b"x"
            yield b"z"

        received_meanwhile: list[mint.Response] = []
        conn, kept = mint.exchange.send_body(conn, ref, slow(), received=received_meanwhile.extend)
        assert not kept
        with pytest.raises(mint.TransportError):
            while True:
                conn, responses = conn.recv(timeout=5)
                received_meanwhile += responses
        assert mint.Data(ref, b"x") in received_meanwhile
        conn.close()
        with pytest.raises(ContentTooLarge):
            over = mint.Data(ref, bytes(11))
            fake_limit(over)


def fake_limit(data: mint.Data) -> None:
    link = mint.transport.Memory(reads=True)
    conn = mint.http1.initiate(link, scheme="http", hostname="h", identity=1)
    conn, ref = conn.request("POST", "/", (), mint.STREAM)
    link.put(b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n" + data.data)
    mint.exchange.send_body(conn, ref, [b"x", b"y"], max_size=10)
