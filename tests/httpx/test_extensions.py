"""The extensions `trace` and `network_stream`, compared with those of httpx's own transports."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any  # extensions of httpx have any value

import pytest

import mint
import mint.httpx
import mint.httpx2
from mint.testing import (
    Close,
    Do,
    Forever,
    Origin,
    Peer,
    Request,
    Response,
    ScriptedServer,
    Send,
    StartTLS,
    Truncate,
    request,
    showcase,
)

from ..tls import authority, server_context, trusting
from .conftest import LOOPS, Flavour

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator


def trusts() -> ssl.SSLContext:
    return ssl.create_default_context(cadata=authority().cert_pem.bytes().decode())


# -- trace

# The time of this event depends on when the server's SETTINGS arrive.
ANY_TIME = "receive_remote_settings"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
BAD = b"what is this?\r\n\r\n"


def pieces() -> Iterator[bytes]:
    yield b"one "
    yield b"two"


class Told(list[tuple[str, dict[str, Any]]]):
    """The events that a trace function has received."""

    def sync(self, name: str, info: dict[str, Any]) -> None:
        if ANY_TIME not in name:
            self.append((name, info))

    async def later(self, name: str, info: dict[str, Any]) -> None:
        self.sync(name, info)

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self]


ASKED: dict[str, dict[str, Any]] = {
    "get": {"method": "GET"},
    "post": {"method": "POST", "content": b"hello"},
    "pieces": {"method": "POST", "content": pieces},
    "404": {"method": "GET", "path": "/status/404"},
    "head": {"method": "HEAD"},
}


def whole(request: Request) -> Response:
    """Read the whole body, then answer as `showcase` does."""
    request.body.read()
    return showcase(request)


def ask(client: Any, url: str, asked: dict[str, Any], told: Told) -> Any:
    content = asked.get("content")
    return client.request(
        asked["method"],
        url + asked.get("path", "/"),
        content=content() if callable(content) else content,
        extensions={"trace": told.sync},
    )


@pytest.mark.parametrize("kind", ASKED)
@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_trace_events_are_those_of_httpx(flavour: Flavour, protocol: str, kind: str) -> None:
    """Make two requests over TLS, the second on the connection of the first."""
    package, module = flavour
    alpn = ("h2",) if protocol == "http2" else ("http/1.1",)
    with Origin(whole, tls=server_context(alpn=alpn)) as origin, ExitStack() as stack:
        url = f"https://localhost:{origin.port}"
        theirs = stack.enter_context(package.Client(verify=trusts(), http2=True))
        ours = stack.enter_context(package.Client(transport=module.MintTransport(tls=trusting())))
        for _ in range(2):
            expected, found = Told(), Told()
            one, other = ask(theirs, url, ASKED[kind], expected), ask(ours, url, ASKED[kind], found)
            assert found.names == expected.names
            assert one.status_code == other.status_code
            assert set(one.extensions) <= set(other.extensions)
            assert one.extensions.get("stream_id") == other.extensions.get("stream_id")
            for (name, info), (_, wanted) in zip(found, expected, strict=True):
                missing = set(wanted) - set(info)
                # mint knows the stream id only after it has sent the head.
                assert missing <= ({"stream_id"} if name.endswith("_headers.started") else set())
                if "stream_id" in info:
                    assert info["stream_id"] == wanted["stream_id"]


@pytest.mark.parametrize("kind", ["get", "pieces"])
def test_trace_events_without_tls(flavour: Flavour, kind: str) -> None:
    package, module = flavour
    with Origin(whole) as origin:
        url, told = f"http://127.0.0.1:{origin.port}", []
        for options in ({}, {"transport": module.MintTransport()}):
            with package.Client(**options) as client:
                told.append(Told())
                ask(client, url, ASKED[kind], told[-1])
                assert dict(told[-1])["connection.connect_tcp.started"]["port"] == origin.port
    assert told[0].names == told[1].names


def refused() -> int:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        port: int = made.getsockname()[1]
        return port


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (None, "ConnectError"),
        ((request(), Forever()), "ReadTimeout"),
        ((request(), Send(BAD), Close()), "RemoteProtocolError"),
        ((request(), Close()), "RemoteProtocolError"),
        ((request(), Send(OK[:-2]), Close()), "RemoteProtocolError"),
    ],
)
def test_trace_events_of_failures_are_those_of_httpx(
    flavour: Flavour, script: tuple[Any, ...] | None, error: str
) -> None:
    package, module = flavour
    found: list[Told] = []
    for transport in (None, module.MintTransport()):
        with ExitStack() as stack:
            port = refused()
            if script is not None:
                port = stack.enter_context(ScriptedServer(script)).port
            limits = package.Timeout(5.0, read=0.3)
            client = stack.enter_context(package.Client(transport=transport, timeout=limits))
            found.append(Told())
            with pytest.raises(getattr(package, error)):
                client.get(f"http://127.0.0.1:{port}/", extensions={"trace": found[-1].sync})
    theirs, ours = found
    # httpcore also reports closing a response that never began.
    names = [name for name in theirs.names if "response_closed" not in name or name in ours.names]
    assert ours.names == names
    name, info = next((name, info) for name, info in ours if name.endswith(".failed"))
    assert isinstance(info["exception"], mint.MintError), name


def test_a_certificate_that_is_not_trusted(flavour: Flavour) -> None:
    package, module = flavour
    with Origin(showcase, tls=server_context()) as origin:
        names: list[list[str]] = []
        for transport in (None, module.MintTransport()):
            told = Told()
            with package.Client(transport=transport) as client, pytest.raises(package.ConnectError):
                client.get(f"https://localhost:{origin.port}/", extensions={"trace": told.sync})
            names.append(told.names)
    assert names[0] == names[1]


@pytest.mark.parametrize("run", LOOPS, ids=["asyncio", "trio"])
@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_trace_events_under_event_loops(
    flavour: Flavour, run: Callable[[Callable[[], Awaitable[None]]], None], protocol: str
) -> None:
    package, module = flavour
    alpn = ("h2",) if protocol == "http2" else ("http/1.1",)
    with Origin(showcase, tls=server_context(alpn=alpn)) as origin:
        found: list[Told] = []

        async def main() -> None:
            for options in (
                {"verify": trusts(), "http2": True},
                {"transport": module.AsyncMintTransport(tls=trusting())},
            ):
                async with package.AsyncClient(**options) as client:
                    for _ in range(2):
                        found.append(Told())
                        answer = await client.post(
                            f"https://localhost:{origin.port}/echo",
                            content=b"hello",
                            extensions={"trace": found[-1].later},
                        )
                        assert answer.content == b"hello"

        run(main)
    theirs, ours = found[:2], found[2:]
    assert [each.names for each in ours] == [each.names for each in theirs]


class Refusing(Exception):  # noqa: N818  # any exception will do
    pass


@pytest.mark.parametrize(
    "event",
    [
        *("connection.connect_tcp.started", "connection.connect_tcp.complete"),
        *("http11.send_request_headers.started", "http11.send_request_headers.complete"),
        *("http11.send_request_body.started", "http11.send_request_body.complete"),
        *("http11.receive_response_headers.started", "http11.receive_response_headers.complete"),
        *("http11.receive_response_body.started", "http11.receive_response_body.complete"),
        *("http11.response_closed.started", "http11.response_closed.complete"),
    ],
)
@pytest.mark.parametrize("loop", ["blocking", "asyncio", "trio"])
def test_an_exception_of_a_trace_is_raised_unchanged(flavour: Flavour, event: str, loop: str) -> None:
    """It ends the request at any event; the pool still works and has lost no connection."""
    package, module = flavour

    def refuse(name: str, _info: dict[str, Any]) -> None:
        if name == event:
            raise Refusing

    async def later(name: str, info: dict[str, Any]) -> None:
        refuse(name, info)

    with Origin(showcase) as origin:
        url = f"http://127.0.0.1:{origin.port}/echo"
        options = module.pools.PoolOptions(max_connections=1)
        told: dict[str, Any] = {"content": pieces(), "extensions": {"trace": refuse}}
        if loop == "blocking":
            transport = module.MintTransport(options=options)
            with package.Client(transport=transport) as client:
                with pytest.raises(Refusing):
                    client.post(url, **told)
                assert client.post(url, content=b"x").content == b"x"
                assert transport.pool.statistics.active == 0
            return

        async def main() -> None:
            transport = module.AsyncMintTransport(options=options)
            async with package.AsyncClient(transport=transport) as client:
                with pytest.raises(Refusing):
                    await client.post(url, content=b"one two", extensions={"trace": later})
                assert (await client.post(url, content=b"x")).content == b"x"
                assert transport.pool.statistics.active == 0

        LOOPS[loop == "trio"](main)


def test_an_exception_of_a_body_is_raised_unchanged(flavour: Flavour) -> None:
    """Also a `ValueError`, which mint itself raises for content that cannot be sent."""
    package, module = flavour

    def broken() -> Iterator[bytes]:
        yield b"one"
        raise ValueError("mine")

    with Origin(showcase) as origin, package.Client(transport=module.MintTransport()) as client:
        with pytest.raises(ValueError, match="mine"):
            client.post(f"http://127.0.0.1:{origin.port}/echo", content=broken())
        assert client.get(f"http://127.0.0.1:{origin.port}/").status_code == 200


def test_an_async_trace_in_a_blocking_client_and_the_reverse_are_refused(flavour: Flavour) -> None:
    package, module = flavour
    told = Told()
    with Origin(showcase) as origin:
        url = f"http://127.0.0.1:{origin.port}/"
        with package.Client(transport=module.MintTransport()) as client, pytest.raises(TypeError):
            client.get(url, extensions={"trace": told.later})

        async def main() -> None:
            async with package.AsyncClient(transport=module.AsyncMintTransport()) as client:
                with pytest.raises(TypeError):
                    await client.get(url, extensions={"trace": told.sync})

        asyncio.run(main())


# -- network streams


def echoing(peer: Peer) -> None:
    while data := peer.read_some():
        peer.send(data)


SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n"
OPENED = b"HTTP/1.1 200 OK\r\n\r\n"
ASKS: dict[str, tuple[str, dict[str, Any], bytes]] = {
    "upgrade": ("GET", {"headers": {"connection": "upgrade", "upgrade": "echo"}}, SWITCH),
    "connect": ("CONNECT", {"extensions": {"target": b"far.example:443"}}, OPENED),
}


@contextmanager
def tunnelled(flavour: Flavour, kind: str, *steps: Any, mine: bool = True) -> Iterator[Any]:
    """Open a tunnel to a server that continues with these steps; yield its network stream."""
    package, module = flavour
    method, given, answer = ASKS[kind]
    transport = module.MintTransport() if mine else None
    with (
        ScriptedServer((request(), Send(answer), *steps)) as server,
        package.Client(transport=transport, timeout=0.2) as client,
        client.stream(method, f"http://127.0.0.1:{server.port}/", **given) as response,
    ):
        yield response.extensions["network_stream"]


def wait_for(event: threading.Event) -> Do:
    return Do(lambda _peer: event.wait(30))


@pytest.mark.parametrize("kind", ASKS)
@pytest.mark.parametrize("mine", [True, False], ids=["mint", "httpcore"])
def test_a_read_has_its_own_timeout(flavour: Flavour, kind: str, mine: bool) -> None:
    """The timeout of a read may be shorter or longer than that of the request, which is 0.2 seconds."""
    package, _ = flavour
    core = import_module(f"httpcore{package.__name__[5:]}")
    timeouts = package.ReadTimeout, core.ReadTimeout
    go = threading.Event()
    with tunnelled(flavour, kind, wait_for(go), Send(b"late"), Forever(), mine=mine) as network:
        with pytest.raises(timeouts):
            network.read(100, timeout=0.05)
        # Nothing was lost, and a longer timeout works.
        threading.Timer(0.4, go.set).start()
        assert network.read(2, timeout=30) == b"la"
        assert network.read(100, timeout=None) == b"te"


def test_a_write_has_its_own_timeout(flavour: Flavour) -> None:
    package, _ = flavour
    done = threading.Event()
    with tunnelled(flavour, "upgrade", wait_for(done), Close()) as network:
        try:
            with pytest.raises(package.WriteTimeout):
                for _ in range(100):
                    network.write(bytes(1_000_000), timeout=0.05)
        finally:
            done.set()


@pytest.mark.parametrize("run", LOOPS, ids=["asyncio", "trio"])
def test_timeouts_under_event_loops(
    flavour: Flavour, run: Callable[[Callable[[], Awaitable[None]]], None]
) -> None:
    package, module = flavour
    go, done = threading.Event(), threading.Event()
    steps = (request(), Send(SWITCH), wait_for(go), Send(b"late"), wait_for(done), Close())

    async def main() -> None:
        with ScriptedServer(steps) as server:
            async with package.AsyncClient(transport=module.AsyncMintTransport(), timeout=0.2) as client:
                fields = {"connection": "upgrade", "upgrade": "echo"}
                url = f"http://127.0.0.1:{server.port}/"
                async with client.stream("GET", url, headers=fields) as response:
                    network = response.extensions["network_stream"]
                    with pytest.raises(package.ReadTimeout):
                        await network.read(100, timeout=0.05)
                    go.set()
                    assert await network.read(2, timeout=30) == b"la"
                    assert await network.read(100) == b"te"
                    try:
                        with pytest.raises(package.WriteTimeout):
                            for _ in range(100):
                                await network.write(bytes(1_000_000), timeout=0.05)
                    finally:
                        done.set()

    run(main)


@pytest.mark.parametrize("kind", ASKS)
@pytest.mark.parametrize("mine", [True, False], ids=["mint", "httpcore"])
def test_tls_inside_a_tunnel(flavour: Flavour, kind: str, mine: bool) -> None:
    tls = StartTLS(server_context("far.example", alpn=("echo",)))
    with tunnelled(flavour, kind, tls, Do(echoing), Close(), mine=mine) as network:
        context = trusts()
        context.set_alpn_protocols(["echo"])
        inside = network.start_tls(context, server_hostname="far.example", timeout=30)
        for data in (b"hello", bytes(300_000)):
            inside.write(data, timeout=30)
            got = b""
            while len(got) < len(data):
                got += inside.read(65_536, timeout=30)
            assert got == data
        known = inside.get_extra_info("ssl_object")
        assert known.selected_alpn_protocol() == "echo"
        assert known.getpeercert()
        if mine:  # with httpcore, the outer stream cannot be used any more
            assert inside.get_extra_info("server_addr") == network.get_extra_info("server_addr")
            assert network.get_extra_info("ssl_object") is None
        inside.close()


def test_tls_inside_tls_inside_a_tunnel(flavour: Flavour) -> None:
    outer, inner = server_context("outer.example"), server_context("inner.example")
    arriving, leaving = ssl.MemoryBIO(), ssl.MemoryBIO()

    def second(peer: Peer) -> None:
        """Run a second TLS session inside that of the previous step."""
        server = inner.wrap_bio(arriving, leaving, server_side=True)

        def carried(do: Callable[[], Any]) -> Any:
            while True:
                try:
                    done = do()
                except ssl.SSLWantReadError:
                    done = None
                if leaving.pending:
                    peer.send(leaving.read())
                if done is not None:
                    return done
                arriving.write(peer.read_some())

        def shake_hands() -> bool:
            server.do_handshake()
            return True

        carried(shake_hands)
        data = carried(lambda: server.read(100))
        carried(lambda: server.write(data))

    with tunnelled(flavour, "connect", StartTLS(outer), Do(second), Close()) as network:
        once = network.start_tls(trusts(), server_hostname="outer.example", timeout=30)
        twice = once.start_tls(trusts(), server_hostname="inner.example", timeout=30)
        twice.write(b"hello", timeout=30)
        assert twice.read(100, timeout=30) == b"hello"
        assert twice.get_extra_info("tls").server_hostname == "inner.example"
        assert once.get_extra_info("tls").server_hostname == "outer.example"


@pytest.mark.parametrize("run", LOOPS, ids=["asyncio", "trio"])
def test_tls_inside_a_tunnel_under_event_loops(
    flavour: Flavour, run: Callable[[Callable[[], Awaitable[None]]], None]
) -> None:
    package, module = flavour
    tls = StartTLS(server_context("far.example"))

    async def main() -> None:
        with ScriptedServer((request(), Send(OPENED), tls, Do(echoing), Close())) as server:
            async with package.AsyncClient(transport=module.AsyncMintTransport()) as client:
                url, target = f"http://127.0.0.1:{server.port}/", {"target": b"far.example:443"}
                async with client.stream("CONNECT", url, extensions=target) as response:
                    network = response.extensions["network_stream"]
                    inside = await network.start_tls(trusts(), "far.example", timeout=30)
                    await inside.write(bytes(100_000))
                    got = b""
                    while len(got) < 100_000:
                        got += await inside.read(65_536, timeout=30)
                    assert inside.get_extra_info("ssl_object").version() == "TLSv1.3"
                    await inside.aclose()

    run(main)


FAILURES = [
    ((StartTLS(server_context("far.example"), refused=True), Forever()), "other.example", "ConnectError"),
    ((Send(b"no TLS at all"), Forever()), "far.example", "ConnectError"),
    ((Forever(),), "far.example", "ConnectTimeout"),
    ((Close(),), "far.example", "RemoteProtocolError"),
]


@pytest.mark.parametrize(("steps", "name", "error"), FAILURES)
def test_tls_that_fails_closes_the_tunnel(
    flavour: Flavour, steps: tuple[Any, ...], name: str, error: str
) -> None:
    package, _ = flavour
    with tunnelled(flavour, "connect", *steps) as network:
        with pytest.raises(getattr(package, error)):
            network.start_tls(trusts(), server_hostname=name, timeout=0.3)
        with pytest.raises(package.HTTPError):
            network.write(b"hello", timeout=1)


@pytest.mark.parametrize("run", LOOPS, ids=["asyncio", "trio"])
@pytest.mark.parametrize(("steps", "name", "error"), FAILURES)
def test_tls_that_fails_closes_the_tunnel_under_event_loops(
    flavour: Flavour,
    steps: tuple[Any, ...],
    name: str,
    error: str,
    run: Callable[[Callable[[], Awaitable[None]]], None],
) -> None:
    package, module = flavour

    async def main() -> None:
        async with (
            ScriptedServer((request(), Send(OPENED), *steps)) as server,
            package.AsyncClient(transport=module.AsyncMintTransport()) as client,
        ):
            url, target = f"http://127.0.0.1:{server.port}/", {"target": b"far.example:443"}
            async with client.stream("CONNECT", url, extensions=target) as response:
                network = response.extensions["network_stream"]
                with pytest.raises(getattr(package, error)):
                    await network.start_tls(trusts(), name, timeout=0.3)
                with pytest.raises(package.HTTPError):
                    await network.write(b"hello", timeout=1)

    run(main)


@pytest.mark.parametrize("clean", [True, False])
def test_the_end_of_tls_inside_a_tunnel(flavour: Flavour, clean: bool) -> None:
    package, _ = flavour

    tls = StartTLS(server_context("far.example"))
    with tunnelled(flavour, "connect", tls, Send(b"last"), Close() if clean else Truncate()) as network:
        inside = network.start_tls(trusts(), server_hostname="far.example", timeout=30)
        assert inside.read(100, timeout=30) == b"last"
        if clean:
            assert inside.read(100, timeout=30) == b""
        else:
            with pytest.raises(package.RemoteProtocolError):
                inside.read(100, timeout=30)


def test_without_a_tunnel_start_tls_is_refused(flavour: Flavour) -> None:
    package, module = flavour
    with Origin(showcase) as origin, package.Client(transport=module.MintTransport()) as client:
        with client.stream("GET", f"http://127.0.0.1:{origin.port}/") as response:
            network = response.extensions["network_stream"]
            with pytest.raises(package.LocalProtocolError):
                network.start_tls(trusts(), server_hostname="localhost")
        with (
            client.stream("GET", f"http://127.0.0.1:{origin.port}/") as response,
            pytest.raises(package.LocalProtocolError),
        ):
            response.extensions["network_stream"].write(b"x")


@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_extra_info_of_a_connection(flavour: Flavour, protocol: str) -> None:
    package, module = flavour

    def hello(_: Request) -> Response:
        return Response(200, (), b"hello")

    alpn = ("h2",) if protocol == "http2" else ("http/1.1",)
    with Origin(hello, tls=server_context(alpn=alpn)) as origin, ExitStack() as stack:
        theirs = stack.enter_context(package.Client(verify=trusts(), http2=True))
        ours = stack.enter_context(package.Client(transport=module.MintTransport(tls=trusting())))
        for client in (theirs, ours):
            with client.stream("GET", f"https://localhost:{origin.port}/") as response:
                ask = response.extensions["network_stream"].get_extra_info
                assert ask("server_addr")[1] == origin.port
                assert ask("client_addr") == ask("socket").getsockname()
                known = ask("ssl_object")
                assert known.version() == "TLSv1.3"
                assert known.selected_alpn_protocol() == alpn[0]
                assert known.getpeercert(True)
                assert isinstance(ask("is_readable"), bool)
                assert ask("nothing") is None
                response.read()


def test_a_connection_that_the_server_ended_is_readable(flavour: Flavour) -> None:
    package, module = flavour
    transport = module.MintTransport()
    with (
        ScriptedServer((request(), Send(OK), Close())) as server,
        package.Client(transport=transport) as client,
        client.stream("GET", f"http://127.0.0.1:{server.port}/") as response,
    ):
        ask = response.extensions["network_stream"].get_extra_info
        while not ask("is_readable"):
            ask("socket").setblocking(True)
            ask("socket").recv(1, socket.MSG_PEEK)
        assert response.read() == b"hello"
