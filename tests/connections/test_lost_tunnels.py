"""An operation of one tunnel closes the shared connection: everyone who waits for another tunnel is told."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Any  # for the modules of different event loops

import pytest

import mint
import mint.asyncio
from mint import errors
from mint._connections import tunnels as tunnels_module
from mint._connections.failures import Settled
from mint._connections.tunnels_base import MOST_HELD
from mint._loops.asyncio_link import NextIteration
from mint._loops.shared import TunnelLink
from mint.testing import Forever, ScriptedServer, Step, Wait, http2
from mint.testing.frames import data, headers, ping, serialize, settings
from mint.transport import Memory

from ..loops.test_tunnels import KINDS, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OPEN = ((":status", "200"),)
HTTP1: tuple[mint.types.ProtocolName, ...] = ("http1",)


def opened() -> list[Step]:
    """Return the steps of a proxy that opens two tunnels, and then says nothing."""
    steps = [*http2.handshake()]
    for number in (1, 3):
        steps += [http2.ExpectHeaders(number), http2.send(headers(number, OPEN))]
    return [*steps, Forever()]


def fail(patch: pytest.MonkeyPatch, name: str) -> None:
    """Let one operation on a connection over HTTP/2 run out of memory after it has claimed the link."""
    original = getattr(mint.HTTP2, name)

    def failing(self: mint.HTTP2, *_: object, **__: object) -> None:
        patch.setattr(mint.HTTP2, name, original)
        with Settled(self.transport, self._generation):
            self.transport.claim(self._generation)
            raise MemoryError

    patch.setattr(mint.HTTP2, name, failing)


@contextlib.contextmanager
def two() -> Iterator[tuple[mint.Tunnels, mint.Connection, mint.Connection]]:
    """Open two tunnels in blocking code; the first waits for a response."""
    with ScriptedServer(opened()) as server:
        conn = mint.http2.connect("http", server.address, server.port)
        with mint.Tunnels(conn) as tunnels:
            one = tunnels.connect("http", "one.example", 80, protocols=HTTP1)
            other = tunnels.connect("http", "other.example", 80, protocols=HTTP1)
            yield tunnels, one.request("GET", "/")[0], other


def change(tunnels: mint.Tunnels, _: mint.Connection) -> None:
    with mint.Mailbox() as mailbox:
        tunnels.set_mode("active", mailbox)


OPERATIONS: dict[str, Callable[[mint.Tunnels, mint.Connection], object]] = {
    "request": lambda tunnels, _: tunnels.connect("http", "third.example", 80, protocols=HTTP1),
    "stream_request_body": lambda _, other: other.request("GET", "/"),
    "cancel_request": lambda _, other: other.close(),
    "close": lambda tunnels, _: tunnels.close(),
    "set_mode": change,
}
"""Operations on the connection to the proxy, and what calls them."""


class Waiting:
    """A thread that waits for the response of a tunnel."""

    def __init__(self, conn: mint.Connection, patch: pytest.MonkeyPatch) -> None:
        self.conn = conn
        self.told: Exception | None = None
        self.waits = threading.Event()
        ready = tunnels_module._ready

        def noted(*args: Any, **options: Any) -> bool:  # those of `_ready`
            self.waits.set()
            return ready(*args, **options)

        patch.setattr(tunnels_module, "_ready", noted)
        self.thread = threading.Thread(target=self._wait)
        self.thread.start()
        assert self.waits.wait(10)

    def _wait(self) -> None:
        try:
            self.conn.recv(timeout=10)
        except Exception as error:  # noqa: BLE001  # the test compares it
            self.told = error

    def end(self) -> Exception | None:
        """Return what ended the wait."""
        self.thread.join(20)
        assert not self.thread.is_alive()
        return self.told


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_thread_that_waits_is_told(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with two() as (tunnels, one, other):
        waiting = Waiting(one, monkeypatch)
        fail(monkeypatch, name)
        with pytest.raises(MemoryError):
            OPERATIONS[name](tunnels, other)
        assert isinstance(waiting.end(), errors.TransportClosed)
        assert not tunnels.connection.is_open("read")


@pytest.mark.parametrize("name", ["_notify", "_wake_reader"])
def test_a_change_of_the_mode_is_told_to_threads_after_an_exception(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def failing(self: mint.Tunnels) -> None:
        monkeypatch.setattr(mint.Tunnels, name, original)
        raise MemoryError

    original = getattr(mint.Tunnels, name)
    with two() as (tunnels, one, _), mint.Mailbox() as mailbox:
        waiting = Waiting(one, monkeypatch)
        monkeypatch.setattr(mint.Tunnels, name, failing)
        with pytest.raises(MemoryError):
            tunnels.set_mode("active", mailbox)
        assert "a mailbox receives for this tunnel" in str(waiting.end())
        assert tunnels.connection.is_open()


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_mailbox_that_is_used_later_reports_it(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with two() as (tunnels, one, other), mint.Mailbox() as mailbox:
        fail(monkeypatch, name)
        with pytest.raises(MemoryError):
            OPERATIONS[name](tunnels, other)
        tunnels.set_mode("active", mailbox)
        one = one.set_mode("active", mailbox)
        check_told(one, mailbox.receive(10))


@pytest.mark.parametrize("name", ["stream_request_body", "cancel_request", "close", "foreseen"])
def test_a_mailbox_that_waits_reports_it(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def look(_: mint.Tunnels, other: mint.Connection) -> None:
        other.transport.look()

    operations = {**OPERATIONS, "foreseen": look}
    with two() as (tunnels, one, other), mint.Mailbox() as mailbox:
        tunnels.set_mode("active", mailbox)
        one = one.set_mode("active", mailbox)
        fail(monkeypatch, name)
        with pytest.raises(MemoryError):
            operations[name](tunnels, other)
        check_told(one, mailbox.receive(10))


def check_told(one: mint.Connection, message: object) -> None:
    """Check that the message says that the tunnel is closed."""
    with pytest.raises(errors.TransportClosed) as caught:
        one.stream(message)
    assert not one.after(caught.value).is_open("read")


@pytest.mark.parametrize("name", ["request", "stream_request_body", "cancel_request", "close"])
@pytest.mark.parametrize("loop", KINDS)
def test_an_event_loop_reports_it(monkeypatch: pytest.MonkeyPatch, loop: str, name: str) -> None:
    kind: Kind = KINDS[loop]

    async def operate(tunnels: Any, other: mint.Connection) -> None:  # of either module
        if name == "request":
            await tunnels.connect("http", "third.example", 80, protocols=HTTP1)
        else:
            OPERATIONS[name](tunnels, other)

    async def main(server: ScriptedServer) -> None:
        proxy = await kind.module.connect("http", server.address, server.port, protocols=("http2",))
        with kind.module.Tunnels(proxy) as tunnels, kind.module.Mailbox() as mailbox:
            one = await tunnels.connect("http", "one.example", 80, protocols=HTTP1, mailbox=mailbox)
            other = await tunnels.connect("http", "other.example", 80, protocols=HTTP1)
            one, _ = one.request("GET", "/")
            fail(monkeypatch, name)
            with pytest.raises(MemoryError):
                await operate(tunnels, other)
            check_told(one, await mailbox.receive())

    with ScriptedServer(opened()) as server:
        kind.run(main(server))


def test_the_thread_that_waits_closes_its_descriptors_after_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing leaves them to it, because it polls them."""
    with two() as (tunnels, one, _):
        before = {each.fileno() for each in (tunnels._wake_receiver, tunnels._wake_sender)}
        assert -1 not in before
        waiting = Waiting(one, monkeypatch)
        tunnels.close()
        assert isinstance(waiting.end(), errors.TransportClosed)
        assert {each.fileno() for each in (tunnels._wake_receiver, tunnels._wake_sender)} == {-1}


