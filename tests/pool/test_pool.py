from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

import pytest

import mint
from mint.errors import ContentTooLarge, PoolClosed, TransportTimeout
from mint.pool import PoolOptions, Timeouts
from mint.testing import (
    Close,
    Drain,
    ExpectUntil,
    Request,
    Reset,
    Response,
    ScriptedServer,
    Send,
    Set,
    ShutWrite,
    Step,
    Wait,
    http2,
    request,
)

from ..examples.serving import PROTOCOLS, Protocol, serving
from .pools import LOOPS, Client, LoopName, play

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mint.exchange import Answer

PAGE = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
OK = ((":status", "200"),)
H2 = {"protocols": ("http2",)}


def url(server: object, path: str = "/") -> str:
    scheme = "https" if not isinstance(server, ScriptedServer) else "http"
    host = "localhost" if scheme == "https" else "127.0.0.1"
    return f"{scheme}://{host}:{server.port}{path}"  # type: ignore[attr-defined]  # all have a port


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("loop", LOOPS)
def test_a_connection_is_used_again(loop: LoopName, protocol: Protocol) -> None:
    with serving(protocol) as origin:

        async def scenario(client: Client) -> None:
            for size in (0, 1, 70_000):
                answer = await client.pool.request("GET", url(origin, f"/bytes/{size}"))
                assert (answer.status, len(answer.content)) == (200, size)
            for body in (b"x", b"x" * 2_000_000, [b"abc"] * 1000):
                answer = await client.pool.request("POST", url(origin, "/echo"), (), body)
                assert answer.content == b"".join(body) if isinstance(body, list) else body
            found = client.pool.statistics
            assert (found.opened, found.idle, found.active, found.waiting) == (1, 1, 0, 0)
            assert (found.requests, found.retries) == (6, 0)

        play(loop, scenario)
        assert len(origin.peers) == 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("loop", LOOPS)
def test_many_at_once(loop: LoopName, protocol: Protocol) -> None:
    with serving(protocol) as origin:

        async def scenario(client: Client) -> None:
            async def work(number: int) -> int:
                done = 0
                for size in range(number, 60_000, 6_000):
                    answer = await client.pool.request("GET", url(origin, f"/bytes/{size}"))
                    done += len(answer.content) == size
                return done

            found = await client.together(*(lambda each=each: work(each) for each in range(8)))
            assert found == [10] * 8
            statistics = client.pool.statistics
            assert statistics.active == statistics.waiting == statistics.retries == 0

        play(loop, scenario, options=PoolOptions(max_per_origin=3))
        assert len(origin.peers) == (1 if protocol == "http2" else 3)


@pytest.mark.parametrize("loop", LOOPS)
def test_servers_that_close_after_each_response_without_announcing_it(loop: LoopName) -> None:
    scripts: list[list[Step]] = [[ExpectUntil(b"\r\n\r\n"), Send(PAGE), Close()] for _ in range(60)]
    with ScriptedServer(*scripts) as server:

        async def scenario(client: Client) -> None:
            async def work() -> int:
                done = 0
                for _ in range(15):
                    done += (await client.pool.request("GET", url(server))).content == b"hello"
                return done

            assert await client.together(*[work] * 4) == [15] * 4

        play(loop, scenario, options=PoolOptions(retry_idempotent=True, max_retries=50))


@pytest.mark.parametrize("loop", LOOPS)
def test_a_connection_that_pinged_and_closed_is_not_used(loop: LoopName) -> None:
    closed = threading.Event()
    first = [
        *http2.handshake(),
        http2.ExpectHeaders(1),
        http2.send(http2.headers(1, OK, end=True)),
        http2.send(http2.ping(bytes(8)), http2.ping(b"1" * 8)),
        # Not a full close: with unread data it would send a reset, perhaps before the response is read.
        ShutWrite(),
        Set(closed),
        Drain(),
    ]
    second = [*http2.handshake(), http2.ExpectHeaders(1), http2.send(http2.headers(1, OK, end=True)), Drain()]
    with ScriptedServer(first, second) as server:

        async def scenario(client: Client) -> None:
            assert (await client.pool.request("POST", url(server), (), b"x")).status == 200
            await client.event(closed)
            assert (await client.pool.request("POST", url(server), (), b"x")).status == 200
            assert client.pool.statistics.retries == 0

        play(loop, scenario, **H2)


