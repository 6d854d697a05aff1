"""Errors about the content of a response: its codings (RFC 9110 8.4) and its size."""

from __future__ import annotations

from .base import HTTPError, Processed, shown

_EXTRAS = {"br": "br", "zstd": "zstd"}


class UnknownCoding(HTTPError):
    """The content has a coding that cannot be decoded here (RFC 9110 8.4.1).

    The message names the extra to install, if there is one.
    """

    reason = "unknown_coding"
    processed = Processed.YES
    __match_args__ = ("coding",)

    def __init__(self, coding: str) -> None:
        extra = _EXTRAS.get(coding)
        hint = f"install mint-http[{extra}]" if extra else "name only supported codings in accept-encoding"
        super().__init__(f"the content coding {shown(coding)} cannot be decoded here: {hint}")
        self.coding = coding


class TooManyCodings(HTTPError):
    """The content was encoded more often than `limit` allows (RFC 9110 8.4)."""

    reason = "too_many_codings"
    processed = Processed.YES
    __match_args__ = ("limit",)

    def __init__(self, limit: int) -> None:
        super().__init__(f"the content has more than {limit} codings: decode fewer, or raise max_codings")
        self.limit = limit


class ContentTooLarge(HTTPError):
    """The content of a response is larger than the caller allowed: `limit`, in bytes."""

    reason = "content_too_large"
    processed = Processed.YES
    __match_args__ = ("limit",)

    def __init__(self, limit: int) -> None:
        super().__init__(f"the content is larger than {limit} bytes: stream it, or raise max_size")
        self.limit = limit


class CompressionRatioExceeded(HTTPError):
    """The content expands more than `limit` times: a decompression bomb."""

    reason = "compression_ratio_exceeded"
    processed = Processed.YES
    __match_args__ = ("limit",)

    def __init__(self, limit: int) -> None:
        super().__init__(f"the content expands more than {limit} times: raise max_ratio if that is expected")
        self.limit = limit


class InvalidContent(HTTPError):
    """The content is not what its content coding says."""

    reason = "invalid_content"
    processed = Processed.YES
    __match_args__ = ("coding", "detail")

    def __init__(self, coding: str, detail: str) -> None:
        super().__init__(f"the content is not valid {shown(coding)}: {shown(detail)}")
        self.coding = coding
        self.detail = detail


class TruncatedContent(HTTPError):
    """The encoded content ends too early."""

    reason = "truncated_content"
    processed = Processed.YES
    __match_args__ = ("coding",)

    def __init__(self, coding: str) -> None:
        super().__init__(f"the {shown(coding)} content ends before its end marker: request it again")
        self.coding = coding
