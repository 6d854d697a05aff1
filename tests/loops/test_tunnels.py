"""Tunnels through one HTTP/2 connection in asyncio, uvloop and trio, and large bodies in both directions."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
import uvloop

import mint
import mint.asyncio
import mint.transport
import mint.trio
from mint import errors
from mint.testing import Origin, Request, Response

from ..event_loops import Loop, data, fed, no_socket_left, run_trio
from ..routes import HTTPProxy
from ..tls import server_context, trusting

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


@dataclass(frozen=True)
class Kind:
    """An event loop: the module of mint for it, and how a coroutine is run."""

    module: Any  # mint.asyncio or mint.trio
    run: Callable[[Coroutine[object, object, None]], None]


def in_trio(work: Coroutine[object, object, None]) -> None:
    async def whole() -> None:
        await work

    run_trio(whole)


KINDS = {
    "asyncio": Kind(mint.asyncio, Loop(asyncio.SelectorEventLoop)),
    "uvloop": Kind(mint.asyncio, Loop(uvloop.new_event_loop)),
    "trio": Kind(mint.trio, in_trio),
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


def serve(request: Request) -> Response:
    body = request.body.read()
    return Response(200, (), body[::-1] if body else b"hello")


async def open_tunnels(kind: Kind, server: Origin) -> Any:  # of either module
    conn = await kind.module.connect(
        "https", server.address, server.port, tls=trusting(), protocols=("http2",)
    )
    return kind.module.Tunnels(conn)


async def answered(conn: mint.Connection, mailbox: Any) -> tuple[mint.Connection, bytes]:  # as above
    body = b""
    while conn.open_request_count:
        message = await mailbox.receive()
        assert conn.owns(message)
        conn, responses = fed(conn, message)
        body += data(responses)
    return conn, body


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_connections_share_one(kind: Kind, scheme: mint.types.Scheme) -> None:
    async def main(origin: Origin, server: Origin) -> None:
        with await open_tunnels(kind, server) as tunnels, kind.module.Mailbox() as mailbox:
            for size in (0, 1_000, 300_000):
                conn = await tunnels.connect(
                    scheme,
                    "127.0.0.1",
                    origin.port,
                    tls=trusting(),
                    protocols=("http1",),
                    mailbox=mailbox,
                )
                assert conn.mode == "active"
                content = bytes(range(256)) * (size // 256)
                conn, _ = conn.request("POST", "/", body=content)
                await kind.module.flush(conn)
                assert conn.transport.unsent == 0
                conn, body = await answered(conn, mailbox)
                assert body == (content[::-1] or b"hello")
                conn.close()
        assert len(server.peers) == 1

    context = server_context(alpn=("h2", "http/1.1")) if scheme == "https" else None
    with (
        no_socket_left(),
        Origin(serve, tls=context) as origin,
        Origin(HTTPProxy(), tls=server_context(alpn=("h2",))) as server,
    ):
        kind.run(main(origin, server))


def test_a_body_without_flush_is_sent_while_a_mailbox_waits(kind: Kind) -> None:
    async def main(origin: Origin, server: Origin) -> None:
        with await open_tunnels(kind, server) as tunnels, kind.module.Mailbox() as mailbox:
            conn = await tunnels.connect("http", "127.0.0.1", origin.port, mailbox=mailbox)
            conn, _ = conn.request("POST", "/", body=bytes(1_000_000))
            conn, body = await answered(conn, mailbox)
            assert len(body) == 1_000_000
            conn.close()

    with (
        no_socket_left(),
        Origin(serve) as origin,
        Origin(HTTPProxy(), tls=server_context(alpn=("h2",))) as server,
    ):
        kind.run(main(origin, server))


def test_operations_that_are_refused(kind: Kind) -> None:
    async def main(origin: Origin, server: Origin) -> None:
        with await open_tunnels(kind, server) as tunnels:
            conn = await tunnels.connect("http", "127.0.0.1", origin.port)
            with pytest.raises(RuntimeError, match="Mailbox"):
                conn.recv()
            with pytest.raises(RuntimeError, match="flush"):
                conn.flush()
            conn.close()
            with pytest.raises(TypeError, match="Tunnels"):
                mint.Tunnels(tunnels.connection)
        with pytest.raises(errors.MintError):
            await tunnels.connect("http", "127.0.0.1", origin.port)

    with (
        no_socket_left(),
        Origin(serve) as origin,
        Origin(HTTPProxy(), tls=server_context(alpn=("h2",))) as server,
    ):
        kind.run(main(origin, server))


SIZE = 12_000_000


def echo(request: Request) -> Response:
    return Response(200, [("content-length", str(SIZE))], iter(request.body))


@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_both_peers_send_large_bodies(kind: Kind, protocol: mint.types.ProtocolName) -> None:
    """The loop of docs/driving.md, with a server that responds while it reads."""

    async def main(origin: Origin) -> None:
        tcp = mint.TCPOptions(max_read_ahead=100_000, high_water=100_000)
        with kind.module.Mailbox() as mailbox:
            conn = await kind.module.connect(
                "http", origin.address, origin.port, protocols=(protocol,), mailbox=mailbox, tcp=tcp
            )
            conn, ref = conn.request("POST", "/", [("content-length", str(SIZE))], mint.STREAM)
            left, came = SIZE, 0
            while left:
                window = min(conn.request_body_window(ref), left, 100_000)
                if window:
                    conn = conn.stream_request_body(ref, bytes(window))
                    left -= window
                    await kind.module.flush(conn)
                else:
                    conn, responses = fed(conn, await mailbox.receive())
                    came += len(data(responses))
            conn = conn.stream_request_body(ref, mint.Eof())
            while conn.open_request_count:
                conn, responses = fed(conn, await mailbox.receive())
                came += len(data(responses))
            assert came == SIZE
            conn.close()

    with no_socket_left(), Origin(echo) as origin:
        kind.run(main(origin))


@pytest.mark.parametrize("protocol", ["http1", "http2"])
@pytest.mark.parametrize("active", [False, True])
def test_both_peers_send_large_bodies_with_blocking_calls(
    protocol: mint.types.ProtocolName, active: bool
) -> None:
    tcp = mint.TCPOptions(max_read_ahead=100_000, high_water=100_000, send_timeout=10)
    with Origin(echo) as origin, mint.Mailbox() as mailbox:
        conn = mint.connect(
            *("http", origin.address, origin.port),
            protocols=(protocol,),
            mailbox=mailbox if active else None,
            tcp=tcp,
        )
        conn, ref = conn.request("POST", "/", [("content-length", str(SIZE))], mint.STREAM)
        left, came = SIZE, 0

        def received() -> int:
            nonlocal conn
            if active:
                conn, responses = fed(conn, mailbox.receive(10))
            else:
                conn, responses = conn.recv(timeout=10)
            return len(data(responses))

        while left:
            window = min(conn.request_body_window(ref), left, 100_000)
            if window:
                conn = conn.stream_request_body(ref, bytes(window))
                left -= window
            else:
                came += received()
        conn = conn.stream_request_body(ref, mint.Eof())
        while conn.open_request_count:
            came += received()
        assert came == SIZE
        conn.close()


def test_send_timeout_restarts_whenever_the_peer_reads() -> None:
    """Each wait has a later time limit than the one before, because the peer has read octets meanwhile."""
    import socket  # noqa: PLC0415  # needed only here

    from mint.transport import SocketLink  # noqa: PLC0415  # needed only here

    near, far = socket.socketpair()
    far.setblocking(False)
    waits: list[float] = []

    class Slow(SocketLink):
        """A link that records the time limit of each wait, during which the peer reads."""

        def _wait(self, events: int, until: float | None) -> int:
            assert until is not None
            waits.append(until)
            with contextlib.suppress(BlockingIOError):
                while True:
                    far.recv(100_000)
            return super()._wait(events, until)

    link = Slow(near, mint.TCPOptions(send_timeout=30, high_water=1))
    link.send((bytes(2_000_000),), flush=True)
    assert len(waits) > 5
    assert all(later > earlier for earlier, later in pairwise(waits))
    link.close()
    far.close()


def test_content_is_encrypted_when_it_is_sent() -> None:
    stop = threading.Event()

    def wait(request: Request) -> Response:
        stop.wait(10)
        request.body.read()
        return Response(200)

    with Origin(wait, tls=server_context("127.0.0.1")) as origin:
        conn = mint.connect(
            *("https", "127.0.0.1", origin.port),
            protocols=("http1",),
            tls=trusting(),
            tcp=mint.TCPOptions(high_water=1 << 40),
        )
        conn, _ = conn.request("POST", "/", body=bytes(20_000_000))
        link = conn.transport
        assert isinstance(link, mint.transport.SocketLink)
        assert link._queued - link._unsealed <= 200_000
        assert link.unsent > 5_000_000
        stop.set()
        while conn.open_request_count:
            conn, _ = conn.recv(timeout=10)
        conn.close()
