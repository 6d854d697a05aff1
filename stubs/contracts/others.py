"""What type checkers must know about others. Checked, never executed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import assert_type

import httpx

import mint
import mint.content
import mint.exchange
import mint.http1
import mint.http2
import mint.httpx
import mint.proxy
from mint import (
    HTTP1,
    HTTP2,
    HTTP1Options,
    HTTP2Options,
    Processed,
    Proxy,
    RequestRef,
    Response,
    Tolerance,
)
from mint import pool as pools
from mint._transcripts.recorder import Record
from mint.exchange import Origin
from mint.exchange._answer import Outcome
from mint.pool._asynchronous import AsyncPool
from mint.types import BytesLike, HeaderFields, Inbox, Scheme, Transport


def clientsettings_pairs(it: mint.ClientSettings) -> None:
    assert_type(it.pairs(), tuple[tuple[str, int], ...])


def minterror_marked(
    it: mint.MintError,
    local: bool | None,
    processed: Processed | None,
    responses: tuple[Response, ...] | None,
    successor: object | None,
) -> None:
    assert_type(
        it.marked(local=local, processed=processed, responses=responses, successor=successor), mint.MintError
    )


def proxy_from_url(url: str) -> None:
    assert_type(mint.Proxy.from_url(url), Proxy)


def proxy_is_http(it: mint.Proxy) -> None:
    assert_type(it.is_http, bool)


def proxy_sent_headers(it: mint.Proxy) -> None:
    assert_type(it.sent_headers, HeaderFields)


def tlssessions_clear(it: mint.TLSSessions) -> None:
    it.clear()


def tolerance_all() -> None:
    assert_type(mint.Tolerance.all(), Tolerance)


def content_decoder_feed(it: mint.content.Decoder, data: BytesLike) -> None:
    assert_type(it.feed(data), Iterator[bytes])


def content_decoder_finish(it: mint.content.Decoder) -> None:
    assert_type(it.finish(), Iterator[bytes])


def content_decoder_size(it: mint.content.Decoder) -> None:
    assert_type(it.size, int)


def content_accept_encoding() -> None:
    assert_type(mint.content.accept_encoding(), tuple[str, str])


def content_supported() -> None:
    assert_type(mint.content.supported(), tuple[str, ...])


def exchange_url_origin(it: mint.exchange.URL) -> None:
    assert_type(it.origin, Origin)


def exchange_answer_header(it: mint.exchange.Answer, name: str, default: str) -> None:
    assert_type(it.header(name), str | None)
    assert_type(it.header(name, default), str)


def exchange_collector_feed(it: mint.exchange.Collector, responses: Iterable[Response]) -> None:
    assert_type(it.feed(responses), dict[RequestRef, Outcome])


def exchange_collector_forget(it: mint.exchange.Collector, ref: RequestRef) -> None:
    it.forget(ref)


def exchange_collector_status(it: mint.exchange.Collector, ref: RequestRef) -> None:
    assert_type(it.status(ref), int)


def http1_initiate(
    transport: Transport,
    scheme: Scheme,
    hostname: str,
    port: int,
    http1: HTTP1Options,
    identity: int | None,
    mailbox: Inbox | None,
    log: bool,
    record: Record | None,
    forward_proxy: bool,
    proxy_headers: HeaderFields,
) -> None:
    assert_type(
        mint.http1.initiate(
            transport,
            scheme=scheme,
            hostname=hostname,
            port=port,
            http1=http1,
            identity=identity,
            mailbox=mailbox,
            log=log,
            record=record,
            forward_proxy=forward_proxy,
            proxy_headers=proxy_headers,
        ),
        HTTP1,
    )


def http2_initiate(
    transport: Transport,
    scheme: Scheme,
    hostname: str,
    port: int,
    http2: HTTP2Options,
    identity: int | None,
    mailbox: Inbox | None,
    log: bool,
    record: Record | None,
    proxy_headers: HeaderFields,
) -> None:
    assert_type(
        mint.http2.initiate(
            transport,
            scheme=scheme,
            hostname=hostname,
            port=port,
            http2=http2,
            identity=identity,
            mailbox=mailbox,
            log=log,
            record=record,
            proxy_headers=proxy_headers,
        ),
        HTTP2,
    )


async def httpx_asyncminttransport_aclose(it: mint.httpx.AsyncMintTransport) -> None:
    await it.aclose()


async def httpx_asyncminttransport_handle_async_request(
    it: mint.httpx.AsyncMintTransport, request: httpx.Request
) -> None:
    assert_type(await it.handle_async_request(request), httpx.Response)


def httpx_asyncminttransport_pool(it: mint.httpx.AsyncMintTransport) -> None:
    assert_type(it.pool, AsyncPool)


def httpx_minttransport_close(it: mint.httpx.MintTransport) -> None:
    it.close()


def httpx_minttransport_handle_request(it: mint.httpx.MintTransport, request: httpx.Request) -> None:
    assert_type(it.handle_request(request), httpx.Response)


def httpx_minttransport_pool(it: mint.httpx.MintTransport) -> None:
    assert_type(it.pool, pools.Pool)


def proxy_from_environment(
    scheme: Scheme, host: str, port: int | None, environ: Mapping[str, str] | None
) -> None:
    assert_type(mint.proxy.from_environment(scheme, host, port, environ), Proxy | None)


def certificatenames_match(it: mint.CertificateNames, hostname: str) -> None:
    assert_type(it.match(hostname), bool)
