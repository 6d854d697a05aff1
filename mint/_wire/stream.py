"""A tunnel that is one stream of an HTTP/2 connection. RFC 9113 8.5.

`Tunnel` is all there is to know about one, without the connection that carries it: a connection of its own
(`StreamLayer`, between the TLS with a proxy and what goes through the tunnel) or one that many share
(`mint.Tunnels`). What the windows of HTTP/2 do not take yet waits in it and is counted by the link. What a
proxy answered to CONNECT, over either protocol, is an `Answer`.
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
"""How much of the content of a refusal (407 ...) is kept, in octets."""

_OPENS = range(200, 300)


class Answer:
    """What a proxy has said to CONNECT so far. Interim responses count for nothing."""

    __slots__ = ("content", "ended", "fault", "headers", "status")

    def __init__(self) -> None:
        self.status: int = 0
        self.headers: HeaderFields | None = None
        self.content: bytearray = bytearray()
        """The content of a refusal; of an open tunnel, what came through it already."""
        self.ended: bool = False
        self.fault: Fault | None = None

    @property
    def refused(self) -> bool:
        """Whether the status is known, and opens no tunnel."""
        return self.status != 0 and self.status not in _OPENS

    @property
    def opened(self) -> bool:
        """Whether there is a tunnel."""
        return self.headers is not None and self.status in _OPENS

    @property
    def complete(self) -> bool:
        """Whether nothing more is worth waiting for."""
        return self.opened or self.ended or self.fault is not None or len(self.content) >= MAX_BODY

    def take(self, events: Iterable[Event]) -> None:
        """Take what an engine made of one read."""
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
    """What carries the stream of a tunnel: an HTTP/2 connection, with one tunnel or many."""

    def room(self, ref: RequestRef) -> int | None:
        """Return how many octets the windows take now; `None` where the stream takes none any more."""
        ...

    def send(self, ref: RequestRef, octets: bytes) -> None:
        """Send octets, no more than there is room for."""
        ...

    def finish(self, ref: RequestRef) -> None:
        """End the outgoing direction."""
        ...


class Tunnel:
    """One tunnel: a stream of an HTTP/2 connection, whichever connection that is."""

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
        """Begin when CONNECT was sent under this ref."""
        self.carrier: Carrier = carrier
        self.ref: RequestRef = ref
        self._pending = bytearray()
        self._arrived: deque[bytes] = deque()
        self._closing = False
        self.held: int = 0
        """How many octets came through it and were not read yet."""
        self.answer: Answer = Answer()
        """What the proxy said to CONNECT."""
        self.clean_end: bool = False
        """Whether the tunnel was ended, and not broken off."""
        self.ended: bool = False
        """Whether nothing more will come through it."""
        self.failure: TransportError | None = None
        """What broke the tunnel: nothing comes after what was read."""

    # -- what the connection tells

    def hear(self, event: Event) -> None:
        """Take one event of this tunnel's stream."""
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
        """Take that it broke; 9113-8.5: a reset of the stream stands for one of the origin's connection."""
        if not self.over:
            self.failure = TransportReset() if reset else TransportClosed()
            self.failure.__cause__ = cause

    # -- as its link sees it

    @property
    def over(self) -> bool:
        """Whether nothing more will come through it."""
        return self.ended or self.failure is not None

    @property
    def has_next(self) -> bool:
        """Whether there is something to be read."""
        return bool(self._arrived) or self.over

    @property
    def keeps_wire(self) -> bool:
        """Whether the wire must stay open after END_STREAM: yes, windows are to be refilled."""
        return True

    @property
    def waiting(self) -> int:
        """How many octets the windows do not take yet."""
        return len(self._pending)

    def write(self, octets: bytes | memoryview[int]) -> None:
        """Send through the tunnel what the windows take; the rest waits."""
        self._pending += octets
        self.pump()

    def close_notify(self) -> None:
        """End the outgoing direction, after what waits."""
        self._closing = True
        self.pump()

    def pump(self) -> None:
        """Send as much as the windows take."""
        carrier, ref = self.carrier, self.ref
        while self._pending or self._closing:
            room = carrier.room(ref)
            if room is None:
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
        """Return one piece of what came through the tunnel, `b""` at its end, `None` where nothing is there.

        Raises what broke it, once nothing is left.
        """
        if self._arrived:
            octets = self._arrived.popleft()
            self.held -= len(octets)
            return octets
        if self.failure is not None:
            raise self.failure
        return b"" if self.ended else None


class StreamLayer(Tunnel):
    """A tunnel that is the only stream of its connection, as a layer."""

    __slots__ = ("_clock", "_leaving", "_state")

    def __init__(
        self, config: Config, target: str, headers: HeaderFields, clock: Callable[[], float] | None = None
    ) -> None:
        """Begin a connection and ask for the tunnel; raises what the serializer refuses.

        `clock` gives seconds (the system's unless given). Some limits are on how much comes in a time.
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
        """Return how many octets the windows take now."""
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
        """Take what came from the proxy; `b""` says that it ended."""
        if self._state.timed:
            self._state = self._state.at(int(self._clock() * 1000))
        step = self._state.feed(octets) if octets else self._state.feed_eof(True)  # no keywords
        self._follow(step)
        for event in step.responses:
            self.hear(event)
        # 9113-6.8: after a GOAWAY that names an error, the streams it does not exclude go on.
        if step.fault is not None and not self._state.is_open_read:
            self.answer.fault = self.answer.fault or step.fault
            self.break_off(reset=False, cause=from_fault(step.fault))
        self.pump()

    def read(self) -> bytes:
        """Return what came through the tunnel. Raises what broke it, once nothing is left."""
        if not self._arrived and self.failure is not None:
            raise self.failure
        octets = b"".join(self._arrived)
        self._arrived.clear()
        self.held = 0
        return octets

    def leaving(self) -> bytes:
        """Return what must be written to the proxy now."""
        octets = b"".join(self._leaving)
        self._leaving.clear()
        return octets

    def written(self) -> None:
        """Take that the proxy reads what it is told: its next PING is no flood, however old the tunnel."""
        self._state = self._state.flushed()
