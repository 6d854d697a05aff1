"""Many tunnels through one HTTP/2 connection to a proxy: one stream each. RFC 9113 8.5.

A `Tunnels` holds the newest value of the connection to the proxy; whoever waits for one tunnel reads for
all of them. What a tunnel does not ask for makes the proxy stop sending to that tunnel, and to no other.

Two locks, always in this order: a link's own, then that of the `Tunnels`. Under the latter no link is
touched but for its queue.
"""

from __future__ import annotations

import contextlib
import select
import socket as sockets
import threading
import weakref
from collections import deque
from time import monotonic
from typing import TYPE_CHECKING, Final, Literal, Self

from .._connect.race import Arrived, Attempt, Established, Ready, Receive, Send, shake_hands
from .._connect.tunnel import authority
from .._loops.tcp import LONGEST, milliseconds
from .._wire.link import Link, Refused
from .._wire.memory import Memory
from .._wire.stream import MAX_BODY, Answer
from .._wire.tls import prepare
from ..errors import (
    MintError,
    ProxyFailed,
    TransportClosed,
    TransportError,
    TransportReset,
    TransportTimeout,
    TunnelTimeout,
    UnexpectedProxyStatus,
)
from ..options import HTTP1Options, HTTP2Options, TCPOptions, TLSOptions
from ..proxy import check_told
from ..responses import Data, Done, Headers, RequestFailed, Status
from ..types import STREAM, UNKNOWN, Eof, Unread
from .failures import connecting
from .negotiation import make_wish

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from .._connect.race import Answer as StepAnswer
    from .._connect.race import IOStep
    from .._wire.layer import Layer
    from ..responses import RequestRef, Response
    from ..types import Address, HeaderFields, Inbox, ProtocolName, Scheme, SocketAddress, Unknown
    from .http2 import HTTP2
    from .negotiation import Connection, Wish

MOST_HELD: Final = 1_048_576
"""How many octets may wait for the reader of one tunnel before its window is refilled no more."""

_ELSEWHERE = "a mailbox reads for this tunnel: feed stream() of the Tunnels"

_HTTP1 = HTTP1Options()
_HTTP2 = HTTP2Options()
_TCP = TCPOptions()
_TLS = TLSOptions()


