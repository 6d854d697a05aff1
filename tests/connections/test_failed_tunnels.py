"""A proxy that answers CONNECT wrongly: the error names the reason, in whichever way the tunnel is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import mint
from mint import errors
from mint.testing import Close, Forever, ScriptedServer, Send, Step, http2
from mint.testing.frames import Frame, data, goaway, headers, rst_stream, window_update

from ..loops.test_tunnels import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable

OK = (":status", "200")


def answer(*frames: Frame, then: Step | None = None) -> list[Step]:
    return [http2.send(*frames), then or Forever()]


def head(*fields: tuple[str, str], end: bool = False) -> Frame:
    return headers(1, fields, end=end)


ANSWERS: dict[str, tuple[list[Step], type[errors.MintError]]] = {
    "reset": (answer(rst_stream(1, http2.ErrorCode.CONNECT_ERROR)), errors.ServerClosedRequest),
    "refused": (answer(rst_stream(1, http2.ErrorCode.REFUSED_STREAM)), errors.ServerClosedRequest),
    "GOAWAY": (answer(goaway(0), then=Close()), errors.Unprocessed),
    "the end": ([Close()], errors.TransportClosed),
    "101": (answer(head((":status", "101"))), errors.MalformedResponse),
    "no status": (answer(head(("a", "b"))), errors.MissingStatusHeader),
    "a field of HTTP/1": (answer(head(OK, ("connection", "close"))), errors.MalformedResponse),
    "an interim response that ends": (answer(head((":status", "100"), end=True)), errors.MalformedResponse),
    "data before the head": (answer(data(1, b"x")), errors.MalformedResponse),
    "a violation": (answer(window_update(1, 0), then=Close()), errors.ProtocolViolation),
    "HTTP/1": ([Send(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Close()], errors.FrameSizeError),
}


def directly(server: ScriptedServer) -> None:
    proxy = mint.Proxy("http", server.address, server.port, protocols=("http2",), tunnel=True)
    mint.connect("http", "origin.example", 80, proxy=proxy)


def shared(server: ScriptedServer) -> None:
    with mint.Tunnels(mint.http2.connect("http", server.address, server.port)) as tunnels:
        tunnels.connect("http", "origin.example", 80)


def shared_in(name: str) -> Callable[[ScriptedServer], None]:
    kind = KINDS[name]

    def call(server: ScriptedServer) -> None:
        async def main() -> None:
            conn = await kind.module.connect("http", server.address, server.port, protocols=("http2",))
            with kind.module.Tunnels(conn) as tunnels:
                await tunnels.connect("http", "origin.example", 80)

        kind.run(main())

    return call


WAYS = {"a proxy": directly, "Tunnels": shared, **{name: shared_in(name) for name in KINDS}}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ANSWERS)
def test_the_error_has_the_reason(name: str, way: str) -> None:
    steps, expected = ANSWERS[name]
    script = [*http2.handshake(), http2.ExpectHeaders(1), *steps]
    with ScriptedServer(script) as server, pytest.raises(errors.ProxyFailed) as caught:
        WAYS[way](server)
    assert type(caught.value.error) is expected
    assert caught.value.__cause__ is caught.value.error
    assert caught.value.processed is mint.Processed.NO
