"""Trio: the link, the driver of the connecting procedure, and the mailbox.

The links are sockets. The mailbox is the one of mailbox.py: its selector is a file descriptor itself, and
trio waits for that. Every `await` is a checkpoint; cancelled at any of them, nothing is lost. Public names
are in mint/trio.py.
"""

from __future__ import annotations

import contextlib
from threading import get_ident
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import trio

from .._connect.tunnel import establish
from ..errors import MailboxClosed, TransportClosed, TransportError, TransportTimeout
from .dialer import RACING, RECEIVING, SENDING, AsyncDriver, given_socket, resolving, socket_of
from .mailbox import NOTHING, Watcher
from .tcp import MOST_HELD, SocketLink

if TYPE_CHECKING:
    import socket as sockets
    from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Sequence
    from types import TracebackType

    from .._connect.race import Attempt, Established, Plan
    from .._wire.layer import Layer
    from .._wire.link import World
    from ..options import TCPOptions
    from ..types import Resolver
    from .dialer import Found

# -- the link


class TrioLink(SocketLink):
    """A socket whose operations never wait; it is used in the thread that runs trio."""

    world: ClassVar[World] = "trio"

    def __init__(self, socket: sockets.socket, options: TCPOptions, layers: Sequence[Layer] = ()) -> None:
        """Take over a connected socket (it is closed with the link)."""
        super().__init__(socket, options, layers)
        self.home: int = get_ident()
        self._token = trio.lowlevel.current_trio_token()
        self._draining = trio.Lock()

    _plain = True  # it differs from a blocking socket in what never waits

    def permit(self, call: Literal["recv", "flush"]) -> None:
        """Refuse what would have to wait."""
        if call == "recv":
            raise RuntimeError("recv would block: receive from a mint.trio.Mailbox, feed stream()")
        raise RuntimeError("flush would block: await mint.trio.flush(connection)")

    def _transmit(self, *, wait: bool) -> None:  # noqa: ARG002  # never waits
        self._write_some()

    async def drain(self) -> None:
        """Wait until the system has taken everything that is queued; raise where it never will.

        It reads into the bounded inbox meanwhile, so that two peers that both write cannot deadlock.
        """
        # One task waits for the socket, and others for that task.
        async with self._draining:
            while self.backlog and not self._closed and not self._write_failed:
                self.write_waiting()
                if self.backlog and not await self._something_happened():
                    break
        if self.backlog or self._write_failed:
            raise TransportClosed

    async def _something_happened(self) -> bool:
        """Wait until the socket can be written or has been read; false where neither will be."""
        waits: list[Callable[[sockets.socket], Awaitable[None]]] = []
        reading = self._held < MOST_HELD and not self._ended and self._failure is None
        if reading:
            waits.append(trio.lowlevel.wait_readable)
        if self._outbox:
            waits.append(trio.lowlevel.wait_writable)

        async def wait(ready: Callable[[sockets.socket], Awaitable[None]]) -> None:
            # Another task may have closed the link before this one began.
            if not self._closed:
                with contextlib.suppress(trio.ClosedResourceError):
                    await ready(self._socket)
            nursery.cancel_scope.cancel()

        async with trio.open_nursery() as nursery:
            for each in waits:
                nursery.start_soon(wait, each)
        if reading and not self._closed:
            self._read_ahead()
        return bool(waits)

    def _read_ahead(self) -> None:
        try:
            octets = self._read_now()
        except TransportError as error:
            self._failure = error
        else:
            if octets is not None:
                self._take_in(octets)
        if self.has_next and self.armed and self.inbox is not None:
            self.inbox.watch(self)

    def close(self) -> None:
        """Close, in the thread that runs trio; from another one, soon."""
        if get_ident() == self.home:
            super().close()
        else:
            with contextlib.suppress(trio.RunFinishedError):
                self._token.run_sync_soon(super().close)

    def _shut(self) -> None:
        # Outside of trio (a value that outlived it) nobody waits.
        with contextlib.suppress(RuntimeError):
            trio.lowlevel.notify_closing(self._socket)
        super()._shut()


# -- connecting


async def open_link(
    plan: Plan, resolver: Resolver | None, socket: sockets.socket | None
) -> tuple[TrioLink, Established]:
    """Carry the connecting procedure out; return the link and what was agreed on."""
    given = given_socket(socket, plan.tcp)
    established = await Driver(plan.tcp, resolver, given).run(establish(plan, given))
    made = socket_of(established.attempt)
    try:
        link = TrioLink(made, plan.tcp, established.layers)
        link.begin(established.arrived, secure=plan.tls is not None)
    except BaseException:
        made.close()
        raise
    return link, established


