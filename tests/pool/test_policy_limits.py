"""The policy of a pool: each limit at its exact value and beyond it, and each number of the statistics."""

from __future__ import annotations

import pytest

from mint.exchange import Origin
from mint.pool import PoolOptions, Statistics
from mint.pool._policy import Close, Dial, Grant, Order, Policy, Ticket

A, B, C = (Origin("https", name, 443) for name in "abc")


class Made:
    """A policy, with short methods for the calls that the tests make."""

    def __init__(self, *, shares: bool = False, **options: float | None) -> None:
        self.asked: list[Origin] = []
        self.now = 0.0
        given: dict[str, float | None] = {"idle_timeout": None, **options}
        self.policy = Policy(PoolOptions(**given), self._may_share)  # type: ignore[arg-type]  # any option
        self._shares = shares

    def _may_share(self, origin: Origin) -> bool:
        self.asked.append(origin)
        return self._shares

    def ask(self, *origins: Origin) -> list[Ticket]:
        tickets = [self.policy.ticket(origin) for origin in origins]
        for ticket in tickets:
            self.policy.ask(ticket)
        return tickets

    def settle(self) -> list[Order]:
        return self.policy.settle(self.now)

    def open(self, origin: Origin, capacity: int = 1) -> Ticket:
        """Open a connection for a request that uses it."""
        [ticket] = self.ask(origin)
        assert [type(order) for order in self.settle() if not isinstance(order, Close)] == [Dial]
        assert ticket.key is not None
        self.policy.opened(ticket.key, capacity, self.now)
        return ticket

    def release(self, ticket: Ticket) -> None:
        self.policy.released(ticket, self.now)

    def statistics(self) -> Statistics:
        return self.policy.statistics(0, 0)


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_connections_of_one_origin(limit: int) -> None:
    made = Made(max_per_origin=limit)
    tickets = made.ask(*[A] * 4)
    assert made.settle() == [Dial(tickets[at], at + 1) for at in range(limit)]
    assert made.settle() == []
    [other] = made.ask(B)
    assert made.settle() == [Dial(other, limit + 1)], "the limit of one origin must not hold up another"
    made.policy.failed(1)
    assert made.settle() == [Dial(tickets[limit], limit + 2)]


def test_draining_connections_count_for_max_connections_only() -> None:
    made = Made(max_per_origin=1, max_connections=3)
    made.open(A)
    waiting = made.ask(A)
    assert made.settle() == []
    made.policy.draining(1)
    assert made.settle() == [Dial(waiting[0], 2)]
    made.policy.opened(2, 1, 0)
    made.policy.draining(2)
    made.open(A)
    made.policy.draining(3)
    made.ask(A)
    assert made.settle() == []
    assert made.statistics().waiting == 1


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_connections_of_all_origins(limit: int) -> None:
    made = Made(max_connections=limit)
    origins = [Origin("https", f"h{at}", 443) for at in range(limit + 1)]
    tickets = made.ask(*origins)
    assert made.settle() == [Dial(tickets[at], at + 1) for at in range(limit)]
    for key in range(1, limit + 1):
        made.policy.opened(key, 1, 0)
    assert made.settle() == []
    made.release(tickets[0])
    assert made.settle() == [Close(1), Dial(tickets[limit], limit + 1)]


@pytest.mark.parametrize("capacity", [1, 2, 3])
def test_requests_of_one_connection(capacity: int) -> None:
    made = Made(max_per_origin=1, shares=True)
    first = made.open(A, capacity)
    tickets = made.ask(*[A] * 3)
    assert made.settle() == [Grant(ticket, 1) for ticket in tickets[: capacity - 1]]
    assert made.settle() == []
    made.release(first)
    assert made.settle() == [Grant(tickets[capacity - 1], 1)]
    made.policy.resized(1, capacity + 1)
    assert made.settle() == [Grant(ticket, 1) for ticket in tickets[capacity : capacity + 1]]


def test_calls_about_a_lost_connection_do_nothing() -> None:
    made = Made()
    ticket = made.open(A)
    assert made.policy.knows(1)
    made.policy.lost(1)
    assert not made.policy.knows(1)
    made.policy.resized(1, 3)
    made.policy.draining(1)
    made.policy.failed(1)
    made.policy.abandoned(1)
    made.policy.lost(1)
    made.release(ticket)
    assert made.statistics() == Statistics(opened=1)


