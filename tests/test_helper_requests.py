"""Every helper refuses requests that cannot be sent, before connecting or sending.

The helpers are exchanges, pools, the httpx transports, `send_body` and the command line.
`test_helper_arguments.py` tests arguments of wrong types.
"""

from __future__ import annotations

import asyncio
import socket
from array import array
from functools import partial
from typing import TYPE_CHECKING, Any  # wrong arguments are passed, which the types forbid

import httpx
import pytest
import trio

import mint
import mint.exchange
import mint.exchange.asyncio
import mint.exchange.trio
import mint.httpx
import mint.pool
import mint.pool.asyncio
import mint.pool.trio
from mint._command import main
from mint.exchange import URL
from mint.testing import Origin, Request, Response
from mint.testing import http2 as h2

from .test_arguments import Listener, http1, http2

if TYPE_CHECKING:
    from collections.abc import Callable

LOOPS = ("blocking", "asyncio", "trio")
PROTOCOLS = ("http1", "http2")

BOTH: dict[str, dict[str, Any]] = {
    "a method with a blank": {"method": "GE T"},
    "an empty method": {"method": ""},
    "a method with a line break": {"method": "GET\r\nx"},
    "a target with a blank": {"target": "/a b"},
    "a target with a line break": {"target": "/\r\nx: y"},
    "a target beyond ASCII": {"target": "/\xe9"},
    "a target of another form": {"target": "*"},
    "an empty name": {"headers": [("", "x")]},
    "a name with a blank": {"headers": [("a b", "x")]},
    "a name with a colon": {"headers": [("a:", "x")]},
    "a name beyond ASCII": {"headers": [("\xe9", "x")]},
    "a value with a line break": {"headers": [("x", "a\r\nb: c")]},
    "a value with NUL": {"headers": [("x", "a\0")]},
    "a value beyond latin-1": {"headers": [("x", "\u20ac")]},
    "a value with blanks around it": {"headers": [("x", " a")]},
    "no host": {"headers": [("host", "a b")]},
    "no length": {"headers": [("content-length", "x")]},
    "two lengths": {"headers": [("content-length", "1"), ("content-length", "2")], "body": b"x"},
    "another length": {"headers": [("content-length", "5")], "body": b"x"},
    "a length without content": {"headers": [("content-length", "5")]},
    "a pseudo-header": {"headers": [(":path", "/")]},
    "an expectation without content": {"headers": [("expect", "100-continue")]},
    "a trailer that frames": {"body": b"x", "trailers": (("content-length", "1"),)},
    "a trailer's name": {"body": b"x", "trailers": (("a b", "x"),)},
    "a trailer's value": {"body": b"x", "trailers": (("a", "x\r\n"),)},
    "a trailer of a body in pieces": {"body": [b"x"], "trailers": (("host", "a"),)},
    "trailers without a body": {"trailers": (("a", "b"),)},
}
HTTP1: dict[str, dict[str, Any]] = {
    "a coding that does not end": {"headers": [("transfer-encoding", "gzip")], "body": b"x"},
    "no list of tokens": {"headers": [("connection", "a b")]},
    "trailers behind a length": {
        "headers": [("content-length", "1")],
        "body": b"x",
        "trailers": (("a", "b"),),
    },
}
HTTP2: dict[str, dict[str, Any]] = {
    "a field of HTTP/1": {"headers": [("connection", "close")]},
    "a coding": {"headers": [("transfer-encoding", "chunked")], "body": b"x"},
    "te": {"headers": [("te", "gzip")]},
    "a trailer of HTTP/1": {"body": b"x", "trailers": (("keep-alive", "x"),)},
}
ROWS = [
    *((protocol, name, given) for protocol in PROTOCOLS for name, given in BOTH.items()),
    *(("http1", name, given) for name, given in HTTP1.items()),
    *(("http2", name, given) for name, given in HTTP2.items()),
]
TABLE = pytest.mark.parametrize(
    ("protocol", "given"), [pytest.param(each[0], each[2], id=f"{each[0]}-{each[1]}") for each in ROWS]
)