@pytest.mark.parametrize("loop", LOOPS)
def test_draining_after_goaway(loop: LoopName) -> None:
    told = threading.Event()
    first = [
        *http2.handshake(),
        http2.ExpectHeaders(1),
        http2.send(http2.headers(1, OK), http2.goaway(1)),
        Wait(told),
        http2.send(http2.data(1, b"whole", end=True)),
        Drain(),
    ]
    second = [
        *http2.handshake(),
        http2.ExpectHeaders(1),
        Set(told),
        http2.send(http2.headers(1, OK, end=True)),
        Drain(),
    ]
    with ScriptedServer(first, second) as server:

        async def scenario(client: Client) -> None:
            async with await client.pool.stream("GET", url(server)) as streamed:
                assert (await client.pool.request("POST", url(server), (), b"x")).status == 200
                assert await streamed.read() == b"whole"
            found = client.pool.statistics
            assert (found.connections, found.opened, found.retries) == (1, 2, 0)

        play(loop, scenario, **H2)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("loop", LOOPS)
def test_a_request_that_the_server_did_not_process_is_sent_again(loop: LoopName, method: str) -> None:
    script = [
        *http2.handshake(),
        http2.ExpectHeaders(1),
        http2.send(http2.rst_stream(1, http2.ErrorCode.REFUSED_STREAM)),
        http2.ExpectHeaders(3),
        http2.send(http2.headers(3, OK, end=True)),
        Drain(),
    ]
    with ScriptedServer(script) as server:

        async def scenario(client: Client) -> None:
            assert (await client.pool.request(method, url(server))).status == 200
            assert client.pool.statistics.retries == 1

        play(loop, scenario, **H2)


@pytest.mark.parametrize(
    ("method", "asked", "again"), [("GET", True, True), ("GET", False, False), ("POST", True, False)]
)
@pytest.mark.parametrize("loop", LOOPS)
def test_a_request_that_the_server_may_have_processed(
    loop: LoopName, method: str, asked: bool, again: bool
) -> None:
    scripts: list[list[Step]] = [[request(), Send(PAGE), request(), Reset()], [request(), Send(PAGE)]]
    with ScriptedServer(*scripts[: 1 + again]) as server:

        async def scenario(client: Client) -> None:
            assert (await client.pool.request("GET", url(server))).content == b"hello"
            if again:
                assert (await client.pool.request(method, url(server))).content == b"hello"
                return
            with pytest.raises(mint.TransportError) as caught:
                await client.pool.request(method, url(server))
            assert caught.value.processed is mint.Processed.MAYBE

        play(loop, scenario, options=PoolOptions(retry_idempotent=asked))


@pytest.mark.parametrize("status", [200, 400, 413, 500])
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("loop", LOOPS)
def test_an_answer_that_ends_only_after_the_upload(loop: LoopName, protocol: Protocol, status: int) -> None:
    def reads_on(received: Request) -> Response:
        def pieces() -> Iterator[bytes]:
            yield b"I have read "
            yield str(len(received.body.read())).encode()

        return Response(status, (), pieces())

    with serving(protocol, reads_on) as server:

        async def scenario(client: Client) -> None:
            for body in (bytes(3_000_000), (bytes(100_000) for _ in range(30))):
                answer = await client.pool.request("POST", url(server), (), body, timeout=20)
                assert (answer.status, answer.content) == (status, b"I have read 3000000")

        play(loop, scenario)


