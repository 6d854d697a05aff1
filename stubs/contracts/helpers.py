"""What type checkers must know about the parts around connections. Checked, never executed."""

from collections.abc import Iterator
from typing import assert_type

import mint
import mint.content
import mint.exchange
import mint.exchange.asyncio
import mint.exchange.trio
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
