"""Decompression of what `content-encoding` says, piece by piece, with a bound on what comes out.

A few kilobytes can unpack to gigabytes, so no decoder is ever asked for more than one piece of output,
and the sum has a limit. `br` needs the package `brotli`, `zstd` the package `zstandard`.
"""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING

import mint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from _typeshed import WriteableBuffer

PIECE = 65_536


class TooLargeError(ValueError):
    """The content unpacks to more than was allowed."""


def content(conn: mint.Connection, target: str, *, limit: int) -> tuple[mint.Connection, bytes]:
    """Fetch one target; return its content, decoded."""
    headers = [("accept-encoding", "gzip, deflate, br, zstd")]
    conn, _ = conn.request("GET", target, headers)
    coding = ""
    pieces: list[bytes] = []
    while conn.open_request_count:
        conn, responses = conn.recv(timeout=30)
        for response in responses:
            match response:
                case mint.Headers(headers=found):
                    coding = ",".join(value for name, value in found if name == "content-encoding")
                case mint.Data(data=data):
                    pieces.append(data)
                case mint.RequestFailed(error=error):
                    raise error
                case _:
                    pass
    return conn, b"".join(decoded(pieces, coding, limit=limit))


def decoded(pieces: Iterable[bytes], coding: str, *, limit: int) -> Iterator[bytes]:
    """Yield the content; the codings were applied in the order in which they are listed."""
    for name in reversed([name.strip().lower() for name in coding.split(",") if name.strip()]):
        pieces = DECODERS[name](pieces)
    for piece in pieces:
        limit -= len(piece)
        if limit < 0:
            raise TooLargeError("the content is larger than allowed")
        yield piece


def _identity(pieces: Iterable[bytes]) -> Iterator[bytes]:
    yield from pieces


def _gzip(pieces: Iterable[bytes]) -> Iterator[bytes]:
    yield from _inflated(pieces, lambda _: 16 + zlib.MAX_WBITS)


def _deflate(pieces: Iterable[bytes]) -> Iterator[bytes]:
    # What is called deflate should be zlib (RFC 9110 8.4.1.2), but some servers send it bare.
    yield from _inflated(pieces, lambda first: zlib.MAX_WBITS if first & 0x0F == 8 else -zlib.MAX_WBITS)


def _inflated(pieces: Iterable[bytes], window: Callable[[int], int]) -> Iterator[bytes]:
    decoder = None
    for piece in pieces:
        rest = piece
        while rest:
            decoder = decoder or zlib.decompressobj(window(rest[0]))
            out = decoder.decompress(rest, PIECE)
            rest = decoder.unconsumed_tail
            if out:
                yield out
            if decoder.eof:  # another member may follow
                rest, decoder = decoder.unused_data, None
    while decoder is not None:
        out = decoder.decompress(decoder.unconsumed_tail, PIECE)
        if not out:
            raise EOFError("the compressed content is cut short")
        yield out


def _brotli(pieces: Iterable[bytes]) -> Iterator[bytes]:
    import brotli  # type: ignore[import-untyped]  # noqa: PLC0415  # only for those who get it

    decoder = brotli.Decompressor()
    for piece in pieces:
        out = decoder.process(piece, output_buffer_limit=PIECE)
        while out or not decoder.can_accept_more_data():
            yield out
            out = decoder.process(b"", output_buffer_limit=PIECE)
    if not decoder.is_finished():
        raise EOFError("the compressed content is cut short")


def _zstd(pieces: Iterable[bytes]) -> Iterator[bytes]:
    import zstandard  # noqa: PLC0415  # only for those who get it

    # RFC 9659: 8 MiB is the largest window that content may ask for.
    decoder = zstandard.ZstdDecompressor(max_window_size=8 << 20)
    reader = decoder.stream_reader(io.BufferedReader(_Source(pieces)), read_across_frames=True)
    while out := reader.read(PIECE):
        yield out


class _Source(io.RawIOBase):
    """Pieces as a file."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        piece = self._rest or next(self._pieces, b"")
        size = min(len(piece), len(view))
        view[:size], self._rest = piece[:size], piece[size:]
        return size


DECODERS: dict[str, Callable[[Iterable[bytes]], Iterator[bytes]]] = {
    "identity": _identity,
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
