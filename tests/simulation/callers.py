"""One interface to mint in every event loop, so that each program is written only once.

Every method is a coroutine; those of blocking code never suspend. Blocking code is here, asyncio and trio
are in async_callers.py.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Literal, TypeVar

import mint
import mint.http2

from .handles import Handle, Late
from .routes import HOST, arguments

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from mint._connections.tunnels_base import TunnelsBase

    from .record import Record

_T = TypeVar("_T")


class Caller(ABC):
    """A program's view of one event loop."""

    loop = "blocking"
    waits_to_send = True
    """Whether sending waits by itself above the high-water mark."""
    can_close_inbox = False
    """Whether there is a mailbox that a signal handler may close."""

    def __init__(self, record: Record, route: str, tcp: mint.TCPOptions) -> None:
        self.record = record
        self.kernel = record.kernel
        self.route = route
        self.tcp = tcp
        self.handles: dict[object, Handle] = {}
        self.posted: list[object] = []
        self.unfed: object = None
        """The message that is being fed; after an exception, it may or may not have been processed."""

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

    def clean(self) -> None:  # noqa: B027  # where nothing was made, nothing is closed
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
        self.unfed = message
        try:
            taken = handle.conn.stream(message)
        except mint.MintError as error:
            self.unfed = None
            self.kernel.give_way()
            handle.failed(error)
            return
        self.unfed = None
        # Another thread may receive the connection's next message before this thread has stored the result.
        self.kernel.give_way()
        if taken is mint.UNKNOWN:
            if not handle.closed:
                self.kernel.blame("a message that its connection does not know")
            return
        handle.conn, responses = taken
        handle.take(responses)

    async def connect(self) -> Handle:
        """Connect by the route; again if a proxy refuses because it has sent GOAWAY."""
        while True:
            try:
                return await self.dial()
            except mint.errors.ProxyFailed as error:
                if self.route != "shared tunnel" or error.processed is not mint.Processed.NO:
                    raise

    @abstractmethod
    async def dial(self) -> Handle:
        """Connect once."""

    @abstractmethod
    async def receive(self, handle: Handle, timeout: float | None = None) -> None:  # noqa: ASYNC109  # blocking code
        """Wait for something; `Late` when the time is up."""

    @abstractmethod
    async def flush(self, handle: Handle) -> None:
        """Wait until everything that was queued has been written."""

    async def sleep(self, seconds: float) -> None:
        """Do nothing for some seconds."""
        self.kernel.wait(lambda: False, seconds)

    def stand_still(self, seconds: float) -> None:
        """Sleep for some seconds without letting the event loop run."""
        self.kernel.wait(lambda: False, seconds)

    async def limited(self, seconds: float, work: Awaitable[_T]) -> _T | None:
        """Cancel something after some seconds, where this event loop can."""
        return await work

    async def check_alive(self) -> None:  # noqa: B027  # where there is no mailbox
        """Check that the mailbox returns what is posted."""

    def close_inbox(self) -> None:  # noqa: B027  # where there is no mailbox
        """Close the mailbox, if there is one."""

    async def passive_for_a_while(self, handle: Handle) -> None:  # noqa: B027  # where there is no mailbox
        """Take a connection out of its mailbox, use it in passive mode if possible, and put it back."""

    def receive_in_thread(self, handles: list[Handle]) -> None:  # noqa: B027  # where there is no mailbox
        """Receive from the mailbox until nothing is open, in one thread of several."""

    def move(self, handle: Handle) -> None:  # noqa: B027  # where there is no mailbox
        """Move a connection to another mailbox."""

    def end(self, tunnels: TunnelsBase) -> None:
        """Close tunnels, which must have the newest value of their connection, whatever happened."""
        conn = tunnels.connection
        try:
            conn.transport.claim(conn._generation)
            conn.transport.release(moved=False)
        except mint.errors.StaleConnectionError:
            self.kernel.blame("tunnels with an outdated value of the connection to the proxy")
        tunnels.close()

    def timed(self, started: float, timeout: float) -> None:
        """Check that a wait ended exactly at its time limit."""
        if not self.kernel.exact:
            return
        took = self.kernel.now - started
        if took > timeout + 0.0011:
            self.kernel.blame("a deadline was passed")
        elif took < timeout - 0.0011:
            self.kernel.blame("a timeout before its time")