# -- which connection


def test_the_connection_with_most_requests_is_filled_first() -> None:
    made = Made(shares=True)
    held = [made.open(A) for _ in range(3)]
    for key in (1, 2, 3):
        made.policy.resized(key, 3)
    made.release(held[0])
    made.release(held[2])
    tickets = made.ask(*[A] * 2)
    assert made.settle() == [Grant(tickets[0], 2), Grant(tickets[1], 2)]


@pytest.mark.parametrize("last", [0, 1, 2])
def test_the_most_recently_used_connection_is_reused_and_the_least_recently_used_closed(last: int) -> None:
    order = [at for at in range(3) if at != last] + [last]
    for limit in (4, 3):
        made = Made(max_connections=limit)
        held = [made.open(A) for _ in range(3)]
        for at in order:
            made.now += 1
            made.release(held[at])
        if limit == 4:
            [again] = made.ask(A)
            assert made.settle() == [Grant(again, last + 1)]
        else:
            [other] = made.ask(B)
            assert made.settle() == [Close(order[0] + 1), Dial(other, 4)]


# -- sharing


def test_only_one_connection_is_opened_while_requests_may_share_it() -> None:
    made = Made(shares=True)
    tickets = made.ask(A, A, B, B)
    assert made.settle() == [Dial(tickets[0], 1), Dial(tickets[2], 2)]
    made.policy.opened(1, 2, 0)
    assert made.settle() == [Grant(tickets[1], 1)]
    [third] = made.ask(A)
    assert made.settle() == [Dial(third, 3)]
    made.ask(A)
    assert made.settle() == [], "this request may share the third connection"


def test_requests_that_cannot_share_connect_at_once() -> None:
    made = Made(shares=False)
    tickets = made.ask(A, A, A)
    assert made.settle() == [Dial(ticket, at) for at, ticket in enumerate(tickets, 1)]


@pytest.mark.parametrize("shares", [False, True])
@pytest.mark.parametrize(
    ("event", "known"), [("one", False), ("two", True), ("failed", False), ("abandoned", None)]
)
def test_whether_an_origin_shares_is_remembered(shares: bool, event: str, known: bool | None) -> None:
    made = Made(shares=shares)
    made.ask(A)
    made.settle()
    match event:
        case "one":
            made.policy.opened(1, 1, 0)
        case "two":
            made.policy.opened(1, 2, 0)
        case "failed":
            made.policy.failed(1)
        case _:
            made.policy.abandoned(1)
    made.policy.lost(1)
    made.ask(A, A)
    dials = len(made.settle())
    assert dials == (1 if (shares if known is None else known) else 2)


def test_how_many_origins_are_remembered() -> None:
    made = Made(shares=True)
    origins = [Origin("https", f"h{at}", 443) for at in range(1_000)]
    for origin in [*origins, origins[0], C]:  # when C comes, the second origin is the least recently used
        ticket = made.open(origin)
        assert ticket.key is not None
        made.policy.lost(ticket.key)
    for origin, dials in ((origins[0], 2), (origins[2], 2), (C, 2), (origins[1], 1)):
        made.ask(origin, origin)
        assert len(made.settle()) == dials, origin


# -- after an exception


def test_reconcile_closes_only_connections_that_nobody_holds() -> None:
    made = Made(shares=True)
    used, idle = made.open(A, 2), made.open(B)
    made.release(idle)
    shared, dialing, given_up, elsewhere = made.ask(A, C, Origin("https", "d", 443), A)
    made.settle()
    assert (shared.key, dialing.key, given_up.key, elsewhere.key) == (1, 3, 4, 5)
    given_up.key = None
    shared.key = 5
    made.policy.reconcile()
    connections = made.policy._connections
    assert {key: each.holders for key, each in connections.items()} == {
        1: {used},
        2: set(),
        3: {dialing},
        5: {elsewhere},
    }


def test_what_was_granted_before_an_exception_is_not_granted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made()
    first, second = made.ask(A, A)

    def interrupted(policy: Policy, ticket: Ticket) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Policy, "withdraw", interrupted)
        with pytest.raises(KeyboardInterrupt):
            made.settle()
    made.policy.reconcile()
    assert (first.key, second.key) == (1, None)
    assert made.settle() == [Dial(second, 2)]
    found = made.statistics()
    assert (found.connections, found.waiting) == (2, 0)


