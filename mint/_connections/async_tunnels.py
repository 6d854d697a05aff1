"""Tunnels in asyncio and trio: the event loop reads from the proxy for all of them."""

from __future__ import annotations

import contextlib
import weakref
from threading import get_ident
from typing import TYPE_CHECKING, overload

from .._connect.race import Arrived, Ready, Receive, Send
from .._loops.shared import ELSEWHERE, TunnelLink
from .._wire.link import Link, Refused
from ..errors import MintError, TransportClosed, TransportTimeout, TunnelTimeout
from ..options import HTTP1Options, HTTP2Options, TCPOptions, TLSOptions
from .arguments import check_mailbox
from .failures import connecting
from .negotiation import check_connect
from .tunnels_base import PlannedTunnel, TunnelsBase

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from typing import Unpack

    from .._connect.race import Answer as StepAnswer
    from .._connect.race import IOStep
    from .._loops.reader import Reader
    from .._transcripts.recorder import Record
    from ..types import Address, HeaderFields, Inbox, ProtocolName, Scheme, Transport
    from .http1 import HTTP1
    from .http2 import HTTP2
    from .negotiation import Connection
    from .signatures import AsyncTunnelArguments, OnlyHTTP1, OnlyHTTP2

_HTTP1 = HTTP1Options()
_HTTP2 = HTTP2Options()
_TCP = TCPOptions()
_TLS = TLSOptions()


