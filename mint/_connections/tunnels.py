"""Tunnels for blocking calls and mailboxes: a thread that waits for one tunnel reads for all of them."""

from __future__ import annotations

import socket as sockets
import weakref
from time import monotonic
from typing import TYPE_CHECKING, overload

from .._connect.race import Arrived, Ready, Receive, Send
from .._loops.lock_event import LockEvent
from .._loops.shared import ELSEWHERE, TunnelLink
from .._loops.system import POLLIN, POLLOUT, REPORTED, make_poll, milliseconds, no_descriptor
from .._wire.link import HIGH_WATER, Link, Refused
from .._wire.pipe import READ, WRITE
from ..errors import MintError, ProxyFailed, TransportClosed, TransportError, TransportTimeout, TunnelTimeout
from ..options import HTTP1Options, HTTP2Options, TCPOptions, TLSOptions
from .failures import connecting
from .negotiation import check_connect
from .tunnels_base import GivingUp, PlannedTunnel, TunnelsBase

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from typing import Unpack

    from .._connect.race import Answer as StepAnswer
    from .._connect.race import IOStep
    from .._transcripts.recorder import Record
    from ..responses import RequestRef
    from ..types import Address, HeaderFields, Inbox, ProtocolName, Scheme, Transport, Unknown
    from .http1 import HTTP1
    from .http2 import HTTP2
    from .negotiation import Connection
    from .signatures import OnlyHTTP1, OnlyHTTP2, TunnelArguments

_HTTP1 = HTTP1Options()
_HTTP2 = HTTP2Options()
_TCP = TCPOptions()
_TLS = TLSOptions()


