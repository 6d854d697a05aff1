"""mint under the clients of httpx and httpx2: blocking, asyncio and trio, over both protocols."""

from __future__ import annotations

import asyncio
import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any  # httpx and httpx2 have no common types

import pytest
import trio

import mint.errors
import mint.httpx
import mint.httpx2
import mint.pool
import mint.pool.asyncio
from mint._httpx.parts import error_name
from mint.testing import Close, Forever, Origin, Request, Response, ScriptedServer, Send, request, showcase

from ..routes import HTTPProxy
from ..tls import server_context, trusting
from .conftest import LOOPS, Flavour

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from mint.types import ProtocolName

# The packages have the same interface and no common types.
Client = Any
PROTOCOLS: list[ProtocolName] = ["http1", "http2"]


@pytest.fixture
def origin() -> Iterator[str]:
    with Origin(showcase) as server:
        yield f"http://127.0.0.1:{server.port}"


def test_the_modules_for_both_packages_are_the_same() -> None:
    one, other = (Path(str(module.__file__)).read_text() for module in (mint.httpx, mint.httpx2))
    renamed = re.sub(r"\bhttpx\b", "httpx2", one)
    assert renamed.split('"""', 2)[2] == other.split('"""', 2)[2]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_requests_and_bodies_of_every_kind(flavour: Flavour, origin: str, protocol: ProtocolName) -> None:
    package, module = flavour
    with package.Client(base_url=origin, transport=module.MintTransport(protocols=(protocol,))) as client:
        answer = client.get("/")
        assert answer.status_code == 200
        assert answer.text == "Hello from the origin of mint.testing.\n"
        assert answer.http_version == {"http1": "HTTP/1.1", "http2": "HTTP/2"}[protocol]
        assert answer.reason_phrase == "OK"
        assert client.head("/").content == b""
        assert (
            client.get("/gzip").text == answer.text
        )  # httpx decodes the content the content the content the content
        assert client.post("/echo", content=b"x" * 300_000).content == b"x" * 300_000
        assert client.post("/echo", content=(b"piece " for _ in range(5_000))).content == b"piece " * 5_000
        assert client.post("/echo", json={"a": 1}).json() == {"a": 1}
        assert client.get("/status/404").status_code == 404
        headers = client.get("/headers", headers=[("x-one", "1"), ("X-Two", b"\xe9")]).text
        assert "x-one: 1" in headers
        with client.stream("GET", "/bytes/1000000") as streamed:
            assert sum(len(piece) for piece in streamed.iter_raw()) == 1_000_000
        assert client._transport.pool.statistics.opened == 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("run", LOOPS, ids=["asyncio", "trio"])
def test_many_at_once(
    flavour: Flavour,
    origin: str,
    protocol: ProtocolName,
    run: Callable[[Callable[[], Awaitable[None]]], None],
) -> None:
    package, module = flavour
    sizes = range(0, 40_000, 2_000)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"piece " * 100

    async def main() -> None:
        transport = module.AsyncMintTransport(protocols=(protocol,))
        async with package.AsyncClient(base_url=origin, transport=transport, timeout=30.0) as client:
            got: dict[int, int] = {}

            async def get(size: int) -> None:
                got[size] = len((await client.get(f"/bytes/{size}")).content)

            if run is LOOPS[0]:
                await asyncio.gather(*(get(size) for size in sizes))
            else:
                async with trio.open_nursery() as nursery:
                    for size in sizes:
                        nursery.start_soon(get, size)
            assert got == {size: size for size in sizes}
            echoed = await client.post("/echo", content=pieces())
            assert echoed.content == b"piece " * 10_000
            async with client.stream("GET", "/stream/300000") as streamed:
                assert sum([len(piece) async for piece in streamed.aiter_raw()]) == 300_000
            if protocol == "http2":
                assert transport.pool.statistics.opened == 1

    run(main)


@pytest.mark.parametrize("alpn", ["h2", "http/1.1"])
def test_tls_and_negotiation(flavour: Flavour, alpn: str) -> None:
    package, module = flavour
    with (
        Origin(showcase, tls=server_context(alpn=(alpn,))) as server,
        package.Client(transport=module.MintTransport(tls=trusting())) as client,
    ):
        answer = client.get(f"https://localhost:{server.port}/")
        assert answer.http_version == ("HTTP/2" if alpn == "h2" else "HTTP/1.1")
        info = answer.extensions["network_stream"].get_extra_info
        assert info("server_addr")[1] == server.port
        assert info("tls").alpn == alpn
        assert info("nothing") is None


def test_a_proxy(flavour: Flavour, origin: str) -> None:
    package, module = flavour
    with Origin(HTTPProxy()) as proxy:
        transport = module.MintTransport(proxy=f"http://127.0.0.1:{proxy.port}")
        with package.Client(transport=transport) as client:
            assert client.get(f"{origin}/").status_code in {200, 502}
        assert proxy.port


def test_closing_a_response_early_cancels_the_request(flavour: Flavour, origin: str) -> None:
    package, module = flavour
    transport = module.MintTransport(protocols=("http2",))
    with package.Client(base_url=origin, transport=transport) as client:
        with client.stream("GET", "/bytes/50000000") as streamed:
            next(streamed.iter_raw())
        assert client.get("/").status_code == 200
        assert transport.pool.statistics.opened == 1


def test_an_upgrade_is_a_network_stream(flavour: Flavour, origin: str) -> None:
    package, module = flavour
    with package.Client(base_url=origin, transport=module.MintTransport(protocols=("http1",))) as client:
        fields = {"connection": "upgrade", "upgrade": "echo"}
        with client.stream("GET", "/", headers=fields) as answer:
            assert answer.status_code == 101
            network = answer.extensions["network_stream"]
            network.write(b"to the far end")
            got = b""
            while len(got) < 14:
                got += network.read(5)
            assert got == b"to the far end"
            network.close()


