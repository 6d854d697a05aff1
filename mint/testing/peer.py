"""One accepted connection of a test server: a socket, any number of TLS layers, and a deadline.

This module does not depend on HTTP or scripts. Every wait ends: at the deadline, when the client ends, or
when the server stops. TLS uses memory buffers, so that layers can be stacked, bytes can be sent beneath them,
and a connection can end with or without close_notify (RFC 8446 6.1).
"""

import math
import socket
import ssl
import struct
import sys
import threading
import time
from contextlib import suppress
from typing import Final, Protocol, TypeVar

from .._loops.system import POLLIN, POLLOUT, UNIX, make_poll, milliseconds

READ_SIZE: Final = 65_536
LEFT_LIMIT: Final = 1 << 20
"""How many bytes to read from a connection that is being closed, because a client may never stop sending."""
CLOSING_TIME: Final = 0.25
"""How many seconds a connection that is late may still take to send close_notify."""
_LINGER: Final = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
"""The value of SO_LINGER: on, for 0 seconds. The fields are shorter on Windows."""
T = TypeVar("T")


class _Layer(Protocol):
    def send(self, data: bytes) -> None: ...
    def recv(self, deadline: float) -> bytes: ...
    def pending(self) -> bytes: ...
    def send_close(self) -> None: ...


