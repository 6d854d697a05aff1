"""The link of the blocking world: a socket, in clear or under TLS layers.

Only a receive without a time limit waits in the socket itself. An operation writes what the kernel takes;
above the high-water mark it waits up to `send_timeout` and reads into a bounded inbox meanwhile, so that
two peers that both write cannot deadlock. A receive drains the outbox too.
"""

from __future__ import annotations

import contextlib
import math
import select
import socket as sockets
from time import monotonic
from typing import TYPE_CHECKING

from .._wire.link import Link
from .._wire.tls import TLSLayer
from ..errors import TransportClosed, TransportError, TransportTimeout
from ..errors.transport import Unreachable, system_error
from .reading import grown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._wire.layer import Layer
    from ..options import TCPOptions
    from ..types import Inbox

MOST_HELD = 4 * 1_048_576
"""How much an operation that waits to write reads meanwhile, in octets."""

AT_ONCE = int(getattr(sockets, "MSG_DONTWAIT", 0))
"""Makes one call not wait. Where the system has it, the socket itself may: that spares asking first."""

_PIECES = 64
"""How many pieces go to the kernel in one call."""


LONGEST = 2_000_000.0
"""Above how many seconds waiting has no end: `poll` counts milliseconds in 31 bits."""


def milliseconds(left: float | None) -> int | None:
    """Return a time for `poll`; `None` is for ever."""
    if left is None or left > LONGEST:
        return None
    return math.ceil(max(0.0, left) * 1000)


def _broken(error: OSError, doing: str) -> TransportError:
    """Return the error for a socket that is lost, which a time that is up (ETIMEDOUT) is as well.

    It must not look like a time limit of ours, after which the connection lives on: the system tells it
    once, and what is read next looks like the peer's end.
    """
    made = system_error(error, doing=doing)
    if isinstance(made, TimeoutError):
        made = Unreachable(error.strerror or str(error))
        made.__cause__ = error
    return made


