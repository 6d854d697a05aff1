"""Compare the policy of a pool with a model, for events in any order."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mint.errors import Closed, InvalidRequestTarget, TransportClosed, Unprocessed
from mint.errors.base import Processed
from mint.exchange import Origin
from mint.pool import PoolOptions
from mint.pool import _policy as policy_module
from mint.pool._policy import Close, Dial, Grant, Phase, Policy, Ticket, may_retry

from ..bomb import Bomb

ORIGINS = [Origin("https", f"host{number}", 443) for number in range(3)]
OPTIONS = PoolOptions(max_connections=4, max_per_origin=2, max_streams=3, idle_timeout=10, max_age=50)


@dataclass
class Known:
    origin: Origin
    holders: list[Ticket]
    capacity: int = 1
    is_opening: bool = True
    drains: bool = False

    @property
    def used(self) -> int:
        return len(self.holders)


@dataclass
class Model:
    now: float = 0.0
    connections: dict[int, Known] = field(default_factory=dict)
    waiting: list[Ticket] = field(default_factory=list)
    dialing: list[Ticket] = field(default_factory=list)


def ask(policy: Policy, origin: Origin) -> Ticket:
    ticket = policy.ticket(origin)
    policy.ask(ticket)
    return ticket


class PolicyMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.policy = Policy(OPTIONS, lambda _: True)
        self.model = Model()

    def settle(self) -> None:
        model = self.model
        orders = self.policy.settle(model.now)
        served: dict[Origin, list[int]] = {}
        for order in orders:
            match order:
                case Close(key):
                    assert model.connections[key].used == 0
                    assert not model.connections[key].is_opening
                    del model.connections[key]
                case Grant(ticket, key):
                    connection = model.connections[key]
                    assert connection.origin == ticket.origin
                    assert not connection.is_opening
                    assert not connection.drains
                    assert connection.used < connection.capacity
                    connection.holders.append(ticket)
                    model.waiting.remove(ticket)
                    served.setdefault(ticket.origin, []).append(ticket.number)
                case Dial(ticket, key):
                    assert key not in model.connections
                    model.connections[key] = Known(ticket.origin, [ticket])
                    model.waiting.remove(ticket)
                    model.dialing.append(ticket)
                    served.setdefault(ticket.origin, []).append(ticket.number)
        for origin, numbers in served.items():
            # First come, first served, in each origin.
            left = [ticket.number for ticket in model.waiting if ticket.origin == origin]
            assert numbers == sorted(numbers)
            assert not left or min(left) > max(numbers)
        assert not self.policy.settle(model.now), "a second call of settle must return nothing"

    @rule(origin=st.sampled_from(ORIGINS))
    def ask(self, origin: Origin) -> None:
        self.model.waiting.append(ask(self.policy, origin))
        self.settle()

    @precondition(lambda self: self.model.waiting)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        ticket = data.draw(st.sampled_from(self.model.waiting))
        self.model.waiting.remove(ticket)
        self.policy.withdraw(ticket)
        self.settle()

    @precondition(lambda self: self.model.dialing)
    @rule(data=st.data(), capacity=st.sampled_from([1, 3]), works=st.booleans())
    def dialled(self, data: st.DataObject, capacity: int, works: bool) -> None:
        ticket = data.draw(st.sampled_from(self.model.dialing))
        self.model.dialing.remove(ticket)
        key = ticket.key
        assert key is not None
        if works:
            connection = self.model.connections[key]
            connection.is_opening, connection.capacity = False, capacity
            self.policy.opened(key, capacity, self.model.now)
        else:
            del self.model.connections[key]
            self.policy.failed(key)
        self.settle()

    def open_connections(self) -> list[int]:
        return [key for key, connection in self.model.connections.items() if not connection.is_opening]

    @precondition(lambda self: self.open_connections())
    @rule(data=st.data(), what=st.sampled_from(["release", "drain", "lose", "shrink", "grow"]))
    def happens(self, data: st.DataObject, what: str) -> None:
        key = data.draw(st.sampled_from(self.open_connections()))
        connection = self.model.connections[key]
        if what == "release" and connection.used:
            ticket = connection.holders.pop(0)
            for _ in range(2):  # the second call must change nothing
                self.policy.released(ticket, self.model.now)
        elif what == "drain":
            connection.drains = True
            self.policy.draining(key)
        elif what == "lose":
            del self.model.connections[key]
            self.policy.lost(key)
        elif what in {"shrink", "grow"}:
            connection.capacity = 1 if what == "shrink" else 3
            self.policy.resized(key, connection.capacity)
        self.settle()

    @precondition(lambda self: any(self.model.connections[key].used for key in self.open_connections()))
    @rule(data=st.data())
    def is_of_no_use(self, data: st.DataObject) -> None:
        """A connection that was granted is closing: ask again, keeping the place in the queue."""
        used = [key for key in self.open_connections() if self.model.connections[key].used]
        key = data.draw(st.sampled_from(used))
        ticket = self.model.connections[key].holders.pop(0)
        self.model.connections[key].drains = True
        self.policy.draining(key)
        self.policy.released(ticket, self.model.now)
        self.policy.ask_again(ticket)
        self.model.waiting.append(ticket)
        self.settle()

    @rule(seconds=st.sampled_from([1, 11, 51]))
    def time_passes(self, seconds: int) -> None:
        self.model.now += seconds
        for key in self.open_connections():
            if self.policy._connections[key].opened + 50 <= self.model.now:
                self.model.connections[key].drains = True
        self.settle()

    @invariant()
    def limits_hold(self) -> None:
        connections = self.model.connections.values()
        assert len(connections) <= OPTIONS.max_connections
        for origin in ORIGINS:
            usable = [each for each in connections if each.origin == origin and not each.drains]
            assert len(usable) <= OPTIONS.max_per_origin

    @invariant()
    def both_agree(self) -> None:
        assert set(self.policy._connections) == set(self.model.connections)
        for key, connection in self.model.connections.items():
            known = self.policy._connections[key]
            assert (known.used, known.phase is Phase.OPENING) == (connection.used, connection.is_opening)
            assert (known.phase is Phase.DRAINING) is connection.drains
        found = self.policy.statistics(0, 0)
        assert found.waiting == len(self.model.waiting)
        assert found.connections == len(self.model.connections)

    @invariant()
    def no_request_waits_without_a_reason(self) -> None:
        """The first request waits because of a limit, or for a connection that is being opened."""
        if not self.model.waiting:
            return
        first = min(self.model.waiting, key=lambda each: each.number)
        connections = self.model.connections.values()
        own = [each for each in connections if each.origin == first.origin]
        free = [each for each in own if not (each.is_opening or each.drains) and each.used < each.capacity]
        assert not free
        opening = any(each.is_opening for each in own)
        full = sum(not each.drains for each in own) >= OPTIONS.max_per_origin
        idle = any(not (each.is_opening or each.used) for each in connections)
        all_full = len(connections) >= OPTIONS.max_connections and not idle
        assert opening or full or all_full


TestPolicy = PolicyMachine.TestCase
TestPolicy.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


def test_waiting_ends_once_everything_is_released() -> None:
    policy = Policy(PoolOptions(max_connections=1), lambda _: False)
    first, second, third = ask(policy, ORIGINS[0]), ask(policy, ORIGINS[1]), ask(policy, ORIGINS[0])
    assert policy.settle(0) == [Dial(first, 1)]
    policy.opened(1, 1, 0)
    # max_connections is reached: the second request is next, although the third could use the connection.
    policy.released(first, 0)
    assert policy.settle(0) == [Close(1), Dial(second, 2)]
    policy.opened(2, 1, 0)
    assert policy.settle(0) == []
    policy.released(second, 0)
    assert policy.settle(0) == [Close(2), Dial(third, 3)]


def interrupted(policy: Policy, number: int) -> bool:
    """Interrupt `settle` before its n-th instruction; return false if it has fewer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.bomb.ROOT", policy_module.__file__)
        return Bomb(number).goes_off(lambda: policy.settle(0.0))


