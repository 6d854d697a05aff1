from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

import brotli  # type: ignore[import-untyped]  # it has no types
import pytest
from backports import zstd
from decompress import content, decoded

from mint.errors import ContentTooLarge, MintError, TooManyCodings, TruncatedContent, UnknownCoding
from mint.testing import Response

from .serving import PROTOCOLS, Protocol, connected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mint.testing import Request

TEXT = b"Mint is a functional HTTP client. " * 10_000

ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstd.compress,
}
CODINGS = sorted(ENCODERS)


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_content_is_decoded(protocol: Protocol, coding: str) -> None:
    def handler(request: Request) -> Response:
        assert coding in (request.header("accept-encoding") or "")
        return Response(200, (("content-encoding", coding),), ENCODERS[coding](TEXT))

    with connected(protocol, handler) as conn:
        for _ in range(2):
            conn, body = content(conn, "/", limit=1_000_000)
            assert body == TEXT


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_limit_applies_while_content_arrives(protocol: Protocol) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 600_000_000:
            sent += 65_536
            yield bytes(65_536)

    def handler(_: Request) -> Response:
        return Response(200, (), endless())

    with connected(protocol, handler) as conn, pytest.raises(ContentTooLarge):
        content(conn, "/", limit=1000)
    assert sent < 300_000_000


@pytest.mark.parametrize(
    ("coding", "error"),
    [("exi", UnknownCoding), (", ".join(["gzip"] * 1000), TooManyCodings), ("zstd", TruncatedContent)],
)
def test_content_that_cannot_be_decoded_is_a_typed_error(coding: str, error: type[MintError]) -> None:
    def handler(_: Request) -> Response:
        return Response(200, (("content-encoding", coding),), zstd.compress(TEXT)[:-3])

    with connected("http1", handler) as conn, pytest.raises(error):
        content(conn, "/", limit=1_000_000)
    with pytest.raises(error):
        list(decoded([zstd.compress(TEXT)[:-3]], coding, limit=1_000_000))


def test_several_codings() -> None:
    twice = gzip.compress(brotli.compress(TEXT))
    assert b"".join(decoded([twice], "br, gzip", limit=len(TEXT))) == TEXT
    assert b"".join(decoded([TEXT], "", limit=len(TEXT))) == TEXT
