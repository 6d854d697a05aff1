"""A loop of asyncio that cannot resume a task, or loses that call: the next notification repeats it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING

import pytest
import uvloop

import mint
import mint.asyncio
from mint._loops.asyncio import LoopReader
from mint._loops.asyncio_calls import LoopEvent, Waiter
from mint._loops.asyncio_poller import poller
from mint.testing import Origin, Request, Response

from ..event_loops import Loop, data, fed, no_socket_left
from ..routes import HTTPProxy

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator
    from contextvars import Context


class Failing:
    """A loop that fails to resume tasks that wait for mint, and to be called from other threads."""

    def __init__(self, loop: asyncio.AbstractEventLoop, patch: pytest.MonkeyPatch) -> None:
        self.loop = loop
        self.resumed = self.number = 0
        """How many tasks it was asked to resume, and which of these calls fails."""
        self.raises = True
        """Whether the call fails with `MemoryError`. Otherwise the loop drops it later, without making it."""
        self.unreachable = 0
        """How many calls from other threads fail."""
        self._call_soon = loop.call_soon
        self._call_soon_threadsafe = loop.call_soon_threadsafe
        patch.setattr(loop, "call_soon", self.call_soon)
        patch.setattr(loop, "call_soon_threadsafe", self.call_soon_threadsafe)
        loop.set_exception_handler(lambda *_: None)  # mint has handled these exceptions already

    def call_soon(
        self, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.Handle:
        handle = self._call_soon(callback, *args, context=context)
        if isinstance(getattr(callback, "__self__", None), Waiter):
            self.resumed += 1
            if self.resumed == self.number:
                handle.cancel()
                if self.raises:
                    raise MemoryError
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.Handle:
        if self.unreachable:
            self.unreachable -= 1
            raise MemoryError
        return self._call_soon_threadsafe(callback, *args, context=context)

    def fail_next(self, *, raises: bool) -> None:
        """Fail when the next task should be resumed."""
        self.number, self.raises = self.resumed + 1, raises


@pytest.fixture(params=[asyncio.SelectorEventLoop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def loop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Failing:
    return Failing(request.param(), monkeypatch)


def run(loop: Failing, work: Coroutine[object, object, None]) -> None:
    Loop(lambda: loop.loop)(work)


async def settled() -> None:
    """Let the loop run until all tasks wait."""
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.parametrize("raises", [True, False], ids=["raises", "loses"])
@pytest.mark.parametrize("end", ["wake", "cancel"])
def test_a_task_that_could_not_be_resumed_is_resumed_later(loop: Failing, end: str, raises: bool) -> None:
    async def main() -> None:
        waiter = Waiter(loop=loop.loop)

        async def wait() -> str:
            await waiter
            return "woken"

        task = asyncio.create_task(wait())
        again: Callable[[], object] = waiter.wake if end == "wake" else task.cancel
        await settled()
        loop.fail_next(raises=raises)
        with pytest.raises(MemoryError) if raises else contextlib.nullcontext():
            again()
        await settled()
        assert not task.done()
        again()
        await settled()
        assert task.cancelled() if end == "cancel" else task.result() == "woken"

    run(loop, main())


@pytest.mark.parametrize("raises", [True, False], ids=["raises", "loses"])
def test_a_time_limit_ends_the_wait_of_a_task_that_was_lost(loop: Failing, raises: bool) -> None:
    async def main() -> None:
        waiter = Waiter(loop=loop.loop)

        async def wait() -> None:
            async with asyncio.timeout(0.05):
                await waiter

        task = asyncio.create_task(wait())
        await settled()
        loop.fail_next(raises=raises)
        with pytest.raises(MemoryError) if raises else contextlib.nullcontext():
            waiter.wake()
        with pytest.raises(TimeoutError):
            await task

    run(loop, main())


def test_a_task_is_resumed_once_and_only_in_its_wait(loop: Failing) -> None:
    async def main() -> None:
        first, second = Waiter(loop=loop.loop), Waiter(loop=loop.loop)
        steps: list[str] = []

        async def wait() -> None:
            await first
            steps.append("first")
            await second
            steps.append("second")

        task = asyncio.create_task(wait())
        await settled()
        for _ in range(3):
            first.wake()
            first.wake()
            await settled()
        assert steps == ["first"]
        second.wake()
        await task
        await second  # it was woken: nobody waits again

    run(loop, main())


NAME = ContextVar("NAME", default="none")


def test_a_task_continues_in_its_own_context_and_is_told_why_it_was_cancelled(loop: Failing) -> None:
    async def main() -> None:
        waiter = Waiter(loop=loop.loop)

        async def wait() -> None:
            NAME.set("own")
            with pytest.raises(asyncio.CancelledError, match="because"):
                await waiter
            assert NAME.get() == "own"

        task = asyncio.create_task(wait())
        await settled()
        assert task.cancel("because")
        assert task.cancel("because")
        await task
        assert NAME.get() == "none"

    run(loop, main())


@pytest.mark.skipif(not hasattr(asyncio, "eager_task_factory"), reason="needs Python 3.12")
def test_an_eager_task_waits_as_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not on uvloop, which cannot make eager tasks with every version of Python."""
    loop = Failing(asyncio.SelectorEventLoop(), monkeypatch)

    async def main() -> None:
        loop.loop.set_task_factory(getattr(asyncio, "eager_task_factory"))  # noqa: B009  # the stubs know 3.11 only
        waiter = Waiter(loop=loop.loop)

        async def wait() -> None:
            await waiter

        task = asyncio.create_task(wait())
        loop.fail_next(raises=True)
        with pytest.raises(MemoryError):
            waiter.wake()
        assert not task.done()
        waiter.wake()
        await task

    run(loop, main())


