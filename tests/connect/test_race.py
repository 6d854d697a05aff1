"""The connecting procedure without sockets: names, address families, attempts, errors, time limits."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

import mint
from mint import errors
from mint._connect.race import (
    ATTEMPT_DELAY,
    Abandon,
    Arrived,
    Attempt,
    Decided,
    Dial,
    Dialled,
    Endpoint,
    Limit,
    Ready,
    Receive,
    Resolve,
    Resolved,
    Send,
    Wait,
    interleave,
    make_plan,
    race,
)
from mint._connect.tunnel import establish

if TYPE_CHECKING:
    from collections.abc import Generator

    from mint._connect.race import Answer, Established, IOStep
    from mint.errors import TransportError

NEVER = float("inf")


def six(number: int) -> Endpoint:
    return Endpoint("inet6", (f"2001:db8::{number}", 80, 0, 0))


def four(number: int) -> Endpoint:
    return Endpoint("inet4", (f"192.0.2.{number}", 80))


@dataclass(frozen=True)
class Fate:
    """The result of an attempt, and how many seconds after its start it is known."""

    after: float = 0.0
    error: TransportError | None = None
    at_once: bool = False


class Try(Attempt):
    def __init__(self, endpoint: Endpoint, fate: Fate, now: float) -> None:
        self.endpoint = endpoint
        self.fate = fate
        self.due = now + fate.after


@dataclass
class FakeNetwork:
    """A simulated network made of tables, with a clock that advances only in waits."""

    fates: dict[Endpoint, Fate] = field(default_factory=dict)
    names: dict[str, tuple[Endpoint, ...]] = field(default_factory=dict)
    deadline: float = NEVER
    now: float = 0.0
    dialled: list[tuple[float, Endpoint]] = field(default_factory=list)
    open: set[Try] = field(default_factory=set)
    steps: int = 0

    def answer(self, step: IOStep) -> Answer:
        self.steps += 1
        match step:
            case Resolve(host, _):
                if host not in self.names:
                    raise errors.NameNotResolved(host)
                return Resolved(self.names[host])
            case Dial(endpoint):
                return self._dial(endpoint)
            case Wait(attempts, seconds):
                return self._wait([each for each in attempts if isinstance(each, Try)], seconds)
            case Abandon(attempt):
                assert isinstance(attempt, Try)
                self.open.remove(attempt)
                return Ready()
            case Send() | Limit():
                return Ready()
            case Receive():
                return Arrived(b"")

    def _dial(self, endpoint: Endpoint) -> Dialled:
        fate = self.fates.get(endpoint, Fate(NEVER))
        self.dialled.append((self.now, endpoint))
        attempt = Try(endpoint, fate, self.now)
        if fate.at_once:
            return Dialled(attempt, fate.error)
        self.open.add(attempt)
        return Dialled(attempt)

    def _wait(self, attempts: list[Try], seconds: float | None) -> Decided:
        assert attempts
        assert set(attempts) <= self.open
        first = min(attempts, key=lambda each: each.due)
        until = NEVER if seconds is None else self.now + seconds
        if first.due <= min(until, self.deadline):
            self.now = max(self.now, first.due)
            return Decided(first, first.fate.error)
        self.now = min(until, self.deadline)
        if self.now >= self.deadline:
            raise errors.TransportTimeout("connecting")
        return Decided(None)

    def run(self, procedure: Generator[IOStep, Answer, Attempt | Established]) -> Attempt | Established:
        try:
            step = next(procedure)
            while True:
                try:
                    answer = self.answer(step)
                except mint.MintError as error:
                    step = procedure.throw(error)
                else:
                    step = procedure.send(answer)
        except StopIteration as stop:
            result: Attempt | Established = stop.value
            return result

    def endpoints(self) -> list[Endpoint]:
        return [endpoint for _, endpoint in self.dialled]


REFUSED = errors.ConnectionRefused("nowhere")


# -- the order of addresses


def test_families_alternate_and_the_resolvers_order_is_kept() -> None:
    found = [four(1), four(2), six(1), four(3), six(2)]
    assert interleave(found) == [six(1), four(1), six(2), four(2), four(3)]
    assert interleave([four(2), four(1)]) == [four(2), four(1)]
    assert interleave([]) == []


@pytest.mark.parametrize(
    ("inet4", "inet6", "dialled"),
    [(True, True, [six(1), four(1)]), (True, False, [four(1)]), (False, True, [six(1)])],
)
def test_families_can_be_left_out(inet4: bool, inet6: bool, dialled: list[Endpoint]) -> None:
    network = FakeNetwork(names={"both.test": (four(1), six(1))})
    network.fates = {six(1): Fate(error=REFUSED), four(1): Fate(error=REFUSED)}
    tcp = mint.TCPOptions(inet4=inet4, inet6=inet6)
    plan = make_plan("http", "both.test", 80, None, tcp, mint.TLSOptions(), ())
    with pytest.raises(errors.ConnectionRefused):
        network.run(establish(plan))
    assert network.endpoints() == dialled


def test_no_address_of_an_allowed_family() -> None:
    network = FakeNetwork(names={"old.test": (four(1),)})
    plan = make_plan("http", "old.test", 80, None, mint.TCPOptions(inet4=False), mint.TLSOptions(), ())
    with pytest.raises(errors.NameNotResolved, match="family"):
        network.run(establish(plan))
    assert network.dialled == []


@pytest.mark.parametrize(
    ("address", "dialled"),
    [
        ("192.0.2.1", four(1)),
        ("[2001:db8::1]", six(1)),
        (mint.UnixAddress("/run/server"), Endpoint("unix", "/run/server")),
    ],
)
def test_addresses_are_not_resolved(address: str | mint.UnixAddress, dialled: Endpoint) -> None:
    network = FakeNetwork({dialled: Fate()})
    plan = make_plan("http", address, 80, "a.test", mint.TCPOptions(), mint.TLSOptions(), ())
    network.run(establish(plan))
    assert network.endpoints() == [dialled]
    assert network.steps == 2


def test_a_zone_is_resolved_by_the_system() -> None:
    endpoint = Endpoint("inet6", ("fe80::1", 80, 0, 3))
    network = FakeNetwork({endpoint: Fate()}, {"fe80::1%eth0": (endpoint,)})
    plan = make_plan("http", "fe80::1%eth0", 80, None, mint.TCPOptions(), mint.TLSOptions(), ())
    network.run(establish(plan))
    assert network.endpoints() == [endpoint]


# -- attempts in parallel (RFC 8305 5)


def test_if_the_first_attempt_succeeds_there_is_no_other() -> None:
    network = FakeNetwork({six(1): Fate(0.1)})
    winner = network.run(race([six(1), four(1)]))
    assert network.dialled == [(0.0, six(1))]
    assert network.open == {winner}


def test_more_attempts_start_after_a_delay_and_losers_are_closed() -> None:
    network = FakeNetwork({six(1): Fate(10), four(1): Fate(10), six(2): Fate(0.1)})
    winner = network.run(race([six(1), four(1), six(2), four(2)]))
    assert network.dialled == [(0.0, six(1)), (ATTEMPT_DELAY, four(1)), (2 * ATTEMPT_DELAY, six(2))]
    assert isinstance(winner, Try)
    assert winner.endpoint == six(2)
    assert network.open == {winner}


def test_the_first_attempt_may_still_win() -> None:
    network = FakeNetwork({six(1): Fate(0.3), four(1): Fate(0.2)})
    winner = network.run(race([six(1), four(1)]))
    assert isinstance(winner, Try)
    assert winner.endpoint == six(1)
    assert network.open == {winner}


def test_after_a_failure_the_next_attempt_starts_at_once() -> None:
    network = FakeNetwork({six(1): Fate(0.01, REFUSED), four(1): Fate(0.01)})
    winner = network.run(race([six(1), four(1)]))
    assert network.dialled == [(0.0, six(1)), (0.01, four(1))]
    assert network.open == {winner}


def test_an_unsupported_family_causes_no_delay() -> None:
    missing = Fate(error=errors.Unreachable("Network is unreachable"), at_once=True)
    network = FakeNetwork({six(1): missing, six(2): missing, four(1): Fate(0.01)})
    network.run(race([six(1), four(1), six(2)]))
    assert network.dialled == [(0.0, six(1)), (0.0, four(1))]


def test_if_all_attempts_fail_the_first_failure_is_raised() -> None:
    second = errors.Unreachable("No route to host")
    network = FakeNetwork({six(1): Fate(0.5, REFUSED), four(1): Fate(0.01, second)})
    with pytest.raises(errors.Unreachable):
        network.run(race([six(1), four(1)]))
    assert network.open == set()
    network = FakeNetwork(
        {six(1): Fate(error=REFUSED, at_once=True), four(1): Fate(error=second, at_once=True)}
    )
    with pytest.raises(errors.ConnectionRefused):
        network.run(race([six(1), four(1)]))


def test_the_deadline_ends_the_attempts() -> None:
    network = FakeNetwork(deadline=1.0)
    with pytest.raises(errors.TransportTimeout):
        network.run(race([six(1), four(1)]))
    assert network.now == 1.0
    assert len(network.dialled) == 2


# -- the whole procedure


def test_contexts_are_made_before_names_are_resolved() -> None:
    """If a file cannot be loaded, no connection is made."""
    network = FakeNetwork()
    tls = mint.TLSOptions(ca_file="/nonexistent.pem")
    plan = make_plan("https", "a.test", 443, None, mint.TCPOptions(), tls, ("http/1.1",))
    with pytest.raises(errors.TLSFailed):
        network.run(establish(plan))
    assert network.steps == 0


def test_an_end_during_the_handshake_is_reported() -> None:
    network = FakeNetwork({four(1): Fate()})
    tls = mint.TLSOptions(context=ssl.create_default_context())
    plan = make_plan("https", "192.0.2.1", 443, None, mint.TCPOptions(), tls, ("http/1.1",))
    with pytest.raises(errors.TransportClosed) as caught:
        network.run(establish(plan))
    assert caught.value.processed is mint.Processed.NO


def test_the_procedure_can_be_closed_at_any_step() -> None:
    """A cancelled driver closes the generator, which yields no more steps."""
    tls = mint.TLSOptions(context=ssl.create_default_context())
    names: dict[str, tuple[Endpoint, ...]] = {"a.test": (six(1), four(1))}
    steps = 0
    while True:
        network = FakeNetwork({six(1): Fate(10), four(1): Fate(0.1)}, names)
        plan = make_plan("https", "a.test", 443, None, mint.TCPOptions(), tls, ("http/1.1",))
        procedure = establish(plan)
        step = next(procedure)
        try:
            for _ in range(steps):
                step = procedure.send(network.answer(step))
        except mint.TransportError:
            break
        procedure.close()
        steps += 1
    assert steps > 5


def test_a_wrong_answer_of_a_driver_raises() -> None:
    procedure = race([four(1)])
    next(procedure)
    with pytest.raises(TypeError, match="Ready"):
        procedure.send(Ready())
