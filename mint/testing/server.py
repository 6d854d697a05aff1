"""What every server of this package shares: listening, a thread per connection, a certain end.

Threads are daemons. When the server stops they get the time to finish; then their sockets are shut,
which ends whatever they wait for. A thread that is still in a function of the test after that is left
behind: it cannot hold up the end. What went wrong in a thread is raised at the end.
"""

import errno
import math
import socket
import ssl
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from .._loops.system import POLLIN, UNIX, make_poll
from ._waiting import in_thread, loop_running
from .peer import Peer
from .steps import shown

LOOPBACK: Final = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}
GRACE: Final = 1.0
"""Seconds that a thread has to end after its socket was shut."""
SHORT_PATIENCE: Final = 0.5
"""Seconds to wait in an event loop or after a failed test, as long as something still moves."""
LOOK: Final = 0.005
PASSING: Final = frozenset({errno.EAGAIN, errno.ECONNABORTED, errno.EINTR, errno.EPROTO, errno.EPERM})
"""Errors of `accept` that concern one connection only (accept(2))."""


@dataclass(frozen=True, slots=True)
class _Running:
    name: str | tuple[str, int]
    waker: socket.socket
    accepting: threading.Thread


class Server(ABC):
    """A loopback server in threads of its own; a context manager, for `with` and `async with`.

    Inside an event loop use `async with`: the loop goes on while the server waits for its connections to
    finish. A plain `with` works there too, but waits for nothing that the loop would have to do.

    At the end an error of the test's own functions (a handler, a `Do` step) is raised, even where the
    body of the `with` failed: most often it is the cause. Other failures are raised too, or noted on
    the error of the body if there is one. `tls` is the server side's `ssl.SSLContext`, `family` is
    `AF_INET`, `AF_INET6` or `AF_UNIX`, `timeout` the number of seconds after which a wait gives up,
    `port` where to listen: any free port unless given.
    """

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        family: socket.AddressFamily = socket.AF_INET,
        timeout: float = 10.0,
        port: int = 0,
    ) -> None:
        check_family(family)
        if not timeout > 0:
            raise ValueError(f"timeout must be a positive number of seconds, got {timeout}")
        self.tls = tls
        self.family = family
        self.timeout = timeout
        self._wanted_port = port
        self._peers: list[Peer] = []
        self._threads: list[threading.Thread] = []
        self._faults: list[BaseException] = []
        self._failures: list[BaseException] = []
        self._hurried = False
        self._in_loop = False
        self._failed = False
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

    @property
    def failures(self) -> tuple[BaseException, ...]:
        """What has gone wrong so far and will be raised at the end: first what the test's own code raised."""
        return (*self._faults, *self._failures)

    @property
    def unread(self) -> tuple[bytes, ...]:
        """What came on each connection and was not read; complete once the connection is closed."""
        return tuple(bytes(peer.unread) for peer in self._peers)

    def _name(self) -> str | tuple[str, int]:
        return self._run_state().name

    def _run_state(self) -> _Running:
        if self._running is None:
            raise RuntimeError("the server is not running: use it in a with statement")
        return self._running

    def __enter__(self) -> Self:
        """Listen and serve."""
        if self._running is not None:
            raise RuntimeError("a server cannot be started twice: make a new one")
        with ExitStack() as cleanup:
            listening = listen(self.family, cleanup, self._wanted_port)
            waker, waking = socket.socketpair()
            cleanup.callback(waker.close)
            cleanup.callback(waking.close)
            accepting = threading.Thread(target=self._accept, args=(listening, waking), daemon=True)
            name: str | tuple[str, int] = listening.getsockname()
            accepting.start()
            self._cleanup = cleanup.pop_all()
        self._running = _Running(name, waker, accepting)
        return self

    async def __aenter__(self) -> Self:
        """Listen and serve, for `async with`."""
        return self.__enter__()

    def _accept(self, listening: socket.socket, waking: socket.socket) -> None:
        poller = make_poll()
        poller.register(listening, POLLIN)
        poller.register(waking, POLLIN)
        while True:
            # The last rounds take the connections that were waiting when the stop came.
            stopping = self._stop.is_set()
            ready = [number for number, _ in poller.poll(0 if stopping else None)]
            if listening.fileno() in ready:
                if not self._accept_one(listening):
                    return
            elif stopping:
                return

    def _accept_one(self, listening: socket.socket) -> bool:
        try:
            self._begin(listening.accept()[0])
        except (OSError, RuntimeError) as error:
            if isinstance(error, OSError) and error.errno in PASSING:
                return True
            # Descriptors, memory or threads have run out: whoever connects must see that, too.
            error.add_note(f"the server could not accept connection {len(self._peers) + 1}")
            self._failures.append(error)
            listening.close()
            return False
        return True

    def _begin(self, sock: socket.socket) -> None:
        with ExitStack() as cleanup:
            cleanup.callback(sock.close)
            peer = self._admit(sock, len(self._peers) + 1)
            self._peers.append(peer)
            cleanup.callback(self._peers.pop)
            thread = threading.Thread(target=self._run, args=(peer,), daemon=True)
            thread.start()
            self._threads.append(thread)
            cleanup.pop_all()

    def _run(self, peer: Peer) -> None:
        try:
            self._serve(peer)
        except BaseException as error:  # noqa: BLE001  raised where the server stops
            self._failures.append(error)
        finally:
            peer.close()

    def _fault(self, error: BaseException) -> None:
        """Keep what the test's own code raised, to raise it at the end."""
        self._faults.append(error)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop: let connections finish, end those that do not, raise what went wrong."""
        self._in_loop = loop_running()
        self._report(error, self._end(error))

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop like `__exit__`, and let the event loop go on meanwhile."""
        late: list[Peer] = []

        def end() -> None:
            late.extend(self._end(error))

        await in_thread(end, self._hurry)
        self._report(error, late)

    def _hurry(self) -> None:
        self._hurried = True

    def _end(self, error: BaseException | None) -> list[Peer]:
        """Stop, and return the connections that did not finish by themselves."""
        running = self._run_state()
        if self._stop.is_set():
            raise RuntimeError("the server has ended already")
        self._stop.set()
        running.waker.send(b"\0")
        running.accepting.join()
        for peer in self._peers:
            peer.stopping.set()
        # A test that failed already is told at once; nobody needs the rest of the script then. What only
        # has to come to its end gets there.
        self._failed = error is not None
        self._join(min(SHORT_PATIENCE, self._patience()) if error else self._patience(), self._is_hopeless)
        late = [peer for peer, thread in self._connections() if thread.is_alive()]
        for peer in late:
            peer.abort()
        self._join(GRACE, lambda: False)
        for peer, thread in self._connections():
            if thread.is_alive():
                peer.abandon()
        self._cleanup.close()
        return late

    def _connections(self) -> list[tuple[Peer, threading.Thread]]:
        return list(zip(self._peers, self._threads, strict=True))

    def _is_hopeless(self) -> bool:
        """Whether waiting helps nobody: the test is over, or the loop it runs in is blocked meanwhile."""
        busy = [peer for peer, thread in self._connections() if thread.is_alive()]
        blocked = self._in_loop or self._failed
        return self._hurried or (blocked and all(peer.stuck for peer in busy))

    def _join(self, patience: float, give_up: Callable[[], bool]) -> None:
        until = seconds(min(patience, SHORT_PATIENCE) if self._in_loop else patience)
        for thread in self._threads:
            while thread.is_alive() and (left := until - time.monotonic()) > 0 and not give_up():
                thread.join(min(left, LOOK))

    def _patience(self) -> float:
        """Return how many seconds connections get to finish when the server stops."""
        return self.timeout

    @abstractmethod
    def _unfinished(self, late: list[Peer]) -> list[Exception]:
        """Return what else went wrong, given the connections that had to be ended."""

    def _report(self, error: BaseException | None, late: list[Peer]) -> None:
        """Raise the first failure; if the body of the `with` failed, maybe only note it on its error."""
        faults = sorted(self._faults, key=lambda fault: isinstance(fault, Exception))
        failures: list[BaseException] = [*faults, *self._failures, *self._unfinished(late)]
        if error is not None and (not faults or not isinstance(error, Exception)):
            for failure in failures:
                error.add_note(f"the server says: {failure!r}" if faults else f"the server says: {failure}")
            for number, unread in enumerate(self.unread, 1):
                if unread:
                    error.add_note(f"the server says: connection {number}: nobody read {shown(unread)}")
        elif failures:
            first, *others = failures
            for other in others:
                first.add_note(f"and: {other}")
            raise first


