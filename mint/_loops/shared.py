"""The link whose wire is a tunnel through an HTTP/2 connection that many tunnels share.

What moves the octets of that connection is a `Carriage`: `mint.Tunnels`, for each event loop. A link's own
lock is taken before that of the carriage, never after it.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Literal, Protocol

from .._wire.link import Link, Refused
from .._wire.pipe import AHEAD, Reading, Writing
from ..errors import TransportClosed, TransportError
from ..types import Unread

if TYPE_CHECKING:
    import socket as sockets
    from collections.abc import Callable, Sequence

    from .._core.events import RequestRef
    from .._wire.layer import Layer
    from .._wire.link import LoopName
    from .._wire.stream import Tunnel
    from ..options import TCPOptions
    from ..types import Inbox, SocketAddress, Transport

ELSEWHERE = "a mailbox receives for this tunnel: pass its messages to stream() of the Tunnels"


class Carriage(Protocol):
    """What a link asks of the connection that carries its tunnel."""

    @property
    def waits(self) -> bool:
        """Whether `wait` may be called: nobody else reads the connection."""
        ...

    @property
    def wire(self) -> Transport:
        """The link of the connection."""
        ...

    def room(self, ref: RequestRef) -> int | None:
        """Return how many octets the windows take now; `None` where the stream takes nothing any more."""
        ...

    def pump(self, tunnel: Tunnel, octets: bytes | memoryview[int] = b"") -> bool:
        """Send what the windows take; false where the stream takes nothing any more."""
        ...

    def read(self, tunnel: Tunnel) -> bytes | None:
        """Return one piece of what came; `b""` at the end; raise what broke the tunnel."""
        ...

    def wait(self, until: float | None, phase: str, enough: Callable[[], bool]) -> None:
        """Wait until something came for any tunnel, or it is enough already."""
        ...

    def look(self) -> None:
        """Read once for all tunnels, without waiting, unless somebody else reads."""
        ...

    def foresees(self, tunnel: Tunnel) -> bool:
        """Whether something for this tunnel has come that somebody else is still to hand out."""
        ...

    def is_refilled(self, tunnel: Tunnel) -> bool:
        """Whether the peer may send more, or was stopped because so much waits."""
        ...

    def end(self, tunnel: Tunnel) -> None:
        """End the outgoing direction of a tunnel, after what waits."""
        ...

    def forget(self, tunnel: Tunnel) -> None:
        """Give a tunnel up; never raises."""
        ...


class TunnelLink(Link):
    """One tunnel as a link."""

    _plain = True  # what is overridden here matters only where something has to be waited for

    def __init__(self, carriage: Carriage, tunnel: Tunnel, options: TCPOptions) -> None:
        super().__init__()
        wire = carriage.wire
        self.loop_name: LoopName = wire.loop_name if isinstance(wire, Link) else "blocking"
        self.home: int = wire.home if isinstance(wire, Link) else 0
        self.shared: bool = True
        self.windowed: bool = True
        self.tunnel = tunnel
        self.carriage = carriage
        self._options = options
        self.high_water: int = options.high_water
        self.max_read_ahead: int = options.max_read_ahead

    def adopt(self, layers: Sequence[Layer]) -> None:
        """Put layers upon the tunnel, after their handshake."""
        self._layers = tuple(layers)
        self.begin()

    # -- what is known

    @property
    def has_next(self) -> bool:
        """Whether something can be received without asking the proxy."""
        return super().has_next or self.tunnel.has_next

    @property
    def unsent(self) -> int:
        """How many octets were written and have not been given to the proxy's connection."""
        return super().unsent + self.tunnel.waiting

    @property
    def full(self) -> bool:
        """Whether so much has arrived that the proxy was told to stop."""
        return super().full or not self.carriage.is_refilled(self.tunnel)

    @property
    def socket(self) -> sockets.socket | None:
        """There is none of its own."""
        return None

    @property
    def local_address(self) -> SocketAddress | None:
        """The address of this end of the connection to the proxy."""
        return self.carriage.wire.local_address

    @property
    def peer_address(self) -> SocketAddress | None:
        """The address of the proxy."""
        return self.carriage.wire.peer_address

    @property
    def is_writable(self) -> bool:
        """Whether what is written can still leave."""
        return self._writing < Writing.FAILED

    # -- the wire

    def _push(self) -> int:
        before = self.unsent
        outbox = self.to_write()
        while self.carriage.pump(self.tunnel):
            if not outbox or self.tunnel.waiting:
                return before - self.unsent
            piece = memoryview(outbox[0])[:AHEAD]
            self.accepted(len(piece))
            self.carriage.pump(self.tunnel, piece)
            outbox = self.to_write()
        if self.unsent or outbox:
            raise self.tunnel.failure or TransportClosed()
        return before

    def _pull(self, until: float | None, *, wait: bool) -> bytes | None:
        try:
            octets = self.carriage.read(self.tunnel)
            if octets is None and wait:
                if self.unsent:
                    self._write(wait=False)
                    if self.held_back:
                        return None
                self.carriage.wait(until, "receiving", self.can_go_on)
                octets = self.carriage.read(self.tunnel)
        except TimeoutError:
            raise
        except TransportError as error:
            self.fail(error)
            return None
        if octets is None and self.unsent:
            self._write(wait=False)
        return octets

    def _transmit(self, *, wait: bool) -> None:
        self._push()
        # Where a mailbox reads, nothing waits: what the windows do not take leaves as they open.
        if wait and self.unsent > self.high_water and self.carriage.waits:
            self._drain(self.high_water, self._options.send_timeout, each=True)

    def _drain(self, down_to: int, timeout: float | None, *, each: bool) -> None:
        until = None if timeout is None else monotonic() + timeout
        while self.unsent > down_to and not (self.full or self.held_back):
            self.carriage.wait(until, "sending", self._has_room)
            if self._push() and each and timeout is not None:
                until = monotonic() + timeout

    def can_go_on(self) -> bool:
        """Whether something has come, or what waits can leave: another thread may have read either."""
        return self.tunnel.has_next or (self.unsent > 0 and self._has_room())

    def _has_room(self) -> bool:
        """Whether the windows take something, which another thread may have read; or never will."""
        return self.carriage.room(self.tunnel.ref) != 0

    def flush(self, timeout: float | None) -> None:
        """Write all that is queued; where that fails, what the peer said before is heard first."""
        if self._writing != Writing.FAILED:
            try:
                self._push()
                if self.unsent:
                    self._drain(0, timeout, each=False)
                self._finish_wire()
            except TransportError as error:
                if not self._is_outlived(error):
                    raise
                return
        if self._writing == Writing.FAILED and not (self._arrived or self.handed_out):
            raise TransportClosed

    def write_all(self, octets: bytes) -> None:
        """Queue octets beside the layers, for a handshake, and write what goes."""
        self._outbox.append(octets)
        self._queued += len(octets)
        self._push()

    def permit(self, call: Literal["recv", "flush"]) -> None:
        """Refuse to wait for what a mailbox reads, before anything is claimed."""
        super().permit(call)
        if self.home:
            raise RuntimeError(f"{call} would block: use the Mailbox and the flush of mint.{self.loop_name}")
        if not self.carriage.waits and (call == "recv" or self.unsent):
            raise Refused(ELSEWHERE)

    def set_inbox(self, inbox: Inbox | None) -> None:
        """Change the mode; a mailbox for a tunnel wants the connection to the proxy in one, too."""
        if inbox is not None and self.carriage.waits:
            raise RuntimeError(
                "the connection to the proxy must be in active mode first: use set_mode of the Tunnels"
            )
        super().set_inbox(inbox)

    def _end_writing(self) -> None:
        self.carriage.end(self.tunnel)

    def _fetch(self) -> bytes | None:
        """Return what came through the tunnel, after reading once for all of them."""
        if not self.tunnel.has_next:
            self.carriage.look()
        return self._pull(None, wait=False)

    def look(self) -> Unread | None:
        """Fetch what is there without waiting, and say what it is.

        While a mailbox reads for all tunnels, what it has not handed out is looked at, and left to it.
        """
        found = super().look()
        if found is None and self.carriage.foresees(self.tunnel):
            return Unread((), ended=False, failure=None, handed_out=True)
        return found

    def _leave_rest(self) -> None:
        if self.inbox is not None and self.has_next:
            self.inbox.watch(self)

    def _gather(self, error: TransportError) -> None:
        # A stream that takes nothing more says itself how it ended.
        super()._gather(error)
        if self._reading == Reading.OPEN:
            self.fail(error)

    def _shut(self) -> None:
        if self._writing != Writing.FAILED:
            self._end_writing()
        self.carriage.forget(self.tunnel)