def asks(given: dict[str, Any], port: int) -> dict[str, Any]:
    """Return the arguments of a pool's `request`."""
    made = {"method": "POST", "headers": (), "timeout": 5.0, **given}
    made["url"] = URL("http", "127.0.0.1", port, made.pop("target", "/"))
    return made


async def in_pool(module: Any, protocol: str, given: dict[str, Any], how: str) -> None:
    async with module.Pool(protocols=(protocol,)) as pool:
        await getattr(pool, how)(**given)


def run(loop: str, function: Callable[..., Any], *given: Any) -> None:
    if loop == "asyncio":
        asyncio.run(function(*given))
    else:
        trio.run(partial(function, *given))


@pytest.mark.parametrize("how", ["request", "stream"])
@pytest.mark.parametrize("loop", LOOPS)
@TABLE
def test_a_pool_does_not_connect(loop: str, protocol: str, given: dict[str, Any], how: str) -> None:
    with Listener() as listener:
        arguments = asks(given, listener.port)
        with pytest.raises((mint.HTTPError, ValueError)) as caught:  # one call in each event loop
            if loop == "blocking":
                with mint.pool.Pool(protocols=(protocol,)) as pool:  # type: ignore[arg-type]  # of the table
                    getattr(pool, how)(**arguments)
            else:
                module = mint.pool.asyncio if loop == "asyncio" else mint.pool.trio
                run(loop, in_pool, module, protocol, arguments, how)
        if isinstance(caught.value, mint.MintError):
            assert caught.value.local
            assert caught.value.processed is mint.Processed.NO
        assert not listener.dialled()


class Reached(Exception):  # noqa: N818  # an event, not an error
    """The pool has begun to connect."""


def reached(host: str, port: int) -> list[str]:
    raise Reached


def test_after_a_refusal_the_pool_can_be_used() -> None:
    options = mint.pool.PoolOptions(max_connections=1)
    with mint.pool.Pool(options=options, resolver=reached) as pool:
        for given in BOTH.values():
            arguments = asks(given, 80)
            arguments["url"] = arguments["url"]._replace(host="a.test")
            with pytest.raises((mint.HTTPError, ValueError)):
                pool.request(**arguments)
        assert pool.statistics.connections == 0
        with pytest.raises(Reached):
            pool.request("GET", "http://a.test/")


def test_a_request_that_one_protocol_allows_may_connect() -> None:
    """Over TLS, the server chooses the protocol."""
    for given in (HTTP1["trailers behind a length"], HTTP2["a field of HTTP/1"], HTTP2["a coding"]):
        arguments = asks(given, 443)
        arguments["url"] = arguments["url"]._replace(scheme="https", host="a.test")
        with mint.pool.Pool(resolver=reached) as pool, pytest.raises(Reached):
            pool.request(**arguments)


def received_by(listener: Listener) -> bytes:
    """Return everything that was sent on the only connection, which is closed."""
    made, _ = listener.socket.accept()
    with made:
        made.setblocking(True)
        made.settimeout(5.0)
        octets = b""
        while piece := made.recv(65_536):
            octets += piece
    return octets


def assert_nothing_sent(protocol: str, octets: bytes) -> None:
    """Check that no request was sent; over HTTP/2, the preface and control frames are allowed."""
    if protocol == "http1":
        assert octets == b""
        return
    octets = octets.removeprefix(h2.PREFACE)
    while octets:
        assert octets[3] in {4, 7, 8}, octets  # SETTINGS, GOAWAY, WINDOW_UPDATE
        octets = octets[9 + int.from_bytes(octets[:3]) :]


async def in_exchange(connecting: Any, module: Any, protocol: str, port: int, given: dict[str, Any]) -> None:
    conn = await connecting.connect("http", "127.0.0.1", port, protocols=(protocol,))
    with conn:
        await module.exchange(conn, **given)


