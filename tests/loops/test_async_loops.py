"""Behaviour that is the same in asyncio, uvloop and trio, over loopback sockets."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import uvloop

import mint
import mint.asyncio
import mint.trio
from mint import errors
from mint.testing import Close, Origin, Reset, ScriptedServer, Send, Truncate, request, showcase
from tests.refs import ref_of

from ..event_loops import Loop, data, fed, fetch, no_socket_left, run_trio

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Coroutine


@dataclass(frozen=True)
class EventLoop:
    """An event loop: the functions of mint for it, and how a coroutine is run."""

    connect: Callable[..., Awaitable[mint.Connection]]
    mailbox: Any  # mint.asyncio.Mailbox or mint.trio.Mailbox, which have no common base
    flush: Callable[[mint.Connection], Awaitable[None]]
    run: Callable[[Coroutine[object, object, None]], None]


def in_trio(work: Coroutine[object, object, None]) -> None:
    async def whole() -> None:
        await work

    run_trio(whole)


IN_ASYNCIO = (mint.asyncio.connect, mint.asyncio.Mailbox, mint.asyncio.flush)
EVENT_LOOPS = {
    "asyncio": EventLoop(*IN_ASYNCIO, Loop(asyncio.SelectorEventLoop)),
    "uvloop": EventLoop(*IN_ASYNCIO, Loop(uvloop.new_event_loop)),
    "trio": EventLoop(mint.trio.connect, mint.trio.Mailbox, mint.trio.flush, in_trio),
}


@pytest.fixture(params=EVENT_LOOPS)
def loop(request: pytest.FixtureRequest) -> EventLoop:
    return EVENT_LOOPS[request.param]


def test_a_connection_in_clear_text(loop: EventLoop) -> None:
    async def main(origin: Origin) -> None:
        with loop.mailbox() as mailbox:
            conn = await loop.connect("http", origin.address, origin.port, mailbox=mailbox)
            conn, body = await fetch(conn, mailbox, "/bytes/1000000")
            assert len(body) == 1_000_000
            conn, body = await fetch(conn, mailbox, "/")
            assert body.startswith(b"Hello")
            assert conn.peer_address == (origin.address, origin.port)
            conn.close()

    with no_socket_left(), Origin(showcase) as origin:
        loop.run(main(origin))


@pytest.mark.parametrize("alpn", ["http/1.1", "h2"])
def test_a_connection_under_tls(
    loop: EventLoop, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext, alpn: str
) -> None:
    async def main(origin: Origin) -> None:
        with loop.mailbox() as mailbox:
            conn = await loop.connect(
                "https", "localhost", origin.port, tls=mint.TLSOptions(context=client_tls), mailbox=mailbox
            )
            assert conn.tls is not None
            assert conn.tls.alpn == alpn
            conn, body = await fetch(conn, mailbox, "/bytes/1000000")
            assert len(body) == 1_000_000
            conn.close()

    server_tls.set_alpn_protocols([alpn])
    with no_socket_left(), Origin(showcase, tls=server_tls) as origin:
        loop.run(main(origin))


def test_an_end_and_an_error(loop: EventLoop) -> None:
    async def main(server: ScriptedServer) -> None:
        with loop.mailbox() as mailbox:
            conn = await loop.connect("http", server.address, server.port, mailbox=mailbox)
            conn, ref = conn.request("GET", "/")
            conn, responses = fed(conn, await mailbox.receive())
            assert data(responses) == b"part"
            message = await mailbox.receive()
            assert message == mint.Closed(conn.source, 2)
            conn, responses = fed(conn, message)
            assert responses == [mint.Done(ref)]
            conn = await loop.connect("http", server.address, server.port, mailbox=mailbox)
            conn, ref = conn.request("GET", "/")
            message = await mailbox.receive()
            assert isinstance(message, mint.Broken)
            with pytest.raises(errors.TransportReset) as caught:
                conn.stream(message)
            assert [ref_of(each) for each in caught.value.responses] == [ref]

    first = [request(), Send(b"HTTP/1.1 200 OK\r\n\r\npart"), Close()]
    with no_socket_left(), ScriptedServer(first, [request(), Reset()]) as server:
        loop.run(main(server))


def test_a_response_before_a_broken_transport_is_received(loop: EventLoop) -> None:
    """RFC 9112 9.5: an early response is not lost if sending the body fails."""

    async def main(server: ScriptedServer) -> None:
        with loop.mailbox() as mailbox:
            conn = await loop.connect("http", server.address, server.port, mailbox=mailbox)
            conn, ref = conn.request("POST", "/", body=bytes(20_000_000))
            with contextlib.suppress(errors.TransportClosed):
                await loop.flush(conn)
            conn, responses = fed(conn, await mailbox.receive())
            assert responses[0] == mint.Status(ref, 413)
            conn.close()

    answer = b"HTTP/1.1 413 Content Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
    with no_socket_left(), ScriptedServer([request(), Send(answer), Truncate()]) as server:
        loop.run(main(server))
