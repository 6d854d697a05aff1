"""The link for blocking calls: a socket, in clear or under layers, that waits with `poll`.

Only a receive without a time limit waits in the socket itself. An operation writes what the kernel accepts.
Above the high-water mark it waits up to `send_timeout`, and reads into the bounded input queue meanwhile, so
that two peers that both write cannot deadlock. A receive writes queued octets, too.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from .._checks import instance
from .._wire.pipe import AHEAD, READ, WRITE, Reading, Writing
from ..errors import TransportClosed, TransportError, TransportTimeout
from ..options import TCPOptions
from .sockets import SocketBase, broken, check_socket
from .system import AT_ONCE, POLLIN, POLLOUT, make_poll, milliseconds

if TYPE_CHECKING:
    import socket as sockets
    from collections.abc import Sequence

    from .._wire.layer import Layer

_EVENTS = {0: 0, READ: POLLIN, WRITE: POLLOUT, READ | WRITE: POLLIN | POLLOUT}


class SocketLink(SocketBase):
    """A connected socket as a link, for `initiate`; blocking calls wait with `poll`.

    The socket is closed with the link. `options` are the `TCPOptions` that apply from now on, `layers` the
    layers of TLS, the outermost first.
    """

    _plain = True  # its overrides do the same as the base, in fewer calls

    def __init__(self, socket: sockets.socket, options: TCPOptions, layers: Sequence[Layer] = ()) -> None:
        """Take over a connected socket (it is closed with the link). Raises `TypeError`."""
        check_socket(socket)
        instance("options", options, TCPOptions)
        super().__init__(socket, options, layers)
        socket.setblocking(bool(AT_ONCE))
        self.descriptor: int = socket.fileno()
        self._poll = make_poll()
        self._watched = -1

    # -- waiting

    def _wait(self, events: int, until: float | None) -> int:
        """Wait for the events; return those that came, 0 when the time is up."""
        if self._watched != events:
            self._poll.register(self._socket, events)
            self._watched = events
        ready = self._poll.poll(milliseconds(None if until is None else until - monotonic()))
        return ready[0][1] if ready else 0

    # -- writing

    def send(self, pieces: tuple[bytes, ...], *, flush: bool) -> None:
        """Write at once if nothing is queued; otherwise queue, and write what the kernel accepts."""
        layer = self._tls
        if (
            not flush
            or len(pieces) != 1
            or self._queued
            or self._writing != Writing.OPEN
            or (self._layers and (layer is None or len(pieces[0]) > AHEAD))
        ):
            crowded = self.congested
            super().send(pieces, flush=False)
            if flush:
                self._write_down_to(self.high_water, gives_way=not crowded)
            return
        piece = pieces[0]
        try:
            if layer is not None:
                piece = layer.seal(piece)
            sent = self._socket.send(piece, AT_ONCE)
        except BlockingIOError:
            sent = 0
        except TransportError as error:
            if self._is_outlived(error):
                return
            raise
        except OSError as error:
            if self._is_outlived(lost := broken(error, "sending")):
                return
            try:
                raise lost from error
            finally:
                del lost  # the frame and the error's traceback would form a reference cycle
        if sent < len(piece):
            self._outbox.append(memoryview(piece)[sent:])
            self._queued += len(piece) - sent
            self._write()

    def _transmit(self, *, wait: bool) -> None:
        self._push()
        if wait and self.unsent > self.high_water:
            self._drain(self.high_water, self._options.send_timeout, each=True, gives_way=True)

    def _write_out(self) -> None:
        if self.inbox is None:
            self._write_down_to(0, gives_way=False)
        else:
            self._write(wait=False)  # the mailbox writes the rest

    def _write_down_to(self, most: int, *, gives_way: bool) -> None:
        """Write until at most `most` octets are queued."""
        try:
            self._push()
            if self.unsent > most:
                self._drain(most, self._options.send_timeout, each=True, gives_way=gives_way)
            self._finish_wire()
        except TransportError as error:
            if not self._is_outlived(error):
                raise

    def _drain(self, down_to: int, timeout: float | None, *, each: bool, gives_way: bool) -> None:
        """Write until at most `down_to` octets are queued, reading meanwhile.

        `timeout` limits the whole call or, with `each`, every wait in which nothing is written. If the input
        queue is full, it returns when `gives_way` is true.
        """
        until = None if timeout is None else monotonic() + timeout
        while self.unsent > down_to and self._writing != Writing.FAILED:
            if self._writing == Writing.CLOSED:
                raise TransportClosed
            if (gives_way and self.full) or self.held_back:
                return
            wanted = self.wants
            if not wanted and self._reading != Reading.OPEN:
                # Only WINDOW_UPDATE frames could make room, and none can arrive any more.
                raise TransportClosed
            ready = self._wait(_EVENTS[wanted], until)
            if not ready:
                # The system reports room only once a large part of its buffer is empty. If the peer reads
                # slowly, it may have taken something all the same.
                if timeout is None or not each or not self._push():
                    raise TransportTimeout("sending")
                until = monotonic() + timeout
                continue
            # `poll` always reports a hang-up, even if only POLLOUT was requested, and at once. So the rest is
            # read even beyond the limit; it is no more than the system's receive buffer holds.
            if ready & ~POLLOUT and (self._reading == Reading.OPEN or self.needs_credit):
                self._read_ahead()
            progress = self._push()
            self._finish_wire()
            if progress and each and timeout is not None:
                until = monotonic() + timeout
            elif until is not None and monotonic() >= until:
                raise TransportTimeout("sending")

    def _read_ahead(self) -> None:
        octets = self._read_now()
        if octets is not None:
            self._take_in(octets)
        if self.armed and self.inbox is not None and self.has_next:
            # The socket is no longer readable, so the mailbox must be told.
            self.inbox.watch(self)

    def flush(self, timeout: float | None) -> None:
        """Write everything queued; if that fails but something has arrived, return: it is received first."""
        if self._writing != Writing.FAILED:
            try:
                self._push()
                if self.unsent:
                    self._drain(0, timeout, each=False, gives_way=True)
                self._finish_wire()
            except TransportError as error:
                if not self._is_outlived(error):
                    raise
                return
        if self._writing == Writing.FAILED and not (self._arrived or self.handed_out):
            raise TransportClosed

    # -- reading

    def receive(self, until: float | None) -> bytes:
        """Return the plaintext of one read; `b""` at the end.

        Without a time limit and with nothing queued, the read itself waits, without `poll`.
        """
        if until is None and AT_ONCE:
            while not (self._arrived or self._queued or self._reading != Reading.OPEN):
                try:
                    octets = self._read(0)
                except OSError as error:
                    self.fail(broken(error, "receiving"))
                    break
                if octets and not self._layers:
                    return octets
                if self._tls is None or not octets:
                    self._take_in(octets)
                elif plaintext := self._decrypted(self._tls, octets):
                    return plaintext
        return super().receive(until)

    def _pull(self, until: float | None, *, wait: bool) -> bytes | None:
        # Unless the last read filled its buffer, probably nothing has arrived: do not try to read first.
        if not wait or self.likely:
            octets = self._read_now()
            if octets is not None or not wait or self._reading != Reading.OPEN:
                return octets
        writing = self._outbox or self.to_write()
        if self.lone and self.held_back:
            return None
        ready = self._wait(POLLIN | (POLLOUT if writing else 0), until)
        if not ready:
            raise TransportTimeout("receiving")
        if writing and ready & ~POLLIN:
            self._write(wait=False)
        if ready & ~POLLOUT and self._reading == Reading.OPEN:
            return self._read_now()
        return None
