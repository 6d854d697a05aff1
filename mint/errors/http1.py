"""Errors about HTTP/1 responses: status line, fields, framing, limits (RFC 9112)."""

from __future__ import annotations

from .base import HTTPError, shown


def _because(cause: str) -> str:
    return f": {cause}" if cause else ""


class InvalidStatusLine(HTTPError):
    """The server sent something that is not an HTTP/1 status line (RFC 9112 4)."""

    reason = "invalid_status_line"
    __match_args__ = ("line", "cause")

    def __init__(self, line: str, cause: str = "") -> None:
        super().__init__(f"the server sent {shown(line)} instead of a status line{_because(cause)}")
        self.line = line
        self.cause = cause


class StatusLineTooLong(HTTPError):
    """The status line is longer than `max_status_line`."""

    reason = "status_line_too_long"
    __match_args__ = ("size", "limit")

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"the status line has {size} bytes or more (limit {limit})")
        self.size = size
        self.limit = limit


class InvalidHeader(HTTPError):
    """A response header line is malformed (RFC 9112 5)."""

    reason = "invalid_header"
    __match_args__ = ("line", "cause")

    def __init__(self, line: str, cause: str = "") -> None:
        super().__init__(f"the response header line {shown(line)} is malformed{_because(cause)}")
        self.line = line
        self.cause = cause


class MaxHeaderListSizeExceeded(HTTPError):
    """A header or trailer section is larger than the limit.

    For a response it is the client's limit (`max_header_list_size`), for a request the server's.
    """

    reason = "max_header_list_size_exceeded"
    __match_args__ = ("size", "limit")

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"the header section has {size} bytes or more (limit {limit})")
        self.size = size
        self.limit = limit


class TooManyHeaders(HTTPError):
    """A header or trailer section has more fields than `max_fields` allows."""

    reason = "too_many_headers"
    __match_args__ = ("count", "limit")

    def __init__(self, count: int, limit: int) -> None:
        super().__init__(f"the header section has {count} fields or more (limit {limit})")
        self.count = count
        self.limit = limit


class TooManyInformational(HTTPError):
    """The interim responses exceed `max_informational` or `max_informational_size`."""

    reason = "too_many_informational"
    __match_args__ = ("count", "limit")

    def __init__(self, count: int, limit: int) -> None:
        super().__init__(f"the interim responses (1xx) add up to {count} (limit {limit})")
        self.count = count
        self.limit = limit


class InvalidChunkSize(HTTPError):
    """A chunk-size line is malformed (RFC 9112 7.1)."""

    reason = "invalid_chunk_size"
    __match_args__ = ("line", "cause")

    def __init__(self, line: str, cause: str = "") -> None:
        super().__init__(f"the chunk-size line {shown(line)} is malformed{_because(cause)}")
        self.line = line
        self.cause = cause


class ChunkLineTooLong(HTTPError):
    """A chunk-size line with its extensions is longer than `max_chunk_line`."""

    reason = "chunk_line_too_long"
    __match_args__ = ("size", "limit")

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"the chunk-size line has {size} bytes or more (limit {limit})")
        self.size = size
        self.limit = limit


class ChunkOverheadExceeded(HTTPError):
    """The chunk extensions of a body are too large in relation to its content."""

    reason = "chunk_overhead_exceeded"
    __match_args__ = ("size", "limit")

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"the chunk extensions add up to {size} bytes (limit {limit} for this content)")
        self.size = size
        self.limit = limit


class MissingCRLFAfterChunk(HTTPError):
    """Chunk data is not followed by CRLF (RFC 9112 7.1)."""

    reason = "missing_crlf_after_chunk"
    __match_args__ = ("seen",)

    def __init__(self, seen: str) -> None:
        super().__init__(f"the chunk data is followed by {shown(seen)} instead of a line end")
        self.seen = seen


class InvalidTrailerHeader(HTTPError):
    """A trailer line is malformed (RFC 9112 7.1.2)."""

    reason = "invalid_trailer_header"
    __match_args__ = ("line", "cause")

    def __init__(self, line: str, cause: str = "") -> None:
        super().__init__(f"the trailer line {shown(line)} is malformed{_because(cause)}")
        self.line = line
        self.cause = cause


class MoreThanOneContentLengthHeader(HTTPError):
    """Two content-length fields disagree (RFC 9112 6.3)."""

    reason = "more_than_one_content_length_header"

    def __init__(self) -> None:
        super().__init__("the response has content-length fields that disagree")


class TransferEncodingAndContentLength(HTTPError):
    """A response has both transfer-encoding and content-length, a sign of smuggling (RFC 9112 6.3)."""

    reason = "transfer_encoding_and_content_length"

    def __init__(self) -> None:
        super().__init__("the response has both transfer-encoding and content-length")


class InvalidContentLengthHeader(HTTPError):
    """A content-length is not a decimal number, or is too large (RFC 9110 8.6)."""

    reason = "invalid_content_length_header"
    __match_args__ = ("value",)

    def __init__(self, value: str) -> None:
        large = value.isascii() and value.isdigit()
        super().__init__(
            f"the content-length {shown(value)} is {'too large' if large else 'not a decimal number'}"
        )
        self.value = value


class EmptyTokenList(HTTPError):
    """A field that should contain a list of tokens contains none."""

    reason = "empty_token_list"
    __match_args__ = ("name",)

    def __init__(self, name: str) -> None:
        super().__init__(f"the header {shown(name)} contains no token")
        self.name = name


class InvalidTokenList(HTTPError):
    """A field that should contain a list of tokens contains something else, or lists `chunked` twice."""

    reason = "invalid_token_list"
    __match_args__ = ("name", "value", "cause")

    def __init__(self, name: str, value: str, cause: str = "") -> None:
        super().__init__(
            f"the header {shown(name)} has the value {shown(value)}: {cause}"
            if cause
            else f"the header {shown(name)} is not a list of tokens: {shown(value)}"
        )
        self.name = name
        self.value = value
        self.cause = cause


class UnexpectedData(HTTPError):
    """Bytes arrived that belong to no request; they are never taken for a response (RFC 9112 6.3)."""

    reason = "unexpected_data"
    __match_args__ = ("data",)

    def __init__(self, data: str) -> None:
        super().__init__(f"the server sent {shown(data)} though no request was waiting")
        self.data = data


class UnexpectedUpgrade(HTTPError):
    """The server switched to a protocol that was not offered (RFC 9110 7.8)."""

    reason = "unexpected_upgrade"
    __match_args__ = ("protocol",)

    def __init__(self, protocol: str) -> None:
        to = f"to the protocol {shown(protocol)}" if protocol else "protocols"
        super().__init__(f"the server switched {to}, which the request did not offer")
        self.protocol = protocol


class IncompleteResponse(HTTPError):
    """The connection ended in the middle of a response (RFC 9112 8)."""

    reason = "incomplete_response"

    def __init__(self) -> None:
        super().__init__("the connection ended in the middle of the response")


class TruncatedTLS(HTTPError):
    """TLS ended without close_notify: a body that ends with it may be truncated (RFC 9112 9.8)."""

    reason = "tls_truncated"

    def __init__(self) -> None:
        super().__init__("the TLS connection ended without close_notify: the response may be cut short")
