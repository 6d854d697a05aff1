"""How a program uses mint under each event loop, behind one interface, so that programs are written once.

Every method is a coroutine; those of blocking code never suspend. A `Handle` is one connection with what
was asked of it.
"""

from __future__ import annotations

import asyncio
import math
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import trio

import mint
import mint.asyncio
import mint.http2
import mint.trio

from .polling import SimEpollSelector
from .record import FAILED
from .routes import HOST, PROXY, arguments

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from .record import Exchange, Record

_T = TypeVar("_T")

PATIENCE = 30.0
"""How many seconds of the simulated clock a program waits for what must come."""


class Late(Exception):  # noqa: N818  # an event, not an error
    """The time is up."""


class Handle:
    """A connection, its requests, and what was received."""

    def __init__(self, record: Record, conn: mint.Connection) -> None:
        self.record = record
        self.conn = conn
        self.exchanges: dict[mint.RequestRef, Exchange] = {}
        self.error: mint.MintError | None = None
        self.closed = False
        self.interrupted = False
        """Whether an operation may have been broken off: then its value may be superseded."""
        self.inbox = 0
        """Which of the caller's mailboxes has it."""

    def request(self, exchange: Exchange, method: str, fields: Any = (), body: Any = None) -> mint.RequestRef | None:
        """Send a request; `None` where the connection could not."""
        target = f"{exchange.number}.example:443" if method == "CONNECT" else f"/{exchange.number}"
        if body is not None and body is not mint.STREAM:
            exchange.sent = len(exchange.body)
        try:
            self.conn, ref = self.conn.request(method, target, fields, body)
        except mint.MintError as error:
            # It has no ref: nothing of it will be heard.
            exchange.abandoned = True
            self.failed(error)
            return None
        self.exchanges[ref] = exchange
        return ref

    def send(self, ref: mint.RequestRef, data: bytes | mint.Eof) -> bool:
        """Send content; false where that failed."""
        if not isinstance(data, mint.Eof):
            # Before the call: what it sends may arrive though it raises.
            self.exchanges[ref].sent += len(data)
        try:
            self.conn = self.conn.stream_request_body(ref, data)
        except mint.MintError as error:
            self.failed(error)
            return False
        return True

    def take(self, responses: list[mint.Response] | tuple[mint.Response, ...]) -> None:
        """Take responses."""
        for response in responses:
            exchange = self.exchanges.get(response.ref)
            if exchange is None:
                if not isinstance(response, mint.RequestFailed):
                    self.record.kernel.blame(f"{type(response).__name__} for a ref that was never given")
                continue
            self.record.kernel.note(f"got {type(response).__name__} of {exchange.number}")
            wrong = exchange.take(response)
            if wrong:
                self.record.kernel.blame(wrong)

    def failed(self, error: mint.MintError) -> None:
        """Take an error, and go on with its successor."""
        self.record.kernel.note(f"raised {error!r}")
        self.error = error
        self.take(error.responses)
        if isinstance(error, mint.StaleConnectionError):
            if not self.interrupted:
                self.record.kernel.blame("StaleConnectionError for the newest value")
            self.close()
            return
        if error.successor is not None:
            self.conn = self.conn.after(error)
        if isinstance(error, mint.errors.TransportTimeout):
            return
        if not self.conn.is_open("read") and error.successor is None:
            self.close()

    def close(self) -> None:
        """Close it; what is open has no end."""
        for exchange in self.exchanges.values():
            if exchange.end is None:
                exchange.abandoned = True
        self.closed = True
        self.conn = self.conn.close()

    def body_open(self, ref: mint.RequestRef) -> int:
        """Return the window of a request, -1 where its content can no longer be sent."""
        try:
            return self.conn.request_body_window(ref)
        except (ValueError, mint.MintError):
            return -1