class Tunnels(TunnelsBase):
    """One HTTP/2 connection to a proxy, and any number of connections through it.

    For example::

        proxy = mint.http2.connect("https", "proxy.example", 443)
        with mint.Tunnels(proxy) as tunnels:
            one = tunnels.connect("https", "one.example", 443)
            two = tunnels.connect("https", "two.example", 443)

    `Tunnels` takes over the connection to the proxy: if you need its current value, use `tunnels.connection`.
    The connections through the tunnels are values like any other and may be used in different threads. If the
    reader of one tunnel is slow, the others are not affected.

    To receive from a `mint.Mailbox`, first call `set_mode` of the `Tunnels` with it, and then `set_mode` of
    the connections. Give every message for which `stream` of the connections returns `UNKNOWN` to `stream` of
    the `Tunnels`. For asyncio and trio there are `mint.asyncio.Tunnels` and `mint.trio.Tunnels`.
    """

    def __init__(self, connection: HTTP2, headers: HeaderFields = ()) -> None:
        """Take over a connection to a proxy.

        `headers` go with every CONNECT, and nowhere else; `Proxy(...).sent_headers` has credentials in it.
        Raises `TypeError` for a connection of asyncio or trio.
        """
        super().__init__(connection, headers)
        wire = connection.transport
        if isinstance(wire, Link) and wire.home:
            raise TypeError(f"use mint.{wire.loop_name}.Tunnels for a connection of mint.{wire.loop_name}")
        self._reading = False
        self._waiting: set[LockEvent] = set()
        """One for each thread that waits until another one has read."""
        # Wakes the thread that waits on the socket for all tunnels when nothing from the proxy does.
        try:
            receiver, sender = sockets.socketpair()
        except OSError as error:
            raise no_descriptor(error, "making tunnels").marked(successor=connection) from error
        receiver.setblocking(False)
        sender.setblocking(False)
        self._wake_receiver, self._wake_sender = receiver, sender
        # Operations on the connection must not wait: the lock is held, so that other tunnels could not
        # receive or be closed in time. Instead, the links of the tunnels wait while much is queued.
        self._high_water = HIGH_WATER
        if isinstance(wire, Link):
            self._high_water, wire.high_water = wire.high_water, HIGH_WATER
        self._release = weakref.finalize(self, _close_both, receiver, sender)

    @property
    def mode(self) -> str:
        """How the connection to the proxy is read."""
        return self._connection.mode

    @property
    def waits(self) -> bool:
        """Whether the caller that waits for a tunnel reads from the proxy, for all tunnels."""
        return self.mode == "passive"

    @overload
    def connect(
        self,
        scheme: Scheme,
        address: Address,
        port: int,
        *,
        protocols: OnlyHTTP1,
        **options: Unpack[TunnelArguments],
    ) -> HTTP1: ...
    @overload
    def connect(
        self,
        scheme: Scheme,
        address: Address,
        port: int,
        *,
        protocols: OnlyHTTP2,
        **options: Unpack[TunnelArguments],
    ) -> HTTP2: ...
    @overload
    def connect(
        self,
        scheme: Scheme,
        address: Address,
        port: int,
        *,
        protocols: Sequence[ProtocolName] = ...,
        **options: Unpack[TunnelArguments],
    ) -> Connection: ...
    def connect(
        self,
        scheme: Scheme,
        address: Address,
        port: int,
        *,
        hostname: str | None = None,
        protocols: Sequence[ProtocolName] = ("http1", "http2"),
        tcp: TCPOptions = _TCP,
        tls: TLSOptions = _TLS,
        http1: HTTP1Options = _HTTP1,
        http2: HTTP2Options = _HTTP2,
        log: bool = False,
        record: Record | None = None,
        tunnel_timeout: float | None = 30.0,
    ) -> Connection:
        """Connect to a server through one more tunnel; the arguments are those of `mint.connect`.

        Only the timeout and buffer options of `tcp` apply, because the tunnel has no socket of its own.
        Raises what `mint.connect` raises through a proxy, `TooManyConcurrentRequests` (local) if the proxy
        allows no further tunnel now, and `RuntimeError` while a mailbox reads for the connection to the
        proxy.
        """
        if not self.waits:
            raise RuntimeError(
                "the connection to the proxy must be in passive mode to open a tunnel: use set_mode"
            )
        checked = check_connect(
            scheme, address, port, hostname, protocols, None, tcp, tls, http1, http2, log, record
        )
        planned, target = self._check(checked, tunnel_timeout)
        with connecting():
            return self._connect(planned, target)

    def _connect(self, planned: PlannedTunnel, target: str) -> Connection:
        link = self._ask(target, planned.checked.plan.tcp)
        try:
            self._opened(link, planned.answered_by)
            steps = planned.handshake()
            if steps is not None:
                _drive(link, steps, planned.until)
            return planned.begin(link)
        except BaseException:
            link.close()
            raise

    def _opened(self, link: TunnelLink, until: float | None) -> None:
        """Wait for the proxy's answer to CONNECT; raise an error if it did not open the tunnel."""
        answer = link.tunnel.answer
        try:
            while not (answer.complete or link.tunnel.over):
                self.wait(until, "opening a tunnel", lambda: answer.complete or link.tunnel.over)
        except TransportTimeout as error:
            if not answer.refused:
                raise TunnelTimeout from error
        except TransportError as error:
            raise ProxyFailed(error) from error
        self._check_answer(link)

    def room(self, ref: RequestRef) -> int | None:
        """Return how many octets the windows allow now; `None` if the stream accepts no more data.

        It is also 0 while much is queued for the proxy, unless a mailbox reads: the link of the tunnel waits
        then, without the lock.
        """
        room = super().room(ref)
        return 0 if room and self.waits and self.wire.unsent > self._high_water // 2 else room

    @property
    def is_crowded(self) -> bool:
        """Whether so much is queued for the proxy that a tunnel must wait before it sends more."""
        return self.wire.unsent > self._high_water

    # -- reading for all tunnels

    def wait(self, until: float | None, phase: str, enough: Callable[[], bool]) -> None:
        """Wait until something has arrived for any tunnel; return at once if `enough()` is true.

        Raises `TransportTimeout` when the time is up.
        """

        def read() -> bool:
            if not self.waits:
                raise Refused(ELSEWHERE)
            return self._take_now()

        self._wait(until, phase, enough, read)

    def write_beside_mailbox(self, until: float | None, enough: Callable[[], bool]) -> bool:
        """Wait until the system has accepted something, while a mailbox reads.

        Returns false if the rest cannot be written before something is received. Raises `TransportTimeout`
        when the time is up.
        """
        stuck = False

        def write() -> bool:
            nonlocal stuck
            flushed = self._flush_now()
            stuck = flushed and self.wire.unsent > 0
            return flushed

        self._wait(until, "sending", lambda: stuck or enough(), write)
        return not stuck

    def _wait(
        self, until: float | None, phase: str, enough: Callable[[], bool], go_on: Callable[[], bool]
    ) -> None:
        """Wait until `go_on()`, which is called with the lock, has done something, here or in another thread.

        It returns false if the socket must be waited for.
        """
        with self._lock:
            if enough():
                return
            change = LockEvent() if self._reading else None
            if change is not None:
                self._waiting.add(change)
            elif go_on():
                self._in_time(until, phase, enough)
                return
        if change is not None:
            self._wait_for(change, until, phase)
            return
        if not self._read_once(until, enough, go_on):
            raise TransportTimeout(phase)
        self._in_time(until, phase, enough)

    def _wait_for(self, change: LockEvent, until: float | None, phase: str) -> None:
        """Wait for the thread that reads for all tunnels: it wakes the others when it has finished."""
        try:
            if not change.wait(None if until is None else max(0.0, until - monotonic())):
                raise TransportTimeout(phase)
        finally:
            with self._lock:
                self._waiting.discard(change)

    @staticmethod
    def _in_time(until: float | None, phase: str, enough: Callable[[], bool]) -> None:
        # From a proxy that sends without pause, there is always something to read: check the time as well.
        if until is not None and not enough() and monotonic() >= until:
            raise TransportTimeout(phase)

    def flush_wire(self, until: float | None, give_way: Callable[[], bool]) -> None:
        """Wait until the system has accepted what the connection has queued, or `give_way()` is true.

        While a mailbox reads, it returns early if the input queue of the connection is full.
        """
        wire = self.wire
        while wire.unsent and not give_way():
            if self.waits:
                self.wait(until, "sending", lambda: not wire.unsent)
            elif not self.write_beside_mailbox(until, lambda: not wire.unsent):
                return

    def _flush_now(self) -> bool:
        """Write what the system accepts, and read ahead; return false if it must be waited for."""
        self._check_idle()
        with self._giving_up():
            try:
                with self._in_operation:
                    self._connection = self._connection.flush(0)
            except MintError as error:
                self._follow(error)
                if error.local:
                    self._lost(error)  # the program used the connection itself: this value is outdated
                return not isinstance(error, TransportTimeout) or _must_receive(self.wire)
            return True

    def look(self) -> None:
        """Read once for all tunnels, without waiting, unless another thread or a mailbox reads."""
        with self._lock:
            if self.waits and not self._reading and self._connection.is_open("read"):
                self._take_now()

    def _read_once(self, until: float | None, enough: Callable[[], bool], go_on: Callable[[], bool]) -> bool:
        """Wait for the socket and go on; return false when the time is up. Waits without the lock."""
        mine = False
        try:
            with self._lock:
                socket = self._connection.socket
                if socket is None or not self._connection.is_open("read"):
                    with self._giving_up():
                        self._lost(TransportClosed())
                    return True
                # The lock was free for a moment: another thread may have read what this one waits for.
                if self._reading or enough():
                    return True
                events = self._awaited()
                self._reading = mine = True
            ready = _ready(socket, self._wake_receiver, until, events)
        finally:
            if mine:
                self._reading = False
                try:
                    self._stop_reading()
                except BaseException:
                    # A signal handler raised an exception; wake the other threads all the same.
                    self._stop_reading()
                    raise
        with self._lock:
            if ready and not enough():
                go_on()
        return ready

    def _awaited(self) -> int:
        """Return the events of the socket to wait for.

        Octets that the system has not accepted yet must be written without waiting for input. While a mailbox
        reads, an end that it has not reported yet, and input that nobody may read ahead, is not waited for.
        """
        wire = self.wire
        wanted = wire.wants if isinstance(wire, Link) else WRITE if wire.unsent else 0
        return (POLLIN if self.waits or wanted & READ else 0) | (POLLOUT if wanted & WRITE else 0)

    def _stop_reading(self) -> None:
        """Wake the waiting threads, of which one reads next."""
        with self._lock:
            self._notify()
            if not self._connection.is_open("read"):
                self._release()

    def _take_now(self) -> bool:
        """Read what has arrived; return false if nothing has."""
        self.wire.permit("recv")  # a refusal costs nothing
        self._check_idle()
        with self._giving_up():
            return self._take_there()

    def _take_there(self) -> bool:
        try:
            with self._in_operation:
                before = self._connection
                try:
                    self._connection, responses = before.recv(timeout=0)
                except TransportTimeout as error:
                    self._connection = before.after(error)
                    raise
        except TransportTimeout as error:
            self._share(error.responses)
            return bool(error.responses)
        except MintError as error:
            self._follow(error)
            if error.local:
                self._lost(error)  # the program used the connection itself: this value is outdated
            return True
        self._share(responses)
        return True

    def _notify(self) -> None:
        for each in list(self._waiting):
            each.set()
            self._waiting.discard(each)

    def _wake_reader(self) -> None:
        if self._reading:
            with REPORTED:
                self._wake_sender.send(b"\0")

    # -- active mode

    def set_mode(self, mode: str, mailbox: Inbox | None = None) -> None:
        """Change how the connection to the proxy is read, as `set_mode` of a connection does."""
        if mode not in {"active", "passive"}:
            raise ValueError(f'mode must be "active" or "passive", not {mode!r}')
        self._check_ours()
        with self._lock, GivingUp(self._after_exception, self._catch_up):
            self._check_idle()
            with self._in_operation:
                self._connection = self._connection.set_mode(
                    "active" if mode == "active" else "passive", mailbox
                )
            self.wake()  # the threads that wait check the mode again: in active mode they may not read

    def _after_exception(self) -> None:
        """Continue after an exception has interrupted `set_mode`: it may have closed the connection."""
        self._settle()
        if self.wire.closed:
            self._give_up()
        self.wake()

    def stream(self, message: object) -> bool | Unknown:
        """Feed a message of a mailbox; return `mint.UNKNOWN` if it is not for the proxy's connection.

        The data that it contains for tunnels becomes messages of these tunnels.
        """
        return self._feed(message)

    def close(self) -> None:
        """Close the connection to the proxy, and with it every tunnel. Idempotent, never raises."""
        super().close()
        if not self._is_ours:
            self._release()
            return
        with self._lock:
            if not self._reading:
                self._release()
            else:
                self._wake_reader()