@pytest.mark.parametrize("loop", LOOPS)
@TABLE
def test_an_exchange_sends_nothing(loop: str, protocol: str, given: dict[str, Any]) -> None:
    arguments = {"method": "POST", "target": "/", "timeout": 5.0, **given}
    with Listener() as listener:
        with pytest.raises((mint.HTTPError, ValueError)):  # one call in each event loop
            if loop == "blocking":
                with mint.connect("http", "127.0.0.1", listener.port, protocols=(protocol,)) as conn:  # type: ignore[call-overload]  # of the table
                    mint.exchange.exchange(conn, **arguments)
            elif loop == "asyncio":
                run(
                    loop, in_exchange, mint.asyncio, mint.exchange.asyncio, protocol, listener.port, arguments
                )
            else:
                run(loop, in_exchange, mint.trio, mint.exchange.trio, protocol, listener.port, arguments)
        assert_nothing_sent(protocol, received_by(listener))


TRAILERS = [row for row in ROWS if "trailers" in row[2] and "body" in row[2] and "headers" not in row[2]]


@pytest.mark.parametrize(("protocol", "name", "given"), TRAILERS)
def test_send_body_sends_nothing_if_the_trailers_cannot_be_sent(
    protocol: str, name: str, given: dict[str, Any]
) -> None:
    conn: mint.Connection
    conn, link = http1() if protocol == "http1" else http2()
    conn, ref = conn.request("POST", "/", (), mint.STREAM)
    link.take()
    taken: list[bytes] = []

    def pieces() -> Any:
        taken.append(b"x")
        yield b"x"

    with pytest.raises(mint.HTTPError) as caught:
        mint.exchange.send_body(conn, ref, pieces(), trailers=given["trailers"])
    assert (link.take(), taken) == (b"", []), name
    assert conn.after(caught.value) == conn


HTTPX = {name: given for name, given in BOTH.items() if set(given) <= {"method", "headers"}}
del HTTPX["a value beyond latin-1"]  # httpx represents values as octets


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("name", HTTPX)
def test_the_transports_of_httpx_do_not_connect(loop: str, name: str) -> None:
    given = HTTPX[name]
    with Listener() as listener:
        headers = [
            (key.encode(), value.encode("latin-1", "replace")) for key, value in given.get("headers", ())
        ]
        if name == "a value beyond latin-1":
            return  # httpx represents values as octets

        def ask(client: Any) -> Any:
            built = client.build_request(given.get("method", "GET"), f"http://127.0.0.1:{listener.port}/")
            built.headers = httpx.Headers(headers or [(b"a", b"b")])
            return client.send(built)

        async def ask_async() -> None:
            async with httpx.AsyncClient(transport=mint.httpx.AsyncMintTransport()) as client:
                await ask(client)

        with pytest.raises((httpx.LocalProtocolError, httpx.UnsupportedProtocol, ValueError)):  # in each loop
            if loop == "blocking":
                with httpx.Client(transport=mint.httpx.MintTransport()) as client:
                    ask(client)
            else:
                run(loop, ask_async)
        assert not listener.dialled()


COMMANDS: tuple[tuple[str, ...], ...] = (
    ("-H", "host: a b"),
    ("-H", "content-length: 5"),
    ("-H", "content-length: 5", "-d", "x"),
    ("-H", "transfer-encoding: gzip", "-d", "x"),
    ("-H", "connection: a b"),
    ("-H", "expect: 100-continue"),
    ("--h2c", "-H", "connection: close"),
    ("--h2c", "-H", "te: gzip"),
    ("-X", "GE T"),
)