@pytest.mark.parametrize("raises", [True, False], ids=["raises", "loses"])
def test_a_mailbox_resumes_a_lost_receiver_with_the_next_message(loop: Failing, raises: bool) -> None:
    async def main() -> None:
        with mint.asyncio.Mailbox() as mailbox:
            tasks = [asyncio.create_task(mailbox.receive()) for _ in range(2)]
            await settled()
            loop.fail_next(raises=raises)
            mailbox.post("one")  # it is in the queue, so this raises nothing
            await settled()
            mailbox.post("two")
            assert sorted([str(await each) for each in tasks]) == ["one", "two"]
            assert not mailbox._woken
            assert not mailbox._waiting

    run(loop, main())


def test_posting_from_a_thread_reaches_a_loop_that_fails_once(loop: Failing) -> None:
    async def main() -> None:
        with mint.asyncio.Mailbox() as mailbox:
            task = asyncio.create_task(mailbox.receive())
            await settled()
            loop.unreachable = 1
            thread = threading.Thread(target=mailbox.post, args=("one",))
            thread.start()
            assert await task == "one"
            thread.join()

    run(loop, main())


@pytest.mark.parametrize("raises", [True, False], ids=["raises", "loses"])
def test_an_event_of_a_pool_resumes_a_lost_task_when_it_is_set_again(loop: Failing, raises: bool) -> None:
    async def main() -> None:
        event = LoopEvent(loop.loop)
        task = asyncio.create_task(event.wait())
        await settled()
        loop.fail_next(raises=raises)
        with pytest.raises(MemoryError) if raises else contextlib.nullcontext():
            event.set()
        assert event.is_set()
        await settled()
        event.set()
        await task
        await event.wait()  # returns at once

    run(loop, main())


def serve(request: Request) -> Response:
    return Response(200, (), f"{len(request.body.read())}".encode())


class Exchange:
    """One exchange that uses every wait of mint: for a name, a socket, a tunnel, a flush and a message."""

    def __init__(self, loop: Failing, server: Origin, origin: Origin) -> None:
        self.loop, self.server, self.origin = loop, server, origin
        self.tunnels: mint.asyncio.Tunnels | None = None

    def resolve(self, host: str, port: int) -> list[str]:
        assert (host, port) == ("proxy.test", self.server.port)
        self.loop.unreachable = 1
        return [self.server.address]

    @property
    def is_closed(self) -> bool:
        """Whether the connection to the proxy is closed, or there was none."""
        return self.tunnels is None or not self.tunnels.connection.is_open()

    async def run(self) -> None:
        """Run it to its end."""
        proxy = await mint.asyncio.connect(
            "http", "proxy.test", self.server.port, protocols=("http2",), resolver=self.resolve
        )
        with mint.asyncio.Tunnels(proxy) as self.tunnels, mint.asyncio.Mailbox() as mailbox:
            conn: mint.Connection = await self.tunnels.connect(
                "http", "127.0.0.1", self.origin.port, protocols=("http1",), mailbox=mailbox
            )
            conn, ref = conn.request("POST", "/", (), mint.STREAM)
            conn = conn.stream_request_body(ref, bytes(5_000_000))
            await mint.asyncio.flush(conn)
            conn = conn.stream_request_body(ref, mint.Eof())
            got: list[mint.Response] = []
            while conn.open_request_count:
                conn, responses = fed(conn, await mailbox.receive())
                got += responses
            assert data(got) == b"5000000"


