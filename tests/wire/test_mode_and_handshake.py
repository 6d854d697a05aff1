"""Changes of the mode, octets that a handshake leaves in the layers, and the start and end of tunnels."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest

import mint
import mint.asyncio
import mint.trio
from mint import errors
from mint._loops.shared import TunnelLink
from mint._wire.pipe import Pipe, Reading
from mint.testing import Forever, Origin, Request, Response, ScriptedServer, http2
from mint.testing.frames import data, headers, ping
from mint.transport import Memory

from ..event_loops import fetch as fetch_in_loop
from ..inboxes import Box
from ..loops.test_async_loops import EVENT_LOOPS, EventLoop
from ..routes import HTTPProxy, Narrow, fetch
from ..tls import server_context, trusting
from .test_pipe import Turning

if TYPE_CHECKING:
    from mint.types import Inbox, ProtocolName, Scheme

OPEN = ((":status", "200"),)
PAGE = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"


def opened(box: Inbox | None = None) -> tuple[mint.HTTP1, Memory]:
    link = Memory()
    return mint.http1.initiate(link, scheme="http", hostname="h", mailbox=box), link


# -- changes of the mode


@pytest.mark.parametrize(("armed", "wanted", "was", "becomes"), [*product([False, True], repeat=4)])
def test_a_change_of_the_mode_resets_its_state(armed: bool, wanted: bool, was: bool, becomes: bool) -> None:
    """The state of the previous mailbox is reset, and the next mailbox is asked once."""
    first, second = Box(), Box()
    conn, link = opened(first if was else None)
    first.calls.clear()
    link.armed, link.wanted = armed, wanted
    conn.set_mode("active", second) if becomes else conn.set_mode("passive")
    assert link.armed is becomes
    assert link.wanted is False
    assert first.calls == (["unwatch"] if was else [])
    assert second.calls == (["watch"] if becomes else [])


@pytest.mark.parametrize("armed", [False, True])
@pytest.mark.parametrize("wanted", [False, True])
def test_a_connection_that_is_closed_for_reading_asks_no_mailbox(armed: bool, wanted: bool) -> None:
    conn, link = opened()
    link.put_eof()
    conn, _ = conn.recv()
    assert not conn.is_open("read")
    link.armed, link.wanted = armed, wanted
    box = Box()
    conn.set_mode("active", box)
    assert (link.armed, link.wanted, box.calls) == (False, False, [])


def test_a_passive_connection_does_not_call_a_mailbox() -> None:
    box = Box()
    conn, link = opened(box)
    conn, _ = conn.request("GET", "/")
    conn = conn.set_mode("passive")
    box.calls.clear()
    link.put(PAGE)
    conn, responses = conn.recv()
    assert isinstance(responses[-1], mint.Done)
    assert box.calls == []


def test_a_mailbox_that_found_an_operation_in_progress_is_not_asked_again() -> None:
    first, second = Box(), Box()
    conn, link = opened(first)
    link.wanted = True  # as if the mailbox had found an operation in progress, which ends with `set_mode`
    conn = conn.set_mode("active", second)
    second.calls.clear()
    conn, _ = conn.request("GET", "/")
    assert second.calls.count("watch") <= 1  # only for octets that wait to be written
    link.take()
    second.calls.clear()
    conn.set_mode("passive")
    assert second.calls == ["unwatch"]


# -- octets that a handshake leaves


def turning(came: bytes = b"", owed: bytes = b"") -> Turning:
    layer = Turning()
    layer.came, layer.left = bytes(each ^ 255 for each in came), owed
    return layer


@pytest.mark.parametrize("octets", [b"", b"first"])
@pytest.mark.parametrize("owed", [b"", b"answer"])
def test_replies_to_octets_of_the_handshake_are_sent_without_more_input(octets: bytes, owed: bytes) -> None:
    pipe = Pipe((turning(b"inside", owed),))
    pipe.begin(octets)
    assert b"".join(pipe._arrived) == octets + b"inside"
    assert b"".join(pipe.to_write()) == owed
    assert pipe._reading == Reading.OPEN


def test_replies_of_an_inner_layer_go_through_the_outer_one() -> None:
    outer, inner = turning(), turning(owed=b"answer")
    pipe = Pipe((outer, inner))
    pipe.begin()
    assert b"".join(pipe.to_write()) == bytes(each ^ 255 for each in b"answer")


def test_octets_of_the_outer_layer_go_through_the_inner_one() -> None:
    outer, inner = Narrow(), turning()
    outer.came = bytes(each ^ 255 for each in b"early")
    pipe = Pipe((outer, inner))
    pipe.begin()
    assert b"".join(pipe._arrived) == b"early"


@pytest.mark.parametrize(("clean", "reading"), [(True, Reading.ENDED), (False, Reading.CUT)])
def test_an_end_that_arrives_with_the_handshake_is_noticed(clean: bool, reading: int) -> None:
    layer = turning(b"last words")
    layer.ended, layer.clean_end = True, clean
    pipe = Pipe((layer,))
    pipe.begin()
    assert b"".join(pipe._arrived) == b"last words"
    assert pipe._reading == reading


@pytest.mark.parametrize("shared", [False, True])
def test_a_ping_with_the_response_of_a_proxy_is_answered_before_other_output(
    shared: bool,
) -> None:
    answered = http2.ExpectFrame(http2.FrameType.PING, 0, flags=1, payload=b"are you?")
    through = http2.ExpectFrame(http2.FrameType.DATA, 1)
    steps = [
        *(*http2.handshake(), http2.ExpectHeaders(1)),
        http2.send(headers(1, ((":status", "200"),)), ping(b"are you?")),
        *(answered, through, http2.send(data(1, PAGE)), Forever()),
    ]
    with ScriptedServer(steps) as server:
        if shared:
            first = mint.http2.connect("http", server.address, server.port)
            with mint.Tunnels(first) as tunnels:
                assert fetch(tunnels.connect("http", "one.example", 80)) == (200, b"hi")
        else:
            way = mint.Proxy("http", server.address, server.port, protocols=("http2",), tunnel=True)
            assert fetch(mint.connect("http", "one.example", 80, proxy=way)) == (200, b"hi")


# -- a handshake larger than the window of its tunnel


def serve(_: Request) -> Response:
    return Response(200, (), b"hello")


@pytest.mark.parametrize("window", [1, 7, 100])
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_a_handshake_larger_than_the_window(window: int, shared: bool, protocol: ProtocolName) -> None:
    tls = server_context(alpn=("h2", "http/1.1"))
    proxy = HTTPProxy()
    with (
        Origin(serve, tls=tls) as origin,
        Origin(proxy, settings={4: window}, protocols=("http2",)) as between,
    ):
        where: tuple[Scheme, str, int] = ("https", "127.0.0.1", origin.port)
        if shared:
            first = mint.http2.connect("http", between.address, between.port)
            with mint.Tunnels(first) as tunnels:
                conn = tunnels.connect(*where, protocols=[protocol], tls=trusting())
                assert fetch(conn) == (200, b"hello")
        else:
            way = mint.Proxy("http", between.address, between.port, protocols=("http2",), tunnel=True)
            conn = mint.connect(*where, protocols=[protocol], tls=trusting(), proxy=way)
            assert fetch(conn) == (200, b"hello")
        assert len(proxy.requests) == 1


@pytest.mark.parametrize("window", [1, 100])
@pytest.mark.parametrize("name", EVENT_LOOPS)
def test_a_handshake_larger_than_the_window_in_an_event_loop(name: str, window: int) -> None:
    loop: EventLoop = EVENT_LOOPS[name]
    tunnels_of: type[mint.asyncio.Tunnels] = mint.trio.Tunnels if name == "trio" else mint.asyncio.Tunnels
    tls = server_context(alpn=("h2", "http/1.1"))

    async def main(origin: Origin, between: Origin) -> None:
        where = (between.address, between.port)
        first = await loop.connect("http", *where, protocols=("http2",))
        assert isinstance(first, mint.HTTP2)
        with tunnels_of(first) as tunnels, loop.mailbox() as mailbox:
            conn = await tunnels.connect(
                *("https", "127.0.0.1", origin.port), tls=trusting(), mailbox=mailbox
            )
            conn, body = await fetch_in_loop(conn, mailbox, "/")
            assert body == b"hello"
            conn.close()

    with Origin(serve, tls=tls) as origin, Origin(HTTPProxy(), settings={4: window}) as between:
        loop.run(main(origin, between))


# -- the end of a tunnel


@pytest.mark.parametrize("finished", [False, True])
def test_closing_a_tunnel_sends_a_reset_unless_it_has_ended(finished: bool) -> None:
    steps = [
        *(*http2.handshake(), http2.ExpectHeaders(1), http2.send(headers(1, OPEN))),
        *(http2.ExpectFrame(http2.FrameType.DATA, 1), http2.send(data(1, PAGE, end=finished))),
        http2.ExpectFrame(http2.FrameType.DATA, 1, flags=1, payload=b""),
        *(() if finished else (http2.expect_reset(1, 8),)),
        *(http2.ExpectHeaders(3), http2.send(headers(3, OPEN)), Forever()),
    ]
    with ScriptedServer(steps) as server:
        first = mint.http2.connect("http", server.address, server.port)
        with mint.Tunnels(first) as tunnels:
            conn = tunnels.connect("http", "one.example", 80)
            link = conn.transport
            assert isinstance(link, TunnelLink)
            conn, _ = conn.request("GET", "/")
            while conn.open_request_count:
                conn, _ = conn.recv(timeout=10)
            while finished and not link.tunnel.over:
                tunnels.wait(None, "the end", lambda: link.tunnel.over)
            assert link.tunnel.over is finished
            conn.close()
            assert (tunnels._stopped, tunnels._links) == (set(), {})
            assert tunnels.connection.open_request_count == 0
            tunnels.connect("http", "two.example", 80)


@pytest.mark.parametrize("waits", [False, True])
def test_closing_a_tunnel_that_the_proxy_has_ended_frees_its_stream(waits: bool) -> None:
    """Otherwise octets that wait for a window would keep the stream open and counted by the proxy."""
    ended = http2.ExpectFrame(http2.FrameType.DATA, 1, flags=1, payload=b"")
    steps = [
        *(
            *http2.handshake(*(((4, 1),) if waits else ())),
            http2.ExpectHeaders(1),
            http2.send(headers(1, OPEN)),
        ),
        *(http2.ExpectFrame(http2.FrameType.DATA, 1), http2.send(data(1, b"", end=True))),
        http2.expect_reset(1, 8) if waits else ended,
        *(http2.ExpectHeaders(3), http2.send(headers(3, OPEN)), Forever()),
    ]
    with ScriptedServer(steps) as server:
        first = mint.http2.connect("http", server.address, server.port)
        with mint.Tunnels(first) as tunnels:
            conn = tunnels.connect("http", "one.example", 80)
            conn, _ = conn.request("GET", "/")
            with pytest.raises(errors.TransportClosed) as caught:
                conn.recv(timeout=10)
            conn.after(caught.value).close()
            tunnels.connect("http", "two.example", 80)
