"""The five example programs."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import client_asyncio
import download
import fuzz_client
import get
import pytest
import relay

import mint
from mint.errors import ContentTooLarge
from mint.testing import Lost, Request, Response, showcase

from .serving import PROTOCOLS, TLS, Protocol, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_get(protocol: Protocol) -> None:
    def handler(request: Request) -> Response:
        if request.target == "/moved":
            return Response(302, (("location", "gzip"),))
        if request.target == "/loop":
            return Response(301, (("location", "/loop"),))
        if request.target == "/bomb":
            return Response(200, (("content-encoding", "gzip"),), gzip.compress(bytes(50_000_000)))
        return showcase(request)

    with serving(protocol, handler) as origin:
        base = f"https://localhost:{origin.port}"
        page = get.get(f"{base}/moved", tls=TLS)
        assert (page.url, page.status) == (f"{base}/gzip", 200)
        assert page.content.startswith(b"Hello")
        with pytest.raises(ConnectionError, match="redirects"):
            get.get(f"{base}/loop", tls=TLS)
        with pytest.raises(mint.HTTPError):
            get.get(f"{base}/bomb", tls=TLS)
        with pytest.raises(ContentTooLarge):
            get.get(f"{base}/bytes/1000", tls=TLS, max_size=999)
        assert get.get(f"{base}/nothing", tls=TLS).status == 404


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_download(protocol: Protocol, tmp_path: Path) -> None:
    def handler(request: Request) -> Response:
        if request.target == "/cut":
            return Response(200, (("content-length", "1000000"),), cut())
        return showcase(request)

    def cut() -> Iterator[bytes]:
        yield bytes(500_000)
        raise Lost

    with serving(protocol, handler) as origin:
        base = f"https://localhost:{origin.port}"
        names = [f"bytes/{size * 10_000}" for size in range(30)] + ["gzip", "cut", "nothing"]
        files = [(f"{base}/{name}", tmp_path / name.replace("/", "-")) for name in names]
        found = download.download_all(files, tls=TLS)
    for url, path in files[:30]:
        assert found[url] == path.stat().st_size == int(url.rpartition("/")[2])
    assert (tmp_path / "gzip").read_bytes().startswith(b"Hello")
    for name in ("cut", "nothing"):
        assert isinstance(found[f"{base}/{name}"], Exception)
    assert len(list(tmp_path.iterdir())) == 31


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_client_asyncio(protocol: Protocol) -> None:
    def handler(request: Request) -> Response:
        if request.method == "POST":
            return Response(200, (), json.dumps({"got": json.loads(request.body.read())}).encode())
        number = int(request.target.rpartition("/")[2])
        return Response(200 if number else 500, (), json.dumps(number).encode())

    async def main(port: int) -> None:
        async with client_asyncio.Service(f"https://localhost:{port}", tls=TLS) as service:
            assert await service.get_all(f"/{number}" for number in range(1, 100)) == list(range(1, 100))
            assert await service.post("/x", [1, 2]) == {"got": [1, 2]}
            with pytest.raises(ConnectionError, match="500"):
                await service.get("/0")

    with serving(protocol, handler) as origin:
        asyncio.run(main(origin.port))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_relay(protocol: Protocol) -> None:
    kept: list[int] = []

    def handler(request: Request) -> Response:
        if request.target == "/cut":
            return Response(200, (("content-length", "1000000"),), cut())
        if request.target == "/refuse":
            return Response(413, (), b"no")
        if request.method == "PUT":
            size = sum(len(piece) for piece in request.body)
            kept.append(size)
            return Response(201)
        return showcase(request)

    def cut() -> Iterator[bytes]:
        yield bytes(500_000)
        raise Lost

    with serving(protocol, handler) as origin:
        base = f"https://localhost:{origin.port}"
        assert relay.relay(f"{base}/bytes/5000000", f"{base}/x", tls=TLS) == (201, 5_000_000)
        assert relay.relay(f"{base}/stream/300000", f"{base}/x", tls=TLS) == (201, 300_000)
        assert relay.relay(f"{base}/bytes/5000000", f"{base}/refuse", tls=TLS)[0] == 413
        with pytest.raises(mint.MintError):
            relay.relay(f"{base}/cut", f"{base}/x", tls=TLS)
        with pytest.raises(ConnectionError, match="404"):
            relay.relay(f"{base}/nothing", f"{base}/x", tls=TLS)
    assert kept == [5_000_000, 300_000]


def standard_library(url: str) -> tuple[int, bytes]:
    parts = urlsplit(url)
    conn = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    try:
        conn.request("GET", "/")
        answer = conn.getresponse()
        return answer.status, answer.read()
    finally:
        conn.close()


def itself(url: str) -> tuple[int, bytes]:
    parts = mint.exchange.split_url(url)
    with mint.connect(parts.scheme, parts.host, parts.port) as conn:
        _, answer = mint.exchange.exchange(conn, "GET", parts.target, timeout=5)
    return answer.status, answer.content


def test_fuzz_client() -> None:
    found = list(fuzz_client.fuzz(standard_library, seed=1, count=150))
    assert found, "the fuzzer must find invalid responses that http.client accepts"
    for each in found:
        assert fuzz_client.meaning(each.answer) == each.expected
    assert not list(fuzz_client.fuzz(itself, seed=2, count=150))
