"""A tunnel that is one stream of an HTTP/2 connection, as a layer without a socket. RFC 9113 8.5.

It stands between the TLS with a proxy and what goes through the tunnel. What the windows of HTTP/2 do not
take yet waits here and is counted by the link. What a proxy answered to CONNECT, over either protocol, is
an `Answer`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.events import Data, Done, Failed, Headers, Status
from .._core.http2 import State
from ..errors import TransportClosed, TransportReset
from ..errors.table import from_fault

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .._core.events import Event, Step
    from .._core.faults import Fault
    from .._core.http2 import Config
    from ..errors import TransportError
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


class StreamLayer:
    """One tunnel, and the HTTP/2 connection it is the only stream of."""

    __slots__ = (
        "_arrived",
        "_closing",
        "_leaving",
        "_pending",
        "_ref",
        "_state",
        "answer",
        "clean_end",
        "ended",
        "failure",
    )

    def __init__(self, config: Config, target: str, headers: HeaderFields) -> None:
        """Begin a connection and ask for the tunnel; raises what the serializer refuses."""
        start = State.open(config)
        step = start.state.request("CONNECT", target, headers, None, True)
        if step.fault is not None or step.ref is None:
            raise from_fault(step.fault) if step.fault is not None else TransportClosed
        self._state = step.state
        self._ref = step.ref
        self._leaving = [*start.output, *step.output]
        self._pending = bytearray()
        self._arrived: list[bytes] = []
        self._closing = False
        self.answer: Answer = Answer()
        """What the proxy said to CONNECT."""
        self.clean_end: bool = False
        """Whether the tunnel was ended, and not broken off."""
        self.ended: bool = False
        """Whether nothing more will come through it."""
        self.failure: TransportError | None = None
        """What broke the tunnel: nothing comes after what was read."""

    @property
    def keeps_wire(self) -> bool:
        """Whether the wire must stay open after END_STREAM: yes, windows are to be refilled."""
        return True

    @property
    def waiting(self) -> int:
        """How many octets the windows do not take yet."""
        return len(self._pending)

    def feed(self, octets: bytes) -> None:
        """Take what came from the proxy; `b""` says that it ended."""
        step = self._state.feed(octets) if octets else self._state.feed_eof(True)  # engines take no keywords
        opened = self.answer.opened
        self._follow(step)
        if opened:
            self._arrived += [event.data for event in step.responses if isinstance(event, Data)]
        else:
            self.answer.take(step.responses)
            if self.answer.opened and self.answer.content:
                self._arrived.append(bytes(self.answer.content))
                self.answer.content.clear()
        for event in step.responses:
            if isinstance(event, Done):
                self.ended = self.clean_end = True
            elif isinstance(event, Failed):
                self._break(event.fault)
        # 9113-6.8: after a GOAWAY that names an error, the streams it does not exclude go on.
        if step.fault is not None and not self._state.is_open_read:
            self.answer.fault = self.answer.fault or step.fault
            self._break(step.fault)
        self._pump()

    def _follow(self, step: Step[State]) -> None:
        self._state = step.state
        self._leaving += step.output

    def _break(self, fault: Fault) -> None:
        """Say what a failure of the stream or of its connection is to those who use the tunnel."""
        if not self.ended and self.failure is None:
            # 9113-8.5: CONNECT_ERROR and its like stand for a reset of the connection to the origin.
            reset = fault.reason == "server_closed_request"
            self.failure = TransportReset() if reset else TransportClosed()
            self.failure.__cause__ = from_fault(fault)

    def _pump(self) -> None:
        """Send as much as the windows take."""
        while self._pending and self._state.body_is_open(self._ref):
            room = self._state.body_window(self._ref)
            if room <= 0:
                return
            piece = bytes(self._pending[:room])
            del self._pending[:room]
            self._follow(self._state.stream_body(self._ref, piece))
        if not self._state.body_is_open(self._ref):
            self._pending.clear()
        elif self._closing:
            self._follow(self._state.end_body(self._ref, ()))

    def read(self) -> bytes:
        """Return what came through the tunnel. Raises what broke it, once nothing is left."""
        if not self._arrived:
            if self.failure is not None:
                raise self.failure
            return b""
        octets = b"".join(self._arrived)
        self._arrived.clear()
        return octets

    def write(self, octets: bytes) -> None:
        """Send through the tunnel."""
        self._pending += octets
        self._pump()

    def leaving(self) -> bytes:
        """Return what must be written to the proxy now."""
        octets = b"".join(self._leaving)
        self._leaving.clear()
        return octets

    def written(self) -> None:
        """Take that the proxy reads what it is told: its next PING is no flood, however old the tunnel."""
        self._state = self._state.flushed()

    def close_notify(self) -> None:
        """End the outgoing direction, after what waits."""
        self._closing = True
        self._pump()