class SocketLink(Link):
    """A connected socket as a link, for `initiate`; blocking calls wait with `poll`.

    The socket is closed with the link. `options` are the `TCPOptions` that count from now on, `layers`
    those of TLS, the outermost first.
    """

    def __init__(self, socket: sockets.socket, options: TCPOptions, layers: Sequence[Layer] = ()) -> None:
        """Take over a connected socket (it is closed with the link)."""
        super().__init__(layers)
        socket.setblocking(bool(AT_ONCE))
        self._socket = socket
        self._options = options
        self._poll = select.poll()
        self._watched = -1
        self._unsealed: list[bytes] = []
        """What the layers get together, so that few records hold it."""
        self._read_size = self._first_size = options.receive_size

    @property
    def socket(self) -> sockets.socket | None:
        """The socket, to read from its options."""
        return self._socket

    # -- waiting

    def _wait(self, events: int, until: float | None) -> int:
        """Wait for the events; return those that came, 0 when the time is up."""
        if self._watched != events:
            self._poll.register(self._socket.fileno(), events)
            self._watched = events
        ready = self._poll.poll(milliseconds(None if until is None else until - monotonic()))
        return ready[0][1] if ready else 0

    # -- writing

    # What is overridden here does the same in fewer calls.
    _plain = True

    def send(self, pieces: tuple[bytes, ...], *, flush: bool) -> None:
        """Write at once where nothing waits before it; else queue, and write what the kernel takes.

        What need not be written yet waits for company before it goes through the layers: only here, where
        nobody but an operation writes.
        """
        failing = self._closed or self._shutting or self._write_failed
        if self._layers and not (flush or failing or self.home or self.inbox is not None):
            self._unsealed += pieces
            self._queued += sum(map(len, pieces))
            return
        self._seal()
        layer = self._layers[0] if len(self._layers) == 1 else None
        if (
            flush
            and len(pieces) == 1
            and (not self._layers or isinstance(layer, TLSLayer))
            and not (self._outbox or failing)
        ):
            piece = pieces[0]
            if layer is not None:
                layer.write(piece)
                piece = layer.leaving()
            try:
                sent = self._socket.send(piece, AT_ONCE)
            except BlockingIOError:
                sent = 0
            except OSError as error:
                broken = _broken(error, "sending")
                if self._is_outlived(broken):
                    return
                try:
                    raise broken from error
                finally:
                    del broken  # no frame may hold the error whose traceback holds the frame
            if sent == len(piece):
                return
            self._outbox.append(memoryview(piece)[sent:])
            self._queued += len(piece) - sent
            self._write()
        else:
            super().send(pieces, flush=flush)

    def _seal(self) -> None:
        """Let what waits for company go through the layers."""
        if self._unsealed:
            octets = b"".join(self._unsealed)
            self._unsealed.clear()
            self._queued -= len(octets)
            self._queue((octets,))

    def set_inbox(self, inbox: Inbox | None) -> None:
        """Change the mode."""
        self._seal()
        super().set_inbox(inbox)

    def _transmit(self, *, wait: bool) -> None:
        self._write_some()
        if not wait or self.backlog <= self._options.high_water:
            return
        timeout = self._options.send_timeout
        self._drain(None if timeout is None else monotonic() + timeout, down_to=self._options.high_water)

    def _write_some(self) -> bool:
        """Write until the kernel takes no more; true when the outbox is empty."""
        outbox = self._outbox
        try:
            while outbox:
                if len(outbox) == 1:
                    sent = self._socket.send(outbox[0], AT_ONCE)
                else:
                    pieces = [outbox[i] for i in range(min(len(outbox), _PIECES))]
                    sent = self._socket.sendmsg(pieces, [], AT_ONCE)
                self._queued -= sent
                while outbox and sent >= len(outbox[0]):
                    sent -= len(outbox.popleft())
                if sent:
                    # Keep the rest by reference: a view costs nothing, a slice copies.
                    outbox[0] = memoryview(outbox[0])[sent:]
        except BlockingIOError:
            return False
        except OSError as error:
            raise _broken(error, "sending") from error
        return True

    def _drain(self, until: float | None, *, down_to: int) -> None:
        """Write until at most `down_to` octets are queued, reading meanwhile."""
        while self.backlog > down_to:
            if self._closed:
                raise TransportClosed
            # Where a layer waits for its peer, there may be nothing to write.
            events = select.POLLOUT if self._outbox else 0
            over = self._ended or self._failure is not None
            if over and not events:
                # Only what comes could open the windows, and nothing will.
                raise TransportClosed
            if self._held < MOST_HELD and not over:
                events |= select.POLLIN
            ready = self._wait(events, until)
            if not ready:
                raise TransportTimeout("sending")
            # The system tells of a hang-up unasked, and at once each time: what is left then is read to its
            # end, which is no more than the system holds.
            if ready & ~select.POLLOUT and not over:
                octets = self._read_now()
                if octets is not None:
                    self._take_in(octets)
                    if self.armed and self.inbox is not None:
                        # The socket does not tell the mailbox any more.
                        self.inbox.watch(self)
                if until is not None and not ready & select.POLLOUT and monotonic() >= until:
                    raise TransportTimeout("sending")
            self._write_some()

    def flush(self, timeout: float | None) -> None:
        """Write all that is queued; where that fails, what the peer said before is heard first."""
        if self._write_failed:
            if not self._arrived:
                raise TransportClosed
            return
        try:
            self._seal()
            if not self._write_some() or self.backlog:
                self._drain(None if timeout is None else monotonic() + timeout, down_to=0)
            if self._shutting:
                self._end_writing()
        except TransportError as error:
            if not self._is_outlived(error):
                raise

    # -- reading

    def _read_now(self) -> bytes | None:
        try:
            return self._read(AT_ONCE)
        except BlockingIOError:
            self.likely: bool = False
            return None

    def _read(self, flags: int) -> bytes:
        size = self._read_size
        try:
            octets = self._socket.recv(size, flags)
        except BlockingIOError:
            raise
        except OSError as error:
            raise _broken(error, "receiving") from error
        self.likely = len(octets) == size
        if self.likely:
            self._read_size = grown(size)
        elif size > self._first_size and len(octets) < self._first_size:
            self._read_size = self._first_size
        return octets

    def receive(self, until: float | None) -> bytes:
        """Return the plaintext of one read; `b""` at the end.

        Without a time limit, and with nothing to write meanwhile, the read itself waits.
        """
        self._seal()
        if until is None and AT_ONCE:
            while not (
                self._arrived or self._outbox or self._ended or self._closed or self._failure is not None
            ):
                octets = self._read(0)
                if octets and not self._layers:
                    return octets
                self._take_in(octets)
        return super().receive(until)

    def _pull(self, until: float | None, *, wait: bool) -> bytes | None:
        # Unless the last read came full there is probably nothing yet: reading first would be a wasted call.
        if self.likely or not wait:
            octets = self._read_now()
            if octets is not None or not wait:
                return octets
        writing = bool(self._outbox) and not self._write_failed
        ready = self._wait(select.POLLIN | (select.POLLOUT if writing else 0), until)
        if not ready:
            raise TransportTimeout("receiving")
        if writing and ready & ~select.POLLIN:
            self._write(wait=False)
        if ready & ~select.POLLOUT:
            return self._read_now()
        return None

    # -- the end

    def shut_write(self) -> None:
        """End the outgoing direction once the outbox is written."""
        self._seal()
        super().shut_write()

    def _say_goodbye(self) -> None:
        with contextlib.suppress(TransportError):
            self._seal()
        super()._say_goodbye()

    def _end_writing(self) -> None:
        try:
            self._socket.shutdown(sockets.SHUT_WR)
        except OSError:
            self._write_failed = True

    def _last_words(self) -> None:
        self._write_some()

    def _shut(self) -> None:
        # A thread that waits on the socket must wake; close alone would leave it waiting.
        with contextlib.suppress(OSError):
            self._socket.shutdown(sockets.SHUT_RDWR)
        # Whoever is inside may still use the number, which the system gives to the next socket: then it
        # is closed when they leave.
        if self._wire.acquire(blocking=False):
            try:
                self._socket.close()
            finally:
                self._wire.release()