def test_a_tunnel_that_was_closed_is_not_remembered_as_slow() -> None:
    link = Memory()
    options = mint.HTTP2Options(
        connection_window_size=2**30, client_settings=mint.ClientSettings(initial_window_size=2**30)
    )
    proxy = mint.http2.initiate(link, scheme="http", hostname="proxy.example", http2=options)
    with mint.Tunnels(proxy) as tunnels:
        link.put(settings().serialize() + headers(1, OPEN).serialize())
        conn = tunnels.connect("http", "one.example", 80, protocols=HTTP1)
        transport = conn.transport
        assert isinstance(transport, TunnelLink)
        assert not transport.full
        link.put(serialize([data(1, bytes(16_384))] * (MOST_HELD // 16_384 + 1)))
        tunnels.look()
        assert transport.full
        conn.close()
        assert not transport.full


def test_a_thread_that_waits_is_told_of_an_error_that_another_thread_got(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The error names the reason, and not only that the connection is closed."""
    original = mint.HTTP2.stream_request_body

    def failing(self: mint.HTTP2, *_: object, **__: object) -> mint.HTTP2:
        monkeypatch.setattr(mint.HTTP2, "stream_request_body", original)
        raise errors.Unreachable("the cable was cut").marked(successor=self.close())

    with two() as (_, one, other):
        waiting = Waiting(one, monkeypatch)
        monkeypatch.setattr(mint.HTTP2, "stream_request_body", failing)
        other, _ = other.request("GET", "/")  # receiving reports the error
        with pytest.raises(errors.TransportClosed):
            other.recv(timeout=10)
        told = waiting.end()
        assert isinstance(told, errors.TransportClosed)
        assert isinstance(told.__cause__, errors.Unreachable)


def test_an_exception_as_the_loop_begins_to_read_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The call that was interrupted does not count as one that the loop is going to make."""
    said = threading.Event()
    original = NextIteration.begun
    told: list[object] = []

    def interrupted(self: NextIteration) -> None:
        monkeypatch.setattr(NextIteration, "begun", original)
        raise MemoryError

    async def main(server: ScriptedServer) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: told.append(context["exception"]))
        proxy = await mint.asyncio.connect("http", server.address, server.port, protocols=("http2",))
        assert isinstance(proxy, mint.HTTP2)
        with mint.asyncio.Tunnels(proxy) as tunnels, mint.asyncio.Mailbox() as mailbox:
            one = await tunnels.connect("http", "one.example", 80, protocols=HTTP1, mailbox=mailbox)
            one, _ = one.request("GET", "/")
            await mint.asyncio.flush(one)
            monkeypatch.setattr(NextIteration, "begun", interrupted)
            said.set()
            check_told(one, await mailbox.receive())

    steps = [*http2.handshake(), http2.ExpectHeaders(1), http2.send(headers(1, OPEN))]
    with ScriptedServer([*steps, Wait(said), http2.send(ping()), Forever()]) as server:
        KINDS["asyncio"].run(main(server))
    assert [type(each) for each in told] == [MemoryError]
