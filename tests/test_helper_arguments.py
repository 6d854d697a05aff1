"""Invalid arguments of pools, exchanges and decoders are refused by name, before connecting or sending."""

from __future__ import annotations

import asyncio
import inspect
import math
from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING, Any  # wrong arguments are passed, which the types forbid

import pytest
import trio

import mint
import mint.content
import mint.exchange
import mint.exchange.asyncio
import mint.exchange.trio
import mint.pool
import mint.pool.asyncio
import mint.pool.trio

from .test_arguments import BOOLS, NUMBERS, PARAMETERS, TIMES, Listener, Number, Octets, Text, http1, http2

if TYPE_CHECKING:
    from collections.abc import Callable

LIMITS: list[object] = [each for each in NUMBERS if each is not None]
FIELDS: list[object] = [
    *(None, 5, "te", b"te", {"te": "x"}, ["te"], [b"te"], [{"t", "e"}], [{"t": "a", "e": "b"}]),
    *([("a",)], [("a", "b", "c")], [("a", 5)], [(b"a", "b")], [("a", None)], [None], [5]),
]
BODIES: list[object] = [5, "text", {"a": 1}, ["text"], [5], [b"a", None], object()]
NO_TIME: list[object] = [True, "1", b"1", math.nan, math.inf, -math.inf, 10**400, [1]]


@pytest.mark.parametrize("kind", [mint.pool.PoolOptions, mint.pool.Timeouts], ids=lambda each: each.__name__)
def test_options_of_pools_refuse_invalid_values_by_name(kind: type) -> None:
    wrong = {
        "int": NUMBERS,
        "bool": BOOLS,
        "float": [None, *TIMES],
        "float | None": TIMES,
    }
    for each in fields(kind):
        for value in wrong[str(each.type)]:
            with pytest.raises(ValueError, match=each.name):
                kind(**{each.name: value})


def test_options_of_pools_store_the_real_value_of_a_subclass() -> None:
    made = mint.pool.PoolOptions(max_retries=Number(3))
    assert type(made.max_retries) is int
    assert repr(made.max_retries) == "3"


MAKES_POOL: dict[str, list[object]] = {
    "options": [None, 5, {}, mint.pool.PoolOptions, mint.TCPOptions()],
    "timeout": [*NO_TIME, -1],
    "connect": [5, "x", {}],
    **{
        name: [each for each in PARAMETERS[name] if each is not None or name in {"tcp", "tls", "log"}]
        for name in ("protocols", "proxy", "tcp", "tls", "http1", "http2", "log", "resolver", "record")
    },
}


@pytest.mark.parametrize(
    "pool",
    [mint.pool.Pool, mint.pool.asyncio.Pool, mint.pool.trio.Pool],
    ids=["blocking", "asyncio", "trio"],
)
def test_a_pool_refuses_arguments_by_name(pool: Callable[..., object]) -> None:
    assert set(inspect.signature(pool).parameters) == set(MAKES_POOL)

    async def make(given: dict[str, Any]) -> None:
        pool(**given)

    for name, values in MAKES_POOL.items():
        for value in values:
            with pytest.raises((TypeError, ValueError)) as caught:
                asyncio.run(make({name: value}))
            assert name in str(caught.value), (name, value, str(caught.value))
            assert "hunter2" not in str(caught.value)


ASKS: dict[str, list[object]] = {
    "url": [None, 5, b"http://a/", "a", ("http", "a", 80, "/")],
    "headers": FIELDS,
    "body": BODIES,
    "trailers": FIELDS,
    "timeout": NO_TIME,
    "max_size": LIMITS,
}


@pytest.mark.parametrize("loop", ["blocking", "asyncio", "trio"])
@pytest.mark.parametrize("name", ASKS)
def test_a_request_of_a_pool_is_refused_by_name_before_connecting(loop: str, name: str) -> None:
    async def ask(module: Any, given: dict[str, Any]) -> None:
        async with module.Pool() as pool:
            await pool.request(**given)

    with Listener() as listener:
        for value in ASKS[name]:
            given: dict[str, Any] = {
                "method": "POST",
                "url": f"http://127.0.0.1:{listener.port}/",
                name: value,
            }
            with pytest.raises((TypeError, ValueError)) as caught:  # one call in each event loop
                if loop == "blocking":
                    with mint.pool.Pool() as pool:
                        pool.request(**given)
                elif loop == "asyncio":
                    asyncio.run(ask(mint.pool.asyncio, given))
                else:
                    trio.run(partial(ask, mint.pool.trio, given))
            message = str(caught.value)
            assert name in message or name.upper() in message, (value, message)
            assert not listener.dialled(), value


