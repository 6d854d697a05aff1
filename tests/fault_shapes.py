"""Which numbers a fault of the engines has: its sizes, its error code and its `processed`, for each reason.

The drivers of both engines check every fault that they see, so a number that does not belong there is noticed
wherever it comes from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mint._core.events import Failed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mint._core.events import Event
    from mint._core.faults import Fault

# `size` is more than `limit`.
BEYOND = frozenset(
    {
        "status_line_too_long",
        "max_header_list_size_exceeded",
        "too_many_headers",
        "too_many_informational",
        "chunk_line_too_long",
        "chunk_overhead_exceeded",
        "exceeds_window_size",
        "stream_ids_exhausted",
        "enhance_your_calm",
    }
)
# `size` is what there is already, so it is at least `limit`.
REACHED = frozenset(
    {
        "too_many_pipelined_requests",
        "too_many_concurrent_requests",
        "too_many_pings",
        "too_many_settings",
    }
)
# Sizes that differ.
DIFFERENT = frozenset({"content_length_mismatch", "window_size_too_small"})
# `size` is a position or -1, `limit` is the octet there, and `code` says what is wrong.
PLACES = frozenset({"invalid_request_target", "invalid_header_name", "invalid_header_value"})
# The sizes are those of the frame; a limit may be the least that it must have.
FRAMES = frozenset({"frame_size_error"})
# `size` is more than `limit` for DATA; a window that becomes too large has no sizes.
WINDOWS = frozenset({"flow_control_error"})
# `code` is 1 if chunked is listed twice.
LISTS = frozenset({"invalid_token_list"})
# The server chooses the code.
CHOSEN = frozenset({"server_closed_request", "server_closed_connection"})

# The error code that is sent to the server.
CODES = {
    "protocol_error": 1,
    "malformed_response": 1,
    "missing_status_header": 1,
    "http1_response": 1,
    "flow_control_error": 3,
    "stream_closed": 5,
    "frame_size_error": 6,
    "compression_error": 9,
    "enhance_your_calm": 11,
    "too_many_headers": 11,
    "too_many_informational": 11,
    "max_header_list_size_exceeded": 11,
}
NO, MAYBE, YES = range(3)


def check_fault(fault: Fault, codes: dict[str, int]) -> None:
    """Check the numbers of a fault; `codes` are those of its protocol."""
    reason = fault.reason
    if reason in BEYOND:
        # A window is negative after the server has made it smaller (RFC 9113 6.9.2).
        assert fault.size > fault.limit, fault
        assert fault.limit >= 0 or reason == "exceeds_window_size", fault
    elif reason in REACHED:
        assert fault.size >= fault.limit >= 0, fault
    elif reason in DIFFERENT:
        assert fault.size != fault.limit, fault
    elif reason in PLACES:
        assert (fault.size >= 0) or (fault.size, fault.limit) == (-1, 0), fault
    elif reason in FRAMES:
        assert min(fault.size, fault.limit) >= 0, fault
    elif reason in WINDOWS and fault.name == "DATA":
        assert fault.size > fault.limit, fault
    else:
        assert (fault.size, fault.limit) == (0, 0), fault
    if fault.local:
        assert fault.processed == NO, fault
        assert fault.code == 0 or reason in PLACES, fault
    elif reason in LISTS:
        assert fault.code in {0, 1}, fault
    elif reason not in CHOSEN:
        assert fault.code == codes.get(reason, 0), fault
    assert fault.processed in {NO, MAYBE, YES}, fault


def check_faults(fault: Fault | None, events: Iterable[Event], codes: dict[str, int]) -> None:
    """Check the fault of a step and those of its failed requests."""
    if fault is not None:
        check_fault(fault, codes)
    for event in events:
        if isinstance(event, Failed):
            check_fault(event.fault, codes)