# -- time


@pytest.mark.parametrize(("after", "closed"), [(9.75, False), (10, True), (10.25, True)])
def test_an_idle_connection_is_closed_after_idle_timeout(after: float, closed: bool) -> None:
    made = Made(idle_timeout=10)
    ticket = made.open(A)
    made.now = 100
    assert made.settle() == [], "a connection in use is not idle"
    made.release(ticket)
    made.now = 100 + after
    assert made.settle() == ([Close(1)] if closed else [])
    assert made.policy.knows(1) is not closed


@pytest.mark.parametrize("used", [False, True])
@pytest.mark.parametrize(("after", "over"), [(9.75, False), (10, True), (10.25, True)])
def test_an_old_connection_takes_no_new_request(after: float, over: bool, used: bool) -> None:
    made = Made(max_age=10)
    made.now = 3
    ticket = made.open(A)
    made.policy.resized(1, 2)
    if not used:
        made.release(ticket)
    made.now = 3 + after
    [again] = made.ask(A)
    orders = made.settle()
    if not over:
        assert orders == [Grant(again, 1)]
    elif used:
        assert orders == [Dial(again, 2)]
        made.release(ticket)
        assert made.settle() == [Close(1)]
    else:
        assert orders == [Close(1), Dial(again, 2)]


def test_without_timeouts_nothing_is_closed() -> None:
    made = Made(idle_timeout=None, max_age=None)
    made.release(made.open(A))
    made.now = 1e12
    assert made.settle() == []


def test_a_connection_that_is_being_opened_is_not_idle() -> None:
    made = Made(idle_timeout=10, max_age=10)
    [ticket] = made.ask(A)
    made.settle()
    made.release(ticket)  # the request that opens it has gone
    made.now = 100
    assert made.settle() == []


# -- order


def test_tickets_are_served_in_the_order_in_which_they_asked() -> None:
    made = Made(max_connections=1)
    held = made.open(A)
    tickets = made.ask(B, A, C, B)
    for key, ticket in enumerate(tickets, 2):
        assert made.settle() == []
        made.release(held)
        assert made.settle() == [Close(key - 1), Dial(ticket, key)]
        made.policy.opened(key, 1, 0)
        held = ticket


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_a_request_that_asks_again_keeps_its_place_in_the_queue(place: int) -> None:
    made = Made(max_per_origin=1, max_connections=1)
    held = made.open(B)
    tickets = made.ask(*[A] * 4)
    back = tickets[place]
    made.policy.withdraw(back)
    back.key, back.dials = 17, True
    made.policy.ask_again(back)
    assert back.key is None
    assert not back.dials
    made.release(held)
    for key, ticket in enumerate(tickets, 2):
        assert made.settle()[-1] == (Dial(ticket, key) if key == 2 else Grant(ticket, 2))
        if key == 2:
            made.policy.opened(2, 1, 0)
        made.release(ticket)


def test_the_ticket_that_opens_a_connection_is_marked() -> None:
    made = Made(shares=True)
    first = made.open(A, 2)
    [second] = made.ask(A)
    made.settle()
    assert (first.dials, first.key, second.dials, second.key) == (True, 1, False, 1)


def test_withdrawing_leaves_no_empty_queue() -> None:
    made = Made(max_per_origin=1)
    made.open(A)
    one, two = made.ask(A, A)
    for ticket in (one, one, two, two):
        made.policy.withdraw(ticket)
    assert not made.policy._queues
    made.policy.withdraw(made.policy.ticket(B))
    assert not made.policy._queues


# -- statistics


def test_every_number_of_the_statistics() -> None:
    made = Made(max_per_origin=2, shares=True)
    held = made.open(A, 3)
    made.ask(A)
    made.settle()
    made.release(made.open(B))
    made.open(Origin("https", "d", 443))
    made.policy.draining(held.key or 0)
    opening = made.ask(A)
    made.settle()
    assert opening[0].dials
    made.ask(C, C, C)
    made.settle()
    assert made.policy.statistics(11, 12) == Statistics(
        connections=5,
        opening=2,
        idle=1,
        draining=1,
        active=3,
        waiting=2,
        requests=11,
        retries=12,
        opened=3,
        by_origin={A: 2, B: 1, C: 1, Origin("https", "d", 443): 1},
    )