def _must_receive(wire: Transport) -> bool:
    """Whether nothing more is read or written before something is received."""
    return isinstance(wire, Link) and (wire.full or wire.held_back)


def _close_both(receiver: sockets.socket, sender: sockets.socket) -> None:
    receiver.close()
    sender.close()


def _ready(socket: sockets.socket, receiver: sockets.socket, until: float | None, events: int) -> bool:
    """Wait for events of the socket, or for the receiver; return false when the time is up."""
    poll = make_poll()
    try:
        poll.register(socket, events)
        poll.register(receiver, POLLIN)
    except ValueError:
        return True  # another thread has closed the socket, and the caller must handle that
    ready = bool(poll.poll(milliseconds(None if until is None else until - monotonic())))
    with REPORTED:
        while receiver.recv(4096):
            pass
    return ready


def _drive(link: TunnelLink, steps: Generator[IOStep, StepAnswer, None], until: float | None) -> None:
    """Answer the steps of a handshake inside a tunnel."""
    try:
        step = next(steps)
        while True:
            match step:
                case Send(_, octets):
                    link.write_all(octets)
                    answer: StepAnswer = Ready()
                case Receive():
                    answer = Arrived(_received(link, until))
                case _:
                    raise TypeError(f"a handshake must yield Send or Receive, not {type(step).__name__}")
            step = steps.send(answer)
    except StopIteration:
        return
    finally:
        steps.close()


def _received(link: TunnelLink, until: float | None) -> bytes:
    """Read once from a tunnel; empty at its end."""
    tunnels = link.tunnels
    while (octets := tunnels.read(link.tunnel)) is None:
        tunnels.pump(link.tunnel)
        tunnels.wait(until, "receiving", link.can_go_on)
    return octets
