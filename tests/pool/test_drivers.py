"""How drivers wait for room in the queue of a connection, and who reads meanwhile."""

from __future__ import annotations

import asyncio
from time import monotonic
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from mint import asyncio as mint_asyncio
from mint._loops.lock_event import LockEvent
from mint._loops.system import POLLIN, POLLOUT
from mint.errors import MailboxClosed, MintError, TransportClosed, TransportTimeout
from mint.pool import _driver as driver_module
from mint.pool._driver import Driver
from mint.pool._procedures import Park
from mint.pool.asyncio import _Driver

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from mint.pool._procedures import Procedure
    from mint.pool._session import Session


class Conn:
    """A fake connection with a queue, part of which each flush writes."""

    socket = None

    def __init__(self, flushed: Conn | MintError | None, unsent: int = 10) -> None:
        self.transport = SimpleNamespace(unsent=unsent)
        self.flushed = flushed
        self.after_error: Conn | None = None
        self.flushes = 0

    def flush(self, *, timeout: float) -> Conn:
        assert timeout == 0
        self.flushes += 1
        if isinstance(self.flushed, MintError):
            raise self.flushed
        return self.flushed or self

    def after(self, error: MintError) -> Conn:
        assert error is self.flushed
        self.after_error = Conn(None, unsent=9)
        return self.after_error


class Fake:
    """A fake session that records the messages and errors it is given."""

    key = 1

    def __init__(self, conn: object, *, is_lost: bool = False) -> None:
        self.conn = conn
        self.is_lost = is_lost
        self.is_sending = False
        self.fed: list[object] = []
        self.recovered: list[MintError] = []

    def feed(self, message: object) -> None:
        self.fed.append(message)

    def recover(self, error: MintError) -> None:
        self.recovered.append(error)
        self.is_lost = True


class Box:
    """A fake mailbox with these messages; after the last one it is closed."""

    def __init__(self, *messages: object) -> None:
        self.messages = [*messages]

    def receive(self, timeout: float | None) -> object:
        assert timeout == 0
        if not self.messages:
            raise MailboxClosed
        return self.messages.pop(0)


def blocking(box: Box) -> Driver:
    driver = Driver(None, None)  # type: ignore[arg-type]  # nothing is opened
    driver._mailboxes[1] = box  # type: ignore[assignment]  # a fake
    return driver


@pytest.mark.parametrize("reads", [False, True])
def test_only_the_reader_takes_messages_while_it_waits_for_room(reads: bool) -> None:
    box = Box("a", "b")
    session = Fake(Conn(Conn(None, unsent=9)))
    blocking(box)._wait_for_room(session, reads, None if reads else 0.0)  # type: ignore[arg-type]  # a fake
    assert (session.fed, box.messages) == ((["a", "b"], []) if reads else ([], ["a", "b"]))


@pytest.mark.parametrize("late", [False, True])
def test_a_wait_for_room_goes_on_with_what_flushing_left(late: bool) -> None:
    written = Conn(None, unsent=9)
    conn = Conn(TransportTimeout("sending") if late else written)
    session = Fake(conn)
    blocking(Box())._wait_for_room(session, False, 0.0)  # type: ignore[arg-type]  # a fake
    assert session.conn is (conn.after_error if late else written)
    assert conn.flushes == 1


def test_a_link_that_breaks_ends_the_wait_for_room() -> None:
    error = TransportClosed()
    conn = Conn(error)
    session = Fake(conn)
    blocking(Box())._wait_for_room(session, False, None)  # type: ignore[arg-type]  # a fake
    assert session.recovered == [error]
    assert session.conn is conn


def test_nothing_is_written_to_a_lost_connection() -> None:
    conn = Conn(None)
    session = Fake(conn, is_lost=True)
    blocking(Box())._wait_for_room(session, True, 0.0)  # type: ignore[arg-type]  # a fake
    assert conn.flushes == 0
    assert session.fed == []


