"""A signal handler may close connections and mailboxes of asyncio and trio, whatever their thread is doing.

Such a handler is installed with `signal.signal`; the event loops call theirs between two tasks.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import TYPE_CHECKING, Final

import pytest
import trio
import uvloop

import mint
import mint.asyncio
import mint.trio
from mint import errors
from mint.testing import Forever, Origin, Response, ScriptedServer

from ..bomb import Handler
from ..event_loops import PATIENCE, no_socket_left
from ..routes import HTTPProxy
from ..tls import server_context, trusting
from .test_closing_handlers import ONE_TUNNEL, signalled

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from mint.testing import Request

STEP: Final = 131
MUCH: Final = 30_000_000
"""More than the system takes of what the peer does not read."""
CLOSED: Final = "closed"
"""What the handler posts, because a connection that was closed delivers no further messages."""


LOOPS: Final = ("asyncio", "uvloop", "trio")


def run(loop: str, main: Callable[[], Coroutine[object, object, None]]) -> None:
    if loop == "trio":
        trio.run(main)
        return
    new = uvloop.new_event_loop if loop == "uvloop" else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=new) as runner:
        runner.run(main())


async def limited(loop: str, work: Coroutine[object, object, None]) -> None:
    if loop == "trio":
        with trio.fail_after(PATIENCE):
            await work
        return
    # If only the timer ends the wait of the loop, a task that was woken before still runs first.
    late: list[None] = []
    timer = asyncio.get_running_loop().call_later(PATIENCE, late.append, None)
    try:
        await asyncio.wait_for(work, PATIENCE)
    finally:
        await asyncio.sleep(0)
        timer.cancel()
        assert not late


class Exchanges:
    """Two requests on a connection; the handler closes something meanwhile."""

    def __init__(self, loop: str, what: str, number: int, origin: int, proxy: int) -> None:
        self.modules = mint.trio if loop == "trio" else mint.asyncio
        self.loop = loop
        self.what = what
        self.origin, self.proxy = origin, proxy
        self.handler = Handler(number, self.close)
        self.tls = trusting()
        self.done = 0
        """How many responses are complete."""

    def run(self) -> None:
        run(self.loop, self.main)

    async def main(self) -> None:
        self.mailbox = self.modules.Mailbox()
        self.conn = await self.connected()
        sys.settrace(self.handler)
        try:
            await limited(self.loop, self.exchange())
        finally:
            sys.settrace(None)
            self.conn.close()
            self.mailbox.close()
            if "tunnel" in self.what:
                self.other.close()
                self.tunnels.close()

    async def connected(self) -> mint.Connection:
        where = ("https", "127.0.0.1", self.origin)
        given = {"tls": self.tls, "mailbox": self.mailbox}
        if "tunnel" not in self.what:
            conn: mint.Connection = await self.modules.connect(*where, **given)
            return conn
        shared = await self.modules.connect(
            "https", "127.0.0.1", self.proxy, tls=self.tls, protocols=("http2",)
        )
        self.tunnels = self.modules.Tunnels(shared)
        self.other = await self.tunnels.connect(*where, **given)
        tunnel: mint.Connection = await self.tunnels.connect(*where, **given)
        return tunnel

    def close(self) -> None:
        """Be the signal handler."""
        match self.what:
            case "mailbox":
                self.mailbox.close()
                return
            case "another tunnel":
                self.other.close()
                return
            case "all tunnels":
                self.tunnels.close()
            case _:
                self.conn.close()
        with contextlib.suppress(errors.MailboxClosed):
            self.mailbox.post(CLOSED)

    async def exchange(self) -> None:
        for _ in range(2):
            self.conn, _ref = self.conn.request("GET", "/")
            while self.conn.open_request_count:
                message = await self.mailbox.receive()
                if message == CLOSED and self.conn.transport.closed:
                    return
                taken = self.conn.stream(message)
                if taken is not mint.UNKNOWN:
                    self.conn, responses = taken
                    self.done += sum(isinstance(each, mint.Done) for each in responses)


def serve(_: Request) -> Response:
    return Response(200, (), bytes(3_000))


EXPECTED: Final = (
    *(errors.TransportError, errors.Closed, errors.ClosedForWriting),
    *(errors.StaleConnectionError, errors.MailboxClosed, errors.ProxyFailed),
)
"""What the closed connection, and the closed mailbox, may raise."""

SCENARIOS: Final = ("connection", "mailbox", "this tunnel", "another tunnel", "all tunnels")


@pytest.mark.parametrize("what", SCENARIOS)
@pytest.mark.parametrize("loop", LOOPS)
def test_a_handler_closes_at_any_instruction(loop: str, what: str, caplog: pytest.LogCaptureFixture) -> None:
    def attempt(number: int, origin: int, proxy: int) -> bool:
        exchanges = Exchanges(loop, what, number, origin, proxy)
        try:
            if what == "another tunnel":
                exchanges.run()
                assert exchanges.done == 2
            else:
                with contextlib.suppress(*EXPECTED):
                    exchanges.run()
            assert [each.getMessage() for each in caplog.records] == []
        except Exception as error:
            raise AssertionError(f"instruction {number}, {exchanges.handler.where}") from error
        return not exchanges.handler.left

    alpn = ("h2", "http/1.1")
    with (
        no_socket_left(),
        Origin(serve, tls=server_context(alpn=alpn)) as origin,
        Origin(HTTPProxy(), tls=server_context(alpn=("h2",))) as proxy,
    ):
        number = 1
        while attempt(number, origin.port, proxy.port):
            number += STEP
    assert number > 1_000


@pytest.mark.parametrize("what", ["receive", "flush", "flush in a tunnel"])
@pytest.mark.parametrize("loop", LOOPS)
def test_a_handler_wakes_the_task_that_waits(loop: str, what: str) -> None:
    """The event loop itself waits then, and the handler must end that."""
    modules = mint.trio if loop == "trio" else mint.asyncio
    script = [*ONE_TUNNEL, Forever()] if "tunnel" in what else [Forever()]

    async def main() -> None:
        where = ("http", "127.0.0.1", server.port)
        mailbox = modules.Mailbox()
        tunnels = None
        if "tunnel" in what:
            tunnels = modules.Tunnels(await modules.connect(*where, protocols=("http2",)))
            conn = await tunnels.connect("http", "one.example", 80, mailbox=mailbox)
        else:
            conn = await modules.connect(*where, mailbox=mailbox)

        async def wait() -> None:
            nonlocal conn
            if what == "receive":
                with pytest.raises(errors.MailboxClosed):
                    await mailbox.receive()
                return
            with contextlib.suppress(errors.TransportClosed):
                conn, ref = conn.request("POST", "/", (("content-length", str(MUCH)),), mint.STREAM)
                conn = conn.stream_request_body(ref, bytes(MUCH))
                await modules.flush(conn)
            assert conn.transport.closed

        with signalled(mailbox.close if what == "receive" else conn.close, lambda: True):
            await limited(loop, wait())
        conn.close()
        mailbox.close()
        if tunnels is not None:
            tunnels.close()

    with no_socket_left(), ScriptedServer(script) as server:
        run(loop, main)
