"""The codings gzip and deflate, with the standard library's zlib (RFC 1950, RFC 1951, RFC 1952)."""

from __future__ import annotations

import zlib
from typing import Protocol

from ..errors import InvalidContent, TruncatedContent


class _Inflater(Protocol):
    """The type of `zlib.decompressobj()`."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def unconsumed_tail(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


_GZIP = 16 + zlib.MAX_WBITS
_ZLIB = zlib.MAX_WBITS
_RAW = -zlib.MAX_WBITS

_HEADER = 2
"""How many bytes are needed to distinguish zlib from raw deflate."""

_REPLAY = 4096
"""How many bytes are kept to be read again as raw deflate: more than any stream needs to produce output."""


class Gzip:
    """One or more gzip members; padding with zeros at the end is ignored (as `gzip` does)."""

    coding = "gzip"
    unit_cost = 1024

    def __init__(self) -> None:
        self.units = 0
        self._rest = b""
        self._inflater: _Inflater | None = None

    def push(self, data: bytes) -> None:
        """Take more input."""
        self._rest = data

    def pull(self, size: int) -> bytes | None:
        """Return the next output, maybe `b""` at the end of a member; `None` if it needs more input."""
        if self._inflater is None:
            if self.units:
                self._rest = self._rest.lstrip(b"\0")
            if not self._rest:
                return None
            self._inflater = zlib.decompressobj(_GZIP)
            self.units += 1
        inflater = self._inflater
        try:
            out = inflater.decompress(self._rest, size)
        except zlib.error as error:
            raise InvalidContent(self.coding, str(error)) from error
        if inflater.eof:
            self._rest, self._inflater = inflater.unused_data, None
            return out
        self._rest = inflater.unconsumed_tail
        return out or None

    def finish(self) -> None:
        """Raise `TruncatedContent` inside a member."""
        if self._inflater is not None:
            raise TruncatedContent(self.coding)


class Deflate:
    """The coding deflate, which is zlib (RFC 9110 8.4.1.2), and raw deflate, which some servers send.

    The first two bytes distinguish them: those of zlib contain a method, a window size and a checksum. Raw
    deflate can look the same only if bits are set that encoders leave 0. Then zlib fails before it produces
    output, and the input is read again as raw deflate.
    """

    coding = "deflate"
    unit_cost = 1024

    def __init__(self) -> None:
        self.units = 0
        self._rest = b""
        self._inflater: _Inflater | None = None
        self._kept: bytes | None = b""
        """Input that may have to be read again; `None` once the format is certain."""

    def push(self, data: bytes) -> None:
        """Take more input."""
        self._rest += data  # cheap: fewer than two bytes are left here
        if self._kept is not None and self._inflater is not None:
            self._kept += data

    def pull(self, size: int) -> bytes | None:
        """Return the next output, maybe `b""` at the end of the stream; `None` if it needs more input."""
        if self._inflater is None:
            if len(self._rest) < _HEADER:
                return None
            self._begin()
        inflater = self._inflater
        if inflater is None or inflater.eof:
            if self._rest:
                raise InvalidContent(self.coding, f"{len(self._rest)} bytes follow the end of the stream")
            return None
        try:
            out = inflater.decompress(self._rest, size)
        except zlib.error as error:
            if self._kept is None:
                raise InvalidContent(self.coding, str(error)) from error
            self._rest, self._kept = self._kept, None
            self._inflater = zlib.decompressobj(_RAW)
            return b""
        if out or (self._kept is not None and len(self._kept) > _REPLAY):
            self._kept = None
        if inflater.eof:
            self._rest = inflater.unused_data
            return out
        self._rest = inflater.unconsumed_tail
        return out or None

    def _begin(self) -> None:
        first, second = self._rest[:_HEADER]
        # RFC 1950 2.2: CM is 8, CINFO at most 7, no preset dictionary, both bytes together a multiple of 31.
        looks_like_zlib = (
            first & 0x0F == 8 and first >> 4 <= 7 and not second & 0x20 and (first << 8 | second) % 31 == 0
        )
        self.units += 1
        self._kept = self._rest if looks_like_zlib else None
        self._inflater = zlib.decompressobj(_ZLIB if looks_like_zlib else _RAW)

    def finish(self) -> None:
        """Raise `TruncatedContent` if the stream has begun and not ended."""
        if (self._inflater is None and self._rest) or (self._inflater is not None and not self._inflater.eof):
            raise TruncatedContent(self.coding)