@pytest.mark.parametrize("open_connections", [0, 1, 2])
def test_an_interrupted_decision_loses_no_place(open_connections: int) -> None:
    """After `reconcile`, every request is either granted a connection or waits, and the limits hold."""
    number, off = 0, True
    while off:
        number += 1
        policy = Policy(PoolOptions(max_connections=3, max_per_origin=2), lambda _: False)
        held = [ask(policy, ORIGINS[0]) for _ in range(open_connections)]
        policy.settle(0.0)
        for ticket in held:
            assert ticket.key is not None
            policy.opened(ticket.key, 2, 0.0)
        tickets = [ask(policy, ORIGINS[at % 2]) for at in range(6)]
        off = interrupted(policy, number)
        policy.reconcile()
        policy.settle(0.0)
        everyone = {*held, *tickets}
        connections = policy._connections
        assert len(connections) <= 3
        for connection in connections.values():
            assert connection.holders <= everyone
            assert connection.used <= connection.capacity
            assert all(ticket.key == connection.key for ticket in connection.holders)
        granted = {ticket for ticket in everyone if ticket.key is not None}
        assert {ticket for connection in connections.values() for ticket in connection.holders} == granted
        waiting = [ticket for queue in policy._queues.values() for ticket in queue]
        assert set(waiting) == everyone - granted
        assert len(waiting) == len(set(waiting))
    assert number > 100


