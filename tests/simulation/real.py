"""The scenario table on real sockets: the same programs and servers, the system's own clock and schedule.

The servers run in one thread. Their pauses pass fifty times as fast as they say, so that a row is quick.
"""

from __future__ import annotations

import selectors
import socket
import struct
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from .kernel import Kernel, Task

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from .choices import Choices

SPEED = 50.0


class RealStream:
    """A server's end of a real connection, with the methods of a simulated one that `Peer` uses."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.peer = None
        self.incoming = bytearray()
        self.outgoing = bytearray()
        self.ended = self.dead = self.finishing = self.closed = False
        self._shut = False

    @property
    def room(self) -> int:
        """How much can be sent without waiting."""
        return max(0, 262_144 - len(self.outgoing))

    def receive(self, most: int) -> bytes:
        """Return what arrived."""
        octets = bytes(self.incoming[:most])
        del self.incoming[:most]
        return octets

    def send(self, octets: bytes | bytearray) -> int:
        """Take octets to send."""
        if self.dead or self.finishing:
            raise BrokenPipeError
        count = min(len(octets), self.room)
        self.outgoing += octets[:count]
        return count

    def shut(self, *, read: bool, write: bool) -> None:  # as of a simulated one
        """End the outgoing direction once everything is written."""
        self.finishing = True

    def close(self, *, abort: bool = False) -> None:
        """Close."""
        if abort:
            self.outgoing.clear()
            with suppress(OSError):
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.closed = True

    def pump(self) -> None:
        """Read and write what is possible without waiting."""
        try:
            while not self.ended and not self.dead and len(self.incoming) < 65_536:
                octets = self.sock.recv(65_536)
                self.incoming += octets
                self.ended = not octets
        except BlockingIOError:
            pass
        except OSError:
            self.dead = True
        try:
            while self.outgoing and not self.dead:
                del self.outgoing[: self.sock.send(self.outgoing)]
            if self.finishing and not self._shut and not self.outgoing:
                self._shut = True
                self.sock.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            pass
        except OSError:
            self.dead = True
        if self.closed and (self.dead or not self.outgoing):
            self.sock.close()

    @property
    def gone(self) -> bool:
        """Whether the socket is closed."""
        return self.sock.fileno() < 0


class RealKernel(Kernel):
    """The interface of the kernel for servers and programs, on the real system."""

    exact = False
    patience = 10.0
    speed = SPEED
    real = True

    def __init__(self, choices: Choices) -> None:
        super().__init__(choices)
        self.quiet = True
        self._begun = time.monotonic()
        self._stop = threading.Event()
        self._lock = threading.RLock()
        self._real: list[RealStream] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.setblocking(False)
        self.origin = self.proxy = int(self._listening.getsockname()[1])
        self._wake_receiver, self._wake_sender = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def now(self) -> float:
        """The time of the servers."""
        return 1000.0 + (time.monotonic() - self._begun) * SPEED

    @now.setter
    def now(self, _: float) -> None:
        """Do nothing: real time passes by itself."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._wake_sender.send(b"\0")
        self._thread.join(10)
        for each in (
            *(stream.sock for stream in self._real),
            self._listening,
            self._wake_receiver,
            self._wake_sender,
        ):
            each.close()

    def _serve(self) -> None:
        with selectors.DefaultSelector() as selector:
            while not self._stop.is_set():
                self._turn()
                for key in list(selector.get_map().values()):
                    selector.unregister(key.fileobj)
                selector.register(self._listening, selectors.EVENT_READ)
                selector.register(self._wake_receiver, selectors.EVENT_READ)
                for stream in self._real:
                    reading = not stream.ended and not stream.dead and len(stream.incoming) < 65_536
                    events = (selectors.EVENT_READ if reading else 0) | (
                        selectors.EVENT_WRITE if stream.outgoing and not stream.dead else 0
                    )
                    if events:
                        selector.register(stream.sock, events)
                soon = min((actor.alarm() for actor in self.actors), default=self.now + 1e9)
                selector.select(min(10.0, max(0.001, (soon - self.now) / SPEED)))

    def _turn(self) -> None:
        with suppress(BlockingIOError):
            while True:
                sock, _ = self._listening.accept()
                stream = RealStream(sock)
                self._real.append(stream)
                self.listening[self.origin](stream)  # type: ignore[arg-type]  # it stands for a simulated one
        again = True
        while again:
            again = False
            for stream in self._real:
                stream.pump()
            for actor in list(self.actors):
                for move in actor.moves()[:1]:
                    move()
                    again = True
            self._real = [stream for stream in self._real if not stream.gone]

    # -- called by programs

    def wait(self, ready: Callable[[], object], timeout: float | None) -> None:
        """Wait for the time to pass."""
        time.sleep((timeout or 0.0) / SPEED)

    def spawn(self, name: str, work: Callable[[], None]) -> Task:
        """Begin a real thread."""
        task = Task(name)
        task.thread = threading.Thread(target=work, daemon=True)
        task.thread.start()
        return task

    def lock(self) -> AbstractContextManager[object]:
        """Return a real lock."""
        return threading.Lock()

    def join(self, tasks: list[Task]) -> None:
        """Wait for threads to end."""
        for task in tasks:
            if task.thread is not None:
                task.thread.join(60)
                if task.thread.is_alive():
                    self.blame("a thread does not end")
