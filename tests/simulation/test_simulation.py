"""Tests of the simulation itself: it behaves like Linux, is deterministic, and finds mistakes."""

from __future__ import annotations

import errno
import gc
import select
import socket
import struct
import time
from contextlib import nullcontext, suppress
from types import FunctionType
from typing import TYPE_CHECKING, Any  # calls of sockets return any value

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mint.pool import _procedures

from .choices import Choices
from .explore import schedules
from .kernel import Kernel
from .patches import modules, now, simulated_system
from .polling import SimEpoll
from .run import run
from .shrink import shrink
from .sockets import Machine, SimSocket
from .streams import Stream
from .table import LOOPS, ROUTES, ROWS, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ABORT = struct.pack("ii", 1, 0)
SAMPLE = 200
"""How many schedules of the table the test suite runs; ci/simulate runs many more."""


@pytest.fixture
def system() -> Iterator[None]:
    with simulated_system():
        yield


# -- like Linux: the same calls on a real and on a simulated connection have the same results


def ends_of_linux() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        one = socket.create_connection(listening.getsockname())
        other, _ = listening.accept()
    return one, other


def ends_of_simulation() -> tuple[SimSocket, SimSocket]:
    kernel = Kernel(Choices())
    kernel.quiet = True
    Machine.current = kernel
    one, other = Stream(kernel.choices, 65_536), Stream(kernel.choices, 65_536)
    kernel.streams += [one, other]
    one.join(other)
    return SimSocket(stream=one), SimSocket(stream=other)


def result_of(call: Callable[[Any], object], sock: socket.socket | SimSocket) -> str:
    try:
        return repr(call(sock))
    except OSError as error:
        return errno.errorcode[error.errno or 0]


# The real socket and the simulated one have no type in common.
STEPS: dict[str, Callable[[Any], object]] = {
    "send": lambda sock: sock.send(b"hello", socket.MSG_DONTWAIT),
    "recv": lambda sock: sock.recv(3, socket.MSG_DONTWAIT),
    "peek": lambda sock: sock.recv(9, socket.MSG_DONTWAIT | socket.MSG_PEEK),
    "finish": lambda sock: sock.shutdown(socket.SHUT_WR),
    "error": lambda sock: sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR),
    "close": lambda sock: sock.close(),
    "abort": lambda sock: (sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT), sock.close()),
}


def polled(sock: socket.socket) -> object:
    poll = select.poll()
    poll.register(sock, select.POLLIN | select.POLLOUT)
    return [events for _, events in poll.poll(0)]


def bits(sock: SimSocket) -> object:
    found = sock.stream.bits()
    return [found] if found else []


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.sampled_from(sorted(STEPS))), max_size=9))
def test_streams_are_like_those_of_linux(steps: list[tuple[int, str]]) -> None:
    real, simulated = ends_of_linux(), ends_of_simulation()
    kernel = Machine.kernel()
    closed: set[int] = set()
    with real[0], real[1]:
        for at, name in steps:
            if at in closed:
                continue
            there = result_of(STEPS[name], real[at])
            here = result_of(STEPS[name], simulated[at])
            kernel.settle()
            assert here == there, (steps, at, name)
            if name in {"close", "abort"}:
                closed.add(at)
            for each in {0, 1} - closed:
                assert bits(simulated[each]) == polled(real[each]), (steps, at, name, each)
    kernel.over = True
    Machine.current = None


def test_a_fin_after_a_reset_is_ignored() -> None:
    """Octets that arrive at a closed end cause a reset, which discards what that end had not sent yet."""
    near, far = Stream(Choices(), 65_536), Stream(Choices(), 65_536)
    near.join(far)
    far.send(b"an early response")
    far.close()
    near.send(b"more of the request")
    near.move()
    assert not far.outgoing
    while far.movable:
        far.move()
    with pytest.raises(ConnectionResetError):
        near.receive(100)
    assert not near.whole


# -- deterministic


@pytest.mark.usefixtures("system")
@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("route", ["plain", "TLS in TLS", "HTTP/2 tunnel"])
def test_a_seed_determines_the_run(loop: str, route: str) -> None:
    row = Row("upload", loop, route, "answers early")
    first, again = run(row, 5, traced=True), run(row, 5, traced=True)
    assert first == again
    repeated = run(row, recorded=first.choices, traced=True)
    assert repeated.trace == first.trace


def test_the_table_has_every_loop_and_route() -> None:
    assert {row.loop for row in ROWS.values()} == set(LOOPS)
    assert {row.route for row in ROWS.values()} == set(ROUTES)
    assert len(ROWS) > 1_000


def kept_by(owner: object) -> list[object]:
    """Return the objects that a function refers to since its module was imported: defaults and closures."""
    if isinstance(owner, FunctionType):
        cells = [cell.cell_contents for cell in owner.__closure__ or ()]
        return [*(owner.__defaults__ or ()), *(owner.__kwdefaults__ or {}).values(), *cells]
    return gc.get_referents(owner)  # the closure of a compiled function