class Driver(AsyncDriver):
    """Answers the steps of one procedure by waiting for sockets."""

    async def _look_up(self, host: str, port: int, left: float | None) -> Found:
        token = trio.lowlevel.current_trio_token()
        answers: list[Found] = []
        answered = trio.Event()

        def answer(found: Found) -> None:
            answers.append(found)
            # trio may be over by the time the system answers.
            with contextlib.suppress(trio.RunFinishedError):
                token.run_sync_soon(answered.set)

        self.ask(host, port, answer)
        with _until(left, resolving(host)):
            await answered.wait()
        return answers[0]

    async def _first(self, attempts: tuple[Attempt, ...], left: float | None) -> Attempt | None:
        decided: list[Attempt] = []

        async def wait(attempt: Attempt) -> None:
            await trio.lowlevel.wait_writable(socket_of(attempt))
            decided.append(attempt)
            nursery.cancel_scope.cancel()

        with contextlib.suppress(TransportTimeout), _until(left, RACING):
            async with trio.open_nursery() as nursery:
                for attempt in attempts:
                    nursery.start_soon(wait, attempt)
        return decided[0] if decided else None

    async def _send(self, socket: sockets.socket, octets: bytes, left: float | None) -> None:
        rest = memoryview(octets)
        with _until(left, SENDING):
            while rest:
                await trio.lowlevel.wait_writable(socket)
                with contextlib.suppress(BlockingIOError):
                    rest = rest[socket.send(rest) :]

    async def _receive(self, socket: sockets.socket, left: float | None) -> bytes:
        with _until(left, RECEIVING):
            while True:
                await trio.lowlevel.wait_readable(socket)
                with contextlib.suppress(BlockingIOError):
                    return socket.recv(self.tcp.receive_size)


@contextlib.contextmanager
def _until(left: float | None, phase: str) -> Generator[None]:
    with trio.move_on_after(float("inf") if left is None else left) as scope:
        yield
    if scope.cancelled_caught:
        raise TransportTimeout(phase)


# -- the mailbox


class Mailbox(Watcher):
    """A mailbox of trio: any number of connections, one message at a time.

    Only `post` may be called from another thread. Any number of tasks may receive; each message is handed
    out once, and cancelling a `receive` loses none. What connections have queued is written meanwhile.
    Connections are held weakly: keep them.
    """

    _world = "trio"

    def __init__(self) -> None:
        super().__init__()
        self._turn = trio.Lock()
        self._inside = 0

    async def receive(self) -> object:
        """Return the next message; wait until there is one.

        Raises `MailboxClosed` after `close`. For a limit of time use `trio.fail_after`.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        if self._closed:
            raise MailboxClosed
        message = self._take()
        if message is NOTHING:
            return await self._receive()
        await trio.lowlevel.cancel_shielded_checkpoint()
        return message

    async def _receive(self) -> object:
        """Wait in a row: one task waits for the selector, the others for that task."""
        self._inside += 1
        try:
            async with self._turn:
                while not self._closed:
                    message = self._take()
                    if message is NOTHING:
                        self._look(0)
                        message = self._take()
                    if message is not NOTHING:
                        return message
                    await self._wait()
        finally:
            self._inside -= 1
            if self._closed and not self._inside:
                self._release()
        raise MailboxClosed

    async def _wait(self) -> None:
        # Said before the last glance, so that a post from another thread is either seen or rings.
        self._asleep = True
        try:
            if not (self._near or self._orders or self._closed):
                await trio.lowlevel.wait_readable(self._selector.fileno())
        finally:
            self._asleep = False

    async def __aiter__(self) -> AsyncIterator[object]:
        """Hand out messages until the mailbox is closed."""
        while True:
            try:
                message = await self.receive()
            except MailboxClosed:
                return
            yield message

    def close(self) -> None:
        """Stop handing out messages; whoever waits in `receive` is woken. Idempotent.

        The connections live on: `set_mode` and `move_to` take them elsewhere.
        """
        self._closed = True
        if self._inside:
            self._ring()
        else:
            self._release()

    def __enter__(self) -> Self:
        """Close the mailbox at the end of the block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
