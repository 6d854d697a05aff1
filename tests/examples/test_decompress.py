from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

import brotli  # type: ignore[import-untyped]  # it has no types
import pytest
import zstandard
from decompress import PIECE, TooLargeError, content, decoded

from mint.testing import Response

from .serving import connected

if TYPE_CHECKING:
    from collections.abc import Callable

    from mint.testing import Request

TEXT = b"Mint is a functional HTTP client. " * 10_000


def bare(data: bytes) -> bytes:
    encoder = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return encoder.compress(data) + encoder.flush()


ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}
CODINGS = sorted(ENCODERS)


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@pytest.mark.parametrize("coding", CODINGS)
def test_content_is_decoded(coding: str) -> None:
    def handler(request: Request) -> Response:
        assert coding in (request.header("accept-encoding") or "")
        return Response(200, (("content-encoding", coding),), ENCODERS[coding](TEXT))

    with connected("http1", handler) as conn:
        conn, body = content(conn, "/", limit=1_000_000)
        assert body == TEXT


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_it_may_be_cut_anywhere(coding: str, size: int) -> None:
    pieces = cut(ENCODERS[coding](TEXT), size)
    assert b"".join(decoded(pieces, coding, limit=len(TEXT))) == TEXT


@pytest.mark.parametrize("coding", CODINGS)
def test_what_comes_out_is_bounded(coding: str) -> None:
    bomb = ENCODERS[coding](bytes(100_000_000))
    assert len(bomb) < 200_000
    seen = 0
    with pytest.raises(TooLargeError):
        for piece in decoded([bomb], coding, limit=1_000_000):
            assert len(piece) <= 2 * PIECE  # brotli rounds up
            seen += len(piece)
    assert seen <= 1_000_000


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
def test_a_cut_content_is_told(coding: str) -> None:
    with pytest.raises(EOFError):
        list(decoded([ENCODERS[coding](TEXT)[:-10]], coding, limit=1_000_000))


def test_bare_deflate_members_and_several_codings() -> None:
    assert b"".join(decoded([bare(TEXT)], "deflate", limit=len(TEXT))) == TEXT
    assert b"".join(decoded([gzip.compress(b"a") + gzip.compress(b"b")], "gzip", limit=2)) == b"ab"
    twice = gzip.compress(brotli.compress(TEXT))
    assert b"".join(decoded([twice], "br, gzip", limit=len(TEXT))) == TEXT
    assert b"".join(decoded([TEXT], "", limit=len(TEXT))) == TEXT