class Polled(Driver):
    """A driver that notes what it waits for, in a time that stands still; `ready` are the results."""

    def __init__(self, *ready: bool) -> None:
        super().__init__(None, None)  # type: ignore[arg-type]  # nothing is opened
        self._mailboxes[1] = Box()  # type: ignore[assignment]  # a fake
        self.clock = lambda: 100.0
        self.ready = [*ready]
        self.waits: list[tuple[int, float | None]] = []

    def _poll(self, session: Session, events: int, until: float | None) -> bool:
        self.waits.append((events, until))
        return self.ready.pop(0)


class Slept(LockEvent):
    """An event that notes how long it was waited for."""

    times: list[float | None]

    def wait(self, timeout: float | None) -> bool:
        self.times.append(timeout)
        return False


BOTH = POLLIN | POLLOUT


@pytest.mark.parametrize("reads", [False, True])
@pytest.mark.parametrize(("until", "soon"), [(None, 100.05), (100.01, 100.01), (200.0, 100.05)])
@pytest.mark.parametrize(
    ("left", "has_socket", "arrives"),
    [(9, True, True), (10, True, True), (10, True, False), (11, True, False), (10, False, False)],
)
def test_what_a_thread_waits_for_if_the_socket_is_full(
    reads: bool,
    until: float | None,
    soon: float,
    left: int,
    has_socket: bool,
    arrives: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """For the socket; and if nothing could be written, for input or a short time."""
    monkeypatch.setattr(driver_module, "LockEvent", Slept)
    Slept.times = []
    driver = Polled(has_socket, arrives)
    session = Fake(Conn(Conn(None, unsent=left)))
    driver._wait_for_room(session, reads, until)  # type: ignore[arg-type]  # a fake
    first = (BOTH, until) if reads else (POLLOUT, soon)
    again = [(POLLIN, soon)] if left >= 10 and has_socket else []
    assert driver.waits == [first, *again]
    sleeps = left >= 10 and not arrives
    assert Slept.times == ([pytest.approx(soon - 100.0)] if sleeps else [])


class Receiving(Polled):
    """A driver that notes how long it receives for; the results are `arrives`."""

    def __init__(self, *arrives: bool) -> None:
        super().__init__(True)
        self._mailboxes.clear()
        self.arrives = [*arrives]
        self.calls: list[float | None] = []

    def _recv(self, session: Session, left: float | None) -> bool:
        self.calls.append(left)
        return self.arrives.pop(0)


@pytest.mark.parametrize(("until", "left"), [(None, None), (200.0, 100.0), (100.0, 0.0)])
def test_a_thread_that_does_not_send_waits_in_one_call(until: float | None, left: float | None) -> None:
    session = Fake(Conn(None))
    session.is_sending = False
    driver = Receiving(False)
    driver._receive(session, until)  # type: ignore[arg-type]  # a fake
    assert (driver.calls, driver.waits) == ([left], [])


@pytest.mark.parametrize(("until", "soon"), [(None, 100.05), (200.0, 100.05), (100.01, 100.01)])
@pytest.mark.parametrize("arrived", [False, True])
def test_a_thread_that_also_sends_does_not_keep_the_connection_while_it_waits(
    until: float | None, soon: float, arrived: bool
) -> None:
    session = Fake(Conn(None))
    session.is_sending = True
    driver = Receiving(arrived, True)
    driver._receive(session, until)  # type: ignore[arg-type]  # a fake
    assert driver.calls == ([0] if arrived else [0, 0])
    assert driver.waits == ([] if arrived else [(POLLIN, soon)])


@pytest.mark.parametrize("sends", [False, True])
def test_nothing_is_received_from_a_lost_connection(sends: bool) -> None:
    session = Fake(Conn(None), is_lost=True)
    session.is_sending = sends
    driver = Receiving(True)
    driver._receive(session, None)  # type: ignore[arg-type]  # a fake
    assert (driver.calls, driver.waits) == ([], [])


def test_what_a_signal_handler_has_postponed_is_done_before_the_next_wait() -> None:
    """The wait may depend on it: it would last forever if the handler closes the pool."""
    driver = Driver(None, None)  # type: ignore[arg-type]  # nothing is opened
    event = LockEvent()
    done: list[str] = []

    def procedure() -> Procedure[str]:
        with driver.lock:  # a handler that comes here cannot have it
            driver.end(event.set)
            driver.end(lambda: done.append("closed"))
            assert not done
        yield Park(event, monotonic() + 10)
        assert event.is_set()
        assert done == ["closed"]
        return "result"

    assert driver.run(procedure()) == "result"


# -- asyncio


class AsyncBox:
    """A fake mailbox whose only message may arrive later."""

    def __init__(self) -> None:
        self.arrived: asyncio.Future[object] = asyncio.get_running_loop().create_future()

    async def receive(self) -> object:
        return await self.arrived


async def settled() -> None:
    """Let all tasks run until they wait."""
    for _ in range(20):
        await asyncio.sleep(0)


class Waiting:
    """A task in which the driver for asyncio waits for room; tests decide how the wait ends."""

    def __init__(self, patch: pytest.MonkeyPatch, *, reads: bool, until: float | None = None) -> None:
        self.flushed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.bell = asyncio.Event()
        self.box = AsyncBox()
        self.session = Fake(None)
        driver = _Driver(None, None)  # type: ignore[arg-type]  # nothing is opened
        driver._mailboxes[1] = self.box  # type: ignore[assignment]  # a fake
        patch.setattr(mint_asyncio, "flush", self._flush)
        wait = driver._wait_for_room(self.session, self.bell, reads, until)  # type: ignore[arg-type]  # a fake
        self.task = asyncio.ensure_future(wait)

    async def _flush(self, conn: object) -> None:
        assert conn is self.session.conn
        await asyncio.shield(self.flushed)

    async def is_over(self) -> bool:
        await settled()
        return self.task.done()


def run(scenario: Coroutine[object, object, None]) -> None:
    asyncio.run(scenario)


@pytest.mark.parametrize("reads", [False, True])
def test_asyncio_waits_until_something_was_written(monkeypatch: pytest.MonkeyPatch, reads: bool) -> None:
    async def scenario() -> None:
        waiting = Waiting(monkeypatch, reads=reads)
        assert not await waiting.is_over()
        waiting.flushed.set_result(None)
        assert await waiting.is_over()
        assert waiting.session.fed == []
        waiting.task.result()

    run(scenario())


def test_asyncio_passes_on_a_message_that_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        waiting = Waiting(monkeypatch, reads=True)
        waiting.bell.set()
        assert not await waiting.is_over()
        waiting.box.arrived.set_result("message")
        assert await waiting.is_over()
        assert waiting.session.fed == ["message"]
        waiting.task.result()

    run(scenario())


def test_asyncio_receives_no_message_while_another_task_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        waiting = Waiting(monkeypatch, reads=False)
        waiting.box.arrived.set_result("message")
        assert not await waiting.is_over()
        waiting.bell.set()
        assert await waiting.is_over()
        assert waiting.session.fed == []
        waiting.task.result()

    run(scenario())


@pytest.mark.parametrize("reads", [False, True])
@pytest.mark.parametrize("early", [0.0, 1.0])
def test_asyncio_does_not_wait_after_the_deadline(
    monkeypatch: pytest.MonkeyPatch, reads: bool, early: float
) -> None:
    async def scenario() -> None:
        waiting = Waiting(monkeypatch, reads=reads, until=asyncio.get_running_loop().time() - early)
        assert await waiting.is_over()
        waiting.task.result()

    run(scenario())


def test_asyncio_waits_for_the_reader_if_the_link_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        waiting = Waiting(monkeypatch, reads=False)
        waiting.flushed.set_exception(TransportClosed())
        assert not await waiting.is_over()
        waiting.bell.set()
        assert await waiting.is_over()
        waiting.task.result()
        for lost, reads in ((True, False), (False, True)):
            waiting = Waiting(monkeypatch, reads=reads)
            waiting.session.is_lost = lost
            waiting.flushed.set_exception(TransportClosed())
            assert await waiting.is_over()
            waiting.task.result()

    run(scenario())


def test_asyncio_waits_for_nothing_on_a_connection_without_a_mailbox() -> None:
    async def scenario() -> None:
        driver = _Driver(None, None)  # type: ignore[arg-type]  # nothing is opened
        session = Fake(None)
        await driver._wait_for_room(session, asyncio.Event(), False, None)  # type: ignore[arg-type]  # a fake
        assert not await driver._receive(session, None)  # type: ignore[arg-type]  # a fake

    run(scenario())
