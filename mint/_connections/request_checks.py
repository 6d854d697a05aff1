"""Checks whether a connection would accept the arguments of a request, without sending anything.

A state is immutable: it can serialize a request whose output is discarded. Only errors of the arguments
count. Whether the connection is closing, a window is too small or the server allows no more requests may
change before the request is sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._checks import pairs
from ..errors.table import from_fault
from .engine import Engine, unrecorded

if TYPE_CHECKING:
    from .._core.events import RequestRef
    from .._core.faults import Fault
    from ..errors import HTTPError, TransportError
    from ..types import HeaderFields, HeaderPairs
    from .negotiation import Connection

_OF_THE_REQUEST = frozenset(
    {
        *("invalid_request_method", "invalid_request_target", "invalid_header_name", "invalid_header_value"),
        *("invalid_request_framing", "invalid_pseudo_header", "connection_specific_header"),
        *("content_length_mismatch", "empty_token_list", "invalid_token_list"),
    }
)
_OF_TRAILERS = frozenset(
    {
        *("unallowed_trailing_header", "trailing_headers_but_not_chunked_encoding", "invalid_header_name"),
        *("invalid_header_value", "invalid_pseudo_header", "connection_specific_header"),
    }
)


def refusal(
    conn: Connection,
    method: str,
    target: str,
    headers: HeaderPairs,
    body: bytes | None,
    *,
    streaming: bool,
    trailers: HeaderFields = (),
) -> HTTPError | TransportError | None:
    """Return the error if no request with these arguments can be sent on such a connection."""
    step = _state_of(conn).request(method, target, headers, None if body is None else (body,), streaming)
    if step.ref is not None:
        return _of_trailers(step.state, step.ref, trailers)
    return _error(step.fault, _OF_THE_REQUEST)


def check_trailers(conn: Connection, ref: RequestRef, trailers: HeaderFields) -> None:
    """Raise an error if this request cannot end with these trailers, before its body is sent."""
    error = _of_trailers(_state_of(conn), ref, trailers)
    if error is not None:
        raise error.marked(successor=conn)


def _state_of(conn: Connection) -> Engine:
    state: Engine = conn._state  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # of this package
    return unrecorded(state)


def _of_trailers(state: Engine, ref: RequestRef, trailers: HeaderFields) -> HTTPError | TransportError | None:
    if not trailers:
        return None
    return _error(state.end_body(ref, pairs("trailers", trailers)).fault, _OF_TRAILERS)


def _error(fault: Fault | None, counted: frozenset[str]) -> HTTPError | TransportError | None:
    return from_fault(fault) if fault is not None and fault.reason in counted else None
