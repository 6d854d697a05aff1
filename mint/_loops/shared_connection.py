"""What the link of a tunnel needs from the connection that many tunnels share, and its limit for sending."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Protocol

from .._wire.link import Link
from ..errors import TransportTimeout

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._core.events import RequestRef
    from .._wire.stream import Tunnel
    from ..types import Transport


class SharedConnection(Protocol):
    """What a link needs from the connection that carries its tunnel."""

    @property
    def waits(self) -> bool:
        """Whether `wait` may be called: no mailbox or event loop reads the connection."""
        ...

    @property
    def wire(self) -> Transport:
        """The link of the connection."""
        ...

    def room(self, ref: RequestRef) -> int | None:
        """Return how many octets the windows allow now; `None` if the stream accepts no more data."""
        ...

    def pump(self, tunnel: Tunnel, octets: bytes | memoryview[int] = b"") -> bool:
        """Send what the windows allow; return false if the stream accepts no more data."""
        ...

    def read(self, tunnel: Tunnel) -> bytes | None:
        """Return one piece that arrived, `b""` at the end; raise the error that broke the tunnel."""
        ...

    def wait(self, until: float | None, phase: str, enough: Callable[[], bool]) -> None:
        """Wait until something has arrived for any tunnel; return at once if `enough()` is true."""
        ...

    @property
    def taken(self) -> int:
        """A number that grows only when the system accepts something that the connection has queued."""
        ...

    @property
    def is_crowded(self) -> bool:
        """Whether so much is queued for the proxy that a tunnel must wait before it sends more."""
        ...

    def write_beside_mailbox(self, until: float | None, enough: Callable[[], bool]) -> bool:
        """Wait until the system has accepted something.

        Returns false if the rest cannot be written before something is received.
        """
        ...

    def flush_wire(self, until: float | None, give_way: Callable[[], bool]) -> None:
        """Wait until the system has accepted what the connection has queued, or `give_way()` is true."""
        ...

    def look(self) -> None:
        """Read once for all tunnels, without waiting, unless another thread or a mailbox reads."""
        ...

    def has_undelivered(self, tunnel: Tunnel) -> bool:
        """Whether something has arrived for this tunnel that a mailbox or event loop still has to deliver."""
        ...

    def take_undelivered(self, tunnel: Tunnel) -> None:
        """Feed what `has_undelivered` has found, as if the mailbox had delivered it."""
        ...

    def is_refilled(self, tunnel: Tunnel) -> bool:
        """Whether the window is refilled; it is not while too much waits to be received."""
        ...

    def end(self, tunnel: Tunnel) -> None:
        """End the outgoing direction of a tunnel after its queued data."""
        ...

    def call_in_loop(self, work: Callable[[], object]) -> bool:
        """Have the event loop that reads the connection call a function; any thread may ask for that.

        Returns false if the loop has ended.
        """
        ...

    def forget(self, tunnel: Tunnel) -> None:
        """Cancel a tunnel; never raises."""
        ...

    def wake(self) -> None:
        """Wake everyone who waits for a tunnel: it may have been closed."""
        ...


class SendLimit:
    """The time limit of an operation that waits to send; with `each`, of every wait without progress.

    As a context, it ends a `TransportTimeout` if the proxy has taken something since the last start.
    """

    def __init__(self, tunnels: SharedConnection, timeout: float | None, *, each: bool) -> None:
        self._tunnels = tunnels
        self._timeout = timeout
        self._each = each
        self.until = None if timeout is None else monotonic() + timeout
        self._taken = tunnels.taken

    def restart(self) -> None:
        """Start again, if each wait has its own limit."""
        if self._each and self._timeout is not None:
            self.until = monotonic() + self._timeout
            self._taken = self._tunnels.taken

    def __enter__(self) -> None:
        """Begin to wait."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> bool:
        if error is not None and not (self._each and isinstance(error, TransportTimeout)):
            return False
        wire = self._tunnels.wire
        if error is not None and isinstance(wire, Link):
            # The system reports room only once a large part of its buffer is empty.
            wire.write_waiting()
        if self._tunnels.taken > self._taken:
            self.restart()
            return True
        return False
