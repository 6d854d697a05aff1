"""What a state makes of what has arrived and was not received yet.

A state is a value: it can be fed without consequences, and what comes of it may be thrown away.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, TypeVar

from .._core.events import Done
from ..errors import TransportError
from ..errors.table import from_fault
from .engine import Engine, unrecorded

if TYPE_CHECKING:
    from .._core.events import Event
    from .._core.faults import Fault
    from ..types import Transport, Unread

_S = TypeVar("_S", bound=Engine)


def stays_open(state: Engine, found: Unread) -> bool:
    """Return whether requests can be sent after this is read."""
    if found.failure is not None or found.ended:
        return False
    state = unrecorded(state)
    for octets in found.octets:
        step = state.feed(octets)
        if step.fault is not None:
            return False
        state = step.state
    return state.is_open_write


def events_of(state: Engine, found: Unread) -> list[Event]:
    """Return what has arrived as events."""
    events: list[Event] = []
    state = unrecorded(state)
    for octets in found.octets:
        step = state.feed(octets)
        events += step.responses
        state = step.state
    return events


def last_words(link: Transport, state: _S, error: TransportError) -> tuple[_S, list[Event]]:
    """Feed a state what had arrived before its link was closed; return the new state and the events.

    A fault of the peer among it, such as a GOAWAY that names an error, becomes the cause of the error that
    closed the link. Where a message was handed out and not fed, what came after it cannot be understood.
    """
    events: list[Event] = []
    if getattr(link, "handed_out", False):
        return state, events
    fault: Fault | None = None
    with contextlib.suppress(TransportError):
        while octets := link.receive_now():
            step = state.feed(octets)
            state = step.state
            events += step.responses
            fault = fault or step.cause or step.fault
    if fault is not None:
        heard = from_fault(fault)
        heard.__cause__ = error.__cause__
        error.__cause__ = heard
    if link.ended:
        # 9112-6.3-g: where the end of the connection completes a response, it is complete.
        step = state.feed_eof(link.clean_end)
        if any(isinstance(each, Done) for each in step.responses):
            return step.state, events + step.responses
    return state, events