def test_every_wait_ends_although_the_loop_failed_once_to_resume_it(loop: Failing) -> None:
    """Whichever resumption fails, the exchange is completed, or it reports that the connection is closed."""
    ends: list[str] = []

    async def main(server: Origin, origin: Origin) -> None:
        while True:
            loop.resumed, loop.number = 0, len(ends) + 1
            exchange = Exchange(loop, server, origin)
            try:
                async with asyncio.timeout(10):
                    await exchange.run()
            except TimeoutError:
                raise AssertionError(f"call {loop.number} was lost") from None
            except (mint.MintError, MemoryError):
                assert exchange.is_closed
                ends.append("closed")
            else:
                ends.append("completed")
            if loop.resumed < loop.number:
                return

    with no_socket_left(), Origin(serve) as origin, Origin(HTTPProxy()) as server:
        run(loop, main(server, origin))
    assert len(ends) > 5
    assert ends[-1] == "completed"


def registered(loop: Failing) -> int:
    """Return how many sockets the loop watches."""
    found = poller(loop.loop)
    selector = getattr(found, "_selector")  # noqa: B009  # private to either class
    return 0 if selector is None else len(selector.get_map())


@pytest.mark.parametrize("version", ["http1", "http2"])
def test_a_wait_that_cannot_begin_leaves_no_socket_registered(
    loop: Failing, monkeypatch: pytest.MonkeyPatch, version: mint.types.ProtocolName
) -> None:
    """libuv ends the program if a socket is closed that is still registered."""
    begin = Waiter.__await__
    left = 0

    def failing(self: Waiter) -> Generator[object, None, None]:
        nonlocal left
        left -= 1
        if left == 0:
            raise MemoryError
        return begin(self)

    async def main(server: Origin, origin: Origin) -> None:
        nonlocal left
        proxy = mint.Proxy("http", server.address, server.port, protocols=(version,), tunnel=True)
        before = registered(loop)
        failures = 0
        while left <= 0:
            left = failures + 1
            try:
                conn = await mint.asyncio.connect("http", origin.address, origin.port, proxy=proxy)
            except MemoryError:
                failures += 1
            else:
                conn.close()
            assert registered(loop) == before
            await settled()
        assert failures > 1

    monkeypatch.setattr(Waiter, "__await__", failing)
    with no_socket_left(), Origin(serve) as origin, Origin(HTTPProxy()) as server:
        run(loop, main(server, origin))


def test_a_selector_that_the_loop_could_not_watch_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """On uvloop, a selector stands between the loop and the sockets."""
    loop = Failing(uvloop.new_event_loop(), monkeypatch)
    add_reader = loop.loop.add_reader

    def failing(*_: object) -> None:
        monkeypatch.setattr(loop.loop, "add_reader", add_reader)
        raise MemoryError

    async def main() -> None:
        near, far = socket.socketpair()
        with near, far:
            told = asyncio.Event()
            monkeypatch.setattr(loop.loop, "add_reader", failing)
            with pytest.raises(MemoryError):
                poller(loop.loop).add_reader(near.fileno(), told.set)
            poller(loop.loop).add_reader(near.fileno(), told.set)
            far.send(b"x")
            await told.wait()
            poller(loop.loop).remove_reader(near.fileno())

    run(loop, main())


def test_a_lost_task_that_opens_a_tunnel_is_resumed_by_the_next_notification(
    loop: Failing, monkeypatch: pytest.MonkeyPatch
) -> None:
    notify = LoopReader.notify

    def notify_later(self: LoopReader) -> None:
        notify(self)
        loop.loop.call_later(0.01, notify, self)

    async def main(server: Origin, origin: Origin) -> None:
        proxy = await mint.asyncio.connect("http", server.address, server.port, protocols=("http2",))
        with mint.asyncio.Tunnels(proxy) as tunnels:
            loop.fail_next(raises=False)
            conn = await tunnels.connect("http", "127.0.0.1", origin.port, protocols=("http1",))
            assert loop.resumed > loop.number
            conn.close()

    monkeypatch.setattr(LoopReader, "notify", notify_later)
    with Origin(serve) as origin, Origin(HTTPProxy()) as server:
        run(loop, main(server, origin))