def test_connect_is_a_network_stream(flavour: Flavour, origin: str) -> None:
    package, module = flavour
    with package.Client(base_url=origin, transport=module.MintTransport(protocols=("http2",))) as client:
        target = {"target": b"far.example:443"}
        with client.stream("CONNECT", "/", extensions=target) as answer:
            assert answer.status_code == 200
            answer.extensions["network_stream"].write(b"ping")
            assert answer.extensions["network_stream"].read(100) == b"ping"


@pytest.mark.parametrize(("status", "is_tunnel"), [(200, True), (299, True), (300, False), (404, False)])
def test_which_answers_to_connect_open_a_tunnel(flavour: Flavour, status: int, is_tunnel: bool) -> None:
    package, module = flavour
    answer = b"HTTP/1.1 %d X\r\nContent-Length: 3\r\n\r\nabc" % status
    if is_tunnel:
        answer = answer.replace(b"Content-Length: 3\r\n", b"")
    transport = module.MintTransport(protocols=("http1",))
    with package.Client(transport=transport) as client, ScriptedServer((request(), Send(answer))) as server:
        url, target = f"http://127.0.0.1:{server.port}/", {"target": b"far.example:443"}
        with client.stream("CONNECT", url, extensions=target) as found:
            assert found.status_code == status
            assert found.read() == (b"" if is_tunnel else b"abc")
            if is_tunnel:
                assert found.extensions["network_stream"].read(3) == b"abc"


def unused() -> int:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        port: int = made.getsockname()[1]
        return port


OK = b"HTTP/1.1 200 OK\r\n"
FAILURES: list[tuple[str, str, tuple[Any, ...]]] = [
    ("ReadTimeout", "/", (request(), Forever())),
    ("RemoteProtocolError", "/", (request(), Close())),
    ("RemoteProtocolError", "/", (request(), Send(b"HTTP/9 what\r\n\r\n"), Close())),
    ("RemoteProtocolError", "/", (request(), Send(OK + b"content-length: 10\r\n\r\nshort"), Close())),
]


@pytest.mark.parametrize(("name", "target", "script"), FAILURES)
def test_errors_are_those_of_httpx(flavour: Flavour, name: str, target: str, script: tuple[Any, ...]) -> None:
    package, module = flavour
    limits = package.Timeout(5.0, read=0.3)
    transport = module.MintTransport(protocols=("http1",))
    with package.Client(transport=transport, timeout=limits) as client, ScriptedServer(script) as server:
        with pytest.raises(getattr(package, name)) as caught:
            client.get(f"http://127.0.0.1:{server.port}{target}")
        assert isinstance(caught.value.__cause__, mint.MintError)
        assert caught.value.request.method == "GET"


def test_every_timeout_is_a_timeout_of_httpx(flavour: Flavour) -> None:
    package, _ = flavour
    kinds = [each for each in vars(mint.errors).values() if isinstance(each, type)]
    timeouts = [each for each in kinds if issubclass(each, TimeoutError)]
    assert mint.errors.TunnelTimeout in timeouts
    for kind in timeouts:
        assert issubclass(getattr(package, str(error_name(kind()))), package.TimeoutException), kind


def test_errors_before_anything_is_sent(flavour: Flavour, origin: str) -> None:
    package, module = flavour
    with package.Client(transport=module.MintTransport()) as client:
        with pytest.raises(package.ConnectError):
            client.get(f"http://127.0.0.1:{unused()}/")
        with pytest.raises(package.LocalProtocolError):
            client.get(origin, headers={"x": "a\nb"})
        with pytest.raises(package.UnsupportedProtocol):
            client.get("ftp://127.0.0.1/")
    with (
        Origin(showcase, tls=server_context()) as server,
        package.Client(transport=module.MintTransport()) as client,
        pytest.raises(package.ConnectError),
    ):
        client.get(f"https://localhost:{server.port}/")  # the certificate is not trusted


def test_a_pool_of_the_caller_is_not_closed(flavour: Flavour, origin: str) -> None:
    package, module = flavour
    with mint.pool.Pool() as pool:
        for _ in range(2):
            with package.Client(transport=module.MintTransport(pool=pool)) as client:
                assert client.get(origin).status_code == 200
        assert pool.statistics.opened == 1


def test_an_async_body_in_a_blocking_client_is_refused(flavour: Flavour, origin: str) -> None:
    package, module = flavour

    async def pieces() -> AsyncIterator[bytes]:
        yield b""

    with package.Client(transport=module.MintTransport()) as client, pytest.raises(RuntimeError):
        client.post(origin, content=pieces())


def test_the_client_handles_redirects_and_cookies(flavour: Flavour) -> None:
    package, module = flavour

    def answer(received: Request) -> Response:
        if received.target == "/here":
            return Response(302, (("location", "/there"), ("set-cookie", "a=1")))
        return Response(200, body=(received.header("cookie") or "").encode())

    with (
        Origin(answer) as server,
        package.Client(transport=module.MintTransport(), follow_redirects=True) as client,
    ):
        assert client.get(f"http://127.0.0.1:{server.port}/here").text == "a=1"


def test_the_proxy_of_a_client_bypasses_the_transport(flavour: Flavour) -> None:
    # docs/httpx.md says to give the proxy to the transport.
    package, module = flavour
    transport = module.MintTransport()
    url = package.URL("http://one.example/")
    with package.Client(transport=transport) as client:
        assert client._transport_for_url(url) is transport
    with package.Client(transport=transport, proxy="http://proxy.example") as client:
        assert client._transport_for_url(url) is not transport
