"""What the tunnels of every event loop share: an HTTP/2 connection to a proxy. RFC 9113 8.5.

A carriage holds the newest value of the connection to the proxy. What a tunnel does not ask for makes the
proxy stop sending to that tunnel, and to no other.

Two locks, always in this order: a link's own, then that of the carriage. Under the latter no link is touched.
"""

from __future__ import annotations

import threading
import weakref
from abc import ABC, abstractmethod
from time import monotonic
from typing import TYPE_CHECKING, Final, Self

from .._checks import instance, pairs, seconds
from .._connect.race import Attempt, Established, shake_hands
from .._connect.tunnel import authority
from .._loops.shared import TunnelLink
from .._wire.stream import MAX_BODY, Tunnel
from .._wire.tls import prepare
from ..errors import MintError, ProxyFailed, TransportClosed, TransportError, UnexpectedProxyStatus
from ..proxy import check_sent_headers
from ..responses import ConnectionEvent, Data, RequestFailed
from ..types import STREAM, UNKNOWN, Eof
from .http2 import HTTP2

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from .._connect.race import Answer as StepAnswer
    from .._connect.race import IOStep
    from .._wire.tls import TLSLayer
    from ..options import TCPOptions
    from ..responses import RequestRef, Response
    from ..types import HeaderFields, Transport, Unknown
    from .negotiation import Checked, Connection

MOST_HELD: Final = 1_048_576
"""How many octets may wait for the reader of one tunnel before its window is refilled no more."""


class Asked:
    """A tunnel that is asked for: what is to be made of it."""

    def __init__(self, checked: Checked, layer: TLSLayer | None, tunnel_timeout: float | None) -> None:
        self.checked = checked
        self.layer = layer
        tcp = checked.plan.tcp
        started = monotonic()
        self.until = None if tcp.connect_timeout is None else started + tcp.connect_timeout
        limits = [each for each in (tcp.connect_timeout, tunnel_timeout) if each is not None]
        self.answered_by = started + min(limits) if limits else None

    def handshake(self) -> Generator[IOStep, StepAnswer, None] | None:
        """Return the handshake of TLS with the server, if there is one."""
        return None if self.layer is None else shake_hands(Attempt(), (), self.layer)

    def begin(self, link: TunnelLink) -> Connection:
        """Speak the protocol that was agreed on."""
        if self.layer is not None:
            link.adopt((self.layer,))
        alpn = None if self.layer is None else self.layer.alpn
        found = Established(Attempt(), (), alpn, link.tunnel.answer.headers or ())
        return self.checked.begin(link, found, None)


