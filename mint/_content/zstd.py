"""The coding zstd, with `compression.zstd` of Python 3.14 or its backport (RFC 8878, RFC 9659)."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING

from ..errors import InvalidContent, TruncatedContent

if TYPE_CHECKING:
    if sys.version_info >= (3, 14):
        from compression.zstd import ZstdDecompressor
    else:
        from backports.zstd import ZstdDecompressor

_WINDOW_LOG = 23
"""The largest window that content may need: 8 MiB (RFC 9659 3)."""


def is_installed() -> bool:
    """Whether the standard library has the module, or the backport is installed."""
    if sys.version_info >= (3, 14):
        return importlib.util.find_spec("_zstd") is not None
    try:
        return importlib.util.find_spec("backports.zstd") is not None
    except ImportError:
        return False


class Zstd:
    """One or more zstd frames."""

    coding = "zstd"
    unit_cost = 4096

    def __init__(self) -> None:
        if sys.version_info >= (3, 14):
            from compression import zstd  # noqa: PLC0415  # only needed if the content is zstd
        else:
            from backports import zstd  # noqa: PLC0415  # only needed if the content is zstd
        self.units = 0
        self._rest = b""
        self._error = zstd.ZstdError
        self._make = zstd.ZstdDecompressor
        self._options = {int(zstd.DecompressionParameter.window_log_max): _WINDOW_LOG}
        self._decompressor: ZstdDecompressor | None = None

    def push(self, data: bytes) -> None:
        """Take more input."""
        self._rest = data

    def pull(self, size: int) -> bytes | None:
        """Return the next output, maybe `b""` at the end of a frame; `None` if it needs more input."""
        if self._decompressor is None:
            if not self._rest:
                return None
            self._decompressor = self._make(options=self._options)
            self.units += 1
        decompressor = self._decompressor
        if decompressor.needs_input and not self._rest:
            return None
        data, self._rest = self._rest, b""
        try:
            out = decompressor.decompress(data, size)
        except self._error as error:
            raise InvalidContent(self.coding, str(error)) from error
        if decompressor.eof:
            self._rest, self._decompressor = decompressor.unused_data, None
            return out
        return out if out or not decompressor.needs_input else None

    def finish(self) -> None:
        """Raise `TruncatedContent` inside a frame."""
        if self._decompressor is not None:
            raise TruncatedContent(self.coding)