class _Socket:
    """The bottom layer: a non-blocking socket, with waits that always end."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._sock = sock
        self.deadline = math.inf
        self.patience = math.inf
        self._waiting = 0

    @property
    def stuck(self) -> bool:
        """Whether a thread waits for this socket, and the socket is not ready."""
        event = self._waiting
        if not event:
            return False
        poller = make_poll()
        try:
            poller.register(self._sock, event)
        except (ValueError, OSError):
            return False
        return not poller.poll(0)

    def _wait(self, event: int, deadline: float) -> None:
        poller = make_poll()
        try:
            poller.register(self._sock, event)
        except ValueError as error:
            # A closed socket has no descriptor; another thread may have closed it.
            raise ConnectionAbortedError("the server closed the connection meanwhile") from error
        left = min(deadline - time.monotonic(), self.patience)
        self._waiting = event
        try:
            # A wait without a limit ends when the server stops, because it shuts down the socket.
            if left <= 0 or not poller.poll(milliseconds(left)):
                raise TimeoutError("nothing was sent or received before the deadline")
        finally:
            self._waiting = 0

    def send(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            # Checked before every write, because with a client that always reads no write blocks.
            _check(self.deadline)
            try:
                view = view[self._sock.send(view) :]
            except BlockingIOError:
                self._wait(POLLOUT, self.deadline)

    def recv(self, deadline: float) -> bytes:
        while True:
            _check(deadline)
            try:
                return self._sock.recv(READ_SIZE)
            except BlockingIOError:
                self._wait(POLLIN, deadline)

    def pending(self) -> bytes:
        taken = bytearray()
        with suppress(OSError):
            while len(taken) < LEFT_LIMIT and (data := self._sock.recv(READ_SIZE)):
                taken += data
        return bytes(taken)

    def send_close(self) -> None:
        """Do nothing: the end of TCP is a FIN, which is not data."""


def _check(deadline: float) -> None:
    if time.monotonic() >= deadline:
        raise TimeoutError("the deadline passed while the client kept the connection busy")


class _TLS:
    """TLS on any layer. One thread may read while others write."""

    def __init__(self, lower: _Layer, context: ssl.SSLContext, early: bytes) -> None:
        self._lower = lower
        self._incoming = ssl.MemoryBIO()
        self._incoming.write(early)
        self._outgoing = ssl.MemoryBIO()
        self.object = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._state = threading.Lock()
        self._order = threading.Lock()
        self._broken = False
        self.clean_end = False

    def handshake(self, deadline: float) -> None:
        while True:
            try:
                self.object.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._pump(deadline)
            except ssl.SSLError:
                with suppress(OSError):
                    self._flush()
                raise
            else:
                self._flush()
                return

    def _flush(self) -> None:
        with self._order:
            with self._state:
                data = self._outgoing.read()
            if data:
                self._send_whole(data)

    def _pump(self, deadline: float) -> None:
        data = self._lower.recv(deadline)
        with self._state:
            if data:
                self._incoming.write(data)
            else:
                self._incoming.write_eof()

    def send(self, data: bytes) -> None:
        # Encrypting and sending are one step, so that records are sent in order.
        with self._order:
            for start in range(0, len(data), READ_SIZE):
                with self._state:
                    self.object.write(memoryview(data)[start : start + READ_SIZE])
                    records = self._outgoing.read()
                self._send_whole(records)

    def _send_whole(self, records: bytes) -> None:
        try:
            self._lower.send(records)
        except OSError:
            # A part of a record may have been sent, so nothing that followed it could be read.
            self._broken = True
            raise

    def recv(self, deadline: float) -> bytes:
        while True:
            try:
                with self._state:
                    data = self.object.read(READ_SIZE)
                    answer = self._outgoing.pending
            except ssl.SSLWantReadError:
                if self._outgoing.pending:
                    self._flush()
                self._pump(deadline)
                continue
            except ssl.SSLZeroReturnError:
                data, answer = b"", 0
            except ssl.SSLEOFError:
                return b""
            if answer:
                self._flush()
            self.clean_end = self.clean_end or not data
            return data

    def pending(self) -> bytes:
        taken = bytearray()
        with suppress(ssl.SSLError), self._state:
            self._incoming.write(self._lower.pending())
            while data := self.object.read(READ_SIZE):
                taken += data
        return bytes(taken)

    def send_close(self) -> None:
        if self._broken:
            return
        # unwrap() queues our close_notify, and fails because that of the client has not arrived.
        with suppress(ssl.SSLError), self._state:
            self.object.unwrap()
        self._flush()


class Peer:
    """One connection of a server, for the `play` methods of steps and the functions of `Do`.

    `send` and the methods that read wait until `deadline` and then raise `TimeoutError`. If the connection
    breaks, they raise `ConnectionError`, or `ssl.SSLError` within TLS.

    Attributes:
        number: the number of the connection on its server, from 1.
        unread: the bytes that were received but not yet returned by a method that reads.
        ended: whether the client has closed its direction.
        stopping: an event that is set when the server begins to stop.
        gone: an event that is set when the server no longer waits for this connection.
        holding: a step that waits for something other than the client sets it to true meanwhile.

    """

    def __init__(self, sock: socket.socket, number: int, *, record: bool = False) -> None:
        if sock.family != UNIX:
            with suppress(OSError):  # the client may already have disconnected
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.number = number
        self.unread: bytearray = bytearray()
        self.ended: bool = False
        self.gone: threading.Event = threading.Event()
        self.stopping: threading.Event = threading.Event()
        self.holding: bool = False
        self._sock = sock
        self._socket = _Socket(sock)
        self._layer: _Layer = self._socket
        self._tls: _TLS | None = None
        self._record = record
        self._received = bytearray()
        self._states: dict[type, object] = {}

    def state(self, kind: type[T]) -> T:
        """Return the one instance of `kind` for this connection, which steps share; made by `kind()`."""
        found = self._states.get(kind)
        if not isinstance(found, kind):
            found = self._states[kind] = kind()
        return found

    @property
    def deadline(self) -> float:
        """The `time.monotonic()` value when a wait fails; infinity means when the server stops."""
        return self._socket.deadline

    @deadline.setter
    def deadline(self, value: float) -> None:
        self._socket.deadline = value

    @property
    def patience(self) -> float:
        """The number of seconds that a single wait may take, whatever the deadline; at first infinity."""
        return self._socket.patience

    @patience.setter
    def patience(self, value: float) -> None:
        self._socket.patience = value

    @property
    def aborted(self) -> bool:
        """Whether the server no longer waits for this connection."""
        return self.gone.is_set()

    @property
    def stuck(self) -> bool:
        """Whether the connection waits for the client or for the test."""
        return self.holding or self._socket.stuck

    @property
    def overdue(self) -> bool:
        """Whether the deadline has passed."""
        return time.monotonic() >= self.deadline

    @property
    def received(self) -> bytes:
        """Everything that was read so far, as plaintext; empty unless the server is a `ScriptedServer`."""
        return bytes(self._received)

    @property
    def secure(self) -> bool:
        """Whether the connection uses TLS."""
        return self._tls is not None

    @property
    def alpn(self) -> str | None:
        """The protocol that ALPN selected in the topmost TLS layer; `None` without one."""
        return self._tls.object.selected_alpn_protocol() if self._tls else None

    @property
    def ended_cleanly(self) -> bool:
        """Whether the client closed its direction properly: with TLS by close_notify, otherwise by FIN."""
        return self.ended and (self._tls is None or self._tls.clean_end)

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Do a TLS handshake as the server, on top of the present layers. Raises `ssl.SSLError`."""
        # A ClientHello may have been read together with the bytes before it.
        early = self.take(len(self.unread))
        del self._received[max(0, len(self._received) - len(early)) :]
        layer = _TLS(self._layer, context, early)
        layer.handshake(self.deadline)
        self._layer = self._tls = layer

    def send(self, data: bytes) -> None:
        """Send through all TLS layers, in one write if the kernel accepts that."""
        self._layer.send(data)

    def send_raw(self, data: bytes) -> None:
        """Send beneath all TLS layers."""
        self._socket.send(data)

    def fill(self) -> bool:
        """Wait for more bytes and add them to `unread`; return false if the client has ended."""
        if self.ended:
            return False
        data = self._layer.recv(self.deadline)
        self._keep(data)
        self.ended = not data
        return bool(data)

    def _keep(self, data: bytes) -> None:
        self.unread += data
        if self._record:
            self._received += data

    def take(self, count: int) -> bytes:
        """Remove up to `count` bytes from `unread`, and return them."""
        data = bytes(self.unread[:count])
        del self.unread[:count]
        return data

    def read_until(self, marker: bytes, limit: int = 1 << 20) -> bytes:
        """Return the bytes up to and including `marker`.

        Raises `EOFError` if the client ends first, and `ValueError` if more than `limit` bytes (by default
        1 MiB) arrive first.
        """
        scanned = 0
        while (at := self.unread.find(marker, scanned)) < 0:
            scanned = max(0, len(self.unread) - len(marker) + 1)
            if len(self.unread) > limit:
                raise ValueError(f"no {marker!r} within {limit} bytes")
            if not self.fill():
                raise EOFError(f"the client ended before {marker!r}")
        return self.take(at + len(marker))

    def read_exactly(self, count: int) -> bytes:
        """Return `count` bytes. Raises `EOFError` if the client ends first."""
        while len(self.unread) < count:
            if not self.fill():
                raise EOFError(f"the client ended after {len(self.unread)} of {count} bytes")
        return self.take(count)

    def read_some(self, count: int = READ_SIZE) -> bytes:
        """Return at least one and at most `count` bytes (by default 64 KiB); none if the client has ended."""
        if not self.unread:
            self.fill()
        return self.take(count)

    def drain(self, limit: float = math.inf) -> None:
        """Discard what the client sends, until it ends in any manner, or `limit` bytes were discarded."""
        with suppress(ConnectionError, ssl.SSLError):
            while limit > 0 and (self.unread or self.fill()):
                limit -= len(self.unread)
                self.unread.clear()

    def shut_write(self) -> None:
        """Close the sending direction (close_notify with TLS, and FIN); reading remains possible."""
        self._keep(self._layer.pending())
        self._layer.send_close()
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)

    def linger(self, limit: float = 1 << 20) -> None:
        """Close the sending direction, then discard up to `limit` bytes until the client ends.

        If the socket were closed at once, TCP might send a reset, and the client could lose what was sent
        before (RFC 9112 9.6).
        """
        with suppress(OSError):
            self.shut_write()
            self.drain(limit)

    def close(self) -> None:
        """Close the connection, with TLS after sending close_notify."""
        if self._sock.fileno() < 0:
            return
        # Even if the deadline has passed, there is some time to send close_notify.
        self.deadline = max(self.deadline, time.monotonic() + CLOSING_TIME)
        with suppress(OSError):
            # With unread bytes, closing would send a reset, and the client could lose what was sent.
            self._keep(self._layer.pending())
            self._layer.send_close()
        self.truncate()

    def truncate(self) -> None:
        """Close the socket with a FIN, but without close_notify."""
        with suppress(OSError):
            self._keep(self._layer.pending())
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()

    def reset(self) -> None:
        """Close the socket with a RST; a Unix socket is only closed."""
        with suppress(OSError):
            self._keep(self._layer.pending())
        with suppress(OSError):
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
        self._sock.close()

    def abort(self) -> None:
        """End all waits for this connection. The server calls it from another thread."""
        self.gone.set()
        self.stopping.set()
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def abandon(self) -> None:
        """Close the socket because the connection's own thread did not do it in time."""
        self._sock.close()