class Caller(ABC):
    """A program's view of one event loop."""

    waits_to_send = True
    """Whether sending waits by itself above the high-water mark."""
    can_close_inbox = False
    """Whether there is a mailbox that a handler of a signal may close."""

    def __init__(self, record: Record, route: str, options: dict[str, Any]) -> None:
        self.record = record
        self.kernel = record.kernel
        self.route = route
        self.options = options
        self.handles: dict[object, Handle] = {}
        self.posted: list[object] = []

    def run(self, program: Callable[[Caller], Coroutine[object, object, None]]) -> None:
        """Run a program to its end."""
        coroutine = program(self)
        try:
            coroutine.send(None)
        except StopIteration:
            return
        finally:
            self.clean()
            coroutine.close()
        raise RuntimeError("a program of blocking code was suspended")

    def clean(self) -> None:
        """Close what the caller made for itself."""

    def keep(self, conn: mint.Connection) -> Handle:
        """Remember a connection."""
        made = self.handles[conn.source] = Handle(self.record, conn)
        return made

    def dispatch(self, message: object) -> None:
        """Give a message of a mailbox to its connection."""
        source = getattr(message, "source", None)
        handle = self.handles.get(source)
        if handle is None:
            self.posted.append(message)
            return
        try:
            taken = handle.conn.stream(message)
        except mint.MintError as error:
            handle.failed(error)
            return
        if taken is mint.UNKNOWN:
            if not handle.closed:
                self.kernel.blame("a message that its connection does not know")
            return
        handle.conn, responses = taken
        handle.take(responses)

    @abstractmethod
    async def connect(self) -> Handle:
        """Connect by the route."""

    @abstractmethod
    async def receive(self, handle: Handle, timeout: float = PATIENCE) -> None:
        """Wait for something; `Late` when the time is up."""

    @abstractmethod
    async def flush(self, handle: Handle) -> None:
        """Wait until everything that was queued has left."""

    async def sleep(self, seconds: float) -> None:
        """Do nothing for some seconds."""
        self.kernel.wait(lambda: False, seconds)

    def stand_still(self, seconds: float) -> None:
        """Do nothing for some seconds, and let the event loop do nothing either."""
        self.kernel.wait(lambda: False, seconds)

    async def limited(self, seconds: float, work: Awaitable[_T]) -> _T | None:
        """Cancel something after some seconds, where this event loop can."""
        return await work

    async def check_alive(self) -> None:
        """Check that the mailbox hands out what is posted."""

    def close_inbox(self) -> None:
        """Close the mailbox, if there is one."""

    async def passive_for_a_while(self, handle: Handle) -> None:
        """Take a connection out of its mailbox, use it where that can be done, put it back."""

    def move(self, handle: Handle) -> None:
        """Move a connection to another mailbox."""

    def timed(self, started: float, timeout: float) -> None:
        """Check that a wait took as long as it may."""
        took = self.kernel.now - started
        if took > timeout + 0.0011:
            self.kernel.blame("a deadline was passed")
        elif took < timeout - 0.0011:
            self.kernel.blame("a timeout before its time")


class Blocking(Caller):
    """Passive connections: `recv`."""

    def __init__(self, record: Record, route: str, options: dict[str, Any]) -> None:
        super().__init__(record, route, options)
        self.tunnels: list[mint.Tunnels] = []

    async def connect(self) -> Handle:
        """Connect by the route."""
        if self.route == "shared tunnel":
            if not self.tunnels or not self.tunnels[-1].connection.is_open():
                proxy = mint.http2.connect("http", HOST, PROXY, tcp=self.options["tcp"])
                self.tunnels.append(mint.Tunnels(proxy))
            shared = self.tunnels[-1]
            return self.keep(shared.connect("http", HOST, 80, protocols=("http1",), tcp=self.options["tcp"]))
        where, options = arguments(self.route)
        return self.keep(mint.connect(*where, **options, **self.options))

    def clean(self) -> None:
        """Close the connection to the proxy."""
        for tunnels in self.tunnels:
            tunnels.close()

    async def receive(self, handle: Handle, timeout: float = PATIENCE) -> None:
        """Wait for responses."""
        started = self.kernel.now
        try:
            handle.conn, responses = handle.conn.recv(timeout=timeout)
        except mint.errors.TransportTimeout as error:
            self.timed(started, timeout)
            handle.failed(error)
            raise Late from None
        except mint.MintError as error:
            handle.failed(error)
        else:
            handle.take(responses)

    async def flush(self, handle: Handle) -> None:
        """Write everything."""
        try:
            handle.conn = handle.conn.flush(PATIENCE)
        except mint.MintError as error:
            handle.failed(error)


