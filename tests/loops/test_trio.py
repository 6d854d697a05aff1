"""mint in trio, over loopback sockets."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing

import mint
import mint.trio
from mint import errors
from mint._loops import dialer
from mint.testing import (
    Drain,
    ExpectCount,
    Origin,
    Reset,
    ScriptedServer,
    Send,
    Wait,
    request,
    showcase,
)
from mint.transport import Memory
from tests.refs import ref_of

from ..event_loops import PAGE, PATIENCE, data, fed, no_socket_left
from ..event_loops import run_trio as run

if TYPE_CHECKING:
    import socket
    import ssl

    from mint._connect.race import Endpoint


# -- a connection


def test_calls_that_would_block_say_what_to_do_instead() -> None:
    async def main(origin: Origin) -> None:
        conn = await mint.trio.connect("http", origin.address, origin.port)
        with pytest.raises(RuntimeError, match="Mailbox"):
            conn.recv()
        with pytest.raises(RuntimeError, match="await"):
            conn.flush()
        with mint.Mailbox() as other, pytest.raises(TypeError, match="event loop"):
            conn.set_mode("active", other)
        with pytest.raises(RuntimeError, match="thread"):
            await trio.to_thread.run_sync(conn.request, "GET", "/")
        blocking = mint.connect("http", origin.address, origin.port)
        with pytest.raises(TypeError, match="event loop"):
            await mint.trio.flush(blocking)
        blocking.close()
        await trio.to_thread.run_sync(conn.close)
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(errors.TransportClosed):
            conn.request("GET", "/")

    with no_socket_left(), Origin(showcase) as origin:
        run(main, origin)


def test_unknown_names_and_timeouts() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise OSError(-2, "Name or service not known")

    def slow(host: str, port: int) -> list[str]:
        late.wait(PATIENCE)
        return []

    async def main() -> None:
        with pytest.raises(errors.TransportError):
            await mint.trio.connect("http", "nowhere.test", 80, resolver=unknown)
        with pytest.raises(TimeoutError):
            await mint.trio.connect(
                "http", "slow.test", 80, resolver=slow, tcp=mint.TCPOptions(connect_timeout=0.02)
            )

    late = threading.Event()
    run(main)
    late.set()


# -- the end of a connection


def test_flush_ends_if_the_transport_breaks() -> None:
    full = threading.Event()

    async def main(server: ScriptedServer) -> None:
        with mint.trio.Mailbox() as mailbox:
            conn = await mint.trio.connect("http", server.address, server.port, mailbox=mailbox)
            conn, ref = conn.request("POST", "/", body=bytes(50_000_000))
            with trio.move_on_after(0.05):
                await mint.trio.flush(conn)
            full.set()
            with pytest.raises(errors.TransportClosed):
                await mint.trio.flush(conn)
            message = await mailbox.receive()
            assert isinstance(message, mint.Broken)
            with pytest.raises(errors.TransportError) as caught:
                conn.stream(message)
            assert [ref_of(each) for each in caught.value.responses] == [ref]

    with no_socket_left(), ScriptedServer([request(), Wait(full), Reset()]) as server:
        run(main, server)


def test_closing_ends_a_flush() -> None:
    async def main(server: ScriptedServer) -> None:
        conn = await mint.trio.connect("http", server.address, server.port)
        conn, _ = conn.request("POST", "/", body=bytes(50_000_000))

        async def flush() -> None:
            with pytest.raises(errors.TransportClosed):
                await mint.trio.flush(conn)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(flush)
            nursery.start_soon(flush)
            await trio.testing.wait_all_tasks_blocked()
            conn.close()

    closed = threading.Event()
    with no_socket_left(), ScriptedServer([request(), Wait(closed)]) as server:
        run(main, server)
        closed.set()


def test_a_connection_that_outlives_trio_can_be_closed() -> None:
    with no_socket_left(), Origin(showcase) as origin:
        conn = run(mint.trio.connect, "http", origin.address, origin.port)
        conn.close()
        conn.close()


# -- back-pressure


def test_with_a_slow_server_flush_waits_and_memory_is_bounded() -> None:
    go_on = threading.Event()
    pieces, size = 100, 100_000

    async def main(server: ScriptedServer) -> None:
        with mint.trio.Mailbox() as mailbox:
            conn = await mint.trio.connect("http", server.address, server.port, mailbox=mailbox)
            length = [("content-length", str(pieces * size))]
            conn, ref = conn.request("POST", "/", length, body=mint.STREAM)
            waited = False
            for _ in range(pieces):
                conn = conn.stream_request_body(ref, bytes(size))
                with trio.move_on_after(0.05) as scope:
                    await mint.trio.flush(conn)
                if scope.cancelled_caught:
                    waited = True
                    assert conn.transport.unsent <= size
                    go_on.set()
                    await mint.trio.flush(conn)
                assert conn.transport.unsent == 0
            assert waited
            conn = conn.stream_request_body(ref, mint.Eof())
            conn, responses = fed(conn, await mailbox.receive())
            assert isinstance(responses[-1], mint.Done)
            conn.close()

    script = [request(), Wait(go_on), ExpectCount(pieces * size), Send(PAGE)]
    with no_socket_left(), ScriptedServer(script) as server:
        run(main, server)


def test_a_large_body_is_written_while_the_mailbox_waits() -> None:
    go_on = threading.Event()

    async def main(server: ScriptedServer) -> None:
        with mint.trio.Mailbox() as mailbox:
            conn = await mint.trio.connect("http", server.address, server.port, mailbox=mailbox)
            conn, _ = conn.request("POST", "/", body=bytes(20_000_000))
            assert conn.transport.unsent
            go_on.set()
            conn, responses = fed(conn, await mailbox.receive())
            assert isinstance(responses[-1], mint.Done)
            conn.close()

    script = [request(), Wait(go_on), ExpectCount(20_000_000), Send(PAGE)]
    with no_socket_left(), ScriptedServer(script) as server:
        run(main, server)


# -- the mailbox


def test_any_thread_can_post() -> None:
    async def main() -> None:
        with mint.trio.Mailbox() as mailbox:
            mailbox.post(None)
            assert await mailbox.receive() is None
            threading.Timer(0.02, mailbox.post, ["from afar"]).start()
            assert await mailbox.receive() == "from afar"
            async with trio.open_nursery() as nursery:
                nursery.start_soon(partial(expect, mailbox, "from near"))
                await trio.testing.wait_all_tasks_blocked()
                mailbox.post("from near")

    async def expect(mailbox: mint.trio.Mailbox, wanted: str) -> None:
        assert await mailbox.receive() == wanted

    with no_socket_left():
        run(main)


def test_iteration_and_close() -> None:
    found: list[object] = []

    async def main() -> None:
        mailbox = mint.trio.Mailbox()

        async def collect() -> None:
            async for message in mailbox:
                found.append(message)  # noqa: PERF401  # recorded as they arrive

        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(collect)
            for number in range(6):
                mailbox.post(number)
                await trio.testing.wait_all_tasks_blocked()
            mailbox.close()
            mailbox.close()
        assert set(found) == set(range(6))
        with pytest.raises(errors.MailboxClosed):
            await mailbox.receive()
        with pytest.raises(errors.MailboxClosed):
            mailbox.post("late")

    with no_socket_left():
        run(main)


def test_cancelling_a_receive_loses_no_message() -> None:
    async def main() -> None:
        with mint.trio.Mailbox() as mailbox:
            for number in range(50):
                scope = trio.CancelScope()
                got: list[object] = []

                async def take(scope: trio.CancelScope, got: list[object]) -> None:
                    with scope:
                        got.append(await mailbox.receive())

                async with trio.open_nursery() as nursery:
                    nursery.start_soon(take, scope, got)
                    nursery.start_soon(take, trio.CancelScope(), got)
                    await trio.testing.wait_all_tasks_blocked()
                    if number % 2:
                        mailbox.post(number)
                        scope.cancel()
                    else:
                        scope.cancel()
                        mailbox.post(number)
                    await trio.testing.wait_all_tasks_blocked()
                    nursery.cancel_scope.cancel()
                assert got == [number]

    with no_socket_left():
        run(main)


def test_an_in_memory_link_can_be_watched() -> None:
    async def main() -> None:
        with mint.trio.Mailbox() as mailbox:
            link = Memory()
            conn: mint.Connection = mint.http1.initiate(link, scheme="http", hostname="a", mailbox=mailbox)
            conn, _ = conn.request("GET", "/")
            async with trio.open_nursery() as nursery:
                nursery.start_soon(finish, conn, mailbox)
                await trio.testing.wait_all_tasks_blocked()
                link.put(PAGE)

    async def finish(conn: mint.Connection, mailbox: mint.trio.Mailbox) -> None:
        _, responses = fed(conn, await mailbox.receive())
        assert isinstance(responses[-1], mint.Done)

    run(main)


def test_many_connections_in_one_mailbox() -> None:
    async def main(origin: Origin) -> None:
        conns: dict[object, tuple[mint.Connection, int]] = {}

        async def begin(number: int) -> None:
            conn = await mint.trio.connect("http", origin.address, origin.port, mailbox=mailbox)
            conn, _ = conn.request("GET", f"/bytes/{number * 100}")
            conns[conn.source] = conn, 0

        with mint.trio.Mailbox() as mailbox:
            async with trio.open_nursery() as nursery:
                for number in range(50):
                    nursery.start_soon(begin, number)
            sizes = []
            while conns:
                message = await mailbox.receive()
                assert isinstance(message, mint.Received)
                conn, size = conns.pop(message.source)
                conn, responses = fed(conn, message)
                size += len(data(responses))
                if conn.open_request_count:
                    conns[conn.source] = conn, size
                else:
                    sizes.append(size)
                    conn.close()
            assert sorted(sizes) == [number * 100 for number in range(50)]

    with no_socket_left(), Origin(showcase) as origin:
        run(main, origin)


# -- cancellation


class CancelAtCheckpoint(trio.abc.Instrument):
    """Cancels a scope before the n-th step of its task."""

    def __init__(self, number: int) -> None:
        self.left = number
        self.scope = trio.CancelScope()
        self.armed = False

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        if self.armed:
            self.left -= 1
            if self.left == 0:
                self.scope.cancel()


@pytest.mark.parametrize("secure", [False, True])
def test_cancelling_connect_at_any_checkpoint_leaves_no_socket(
    server_tls: ssl.SSLContext,
    client_tls: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
    *,
    secure: bool,
) -> None:
    made: list[socket.socket] = []
    original = dialer.open_socket

    def recorded(endpoint: Endpoint, tcp: mint.TCPOptions) -> socket.socket:
        made.append(original(endpoint, tcp))
        return made[-1]

    async def main(origin: Origin, number: int) -> bool:
        instrument = CancelAtCheckpoint(number)
        trio.lowlevel.add_instrument(instrument)
        conn = None
        with instrument.scope:
            instrument.armed = True
            conn = await mint.trio.connect(
                "https" if secure else "http",
                "localhost",
                origin.port,
                tls=mint.TLSOptions(context=client_tls),
            )
        if conn is not None:
            conn.close()
        return conn is not None

    monkeypatch.setattr(dialer, "open_socket", recorded)
    with no_socket_left(), Origin(showcase, tls=server_tls if secure else None) as origin:
        number = done = 0
        while done < 3:
            number += 1
            done += run(main, origin, number)
            assert all(each.fileno() == -1 for each in made)
        assert number > 3
    assert made


def test_a_handshake_without_a_response_can_be_cancelled_and_times_out(
    client_tls: ssl.SSLContext,
) -> None:
    async def main(server: ScriptedServer) -> None:
        with trio.move_on_after(0.05) as scope:
            await mint.trio.connect(
                "https", server.address, server.port, tls=mint.TLSOptions(context=client_tls)
            )
        assert scope.cancelled_caught
        with pytest.raises(errors.TransportTimeout):
            await mint.trio.connect(
                "https",
                server.address,
                server.port,
                tls=mint.TLSOptions(context=client_tls),
                tcp=mint.TCPOptions(connect_timeout=0.05),
            )

    with no_socket_left(), ScriptedServer([Drain()], [Drain()]) as server:
        run(main, server)


def test_two_peers_that_both_write_do_not_deadlock() -> None:
    """The server does not read before its own long response was received."""
    size = 3_000_000

    async def main(server: ScriptedServer) -> None:
        with mint.trio.Mailbox() as mailbox:
            tcp = mint.TCPOptions(receive_buffer=65_536, send_buffer=65_536)
            conn = await mint.trio.connect("http", server.address, server.port, mailbox=mailbox, tcp=tcp)
            conn, _ = conn.request("POST", "/", body=bytes(10_000_000))
            await mint.trio.flush(conn)
            received = 0
            while conn.open_request_count:
                conn, responses = fed(conn, await mailbox.receive())
                received += len(data(responses))
            assert received == size
            conn.close()

    answer = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size + bytes(size)
    with (
        no_socket_left(),
        ScriptedServer([request(), Send(answer), ExpectCount(10_000_000)]) as server,
    ):
        run(main, server)


@pytest.mark.parametrize("tasks", [0, 1, 2])
def test_a_closed_mailbox_is_released_by_the_last_task_that_receives(tasks: int) -> None:
    async def receive(mailbox: mint.trio.Mailbox) -> None:
        with pytest.raises(errors.MailboxClosed):
            await mailbox.receive()

    async def main() -> None:
        mailbox = mint.trio.Mailbox()
        async with trio.open_nursery() as nursery:
            for _ in range(tasks):
                nursery.start_soon(receive, mailbox)
            await trio.testing.wait_all_tasks_blocked()
            mailbox.close()
            assert (mailbox._selector.get_map() is not None) is (tasks > 0)
        assert mailbox._selector.get_map() is None

    run(main)
