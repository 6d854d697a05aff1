"""The time limit of an upload through one of several tunnels."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, cast

import pytest

from mint import errors
from mint._loops import shared_connection
from mint._loops.shared_connection import SendLimit
from mint.transport import Memory

if TYPE_CHECKING:
    from mint._loops.shared_connection import SharedConnection


class Wire(Memory):
    """It counts how often it was asked to write; each time it takes some octets."""

    attempts = 0
    takes = 0

    def write_waiting(self) -> None:
        self.attempts += 1


class Tunnels:
    """A connection that has taken a number of octets."""

    def __init__(self) -> None:
        self.wire = Wire()
        self.before = 0

    @property
    def taken(self) -> int:
        return self.before + self.wire.attempts * self.wire.takes


class Clock:
    now = 100.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(shared_connection, "monotonic", lambda: clock.now)
    return clock


def limit(tunnels: Tunnels, timeout: float | None, *, each: bool) -> SendLimit:
    shared = cast("SharedConnection", tunnels)  # it has what a limit uses
    return SendLimit(shared, timeout, each=each)


@pytest.mark.parametrize("each", [False, True])
@pytest.mark.parametrize(
    ("timeout", "until", "later"), [(5.0, 105.0, 106.0), (0.0, 100.0, 101.0), (None, None, None)]
)
def test_progress_starts_the_time_of_each_wait_again(
    each: bool, timeout: float | None, until: float | None, later: float | None, clock: Clock
) -> None:
    tunnels = Tunnels()
    wait = limit(tunnels, timeout, each=each)
    assert wait.until == until
    clock.now += 1
    with wait:
        pass
    assert wait.until == until  # nothing was taken
    with wait:
        tunnels.before += 1
    assert wait.until == (later if each else until)
    clock.now += 1
    with wait:
        pass
    assert wait.until == (later if each else until)
    assert not tunnels.wire.attempts


@pytest.mark.parametrize("takes", [0, 1], ids=["nothing is taken", "something is taken"])
@pytest.mark.parametrize("each", [False, True])
@pytest.mark.parametrize("error", [errors.TransportTimeout("sending"), errors.TransportClosed()])
def test_only_a_wait_in_which_nothing_was_taken_is_too_long(
    error: errors.TransportError, each: bool, takes: int, clock: Clock
) -> None:
    """The last attempt to write counts: the system may not have reported that there is room."""
    tunnels = Tunnels()
    tunnels.wire.takes = takes
    wait = limit(tunnels, 5, each=each)
    clock.now += 5
    is_late = each and isinstance(error, errors.TransportTimeout)
    goes_on = is_late and takes
    with nullcontext() if goes_on else pytest.raises(type(error)), wait:
        raise error
    assert wait.until == (110 if goes_on else 105)
    assert tunnels.wire.attempts == is_late
