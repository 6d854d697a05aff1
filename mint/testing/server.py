"""What every server of this package shares: listening, a thread per connection, a certain end.

Threads are daemons and are joined when the server stops: first they get the time to finish, then
their sockets are shut, which ends whatever they wait for. What goes wrong in a thread is raised at
the stop.
"""

import math
import select
import socket
import ssl
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from .peer import Peer

LOOPBACK: Final = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}


@dataclass(frozen=True, slots=True)
class _Running:
    listening: socket.socket
    waker: socket.socket
    accepting: threading.Thread


class Server(ABC):
    """A loopback server in threads of its own; a context manager.

    `tls` is the server side's `ssl.SSLContext`, `family` is `AF_INET`, `AF_INET6` or `AF_UNIX`,
    `timeout` the number of seconds after which a wait gives up.
    """

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        family: socket.AddressFamily = socket.AF_INET,
        timeout: float = 10.0,
    ) -> None:
        if family not in LOOPBACK and family != socket.AF_UNIX:
            raise ValueError(f"AF_INET, AF_INET6 or AF_UNIX, got {family}")
        self.tls = tls
        self.family = family
        self.timeout = timeout
        self._peers: list[Peer] = []
        self._threads: list[threading.Thread] = []
        self._failures: list[Exception] = []
        self._cleanup = ExitStack()
        self._running: _Running | None = None
        self._stop = threading.Event()

    @abstractmethod
    def _serve(self, peer: Peer) -> None:
        """Serve one connection, in a thread of its own."""

    @abstractmethod
    def _admit(self, sock: socket.socket, number: int) -> Peer:
        """Make the `Peer` of an accepted connection."""

    @property
    def address(self) -> str:
        """The address to connect to: an IP address, or the path of the Unix socket."""
        name = self._name()
        return name if isinstance(name, str) else str(name[0])

    @property
    def port(self) -> int:
        """The port to connect to; 0 for a Unix socket."""
        name = self._name()
        return 0 if isinstance(name, str) else int(name[1])

    @property
    def peers(self) -> tuple[Peer, ...]:
        """The connections accepted so far, in order."""
        return tuple(self._peers)

    def _name(self) -> str | tuple[str, int]:
        name: str | tuple[str, int] = self._run_state().listening.getsockname()
        return name

    def _run_state(self) -> _Running:
        if self._running is None:
            raise RuntimeError("the server is not running: use it in a with statement")
        return self._running

    def __enter__(self) -> Self:
        """Listen and serve."""
        if self._running is not None:
            raise RuntimeError("a server runs once")
        listening = socket.socket(self.family, socket.SOCK_STREAM)
        self._cleanup.callback(listening.close)
        if self.family == socket.AF_UNIX:
            folder = self._cleanup.enter_context(tempfile.TemporaryDirectory(prefix="mint-"))
            listening.bind(str(Path(folder) / "socket"))
        else:
            listening.bind((LOOPBACK[self.family], 0))
        listening.listen(128)
        listening.setblocking(False)
        waker, waking = socket.socketpair()
        self._cleanup.callback(waker.close)
        self._cleanup.callback(waking.close)
        accepting = threading.Thread(target=self._accept, args=(listening, waking), daemon=True)
        self._running = _Running(listening, waker, accepting)
        accepting.start()
        return self

    def _accept(self, listening: socket.socket, waking: socket.socket) -> None:
        poller = select.poll()
        poller.register(listening, select.POLLIN)
        poller.register(waking, select.POLLIN)
        while not self._stop.is_set():
            poller.poll()
            # The last round takes the connections that were waiting when the stop came.
            with suppress(BlockingIOError):
                while True:
                    self._begin(listening.accept()[0])

    def _begin(self, sock: socket.socket) -> None:
        peer = self._admit(sock, len(self._peers) + 1)
        self._peers.append(peer)
        thread = threading.Thread(target=self._run, args=(peer,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _run(self, peer: Peer) -> None:
        try:
            self._serve(peer)
        except Exception as error:  # noqa: BLE001  raised where the server stops
            if not peer.aborted:
                self._failures.append(error)
        finally:
            peer.close()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop: let connections finish, end those that do not, raise what went wrong."""
        running = self._run_state()
        self._stop.set()
        running.waker.send(b"\0")
        running.accepting.join()
        for peer in self._peers:
            peer.stopping.set()
        # A test that failed already is told at once; nobody needs the rest of the script then.
        until = time.monotonic() + (0 if error else self._patience())
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        late = [peer for peer, thread in zip(self._peers, self._threads, strict=True) if thread.is_alive()]
        failures = list(self._failures)
        for peer in late:
            peer.abort()
        for thread in self._threads:
            thread.join()
        self._cleanup.close()
        self._report(error, [*failures, *self._unfinished(late)])

    def _patience(self) -> float:
        """Return how many seconds connections get to finish when the server stops."""
        return self.timeout

    @abstractmethod
    def _unfinished(self, late: list[Peer]) -> list[Exception]:
        """Return what else went wrong, given the connections that had to be ended."""

    def _report(self, error: BaseException | None, failures: list[Exception]) -> None:
        """Raise the first failure; if the body of the `with` failed, note them on its error."""
        if error is not None:
            for failure in failures:
                error.add_note(f"the server says: {failure}")
        elif failures:
            first, *others = failures
            for other in others:
                first.add_note(f"and: {other}")
            raise first


def seconds(timeout: float) -> float:
    """Return the deadline that is `timeout` seconds away."""
    return time.monotonic() + timeout if timeout != math.inf else math.inf
