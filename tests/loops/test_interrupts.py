"""A signal handler may raise anywhere: the connection stays usable, or it is closed and reports that.

The exception is raised before each instruction of mint's Python code during complete exchanges over HTTP/1 in
clear text. Other protocols, routes and event loops: tests/simulation/test_interrupts.py.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import threading
from typing import TYPE_CHECKING, NoReturn

import pytest

import mint
import mint.asyncio
import mint.exchange.asyncio
import mint.pool.asyncio
import mint.trio
from mint import TCPOptions, errors
from mint._loops.asyncio_connecting import within
from mint.testing import Drain, ScriptedServer, optional
from mint.transport import SocketLink

from ..bomb import Bomb, Interrupt
from ..event_loops import run_trio

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from mint.responses import Response

PAGE = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


class Exchange:
    """One request and its response over a pair of sockets, up to an interrupt."""

    def __init__(self, mailbox: mint.Mailbox | None = None) -> None:
        near, self.far = socket.socketpair()
        self.far.settimeout(10)
        self.link = SocketLink(near, TCPOptions())
        self.mailbox = mailbox
        self.conn: mint.Connection = mint.http1.initiate(
            self.link, scheme="http", hostname="example.org", mailbox=mailbox
        )
        self.asked = self.answered = False
        self.got: list[Response] = []
        self.message: object = None

    def run(self) -> None:
        """Continue from the current state."""
        if not self.asked:
            self.conn, _ = self.conn.request("GET", "/")
            self.asked = True
        if not self.answered:
            self.far.recv(1000)
            self.far.sendall(PAGE)
            self.answered = True
        while self.conn.open_request_count:
            if self.mailbox is None:
                self.conn, responses = self.conn.recv(timeout=5)
            else:
                if self.message is None:
                    self.message = self.mailbox.receive(timeout=5)
                taken = self.conn.stream(self.message)
                assert taken is not mint.UNKNOWN
                self.message = None
                self.conn, responses = taken
            self.got += responses

    def check(self) -> None:
        """Check that no lock is held, and that it continues or reports that it is closed."""
        assert not self.link._guard.held
        assert not self.link._wire.held
        try:
            self.run()
        except errors.TransportClosed as error:
            if self.conn.after(error).is_open("read"):
                raise
        else:
            assert any(isinstance(each, mint.Done) for each in self.got)
        self.conn.close()
        assert self.link.closed
        self.far.close()


@pytest.fixture
def mailbox() -> Iterator[mint.Mailbox]:
    with mint.Mailbox() as made:
        yield made


@pytest.mark.parametrize("active", [False, True], ids=["recv", "mailbox"])
def test_an_interrupt_at_any_instruction(active: bool, mailbox: mint.Mailbox) -> None:
    number, closed = 0, 0
    while True:
        number += 1
        exchange = Exchange(mailbox if active else None)
        bomb = Bomb(number)
        off = bomb.goes_off(exchange.run)
        try:
            exchange.check()
            if active:
                mailbox.post("still there")
                assert mailbox.receive(timeout=5) == "still there"
        except Exception as error:
            raise AssertionError(f"interrupted in {bomb.where}") from error
        closed += exchange.link.closed
        if not off:
            break
    assert number > 100


class Alarm(TimeoutError):  # noqa: N818  # it is not always an error
    """What programs raise in a handler of SIGALRM. It is an `OSError`, as the errors of sockets are."""


@pytest.mark.parametrize("active", [False, True], ids=["recv", "mailbox"])
def test_an_alarm_is_not_taken_for_an_error_of_the_system(active: bool) -> None:
    number = 0
    off = True
    while off:
        number += 1
        with mint.Mailbox() as mailbox:
            exchange = Exchange(mailbox if active else None)
            bomb = Bomb(number, everywhere=False, error=Alarm)
            off = bomb.goes_off(exchange.run)
            assert off is not bool(bomb.left), bomb.where
            exchange.conn.close()
            exchange.far.close()
    assert number > 20


@pytest.mark.parametrize("error", [Alarm, ConnectionError, OSError])
def test_an_alarm_while_recv_waits(error: type[OSError]) -> None:
    def ring(*_: object) -> None:
        raise error

    exchange = Exchange()
    conn, _ = exchange.conn.request("GET", "/")
    before = signal.signal(signal.SIGUSR1, ring)
    try:
        main = threading.main_thread().ident
        assert main is not None
        timer = threading.Timer(0.05, signal.pthread_kill, (main, signal.SIGUSR1))
        timer.start()
        with pytest.raises(error) as caught:
            conn.recv()
        timer.join()
        assert type(caught.value) is error
        with pytest.raises(errors.TransportClosed):
            conn.recv()
    finally:
        signal.signal(signal.SIGUSR1, before)
        exchange.far.close()


async def in_connect(server: ScriptedServer) -> None:
    async def ring() -> None:
        raise Alarm

    await within(ring(), 10.0, "waiting")


async def in_exchange(server: ScriptedServer) -> None:
    conn = await mint.asyncio.connect("http", server.address, server.port, protocols=["http1"])
    await mint.exchange.asyncio.exchange(conn, "GET", "/")


async def in_pool(server: ScriptedServer) -> None:
    async with mint.pool.asyncio.Pool() as pool:
        await pool.request("GET", f"http://{server.address}:{server.port}/")


@pytest.mark.parametrize("work", [in_connect, in_exchange, in_pool])
def test_an_alarm_is_not_taken_for_the_time_limit_of_a_task(
    work: Callable[[ScriptedServer], Coroutine[object, object, None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ring(_: object) -> NoReturn:
        raise Alarm

    monkeypatch.setattr(mint.asyncio.Mailbox, "receive", ring)
    with ScriptedServer(optional([Drain()])) as server, pytest.raises(Alarm):
        asyncio.run(work(server))


@pytest.mark.parametrize("posted", [False, True])
def test_an_interrupt_of_receive_loses_no_post(mailbox: mint.Mailbox, posted: bool) -> None:
    number = 0
    while True:
        number += 1
        if posted:
            mailbox.post(number)
        bomb = Bomb(number)

        def receive() -> None:
            try:
                found = mailbox.receive(timeout=0)
                assert found == number  # noqa: B023  # called at once
            except errors.TransportTimeout:
                assert not posted

        off = bomb.goes_off(receive)
        if off:
            if not posted:
                mailbox.post(number)
            assert mailbox.receive(timeout=1) == number, bomb.where
        else:
            break
    with pytest.raises(errors.TransportTimeout):
        mailbox.receive(timeout=0)


async def receive_in_a_loop(mailbox: mint.asyncio.Mailbox | mint.trio.Mailbox) -> None:
    number = 0
    while True:
        number += 1
        mailbox.post(number)
        bomb = Bomb(number)
        found: object = None
        sys.settrace(bomb)
        try:
            found = await mailbox.receive()
        except Interrupt:  # and no other exception in its place
            assert not bomb.left
        finally:
            sys.settrace(None)
        if bomb.left:
            assert found == number
            return
        assert await mailbox.receive() == number, bomb.where


def test_an_interrupt_of_receive_in_an_event_loop_loses_no_post() -> None:
    async def in_asyncio() -> None:
        await receive_in_a_loop(mint.asyncio.Mailbox())

    async def in_trio() -> None:
        with mint.trio.Mailbox() as mailbox:
            await receive_in_a_loop(mailbox)

    asyncio.run(in_asyncio())
    run_trio(in_trio)


def test_a_mailbox_can_be_closed_by_a_signal_handler_while_its_thread_waits() -> None:
    mailbox = mint.Mailbox()
    before = signal.signal(signal.SIGUSR1, lambda *_: mailbox.close())
    try:
        main = threading.main_thread().ident
        assert main is not None
        timer = threading.Timer(0.05, signal.pthread_kill, (main, signal.SIGUSR1))
        timer.start()
        with pytest.raises(errors.MailboxClosed):
            mailbox.receive(timeout=10)
        timer.join()
        mailbox.close()
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_a_connection_can_be_closed_by_a_signal_handler_while_its_thread_waits() -> None:
    exchange = Exchange()
    conn, _ = exchange.conn.request("GET", "/")
    before = signal.signal(signal.SIGUSR1, lambda *_: conn.close())
    try:
        main = threading.main_thread().ident
        assert main is not None
        timer = threading.Timer(0.05, signal.pthread_kill, (main, signal.SIGUSR1))
        timer.start()
        with pytest.raises(errors.TransportClosed):
            conn.recv(timeout=10)
        timer.join()
        assert exchange.link._socket.fileno() == -1
    finally:
        signal.signal(signal.SIGUSR1, before)
        exchange.far.close()


def test_receiving_in_a_signal_handler_that_interrupted_receive_is_refused() -> None:
    with mint.Mailbox() as mailbox:
        failures: list[Exception] = []

        def handler(*_: object) -> None:
            try:
                mailbox.receive(timeout=0)
            except RuntimeError as error:
                failures.append(error)
            mailbox.post("done")

        before = signal.signal(signal.SIGUSR1, handler)
        try:
            main = threading.main_thread().ident
            assert main is not None
            timer = threading.Timer(0.05, signal.pthread_kill, (main, signal.SIGUSR1))
            timer.start()
            assert mailbox.receive(timeout=10) == "done"
            timer.join()
            assert len(failures) == 1
        finally:
            signal.signal(signal.SIGUSR1, before)


# -- a connection that was closed by an exception of a signal handler reports that in its mailbox


def test_a_connection_that_an_interrupt_closes_has_a_message(mailbox: mint.Mailbox) -> None:
    """No wake-up is lost, whichever instruction of `request` or `stream` was interrupted."""
    failures = 0
    for step in ("request", "stream"):
        number = 0
        while True:
            number += 1
            exchange = Exchange(mailbox)
            conn: mint.Connection = exchange.conn
            bomb = Bomb(number)
            if step == "request":
                off = bomb.goes_off(lambda: conn.request("GET", "/"))  # noqa: B023  # called at once
            else:
                conn, _ = conn.request("GET", "/")
                exchange.far.sendall(PAGE)
                message = mailbox.receive(timeout=5)
                off = bomb.goes_off(lambda: conn.stream(message))  # noqa: B023  # as above
            if off and exchange.link.closed:
                failures += 1
                last = mailbox.receive(timeout=0)
                assert isinstance(last, mint.Broken), bomb.where
                with pytest.raises(errors.TransportClosed) as caught:
                    conn.stream(last)
                assert not conn.after(caught.value).is_open("read"), bomb.where
                with pytest.raises(errors.TransportTimeout):
                    mailbox.receive(timeout=0)
            conn.close()
            exchange.far.close()
            if not off:
                break
    assert failures > 40


def test_a_message_from_before_an_interrupt_can_be_fed(mailbox: mint.Mailbox) -> None:
    exchange = Exchange(mailbox)
    conn, _ = exchange.conn.request("GET", "/")
    exchange.far.sendall(PAGE)
    message = mailbox.receive(timeout=5)
    exchange.link.poison()  # like an interrupt of another operation
    taken = conn.stream(message)
    assert taken is not mint.UNKNOWN
    conn, responses = taken
    assert isinstance(responses[-1], mint.Done)
    with pytest.raises(errors.TransportClosed):
        conn.stream(mailbox.receive(timeout=0))
    conn.close()
    exchange.far.close()


def test_a_closed_connection_has_no_message_after_an_interrupt(mailbox: mint.Mailbox) -> None:
    exchange = Exchange(mailbox)
    exchange.link.poison()
    exchange.conn.close()
    with pytest.raises(errors.TransportTimeout):
        mailbox.receive(timeout=0)
    exchange.far.close()
