"""The coding br, with the package `brotli` (RFC 7932)."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Protocol, runtime_checkable

from ..errors import InvalidContent, TruncatedContent


class _Decompressor(Protocol):
    """The type of `brotli.Decompressor()`; the package has no types."""

    def process(self, data: bytes, /, output_buffer_limit: int) -> bytes: ...
    def is_finished(self) -> bool: ...
    def can_accept_more_data(self) -> bool: ...


@runtime_checkable
class _Brotli(Protocol):
    error: type[Exception]

    def Decompressor(self) -> _Decompressor: ...  # noqa: N802  # the name is the package's


def is_installed() -> bool:
    """Whether the package is installed."""
    return importlib.util.find_spec("brotli") is not None


class Brotli:
    """One brotli stream."""

    coding = "br"
    unit_cost = 1024

    def __init__(self) -> None:
        self.units = 0
        self._rest = b""
        module: object = importlib.import_module("brotli")
        if not isinstance(module, _Brotli):
            raise ImportError("the installed package brotli has no Decompressor")  # noqa: TRY004  # as if not installed
        self._package = module
        self._decompressor = self._package.Decompressor()
        self._full = False

    def push(self, data: bytes) -> None:
        """Take more input."""
        self._rest = data

    def pull(self, size: int) -> bytes | None:
        """Return the next output; `None` if it needs more input."""
        if not (self._rest or self._full):
            return None
        if self._decompressor.is_finished():
            raise InvalidContent(self.coding, f"{len(self._rest)} bytes follow the end of the stream")
        self.units = 1
        data, self._rest = self._rest, b""
        try:
            out = self._decompressor.process(data, output_buffer_limit=size)
        except self._package.error as error:
            raise InvalidContent(self.coding, str(error)) from error
        # There may be more output without more input, even if the decompressor accepts some.
        more = bool(out) or not self._decompressor.can_accept_more_data()
        self._full = more and not self._decompressor.is_finished()
        return out if out or self._full else None

    def finish(self) -> None:
        """Raise `TruncatedContent` if the stream has begun and not ended."""
        if self.units and not self._decompressor.is_finished():
            raise TruncatedContent(self.coding)