@pytest.mark.usefixtures("system")
def test_no_function_of_mint_keeps_the_real_system() -> None:
    """Such a function would use the real clock and real sockets, which the schedule does not control."""
    real = {id(each) for each in (time.monotonic, time.sleep, time.perf_counter, select.poll, socket.socket)}
    assert modules()
    found = [
        (each, kept)
        for each in gc.get_objects()
        if (isinstance(each, FunctionType) and str(each.__module__).startswith("mint."))
        or (type(each).__module__ == "mint._core.fast_path" and "_scope_" in type(each).__name__)
        for kept in kept_by(each)
        if id(kept) in real
    ]
    assert not [each for each in found if ".testing" not in str(getattr(each[0], "__module__", ""))]


# -- the clock


@pytest.mark.usefixtures("system")
def test_every_system_call_advances_the_clock() -> None:
    """Tasks that wake each other shortly before a deadline would never reach it if the clock stood still."""
    kernel = Machine.current = Kernel(Choices())
    until = now() + 1e-7
    for _ in range(1_000):
        kernel.tick()
    assert until < now() < until + 1e-5


# -- a sample of schedules


@pytest.mark.usefixtures("system")
def test_a_sample_of_schedules_violates_nothing() -> None:
    found = []
    source = schedules(7, list(ROWS.values())[::4])
    for _ in range(SAMPLE):
        row, seed = next(source)
        found += [(str(row), seed, each) for each in run(row, seed).violations]
    assert not found


# -- planted mistakes are found


def finds(row: Row, expected: str) -> tuple[int, ...]:
    """Return the choices of the first of 200 schedules that has this violation."""
    for seed in range(200):
        result = run(row, seed)
        if any(expected in each for each in result.violations):
            return result.choices
    raise AssertionError(f"none of 200 schedules of {row} has the violation {expected!r}")


@pytest.mark.usefixtures("system")
@pytest.mark.parametrize("loop", LOOPS)
def test_octets_that_are_received_twice_are_found(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    receive = Stream.receive

    def twice(self: Stream, most: int, *, peek: bool = False) -> bytes:
        return receive(self, most, peek=peek or self.delivered % 64 == 63)

    monkeypatch.setattr(Stream, "receive", twice)
    finds(Row("get", loop, "plain", "floods"), "")


@pytest.mark.usefixtures("system")
@pytest.mark.parametrize("loop", ["mailbox", "asyncio", "trio"])
def test_a_lost_event_is_found(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    poll = SimEpoll.poll
    lost = 0

    def losing(self: SimEpoll, timeout: float | None = None, maxevents: int = -1) -> list[tuple[int, int]]:
        nonlocal lost
        found = poll(self, timeout, maxevents)
        lost += 1
        if found and lost % 5 == 0:
            for number, _ in found:
                with suppress(OSError):
                    self.modify(number, 0)
            return []
        return found

    monkeypatch.setattr(SimEpoll, "poll", losing)
    finds(Row("get", loop, "plain", "stalls"), "")


@pytest.mark.usefixtures("system")
@pytest.mark.parametrize(
    ("route", "peer"), [("plain", "stalls"), ("HTTP/2 over TLS", "ends without close_notify")]
)
def test_a_message_that_is_fed_before_the_last_result_is_stored_is_found(
    route: str, peer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several threads receive from one mailbox, without a lock for each connection."""
    monkeypatch.setattr(Kernel, "lock", lambda _: nullcontext())
    finds(Row("threads", "mailbox", route, peer), "StaleConnectionError")


@pytest.mark.usefixtures("system")
@pytest.mark.parametrize("loop", LOOPS)
def test_a_descriptor_that_stays_open_is_found(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    close = Kernel.close

    def keeping(self: Kernel, number: int) -> None:
        if type(self.files.get(number)) is not Stream:
            close(self, number)

    monkeypatch.setattr(Kernel, "close", keeping)
    finds(Row("get", loop, "plain", "answers"), "left open")


@pytest.mark.usefixtures("system")
@pytest.mark.parametrize("loop", ["blocking", "asyncio", "trio"])
def test_a_request_that_a_pool_must_not_repeat_is_found(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_procedures, "may_retry", lambda *_: True)
    finds(Row("pool", loop, "plain", "resets"), "a request was sent twice")


@pytest.mark.usefixtures("system")
def test_a_failing_schedule_is_shrunk(monkeypatch: pytest.MonkeyPatch) -> None:
    receive = Stream.receive

    def losing(self: Stream, most: int, *, peek: bool = False) -> bytes:
        octets = receive(self, most, peek=peek)
        return octets[1:] if len(octets) == 50 else octets

    monkeypatch.setattr(Stream, "receive", losing)
    row = Row("get", "blocking", "plain", "answers")
    choices = finds(row, "")
    violation = run(row, recorded=choices).violations[0]
    smaller = shrink(row, choices, violation)
    assert len(smaller) < len(choices)
    assert violation in run(row, recorded=smaller).violations


@pytest.mark.usefixtures("system")
def test_a_mailbox_reports_a_tunnel_that_breaks_after_the_server_has_ended() -> None:
    """Found by exploring: the client waited for room in a tunnel whose other direction was over."""
    choices = (0, 0, 1, 2, *[0] * 10, 5, 0, 3, 0, 3, 0, 4, 29865, 1, 0, 0, 0, 2, 1, 0, 0, 1)
    found = run(Row("tunnel", "mailbox", "shared tunnel", "half-closes"), recorded=choices)
    assert not found.violations
