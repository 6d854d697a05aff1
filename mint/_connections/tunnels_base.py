"""The base of the `Tunnels` of every event loop: many tunnels through one HTTP/2 connection. RFC 9113 8.5.

`TunnelsBase` holds the newest value of the connection to the proxy. If the reader of one tunnel is slow, the
window of that tunnel is not refilled, so that the proxy stops sending to it; other tunnels are not affected.

There are two locks, always taken in this order: that of a link, then that of `TunnelsBase`. While the latter
is held, no link may be locked.
"""

from __future__ import annotations

import weakref
from abc import ABC, abstractmethod
from collections import deque
from time import monotonic
from typing import TYPE_CHECKING, Final, Self

from .._checks import instance, pairs, seconds
from .._connect.race import Attempt, Established, shake_hands
from .._connect.tunnel import authority
from .._core.link_base import Mutex
from .._loops.shared import TunnelLink
from .._process import current_process
from .._wire.link import Link, Refused
from .._wire.stream import MAX_BODY, Tunnel
from .._wire.tls import prepare
from ..errors import (
    HTTPError,
    MintError,
    ProxyFailed,
    StaleConnectionError,
    TransportClosed,
    TransportError,
    UnexpectedProxyStatus,
)
from ..proxy import check_sent_headers
from ..responses import ConnectionEvent, Data, RequestFailed
from ..types import STREAM, UNKNOWN, Eof
from .http2 import HTTP2

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from types import TracebackType

    from .._connect.race import Answer as StepAnswer
    from .._connect.race import IOStep
    from .._wire.tls import TLSLayer
    from ..options import TCPOptions
    from ..responses import RequestRef, Response
    from ..types import HeaderFields, Transport, Unknown
    from .negotiation import Checked, Connection

MOST_HELD: Final = 1_048_576
"""How many octets may wait for the reader of one tunnel before its window is no longer refilled."""


class PlannedTunnel:
    """A tunnel that was requested, and how to make a connection through it."""

    def __init__(self, checked: Checked, layer: TLSLayer | None, tunnel_timeout: float | None) -> None:
        self.checked = checked
        self.layer = layer
        tcp = checked.plan.tcp
        started = monotonic()
        self.until = None if tcp.connect_timeout is None else started + tcp.connect_timeout
        limits = [each for each in (tcp.connect_timeout, tunnel_timeout) if each is not None]
        self.answered_by = started + min(limits) if limits else None

    def handshake(self) -> Generator[IOStep, StepAnswer, None] | None:
        """Return the steps of the TLS handshake with the server; `None` in clear."""
        return None if self.layer is None else shake_hands(Attempt(), (), self.layer)

    def begin(self, link: TunnelLink) -> Connection:
        """Return a connection of the protocol that was negotiated."""
        if self.layer is not None:
            link.adopt((self.layer,))
        alpn = None if self.layer is None else self.layer.alpn
        found = Established(Attempt(), (), alpn, link.tunnel.answer.headers or ())
        return self.checked.begin(link, found, None)


_EXPECTED: Final = (MintError, TypeError, ValueError, Refused)
"""What operations raise: after any other exception, it is unknown how far they came."""
_LOST: Final = RuntimeError("the result of the operation was lost")


class GivingUp:
    """A context that gives something up, or completes it, if an unexpected exception leaves it.

    After a `MemoryError`, or an exception of a signal handler, it is unknown what was sent, and whether the
    tunnels have received what was read. If nothing unexpected happened, `catch_up` is called at the end.
    """

    def __init__(self, give_up: Callable[[], None], catch_up: Callable[[], None] | None = None) -> None:
        self._give_up = give_up
        self._catch_up = catch_up

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is not None and not issubclass(kind, _EXPECTED):
                self._give_up()
            elif self._catch_up is not None:
                self._catch_up()
        except BaseException:
            # Another one came meanwhile; the rest of it is done all the same.
            self._give_up()
            raise


