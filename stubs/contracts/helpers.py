"""What type checkers must know about the parts around connections. Checked, never executed."""

from collections.abc import Iterator
from typing import assert_type

import mint
import mint.content
import mint.exchange
import mint.exchange.asyncio
import mint.exchange.trio
import mint.pool
import mint.pool.asyncio
import mint.pool.trio
from mint.errors import HTTPError, TransportError
from mint.exchange import URL, Answer, Collector, Origin


def urls() -> None:
    url = mint.exchange.split_url("https://example.org/")
    assert_type(url, URL)
    assert_type(url.origin, Origin)
    mint.connect(url.scheme, url.host, url.port)


def blocking(conn: mint.Connection) -> None:
    conn, answer = mint.exchange.exchange(conn, "GET", "/", timeout=None)
    assert_type(answer, Answer)
    assert_type(answer.header("a"), str | None)
    assert_type(answer.header("a", ""), str)
    assert_type(answer.headers_all("a"), tuple[str, ...])
    conn, ref = conn.request("POST", "/", body=mint.STREAM)
    conn, responses = mint.exchange.send_body(conn, ref, [b"x"])
    outcomes = Collector().feed(responses)
    assert_type(outcomes, dict[mint.RequestRef, Answer | HTTPError | TransportError])


async def asynchronous(conn: mint.Connection) -> None:
    conn, answer = await mint.exchange.asyncio.exchange(conn, "GET", "/")
    assert_type(answer, Answer)
    conn, answer = await mint.exchange.trio.exchange(conn, "GET", "/")
    assert_type(answer, Answer)


def decoding(answer: Answer) -> None:
    decoder = mint.content.Decoder(answer.headers_all("content-encoding"), max_size=None)
    assert_type(decoder.feed(b""), Iterator[bytes])
    assert_type(mint.content.decode(b"", "gzip"), bytes)


def pooled() -> None:
    options = mint.pool.PoolOptions(max_connections=10, retry_idempotent=True)
    with mint.pool.Pool(options=options, timeout=mint.pool.Timeouts(read=5)) as pool:
        assert_type(pool, mint.pool.Pool)
        assert_type(pool.request("GET", "https://example.org/", body=[b"x"]), Answer)
        with pool.stream("GET", mint.exchange.split_url("https://example.org/")) as streamed:
            assert_type(streamed, mint.pool.StreamedAnswer)
            assert_type(streamed.receive(), bytes | None)
            assert_type(streamed.header("a"), str | None)
            assert_type(streamed.connection, mint.HTTP1 | mint.HTTP2)
        assert_type(pool.statistics, mint.pool.Statistics)


async def pooled_with_await() -> None:
    async with mint.pool.asyncio.Pool() as pool:
        assert_type(pool, mint.pool.asyncio.Pool)
        assert_type(await pool.request("GET", "https://example.org/"), Answer)
    async with mint.pool.trio.Pool() as other:
        async with await other.stream("POST", "https://example.org/", body=mint.STREAM) as streamed:
            assert_type(await streamed.send(b"x"), bool)
            async for piece in streamed:
                assert_type(piece, bytes)
