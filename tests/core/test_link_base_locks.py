"""The lock of links: who holds it, how often, who waits for it and for how long."""

from __future__ import annotations

import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import pytest

from mint._core.link_base import Mutex

from .bare_link import LONG, held_elsewhere, in_another_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

T = TypeVar("T")


def can_take(lock: Mutex) -> bool:
    """Whether a thread that holds nothing gets the lock at once; it releases it again."""

    def attempted() -> bool:
        taken = lock.acquire(False)
        if taken:
            lock.release()
        return taken

    return in_another_thread(attempted)


def waiting(lock: Mutex, work: Callable[[], T], threads: ThreadPoolExecutor) -> Callable[[], T]:
    """Start work in a thread that runs into the lock; return what waits for its result."""
    started = threading.Event()

    def begin() -> T:
        started.set()
        return work()

    done = threads.submit(begin)
    assert started.wait(LONG)
    return lambda: done.result(timeout=LONG)


@pytest.mark.parametrize("depth", [1, 2, 3, 7])
def test_it_is_free_after_as_many_releases_as_acquisitions(depth: int) -> None:
    lock = Mutex()
    for _ in range(2):  # the second time it has been used before
        for _ in range(depth):
            assert lock.acquire()
            assert lock.held
            assert not can_take(lock)
        for _ in range(depth):
            assert lock.held
            assert not can_take(lock)
            lock.release()
        assert not lock.held
        assert can_take(lock)


@pytest.mark.parametrize("blocking", [False, True])
def test_its_owner_never_waits_for_itself(blocking: bool) -> None:
    lock = Mutex()
    with lock as entered:
        assert entered is lock
        assert lock.acquire(blocking)
        with lock:
            assert not can_take(lock)
        lock.release()
        assert not can_take(lock)
    assert can_take(lock)


def test_only_its_owner_can_release_it() -> None:
    lock = Mutex()
    with pytest.raises(RuntimeError, match="does not hold"):
        lock.release()
    with held_elsewhere(lock):
        assert not lock.held
        with pytest.raises(RuntimeError, match="does not hold"):
            lock.release()
        assert not lock.acquire(False)
    assert can_take(lock)


@pytest.mark.parametrize("seconds", [-1.0, 0.0, LONG])
def test_work_is_called_while_a_free_lock_is_held(seconds: float) -> None:
    lock = Mutex()
    seen: list[tuple[str, bool, bool]] = []

    def work(argument: str) -> None:
        seen.append((argument, lock.held, can_take(lock)))

    assert lock.attempt(work, "given", seconds) is True
    assert seen == [("given", True, False)]
    assert not lock.held
    assert can_take(lock)


def test_work_that_raises_leaves_the_lock_free() -> None:
    lock = Mutex()

    def work(argument: str) -> None:
        raise KeyError(argument)

    with pytest.raises(KeyError, match="given"):
        lock.attempt(work, "given", 0.0)
    assert not lock.held
    assert can_take(lock)


def test_an_attempt_of_the_owner_is_refused_and_changes_nothing() -> None:
    lock = Mutex()
    with lock:
        with pytest.raises(RuntimeError, match="already"):
            lock.attempt(print, "never", 0.0)
        assert lock.held
        assert not can_take(lock)
    assert not lock.held
    assert can_take(lock)


@pytest.mark.parametrize("times", [1, 2, 5])
@pytest.mark.parametrize("seconds", [0.0, 1e-9, 0.001])
def test_an_attempt_that_is_too_late_leaves_no_trace(seconds: float, times: int) -> None:
    lock = Mutex()
    called: list[str] = []
    with held_elsewhere(lock):
        for _ in range(times):
            assert lock.attempt(called.append, "never", seconds) is False
            assert not lock.held
        assert not can_take(lock)
    assert called == []
    # Who holds it and who waits is still counted correctly: it is free, and can be passed on.
    assert can_take(lock)
    with held_elsewhere(lock):
        assert not can_take(lock)
    assert lock.attempt(called.append, "now", 0.0) is True
    assert called == ["now"]


@pytest.mark.parametrize("waiters", [1, 2, 5])
@pytest.mark.parametrize("kind", ["acquire", "without limit", "long"])
def test_the_lock_is_passed_to_every_thread_that_waits(kind: str, waiters: int) -> None:
    lock = Mutex()
    inside: list[bool] = []

    def alone(_: str) -> None:
        inside.append(lock.held)
        time.sleep(0)  # lets the other threads run into the lock

    def work() -> bool:
        if kind != "acquire":
            return lock.attempt(alone, "", -1.0 if kind == "without limit" else LONG)
        with lock:
            alone("")
        return True

    with ThreadPoolExecutor(waiters) as threads:
        with lock:
            results = [waiting(lock, work, threads) for _ in range(waiters)]
            # Attempts that end in between do not take the turn of a thread that waits.
            assert not can_take(lock)
            assert not in_another_thread(lambda: lock.attempt(alone, "", 0.001))
            assert inside == []
        assert [result() for result in results] == [True] * waiters
    assert inside == [True] * waiters
    assert can_take(lock)


@pytest.mark.parametrize("way", ["with", "attempt", "both"])
def test_one_thread_at_a_time_is_inside(way: str) -> None:
    lock = Mutex()
    inside: list[int] = []
    most: list[int] = []
    # A switch as often as possible: otherwise each thread would do all of its work in one turn.
    before = sys.getswitchinterval()

    def visit(number: int) -> None:
        inside.append(number)
        time.sleep(0)
        most.append(len(inside))
        inside.remove(number)

    def visit_often(number: int) -> None:
        for at in range(40):
            if way == "with" or (way == "both" and at % 2):
                with lock:
                    visit(number)
            else:
                while not lock.attempt(visit, number, 0.001 if at % 3 else LONG):
                    pass

    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(4) as threads:
            for done in [threads.submit(visit_often, number) for number in range(4)]:
                done.result(timeout=LONG)
    finally:
        sys.setswitchinterval(before)
    assert most == [1] * 160
    assert can_take(lock)


@contextmanager
def signals_until_it_ends(handler: Callable[[], object]) -> Generator[None, None, None]:
    """Send signals to this thread again and again; the first one may arrive before the thread waits."""
    me = threading.get_ident()
    over = threading.Event()

    def send() -> None:
        while not over.wait(0.005):
            signal.pthread_kill(me, signal.SIGUSR1)

    def called(*_: object) -> None:
        handler()

    before = signal.signal(signal.SIGUSR1, called)
    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="this system cannot signal a thread")
@pytest.mark.parametrize("seconds", [-1.0, LONG])
def test_a_signal_ends_an_attempt_after_its_handler(seconds: float) -> None:
    lock = Mutex()
    handled: list[bool] = []
    with held_elsewhere(lock):
        with signals_until_it_ends(lambda: handled.append(lock.held)):
            assert lock.attempt(print, "never", seconds) is False
            assert handled
        assert not any(handled)
        assert not lock.held
    assert can_take(lock)


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="this system cannot signal a thread")
def test_an_exception_in_a_handler_leaves_the_lock_as_it_was() -> None:
    lock = Mutex()

    raised: list[bool] = []

    def handler() -> None:
        if not raised:
            raised.append(True)
            raise InterruptedError

    with held_elsewhere(lock):
        with signals_until_it_ends(handler), pytest.raises(InterruptedError):
            while True:
                lock.attempt(print, "never", LONG)
        assert not lock.held
        assert not can_take(lock)
    assert can_take(lock)
