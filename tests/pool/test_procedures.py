"""Carry out the steps of a pool by hand, in orders of events that are rare with real servers."""

from __future__ import annotations

import threading
from contextlib import nullcontext

import pytest

import mint
from mint._httpx.parts import error_name
from mint.errors import PoolClosed, TransportTimeout
from mint.exchange import URL
from mint.pool import PoolOptions, Timeouts
from mint.pool._procedures import Connect, Park, Receive, abandon, acquire, leave, wait
from mint.pool._requests import make_request
from mint.pool._session import Session
from mint.pool._state import PoolState

from ..bomb import Bomb

HERE = URL("https", "example.org", 443, "/")


class FakeLoop:
    lock = nullcontext()
    make_event = threading.Event

    def __init__(self) -> None:
        self.now = 0.0
        self.forgotten: list[int] = []

    def clock(self) -> float:
        return self.now

    def forget(self, key: int) -> None:
        self.forgotten.append(key)

    def begin_anew(self) -> None:
        raise AssertionError("no test of this module forks")

    def catch_up(self) -> None:
        pass  # no test of this module has signal handlers

    def settle_soon(self, pool: PoolState) -> None:
        pass  # the next use of the pool calls `settle`


def shared() -> mint.Connection:
    link = mint.transport.Memory(reads=True)
    return mint.http2.initiate(link, scheme="https", hostname="example.org", identity=1)


def new_request(loop: FakeLoop, timeouts: Timeouts | None = None) -> mint.pool._procedures.PoolRequest:
    return make_request("GET", HERE, (), None, (), timeouts, loop.clock)


def finish(procedure: mint.pool._procedures.Procedure[Session]) -> Session:
    with pytest.raises(StopIteration) as over:
        next(procedure)
    found = over.value.value
    assert isinstance(found, Session)
    return found


def test_a_connection_that_ends_after_it_was_granted_and_before_it_is_used() -> None:
    loop = FakeLoop()
    pool = PoolState(loop, PoolOptions(), lambda _: True)
    first, second = acquire(pool, new_request(loop)), acquire(pool, new_request(loop))
    dial = next(first)
    assert isinstance(dial, Connect)
    assert isinstance(next(second), Park)
    dial.conn = shared()
    session = finish(first)  # grants the connection to the second request, which has not resumed yet
    assert pool.statistics().active == 2
    session.lose()
    again = next(second)
    assert isinstance(again, Connect)
    again.conn = shared()
    assert finish(second) is not session
    assert loop.forgotten == [1]
    assert pool.statistics().active == 1


def test_if_a_connection_attempt_is_abandoned_the_next_request_connects() -> None:
    loop = FakeLoop()
    pool = PoolState(loop, PoolOptions(), lambda _: True)
    first, second, third = (acquire(pool, new_request(loop)) for _ in range(3))
    assert isinstance(next(first), Connect)
    assert isinstance(next(second), Park)
    assert isinstance(next(third), Park)
    with pytest.raises(KeyboardInterrupt):
        first.throw(KeyboardInterrupt())
    dial = next(second)
    assert isinstance(dial, Connect)
    assert isinstance(next(third), Park), "an abandoned attempt says nothing about the origin"
    dial.conn = shared()
    assert finish(second) is finish(third)


def test_waiting_for_a_ping_before_reuse_counts_as_waiting_for_a_connection() -> None:
    loop = FakeLoop()
    pool = PoolState(loop, PoolOptions(ping_interval=5, ping_timeout=10), lambda _: True)
    first = acquire(pool, new_request(loop))
    dial = next(first)
    assert isinstance(dial, Connect)
    dial.conn = shared()
    session = finish(first)
    loop.now = 5.0  # silent for ping_interval, so it is pinged before it is used again
    second = acquire(pool, new_request(loop, Timeouts(pool=1)))
    assert isinstance(next(second), Receive)
    loop.now = 6.0
    with pytest.raises(TransportTimeout) as caught:
        next(second)
    assert caught.value.phase.startswith("waiting for a connection of the pool: a PING")
    assert error_name(caught.value) == "PoolTimeout"
    assert caught.value.processed is mint.Processed.NO
    assert not session.is_lost
    assert pool.statistics().active == 1


