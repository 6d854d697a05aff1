"""What a state would make of what has arrived and was not received yet.

A state is a value: it can be fed without consequences, and what comes of it is thrown away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from .engine import Engine

if TYPE_CHECKING:
    from .._core.events import Event
    from ..types import Unread

_S = TypeVar("_S", bound=Engine)


def stays_open(state: _S, found: Unread) -> bool:
    """Return whether requests can be sent after this is read."""
    if found.failure is not None or found.ended:
        return False
    for octets in found.octets:
        step = state.feed(octets)
        if step.fault is not None:
            return False
        state = step.state
    return state.is_open_write


def events_of(state: _S, found: Unread) -> list[Event]:
    """Return what has arrived as events."""
    events: list[Event] = []
    for octets in found.octets:
        step = state.feed(octets)
        events += step.responses
        state = step.state
    return events