class TunnelLink(Memory):
    """One tunnel as a link: its wire is a stream of a connection that it shares."""

    # What is overridden here matters only where something has to be waited for.
    _plain = True

    def __init__(self, tunnels: Tunnels, ref: RequestRef, options: TCPOptions) -> None:
        super().__init__()
        self.still = False  # what is sent leaves by itself, unlike that of a Memory
        self.shared: bool = True
        self.ref = ref
        self.answer: Answer = Answer()
        """What the proxy said to CONNECT."""
        self.queue: deque[bytes] = deque()
        self.queued: int = 0
        self.refilled = True
        """Whether the window of the stream is refilled."""
        self.over: bool = False
        """Whether nothing more will come into the queue."""
        self.error: TransportError | None = None
        """What broke the tunnel."""
        self._tunnels = tunnels
        self._options = options

    # -- what the shared connection tells, under the lock of the tunnels

    def hear(self, response: Response) -> None:
        """Take one response to this tunnel's CONNECT."""
        match response:
            case Data(data=data) if self.answer.opened:
                self.queue.append(data)
                self.queued += len(data)
            case Status() | Headers() | Data():
                self.answer.take((response,))
            case Done():
                self.over = self.answer.ended = True
            case RequestFailed(error=error):
                self.over = self.answer.ended = True
                # 9113-8.5: a reset of the stream stands for a reset of the connection to the origin.
                made = TransportReset() if error.reason == "server_closed_request" else TransportClosed()
                made.__cause__ = error
                self.error = made
            case _:
                pass

    def _fetch(self) -> bytes | None:
        """Return what came through the tunnel, after reading once for all of them."""
        if not (self.queue or self.over):
            self._tunnels.look()
        return self._pull(None, wait=False)

    def look(self) -> Unread | None:
        """Fetch what is there without waiting, and say what it is.

        While a mailbox reads for all tunnels, what it has not handed out is looked at, and left to it.
        """
        found = super().look()
        if found is None and self._tunnels.foresees(self.ref):
            return Unread((), ended=False, failure=None, handed_out=True)
        return found

    @property
    def has_next(self) -> bool:
        """Whether something can be received without asking the proxy."""
        return super().has_next or bool(self.queue) or self.over

    # -- the wire

    def adopt(self, layers: Sequence[Layer], *, secure: bool) -> None:
        """Put layers upon the tunnel, after their handshake."""
        self._layers = tuple(layers)
        self.begin(secure=secure)

    def write_all(self, octets: bytes, until: float | None) -> None:
        """Write octets, waiting for the windows."""
        self._outbox.append(octets)
        self._queued += len(octets)
        self._drain(until, 0)

    def read_raw(self, until: float | None) -> bytes:
        """Read once from the tunnel; empty at its end."""
        octets = self._pull(until, wait=True)
        return octets or b""

    def _drain(self, until: float | None, down_to: int) -> None:
        self._push()
        while self.backlog > down_to:
            self._tunnels.wait(until, "sending", lambda: False)
            self._push()
            if until is not None and self.backlog > down_to and monotonic() >= until:
                raise TransportTimeout("sending")

    def _push(self) -> None:
        """Give the stream what its windows take."""
        while self._outbox:
            octets = self._outbox[0]
            taken = self._tunnels.write(self, bytes(octets))
            self._queued -= taken
            if taken < len(octets):
                self._outbox[0] = memoryview(octets)[taken:]
                return
            self._outbox.popleft()
        if self._shutting:
            self._end_writing()

    def permit(self, call: Literal["recv", "flush"]) -> None:
        """Refuse to wait for what a mailbox reads, before anything is claimed."""
        super().permit(call)
        if self._tunnels.mode != "passive" and (call == "recv" or self.backlog):
            raise Refused(_ELSEWHERE)

    def _transmit(self, *, wait: bool) -> None:
        self._push()
        # Where a mailbox reads, nothing waits: what the windows do not take leaves as they open.
        if wait and self.backlog > self._options.high_water and self._tunnels.mode == "passive":
            timeout = self._options.send_timeout
            with contextlib.suppress(Refused):  # a mailbox reads from now on
                self._drain(None if timeout is None else monotonic() + timeout, self._options.high_water)

    def flush(self, timeout: float | None) -> None:
        """Write all that is queued."""
        self._drain(None if timeout is None else monotonic() + timeout, 0)

    def _pull(self, until: float | None, *, wait: bool) -> bytes | None:
        if self._outbox and not self._write_failed:
            self._push()
        if not self.queue and not self.over:
            if not wait:
                return None
            self._tunnels.wait(until, "receiving", lambda: bool(self.queue) or self.over)
        octets = self._tunnels.read(self)
        if octets is None:
            if self.error is not None:
                raise self.error
            return b""
        return octets

    def _end_writing(self) -> None:
        if not self.write_ended:
            self.write_ended = True
            self._tunnels.end(self)

    def shut_write(self) -> None:
        """End the outgoing direction once everything is written."""
        Link.shut_write(self)

    def _last_words(self) -> None:
        self._push()

    def _shut(self) -> None:
        self._end_writing()
        self._tunnels.forget(self)

    @property
    def local_address(self) -> SocketAddress | None:
        """The address of this end of the connection to the proxy."""
        return self._tunnels.connection.local_address

    @property
    def peer_address(self) -> SocketAddress | None:
        """The address of the proxy."""
        return self._tunnels.connection.peer_address

    def set_inbox(self, inbox: Inbox | None) -> None:
        """Change the mode; a mailbox for a tunnel wants the connection to the proxy in one, too."""
        if inbox is not None and self._tunnels.mode == "passive":
            raise RuntimeError("nobody would read for the mailbox: use set_mode of the Tunnels first")
        super().set_inbox(inbox)