@pytest.mark.parametrize("options", COMMANDS, ids=" ".join)
def test_the_command_line_does_not_connect(
    options: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with Listener() as listener:
        assert main([*options, "-m", "5", f"http://127.0.0.1:{listener.port}/"]) == 2
        assert not listener.dialled()
    assert capsys.readouterr().err.count("\n") == 1


def test_the_listener_notices_connections() -> None:
    with Listener() as listener, socket.create_connection(("127.0.0.1", listener.port)):
        assert listener.dialled()


# -- the transports of httpx


@pytest.mark.parametrize("transport", [mint.httpx.MintTransport, mint.httpx.AsyncMintTransport])
def test_a_transport_of_httpx_refuses_arguments_by_name(transport: Callable[..., object]) -> None:
    wrong: dict[str, tuple[object, ...]] = {
        "protocols": (None, 5, "http1", (), ("h3",)),
        "proxy": (5, b"http://a", object()),
        **{name: (None, 5, "x", {}) for name in ("tcp", "tls", "http1", "http2", "options")},
        "pool": (5, "x", {}, [], mint.pool.Pool),
    }
    for name, values in wrong.items():
        for value in values:
            with pytest.raises((TypeError, ValueError), match=name):
                transport(**{name: value})


# -- pieces of a body

PIECES: tuple[object, ...] = (None, 5, "text", ["x"], {}, object())


class Received:
    """A handler that records the bodies it has received completely."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def __call__(self, request: Request) -> Response:
        body = request.body.read()
        self.bodies.append(body)
        return Response(200, (), body)


def sync_pieces(wrong: object) -> Any:
    yield b"begun"
    yield wrong
    yield b"the rest"


async def async_pieces(wrong: object) -> Any:
    for piece in sync_pieces(wrong):
        yield piece


async def exchange_in(connecting: Any, module: Any, protocol: str, port: int, body: Any) -> None:
    with await connecting.connect("http", "127.0.0.1", port, protocols=(protocol,)) as conn:
        await module.exchange(conn, "POST", "/", (), body)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("helper", ["exchange", "pool"])
def test_an_invalid_piece_does_not_end_the_body(helper: str, loop: str, protocol: str) -> None:
    """Once, `None` was taken for the end, so the server saw a complete but shortened body."""
    handler = Received()
    spoken: Any = (protocol,)
    with Origin(handler, protocols=spoken) as origin:
        url = f"http://127.0.0.1:{origin.port}/"
        for wrong in PIECES:
            for make in (sync_pieces,) if loop == "blocking" else (sync_pieces, async_pieces):
                body = make(wrong)
                with pytest.raises(TypeError, match="body must be bytes"):
                    if helper == "pool" and loop == "blocking":
                        with mint.pool.Pool(protocols=spoken) as pool:
                            pool.request("POST", url, (), body)
                    elif helper == "pool":
                        module = mint.pool.asyncio if loop == "asyncio" else mint.pool.trio
                        given = {"method": "POST", "url": url, "body": body}
                        run(loop, in_pool, module, protocol, given, "request")
                    elif loop == "blocking":
                        conn: mint.Connection
                        with mint.connect("http", "127.0.0.1", origin.port, protocols=spoken) as conn:
                            mint.exchange.exchange(conn, "POST", "/", (), body)
                    elif loop == "asyncio":
                        where = (mint.asyncio, mint.exchange.asyncio, protocol, origin.port)
                        run(loop, exchange_in, *where, body)
                    else:
                        where = (mint.trio, mint.exchange.trio, protocol, origin.port)
                        run(loop, exchange_in, *where, body)
    assert handler.bodies == []


def test_send_body_refuses_invalid_pieces_by_name() -> None:
    for wrong in PIECES:
        conn, link = http1()
        conn, ref = conn.request("POST", "/", (), mint.STREAM)
        with pytest.raises(TypeError, match="pieces must be bytes"):
            mint.exchange.send_body(conn, ref, sync_pieces(wrong))
        assert not link.take().endswith(b"0\r\n\r\n")


def test_send_of_a_pool_refuses_invalid_data_by_name() -> None:
    with (
        Origin(Received()) as origin,
        mint.pool.Pool() as pool,
        pool.stream("POST", f"http://127.0.0.1:{origin.port}/", (), mint.STREAM) as answer,
    ):
        for wrong in PIECES:
            with pytest.raises(TypeError, match="data must be bytes"):
                answer.send(wrong)  # type: ignore[arg-type]  # wrong on purpose
        for right in (b"a", bytearray(b"b"), memoryview(b"c-d")[::2], memoryview(b""), array("H", [0])):
            assert answer.send(right)  # type: ignore[arg-type]  # any buffer
        answer.send_end()
        assert answer.read() == b"abcd\0\0"