@pytest.mark.parametrize("loop", LOOPS)
def test_an_answer_of_a_server_that_stops_reading(loop: LoopName) -> None:
    over = threading.Event()
    first: list[Step] = [
        ExpectUntil(b"\r\n\r\n"),
        Send(b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 3\r\n\r\nno!"),
        Wait(over),
    ]
    with ScriptedServer(first, [request(), Send(PAGE)], timeout=60) as server:

        async def scenario(client: Client) -> None:
            answer = await client.pool.request("POST", url(server), (), bytes(50_000_000))
            assert (answer.status, answer.content) == (413, b"no!")
            # The rest of that body can never be sent, so the connection is not used again.
            assert (await client.pool.request("GET", url(server))).content == b"hello"
            over.set()

        play(loop, scenario)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("loop", LOOPS)
def test_both_directions_at_once(loop: LoopName, protocol: Protocol) -> None:
    pieces = [bytes([number]) * 100_000 for number in range(40)]
    with serving(protocol) as origin:

        async def scenario(client: Client) -> None:
            streamed = await client.pool.stream("POST", url(origin, "/echo"), (), mint.STREAM)

            async def send() -> None:
                for piece in pieces:
                    assert await streamed.send(piece)
                await streamed.send_end((("x-t", "1"),))

            async def receive() -> bytes:
                await streamed.receive_head()
                assert streamed.status == 200
                return await streamed.read()  # type: ignore[no-any-return]  # of any pool

            async with streamed:
                nothing, content = await client.together(send, receive)
                assert nothing is None
                assert content == b"".join(pieces)
                assert streamed.trailers == (("x-t", "1"),)
            assert client.pool.statistics.idle == 1

        play(loop, scenario)


@pytest.mark.parametrize("loop", LOOPS)
def test_an_answer_while_somebody_else_sends(loop: LoopName) -> None:
    """While the sender waits, it reads the answer for which another thread or task waits."""
    over, full = threading.Event(), threading.Event()
    script: list[Step] = [
        ExpectUntil(b"\r\n\r\n"),
        Wait(full),
        Send(b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 3\r\n\r\nno!"),
        Wait(over),
    ]
    with ScriptedServer(script, timeout=60) as server:

        async def scenario(client: Client) -> None:
            fields = (("content-length", "500000000"),)
            streamed = await client.pool.stream("POST", url(server), fields, mint.STREAM, timeout=10)

            async def send() -> bool:
                sent = 0
                while await streamed.send(bytes(65_536)):
                    sent += 65_536
                    if sent > 500_000:
                        full.set()
                return True

            async def receive() -> bytes:
                await streamed.receive_head()
                return await streamed.read()  # type: ignore[no-any-return]  # of any pool

            async with streamed:
                assert await client.together(send, receive) == [True, b"no!"]
            over.set()

        play(loop, scenario)


@pytest.mark.parametrize("high_water", [1, 10_000, 1_048_576])
@pytest.mark.parametrize("loop", LOOPS)
def test_a_request_that_waits_to_send_does_not_block_others(loop: LoopName, high_water: int) -> None:
    """The server stops reading; with any `high_water`, the other request still ends at its timeout."""
    wide, over = threading.Event(), threading.Event()
    window = 100_000_000
    script = [
        *http2.handshake((4, window)),
        http2.send(http2.window_update(0, window)),
        http2.ExpectHeaders(1),
        Set(wide),
        Wait(over),
    ]
    with ScriptedServer(script, timeout=20) as server:

        async def scenario(client: Client) -> None:
            async def first() -> None:
                with pytest.raises(PoolClosed):
                    await client.pool.request("POST", url(server), (), bytes(50_000_000), timeout=None)

            async def second() -> None:
                await client.event(wide)
                with pytest.raises(TransportTimeout):
                    await client.pool.request("POST", url(server), (), bytes(1_000), timeout=0.3)
                over.set()
                client.pool.close()

            assert await client.together(first, second) == [None, None]

        tcp = mint.TCPOptions(high_water=high_water, send_timeout=None)
        play(loop, scenario, options=PoolOptions(max_per_origin=1), tcp=tcp, **H2)


@pytest.mark.parametrize("timeout", [3e6, 1e12, sys.float_info.max])
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("loop", LOOPS)
def test_timeouts_of_years(loop: LoopName, protocol: Protocol, timeout: float) -> None:
    """Every wait accepts such a timeout, also one for the socket: the body exceeds the kernel's buffers."""

    def counting(given: Request) -> Response:
        return Response(200, (), str(len(given.body.read())).encode())

    with serving(protocol, counting) as origin:

        async def scenario(client: Client) -> None:
            answer = await client.pool.request("POST", url(origin), (), bytes(9_000_000), timeout=timeout)
            assert answer.content == b"9000000"

        play(loop, scenario)


@pytest.mark.parametrize("loop", LOOPS)
def test_an_answer_that_is_read_slowly_does_not_block_others(loop: LoopName) -> None:
    size = 30_000_000
    with serving("http2") as origin:

        async def scenario(client: Client) -> None:
            async with await client.pool.stream("GET", url(origin, f"/bytes/{size}")) as slow:
                for number in range(200):
                    answer = await client.pool.request("GET", url(origin, f"/bytes/{number * 100}"))
                    assert len(answer.content) == number * 100
                held = slow._stream.buffered
                assert held <= 4_194_304 + PoolOptions().buffer_size
                assert len(await slow.read()) == size
            assert client.pool.statistics.opened == 1

        play(loop, scenario)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("loop", LOOPS)
def test_cancelling_a_request_does_not_affect_others(loop: LoopName, protocol: Protocol) -> None:
    with serving(protocol) as origin:

        async def scenario(client: Client) -> None:
            async with await client.pool.stream("GET", url(origin, "/bytes/3000000")) as kept:
                with pytest.raises(ContentTooLarge):
                    await client.pool.request("GET", url(origin, "/bytes/1000000"), max_size=1000)
                async with await client.pool.stream("GET", url(origin, "/bytes/10000000")) as dropped:
                    assert await dropped.receive()
                assert len(await kept.read()) == 3_000_000
            answer = await client.pool.request("GET", url(origin, "/bytes/10"))
            assert len(answer.content) == 10
            found = client.pool.statistics
            assert (found.active, found.waiting) == (0, 0)
            assert found.opened == (1 if protocol == "http2" else 3)

        play(loop, scenario)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_server_that_no_longer_answers_pings(loop: LoopName) -> None:
    over = threading.Event()
    script = [*http2.handshake(), http2.ExpectHeaders(1), http2.ExpectFrame(http2.FrameType.PING), Wait(over)]
    with ScriptedServer(script) as server:

        async def scenario(client: Client) -> None:
            with pytest.raises(TransportTimeout, match="PING") as caught:
                await client.pool.request("GET", url(server))
            assert caught.value.processed is mint.Processed.MAYBE
            over.set()

        play(loop, scenario, options=PoolOptions(ping_interval=0.05, ping_timeout=1), **H2)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_server_that_is_slow_and_answers_pings(loop: LoopName) -> None:
    def answer(payload: http2.Conversation) -> http2.SendFrames:
        return http2.send(http2.ping(payload.frames[-1].payload, ack=True))

    pong = http2.send(http2.ping(bytes(8), ack=True))
    ping = http2.ExpectFrame(http2.FrameType.PING)
    script = [
        *http2.handshake(),
        http2.ExpectHeaders(1),
        *(ping, pong) * 3,
        http2.send(http2.headers(1, OK, end=True)),
        *(ping, pong),
        http2.ExpectHeaders(3),
        http2.send(http2.headers(3, OK, end=True)),
        Drain(),
    ]
    with ScriptedServer(script) as server:

        async def scenario(client: Client) -> None:
            assert (await client.pool.request("GET", url(server))).status == 200
            ends = threading.Event()
            threading.Timer(0.2, ends.set).start()
            await client.event(ends)
            # After a silence the server must answer a PING before the connection is used again.
            assert (await client.pool.request("POST", url(server))).status == 200

        play(loop, scenario, options=PoolOptions(ping_interval=0.1, ping_timeout=10), **H2)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_wait_for_a_connection_has_a_limit(loop: LoopName) -> None:
    asked, over = threading.Event(), threading.Event()
    with ScriptedServer([request(), Set(asked), Wait(over), Send(PAGE)], timeout=60) as server:

        async def scenario(client: Client) -> None:
            async def first() -> None:
                assert (await client.pool.request("GET", url(server))).content == b"hello"

            async def second() -> None:
                await client.event(asked)
                with pytest.raises(TransportTimeout) as caught:
                    await client.pool.request("GET", url(server), timeout=Timeouts(pool=0.1))
                assert caught.value.phase == "waiting for a connection of the pool"
                assert caught.value.processed is mint.Processed.NO
                over.set()

            assert await client.together(first, second) == [None, None]

        play(loop, scenario, options=PoolOptions(max_per_origin=1))


@pytest.mark.parametrize("loop", LOOPS)
def test_a_wait_for_a_response_has_a_limit(loop: LoopName) -> None:
    over = threading.Event()
    with ScriptedServer([request(), Wait(over)], timeout=60) as server:

        async def scenario(client: Client) -> None:
            with pytest.raises(TransportTimeout) as caught:
                await client.pool.request("GET", url(server), timeout=Timeouts(read=0.1))
            assert caught.value.processed is not mint.Processed.NO
            over.set()

        play(loop, scenario, options=PoolOptions(max_per_origin=1))


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("loop", LOOPS)
def test_closing_ends_every_wait(loop: LoopName, protocol: Protocol) -> None:
    began = threading.Event()
    over = threading.Event()

    def hanging(given: Request) -> Response:
        began.set()
        over.wait(20)
        return Response(200)

    with serving(protocol, hanging) as origin:

        async def scenario(client: Client) -> None:
            async def ask() -> Answer:
                return await client.pool.request("GET", url(origin))  # type: ignore[no-any-return]  # Answer

            async def close() -> None:
                await client.event(began)
                client.pool.close()
                over.set()

            found = await client.together(*[ask] * 6, close)
            assert [type(each) for each in found] == [PoolClosed] * 6 + [type(None)]
            with pytest.raises(PoolClosed):
                await ask()

        play(loop, scenario, options=PoolOptions(max_per_origin=2))


@pytest.mark.parametrize("loop", LOOPS)
def test_age_and_idle_limits(loop: LoopName) -> None:
    with serving() as origin:

        async def scenario(client: Client) -> None:
            for _ in range(3):
                await client.pool.request("GET", url(origin))
            assert client.pool.statistics.opened == 3
            assert client.pool.statistics.connections == 0

        play(loop, scenario, options=PoolOptions(max_age=0))
        play(loop, scenario, options=PoolOptions(idle_timeout=0))


@pytest.mark.parametrize("limits", [PoolOptions(idle_timeout=50.0), PoolOptions(max_age=50.0)])
@pytest.mark.parametrize("loop", LOOPS)
def test_expired_connections_count_until_the_next_request(loop: LoopName, limits: PoolOptions) -> None:
    with serving() as first, serving() as second:

        async def scenario(client: Client) -> None:
            await client.pool.request("GET", url(first))
            state = client.pool._state
            clock = state.clock
            state.clock = state._loop.clock = lambda: clock() + 100
            found = client.pool.statistics
            assert (found.connections, found.idle, found.draining, found.opened) == (1, 1, 0, 1)
            await client.pool.request("GET", url(second))
            found = client.pool.statistics
            assert (found.connections, found.idle, found.opened) == (1, 1, 2)
            assert [origin.port for origin in found.by_origin] == [second.port]

        play(loop, scenario, options=limits)


@pytest.mark.parametrize("loop", LOOPS)
def test_an_origin_that_refuses_connections(loop: LoopName) -> None:
    with serving() as origin:
        nowhere = url(origin)

    async def scenario(client: Client) -> None:
        async def ask() -> Answer:
            return await client.pool.request("GET", nowhere)  # type: ignore[no-any-return]  # Answer

        found = await client.together(*[ask] * 5)
        assert {type(each) for each in found} == {mint.errors.ConnectionRefused}
        assert client.pool.statistics.connections == client.pool.statistics.waiting == 0

    play(loop, scenario)


def test_invalid_requests_are_refused() -> None:
    with mint.pool.Pool() as pool:
        for given, error in (
            (("GET", "/no/origin"), ValueError),
            (("CONNECT", "http://h:1/"), ValueError),
            (("POST", "http://h/", (), "text"), TypeError),
        ):
            with pytest.raises(error):
                pool.request(*given)


def pieces() -> Iterator[bytes]:
    yield b"once"


@pytest.mark.parametrize("loop", LOOPS)
def test_a_body_that_was_partly_sent_is_not_sent_again(loop: LoopName) -> None:
    script = [
        *http2.handshake(),
        http2.ExpectHeaders(1),
        http2.ExpectData(1, b"once"),
        http2.send(http2.rst_stream(1, http2.ErrorCode.REFUSED_STREAM)),
        # More of the body may arrive: closing with unread data would reset the connection.
        Drain(),
    ]
    with ScriptedServer(script) as server:

        async def scenario(client: Client) -> None:
            with pytest.raises(mint.HTTPError) as caught:
                await client.pool.request("POST", url(server), (), pieces())
            assert caught.value.processed is mint.Processed.NO

        play(loop, scenario, **H2)
