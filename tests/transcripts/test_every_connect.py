"""Every kind of `connect` can record: blocking, in event loops, with mailboxes, over TLS, through tunnels."""

from __future__ import annotations

import base64
import inspect
import io
from typing import TYPE_CHECKING, Any  # arguments of others are passed through

import pytest

import mint
import mint.asyncio
import mint.pool.asyncio
import mint.pool.trio
import mint.testing
import mint.trio
from mint.testing import Origin, Request, Response

from ..event_loops import fetch as fetch_in_loop
from ..loops.test_async_loops import EVENT_LOOPS, EventLoop
from ..routes import HTTPProxy, fetch
from ..tls import server_context, trusting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mint.types import ProtocolName, Scheme

SECRET = "hunter2-of-the-server"
PROTOCOLS: tuple[ProtocolName, ...] = ("http1", "http2")


def serve(request: Request) -> Response:
    return Response(
        200, (("set-cookie", f"id={SECRET}"),), bytes(100_000) if request.target == "/big" else b"hello"
    )


@pytest.fixture(params=[False, True], ids=["clear", "tls"])
def origin(request: pytest.FixtureRequest) -> Iterator[Origin]:
    with Origin(serve, tls=server_context(alpn=("h2", "http/1.1")) if request.param else None) as server:
        yield server


def address(origin: Origin) -> tuple[Scheme, str, int]:
    return ("http" if origin.tls is None else "https", "127.0.0.1", origin.port)


def check(text: str, *, requests: int = 1) -> None:
    """Check that a transcript can be replayed, has every request and response, and no secret."""
    made = mint.testing.replay(io.StringIO(text))
    assert sum(step.call == "request" for step in made) == requests
    assert sum(isinstance(each, mint.Done) for step in made for each in step.responses) == requests
    assert SECRET not in text
    assert base64.b64encode(f"user:{SECRET}".encode()).decode() not in text


def receive_one(conn: mint.Connection, mailbox: mint.Mailbox) -> mint.Connection:
    while conn.open_request_count:
        streamed = conn.stream(mailbox.receive(timeout=10.0))
        assert streamed is not mint.UNKNOWN
        conn, _ = streamed
    return conn


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("alone", [False, True])
def test_a_blocking_connection(protocol: ProtocolName, alone: bool, origin: Origin) -> None:
    out = io.StringIO()
    connect: Callable[..., mint.Connection] = mint.connect
    options: dict[str, Any] = {"protocols": [protocol]}
    if alone:
        connect, options = (mint.http1.connect if protocol == "http1" else mint.http2.connect), {}
    conn = connect(*address(origin), tls=trusting(), record=out, **options)
    with conn:
        fetch(conn)
    check(out.getvalue())


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_connection_with_a_mailbox(protocol: ProtocolName, origin: Origin) -> None:
    out = io.StringIO()
    with mint.Mailbox() as mailbox:
        conn = mint.connect(
            *address(origin), protocols=[protocol], tls=trusting(), record=out, mailbox=mailbox
        )
        for target in ("/", "/big"):
            conn, _ = conn.request("GET", target)
            conn = receive_one(conn, mailbox)
        conn.close()
    check(out.getvalue(), requests=2)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", EVENT_LOOPS)
def test_a_connection_in_an_event_loop(protocol: ProtocolName, name: str, origin: Origin) -> None:
    loop: EventLoop = EVENT_LOOPS[name]
    out = io.StringIO()

    async def main() -> None:
        with loop.mailbox() as mailbox:
            conn = await loop.connect(
                *address(origin), protocols=[protocol], tls=trusting(), record=out, mailbox=mailbox
            )
            conn, body = await fetch_in_loop(conn, mailbox, "/big")
            assert len(body) == 100_000
            conn.close()

    loop.run(main())
    check(out.getvalue())


@pytest.mark.parametrize("tunnel", [False, True])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_connections_through_a_proxy(protocol: ProtocolName, tunnel: bool, origin: Origin) -> None:
    out = io.StringIO()
    with Origin(HTTPProxy()) as proxy:
        way = mint.Proxy("http", proxy.address, proxy.port, username="user", password=SECRET, tunnel=tunnel)
        conn = mint.connect(*address(origin), protocols=[protocol], proxy=way, tls=trusting(), record=out)
        with conn:
            fetch(conn)
    check(out.getvalue())


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_connections_that_share_a_tunnel(protocol: ProtocolName, origin: Origin) -> None:
    out = io.StringIO()
    recorder = mint.transcripts.Recorder(out)
    with Origin(HTTPProxy(), tls=server_context(alpn=("h2",))) as proxy:
        first = mint.http2.connect("https", proxy.address, proxy.port, tls=trusting())
        with mint.Tunnels(first) as tunnels:
            for _ in range(2):
                fetch(
                    tunnels.connect(*address(origin), protocols=[protocol], tls=trusting(), record=recorder)
                )
    check(out.getvalue(), requests=2)


def test_every_connect_and_initiate_and_pool_takes_record() -> None:
    modules = (
        mint,
        mint.http1,
        mint.http2,
        mint.asyncio,
        mint.trio,
        mint.pool,
        mint.pool.asyncio,
        mint.pool.trio,
    )
    found = {
        f"{module.__name__}.{name}": made
        for module in modules
        for name in module.__all__
        for made in (getattr(module, name), getattr(getattr(module, name), "connect", None))
        if name in {"connect", "initiate", "Pool", "Tunnels"} and callable(made)
    }
    assert len(found) == 13
    for name, made in found.items():
        default = inspect.signature(made).parameters["record"].default
        assert default is None, name


def test_without_recording_no_module_of_transcripts_is_imported() -> None:
    import subprocess  # noqa: PLC0415  # only this test needs it
    import sys  # noqa: PLC0415  # the same

    program = (
        "import mint, sys\n"
        "mint.http1.initiate(mint.transport.Memory(), scheme='http', hostname='h')\n"
        "mint.http2.initiate(mint.transport.Memory(), scheme='http', hostname='h')\n"
        "sys.exit(any(name.startswith(('mint._transcripts', 'mint.transcripts')) for name in sys.modules))\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
