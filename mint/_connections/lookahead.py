"""Parsing of octets that have arrived but have not been received yet.

A state is immutable: it can be fed without consequences, and the result may be discarded.
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
    """Return whether requests can still be sent after this has been received."""
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
    """Return the events in what has arrived."""
    events: list[Event] = []
    state = unrecorded(state)
    for octets in found.octets:
        step = state.feed(octets)
        events += step.responses
        state = step.state
    return events


def feed_remaining(link: Transport, state: _S, error: TransportError) -> tuple[_S, list[Event]]:
    """Feed a state what had arrived before its link was closed; return the new state and the events.

    If this contains a fault, such as a GOAWAY with an error code, it becomes the cause of `error`, which
    closed the link. While a message of the mailbox is outstanding, nothing is fed: the message comes first.
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
        # 9112-6.3-g: a response that extends to the end of the connection is complete now.
        step = state.feed_eof(link.clean_end)
        if any(isinstance(each, Done) for each in step.responses):
            return step.state, events + step.responses
    return state, events