class Blocking(Caller):
    """Passive connections: `recv`."""

    def __init__(self, record: Record, route: str, tcp: mint.TCPOptions) -> None:
        super().__init__(record, route, tcp)
        self.tunnels: list[mint.Tunnels] = []

    async def dial(self) -> Handle:
        """Connect once."""
        if self.route == "shared tunnel":
            if not self.tunnels or not self.tunnels[-1].connection.is_open():
                proxy = mint.http2.connect("http", HOST, self.kernel.proxy, tcp=self.tcp)
                self.tunnels.append(mint.Tunnels(proxy))
            shared = self.tunnels[-1]
            return self.keep(shared.connect("http", HOST, 80, protocols=("http1",), tcp=self.tcp))
        route = arguments(self.route, self.kernel)
        return self.keep(
            mint.connect(
                *route.where, protocols=route.protocols, proxy=route.proxy, tls=route.tls, tcp=self.tcp
            )
        )

    def clean(self) -> None:
        """Close the connection to the proxy."""
        for tunnels in self.tunnels:
            self.end(tunnels)

    async def receive(self, handle: Handle, timeout: float | None = None) -> None:  # noqa: ASYNC109  # blocking code
        """Wait for responses."""
        started = self.kernel.now
        timeout = self.kernel.patience if timeout is None else timeout / self.kernel.speed
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
            handle.conn = handle.conn.flush(self.kernel.patience)
        except mint.MintError as error:
            handle.failed(error)