@pytest.mark.parametrize("other_reads", [False, True])
@pytest.mark.parametrize("is_lost", [False, True])
@pytest.mark.parametrize("is_set", [False, True])
def test_nothing_is_waited_for_after_the_event_or_the_end_of_the_connection(
    is_set: bool, is_lost: bool, other_reads: bool
) -> None:
    """Both may have come before the wait began, and a connection that has ended wakes nobody again."""
    loop = FakeLoop()
    pool = PoolState(loop, PoolOptions(), lambda _: True)
    first = acquire(pool, new_request(loop))
    dial = next(first)
    assert isinstance(dial, Connect)
    dial.conn = shared()
    session = finish(first)
    if is_lost:
        session.lose()
    event, other = pool.make_event(), pool.make_event()
    if other_reads:
        session.reader = other
    if is_set:
        event.set()
    steps = wait(pool, session, event, None)
    if is_set or is_lost:
        assert list(steps) == []
    else:
        step = next(steps)
        assert isinstance(step, Park if other_reads else Receive)
        steps.close()
    assert session.reader is (other if other_reads else None)
    assert not session.parked


@pytest.mark.parametrize("steps", [1, 2])
def test_giving_up_at_any_step_releases_everything(steps: int) -> None:
    loop = FakeLoop()
    pool = PoolState(loop, PoolOptions(max_per_origin=1), lambda _: False)
    held = new_request(loop)
    holder = acquire(pool, held)
    dial = next(holder)
    assert isinstance(dial, Connect)
    if steps == 1:
        holder.close()
        assert pool.statistics().connections == 0
        return
    link = mint.transport.Memory(reads=True)
    dial.conn = mint.http1.initiate(link, scheme="https", hostname="example.org", identity=1)
    finish(holder)
    waiter = acquire(pool, new_request(loop, Timeouts(pool=5)))
    assert isinstance(next(waiter), Park)
    loop.now = 6.0
    with pytest.raises(TransportTimeout) as caught:
        next(waiter)
    assert caught.value.processed is mint.Processed.NO
    assert pool.statistics().waiting == 0
    assert held.ticket is not None
    pool.give_back(held.ticket, failed=False)
    assert pool.statistics().idle == 1


@pytest.mark.parametrize("release", ["abandon", "leave"])
def test_an_interrupt_of_a_release_after_an_error_leaves_a_pool_that_decides(release: str) -> None:
    """After an error, nothing else would release again what a signal handler interrupts here."""
    number, off = 0, True
    while off:
        number += 1
        loop = FakeLoop()
        pool = PoolState(loop, PoolOptions(max_per_origin=1), lambda _: False)
        held = new_request(loop)
        holder = acquire(pool, held)
        dial = next(holder)
        assert isinstance(dial, Connect)
        link = mint.transport.Memory(reads=True)
        dial.conn = mint.http1.initiate(link, scheme="https", hostname="example.org", identity=1)
        session = finish(holder)
        assert held.ticket is not None
        events = held.events[0], held.events[0]
        stream = session.open("GET", "/", (), None, streamed=False, ticket=held.ticket, events=events)
        bomb = Bomb(number)
        off = bomb.goes_off(
            lambda: abandon(pool, held) if release == "abandon" else leave(pool, stream, stream.event)  # noqa: B023  # at once
        )
        assert not pool._settles, bomb.where
        session.cancel(stream)
        pool.give_back(held.ticket, failed=False)
        waiter = acquire(pool, new_request(loop))
        assert isinstance(next(waiter), Connect), bomb.where  # not `Park`


def test_closing_while_dialing() -> None:
    loop = FakeLoop()
    pool = PoolState(loop, PoolOptions(), lambda _: True)
    one = acquire(pool, new_request(loop))
    dial = next(one)
    assert isinstance(dial, Connect)
    pool.close()
    dial.conn = shared()
    with pytest.raises(PoolClosed):
        next(one)
    assert set(loop.forgotten) == {1}


def test_asking_again_returns_what_was_granted() -> None:
    """Otherwise a place on the connection would be taken for ever."""
    pool = PoolState(FakeLoop(), PoolOptions(), lambda _: True)
    ticket = pool.ticket(HERE.origin)
    pool.ask(ticket, threading.Event())
    pool.add(1, shared())
    assert (ticket.key, ticket.dials, pool.statistics().active) == (1, True, 1)
    pool.ask_again(ticket)
    assert (ticket.key, ticket.dials, pool.statistics().active) == (1, False, 1)
    pool._policy.draining(1)
    pool.ask_again(ticket)
    assert (ticket.key, ticket.dials) == (2, True)
    pool.give_back(ticket, failed=True)
    assert pool.statistics().active == 0