def check_family(family: socket.AddressFamily) -> None:
    """Raise `ValueError` for a family that no server of this package can have."""
    if family not in LOOPBACK and family != UNIX:
        raise ValueError(f"family must be AF_INET, AF_INET6 or AF_UNIX, got {family}")


def listen(family: socket.AddressFamily, cleanup: ExitStack, port: int = 0) -> socket.socket:
    """Return a listening socket on loopback; `cleanup` closes it."""
    listening = bind(family, cleanup, port)
    listening.listen(128)
    listening.setblocking(False)
    return listening


def bind(family: socket.AddressFamily, cleanup: ExitStack, port: int = 0) -> socket.socket:
    """Return a socket with an address on loopback, a free one unless `port` is given; `cleanup` closes it."""
    sock = socket.socket(family, socket.SOCK_STREAM)
    cleanup.callback(sock.close)
    if family == UNIX:
        folder = cleanup.enter_context(tempfile.TemporaryDirectory(prefix="mint-"))
        sock.bind(str(Path(folder) / "socket"))
    else:
        if port:
            # Whoever names a port wants it again after a restart.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((LOOPBACK[family], port))
    return sock


def seconds(timeout: float) -> float:
    """Return the deadline that is `timeout` seconds away."""
    return time.monotonic() + timeout if timeout != math.inf else math.inf
