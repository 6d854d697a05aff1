"""The link over a tunnel through an HTTP/2 connection that many tunnels share.

A `SharedConnection` reads and writes that connection: `mint.Tunnels`, or the `Tunnels` of an event loop. A
link's own lock is taken before that of the shared connection, never after it.
"""

from __future__ import annotations

from threading import get_ident
from time import monotonic
from typing import TYPE_CHECKING, Literal

from .._wire.link import Link, Refused
from .._wire.pipe import AHEAD, Writing
from ..errors import TransportClosed, TransportError
from ..types import Unread
from .shared_connection import SendLimit

if TYPE_CHECKING:
    import socket as sockets
    from collections.abc import Sequence

    from .._wire.layer import Layer
    from .._wire.link import LoopName
    from .._wire.stream import Tunnel
    from ..options import TCPOptions
    from ..types import Inbox, SocketAddress
    from .shared_connection import SharedConnection

ELSEWHERE = "a mailbox receives for this tunnel: pass its messages to stream() of the Tunnels"


class TunnelLink(Link):
    """One tunnel as a link."""

    _plain = True  # its overrides differ from the base only when something has to be waited for

    def __init__(self, tunnels: SharedConnection, tunnel: Tunnel, options: TCPOptions) -> None:
        super().__init__()
        wire = tunnels.wire
        self.loop_name: LoopName = wire.loop_name if isinstance(wire, Link) else "blocking"
        self.home: int = wire.home if isinstance(wire, Link) else 0
        self.shared: bool = True
        self.windowed: bool = True
        self.tunnel = tunnel
        self.tunnels = tunnels
        self._options = options
        self.high_water: int = options.high_water
        self.max_read_ahead: int = options.max_read_ahead

    def adopt(self, layers: Sequence[Layer]) -> None:
        """Use these layers on top of the tunnel; their handshake is complete."""
        self._layers = tuple(layers)
        self.begin()

    # -- information

    @property
    def has_next(self) -> bool:
        """Whether something can be received without reading from the proxy."""
        return super().has_next or self.tunnel.has_next

    @property
    def unsent(self) -> int:
        """How many octets are queued and have not been passed to the proxy's connection."""
        return super().unsent + self.tunnel.waiting

    @property
    def full(self) -> bool:
        """Whether so much has arrived that the window is no longer refilled."""
        return super().full or not self.tunnels.is_refilled(self.tunnel)

    @property
    def is_blocked(self) -> bool:
        """Whether nothing more can be written until something is received."""
        return self.full or self.held_back

    @property
    def socket(self) -> sockets.socket | None:
        """None: a tunnel has no socket of its own."""
        return None

    @property
    def local_address(self) -> SocketAddress | None:
        """The address of this end of the connection to the proxy."""
        return self.tunnels.wire.local_address

    @property
    def peer_address(self) -> SocketAddress | None:
        """The address of the proxy."""
        return self.tunnels.wire.peer_address

    @property
    def is_writable(self) -> bool:
        """Whether queued octets can still be sent, also those that wait in the connection to the proxy."""
        if self.tunnel.failure is not None or (self._writing >= Writing.FAILED and not self._closed_at_end):
            return False
        wire = self.tunnels.wire
        if isinstance(wire, Link) and wire.has_failed_to_write:
            return False
        return self._writing >= Writing.FINISHED or self.tunnels.room(self.tunnel.ref) is not None

    # -- reading and writing

    def _push(self, *, gently: bool = False) -> int:
        """Pass octets to the connection to the proxy; if `gently`, only until much is queued there."""
        before = self.unsent
        gently = gently or self._writing == Writing.CLOSED  # when it is closed, nothing waits for the proxy
        outbox = self.to_write()
        while True:
            lost = self.tunnel.waiting
            if not self.tunnels.pump(self.tunnel):
                break
            if not outbox or self.tunnel.waiting or (gently and self.tunnels.is_crowded):
                return before - self.unsent
            piece = memoryview(outbox[0])[:AHEAD]
            self.accepted(len(piece))
            self.tunnels.pump(self.tunnel, piece)
            outbox = self.to_write()
        if lost or self.unsent or outbox:
            raise self.tunnel.failure or TransportClosed()
        return before

    def _pull(self, until: float | None, *, wait: bool) -> bytes | None:
        try:
            octets = self.tunnels.read(self.tunnel)
            if octets is None and wait:
                if self.unsent:
                    self._write(wait=False)
                    if self.held_back:
                        return None
                self.tunnels.wait(until, "receiving", self.can_go_on)
                octets = self.tunnels.read(self.tunnel)
        except TimeoutError:
            raise
        except TransportError as error:
            self.fail(error)
            return None
        if octets is None and self.unsent:
            self._write(wait=False)
        return octets

    def _transmit(self, *, wait: bool) -> None:
        if wait and not self.tunnels.waits:
            self._send_beside_mailbox()
            return
        self._push()
        if wait and self.unsent > self.high_water:
            self._drain(self.high_water, self._options.send_timeout, each=True)

    def _drain(self, down_to: int, timeout: float | None, *, each: bool) -> None:
        """Write until at most `down_to` octets are queued, like `SocketLink._drain`.

        With `each`, the time starts again whenever the proxy takes something, also from other tunnels.
        """
        limit = SendLimit(self.tunnels, timeout, each=each)
        while self.unsent > down_to and not self.is_blocked:
            self._check_alive()
            with limit:
                self.tunnels.wait(limit.until, "sending", self._has_room)
            if self._push():
                limit.restart()

    def _send_beside_mailbox(self) -> None:
        """Pass what the windows allow to the connection to the proxy, but wait while much is queued there.

        What the windows do not allow is sent when the mailbox has returned WINDOW_UPDATE.
        """
        limit = SendLimit(self.tunnels, self._options.send_timeout, each=True)
        self._push(gently=True)
        goes_on = True
        while goes_on and self.tunnels.is_crowded and not self.is_blocked:
            self._check_alive()
            with limit:
                goes_on = self.tunnels.write_beside_mailbox(limit.until, self._has_space)
            self._push(gently=True)
        # If something must be received first, the mailbox writes the rest, which it finds in that connection.
        self._push()

    def _has_space(self) -> bool:
        return not self.tunnels.is_crowded

    def _check_alive(self) -> None:
        """Raise an error if nothing can be sent through the tunnel any more."""
        if self._writing == Writing.CLOSED or self.tunnel.failure is not None:
            raise self.tunnel.failure or TransportClosed()

    def _write_out(self) -> None:
        if self.tunnels.waits:
            try:
                self._push()
                self._drain(0, self._options.send_timeout, each=True)
                self._finish_wire()
            except TransportError as error:
                if not self._is_outlived(error):
                    raise
        else:
            self._write(wait=False)  # the rest is sent when WINDOW_UPDATE arrives

    def _is_end_certain(self, error: TransportError) -> bool:  # noqa: ARG002  # END_STREAM always is
        return self.tunnel.clean_end

    @property
    def _has_more_than_end(self) -> bool:
        return super()._has_more_than_end or self.tunnel.held > 0 or self.tunnel.failure is not None

    def can_go_on(self) -> bool:
        """Whether something has arrived or queued octets can be sent, perhaps read by another thread."""
        return self.tunnel.has_next or (self.unsent > 0 and self._has_room())

    def _has_room(self) -> bool:
        """Whether the windows allow something (another thread may have read the update), or never will."""
        return self.tunnels.room(self.tunnel.ref) != 0

    def flush(self, timeout: float | None) -> None:
        """Write everything queued; if that fails but something has arrived, return: it is received first."""
        until = None if timeout is None else monotonic() + timeout
        if self._writing != Writing.FAILED:
            try:
                self._push()
                if self.unsent:
                    self._drain(0, timeout, each=False)
                self._finish_wire()
                if not self.unsent and self.tunnels.wire.unsent:
                    self._flush_wire(until)
            except TransportError as error:
                if not self._is_outlived(error):
                    raise
                return
        if self._writing == Writing.FAILED and not (self._arrived or self.handed_out):
            raise TransportClosed

    def _flush_wire(self, until: float | None) -> None:
        """Wait until the system has accepted what was passed to the connection to the proxy."""
        self.tunnels.flush_wire(until, lambda: self.is_blocked or not self.is_writable)
        if not self.is_writable:
            raise self.tunnel.failure or TransportClosed()

    def write_all(self, octets: bytes) -> None:
        """Queue octets that bypass the layers, for a handshake, and write what is possible."""
        self._outbox.append(octets)
        self._queued += len(octets)
        self._push()

    def permit(self, call: Literal["recv", "flush"]) -> None:
        """Raise `RuntimeError` if this call would wait for input that a mailbox or event loop reads."""
        super().permit(call)
        if self.home:
            raise RuntimeError(f"{call} would block: use the Mailbox and the flush of mint.{self.loop_name}")
        if not self.tunnels.waits and (call == "recv" or self.unsent):
            raise Refused(ELSEWHERE)

    def set_inbox(self, inbox: Inbox | None) -> None:
        """Change the mode; in active mode, the connection to the proxy must be in active mode, too."""
        if inbox is not None and self.tunnels.waits:
            raise RuntimeError(
                "the connection to the proxy must be in active mode first: use set_mode of the Tunnels"
            )
        super().set_inbox(inbox)

    def _end_writing(self) -> None:
        self.tunnels.end(self.tunnel)

    def _fetch(self) -> bytes | None:
        """Return what arrived through the tunnel; if nothing has, read once for all tunnels first."""
        if not self.tunnel.has_next:
            self.tunnels.look()
        # This does not write, because a queued request is written only after a look.
        try:
            return self.tunnels.read(self.tunnel)
        except TransportError as error:
            self.fail(error)
            return None

    def look(self) -> Unread | None:
        """Read what has arrived without waiting, and return it unconsumed; `None` if nothing has.

        While a mailbox reads for all tunnels, this also considers what it has not delivered yet.
        """
        found = super().look()
        if found is not None or not self.tunnels.has_undelivered(self.tunnel):
            return found
        if not self._layers:
            return Unread((), ended=False, failure=None, handed_out=True)
        # It may have no plaintext: a server sends session tickets after the handshake of TLS.
        self.tunnels.take_undelivered(self.tunnel)
        return super().look()

    def _leave_rest(self) -> None:
        if self.inbox is not None and self.has_next:
            self.inbox.watch(self)

    def close(self) -> None:
        """Close now; from another thread than that of the event loop, schedule it in the loop."""
        if self.home and get_ident() != self.home and self._is_ours:
            if not self.tunnels.call_in_loop(super().close):
                self.end()  # nothing can be sent to the proxy any more
        else:
            super().close()

    def _wake(self) -> None:
        if self._is_ours:
            self.tunnels.wake()

    def _shut(self) -> None:
        if not self._is_ours:
            return  # the proxy must not notice that a forked child closes a tunnel of its parent
        if self._writing != Writing.FAILED:
            self._end_writing()
        self.tunnels.forget(self.tunnel)
