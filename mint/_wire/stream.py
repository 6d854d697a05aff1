"""A tunnel that is one stream of an HTTP/2 connection. RFC 9113 8.5.

A `Tunnel` is the state of one tunnel, without the connection that carries it. That is either a connection for
one tunnel (`StreamLayer`, a layer between TLS with the proxy and the data in the tunnel) or a connection that
many tunnels share (`mint.Tunnels`). Octets that the windows of HTTP/2 do not allow yet wait in the `Tunnel`,
and the link counts them. An `Answer` is a proxy's answer to CONNECT, over either protocol.
"""

from __future__ import annotations

from collections import deque
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from .._core.events import Data, Done, Failed, Headers, Status
from .._core.http2 import State
from ..errors import TransportClosed, TransportReset
from ..errors.table import from_fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .._core.events import Event, RequestRef, Step
    from .._core.faults import Fault
    from .._core.http2 import Config
    from ..errors import MintError, TransportError
    from ..types import HeaderFields

MAX_BODY = 65_536
"""How many octets of the content of a refusal (407 and others) are kept."""

_OPENS = range(200, 300)


class Answer:
    """A proxy's answer to CONNECT, as far as it has arrived. Interim responses are ignored."""

    __slots__ = ("content", "ended", "fault", "headers", "status")

    def __init__(self) -> None:
        self.status: int = 0
        self.headers: HeaderFields | None = None
        self.content: bytearray = bytearray()
        """The content of a refusal; if the tunnel is open, the first octets that came through it."""
        self.ended: bool = False
        self.fault: Fault | None = None

    @property
    def refused(self) -> bool:
        """Whether the status is known and is not 2xx."""
        return self.status != 0 and self.status not in _OPENS

    @property
    def opened(self) -> bool:
        """Whether the proxy has opened the tunnel."""
        return self.headers is not None and self.status in _OPENS

    @property
    def complete(self) -> bool:
        """Whether no more of the answer is needed."""
        return self.opened or self.ended or self.fault is not None or len(self.content) >= MAX_BODY

    def take(self, events: Iterable[Event]) -> None:
        """Add the events that the engine decoded from one read."""
        for event in events:
            match event:
                case Status(status=status):
                    self.status = status
                case Headers(headers=headers):
                    self.headers = headers
                case Data(data=data):
                    self.content += data
                case Done():
                    self.ended = True
                case Failed(fault=fault):
                    self.fault = fault
                case _:
                    pass


class Carrier(Protocol):
    """The HTTP/2 connection that carries a tunnel, alone or with others."""

    def room(self, ref: RequestRef) -> int | None:
        """Return how many octets the windows allow now; `None` if the stream accepts no more data."""
        ...

    def send(self, ref: RequestRef, octets: bytes) -> None:
        """Send octets, at most as many as `room` allows."""
        ...

    def finish(self, ref: RequestRef) -> None:
        """End the outgoing direction."""
        ...