def test_one_connection_is_tried_until_the_protocol_is_known() -> None:
    policy = Policy(PoolOptions(), lambda _: True)
    tickets = [ask(policy, ORIGINS[0]) for _ in range(5)]
    assert policy.settle(0) == [Dial(tickets[0], 1)]
    policy.opened(1, 1, 0)  # HTTP/1: the other requests open their own connections
    assert policy.settle(0) == [Dial(ticket, number) for number, ticket in enumerate(tickets[1:], 2)]
    policy = Policy(PoolOptions(), lambda _: True)
    tickets = [ask(policy, ORIGINS[0]) for _ in range(5)]
    policy.settle(0)
    policy.opened(1, 100, 0)  # HTTP/2: the other requests share the connection
    assert policy.settle(0) == [Grant(ticket, 1) for ticket in tickets[1:]]


def test_when_a_connection_fails_those_that_waited_for_it_connect_at_once() -> None:
    policy = Policy(PoolOptions(), lambda _: True)
    tickets = [ask(policy, ORIGINS[0]) for _ in range(4)]
    policy.settle(0)
    policy.failed(1)
    assert policy.settle(0) == [Dial(ticket, number) for number, ticket in enumerate(tickets[1:], 2)]


def test_an_abandoned_connection_attempt_says_nothing_about_the_origin() -> None:
    policy = Policy(PoolOptions(), lambda _: True)
    tickets = [ask(policy, ORIGINS[0]) for _ in range(4)]
    policy.settle(0)
    policy.abandoned(1)
    assert policy.settle(0) == [Dial(tickets[1], 2)]


@pytest.mark.rfc("9110-9.2.2-a")
@pytest.mark.rfc("9110-9.2.2-b")
@pytest.mark.parametrize("idempotent", [True, False])
@pytest.mark.parametrize(
    "method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "POST", "PATCH", "get"]
)
@pytest.mark.parametrize("processed", list(Processed))
def test_which_requests_are_sent_again(processed: Processed, method: str, idempotent: bool) -> None:
    options = PoolOptions(retry_idempotent=idempotent)
    error = TransportClosed().marked(processed=processed)
    safe = method in {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"}
    wanted = processed is Processed.NO or (processed is Processed.MAYBE and idempotent and safe)
    assert may_retry(error, method, options) is wanted
    assert not may_retry(error.marked(local=True), method, options)
    assert may_retry(Unprocessed().marked(processed=Processed.NO), "POST", options)
    assert not may_retry(InvalidRequestTarget("x").marked(local=True, processed=Processed.NO), "GET", options)
    assert not may_retry(Closed().marked(local=True), "GET", options)


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_connections": 0},
        {"max_streams": 1.5},
        {"idle_timeout": -1},
        {"retry_idempotent": None},
        {"ping_timeout": None},
    ],
)
def test_invalid_options_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        PoolOptions(**wrong)  # type: ignore[arg-type]  # that is the point