class Selecting(Caller):
    """Active connections in a `mint.Mailbox`."""

    can_close_inbox = True

    def __init__(self, record: Record, route: str, options: dict[str, Any]) -> None:
        super().__init__(record, route, options)
        self.mailboxes = [mint.Mailbox()]

    def clean(self) -> None:
        """Close the mailboxes."""
        for mailbox in self.mailboxes:
            mailbox.close()

    async def connect(self) -> Handle:
        """Connect by the route."""
        where, options = arguments(self.route)
        return self.keep(mint.connect(*where, mailbox=self.mailboxes[0], **options, **self.options))

    async def receive(self, handle: Handle, timeout: float = PATIENCE) -> None:
        """Wait for a message of any connection."""
        started = self.kernel.now
        try:
            message = self.mailboxes[handle.inbox].receive(timeout)
        except mint.errors.TransportTimeout:
            self.timed(started, timeout)
            raise Late from None
        self.dispatch(message)

    async def flush(self, handle: Handle) -> None:
        """Write everything."""
        try:
            handle.conn = handle.conn.flush(PATIENCE)
        except mint.MintError as error:
            handle.failed(error)

    async def check_alive(self) -> None:
        """Check that the mailbox hands out what is posted."""
        self.posted.clear()
        self.mailboxes[0].post("hello")
        try:
            while "hello" not in self.posted:
                self.dispatch(self.mailboxes[0].receive(1.0))
        except mint.errors.TransportTimeout:
            self.kernel.blame("after an interrupt nothing posted is handed out")

    def close_inbox(self) -> None:
        """Close the mailbox."""
        self.mailboxes[0].close()

    async def passive_for_a_while(self, handle: Handle) -> None:
        """Use the connection in passive mode."""
        try:
            handle.conn = handle.conn.set_mode("passive")
            for _ in range(self.kernel.choices.below(4)):
                if not handle.conn.open_request_count:
                    break
                handle.conn, responses = handle.conn.recv(timeout=self.kernel.choices.of((30.0, 0.01, 0.0)))
                handle.take(responses)
        except mint.MintError as error:
            handle.failed(error)
        try:
            if not handle.closed and handle.conn.is_open("read"):
                handle.conn = handle.conn.set_mode("active", self.mailboxes[handle.inbox])
        except mint.MintError as error:
            handle.failed(error)

    def move(self, handle: Handle) -> None:
        """Move a connection to another mailbox, and back the next time."""
        if len(self.mailboxes) == 1:
            self.mailboxes.append(mint.Mailbox())
        handle.inbox = 1 - handle.inbox
        try:
            handle.conn = handle.conn.move_to(self.mailboxes[handle.inbox])
        except mint.MintError as error:
            handle.failed(error)


class SimLoop(asyncio.SelectorEventLoop):
    """The real event loop of asyncio, with a simulated selector and clock."""

    def __init__(self, record: Record) -> None:
        self._kernel = record.kernel
        super().__init__(SimEpollSelector())

    def time(self) -> float:
        """Return the time of the simulated clock."""
        return self._kernel.now


