"""What waits to be written through tunnels of one connection: `flush`, and requests with `flush=False`."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

import mint
import mint.asyncio
from mint import errors
from mint._loops.shared import TunnelLink
from mint.testing import Forever, Reset, ScriptedServer, Set, Step, Wait, http2
from mint.testing.frames import data, headers, rst_stream, window_update

from ..event_loops import PAGE, fed
from .test_tunnels import KINDS, Kind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

MUCH = 12 * 1_048_576
TCP = mint.TCPOptions(send_buffer=131_072, high_water=2 * MUCH)
OPEN = ((":status", "200"),)
SAID = http2.ExpectFrame(http2.FrameType.DATA, 1)
REFUSAL = b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n"
UNTIL_END = b"HTTP/1.1 413 Too Large\r\n\r\nno"


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


def opened(*then: Step) -> list[Step]:
    """Return the steps of a proxy that opens one tunnel, with windows for everything."""
    return [
        *http2.handshake((http2.Setting.INITIAL_WINDOW_SIZE, 2 * MUCH)),
        http2.send(window_update(0, 2 * MUCH)),
        *(http2.ExpectHeaders(1), http2.send(headers(1, OPEN)), *then),
    ]


def silent(begin: threading.Event, done: threading.Event) -> list[Step]:
    """Return the steps of a proxy that reads a request of `MUCH` octets later, and says nothing about it."""
    return opened(SAID, Wait(begin), *[SAID] * (MUCH // 16_384), Set(done), Forever())


async def through(kind: Kind, server: ScriptedServer) -> Any:  # the Tunnels of either module
    conn = await kind.module.connect("http", server.address, server.port, protocols=("http2",), tcp=TCP)
    return kind.module.Tunnels(conn)


def uploading(conn: mint.Connection) -> mint.Connection:
    """Queue a request that is larger than what the system accepts at once."""
    conn, ref = conn.request("POST", "/", [("content-length", str(MUCH))], mint.STREAM)
    return conn.stream_request_body(ref, bytes(MUCH))


@pytest.mark.parametrize("of", ["tunnel", "proxy"])
def test_flush_ends_when_the_system_has_accepted_everything(kind: Kind, of: str) -> None:
    """No message from the proxy says so: only the socket does."""
    begin, done = threading.Event(), threading.Event()

    async def main(server: ScriptedServer) -> None:
        with await through(kind, server) as tunnels, kind.module.Mailbox() as mailbox:
            conn = await tunnels.connect("http", "one.example", 80, protocols=("http1",), mailbox=mailbox)
            conn = uploading(conn)
            assert tunnels.wire.unsent
            begin.set()
            await kind.module.flush(conn if of == "tunnel" else tunnels.connection)
            assert not tunnels.wire.unsent
            assert done.wait(10)

    with ScriptedServer(silent(begin, done)) as server:
        kind.run(main(server))


ENDS: dict[str, list[Step]] = {
    "refused": [http2.send(data(1, REFUSAL, end=True), rst_stream(1, 0))],
    "refused until the end": [http2.send(data(1, UNTIL_END, end=True), rst_stream(1, 0))],
    "reset": [http2.send(rst_stream(1, 8))],
    "lost": [Reset()],
}


TOLD: dict[str, list[type[mint.Response]]] = {
    "refused": [mint.Status, mint.Headers, mint.Done],
    "refused until the end": [mint.Status, mint.Headers, mint.Data, mint.Done],
}


@pytest.mark.parametrize("end", ENDS)
def test_flush_ends_when_nothing_more_can_leave(kind: Kind, end: str) -> None:
    """The proxy reads nothing more, so that the socket never becomes writable."""
    begin = threading.Event()

    async def main(server: ScriptedServer) -> None:
        got: list[mint.Response] = []
        with await through(kind, server) as tunnels, kind.module.Mailbox() as mailbox:
            conn = await tunnels.connect("http", "one.example", 80, protocols=("http1",), mailbox=mailbox)
            conn = uploading(conn)
            assert tunnels.wire.unsent
            begin.set()
            with pytest.raises(errors.TransportClosed) as caught:
                await kind.module.flush(conn)
            conn = conn.after(caught.value)
            try:
                while conn.open_request_count:
                    conn, responses = fed(conn, await mailbox.receive())
                    got += responses
            except mint.MintError as error:
                got += error.responses
        assert [type(each) for each in got] == TOLD.get(end, [mint.RequestFailed])

    with ScriptedServer(opened(SAID, Wait(begin), *ENDS[end], Forever())) as server:
        kind.run(main(server))


def test_flush_returns_when_something_must_be_received_first(kind: Kind) -> None:
    """RFC 9112 9.2: what arrives before the first request cannot be a response to it."""
    begin = threading.Event()

    async def main(server: ScriptedServer) -> None:
        with await through(kind, server) as tunnels, kind.module.Mailbox() as mailbox:
            conn = await tunnels.connect("http", "one.example", 80, protocols=("http1",))
            link = conn.transport
            conn, _ = conn.request("GET", "/", flush=False)
            begin.set()
            while link.look() is None:
                await tunnels._reader.changed(None, "receiving")
            await kind.module.flush(conn)
            assert link.unsent
            conn = conn.set_mode("active", mailbox)
            with pytest.raises(errors.UnexpectedData):
                fed(conn, await mailbox.receive())

    with ScriptedServer(opened(Wait(begin), http2.send(data(1, REFUSAL)), Forever())) as server:
        kind.run(main(server))


@pytest.mark.parametrize("flushed", [False, True])
def test_a_first_request_that_was_only_queued_is_written(kind: Kind, flushed: bool) -> None:
    """By `flush`, or while a mailbox waits."""

    async def main(server: ScriptedServer) -> None:
        with await through(kind, server) as tunnels, kind.module.Mailbox() as mailbox:
            conn = await tunnels.connect("http", "one.example", 80, protocols=("http1",), mailbox=mailbox)
            conn, _ = conn.request("GET", "/", flush=False)
            if flushed:
                await kind.module.flush(conn)
            done = False
            while not done:
                conn, responses = fed(conn, await mailbox.receive())
                done = any(isinstance(each, mint.Done) for each in responses)

    with ScriptedServer(opened(SAID, http2.send(data(1, PAGE)), Forever())) as server:
        kind.run(main(server))


@pytest.mark.parametrize("how", ["flush", "recv", "request", "look", "mailbox"])
def test_a_first_request_that_was_only_queued_is_written_by_blocking_calls(how: str) -> None:
    with (
        ScriptedServer(opened(SAID, http2.send(data(1, PAGE)), Forever())) as server,
        mint.Mailbox() as mailbox,
    ):
        proxy = mint.http2.connect("http", server.address, server.port)
        with mint.Tunnels(proxy) as tunnels:
            conn: mint.Connection = tunnels.connect("http", "one.example", 80, protocols=("http1",))
            conn, _ = conn.request("GET", "/", flush=False)
            if how == "flush":
                conn = conn.flush(timeout=10)
            elif how == "request":
                conn, _ = conn.request("GET", "/")
            elif how == "look":
                assert conn.transport.look() is None
            elif how == "mailbox":
                tunnels.set_mode("active", mailbox)
                conn = conn.set_mode("active", mailbox)
            done = False
            while not done:
                if how == "mailbox":
                    message = mailbox.receive(10)
                    if tunnels.stream(message) is not mint.UNKNOWN:
                        continue
                    conn, responses = fed(conn, message)
                else:
                    conn, responses = conn.recv(timeout=10)
                done = any(isinstance(each, mint.Done) for each in responses)


@pytest.mark.parametrize("reader", ["none", "thread", "mailbox"])
def test_a_blocking_flush_waits_for_the_system(reader: str) -> None:
    """Nothing else would write the rest: the program may do something else from now on."""
    begin, done = threading.Event(), threading.Event()
    with ScriptedServer(silent(begin, done)) as server, mint.Mailbox() as mailbox:
        proxy = mint.http2.connect("http", server.address, server.port, tcp=TCP)
        with mint.Tunnels(proxy) as tunnels:
            conn: mint.Connection = tunnels.connect("http", "one.example", 80, protocols=("http1",))
            if reader == "mailbox":
                tunnels.set_mode("active", mailbox)
            conn = uploading(conn)

            def wait() -> None:
                while not done.is_set():
                    tunnels.wait(None, "receiving", done.is_set)

            waiting = threading.Thread(target=wait)
            if reader == "thread":
                waiting.start()
            assert tunnels.wire.unsent
            for limit in (0, 0.01):
                with pytest.raises(errors.TransportTimeout) as caught:  # the proxy reads nothing yet
                    conn.flush(timeout=limit)
                conn = conn.after(caught.value)
            begin.set()
            conn = conn.flush(timeout=10)
            assert not tunnels.wire.unsent
            assert done.wait(10)
        if reader == "thread":
            waiting.join(10)
            assert not waiting.is_alive()


def test_a_mailbox_that_cannot_be_used_leaves_no_tunnel_behind(kind: Kind) -> None:
    class Closing(kind.module.Mailbox):  # type: ignore[name-defined, misc]  # of either module
        """A mailbox that is closed while the connection is made."""

        def admit(self, transport: mint.types.Transport) -> None:
            super().admit(transport)
            self.close()

    async def main(server: ScriptedServer) -> None:
        with await through(kind, server) as tunnels, mint.Mailbox() as blocking:
            closed = kind.module.Mailbox()
            closed.close()
            for mailbox, expected in (
                (5, TypeError),
                (blocking, TypeError),
                (closed, errors.MailboxClosed),
                (Closing(), errors.MailboxClosed),
            ):
                with pytest.raises(expected):
                    await tunnels.connect("http", "one.example", 80, mailbox=mailbox)
                assert not tunnels.connection.open_request_count

    cancelled = http2.ExpectFrame(http2.FrameType.RST_STREAM, 1)
    with ScriptedServer(opened(SAID, cancelled, Forever())) as server:
        kind.run(main(server))


def through_one_tunnel(use: Callable[[mint.Connection, mint.asyncio.Mailbox], Awaitable[None]]) -> None:
    """Call a function with a connection through a tunnel whose proxy says nothing more, in asyncio."""

    async def main(server: ScriptedServer) -> None:
        proxy = await mint.asyncio.connect("http", server.address, server.port, protocols=("http2",))
        assert isinstance(proxy, mint.HTTP2)
        with mint.asyncio.Tunnels(proxy) as tunnels, mint.asyncio.Mailbox() as mailbox:
            conn = await tunnels.connect("http", "one.example", 80, protocols=("http1",), mailbox=mailbox)
            await use(conn, mailbox)

    steps = [*http2.handshake(), http2.ExpectHeaders(1), http2.send(headers(1, OPEN)), Forever()]
    with ScriptedServer(steps) as server:
        KINDS["asyncio"].run(main(server))


def test_a_tunnel_that_waits_for_its_window_does_not_keep_the_loop_awake(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No socket reports a window: the mailbox of asyncio tries once, and again when the proxy opens it."""
    tries: list[TunnelLink] = []
    write = TunnelLink.write_waiting

    def noted(self: TunnelLink) -> None:
        tries.append(self)
        write(self)

    async def use(conn: mint.Connection, mailbox: mint.asyncio.Mailbox) -> None:
        monkeypatch.setattr(TunnelLink, "write_waiting", noted)
        conn, _ = conn.request("POST", "/", (), bytes(200_000), flush=False)
        for _ in range(50):
            await asyncio.sleep(0)
        assert conn.transport.unsent
        assert 1 <= len(tries) < 10
        conn.close()

    through_one_tunnel(use)


def test_a_failure_of_writing_later_is_reported_to_the_mailbox(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: TunnelLink) -> None:
        self.fail(errors.TransportReset())

    async def use(conn: mint.Connection, mailbox: mint.asyncio.Mailbox) -> None:
        monkeypatch.setattr(TunnelLink, "write_waiting", fail)
        conn, _ = conn.request("GET", "/", flush=False)
        message = await mailbox.receive()
        monkeypatch.undo()
        assert isinstance(message, mint.Broken)
        with pytest.raises(errors.TransportReset):
            conn.stream(message)

    through_one_tunnel(use)
