"""mint in asyncio, over loopback sockets, with the event loops of asyncio and uvloop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import select
import socket
import threading
import warnings
from typing import TYPE_CHECKING, TypeVar

import pytest
import uvloop

import mint
import mint.asyncio
from mint import errors
from mint._loops import dialer
from mint._loops.asyncio_link import AsyncioLink
from mint.testing import (
    Expect,
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

from ..event_loops import PAGE, Loop, data, fed, fetch, no_socket_left

if TYPE_CHECKING:
    import ssl
    from collections.abc import Coroutine

    from mint._connect.race import Endpoint

_T = TypeVar("_T")


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Loop:
    return Loop(asyncio.SelectorEventLoop if request.param == "asyncio" else uvloop.new_event_loop)


# -- a connection


def test_http2_with_concurrent_requests(
    run: Loop, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    async def main(origin: Origin) -> None:
        mailbox = mint.asyncio.Mailbox()
        conn = await mint.asyncio.connect(
            "https",
            origin.address,
            origin.port,
            hostname="localhost",
            tls=mint.TLSOptions(context=client_tls),
            mailbox=mailbox,
        )
        assert conn.protocol == "http2"
        sizes = dict.fromkeys(range(20), 0)
        refs = {}
        for number in sizes:
            conn, ref = conn.request("GET", f"/bytes/{number * 1000}")
            refs[ref] = number
        while conn.open_request_count:
            conn, responses = fed(conn, await mailbox.receive())
            for response in responses:
                if isinstance(response, mint.Data):
                    sizes[refs[response.ref]] += len(response.data)
        assert sizes == {number: number * 1000 for number in sizes}
        conn.close()

    server_tls.set_alpn_protocols(["h2"])
    with no_socket_left(), Origin(showcase, tls=server_tls) as origin:
        run(main(origin))


def test_a_unix_socket(run: Loop) -> None:
    async def main(origin: Origin) -> None:
        mailbox = mint.asyncio.Mailbox()
        address = mint.UnixAddress(origin.address)
        conn = await mint.asyncio.connect("http", address, 0, hostname="here", mailbox=mailbox)
        conn, body = await fetch(conn, mailbox, "/")
        assert body.startswith(b"Hello")
        conn.close()

    with no_socket_left(), Origin(showcase, family=socket.AF_UNIX) as origin:
        run(main(origin))


def test_calls_that_would_block_say_what_to_do_instead(run: Loop) -> None:
    async def main(origin: Origin) -> None:
        conn = await mint.asyncio.connect("http", origin.address, origin.port)
        with pytest.raises(RuntimeError, match="Mailbox"):
            conn.recv()
        with pytest.raises(RuntimeError, match="await"):
            conn.flush()
        with mint.Mailbox() as other, pytest.raises(TypeError, match="event loop"):
            conn.set_mode("active", other)
        mailbox = mint.asyncio.Mailbox()
        conn = conn.set_mode("active", mailbox)
        conn, body = await fetch(conn, mailbox, "/")
        assert body.startswith(b"Hello")
        conn.close()

    with no_socket_left(), Origin(showcase) as origin:
        run(main(origin))


def test_a_connection_belongs_to_the_thread_of_its_loop(run: Loop) -> None:
    async def main(server: ScriptedServer) -> None:
        conn = await mint.asyncio.connect("http", server.address, server.port)
        with pytest.raises(RuntimeError, match="thread"):
            await asyncio.to_thread(conn.request, "GET", "/")
        conn, _ = conn.request("GET", "/")
        await asyncio.to_thread(conn.close)
        with pytest.raises(errors.TransportClosed):
            conn.request("GET", "/")

    with no_socket_left(), ScriptedServer([request(), Expect(b"")]) as server:
        run(main(server))


# -- the end of a connection


def test_flush_ends_if_the_transport_breaks(run: Loop) -> None:
    full = threading.Event()

    async def main(server: ScriptedServer) -> None:
        mailbox = mint.asyncio.Mailbox()
        conn = await mint.asyncio.connect("http", server.address, server.port, mailbox=mailbox)
        conn, ref = conn.request("POST", "/", body=bytes(50_000_000))
        flushing = asyncio.create_task(mint.asyncio.flush(conn))
        await asyncio.wait([flushing], timeout=0.05)
        full.set()
        with pytest.raises(errors.TransportClosed):
            await flushing
        message = await mailbox.receive()
        assert isinstance(message, mint.Broken)
        with pytest.raises(errors.TransportReset) as caught:
            conn.stream(message)
        assert [ref_of(each) for each in caught.value.responses] == [ref]

    with no_socket_left(), ScriptedServer([request(), Wait(full), Reset()]) as server:
        run(main(server))


def test_a_reset_does_not_complete_a_body_until_close(run: Loop) -> None:
    """Sending reports the reset first; after it, reading returns an end, which must not complete the body."""
    full = threading.Event()

    async def main(server: ScriptedServer) -> None:
        mailbox = mint.asyncio.Mailbox()
        conn = await mint.asyncio.connect("http", server.address, server.port, mailbox=mailbox)
        conn, ref = conn.request("POST", "/", body=bytes(50_000_000))
        conn, responses = fed(conn, await mailbox.receive())
        assert data(responses) == b"part"
        full.set()
        with contextlib.suppress(errors.TransportClosed):
            await mint.asyncio.flush(conn)
        with pytest.raises(errors.TransportError) as caught:
            conn.stream(await mailbox.receive())
        assert [ref_of(each) for each in caught.value.responses] == [ref]

    script = [request(), Send(b"HTTP/1.1 200 OK\r\n\r\npart"), Wait(full), Reset()]
    with no_socket_left(), ScriptedServer(script) as server:
        run(main(server))


def test_dropping_the_last_value_closes_the_socket(run: Loop) -> None:
    async def main(origin: Origin) -> None:
        conn = await mint.asyncio.connect("http", origin.address, origin.port)
        link = conn.transport
        assert isinstance(link, AsyncioLink)
        del conn, link
        gc.collect()
        for _ in range(3):
            await asyncio.sleep(0)

    with no_socket_left(), Origin(showcase) as origin:
        run(main(origin))


def test_a_connection_that_outlives_its_loop_can_be_closed() -> None:
    run = Loop(asyncio.SelectorEventLoop)  # uvloop closes open transports with the loop
    with no_socket_left(), Origin(showcase) as origin:
        conn = run(mint.asyncio.connect("http", origin.address, origin.port))
        conn.close()
        conn.close()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # asyncio warns about its open transport
            del conn
            gc.collect()


# -- back-pressure


def test_reading_pauses_while_nothing_is_received(run: Loop) -> None:
    async def main(origin: Origin) -> None:
        mailbox = mint.asyncio.Mailbox()
        conn = await mint.asyncio.connect("http", origin.address, origin.port, mailbox=mailbox)
        link = conn.transport
        assert isinstance(link, AsyncioLink)
        conn, _ = conn.request("GET", "/bytes/50000000")
        while link._registration.events:  # noqa: ASYNC110  # there is no event for a pause
            await asyncio.sleep(0.001)
        size = 0
        while conn.open_request_count:
            assert not link._held
            conn, responses = fed(conn, await mailbox.receive())
            size += len(data(responses))
        assert size == 50_000_000
        conn.close()

    with no_socket_left(), Origin(showcase) as origin:
        run(main(origin))


def test_with_a_slow_server_flush_waits_and_memory_is_bounded(run: Loop) -> None:
    go_on = threading.Event()
    pieces, size = 100, 100_000

    async def main(server: ScriptedServer) -> None:
        mailbox = mint.asyncio.Mailbox()
        conn = await mint.asyncio.connect("http", server.address, server.port, mailbox=mailbox)
        length = [("content-length", str(pieces * size))]
        conn, ref = conn.request("POST", "/", length, body=mint.STREAM)
        sent = 0
        waited = False
        for _ in range(pieces):
            conn = conn.stream_request_body(ref, bytes(size))
            sent += size
            try:
                async with asyncio.timeout(0.05):
                    await mint.asyncio.flush(conn)
            except TimeoutError:
                waited = True
                assert conn.transport.unsent <= size
                go_on.set()
                await mint.asyncio.flush(conn)
            assert conn.transport.unsent == 0
        assert waited
        conn = conn.stream_request_body(ref, mint.Eof())
        conn, responses = fed(conn, await mailbox.receive())
        assert isinstance(responses[-1], mint.Done)
        conn.close()

    script = [request(), Wait(go_on), ExpectCount(pieces * size), Send(PAGE)]
    with no_socket_left(), ScriptedServer(script) as server:
        run(main(server))


def test_requests_without_await_between_them_are_few_writes(run: Loop) -> None:
    writes = 0

    class Counting:
        def __init__(self, wire: socket.socket) -> None:
            self._wire = wire

        def __getattr__(self, name: str) -> object:
            nonlocal writes
            writes += name.startswith("send")
            return getattr(self._wire, name)

    async def main(origin: Origin) -> None:
        mailbox = mint.asyncio.Mailbox()
        conn = await mint.asyncio.connect("http", origin.address, origin.port, mailbox=mailbox)
        link = conn.transport
        assert isinstance(link, AsyncioLink)
        link._socket = Counting(link._socket)  # type: ignore[assignment]  # it behaves like a socket
        for _ in range(50):
            conn, _ = conn.request("GET", "/")
        while conn.open_request_count:
            conn, _ = fed(conn, await mailbox.receive())
        conn.close()

    with no_socket_left(), Origin(showcase) as origin:
        run(main(origin))
    assert writes == 2


# -- the mailbox


def test_any_thread_can_post(run: Loop) -> None:
    async def main() -> None:
        mailbox = mint.asyncio.Mailbox()
        mailbox.post(None)
        assert await mailbox.receive() is None
        threading.Timer(0.02, mailbox.post, ["from afar"]).start()
        assert await mailbox.receive() == "from afar"

    run(main())


def test_iteration_and_close(run: Loop) -> None:
    async def main() -> None:
        mailbox = mint.asyncio.Mailbox()

        async def collect() -> list[object]:
            return [message async for message in mailbox]

        tasks = [asyncio.create_task(collect()) for _ in range(3)]
        for number in range(6):
            mailbox.post(number)
            await asyncio.sleep(0)
        mailbox.close()
        mailbox.close()
        found = await asyncio.gather(*tasks)
        assert {number for numbers in found for number in numbers} == set(range(6))
        with pytest.raises(errors.MailboxClosed):
            await mailbox.receive()
        with pytest.raises(errors.MailboxClosed):
            mailbox.post("late")
        link = Memory()
        conn = mint.http1.initiate(link, scheme="http", hostname="a")
        with pytest.raises(errors.MailboxClosed):
            conn.set_mode("active", mailbox)

    run(main())


def test_a_connection_keeps_its_messages_when_it_moves(run: Loop) -> None:
    async def main(origin: Origin) -> None:
        first, second = mint.asyncio.Mailbox(), mint.asyncio.Mailbox()
        conn = await mint.asyncio.connect("http", origin.address, origin.port, mailbox=first)
        conn, _ = conn.request("GET", "/")
        assert conn.socket is not None
        while not select.select([conn.socket], [], [], 0)[0]:  # noqa: ASYNC110  # it must not be read before the move
            await asyncio.sleep(0.001)
        conn = conn.move_to(second)
        conn, responses = fed(conn, await second.receive())
        assert isinstance(responses[-1], mint.Done)
        conn, _ = conn.request("GET", "/")
        message = await second.receive()
        conn = conn.move_to(first)
        conn, responses = fed(conn, message)
        assert isinstance(responses[-1], mint.Done)
        conn, body = await fetch(conn, first, "/")
        assert body.startswith(b"Hello")
        conn.close()

    with no_socket_left(), Origin(showcase) as origin:
        run(main(origin))


def test_cancelling_a_receive_loses_no_message(run: Loop) -> None:
    async def main() -> None:
        mailbox = mint.asyncio.Mailbox()
        for number in range(50):
            first = asyncio.create_task(mailbox.receive())
            second = asyncio.create_task(mailbox.receive())
            await asyncio.sleep(0)
            if number % 2:
                mailbox.post(number)
                first.cancel()
            else:
                first.cancel()
                mailbox.post(number)
            assert await second == number
            assert first.cancelled() or (await asyncio.wait([first]) and first.cancelled())

    run(main())


def test_an_in_memory_link_can_be_watched(run: Loop) -> None:
    async def main() -> None:
        mailbox = mint.asyncio.Mailbox()
        link = Memory()
        conn: mint.Connection = mint.http1.initiate(link, scheme="http", hostname="a", mailbox=mailbox)
        conn, _ = conn.request("GET", "/")
        link.put(PAGE)
        conn, responses = fed(conn, await mailbox.receive())
        assert isinstance(responses[-1], mint.Done)

    run(main())


def test_many_connections_in_one_mailbox(run: Loop) -> None:
    async def main(origin: Origin) -> None:
        mailbox = mint.asyncio.Mailbox()
        conns: dict[object, tuple[mint.Connection, int]] = {}

        async def begin(number: int) -> None:
            conn = await mint.asyncio.connect("http", origin.address, origin.port, mailbox=mailbox)
            conn, _ = conn.request("GET", f"/bytes/{number * 100}")
            conns[conn.source] = conn, 0

        await asyncio.gather(*(begin(number) for number in range(50)))
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
        run(main(origin))


# -- cancellation


async def cancelled_after(work: Coroutine[object, object, _T], turns: int) -> _T | None:
    """Cancel after a number of loop iterations; return the result if it was done before."""
    task = asyncio.create_task(work)
    for _ in range(turns):
        await asyncio.sleep(0)
        if task.done():
            return task.result()
    task.cancel()
    try:
        return await task
    except asyncio.CancelledError:
        return None


@pytest.mark.parametrize("secure", [False, True])
def test_cancelling_connect_at_any_iteration_leaves_no_socket(
    run: Loop,
    server_tls: ssl.SSLContext,
    client_tls: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
    *,
    secure: bool,
) -> None:
    async def main(origin: Origin, turns: int) -> bool:
        conn = await cancelled_after(
            mint.asyncio.connect(
                "https" if secure else "http",
                "localhost",
                origin.port,
                tls=mint.TLSOptions(context=client_tls),
            ),
            turns,
        )
        if conn is None:
            return False
        conn.close()
        return True

    made: list[socket.socket] = []
    original = dialer.open_socket

    def recorded(endpoint: Endpoint, tcp: mint.TCPOptions) -> socket.socket:
        made.append(original(endpoint, tcp))
        return made[-1]

    monkeypatch.setattr(dialer, "open_socket", recorded)
    with no_socket_left(), Origin(showcase, tls=server_tls if secure else None) as origin:
        turns = done = 0
        while done < 3:
            done += run(main(origin, turns))
            assert all(each.fileno() == -1 for each in made)
            turns += 1 if turns < 30 else turns // 4
        assert turns > 3
    assert made
