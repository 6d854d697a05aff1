"""What type checkers must know about pools. Checked, never executed."""

from __future__ import annotations

from typing import assert_type

import mint
import mint.pool
import mint.pool.asyncio
from mint import Connection, Informational
from mint.exchange import URL, Answer
from mint.pool._options import Statistics, Timeouts
from mint.pool._requests import AsyncStreamedBody, StreamedBody
from mint.types import BytesLike, HeaderFields, HeaderPairs


def pool_pool_close(it: mint.pool.Pool) -> None:
    it.close()


def pool_pool_request(
    it: mint.pool.Pool,
    method: str,
    url: str | URL,
    headers: HeaderPairs,
    body: StreamedBody,
    trailers: HeaderFields,
    timeout: float | Timeouts | None,
    max_size: int | None,
) -> None:
    assert_type(
        it.request(method, url, headers, body, trailers=trailers, timeout=timeout, max_size=max_size), Answer
    )


def pool_pool_statistics(it: mint.pool.Pool) -> None:
    assert_type(it.statistics, Statistics)


def pool_pool_stream(
    it: mint.pool.Pool,
    method: str,
    url: str | URL,
    headers: HeaderPairs,
    body: StreamedBody,
    trailers: HeaderFields,
    timeout: float | Timeouts | None,
) -> None:
    assert_type(
        it.stream(method, url, headers, body, trailers=trailers, timeout=timeout), mint.pool.StreamedAnswer
    )


def pool_streamedanswer_close(it: mint.pool.StreamedAnswer) -> None:
    it.close()


def pool_streamedanswer_connection(it: mint.pool.StreamedAnswer) -> None:
    assert_type(it.connection, Connection)


def pool_streamedanswer_headers(it: mint.pool.StreamedAnswer) -> None:
    assert_type(it.headers, HeaderFields)


def pool_streamedanswer_interim(it: mint.pool.StreamedAnswer) -> None:
    assert_type(it.interim, tuple[Informational, ...])


def pool_streamedanswer_read(it: mint.pool.StreamedAnswer, max_size: int | None) -> None:
    assert_type(it.read(max_size=max_size), bytes)


def pool_streamedanswer_reason(it: mint.pool.StreamedAnswer) -> None:
    assert_type(it.reason, str)


def pool_streamedanswer_receive(it: mint.pool.StreamedAnswer) -> None:
    assert_type(it.receive(), bytes | None)


def pool_streamedanswer_receive_head(it: mint.pool.StreamedAnswer) -> None:
    assert_type(it.receive_head(), mint.pool.StreamedAnswer)


def pool_streamedanswer_send(it: mint.pool.StreamedAnswer, data: BytesLike) -> None:
    assert_type(it.send(data), bool)


def pool_streamedanswer_send_end(it: mint.pool.StreamedAnswer, trailers: HeaderFields) -> None:
    it.send_end(trailers)


def pool_streamedanswer_status(it: mint.pool.StreamedAnswer) -> None:
    assert_type(it.status, int)


def pool_streamedanswer_trailers(it: mint.pool.StreamedAnswer) -> None:
    assert_type(it.trailers, HeaderFields)


def pool_asyncio_pool_close(it: mint.pool.asyncio.Pool) -> None:
    it.close()


async def pool_asyncio_pool_request(
    it: mint.pool.asyncio.Pool,
    method: str,
    url: str | URL,
    headers: HeaderPairs,
    body: AsyncStreamedBody,
    trailers: HeaderFields,
    timeout: float | Timeouts | None,
    max_size: int | None,
) -> None:
    assert_type(
        await it.request(method, url, headers, body, trailers=trailers, timeout=timeout, max_size=max_size),
        Answer,
    )


def pool_asyncio_pool_statistics(it: mint.pool.asyncio.Pool) -> None:
    assert_type(it.statistics, Statistics)


async def pool_asyncio_pool_stream(
    it: mint.pool.asyncio.Pool,
    method: str,
    url: str | URL,
    headers: HeaderPairs,
    body: AsyncStreamedBody,
    trailers: HeaderFields,
    timeout: float | Timeouts | None,
) -> None:
    assert_type(
        await it.stream(method, url, headers, body, trailers=trailers, timeout=timeout),
        mint.pool.asyncio.StreamedAnswer,
    )


def pool_asyncio_streamedanswer_close(it: mint.pool.asyncio.StreamedAnswer) -> None:
    it.close()


def pool_asyncio_streamedanswer_connection(it: mint.pool.asyncio.StreamedAnswer) -> None:
    assert_type(it.connection, Connection)


def pool_asyncio_streamedanswer_headers(it: mint.pool.asyncio.StreamedAnswer) -> None:
    assert_type(it.headers, HeaderFields)


def pool_asyncio_streamedanswer_interim(it: mint.pool.asyncio.StreamedAnswer) -> None:
    assert_type(it.interim, tuple[Informational, ...])


async def pool_asyncio_streamedanswer_read(
    it: mint.pool.asyncio.StreamedAnswer, max_size: int | None
) -> None:
    assert_type(await it.read(max_size=max_size), bytes)


def pool_asyncio_streamedanswer_reason(it: mint.pool.asyncio.StreamedAnswer) -> None:
    assert_type(it.reason, str)


async def pool_asyncio_streamedanswer_receive(it: mint.pool.asyncio.StreamedAnswer) -> None:
    assert_type(await it.receive(), bytes | None)


async def pool_asyncio_streamedanswer_receive_head(it: mint.pool.asyncio.StreamedAnswer) -> None:
    assert_type(await it.receive_head(), mint.pool.asyncio.StreamedAnswer)


async def pool_asyncio_streamedanswer_send(it: mint.pool.asyncio.StreamedAnswer, data: BytesLike) -> None:
    assert_type(await it.send(data), bool)


async def pool_asyncio_streamedanswer_send_end(
    it: mint.pool.asyncio.StreamedAnswer, trailers: HeaderFields
) -> None:
    await it.send_end(trailers)


def pool_asyncio_streamedanswer_status(it: mint.pool.asyncio.StreamedAnswer) -> None:
    assert_type(it.status, int)


def pool_asyncio_streamedanswer_trailers(it: mint.pool.asyncio.StreamedAnswer) -> None:
    assert_type(it.trailers, HeaderFields)


def pool_streamedanswer_ref(it: mint.pool.StreamedAnswer) -> None:
    assert_type(it.ref, mint.RequestRef)


def pool_asyncio_streamedanswer_ref(it: mint.pool.asyncio.StreamedAnswer) -> None:
    assert_type(it.ref, mint.RequestRef)
