"""Every route to an origin, in asyncio and in trio."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any  # arguments for other functions are passed on

import pytest
import trio
import uvloop

import mint
import mint.asyncio
import mint.trio
from mint import errors
from mint.testing import Forever, Origin, Request, Response, ScriptedServer, Send, request

from ..event_loops import Receiver, data, fed, no_socket_left
from ..routes import SECURE, TUNNELS, Route, RouteName, family_of, open_route
from ..tls import server_context, trusting

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

BODY = bytes(range(256)) * 4_000


def echo(request: Request) -> Response:
    return Response(200, (), request.body.read())


async def there_and_back(conn: mint.Connection, mailbox: Receiver, flush: Callable[..., Any]) -> bytes:
    """Send BODY as the windows permit, and return the content of the response."""
    conn, ref = conn.request("POST", "/", (), mint.STREAM)
    content, sent = b"", 0
    try:
        while conn.open_request_count:
            if sent < len(BODY):
                piece = BODY[sent : sent + min(conn.request_body_window(ref), 50_000)]
                conn = conn.stream_request_body(ref, piece)
                sent += len(piece)
                if sent == len(BODY):
                    conn = conn.stream_request_body(ref, mint.Eof())
                await flush(conn)
                if piece:
                    continue
            conn, responses = fed(conn, await mailbox.receive())
            content += data(responses)
    finally:
        conn.close()
    return content


async def in_asyncio(open_route: Route, **options: Any) -> bytes:
    where, options = open_route.arguments(**options)
    async with asyncio.timeout(20):
        with mint.asyncio.Mailbox() as mailbox:
            conn = await mint.asyncio.connect(*where, mailbox=mailbox, **options)
            return await there_and_back(conn, mailbox, mint.asyncio.flush)


async def in_trio(open_route: Route, **options: Any) -> bytes:
    where, options = open_route.arguments(**options)
    with mint.trio.Mailbox() as mailbox, trio.fail_after(20):
        conn = await mint.trio.connect(*where, mailbox=mailbox, **options)
        return await there_and_back(conn, mailbox, mint.trio.flush)


def run_asyncio(open_route: Route, **options: Any) -> bytes:
    return asyncio.run(in_asyncio(open_route, **options))


def run_trio(open_route: Route, **options: Any) -> bytes:
    async def main() -> bytes:
        return await in_trio(open_route, **options)

    return trio.run(main)


EVENT_LOOPS: dict[str, Callable[..., bytes]] = {"asyncio": run_asyncio, "trio": run_trio}


@pytest.mark.parametrize("protocol", ["http1", "http2"])
@pytest.mark.parametrize("route", SECURE)
@pytest.mark.parametrize("loop", EVENT_LOOPS)
def test_a_body_is_sent_and_returned(loop: str, route: RouteName, protocol: mint.types.ProtocolName) -> None:
    context = server_context(alpn=("h2", "http/1.1"))
    with (
        Origin(echo, tls=context, family=family_of(route)) as origin,
        open_route(route, origin) as made,
    ):
        assert EVENT_LOOPS[loop](made, scheme="https", tls=trusting(), protocols=(protocol,)) == BODY


def run_uvloop(open_route: Route, **options: Any) -> bytes:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(in_asyncio(open_route, **options))


@pytest.mark.parametrize("route", SECURE)
@pytest.mark.parametrize("run", [run_asyncio, run_uvloop, run_trio])
def test_pinned_certificates(run: Callable[..., bytes], route: RouteName) -> None:
    seen: list[Request] = []

    def note(request: Request) -> Response:
        seen.append(request)
        return echo(request)

    with (
        Origin(note, tls=server_context(alpn=("h2", "http/1.1")), family=family_of(route)) as origin,
        open_route(route, origin) as made,
    ):
        wrong = replace(trusting(), fingerprints=frozenset({"0" * 64}))
        with pytest.raises(mint.errors.CertificateNotPinned) as caught:
            run(made, scheme="https", tls=wrong)
        assert not seen
        (found,) = re.findall("[0-9a-f]{64}", str(caught.value))
        right = replace(trusting(), fingerprints=frozenset({found}))
        assert run(made, scheme="https", tls=right) == BODY


def run_blocking(open_route: Route, **options: Any) -> bytes:
    where, options = open_route.arguments(**options)
    with mint.Mailbox() as mailbox:
        conn = mint.connect(*where, mailbox=mailbox, **options)
        with conn:
            conn, ref = conn.request("POST", "/", (), mint.STREAM)
            content, sent = b"", 0
            while conn.open_request_count:
                if sent < len(BODY) and (room := conn.request_body_window(ref)):
                    piece = BODY[sent : sent + min(room, 50_000)]
                    conn = conn.stream_request_body(ref, piece)
                    sent += len(piece)
                    if sent == len(BODY):
                        conn = conn.stream_request_body(ref, mint.Eof())
                else:
                    conn, responses = fed(conn, mailbox.receive(timeout=20))
                    content += data(responses)
            return content


RUNS = [run_blocking, run_asyncio, run_uvloop, run_trio]


@pytest.mark.parametrize("route", SECURE)
@pytest.mark.parametrize("run", RUNS)
def test_check_hostname_checks_the_host(run: Callable[..., bytes], route: RouteName) -> None:
    checked: list[str] = []

    def match(host: str, names: mint.CertificateNames) -> bool:
        checked.append(host)
        return names.match(host)

    def fail(_host: str, _names: mint.CertificateNames) -> bool:
        raise LookupError("no such host")

    def unsure(_host: str, _names: mint.CertificateNames) -> bool:
        return 1  # type: ignore[return-value]  # wrong on purpose

    context = server_context("*.wild.example", alpn=("h2", "http/1.1"))
    with (
        Origin(echo, tls=context, family=family_of(route)) as origin,
        open_route(route, origin) as made,
    ):
        base = trusting(server_hostname="my_host.wild.example")
        assert run(made, scheme="https", tls=replace(base, check_hostname=match)) == BODY
        assert checked == ["my_host.wild.example"]
        for check, message in (
            (None, "not valid for 'my_host.wild.example'"),
            (lambda _host, _names: False, r"refused 'my_host.wild.example': it is for '\*.wild.example'"),
            (fail, "failed for 'my_host.wild.example'"),
            (unsure, "returned int, neither True nor False"),
        ):
            with pytest.raises(mint.errors.HostnameRejected, match=message) as caught:
                run(made, scheme="https", tls=replace(base, check_hostname=check))
            assert caught.value.processed is mint.Processed.NO
            assert isinstance(caught.value.__cause__, LookupError) is (check is fail)


@pytest.mark.parametrize("route", ["https proxy", "HTTP/2 proxy over TLS", "forwarded over TLS"])
@pytest.mark.parametrize("run", RUNS)
def test_check_hostname_of_a_proxy_checks_the_proxy(run: Callable[..., bytes], route: RouteName) -> None:
    checked: list[str] = []

    def check(host: str, names: mint.CertificateNames) -> bool:
        checked.append(host)
        return names.match("127.0.0.1")

    forwarded = route == "forwarded over TLS"
    context = None if forwarded else server_context(alpn=("h2", "http/1.1"))
    scheme = "http" if forwarded else "https"
    proxy_tls = replace(trusting(server_hostname="a_proxy.example"), check_hostname=check)
    with Origin(echo, tls=context) as origin, open_route(route, origin, tls=proxy_tls) as made:
        if not forwarded:
            assert run(made, scheme=scheme, tls=trusting()) == BODY
            assert checked == ["a_proxy.example"]
        assert made.proxy is not None
        made.proxy = replace(made.proxy, tls=replace(trusting(), check_hostname=lambda _host, _names: False))
        with pytest.raises(mint.errors.HostnameRejected) as caught:
            run(made, scheme=scheme, tls=trusting())
        assert caught.value.processed is mint.Processed.NO


@pytest.mark.parametrize("route", ["forwarded", "forwarded over TLS"])
@pytest.mark.parametrize("loop", EVENT_LOOPS)
def test_forwarding(loop: str, route: RouteName) -> None:
    with Origin(lambda _: Response(200, (), b"hello")) as origin, open_route(route, origin) as made:
        assert made.proxy is not None

        async def by_asyncio() -> mint.Connection:
            where, options = made.arguments(scheme="http")
            conn: mint.Connection = await mint.asyncio.connect(*where, **options)
            return conn

        async def by_trio() -> mint.Connection:
            where, options = made.arguments(scheme="http")
            conn: mint.Connection = await mint.trio.connect(*where, **options)
            return conn

        async def run_one(connect: Callable[[], Awaitable[mint.Connection]]) -> None:
            conn = await connect()
            conn, _ = conn.request("GET", "/page")
            assert conn.open_request_count == 1
            conn.close()

        if loop == "asyncio":
            asyncio.run(run_one(by_asyncio))
        else:
            trio.run(run_one, by_trio)


@pytest.mark.parametrize("route", TUNNELS)
@pytest.mark.parametrize("loop", EVENT_LOOPS)
def test_a_certificate_is_checked_on_every_route(loop: str, route: RouteName) -> None:
    # The proxies of the test run in the same process, and must have ended before the check for sockets.
    with (
        no_socket_left(),
        Origin(echo, tls=server_context()) as origin,
        open_route(route, origin) as made,
        pytest.raises(errors.CertificateRejected),
    ):
        EVENT_LOOPS[loop](made, scheme="https")


@pytest.mark.parametrize("loop", EVENT_LOOPS)
def test_the_tunnel_timeout_applies_in_event_loops(loop: str) -> None:
    with no_socket_left(), ScriptedServer([request(), Forever()]) as server, Origin(echo) as origin:
        made = Route("http proxy", origin)
        made.proxy = mint.Proxy("http", server.address, server.port, tunnel_timeout=0.2)
        with pytest.raises(errors.TunnelTimeout):
            EVENT_LOOPS[loop](made, scheme="https")


@pytest.mark.parametrize("loop", EVENT_LOOPS)
def test_octets_after_the_reply_belong_to_the_tunnel(loop: str) -> None:
    answer = b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n"
    with ScriptedServer([request(), Send(answer)]) as server, Origin(echo) as origin:
        made = Route("http proxy", origin)
        made.proxy = mint.Proxy("http", server.address, server.port, tunnel=True)
        with pytest.raises((errors.UnexpectedData, errors.Closed, errors.TransportClosed)):
            EVENT_LOOPS[loop](made, scheme="http", protocols=("http1",))