class Tunnels(TunnelsBase):
    """One HTTP/2 connection to a proxy, and any number of connections through it, in asyncio or trio.

    For example::

        proxy = await mint.asyncio.connect("https", "proxy.example", 443, protocols=("http2",))
        with mint.asyncio.Tunnels(proxy) as tunnels:
            one = await tunnels.connect("https", "one.example", 443, mailbox=mailbox)

    `Tunnels` takes over the connection to the proxy, and removes it from its mailbox if it has one. The event
    loop reads for all tunnels. The connections through them are values like any other: receive from a mailbox
    of the same event loop, and use its `flush` function.
    """

    def __init__(self, connection: HTTP2, headers: HeaderFields = ()) -> None:
        """Take over a connection to a proxy, which was made in the same event loop.

        `headers` go with every CONNECT, and nowhere else. Raises `TypeError` for a connection without an
        event loop.
        """
        super().__init__(connection, headers)
        self._reader = _reader(connection.transport, weakref.WeakMethod(self._on_message))
        self._connection = connection.set_mode("active", self._reader)

    @property
    def waits(self) -> bool:
        """False, because the event loop reads."""
        return False

    def wait(self, until: float | None, phase: str, enough: Callable[[], bool]) -> None:  # noqa: ARG002  # refused
        """Raise `Refused`: only a blocking call could wait here."""
        raise Refused(ELSEWHERE)

    def write_beside_mailbox(self, until: float | None, enough: Callable[[], bool]) -> bool:  # noqa: ARG002  # as above
        """Raise `Refused`: only a blocking call could wait here."""
        raise Refused(ELSEWHERE)

    def flush_wire(self, until: float | None, give_way: Callable[[], bool]) -> None:  # noqa: ARG002  # refused
        """Raise `Refused`: only a blocking call could wait here."""
        raise Refused(ELSEWHERE)

    def _on_message(self, message: object) -> None:
        """Feed a message to the connection to the proxy, then write what the windows allow now."""
        try:
            self._feed(message)
        except MintError as error:
            self._lost(error)  # an exception interrupted an operation, and its successor was lost
        for link in self._existing():
            if link.unsent:
                link.write_waiting()
        self._notify()

    def look(self) -> None:
        """Read what has arrived, for all tunnels, without waiting."""
        self._reader.read_now(self._feed)

    def _notify(self) -> None:
        self._reader.notify()

    def _wake_reader(self) -> None:
        """Do nothing: only the event loop waits for the socket, and the link wakes it."""

    @overload
    async def connect(
        self,
        scheme: Scheme,
        address: Address,
        port: int,
        *,
        protocols: OnlyHTTP1,
        **options: Unpack[AsyncTunnelArguments],
    ) -> HTTP1: ...
    @overload
    async def connect(
        self,
        scheme: Scheme,
        address: Address,
        port: int,
        *,
        protocols: OnlyHTTP2,
        **options: Unpack[AsyncTunnelArguments],
    ) -> HTTP2: ...
    @overload
    async def connect(
        self,
        scheme: Scheme,
        address: Address,
        port: int,
        *,
        protocols: Sequence[ProtocolName] = ...,
        **options: Unpack[AsyncTunnelArguments],
    ) -> Connection: ...
    async def connect(
        self,
        scheme: Scheme,
        address: Address,
        port: int,
        *,
        hostname: str | None = None,
        protocols: Sequence[ProtocolName] = ("http1", "http2"),
        mailbox: Inbox | None = None,
        tcp: TCPOptions = _TCP,
        tls: TLSOptions = _TLS,
        http1: HTTP1Options = _HTTP1,
        http2: HTTP2Options = _HTTP2,
        log: bool = False,
        record: Record | None = None,
        tunnel_timeout: float | None = 30.0,
    ) -> Connection:
        """Connect to a server through one more tunnel; the arguments are those of `connect`.

        Only the timeout and buffer options of `tcp` apply, because the tunnel has no socket of its own.
        Raises what `connect` raises through a proxy, and `TooManyConcurrentRequests` (local) if the proxy
        allows no further tunnel now. If it is cancelled, no tunnel is left behind.
        """
        checked = check_connect(
            scheme, address, port, hostname, protocols, None, tcp, tls, http1, http2, log, record
        )
        check_mailbox(mailbox, getattr(self.wire, "loop_name", None))
        planned, target = self._check(checked, tunnel_timeout)
        with connecting():
            made = await self._connect(planned, target)
            try:
                return made if mailbox is None else made.set_mode("active", mailbox)
            except BaseException:
                made.close()  # the mailbox was closed meanwhile
                raise

    async def _connect(self, planned: PlannedTunnel, target: str) -> Connection:
        link = self._ask(target, planned.checked.plan.tcp)
        try:
            await self._opened(link, planned.answered_by)
            steps = planned.handshake()
            if steps is not None:
                await self._shake_hands(link, steps, planned.until)
            return planned.begin(link)
        except BaseException:
            link.close()
            raise

    async def _opened(self, link: TunnelLink, until: float | None) -> None:
        tunnel = link.tunnel
        try:
            while not (tunnel.answer.complete or tunnel.over):
                await self._reader.changed(until, "opening a tunnel")
        except TransportTimeout as error:
            if not tunnel.answer.refused:
                raise TunnelTimeout from error
        self._check_answer(link)

    async def _shake_hands(
        self, link: TunnelLink, steps: Generator[IOStep, StepAnswer, None], until: float | None
    ) -> None:
        with contextlib.closing(steps):
            answer: StepAnswer | None = None
            with contextlib.suppress(StopIteration):
                while True:
                    step = next(steps) if answer is None else steps.send(answer)
                    if isinstance(step, Send):
                        link.write_all(step.octets)
                        answer = Ready()
                    elif isinstance(step, Receive):
                        while (octets := self.read(link.tunnel)) is None:
                            await self._reader.changed(until, "receiving")
                        answer = Arrived(octets)
                    else:
                        raise TypeError(f"a handshake must yield Send or Receive, not {type(step).__name__}")

    async def drain(self, link: TunnelLink) -> None:
        """Wait until the system has accepted everything that a tunnel has queued.

        Returns early if something has to be received first. Raises `TransportClosed` if the tunnel broke
        before everything was accepted.
        """
        self._check_ours()
        link.write_waiting()
        while (link.unsent or self.wire.unsent) and link.is_writable and not link.is_blocked:
            await self._reader.changed(None, "sending")
            link.write_waiting()
        if not link.is_writable or (link.unsent and not link.is_blocked):
            raise TransportClosed

    def call_in_loop(self, work: Callable[[], object]) -> bool:
        """Have the event loop call a function; any thread may ask for that. Returns false after its end."""
        return self._reader.call_in_loop(work)

    def wake(self) -> None:
        """Wake everyone who waits for a tunnel: it may have been closed."""
        super().wake()
        self._reader.nudge()

    def close(self) -> None:
        """Close the connection to the proxy, and with it every tunnel. Idempotent, never raises.

        In another thread than that of the event loop, this is scheduled in the loop.
        """
        if not self._is_ours:
            super().close()
        elif isinstance(self.wire, Link) and self.wire.home != get_ident():
            if not self.call_in_loop(self.close):
                self._connection = self._connection.close()  # nobody waits for a tunnel any more
        else:
            super().close()
            self._reader.stop()


def _reader(wire: Transport, take: weakref.WeakMethod[Callable[[object], None]]) -> Reader:
    if isinstance(wire, Link) and wire.loop_name == "asyncio":
        from .._loops.asyncio_tunnels import LoopReader  # noqa: PLC0415  # only who uses it imports asyncio

        return LoopReader(wire, take)
    if isinstance(wire, Link) and wire.loop_name == "trio":
        from .._loops.trio_tunnels import read_for  # noqa: PLC0415  # an optional dependency

        return read_for(wire, take)
    raise TypeError("use mint.Tunnels for a connection without an event loop")
