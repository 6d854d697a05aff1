"""The table that maps the faults of the engines to public errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import causes, http1, http2, requests, transport
from .base import HTTPError, Processed, TransportError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._core.faults import Fault

_PROCESSED = (Processed.NO, Processed.MAYBE, Processed.YES)

_MAKERS: dict[str, Callable[[Fault], HTTPError | TransportError]] = {
    "closed": lambda _: requests.Closed(),
    "closed_for_writing": lambda _: requests.ClosedForWriting(),
    "request_body_is_streaming": lambda _: requests.RequestBodyIsStreaming(),
    "too_many_pipelined_requests": lambda f: requests.TooManyPipelinedRequests(f.size, f.limit),
    "invalid_request_method": lambda f: requests.InvalidRequestMethod(f.value),
    "invalid_request_target": lambda f: requests.InvalidRequestTarget(f.value, *causes.of_target(f)),
    "invalid_header_name": lambda f: requests.InvalidHeaderName(f.name, *causes.of_name(f)),
    "invalid_header_value": lambda f: requests.InvalidHeaderValue(f.name, f.value, *causes.of_value(f)),
    "invalid_request_framing": lambda f: requests.InvalidRequestFraming(f.name, f.value),
    "invalid_pseudo_header": lambda f: requests.InvalidPseudoHeader(f.name, f.value),
    "connection_specific_header": lambda f: requests.ConnectionSpecificHeader(f.name),
    "content_length_mismatch": lambda f: requests.ContentLengthMismatch(f.size, f.limit),
    "trailing_headers_but_not_chunked_encoding": lambda _: requests.TrailingHeadersButNotChunkedEncoding(),
    "unallowed_trailing_header": lambda f: requests.UnallowedTrailingHeader(f.name),
    "unknown_request_to_stream": lambda _: requests.UnknownRequestToStream(),
    "request_is_not_streaming": lambda _: requests.RequestIsNotStreaming(),
    "invalid_status_line": lambda f: http1.InvalidStatusLine(f.value, f.name),
    "status_line_too_long": lambda f: http1.StatusLineTooLong(f.size, f.limit),
    "invalid_header": lambda f: http1.InvalidHeader(f.value, f.name),
    "max_header_list_size_exceeded": lambda f: http1.MaxHeaderListSizeExceeded(f.size, f.limit),
    "too_many_headers": lambda f: http1.TooManyHeaders(f.size, f.limit),
    "too_many_informational": lambda f: http1.TooManyInformational(f.size, f.limit),
    "invalid_chunk_size": lambda f: http1.InvalidChunkSize(f.value, f.name),
    "chunk_line_too_long": lambda f: http1.ChunkLineTooLong(f.size, f.limit),
    "chunk_overhead_exceeded": lambda f: http1.ChunkOverheadExceeded(f.size, f.limit),
    "missing_crlf_after_chunk": lambda f: http1.MissingCRLFAfterChunk(f.value),
    "invalid_trailer_header": lambda f: http1.InvalidTrailerHeader(f.value, f.name),
    "more_than_one_content_length_header": lambda _: http1.MoreThanOneContentLengthHeader(),
    "transfer_encoding_and_content_length": lambda _: http1.TransferEncodingAndContentLength(),
    "invalid_content_length_header": lambda f: http1.InvalidContentLengthHeader(f.value),
    "empty_token_list": lambda f: http1.EmptyTokenList(f.name),
    "invalid_token_list": lambda f: http1.InvalidTokenList(
        f.name, f.value, "chunked is listed twice" if f.code else ""
    ),
    "unexpected_data": lambda f: http1.UnexpectedData(f.value),
    "unexpected_upgrade": lambda f: http1.UnexpectedUpgrade(f.value),
    "incomplete_response": lambda _: http1.IncompleteResponse(),
    "tls_truncated": lambda _: http1.TruncatedTLS(),
    "too_many_concurrent_requests": lambda f: http2.TooManyConcurrentRequests(f.size, f.limit),
    "exceeds_window_size": lambda f: http2.ExceedsWindowSize(f.name, f.limit),
    "stream_ids_exhausted": lambda _: http2.StreamIdsExhausted(),
    "extended_connect_not_enabled": lambda _: http2.ExtendedConnectNotEnabled(),
    "priorities_not_enabled": lambda _: http2.PrioritiesNotEnabled(),
    "window_size_too_small": lambda f: http2.WindowSizeTooSmall(f.size, f.limit),
    "missing_status_header": lambda _: http2.MissingStatusHeader(),
    "malformed_response": lambda f: http2.MalformedResponse(f.name, f.value),
    "server_closed_request": lambda f: http2.ServerClosedRequest(f.code),
    "server_closed_connection": lambda f: http2.ServerClosedConnection(f.code, f.value),
    "unprocessed": lambda _: http2.Unprocessed(),
    "protocol_error": lambda f: http2.ProtocolViolation(f.value),
    "frame_size_error": lambda f: http2.FrameSizeError(f.value),
    "compression_error": lambda f: http2.CompressionError(f.value),
    "flow_control_error": lambda f: http2.FlowControlError(f.value),
    "stream_closed": lambda f: http2.StreamClosedError(f.value),
    "enhance_your_calm": lambda f: http2.EnhanceYourCalm(f.value, f.name, f.size, f.limit),
    "http1_response": lambda f: http2.HTTP1Response(f.value),
    "too_many_pings": lambda f: requests.TooManyPings(f.size, f.limit),
    "too_many_settings": lambda f: requests.TooManySettings(f.size, f.limit),
    "transport_closed": lambda _: transport.TransportClosed(),
    "transport_reset": lambda _: transport.TransportReset(),
    "transport_timeout": lambda f: transport.TransportTimeout(f.value),
    "unreachable": lambda f: transport.Unreachable(f.value),
    "tls_failed": lambda f: transport.TLSFailed(f.value),
}


def reasons() -> frozenset[str]:
    """Return every reason that has an error; a test compares this with what the engines report."""
    return frozenset(_MAKERS)


def from_fault(fault: Fault) -> HTTPError | TransportError:
    """Return the error for a fault."""
    error = _MAKERS[fault.reason](fault)
    return error.marked(local=fault.local, processed=_PROCESSED[fault.processed])
