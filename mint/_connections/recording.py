"""The argument `record=` of functions that make connections; it is imported only if it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .._core import http1, http2
    from .._core.events import Step
    from .._transcripts.recorder import Record, Recorder


def check_record(record: Record | None) -> Recorder | None:
    """Return the recorder for the argument `record`, before connecting. Raises `TypeError` and `OSError`."""
    if record is None:
        return None
    from .._transcripts.recorder import as_recorder  # noqa: PLC0415  # see above

    return as_recorder(record)


def recorded(state: http1.State, record: Record) -> http1.State:
    """Return the initial state of HTTP/1 as one that is recorded."""
    from .._transcripts.recorded import record_http1  # noqa: PLC0415  # see above

    return record_http1(state, record)


def recorded_opening(step: Step[http2.State], record: Record) -> Step[http2.State]:
    """Return the first step of HTTP/2 with a state that is recorded."""
    from .._transcripts.recorded import record_http2  # noqa: PLC0415  # see above

    return record_http2(step, record)
