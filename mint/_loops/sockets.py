"""The base of the links of all event loops: read and write a socket without waiting, shut it down, close."""

from __future__ import annotations

import socket as sockets
import ssl
from typing import TYPE_CHECKING

from .._wire.link import Link
from ..errors import TransportError
from ..errors.transport import Unreachable, system_error
from .system import AT_ONCE, HAS_SENDMSG, REPORTED, joined, pass_on

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._wire.layer import Layer
    from ..options import TCPOptions

PIECES = 64
"""How many buffers one `sendmsg` call writes at most."""

LARGE_READ = 126_976
"""The largest read size in octets, for streams that fill their reads.

From 131,072 octets on, malloc maps new memory for every buffer.
"""


def check_socket(socket: object) -> None:
    """Raise `TypeError` for anything but a socket, and for an `ssl.SSLSocket`."""
    if not isinstance(socket, sockets.socket):
        raise TypeError(f"socket must be a socket.socket, not {type(socket).__name__}")
    if isinstance(socket, ssl.SSLSocket):
        raise TypeError(
            "socket must not be an ssl.SSLSocket: mint begins TLS itself, with tls=mint.TLSOptions(...)"
        )


def broken(error: OSError, doing: str) -> TransportError:
    """Return the error for a broken socket; ETIMEDOUT becomes `Unreachable`, not `TransportTimeout`.

    After a `TransportTimeout` the connection stays open, but after ETIMEDOUT it is lost: the system reports
    the error once, and the next read looks like the peer's end.

    Raises the error itself if a signal handler has raised it, for example `TimeoutError` after an alarm.
    """
    pass_on(error)
    made = system_error(error, doing=doing)
    if isinstance(made, TimeoutError):
        made = Unreachable(error.strerror or str(error))
        made.__cause__ = error
    return made


class SocketBase(Link):
    """A link over a connected socket."""

    def __init__(self, socket: sockets.socket, options: TCPOptions, layers: Sequence[Layer] = ()) -> None:
        """Take over a connected socket (it is closed with the link)."""
        super().__init__(layers)
        self._socket = socket
        self._options = options
        self.high_water: int = options.high_water
        self.max_read_ahead: int = options.max_read_ahead
        self._read_size = self._first_size = options.receive_size

    @property
    def socket(self) -> sockets.socket | None:
        """The socket, to read its options."""
        return self._socket

    # -- writing

    @property
    def _is_blocked(self) -> bool:
        """Whether nothing more can be written or read ahead until something is received."""
        return self.full or self.held_back

    def _push(self) -> int:
        """Write until the kernel accepts no more; return how many octets it accepted."""
        taken = 0
        try:
            while outbox := self.to_write():
                if len(outbox) == 1:
                    sent = self._socket.send(outbox[0], AT_ONCE)
                else:
                    pieces = [outbox[at] for at in range(min(len(outbox), PIECES))]
                    if HAS_SENDMSG:
                        sent = self._socket.sendmsg(pieces, [], AT_ONCE)
                    else:
                        sent = self._socket.send(joined(pieces), AT_ONCE)
                self.accepted(sent)
                taken += sent
        except BlockingIOError:
            pass
        except TransportError:
            raise  # of a layer
        except OSError as error:
            raise broken(error, "sending") from error
        return taken

    def _end_writing(self) -> None:
        try:
            self._socket.shutdown(sockets.SHUT_WR)
        except OSError as error:
            pass_on(error)
            # The peer is gone, which reading will report; nothing was left to be written.
            self.fail_writing()

    # -- reading

    def _read_now(self) -> bytes | None:
        """Return one read; `b""` at the end, `None` if nothing has arrived or reading failed."""
        try:
            return self._read(AT_ONCE)
        except BlockingIOError:
            self.likely: bool = False
        except OSError as error:
            self.likely = False
            self.fail(broken(error, "receiving"))
        return None

    def _read(self, flags: int) -> bytes:
        size = self._read_size
        octets = self._socket.recv(size, flags)
        self.likely = full = len(octets) == size
        if full:
            if size < LARGE_READ:
                self._read_size = min(2 * size, LARGE_READ)
        elif size > self._first_size and len(octets) < self._first_size:
            self._read_size = self._first_size
        return octets

    # -- the end

    def _wake(self) -> None:
        # Closing a socket does not wake a thread that waits on it, but shutting it down does.
        if self._is_ours:
            with REPORTED:
                self._socket.shutdown(sockets.SHUT_RDWR)

    def _shut(self) -> None:
        # Another thread may still be using the descriptor, whose number the system would give to the next
        # socket. In that case the socket is closed when that thread leaves.
        if self._wire.held or self._socket.fileno() < 0:
            return
        if not self._is_ours:
            # A forked child has only the thread that forked, even if another one held the wire then.
            self._socket.close()
            return
        self._wake()
        if self._wire.acquire(blocking=False):
            try:
                self._socket.close()
            finally:
                self._wire.release()
