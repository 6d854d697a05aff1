"""How long servers wait for their threads when they stop, with a clock that stands still between waits."""

from __future__ import annotations

import inspect
import math
import socket
import threading
from typing import TYPE_CHECKING, cast

import pytest

from mint.testing import Origin, Response, ScriptedServer, answer2, server
from mint.testing.origin2 import OURS
from mint.testing.peer import Peer
from mint.testing.wire2 import Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Clock:
    """Stands for the module `time`."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


class Thread:
    """A thread that ends at a time of the clock; joining it lets the time pass."""

    def __init__(self, clock: Clock, ends: float, while_joined: Callable[[], None]) -> None:
        self.clock, self.ends, self.while_joined = clock, ends, while_joined
        self.joined: list[float] = []

    def is_alive(self) -> bool:
        return self.clock.now < self.ends

    def join(self, left: float) -> None:
        assert left > 0
        self.joined.append(left)
        self.clock.now = min(self.clock.now + left, max(self.clock.now, self.ends))
        self.while_joined()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(answer2, "time", made)
    monkeypatch.setattr(server, "time", made)
    return made


@pytest.fixture
def answers() -> Iterator[answer2.Answers]:
    near, far = socket.socketpair()
    with near, far:
        yield answer2.Answers(Wire(Peer(near, 1), OURS, 10), lambda _: Response(), lambda _: None)


def threads_of(
    clock: Clock, *ends: float, while_joined: Callable[[], None] = lambda: None
) -> list[threading.Thread]:
    """Return stand-ins for threads that end so many seconds from now."""
    return [
        cast("threading.Thread", Thread(clock, clock.now + each, while_joined))  # with the two methods in use
        for each in ends
    ]


@pytest.mark.parametrize(
    ("ends", "waited"),
    [
        ((), 0.0),
        ((0.0,), 0.0),
        ((1.0,), 1.0),
        ((2.0,), 2.0),
        ((math.inf,), 2.0),
        ((1.0, 1.5), 1.5),
        ((1.5, 1.0), 1.5),
        ((math.inf, 1.0, math.inf), 2.0),
    ],
)
def test_all_answers_have_the_same_time(
    ends: tuple[float, ...], waited: float, clock: Clock, answers: answer2.Answers
) -> None:
    answers._threads = threads_of(clock, *ends)
    answers.join(2.0, threading.Event())
    assert clock.now - 1000 == pytest.approx(waited)


@pytest.mark.parametrize(
    ("gone_after", "timeout", "waited"),
    [(0.0, 2.0, 0.5), (1.0, 2.0, 1.5), (1.8, 2.0, 2.0), (0.0, 0.3, 0.3), (3.0, 2.0, 2.0)],
)
def test_answers_have_half_a_second_once_the_connection_is_gone(
    gone_after: float, timeout: float, waited: float, clock: Clock, answers: answer2.Answers
) -> None:
    gone = threading.Event()

    def look() -> None:
        if clock.now >= 1000 + gone_after:
            gone.set()

    look()
    answers._threads = threads_of(clock, math.inf, math.inf, while_joined=look)
    answers.join(timeout, gone)
    assert clock.now - 1000 == pytest.approx(waited, abs=0.006)


@pytest.mark.parametrize("in_loop", [False, True])
@pytest.mark.parametrize("patience", [0.5, 5.0, math.inf])
@pytest.mark.parametrize("ends", [(), (0.25,), (0.25, 0.5), (4.0, 3.0), (20.0,)])
def test_how_long_a_server_waits_for_its_connections(
    ends: tuple[float, ...], patience: float, in_loop: bool, clock: Clock
) -> None:
    """In an event loop that would be blocked, only a short time."""
    stopping = ScriptedServer([])
    stopping._in_loop = in_loop
    stopping._threads = threads_of(clock, *ends)
    stopping._join(patience, lambda: False)
    most = min(patience, server.SHORT_PATIENCE) if in_loop else patience
    assert clock.now - 1000 == pytest.approx(min(most, max((0.0, *ends))))


@pytest.mark.parametrize("given_up_after", [0.0, 0.25, 0.5])
def test_a_server_stops_waiting_if_that_is_useless(given_up_after: float, clock: Clock) -> None:
    stopping = Origin(lambda _: Response())
    stopping._threads = threads_of(clock, 0.4, math.inf)
    stopping._join(5.0, lambda: clock.now >= 1000 + given_up_after)
    assert clock.now - 1000 == pytest.approx(given_up_after, abs=0.006)


def test_sizes_of_waits() -> None:
    """In seconds."""
    assert (answer2.GRACE, answer2.LOOK) == (0.5, 0.005)
    assert (server.GRACE, server.LOOK, server.SHORT_PATIENCE) == (1.0, 0.005, 0.5)


# -- connections that are given up


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        near = socket.create_connection(listening.getsockname())
        far, _ = listening.accept()
        far.settimeout(10)
        with near, far:
            yield near, far


def test_an_aborted_connection_ends_but_stays_open(pair: tuple[socket.socket, socket.socket]) -> None:
    """Its own thread closes it: otherwise its number could be used again meanwhile."""
    near, far = pair
    peer = Peer(near, 1)
    assert not peer.gone.is_set()
    peer.abort()
    assert peer.gone.is_set()
    assert peer.stopping.is_set()
    assert far.recv(1) == b""
    assert near.fileno() >= 0
    peer.abort()
    peer.abandon()
    assert near.fileno() == -1


def test_a_reset_connection(pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    Peer(near, 1).reset()
    assert near.fileno() == -1
    with pytest.raises(ConnectionResetError):
        far.recv(1)


@pytest.mark.parametrize("method", ["close", "truncate"])
def test_a_closed_connection(method: str, pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    peer = Peer(near, 1)
    far.sendall(b"nobody reads this")
    getattr(peer, method)()
    assert near.fileno() == -1
    assert far.recv(1) == b""
    getattr(peer, method)()


def test_how_far_a_marker_is_searched_by_default() -> None:
    """1 MiB, as the documentation says."""
    assert inspect.signature(Peer.read_until).parameters["limit"].default == 1_048_576