class Asyncio(Caller):
    """Connections of asyncio."""

    waits_to_send = False
    mailboxes: list[mint.asyncio.Mailbox]

    def run(self, program: Callable[[Caller], Coroutine[object, object, None]]) -> None:
        """Run a program in a loop."""
        loop = SimLoop(self.record)
        loop.set_exception_handler(self._unhandled)

        async def main() -> None:
            with mint.asyncio.Mailbox() as one, mint.asyncio.Mailbox() as two:
                self.mailboxes = [one, two]
                await program(self)
                for handle in self.handles.values():
                    handle.close()
                await asyncio.sleep(0)
                await asyncio.sleep(0)

        task = loop.create_task(main())
        try:
            loop.run_until_complete(task)
        finally:
            self.kernel.quiet = True
            if not task.done():
                task.cancel()
                with suppress(BaseException):
                    loop.run_until_complete(task)
            loop.close()

    def _unhandled(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.kernel.blame(f"the event loop reports {context.get('exception') or context.get('message')!r}")

    async def connect(self) -> Handle:
        """Connect by the route."""
        where, options = arguments(self.route)
        conn = await mint.asyncio.connect(*where, mailbox=self.mailboxes[0], **options, **self.options)
        return self.keep(conn)

    async def receive(self, handle: Handle, timeout: float = PATIENCE) -> None:
        """Wait for a message of any connection."""
        started = self.kernel.now
        try:
            async with asyncio.timeout(timeout):
                message = await self.mailboxes[handle.inbox].receive()
        except TimeoutError:
            self.timed(started, timeout)
            raise Late from None
        self.dispatch(message)

    async def flush(self, handle: Handle) -> None:
        """Wait until everything has left."""
        try:
            async with asyncio.timeout(PATIENCE):
                await mint.asyncio.flush(handle.conn)
        except mint.MintError as error:
            handle.failed(error)
        except TimeoutError:
            raise Late from None

    async def sleep(self, seconds: float) -> None:
        """Do nothing for some seconds."""
        await asyncio.sleep(seconds)

    async def limited(self, seconds: float, work: Awaitable[_T]) -> _T | None:
        """Cancel something after some seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                return await work
        return None

    async def passive_for_a_while(self, handle: Handle) -> None:
        """Take the connection out of its mailbox, and put it back."""
        try:
            handle.conn = handle.conn.set_mode("passive")
            if self.kernel.choices.below(2):
                await self.sleep(0.2)
            handle.conn = handle.conn.set_mode("active", self.mailboxes[handle.inbox])
        except mint.MintError as error:
            handle.failed(error)

    def move(self, handle: Handle) -> None:
        """Move a connection to the other mailbox."""
        handle.inbox = 1 - handle.inbox
        try:
            handle.conn = handle.conn.move_to(self.mailboxes[handle.inbox])
        except mint.MintError as error:
            handle.failed(error)


class SimClock(trio.abc.Clock):
    """A clock of trio whose time is that of the kernel; the kernel lets it pass inside `epoll.poll`."""

    def __init__(self, record: Record) -> None:
        self._kernel = record.kernel

    def start_clock(self) -> None:
        """It runs already."""

    def current_time(self) -> float:
        """Return the time."""
        return self._kernel.now

    def deadline_to_sleep_time(self, deadline: float) -> float:
        """Return how long there is to wait."""
        return max(0.0, deadline - self._kernel.now)


class Trio(Caller):
    """Connections of trio."""

    waits_to_send = False
    mailboxes: list[mint.trio.Mailbox]

    def run(self, program: Callable[[Caller], Coroutine[object, object, None]]) -> None:
        """Run a program in trio."""
        # trio shuffles its tasks: by this run's choices.
        trio._core._run._r.seed(self.kernel.choices.below(1 << 16))

        async def main() -> None:
            with mint.trio.Mailbox() as one, mint.trio.Mailbox() as two:
                self.mailboxes = [one, two]
                await program(self)
                for handle in self.handles.values():
                    handle.close()

        trio.run(main, clock=SimClock(self.record))

    async def connect(self) -> Handle:
        """Connect by the route."""
        where, options = arguments(self.route)
        conn = await mint.trio.connect(*where, mailbox=self.mailboxes[0], **options, **self.options)
        return self.keep(conn)

    async def receive(self, handle: Handle, timeout: float = PATIENCE) -> None:
        """Wait for a message of any connection."""
        started = self.kernel.now
        message: object = None
        with trio.move_on_after(timeout) as scope:
            message = await self.mailboxes[handle.inbox].receive()
        if scope.cancelled_caught:
            self.timed(started, timeout)
            raise Late
        self.dispatch(message)

    async def flush(self, handle: Handle) -> None:
        """Wait until everything has left."""
        try:
            with trio.move_on_after(PATIENCE) as scope:
                await mint.trio.flush(handle.conn)
        except mint.MintError as error:
            handle.failed(error)
        if scope.cancelled_caught:
            raise Late

    async def sleep(self, seconds: float) -> None:
        """Do nothing for some seconds."""
        await trio.sleep(seconds)

    async def limited(self, seconds: float, work: Awaitable[_T]) -> _T | None:
        """Cancel something after some seconds."""
        with trio.move_on_after(seconds):
            return await work
        return None

    async def passive_for_a_while(self, handle: Handle) -> None:
        """Take the connection out of its mailbox, and put it back."""
        try:
            handle.conn = handle.conn.set_mode("passive")
            if self.kernel.choices.below(2):
                await self.sleep(0.2)
            handle.conn = handle.conn.set_mode("active", self.mailboxes[handle.inbox])
        except mint.MintError as error:
            handle.failed(error)

    def move(self, handle: Handle) -> None:
        """Move a connection to the other mailbox."""
        handle.inbox = 1 - handle.inbox
        try:
            handle.conn = handle.conn.move_to(self.mailboxes[handle.inbox])
        except mint.MintError as error:
            handle.failed(error)


CALLERS: dict[str, type[Caller]] = {
    "blocking": Blocking,
    "mailbox": Selecting,
    "asyncio": Asyncio,
    "trio": Trio,
}