class Tunnel:
    """One tunnel: a stream of an HTTP/2 connection."""

    __slots__ = (
        "_arrived",
        "_closing",
        "_pending",
        "answer",
        "carrier",
        "clean_end",
        "ended",
        "failure",
        "held",
        "ref",
    )

    def __init__(self, carrier: Carrier, ref: RequestRef) -> None:
        """Start after CONNECT was sent with this ref."""
        self.carrier: Carrier = carrier
        self.ref: RequestRef = ref
        self._pending = bytearray()
        self._arrived: deque[bytes] = deque()
        self._closing = False
        self.held: int = 0
        """How many octets have arrived and were not read yet."""
        self.answer: Answer = Answer()
        """The proxy's answer to CONNECT."""
        self.clean_end: bool = False
        """Whether the tunnel ended with END_STREAM, and did not break."""
        self.ended: bool = False
        """Whether nothing more will arrive through it."""
        self.failure: TransportError | None = None
        """The error that broke the tunnel: nothing more is sent, and nothing arrives after what was read."""

    # -- called by the connection

    def take_event(self, event: Event) -> None:
        """Handle one event of this tunnel's stream."""
        match event:
            case Data(data=data) if self.answer.opened:
                self._arrived.append(data)
                self.held += len(data)
            case Failed(fault=fault):
                self.answer.take((event,))
                self.break_off(reset=fault.reason == "server_closed_request", cause=from_fault(fault))
            case _:
                self.answer.take((event,))
                if isinstance(event, Done):
                    self.ended = self.clean_end = True

    def break_off(self, *, reset: bool, cause: MintError | None) -> None:
        """Note that it broke; 9113-8.5: a reset of the stream stands for one of the origin's connection."""
        if not self.over:
            self.failure = TransportReset() if reset else TransportClosed()
            self.failure.__cause__ = cause

    def give_up(self) -> None:
        """Send and receive nothing more: an exception may have cost what came, or what waited."""
        self._pending.clear()
        self._closing = False
        self.break_off(reset=False, cause=None)

    # -- called by its link

    @property
    def over(self) -> bool:
        """Whether nothing more will arrive through it."""
        return self.ended or self.failure is not None

    @property
    def has_next(self) -> bool:
        """Whether there is something to read, data or the end."""
        return bool(self._arrived) or self.over

    @property
    def keeps_wire(self) -> bool:
        """Whether the transport must stay open after END_STREAM: true, to send WINDOW_UPDATE frames."""
        return True

    @property
    def waiting(self) -> int:
        """How many octets wait for a window."""
        return len(self._pending)

    def write(self, octets: bytes | memoryview[int]) -> None:
        """Send as much as the windows allow; the rest waits."""
        self._pending += octets
        self.pump()

    def close_notify(self) -> None:
        """End the outgoing direction after the octets that wait."""
        self._closing = True
        self.pump()

    def pump(self) -> None:
        """Send as much as the windows allow."""
        carrier, ref = self.carrier, self.ref
        while self._pending or self._closing:
            room = carrier.room(ref)
            if room is None:
                if self._pending and self.ended and self.failure is None:
                    self.failure = TransportReset()  # after the peer's end, only the lost octets show it
                self._pending.clear()
                self._closing = False
            elif not self._pending:
                self._closing = False
                carrier.finish(ref)
            elif room <= 0:
                return
            else:
                piece = bytes(memoryview(self._pending)[:room])
                del self._pending[: len(piece)]
                carrier.send(ref, piece)

    def take(self) -> bytes | None:
        """Return one piece that arrived, `b""` at the end, `None` if nothing has arrived.

        Raises the error that broke the tunnel once nothing is left.
        """
        if self._arrived:
            octets = self._arrived.popleft()
            self.held -= len(octets)
            return octets
        if self.failure is not None and not self.ended:
            raise self.failure
        return b"" if self.ended else None


class StreamLayer(Tunnel):
    """A tunnel that is the only stream of its connection, as a layer."""

    __slots__ = ("_clock", "_leaving", "_state")

    def __init__(
        self, config: Config, target: str, headers: HeaderFields, clock: Callable[[], float] | None = None
    ) -> None:
        """Start an HTTP/2 connection and send CONNECT. Raises the serializer's error if it is refused.

        `clock` returns the time in seconds for rate limits; by default the system's monotonic clock.
        """
        start = State.open(config)
        step = start.state.request("CONNECT", target, headers, None, True)
        if step.fault is not None or step.ref is None:
            raise from_fault(step.fault) if step.fault is not None else TransportClosed
        super().__init__(self, step.ref)
        self._clock = monotonic if clock is None else clock
        self._state = step.state
        self._leaving = [*start.output, *step.output]

    def room(self, ref: RequestRef) -> int | None:
        """Return how many octets the windows allow now; `None` if the stream accepts no more data."""
        return self._state.body_window(ref) if self._state.body_is_open(ref) else None

    def send(self, ref: RequestRef, octets: bytes) -> None:
        """Send octets through the stream."""
        self._follow(self._state.stream_body(ref, octets))

    def finish(self, ref: RequestRef) -> None:
        """End the stream's outgoing direction."""
        self._follow(self._state.end_body(ref, ()))

    def _follow(self, step: Step[State]) -> None:
        self._state = step.state
        self._leaving += step.output

    def feed(self, octets: bytes) -> None:
        """Parse octets from the proxy; `b""` means that it has ended."""
        if self._state.timed:
            self._state = self._state.at(int(self._clock() * 1000))
        step = self._state.feed(octets) if octets else self._state.feed_eof(True)  # no keyword arguments
        self._follow(step)
        for event in step.responses:
            self.take_event(event)
        # 9113-6.8: a GOAWAY with an error code ends only the streams above its last stream identifier.
        if step.fault is not None and not self._state.is_open_read:
            self.answer.fault = self.answer.fault or step.fault
            self.break_off(reset=False, cause=from_fault(step.fault))
        self.pump()

    def read(self) -> bytes:
        """Return what arrived through the tunnel. Raises the error that broke it once nothing is left."""
        if not self._arrived and self.failure is not None and not self.ended:
            raise self.failure
        octets = b"".join(self._arrived)
        self._arrived.clear()
        self.held = 0
        return octets

    def leaving(self) -> bytes:
        """Return the octets to write to the proxy now."""
        octets = b"".join(self._leaving)
        self._leaving.clear()
        return octets

    def written(self) -> None:
        """Note that all output was written: the engine counts unsent answers to detect floods of PING."""
        self._state = self._state.flushed()
