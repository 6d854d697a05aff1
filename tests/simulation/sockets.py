"""Sockets of the simulated system, with the interface of `socket.socket` as far as event loops use it."""

from __future__ import annotations

import errno
import socket
import struct
from typing import TYPE_CHECKING, Final, Self

from .streams import Pair, Stream, failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .kernel import Kernel

HERE: Final = ("127.0.0.1", 40_000)
Octets = bytes | bytearray | memoryview


class Machine:
    """The simulated system that the objects of this process belong to at the moment."""

    current: Kernel | None = None

    @classmethod
    def kernel(cls) -> Kernel:
        """Return the system of the run."""
        if cls.current is None:
            raise RuntimeError("no simulation is running")
        return cls.current


class SimSocket:
    """A stream socket."""

    def __init__(
        self,
        family: int = socket.AF_INET,
        type: int = socket.SOCK_STREAM,  # noqa: A002  # as in `socket`
        proto: int = 0,
        fileno: int | None = None,
        *,
        stream: Stream | None = None,
    ) -> None:
        """Make a socket, of this stream if one is given."""
        self._number = -1
        if fileno is not None:
            raise NotImplementedError
        self.kernel = Machine.kernel()
        self.kernel.tick()
        self.family = socket.AddressFamily(family)
        self.type = socket.SocketKind(type)
        self.proto = proto
        self.stream = Stream(self.kernel.choices, self.kernel.capacity) if stream is None else stream
        self._number = self.kernel.open(self.stream)
        self._timeout: float | None = None
        self._abort = False
        self._there = ("127.0.0.1", 0)

    def fileno(self) -> int:
        """Return the descriptor number, -1 once closed."""
        return self._number

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if self._number != -1:
            self.close()

    def _enter(self) -> None:
        self.kernel.tick()
        if self._number == -1:
            raise failure(errno.EBADF)

    # -- modes and options

    def setblocking(self, flag: bool) -> None:  # as in `socket`
        """Set whether calls wait."""
        self._timeout = None if flag else 0.0

    def settimeout(self, value: float | None) -> None:
        """Set how long calls wait."""
        self._timeout = value

    def gettimeout(self) -> float | None:
        """Return how long calls wait."""
        return self._timeout

    def getblocking(self) -> bool:
        """Return whether calls wait."""
        return self._timeout != 0

    def setsockopt(self, level: int, option: int, value: int | bytes) -> None:
        """Set an option; only SO_LINGER has an effect."""
        self._enter()
        if level == socket.SOL_SOCKET and option == socket.SO_LINGER and isinstance(value, bytes):
            self._abort = struct.unpack("ii", value) == (1, 0)

    def getsockopt(self, level: int, option: int) -> int:
        """Return an option: SO_ERROR takes the pending error."""
        self._enter()
        if level == socket.SOL_SOCKET and option == socket.SO_ERROR:
            return self.stream.take_error()
        return 0

    def getsockname(self) -> tuple[str, int]:
        """Return the address of this end."""
        self._enter()
        return HERE

    def getpeername(self) -> tuple[str, int]:
        """Return the address of the other end."""
        self._enter()
        if not self.stream.connected or self.stream.dead:
            raise failure(errno.ENOTCONN)
        return self._there

    def bind(self, address: object) -> None:
        """Bind to an address."""

    # -- connecting

    def connect_ex(self, address: tuple[str, int]) -> int:
        """Start to connect; return the error number."""
        self._enter()
        self._there = address
        self.kernel.dial(self.stream, address[1])
        if self._timeout == 0:
            return errno.EINPROGRESS
        self._wait(lambda: not self.stream.connecting)
        return self.stream.take_error()

    def connect(self, address: tuple[str, int]) -> None:
        """Connect."""
        code = self.connect_ex(address)
        if code:
            raise failure(code)

    # -- sending and receiving

    def _wait(self, ready: Callable[[], bool]) -> None:
        if not self.kernel.wait(lambda: ready() or self._number == -1, self._timeout):
            raise TimeoutError("timed out")

    def _must_wait(self, flags: int) -> bool:
        return self._timeout != 0 and not flags & socket.MSG_DONTWAIT

    def send(self, octets: Octets, flags: int = 0) -> int:
        """Send some of it."""
        self._enter()
        while True:
            try:
                count = self.stream.send(octets)
            except BlockingIOError:
                if not self._must_wait(flags):
                    raise
                self._wait(lambda: bool(self.stream.room) or self.stream.dead)
            else:
                self.kernel.note(f"send {count} of {len(octets)} on {self._number}")
                self.kernel.largest = max(self.kernel.largest, len(octets))
                self.kernel.returned()
                return count

    def sendmsg(
        self,
        pieces: Iterable[Octets],
        ancillary: Iterable[object] = (),
        flags: int = 0,
        address: object = None,
    ) -> int:
        """Send some of several pieces."""
        return self.send(b"".join(bytes(piece) for piece in pieces), flags)

    def sendall(self, octets: Octets, flags: int = 0) -> None:
        """Send all of it."""
        rest = memoryview(octets)
        while rest:
            rest = rest[self.send(rest, flags) :]

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Receive some of what arrived."""
        self._enter()
        while True:
            try:
                octets = self.stream.receive(size, peek=bool(flags & socket.MSG_PEEK))
            except BlockingIOError:
                if not self._must_wait(flags):
                    raise
                self._wait(lambda: bool(self.stream.bits() & ~4))
                if self._number == -1:
                    raise failure(errno.EBADF) from None
            else:
                self.kernel.note(f"recv {len(octets)} on {self._number}")
                self.kernel.returned()
                return octets

    def recv_into(self, buffer: bytearray | memoryview, size: int = 0, flags: int = 0) -> int:
        """Receive into a buffer."""
        octets = self.recv(size or len(buffer), flags)
        memoryview(buffer)[: len(octets)] = octets
        return len(octets)

    # -- the end

    def shutdown(self, how: int) -> None:
        """Shut down one direction or both."""
        self._enter()
        self.kernel.note(f"shutdown {how} on {self._number}")
        self.stream.shut(
            read=how in {socket.SHUT_RD, socket.SHUT_RDWR}, write=how in {socket.SHUT_WR, socket.SHUT_RDWR}
        )

    def close(self) -> None:
        """Close; a second call does nothing."""
        number, self._number = self._number, -1
        if number != -1:
            self.kernel.note(f"close {number}")
            self.kernel.close(number)
            self.stream.close(abort=self._abort)

    def detach(self) -> int:
        """Return the descriptor number, and give up ownership of it."""
        number, self._number = self._number, -1
        return number


def socketpair(
    family: int = socket.AF_UNIX,
    type: int = socket.SOCK_STREAM,  # noqa: A002  # as in `socket`
    proto: int = 0,
) -> tuple[SimSocket, SimSocket]:
    """Return two sockets that are connected with each other."""
    kernel = Machine.kernel()
    one, two = Pair(kernel.choices, 4096), Pair(kernel.choices, 4096)
    one.join(two)
    return SimSocket(family, type, proto, stream=one), SimSocket(family, type, proto, stream=two)
