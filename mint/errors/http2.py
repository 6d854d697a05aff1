"""Errors about HTTP/2: frames, streams, windows, messages (RFC 9113, RFC 7541, RFC 8441)."""

from __future__ import annotations

from .base import HTTPError, shown

_CODES = (
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
)


def code_name(code: int) -> str:
    """Return the name of an HTTP/2 error code, or its number if it has no name (RFC 9113 7)."""
    return _CODES[code] if 0 <= code < len(_CODES) else f"error code {code:#x}"


class TooManyConcurrentRequests(HTTPError):
    """The server allows no more open streams (RFC 9113 5.1.2).

    Until its first SETTINGS, the limit is `HTTP2Options.initial_max_concurrent_streams`.
    """

    reason = "too_many_concurrent_requests"
    __match_args__ = ("count", "limit")

    def __init__(self, count: int, limit: int) -> None:
        super().__init__(
            f"{count} requests are already open and {limit} are allowed (by the server's SETTINGS or, before"
            " they arrive, by the options): receive responses first"
        )
        self.count = count
        self.limit = limit


class ExceedsWindowSize(HTTPError):
    """The body does not fit the server's flow-control window (RFC 9113 5.2).

    `scope` is "request" or "connection". Nothing was sent. Send with `mint.STREAM`, in pieces of
    at most `request_body_window(ref)`.
    """

    reason = "exceeds_window_size"
    __match_args__ = ("scope", "window")

    def __init__(self, scope: str, window: int) -> None:
        super().__init__(
            f"the data exceeds the {scope} window of {window} bytes: send the request with"
            " body=mint.STREAM and stream pieces of at most request_body_window(ref)"
        )
        self.scope = scope
        self.window = window


class StreamIdsExhausted(HTTPError):
    """The connection has used all its stream ids (RFC 9113 5.1.1)."""

    reason = "stream_ids_exhausted"

    def __init__(self) -> None:
        super().__init__("all stream ids of this connection are used: open a new one")


class ExtendedConnectNotEnabled(HTTPError):
    """The server has not sent SETTINGS_ENABLE_CONNECT_PROTOCOL = 1 (RFC 8441 3)."""

    reason = "extended_connect_not_enabled"

    def __init__(self) -> None:
        super().__init__("the server has not enabled extended CONNECT (yet): receive its SETTINGS first")


class PrioritiesNotEnabled(HTTPError):
    """The server ignores PRIORITY_UPDATE: SETTINGS_NO_RFC7540_PRIORITIES is not 1 (RFC 9218 2.1)."""

    reason = "priorities_not_enabled"

    def __init__(self) -> None:
        super().__init__(
            "the server has not announced support for the priorities of RFC 9218: use the priority field"
            " of the request"
        )


class WindowSizeTooSmall(HTTPError):
    """A receive window can only grow."""

    reason = "window_size_too_small"
    __match_args__ = ("current", "new")

    def __init__(self, current: int, new: int) -> None:
        super().__init__(f"the window is {current} bytes and cannot shrink to {new}")
        self.current = current
        self.new = new


class MissingStatusHeader(HTTPError):
    """A response has no :status (RFC 9113 8.3.2)."""

    reason = "missing_status_header"

    def __init__(self) -> None:
        super().__init__("the response has no :status field")


class MalformedResponse(HTTPError):
    """A response breaks the message rules of RFC 9113 8.

    `name` is the field or frame that is wrong, and `value` says what is wrong with it.
    """

    reason = "malformed_response"
    __match_args__ = ("name", "value")

    def __init__(self, name: str, value: str) -> None:
        super().__init__(f"the response is malformed: {shown(name)}: {value}")
        self.name = name
        self.value = value


class ServerClosedRequest(HTTPError):
    """The server reset the stream (RFC 9113 6.4)."""

    reason = "server_closed_request"
    __match_args__ = ("code",)

    def __init__(self, code: int) -> None:
        super().__init__(f"the server reset the request with {code_name(code)}")
        self.code = code


class ServerClosedConnection(HTTPError):
    """The server closed the connection with an error (GOAWAY, RFC 9113 6.8)."""

    reason = "server_closed_connection"
    __match_args__ = ("code", "debug")

    def __init__(self, code: int, debug: str) -> None:
        super().__init__(f"the server closed the connection with {code_name(code)}: {shown(debug)}")
        self.code = code
        self.debug = debug


class Unprocessed(HTTPError):
    """The server did not act on the request: safe to send again elsewhere (RFC 9113 6.8)."""

    reason = "unprocessed"

    def __init__(self) -> None:
        super().__init__(
            "the server closed the connection before it processed the request: it is safe to send it again"
        )


class ProtocolViolation(HTTPError):
    """The server broke the rules of HTTP/2 (PROTOCOL_ERROR)."""

    reason = "protocol_error"
    __match_args__ = ("detail",)

    def __init__(self, detail: str) -> None:
        super().__init__(f"the server broke the protocol: {detail}")
        self.detail = detail


class FrameSizeError(HTTPError):
    """A frame has an impossible size (FRAME_SIZE_ERROR)."""

    reason = "frame_size_error"
    __match_args__ = ("detail",)

    def __init__(self, detail: str) -> None:
        super().__init__(f"the server sent a frame of the wrong size: {detail}")
        self.detail = detail


class CompressionError(HTTPError):
    """A header block cannot be decoded (COMPRESSION_ERROR, RFC 7541)."""

    reason = "compression_error"
    __match_args__ = ("detail",)

    def __init__(self, detail: str) -> None:
        super().__init__(f"the header block cannot be decoded: {detail}")
        self.detail = detail


class FlowControlError(HTTPError):
    """The server broke flow control (FLOW_CONTROL_ERROR)."""

    reason = "flow_control_error"
    __match_args__ = ("detail",)

    def __init__(self, detail: str) -> None:
        super().__init__(f"the server broke flow control: {detail}")
        self.detail = detail


class StreamClosedError(HTTPError):
    """A frame arrived on a stream that had ended (STREAM_CLOSED)."""

    reason = "stream_closed"
    __match_args__ = ("detail",)

    def __init__(self, detail: str) -> None:
        super().__init__(f"the server sent more on a stream that had ended: {detail}")
        self.detail = detail


class EnhanceYourCalm(HTTPError):
    """The server uses the client's resources without useful traffic (ENHANCE_YOUR_CALM).

    `option` is the name of the exceeded limit of `HTTP2Options`, `limit` its value, and `size` the count.
    """

    reason = "enhance_your_calm"
    __match_args__ = ("detail", "option", "size", "limit")

    def __init__(self, detail: str, option: str = "", size: int = 0, limit: int = 0) -> None:
        counted = f" ({option}: {size}, limit {limit})" if option else ""
        super().__init__(f"the server exceeds a limit against floods: {detail}{counted}")
        self.detail = detail
        self.option = option
        self.size = size
        self.limit = limit


class InadequateSecurity(HTTPError):
    """The TLS connection is too weak for HTTP/2 (RFC 9113 9.2)."""

    reason = "inadequate_security"
    __match_args__ = ("detail",)

    def __init__(self, detail: str) -> None:
        super().__init__(f"the TLS connection is too weak for HTTP/2: {detail}")
        self.detail = detail


class HTTP1Response(HTTPError):
    """The server answered in HTTP/1 where HTTP/2 was expected."""

    reason = "http1_response"
    __match_args__ = ("seen",)

    def __init__(self, seen: str) -> None:
        super().__init__(f"the server answered in HTTP/1: {shown(seen)}: connect with protocols=('http1',)")
        self.seen = seen