EXCHANGES: dict[str, list[object]] = {
    "conn": [None, 5, "x", mint.HTTP1],
    "headers": FIELDS,
    "body": BODIES,
    "trailers": FIELDS,
    "timeout": NO_TIME,
    "max_size": LIMITS,
}


@pytest.mark.parametrize("protocol", ["http1", "http2"])
@pytest.mark.parametrize("loop", ["blocking", "asyncio", "trio"])
@pytest.mark.parametrize("name", EXCHANGES)
def test_an_exchange_is_refused_by_name_and_sends_nothing(protocol: str, loop: str, name: str) -> None:
    for value in EXCHANGES[name]:
        conn, link = http1() if protocol == "http1" else http2()
        given: dict[str, Any] = {"conn": conn, "method": "POST", "target": "/", name: value}
        with pytest.raises((TypeError, ValueError)) as caught:  # one call in each event loop
            if loop == "blocking":
                mint.exchange.exchange(**given)
            elif loop == "asyncio":
                asyncio.run(mint.exchange.asyncio.exchange(**given))
            else:
                trio.run(partial(mint.exchange.trio.exchange, **given))
        assert name in str(caught.value), (value, str(caught.value))
        assert link.take() == b""
        assert conn.is_open()
        assert conn.request("GET", "/")  # the connection can still be used


@pytest.mark.parametrize("protocol", ["http1", "http2"])
@pytest.mark.parametrize("name", ["conn", "pieces", "received", "trailers", "timeout", "max_size"])
def test_send_body_refuses_arguments_by_name_and_sends_nothing(protocol: str, name: str) -> None:
    values = {
        **EXCHANGES,
        "pieces": [None, b"", b"bytes", bytearray(b"x"), *BODIES],
        "received": [5, "x", [print]],
    }[name]
    for value in values:
        conn: mint.Connection
        conn, link = http1() if protocol == "http1" else http2()
        conn, ref = conn.request("POST", "/", (), mint.STREAM)
        link.take()
        given: dict[str, Any] = {"conn": conn, "ref": ref, "pieces": [b"x"], name: value}
        with pytest.raises((TypeError, ValueError)) as caught:
            mint.exchange.send_body(**given)
        assert name in str(caught.value), (value, str(caught.value))
        assert link.take() == b""


@pytest.mark.parametrize("max_size", LIMITS)
def test_a_collector_refuses_invalid_sizes(max_size: Any) -> None:
    with pytest.raises(ValueError, match="max_size"):
        mint.exchange.Collector(max_size=max_size)


DECODES: dict[str, list[object]] = {
    "codings": [None, 5, b"gzip", [5], [b"gzip"], [None]],
    "max_size": LIMITS,
    "max_ratio": [*LIMITS, 0],
    "max_codings": [*NUMBERS, 0],
}


@pytest.mark.parametrize("name", DECODES)
def test_a_decoder_refuses_arguments_by_name(name: str) -> None:
    assert set(inspect.signature(mint.content.Decoder).parameters) == set(DECODES)
    for value in DECODES[name]:
        given: dict[str, Any] = {"codings": "gzip", name: value}
        with pytest.raises((TypeError, ValueError)) as caught:
            mint.content.Decoder(**given)
        assert name in str(caught.value), (value, str(caught.value))
        assert type(caught.value) in {TypeError, ValueError}


@pytest.mark.parametrize("data", [None, 5, "text", [b"x"], object()])
def test_a_decoder_takes_only_bytes(data: Any) -> None:
    with pytest.raises(TypeError, match="data"):
        mint.content.Decoder().feed(data)


def test_a_decoder_uses_the_real_value_of_subclasses() -> None:
    decoder = mint.content.Decoder([Text("identity")])
    assert b"".join(decoder.feed(Octets(b"content"))) == b"content"
    assert decoder.size == len(b"content")


@pytest.mark.parametrize("protocol", ["http1", "http2"])
@pytest.mark.parametrize("headers", FIELDS, ids=range(len(FIELDS)))
def test_errors_about_invalid_pairs_name_the_headers(protocol: str, headers: Any) -> None:
    conn, link = http1() if protocol == "http1" else http2()
    with pytest.raises(TypeError, match="headers"):
        conn.request("GET", "/", headers)
    assert link.take() == b""