class TunnelsBase(ABC):
    """What tunnels of every event loop share."""

    def __init__(self, connection: HTTP2, headers: HeaderFields = ()) -> None:
        """Take over a connection to a proxy.

        `headers` go with every CONNECT, and nowhere else; `Proxy(...).sent_headers` has credentials in it.
        """
        headers = pairs("headers", headers)
        check_sent_headers(headers)
        self._connection: HTTP2 = instance("connection", connection, HTTP2)
        self._headers = headers
        self._links: weakref.WeakValueDictionary[RequestRef, TunnelLink] = weakref.WeakValueDictionary()
        self._given: set[RequestRef] = set()
        """Every tunnel that was asked for and not given up, whether or not its link is still there."""
        self._stopped: set[RequestRef] = set()
        """Those whose windows are not refilled, because much waits for their readers."""
        # `with` takes the lock itself: a condition does that in Python code, where an exception of a signal
        # handler, or no memory, would leave it held.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)

    @property
    def connection(self) -> HTTP2:
        """The newest value of the connection to the proxy."""
        return self._connection

    @property
    @abstractmethod
    def waits(self) -> bool:
        """Whether whoever waits for a tunnel reads for all of them."""

    @abstractmethod
    def wait(self, until: float | None, phase: str, enough: Callable[[], bool]) -> None:
        """Wait until something came for any tunnel, or it is enough already."""

    @property
    def wire(self) -> Transport:
        """The link of the connection to the proxy."""
        return self._connection.transport

    # -- opening

    def _check(self, checked: Checked, tunnel_timeout: float | None) -> tuple[Asked, str]:
        """Prepare before anything is sent; return what is asked for, and the target of CONNECT."""
        if tunnel_timeout is not None:
            tunnel_timeout = seconds("tunnel_timeout", tunnel_timeout)
        plan = checked.plan
        asked = authority(plan)
        way = ("tunnels", self._connection.peer_address, self._connection.tls, str(plan.address), plan.port)
        layer = None if plan.tls is None else prepare(plan.tls, plan.alpn, plan.hostname, way).layer()
        return Asked(checked, layer, tunnel_timeout), asked

    def _ask(self, asked: str, tcp: TCPOptions) -> TunnelLink:
        with self._lock:
            # What was dropped without being closed must not count against the limit of the proxy.
            for gone in [each for each in self._given if each not in self._links]:
                self._given.discard(gone)
                self._cancel(gone)
            try:
                self._connection, ref = self._connection.request("CONNECT", asked, self._headers, STREAM)
            except TransportError as error:
                self._follow(error)
                raise
            link = self._links[ref] = TunnelLink(self, Tunnel(self, ref), tcp)
            self._given.add(ref)
            return link

    @staticmethod
    def _judge(link: TunnelLink) -> None:
        """Raise where the proxy did not open the tunnel."""
        answer, failure = link.tunnel.answer, link.tunnel.failure
        if answer.refused:
            raise UnexpectedProxyStatus(answer.status, answer.headers or (), bytes(answer.content[:MAX_BODY]))
        if not answer.opened:
            raise ProxyFailed(failure or "it ended the stream without an answer") from failure

    # -- what tunnels and their links ask for

    def room(self, ref: RequestRef) -> int | None:
        """Return how many octets the windows take now."""
        try:
            return self._connection.request_body_window(ref)
        except (ValueError, MintError):
            return None

    def send(self, ref: RequestRef, octets: bytes) -> None:
        """Send octets through a stream."""
        self._do(lambda connection: connection.stream_request_body(ref, octets))

    def finish(self, ref: RequestRef) -> None:
        """End the outgoing direction of a stream."""
        self._do(lambda connection: connection.stream_request_body(ref, Eof()))

    def _do(self, operation: Callable[[HTTP2], HTTP2]) -> None:
        """Run an operation on the newest value; the tunnels are told what fails."""
        try:
            self._connection = operation(self._connection)
        except TransportError as error:
            self._follow(error)
        except (ValueError, MintError):
            return

    def pump(self, tunnel: Tunnel, octets: bytes | memoryview[int] = b"") -> bool:
        """Send what the windows take; false where the stream takes nothing any more."""
        with self._lock:
            if self.room(tunnel.ref) is None:
                tunnel.write(octets)  # and drop it
                return False
            tunnel.write(octets)
            if self._connection.transport.unsent:
                self._ring()  # whoever waits for the socket has the rest to write
            return True

    def read(self, tunnel: Tunnel) -> bytes | None:
        """Take one piece of what came through a tunnel; its window is refilled once there is room."""
        with self._lock:
            octets = tunnel.take()
            if tunnel.ref in self._stopped and tunnel.held <= MOST_HELD // 2:
                self._stopped.discard(tunnel.ref)
                if not tunnel.over:
                    self._set_refill(tunnel.ref, True)
            return octets

    def end(self, tunnel: Tunnel) -> None:
        """End the outgoing direction of a tunnel, after what waits."""
        with self._lock:
            tunnel.close_notify()

    def _set_refill(self, ref: RequestRef, refill: bool) -> None:  # as the connection has it
        self._do(lambda connection: connection.set_refill(ref, refill))

    def is_refilled(self, tunnel: Tunnel) -> bool:
        """Whether the proxy may send more through a tunnel."""
        return tunnel.ref not in self._stopped

    def forget(self, tunnel: Tunnel) -> None:
        """Give a tunnel up; never raises."""
        with self._lock:
            self._given.discard(tunnel.ref)
            self._stopped.discard(tunnel.ref)
            if self._links.pop(tunnel.ref, None) is None:
                return
            tunnel.break_off(reset=False, cause=None)
            # Also where only the proxy has ended: what is half open counts for it (RFC 9113 5.1.2).
            self._cancel(tunnel.ref)
            # Somebody may wait for this very tunnel.
            self._notify()
            self._ring()

    def _cancel(self, ref: RequestRef) -> None:
        self._do(lambda connection: connection.cancel_request(ref))

    @abstractmethod
    def look(self) -> None:
        """Read once for all tunnels, without waiting, unless somebody else reads."""

    def foresees(self, tunnel: Tunnel) -> bool:
        """Whether something for this tunnel has come that somebody else is still to hand out."""
        with self._lock:
            if self.waits or not self._connection.is_open("read"):
                return False
            return any(
                not isinstance(each, ConnectionEvent) and each.ref == tunnel.ref
                for each in self._connection.foreseen()
            )

    # -- what the proxy tells

    @abstractmethod
    def _notify(self) -> None:
        """Wake whoever waits for a tunnel."""

    @abstractmethod
    def _ring(self) -> None:
        """Wake whoever waits for the socket of the connection to the proxy."""

    def _follow(self, error: MintError) -> None:
        """Go on after an error of the connection to the proxy; what was heard before it counts."""
        if error.successor is not None:
            self._connection = self._connection.after(error)
        self._share(error.responses)
        # 9113-6.8: after a GOAWAY that names an error, the tunnels that it does not exclude go on.
        if not self._connection.is_open("read"):
            self._lost(error)

    def _share(self, responses: Sequence[Response]) -> None:
        """Give every tunnel what is its own."""
        told: set[RequestRef] = set()
        for response in responses:
            if isinstance(response, ConnectionEvent):
                continue
            ref = response.ref
            link = self._links.get(ref)
            if link is None:
                if isinstance(response, Data):
                    self._cancel(ref)  # its link was dropped without being closed
                continue
            tunnel = link.tunnel
            if isinstance(response, RequestFailed):
                tunnel.answer.ended = True
                tunnel.break_off(reset=response.error.reason == "server_closed_request", cause=response.error)
            else:
                tunnel.hear(response)
            told.add(ref)
            if tunnel.held > MOST_HELD and ref not in self._stopped:
                self._stopped.add(ref)
                if not tunnel.over:
                    self._set_refill(ref, False)
        self._notify()
        # A window may have opened for any of them.
        for link in list(self._links.values()):
            if link.inbox is not None and ((link.armed and link.tunnel.ref in told) or link.unsent):
                link.inbox.watch(link)

    def _lost(self, error: MintError) -> None:
        """Take that the connection to the proxy is gone, and every tunnel with it."""
        for link in list(self._links.values()):
            if not link.tunnel.over:
                link.tunnel.answer.ended = True
                link.tunnel.break_off(reset=False, cause=error)
            if link.inbox is not None:
                link.inbox.watch(link)
        self._notify()

    def _fed(self, message: object) -> bool | Unknown:
        """Feed a message of the connection to the proxy; what it holds for the tunnels becomes theirs."""
        with self._lock:
            try:
                taken = self._connection.stream(message)
            except MintError as error:
                if error.local:
                    raise
                self._follow(error)
                return True
            if taken is UNKNOWN:
                return UNKNOWN
            self._connection, responses = taken
            self._share(responses)
            if not self._connection.is_open("read"):
                self._lost(TransportClosed())
            return True

    # -- the end

    def close(self) -> None:
        """Close the connection to the proxy, and with it every tunnel. Idempotent, never raises."""
        with self._lock:
            self._connection = self._connection.close()
            self._lost(TransportClosed())

    def __enter__(self) -> Self:
        """Close everything at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