class Selecting(Caller):
    """Active connections in a `mint.Mailbox`."""

    can_close_inbox = True

    def __init__(self, record: Record, route: str, tcp: mint.TCPOptions) -> None:
        super().__init__(record, route, tcp)
        self.mailboxes = [mint.Mailbox()]
        self.tunnels: list[mint.Tunnels] = []
        self.inside: dict[Handle, mint.Tunnels] = {}
        """Which connection to the proxy carries a connection."""

    def clean(self) -> None:
        """Close the connections to the proxy, and the mailboxes."""
        for tunnels in self.tunnels:
            self.end(tunnels)
        for mailbox in self.mailboxes:
            mailbox.close()

    def dispatch(self, message: object) -> None:
        """Give a message to the connection to the proxy, or to its connection."""
        if all(tunnels.stream(message) is mint.UNKNOWN for tunnels in self.tunnels):
            super().dispatch(message)

    def _through_tunnel(self) -> Handle:
        """Connect through the connection to the proxy, which must be passive meanwhile."""
        if not self.tunnels or not self.tunnels[-1].connection.is_open():
            proxy = mint.http2.connect("http", HOST, self.kernel.proxy, tcp=self.tcp)
            self.tunnels.append(mint.Tunnels(proxy))
        shared = self.tunnels[-1]
        self._set_mode(shared, None)
        try:
            made = self.keep(shared.connect("http", HOST, 80, protocols=("http1",), tcp=self.tcp))
            self.inside[made] = shared
        finally:
            self._set_mode(shared, 0)
        return made

    def _set_mode(self, shared: mint.Tunnels, inbox: int | None) -> None:
        """Take all connections of a proxy out of their mailbox, or have this mailbox watch them."""
        mailbox = None if inbox is None else self.mailboxes[inbox]
        mode: Literal["active", "passive"] = "passive" if inbox is None else "active"
        if mailbox is not None:
            with suppress(mint.MintError):
                shared.set_mode(mode, mailbox)
        for handle, tunnels in self.inside.items():
            if tunnels is shared and not handle.closed:
                handle.inbox = inbox or 0
                try:
                    handle.conn = handle.conn.set_mode(mode, mailbox)
                except mint.MintError as error:
                    handle.failed(error)
        if mailbox is None:
            with suppress(mint.MintError):
                shared.set_mode(mode)

    async def dial(self) -> Handle:
        """Connect once."""
        if self.route == "shared tunnel":
            return self._through_tunnel()
        route = arguments(self.route, self.kernel)
        return self.keep(
            mint.connect(
                *route.where,
                mailbox=self.mailboxes[0],
                protocols=route.protocols,
                proxy=route.proxy,
                tls=route.tls,
                tcp=self.tcp,
            )
        )

    async def receive(self, handle: Handle, timeout: float | None = None) -> None:  # noqa: ASYNC109  # blocking code
        """Wait for a message of any connection."""
        started = self.kernel.now
        timeout = self.kernel.patience if timeout is None else timeout / self.kernel.speed
        try:
            message = self.mailboxes[handle.inbox].receive(timeout)
        except mint.errors.TransportTimeout:
            self.timed(started, timeout)
            raise Late from None
        self.dispatch(message)

    async def flush(self, handle: Handle) -> None:
        """Write everything. Of tunnels that share a connection, the mailbox writes it in `receive`."""
        shared = self.inside.get(handle)
        if shared is not None and shared.mode == "active":
            link, until = handle.conn.transport, self.kernel.now + self.kernel.patience
            quiet = False
            while shared.connection.is_open("read") and not (
                quiet and not shared.wire.unsent and (link.closed or not link.unsent)
            ):
                if self.kernel.now > until:
                    raise Late
                try:
                    await self.receive(handle, 1.0)
                except Late:
                    quiet = True
            return
        try:
            handle.conn = handle.conn.flush(self.kernel.patience)
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

    def receive_in_thread(self, handles: list[Handle]) -> None:
        """Receive until no request is open; the thread that feeds the last message wakes the others.

        As the documentation asks, a lock of the connection is held from `stream` until its result is kept.
        """
        while any(each.conn.open_request_count and not each.closed for each in handles):
            try:
                message = self.mailboxes[0].receive(self.kernel.patience)
            except mint.errors.TransportTimeout:
                self.kernel.blame("waited in vain for what the server sent")
                break
            handle = self.handles.get(getattr(message, "source", None))
            with nullcontext() if handle is None else handle.lock:
                self.dispatch(message)
        self.mailboxes[0].post("over")

    def close_inbox(self) -> None:
        """Close the mailbox."""
        self.mailboxes[0].close()

    async def passive_for_a_while(self, handle: Handle) -> None:
        """Use the connection in passive mode."""
        shared, inbox = self.inside.get(handle), handle.inbox
        try:
            if shared is not None:
                self._set_mode(shared, None)
            else:
                handle.conn = handle.conn.set_mode("passive")
            for _ in range(self.kernel.choices.below(4)):
                if not handle.conn.open_request_count:
                    break
                handle.conn, responses = handle.conn.recv(timeout=self.kernel.choices.of((30.0, 0.01, 0.0)))
                handle.take(responses)
        except mint.MintError as error:
            handle.failed(error)
        try:
            if shared is not None:
                self._set_mode(shared, inbox)
            elif not handle.closed and handle.conn.is_open("read"):
                handle.conn = handle.conn.set_mode("active", self.mailboxes[handle.inbox])
        except mint.MintError as error:
            handle.failed(error)

    def move(self, handle: Handle) -> None:
        """Move a connection to another mailbox, and back the next time."""
        if len(self.mailboxes) == 1:
            self.mailboxes.append(mint.Mailbox())
        if handle in self.inside:
            self._set_mode(self.inside[handle], 1 - handle.inbox)
            return
        handle.inbox = 1 - handle.inbox
        try:
            handle.conn = handle.conn.move_to(self.mailboxes[handle.inbox])
        except mint.MintError as error:
            handle.failed(error)
