"""The selector of mailboxes does what that of the standard library does."""

from __future__ import annotations

import gc
import os
import select
import selectors
import socket
import weakref
from contextlib import suppress
from itertools import product
from typing import TYPE_CHECKING

import pytest

from mint._loops.selector import Epoll, new_selector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
EVENTS = (READ, WRITE, READ | WRITE)


@pytest.fixture(params=[Epoll, selectors.EpollSelector])
def selector(request: pytest.FixtureRequest) -> Iterator[selectors.BaseSelector]:
    with request.param() as made:
        yield made


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    near, far = socket.socketpair()
    with near, far:
        yield near, far


Pair = tuple[socket.socket, socket.socket]


def found(selector: selectors.BaseSelector, timeout: float | None = 0) -> list[tuple[int, int, object]]:
    return sorted((key.fd, events, key.data) for key, events in selector.select(timeout))


def known(selector: selectors.BaseSelector) -> dict[int, tuple[int, object]]:
    return {key.fd: (key.events, key.data) for key in selector.get_map().values()}


def fill(pair: Pair) -> None:
    """Send until the system takes no more."""
    pair[0].setblocking(False)
    with suppress(BlockingIOError):
        while True:
            pair[0].send(bytes(65536))


def fill_and_answer(pair: Pair) -> None:
    fill(pair)
    pair[1].send(b"x")


class Data:
    """What is stored with a descriptor."""


STATES: dict[str, tuple[Callable[[Pair], object], int]] = {
    "quiet": (lambda pair: None, WRITE),
    "full": (fill, 0),
    "full, data": (fill_and_answer, READ),
    "data": (lambda pair: pair[1].send(b"x"), READ | WRITE),
    "end": (lambda pair: pair[1].shutdown(socket.SHUT_WR), READ | WRITE),
    "hang-up": (lambda pair: pair[1].close(), READ | WRITE),
}


@pytest.mark.parametrize(("state", "before", "after"), list(product(STATES, EVENTS, EVENTS)))
def test_what_is_reported(
    selector: selectors.BaseSelector, pair: Pair, state: str, before: int, after: int
) -> None:
    change, ready = STATES[state]
    number = pair[0].fileno()
    assert selector.register(number, before, "old").events == before
    change(pair)
    assert found(selector) == ([(number, ready & before, "old")] if ready & before else [])
    assert selector.modify(number, after, "new").data == "new"
    assert known(selector) == {number: (after, "new")}
    assert found(selector) == ([(number, ready & after, "new")] if ready & after else [])
    assert selector.unregister(number).events == after
    assert (found(selector), known(selector)) == ([], {})
    # Nothing is left with the system either.
    selector.register(number, before)
    assert [events for _, events, _ in found(selector)] == ([ready & before] if ready & before else [])


def test_it_waits_until_a_socket_is_ready(selector: selectors.BaseSelector, pair: Pair) -> None:
    number = pair[0].fileno()
    selector.register(number, READ | WRITE)
    assert found(selector, None) == found(selector, 10) == [(number, WRITE, None)]


def test_many_sockets_are_reported_at_once(selector: selectors.BaseSelector) -> None:
    pairs = [socket.socketpair() for _ in range(50)]
    for near, far in pairs:
        selector.register(near, READ, far)
        far.send(b"x")
    assert len(found(selector)) == 50
    for each in pairs:
        for end in each:
            end.close()


def test_mistakes(selector: selectors.BaseSelector, pair: Pair) -> None:
    number = pair[0].fileno()
    for call in (selector.unregister, lambda number: selector.modify(number, READ)):
        with pytest.raises(KeyError):
            call(number)
    selector.register(number, READ, "first")
    with pytest.raises(KeyError):
        selector.register(number, WRITE, "second")
    assert known(selector) == {number: (READ, "first")}


def test_the_system_refuses(selector: selectors.BaseSelector, pair: Pair) -> None:
    """Nothing stays known of a descriptor that is not watched."""
    read, write = os.pipe()
    os.close(write)
    os.close(read)
    with pytest.raises(OSError, match="Bad file descriptor"):
        selector.register(read, READ)
    assert known(selector) == {}
    number = pair[0].fileno()
    selector.register(number, READ)
    pair[0].close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        selector.modify(number, WRITE)
    assert known(selector) == {}


def test_the_system_is_not_asked_for_the_events_that_are_registered(
    selector: selectors.BaseSelector, pair: Pair
) -> None:
    number = pair[0].fileno()
    selector.register(number, READ, "old")
    pair[0].close()
    assert selector.modify(number, READ, "new").data == "new"
    assert known(selector) == {number: (READ, "new")}


def test_a_socket_that_was_closed_is_forgotten(selector: selectors.BaseSelector, pair: Pair) -> None:
    number = pair[0].fileno()
    selector.register(number, READ)
    pair[0].close()
    selector.unregister(number)
    assert known(selector) == {}


def test_the_end(selector: selectors.BaseSelector, pair: Pair) -> None:
    selector.register(pair[0].fileno(), READ)
    for _ in range(2):
        selector.close()
    assert selector.get_map() is None
    with pytest.raises(ValueError, match="closed"):
        selector.select(0)


def test_nothing_is_kept_after_the_end(selector: selectors.BaseSelector, pair: Pair) -> None:
    data = Data()
    gone = weakref.ref(data)
    selector.register(pair[0].fileno(), READ, data)
    selector.close()
    del data
    gc.collect()
    assert gone() is None


def test_another_selector_is_used_if_that_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "DefaultSelector", selectors.SelectSelector)
    with new_selector() as made:
        assert type(made).__name__ == "SelectSelector"
    monkeypatch.setattr(selectors, "DefaultSelector", selectors.EpollSelector)
    with new_selector() as made:
        assert type(made) is Epoll
        assert select.epoll.fromfd(os.dup(made.fileno())).poll(0) == []
