"""Errors about requests that cannot be sent. Nothing was sent, and the connection value is unchanged.

RFC 9110 5, 6.5, 7.1, 8.6; RFC 9112 3, 6; RFC 9113 8.
"""

from __future__ import annotations

from .base import HTTPError, shown


class Closed(HTTPError):
    """The connection is closed; connect again."""

    reason = "closed"

    def __init__(self) -> None:
        super().__init__("the connection is closed: connect again")


class ClosedForWriting(HTTPError):
    """No new request can be sent, though open ones may still complete.

    The server sent GOAWAY, or one side announced `connection: close`. Use a new connection.
    """

    reason = "closed_for_writing"

    def __init__(self) -> None:
        super().__init__(
            "the connection is draining and accepts no new requests: open a new connection for this one"
        )


class RequestBodyIsStreaming(HTTPError):
    """An HTTP/1 request body is still being streamed; finish it with `mint.Eof` first."""

    reason = "request_body_is_streaming"

    def __init__(self) -> None:
        super().__init__(
            "the body of another request is still being streamed: finish it with mint.Eof() first"
        )


class TooManyPipelinedRequests(HTTPError):
    """More requests are waiting for responses than `max_pipelined` allows."""

    reason = "too_many_pipelined_requests"
    __match_args__ = ("count", "limit")

    def __init__(self, count: int, limit: int) -> None:
        super().__init__(f"{count} requests already wait for responses (limit {limit}): receive some first")
        self.count = count
        self.limit = limit


class InvalidRequestMethod(HTTPError):
    """A method must be a token (RFC 9110 9.1)."""

    reason = "invalid_request_method"
    __match_args__ = ("method",)

    def __init__(self, method: str) -> None:
        super().__init__(f"the request method {shown(method)} is not a token")
        self.method = method


class InvalidRequestTarget(HTTPError):
    """The target has a form or characters that HTTP does not allow here (RFC 9112 3.2).

    `target` is the target without anything that may be credentials; `cause` says what is wrong with it.
    """

    reason = "invalid_request_target"
    __match_args__ = ("target", "cause")

    def __init__(
        self,
        target: str,
        cause: str = "CONNECT takes host:port, only OPTIONS takes *, and a fragment is never sent",
    ) -> None:
        super().__init__(f"the request target {shown(target)} is not valid for this method: {cause}")
        self.target = target
        self.cause = cause


class InvalidHeaderName(HTTPError):
    """A field name must be a token (RFC 9110 5.1).

    `cause` says what is wrong with it.
    """

    reason = "invalid_header_name"
    __match_args__ = ("name", "cause")

    def __init__(self, name: str, cause: str = "it is not a token") -> None:
        super().__init__(f"the header name {shown(name)} cannot be sent: {cause}")
        self.name = name
        self.cause = cause


class InvalidHeaderValue(HTTPError):
    """A value has control characters or outer whitespace (RFC 9110 5.5), or contradicts the request.

    `value` is empty if the field is secret; `cause` says what is wrong with it.
    """

    reason = "invalid_header_value"
    __match_args__ = ("name", "value", "cause")

    def __init__(
        self,
        name: str,
        value: str,
        cause: str = "it has control characters, characters not in latin-1, or whitespace at its ends",
    ) -> None:
        super().__init__(f"the value {shown(value)} of header {shown(name)} cannot be sent: {cause}")
        self.name = name
        self.value = value
        self.cause = cause


class InvalidRequestFraming(HTTPError):
    """The headers and the body contradict each other about where the request ends.

    `name` is the field that is wrong, and `value` says what is wrong with it.
    """

    reason = "invalid_request_framing"
    __match_args__ = ("name", "value")

    def __init__(self, name: str, value: str) -> None:
        super().__init__(f"the request cannot be framed: {name}: {value}")
        self.name = name
        self.value = value


class InvalidPseudoHeader(HTTPError):
    """A pseudo-header is unknown, repeated or missing, or contradicts the request (RFC 9113 8.3.1)."""

    reason = "invalid_pseudo_header"
    __match_args__ = ("name", "value")

    def __init__(self, name: str, value: str) -> None:
        super().__init__(f"the pseudo-header {shown(name)} is not allowed here: {value}")
        self.name = name
        self.value = value


class ConnectionSpecificHeader(HTTPError):
    """HTTP/2 has no connection-specific fields (RFC 9113 8.2.2)."""

    reason = "connection_specific_header"
    __match_args__ = ("name",)

    def __init__(self, name: str) -> None:
        super().__init__(
            f"the header {shown(name)} is specific to HTTP/1 connections and cannot be sent over HTTP/2"
        )
        self.name = name


class ContentLengthMismatch(HTTPError):
    """A body is longer or shorter than its content-length: it has `size` octets where `declared` are left.

    For a request it is raised, and nothing was sent; a response fails with it (RFC 9113 8.1.1).
    """

    reason = "content_length_mismatch"
    __match_args__ = ("size", "declared")

    def __init__(self, size: int, declared: int) -> None:
        super().__init__(f"the content has {size} bytes, but content-length leaves {declared}")
        self.size = size
        self.declared = declared


class TrailingHeadersButNotChunkedEncoding(HTTPError):
    """HTTP/1 trailers need a chunked body (RFC 9110 6.5)."""

    reason = "trailing_headers_but_not_chunked_encoding"

    def __init__(self) -> None:
        super().__init__("trailers can only follow a chunked body: leave content-length out")


class UnallowedTrailingHeader(HTTPError):
    """This field is not allowed in a trailer section (RFC 9110 6.5.1)."""

    reason = "unallowed_trailing_header"
    __match_args__ = ("name",)

    def __init__(self, name: str) -> None:
        super().__init__(f"the header {shown(name)} may not be sent as a trailer")
        self.name = name


class UnknownRequestToStream(HTTPError):
    """The request has ended: its body can no longer be streamed."""

    reason = "unknown_request_to_stream"

    def __init__(self) -> None:
        super().__init__("the request is complete: nothing more can be streamed to it")


class RequestIsNotStreaming(HTTPError):
    """The request was sent without `mint.STREAM`, or its body has ended."""

    reason = "request_is_not_streaming"

    def __init__(self) -> None:
        super().__init__("the request has no open body: send it with body=mint.STREAM to stream one")


class TooManyPings(HTTPError):
    """More pings are waiting for an answer than `max_pings` allows."""

    reason = "too_many_pings"
    __match_args__ = ("count", "limit")

    def __init__(self, count: int, limit: int) -> None:
        super().__init__(f"{count} pings already wait for an answer (limit {limit}): receive some first")
        self.count = count
        self.limit = limit


class TooManySettings(HTTPError):
    """Too many SETTINGS of the client are waiting for their acknowledgement."""

    reason = "too_many_settings"
    __match_args__ = ("count", "limit")

    def __init__(self, count: int, limit: int) -> None:
        super().__init__(
            f"{count} SETTINGS frames already wait for an acknowledgement (limit {limit}): receive some first"
        )
        self.count = count
        self.limit = limit