class Tunnels:
    """One HTTP/2 connection to a proxy, and any number of connections through it.

    For example::

        proxy = mint.http2.connect("https", "proxy.example", 443)
        with mint.Tunnels(proxy) as tunnels:
            one = tunnels.connect("https", "one.example", 443)
            two = tunnels.connect("https", "two.example", 443)

    It takes the value over: go on with `tunnels.connection`, if at all. The connections are values like any
    other and may be used in different threads. A tunnel whose reader is slow holds up no other.

    To receive from a `mint.Mailbox`, put the connection to the proxy into it with `set_mode`, then those
    through it with theirs, and give every message that is `UNKNOWN` to the latter to `stream` of the Tunnels.
    """

    def __init__(self, connection: HTTP2, headers: HeaderFields = ()) -> None:
        """Take over a connection to a proxy.

        `headers` go with every CONNECT, and nowhere else; `Proxy(...).sent_headers` has credentials in it.
        """
        check_told(headers)
        self._connection: HTTP2 = connection
        self._headers = headers
        self._links: weakref.WeakValueDictionary[RequestRef, TunnelLink] = weakref.WeakValueDictionary()
        self._given: set[RequestRef] = set()
        """Every tunnel that was asked for and not given up, whether or not its link is still there."""
        self._changed = threading.Condition(threading.RLock())
        self._reading = False
        # Wakes the thread that waits on the socket for all: for what no octet of the proxy tells.
        bell, rope = sockets.socketpair()
        bell.setblocking(False)
        rope.setblocking(False)
        self._bell, self._rope = bell, rope
        self._release = weakref.finalize(self, _close_both, bell, rope)

    @property
    def connection(self) -> HTTP2:
        """The newest value of the connection to the proxy."""
        return self._connection

    @property
    def mode(self) -> str:
        """How the connection to the proxy is read."""
        return self._connection.mode

    # -- opening

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
        tunnel_timeout: float | None = 30.0,
    ) -> Connection:
        """Connect to a server through one more tunnel; the arguments are those of `mint.connect`.

        Of `tcp` counts what has to do with time and amounts, since there is no socket of its own. Raises what
        `mint.connect` raises through a proxy; `TooManyConcurrentRequests` (local) where the proxy allows no
        further tunnel now; `RuntimeError` while a mailbox reads for the connection to the proxy.
        """
        wish = make_wish(scheme, address, port, hostname, protocols, None, tcp, tls, http1, http2, log)
        plan = wish.plan
        asked = authority(plan)
        if self.mode != "passive":
            raise RuntimeError("tunnels are opened while the connection to the proxy is in passive mode")
        with connecting():
            return self._connect(wish, asked, tunnel_timeout)

    def _connect(self, wish: Wish, asked: str, tunnel_timeout: float | None) -> Connection:
        plan = wish.plan
        tcp = plan.tcp
        way = ("tunnels", self._connection.peer_address, self._connection.tls, str(plan.address), plan.port)
        layer = None if plan.tls is None else prepare(plan.tls, plan.alpn, plan.hostname, way).layer()
        started = monotonic()
        until = None if tcp.connect_timeout is None else started + tcp.connect_timeout
        link = self._ask(asked, tcp)
        try:
            limits = [each for each in (tcp.connect_timeout, tunnel_timeout) if each is not None]
            self._opened(link, started + min(limits) if limits else None)
            alpn = None
            if layer is not None:
                _drive(link, shake_hands(Attempt(), (), layer), until)
                link.adopt((layer,), secure=True)
                alpn = layer.alpn
            found = Established(Attempt(), (), alpn, link.answer.headers or ())
            return wish.begin(link, found, None)
        except BaseException:
            link.close()
            raise

    def _ask(self, asked: str, tcp: TCPOptions) -> TunnelLink:
        with self._changed:
            # What was dropped without being closed must not count against the limit of the proxy.
            for gone in [each for each in self._given if each not in self._links]:
                self._given.discard(gone)
                self._cancel(gone)
            try:
                self._connection, ref = self._connection.request("CONNECT", asked, self._headers, STREAM)
            except TransportError as error:
                self._follow(error)
                raise
            link = self._links[ref] = TunnelLink(self, ref, tcp)
            self._given.add(ref)
            return link

    def _opened(self, link: TunnelLink, until: float | None) -> None:
        """Wait for what the proxy answers."""
        answer = link.answer
        try:
            self.wait(until, "opening a tunnel", lambda: answer.complete)
        except TransportTimeout as error:
            if not answer.refused:
                raise TunnelTimeout from error
        except TransportError as error:
            raise ProxyFailed(error) from error
        if answer.refused:
            raise UnexpectedProxyStatus(answer.status, answer.headers or (), bytes(answer.content[:MAX_BODY]))
        if not answer.opened:
            raise ProxyFailed(link.error or "it ended the stream without an answer") from link.error

    # -- what links ask for

    def write(self, link: TunnelLink, octets: bytes) -> int:
        """Send as much of it as the windows take; return how much that was."""
        with self._changed:
            try:
                room = min(self._connection.request_body_window(link.ref), len(octets))
                if room:
                    self._connection = self._connection.stream_request_body(link.ref, octets[:room])
            except TransportError as error:
                self._follow(error)
                raise TransportClosed from error
            except (ValueError, MintError):
                # The stream is over; its link knows why, if there was a reason.
                raise link.error or TransportClosed() from None
            if self._reading and self._connection.transport.unsent:
                self._ring()  # whoever waits for the socket has the rest to write
            return room

    def end(self, link: TunnelLink) -> None:
        """End the outgoing direction of a tunnel."""
        with self._changed:
            try:
                self._connection = self._connection.stream_request_body(link.ref, Eof())
            except TransportError as error:
                self._follow(error)
            except (ValueError, MintError):
                return

    def read(self, link: TunnelLink) -> bytes | None:
        """Take one piece out of the queue of a tunnel; its window is refilled once there is room."""
        with self._changed:
            if not link.queue:
                return None
            octets = link.queue.popleft()
            link.queued -= len(octets)
            if not link.refilled and link.queued <= MOST_HELD // 2:
                link.refilled = True
                self._refill(link)
            return octets

    def _refill(self, link: TunnelLink) -> None:
        if link.over:
            return
        try:
            self._connection = self._connection.set_refill(link.ref, link.refilled)
        except TransportError as error:
            self._follow(error)
        except MintError:
            return

    def forget(self, link: TunnelLink) -> None:
        """Give a tunnel up; never raises."""
        with self._changed:
            self._given.discard(link.ref)
            if self._links.pop(link.ref, None) is None or link.over:
                return
            link.over = link.answer.ended = True
            link.error = TransportClosed()
            self._cancel(link.ref)
            # Another thread may wait for this very tunnel.
            self._changed.notify_all()
            if self._reading:
                self._ring()

    def _cancel(self, ref: RequestRef) -> None:
        try:
            self._connection = self._connection.cancel_request(ref)
        except TransportError as error:
            self._follow(error)
        except MintError:
            return

    # -- reading for all

    def wait(self, until: float | None, phase: str, enough: Callable[[], bool]) -> None:
        """Wait until something came, or it is enough already. Raises `TransportTimeout`."""
        with self._changed:
            if enough():
                return
            while True:
                if self.mode != "passive":
                    raise Refused(_ELSEWHERE)
                if self._reading:
                    # Another thread reads for all; its end wakes everybody.
                    left = None if until is None else until - monotonic()
                    if not self._changed.wait(None if left is None or left > LONGEST else max(0.0, left)):
                        raise TransportTimeout(phase)
                elif not self._read_once(until):
                    raise TransportTimeout(phase)
                if enough() or phase == "sending":
                    return
                if until is not None and monotonic() >= until:
                    # There is always something to read from a proxy that floods.
                    raise TransportTimeout(phase)

    def look(self) -> None:
        """Read once for everybody, without waiting; while a mailbox reads, leave it to that."""
        with self._changed:
            if self.mode == "passive" and self._connection.is_open("read"):
                self._take_now()

    def foresees(self, ref: RequestRef) -> bool:
        """Whether something for this tunnel has come that a mailbox is still to hand out."""
        with self._changed:
            if self.mode == "passive" or not self._connection.is_open("read"):
                return False
            return any(each.ref == ref for each in self._connection.foreseen())

    def _read_once(self, until: float | None) -> bool:
        """Read once for everybody; false when the time is up. The lock is free meanwhile."""
        if self._take_now():
            return True
        socket = self._connection.socket
        if socket is None or not self._connection.is_open("read"):
            self._lost(TransportClosed())
            return True
        # What the system did not take of what was sent must not wait for what comes.
        writing = self._connection.transport.unsent > 0
        self._reading = True
        self._changed.release()
        try:
            ready = _ready(socket, self._bell, until, writing=writing)
        finally:
            self._changed.acquire()
            self._reading = False
            self._changed.notify_all()
            if not self._connection.is_open("read"):
                self._release()
        if ready and self.mode == "passive":
            self._take_now()
        return ready

    def _take_now(self) -> bool:
        """Read what is there; false where nothing is."""
        before = self._connection
        try:
            self._connection, responses = before.recv(timeout=0)
        except TransportTimeout as error:
            self._connection = before.after(error)
            self._share(error.responses)
            return bool(error.responses)
        except MintError as error:
            self._follow(error)
            if error.local:
                self._lost(error)  # somebody else went on with the connection
            return True
        self._share(responses)
        return True

    def _ring(self) -> None:
        """Wake the thread that waits on the socket."""
        with contextlib.suppress(OSError):
            self._rope.send(b"\0")

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
        told: list[TunnelLink] = []
        for response in responses:
            link = self._links.get(response.ref)
            if link is None:
                if isinstance(response, Data):
                    self._cancel(response.ref)  # its link was dropped without being closed
                continue
            link.hear(response)
            told.append(link)
            if link.queued > MOST_HELD and link.refilled:
                link.refilled = False
                self._refill(link)
        self._changed.notify_all()
        # A window may have opened for any of them.
        for link in list(self._links.values()):
            if link.inbox is not None and ((link.armed and link in told) or link.unsent):
                link.inbox.watch(link)

    def _lost(self, error: MintError) -> None:
        """Take that the connection to the proxy is gone, and every tunnel with it."""
        for link in list(self._links.values()):
            if not link.over:
                link.over = link.answer.ended = True
                link.error = TransportClosed()
                link.error.__cause__ = error
                if link.inbox is not None:
                    link.inbox.watch(link)
        self._changed.notify_all()

    # -- active mode

    def set_mode(self, mode: str, mailbox: Inbox | None = None) -> None:
        """Change how the connection to the proxy is read, as `set_mode` of a connection does."""
        if mode not in {"active", "passive"}:
            raise ValueError(f'mode wants "active" or "passive", not {mode!r}')
        with self._changed:
            self._connection = self._connection.set_mode("active" if mode == "active" else "passive", mailbox)
            # Whoever waits has no business with the socket any more.
            self._changed.notify_all()
            if self._reading:
                self._ring()

    def stream(self, message: object) -> bool | Unknown:
        """Feed a message of a mailbox; `mint.UNKNOWN` where it is not the connection's to the proxy.

        What it holds for the tunnels becomes messages of theirs.
        """
        with self._changed:
            before = self._connection
            try:
                taken = before.stream(message)
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
        with self._changed:
            self._connection = self._connection.close()
            self._lost(TransportClosed())
            if not self._reading:
                self._release()

    def __enter__(self) -> Self:
        """Close everything at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _close_both(bell: sockets.socket, rope: sockets.socket) -> None:
    bell.close()
    rope.close()


def _ready(socket: sockets.socket, bell: sockets.socket, until: float | None, *, writing: bool) -> bool:
    """Wait for the socket or the bell; false when the time is up."""
    poll = select.poll()
    try:
        poll.register(socket, select.POLLIN | (select.POLLOUT if writing else 0))
        poll.register(bell, select.POLLIN)
    except ValueError:
        return True  # closed by another thread meanwhile, which is something to look at
    ready = bool(poll.poll(milliseconds(None if until is None else until - monotonic())))
    with contextlib.suppress(OSError):
        while bell.recv(4096):
            pass
    return ready


def _drive(link: TunnelLink, steps: Generator[IOStep, StepAnswer, None], until: float | None) -> None:
    """Answer the steps of a handshake inside a tunnel."""
    try:
        step = next(steps)
        while True:
            match step:
                case Send(_, octets):
                    link.write_all(octets, until)
                    answer: StepAnswer = Ready()
                case Receive():
                    answer = Arrived(link.read_raw(until))
                case _:
                    raise TypeError(f"a handshake asks for {type(step).__name__}")
            step = steps.send(answer)
    except StopIteration:
        return
    finally:
        steps.close()
