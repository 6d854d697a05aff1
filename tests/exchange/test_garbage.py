"""The error of an exchange is freed with its last reference: it is in no reference cycle with a frame."""

from __future__ import annotations

import asyncio
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal  # the modules of the event loops have no common type

import pytest
import trio

import mint
import mint.asyncio
import mint.exchange.asyncio
import mint.exchange.trio
import mint.trio
from mint.errors import ContentTooLarge, ServerClosedConnection, ServerClosedRequest, TransportTimeout
from mint.testing import Drain, MayEnd, ScriptedServer, http2

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mint.testing.frames import Frame

pytestmark = pytest.mark.usefixtures("uncollected")

OK = [(":status", "200")]
LONG = 20.0
CASES: list[tuple[type[mint.MintError], list[Frame]]] = [
    (TransportTimeout, []),
    (ServerClosedRequest, [http2.rst_stream(1, http2.ErrorCode.INTERNAL_ERROR)]),
    (ContentTooLarge, [http2.headers(1, OK), http2.data(1, bytes(11))]),
    (ServerClosedConnection, [http2.goaway(1, http2.ErrorCode.INTERNAL_ERROR)]),
]


def where(server: ScriptedServer) -> tuple[Literal["http"], str, int]:
    return "http", server.address, server.port


@contextmanager
def serving(frames: list[Frame]) -> Iterator[ScriptedServer]:
    """A server that answers with these frames; without any, it says nothing at all."""
    answer = [*http2.handshake(), http2.ExpectHeaders(1, (), end=True), http2.send(*frames)] if frames else []
    with ScriptedServer([*answer, MayEnd(), Drain()]) as server:
        yield server


@pytest.mark.parametrize(("kind", "frames"), CASES)
def test_a_blocking_exchange(kind: type[mint.MintError], frames: list[Frame]) -> None:
    with serving(frames) as server, mint.connect(*where(server), protocols=("http2",)) as conn:
        with pytest.raises(kind) as caught:
            mint.exchange.exchange(conn, "GET", "/", timeout=LONG if frames else 0.01, max_size=10)
        assert caught.value.__cause__ is not caught.value
        gone = weakref.ref(caught.value)
        del caught
        assert gone() is None


async def gone_at_once(module: Any, exchanges: Any, server: ScriptedServer, limit: float) -> type:
    with await module.connect(*where(server), protocols=("http2",)) as conn:
        try:
            await exchanges.exchange(conn, "GET", "/", timeout=limit, max_size=10)
        except mint.MintError as error:
            kind, gone = type(error), weakref.ref(error)
        else:
            raise AssertionError("the exchange succeeded")
        assert gone() is None
        return kind


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
@pytest.mark.parametrize(("kind", "frames"), CASES)
def test_an_exchange_in_an_event_loop(loop: str, kind: type[mint.MintError], frames: list[Frame]) -> None:
    timeout = LONG if frames else 0.01
    with serving(frames) as server:
        if loop == "asyncio":
            raised = asyncio.run(gone_at_once(mint.asyncio, mint.exchange.asyncio, server, timeout))
        else:
            raised = trio.run(gone_at_once, mint.trio, mint.exchange.trio, server, timeout)
    assert raised is kind