class TunnelsBase(ABC):
    """The base of the `Tunnels` of every event loop."""

    def __init__(self, connection: HTTP2, headers: HeaderFields = ()) -> None:
        """Take over a connection to a proxy.

        `headers` go with every CONNECT, and nowhere else; `Proxy(...).sent_headers` has credentials in it.
        """
        headers = pairs("headers", headers)
        check_sent_headers(headers)
        self._connection: HTTP2 = instance("connection", connection, HTTP2)
        self._headers = headers
        self._links: dict[RequestRef, weakref.ref[TunnelLink]] = {}
        """Every tunnel that was requested and not cancelled, whether or not its link still exists."""
        self._stopped: set[RequestRef] = set()
        """The tunnels whose windows are not refilled, because much waits for their readers."""
        # Not `threading.RLock`: at the end of a `with` block, CPython needs memory to release that.
        self._lock = Mutex()
        # A signal handler may close tunnels while its own thread, which holds the lock, is in an operation on
        # the connection. An operation of the handler would make that one outdated, so it is done afterwards.
        self._in_operation = Mutex()
        self._postponed: deque[Callable[[HTTP2], HTTP2]] = deque()
        self._process = current_process()
        self._passed = 0
        """How many octets tunnels have passed to the connection."""

    @property
    def connection(self) -> HTTP2:
        """The newest value of the connection to the proxy."""
        return self._connection

    @property
    @abstractmethod
    def waits(self) -> bool:
        """Whether the caller that waits for a tunnel reads from the proxy, for all tunnels."""

    @abstractmethod
    def wait(self, until: float | None, phase: str, enough: Callable[[], bool]) -> None:
        """Wait until something has arrived for any tunnel; return at once if `enough()` is true."""

    @property
    def is_crowded(self) -> bool:
        """Whether so much is queued for the proxy that a tunnel must wait before it sends more."""
        return False  # an event loop cannot wait

    @abstractmethod
    def write_beside_mailbox(self, until: float | None, enough: Callable[[], bool]) -> bool:
        """Wait until the system has accepted something.

        Returns false if the rest cannot be written before something is received.
        """

    @property
    def taken(self) -> int:
        """A number that grows only when the system accepts something that the connection has queued."""
        with self._lock:
            return self._passed - self.wire.unsent

    @abstractmethod
    def flush_wire(self, until: float | None, give_way: Callable[[], bool]) -> None:
        """Wait until the system has accepted what the connection has queued, or `give_way()` is true."""

    @property
    def wire(self) -> Transport:
        """The link of the connection to the proxy."""
        return self._connection.transport

    # -- opening

    def _check(self, checked: Checked, tunnel_timeout: float | None) -> tuple[PlannedTunnel, str]:
        """Prepare a tunnel before anything is sent; return it and the target of CONNECT."""
        self._check_ours()
        if tunnel_timeout is not None:
            tunnel_timeout = seconds("tunnel_timeout", tunnel_timeout)
        plan = checked.plan
        target = authority(plan)
        route = ("tunnels", self._connection.peer_address, self._connection.tls, str(plan.address), plan.port)
        layer = None if plan.tls is None else prepare(plan.tls, plan.alpn, plan.hostname, route).layer()
        return PlannedTunnel(checked, layer, tunnel_timeout), target

    def _ask(self, target: str, tcp: TCPOptions) -> TunnelLink:
        with self._lock:
            # Tunnels whose links were dropped without being closed must not count for the proxy's limit.
            for gone in [ref for ref, link in self._links.items() if link() is None]:
                del self._links[gone]
                self._cancel(gone)
            with self._giving_up():
                try:
                    with self._in_operation:
                        self._connection, ref = self._connection.request(
                            "CONNECT", target, self._headers, STREAM
                        )
                except TransportError as error:
                    self._follow(error)
                    raise
                except StaleConnectionError as error:
                    if self.wire.closed:  # by a signal handler, just before the request
                        raise TransportClosed from error
                    raise
                link = TunnelLink(self, Tunnel(self, ref), tcp)
                self._links[ref] = weakref.ref(link)
                return link

    @staticmethod
    def _check_answer(link: TunnelLink) -> None:
        """Raise an error if the proxy did not open the tunnel."""
        answer, failure = link.tunnel.answer, link.tunnel.failure
        if answer.refused:
            raise UnexpectedProxyStatus(answer.status, answer.headers or (), bytes(answer.content[:MAX_BODY]))
        if not answer.opened:
            # The error of the stream or of the connection says more than that the tunnel broke.
            cause = failure.__cause__ if failure is not None else None
            error = cause if isinstance(cause, (HTTPError, TransportError)) else failure
            raise ProxyFailed(error or "it ended the stream without an answer") from error

    # -- called by tunnels and their links

    def room(self, ref: RequestRef) -> int | None:
        """Return how many octets the windows allow now; `None` if the stream accepts no more data."""
        try:
            return self._connection.request_body_window(ref)
        except (ValueError, MintError):
            return None

    def send(self, ref: RequestRef, octets: bytes) -> None:
        """Send octets through a stream."""

        def operation(connection: HTTP2) -> HTTP2:
            passed = self._passed + len(octets)  # before the operation: this may fail without memory
            sent = connection.stream_request_body(ref, octets)
            self._passed = passed
            return sent

        self._do(operation)

    def finish(self, ref: RequestRef) -> None:
        """End the outgoing direction of a stream."""
        self._do(lambda connection: connection.stream_request_body(ref, Eof()))

    def _do(self, operation: Callable[[HTTP2], HTTP2]) -> None:
        """Run an operation on the newest value; a broken connection fails all tunnels."""
        if self._in_operation.held:
            self._postponed.append(operation)
            return
        with self._giving_up():
            self._perform(operation)

    def _perform(self, operation: Callable[[HTTP2], HTTP2]) -> None:
        try:
            with self._in_operation:
                self._connection = operation(self._connection)
        except TransportError as error:
            self._follow(error)
        except (ValueError, MintError):
            return

    def _catch_up(self) -> None:
        """Do what a signal handler has asked for during an operation of this thread."""
        while self._postponed and not self._in_operation.held:
            try:
                operation = self._postponed.popleft()
            except IndexError:  # another handler has come first
                return
            self._perform(operation)

    def pump(self, tunnel: Tunnel, octets: bytes | memoryview[int] = b"") -> bool:
        """Send what the windows allow; return false if the stream accepts no more data."""
        with self._lock:
            self._check_idle()
            with GivingUp(tunnel.give_up):
                if self.room(tunnel.ref) is None:
                    tunnel.write(octets)  # and drop it
                    return False
                tunnel.write(octets)
            if self._connection.transport.unsent:
                self._wake_reader()  # the thread that waits for the socket writes the rest
            return True

    def read(self, tunnel: Tunnel) -> bytes | None:
        """Return one piece that a tunnel received; refill its window if there is room again."""
        with self._lock, GivingUp(tunnel.give_up):
            octets = tunnel.take()
            if tunnel.ref in self._stopped and tunnel.held <= MOST_HELD // 2:
                self._stopped.discard(tunnel.ref)
                if not tunnel.over:
                    self._set_refill(tunnel.ref, True)
            return octets

    def end(self, tunnel: Tunnel) -> None:
        """End the outgoing direction of a tunnel after its queued data."""
        with self._lock, GivingUp(tunnel.give_up):
            if not self._in_operation.held:  # otherwise the tunnel is only cancelled
                tunnel.close_notify()

    def _set_refill(self, ref: RequestRef, refill: bool) -> None:  # like the connection's method
        self._do(lambda connection: connection.set_refill(ref, refill))

    def is_refilled(self, tunnel: Tunnel) -> bool:
        """Whether the proxy may send more through a tunnel."""
        return tunnel.ref not in self._stopped

    def forget(self, tunnel: Tunnel) -> None:
        """Cancel a tunnel; never raises."""
        with self._lock, GivingUp(lambda: self._forget(tunnel)):
            self._forget(tunnel)

    def _forget(self, tunnel: Tunnel) -> None:
        self._stopped.discard(tunnel.ref)
        if tunnel.ref not in self._links:
            return
        tunnel.break_off(reset=False, cause=None)
        # Cancel it even if the proxy has ended: half-closed streams count for its limit (RFC 9113 5.1.2).
        self._cancel(tunnel.ref)
        # Another thread may be waiting for this tunnel.
        self.wake()
        self._links.pop(tunnel.ref, None)  # a signal handler may have come first

    def wake(self) -> None:
        """Wake everyone who waits for a tunnel: it may have been closed."""
        self._notify()
        self._wake_reader()

    def _check_idle(self) -> None:
        """Refuse to work in a signal handler that has interrupted an operation on the connection."""
        if self._in_operation.held:
            raise Refused("a signal handler may close tunnels, but not use them while its thread does")

    def call_in_loop(self, work: Callable[[], object]) -> bool:
        """Call a function in a thread that may use the connection; in blocking code, any thread may."""
        work()
        return True

    def _cancel(self, ref: RequestRef) -> None:
        self._do(lambda connection: connection.cancel_request(ref))

    @abstractmethod
    def look(self) -> None:
        """Read once for all tunnels, without waiting, unless another thread or a mailbox reads."""

    def has_undelivered(self, tunnel: Tunnel) -> bool:
        """Whether something has arrived for this tunnel that a mailbox or event loop still has to deliver."""
        with self._lock:
            if self.waits or not self._connection.is_open("read"):
                return False
            self._check_idle()
            with self._giving_up():
                with self._in_operation:
                    events = self._connection.foreseen()
                return any(
                    not isinstance(each, ConnectionEvent) and each.ref == tunnel.ref for each in events
                )

    def take_undelivered(self, tunnel: Tunnel) -> None:
        """Feed what `has_undelivered` has found, as if the mailbox had delivered it."""
        wire, out = self.wire, list[object]()
        with self._lock, self._giving_up():
            while self.has_undelivered(tunnel) and isinstance(wire, Link) and wire.inbox is not None:
                if not wire.take_message(wire.inbox, out):
                    return
                self._feed(out.pop())

    # -- what the proxy sends

    @abstractmethod
    def _notify(self) -> None:
        """Wake everyone who waits for a tunnel."""

    @abstractmethod
    def _wake_reader(self) -> None:
        """Wake the thread that waits for the socket of the connection to the proxy."""

    def _follow(self, error: MintError) -> None:
        """Continue after an error of the connection to the proxy, with what was decoded before it."""
        if error.successor is not None:
            self._connection = self._connection.after(error)
        self._share(error.responses)
        # 9113-6.8: a GOAWAY with an error code ends only the tunnels above its last stream identifier.
        if not self._connection.is_open("read"):
            self._lost(error)

    def _link_of(self, ref: RequestRef) -> TunnelLink | None:
        found = self._links.get(ref)
        return None if found is None else found()

    def _existing(self) -> Iterator[TunnelLink]:
        """Yield the links that still exist."""
        for each in list(self._links.values()):
            link = each()
            if link is not None:
                yield link

    def _share(self, responses: Sequence[Response]) -> None:
        """Pass each response to its tunnel."""
        touched: set[RequestRef] = set()
        for response in responses:
            if isinstance(response, ConnectionEvent):
                continue
            ref = response.ref
            link = self._link_of(ref)
            if link is None:
                if isinstance(response, Data):
                    self._cancel(ref)  # its link was dropped without being closed
                continue
            tunnel = link.tunnel
            if isinstance(response, RequestFailed):
                tunnel.answer.ended = True
                tunnel.break_off(reset=response.error.reason == "server_closed_request", cause=response.error)
            else:
                tunnel.take_event(response)
            touched.add(ref)
            if tunnel.held > MOST_HELD and ref not in self._stopped:
                self._stopped.add(ref)
                if not tunnel.over:
                    self._set_refill(ref, False)
        self._notify()
        # WINDOW_UPDATE may have made room for any tunnel.
        for link in self._existing():
            if link.inbox is not None and ((link.armed and link.tunnel.ref in touched) or link.unsent):
                link.inbox.watch(link)

    def _lost(self, error: MintError) -> None:
        """End every tunnel, because the connection to the proxy is lost."""
        for link in self._existing():
            if not link.tunnel.over:
                link.tunnel.answer.ended = True
                link.tunnel.break_off(reset=False, cause=error)
            if link.inbox is not None:
                link.inbox.watch(link)
        self._notify()
        self._wake_reader()  # a socket that this thread has closed does not wake it

    def _feed(self, message: object) -> bool | Unknown:
        """Feed a message to the connection to the proxy, and pass its data to the tunnels."""
        self._check_ours()
        with self._lock, self._giving_up():
            self._check_idle()
            try:
                with self._in_operation:
                    taken = self._connection.stream(message)
                    if taken is UNKNOWN:
                        return UNKNOWN
                    self._connection, responses = taken
            except MintError as error:
                if error.local:
                    raise
                self._follow(error)
                return True
            self._share(responses)
            if not self._connection.is_open("read"):
                self._lost(TransportClosed())
            return True

    # -- the end

    def _giving_up(self) -> GivingUp:
        return GivingUp(self._give_up, self._catch_up)

    def _give_up(self) -> None:
        """Close everything after an exception that may have cost what the proxy said."""
        self._settle()
        self._close_all()

    def _settle(self) -> None:
        """Close the connection if an exception has cost the value that the last operation returned."""
        if not self._in_operation.held:
            newest = self._connection
            self.wire.settle(newest._generation, _LOST)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # only connections count values

    def _close_all(self) -> None:
        if self._in_operation.held:
            self._postponed.append(_close)  # the interrupted operation stores its own value first
        self._connection = self._connection.close()
        self._lost(TransportClosed())

    def close(self) -> None:
        """Close the connection to the proxy, and with it every tunnel. Idempotent, never raises."""
        if not self._is_ours:
            # In a forked child, a thread of the parent may have held the lock, and would never release it.
            self._connection = self._connection.close()
            return
        with self._lock, self._giving_up():
            self._close_all()

    @property
    def _is_ours(self) -> bool:
        """Whether this process made the tunnels, and did not inherit them."""
        return not self._process.inherited

    def _check_ours(self) -> None:
        """Raise an error in a forked child, before the lock is taken: a thread of the parent may hold it."""
        if not self._is_ours:
            raise StaleConnectionError

    def __enter__(self) -> Self:
        """Close everything at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _close(connection: HTTP2) -> HTTP2:
    return connection.close()
