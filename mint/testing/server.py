"""The base of the servers: it listens, serves each connection in a thread, and always stops.

Threads are daemons. When the server stops, they get some time to finish. Then their sockets are shut down,
which ends whatever they wait for. A thread that is in a function of the test even after that is left running,
so that it cannot delay the end. Errors in threads are raised when the server stops.
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

from .. import _checks
from .._loops.system import POLLIN, UNIX, make_poll
from . import _arguments
from ._waiting import in_thread, loop_running
from .peer import Peer
from .steps import shown

LOOPBACK: Final = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}
GRACE: Final = 1.0
"""Seconds in which a thread has to end after its socket was shut down."""
SHORT_PATIENCE: Final = 0.5
"""Seconds to wait in an event loop or after a failed test, as long as there is progress."""
LOOK: Final = 0.005
PASSING: Final = frozenset({errno.EAGAIN, errno.ECONNABORTED, errno.EINTR, errno.EPROTO, errno.EPERM})
"""Errors of `accept` that concern one connection only (accept(2))."""


@dataclass(frozen=True, slots=True)
class _Running:
    name: str | tuple[str, int]
    waker: socket.socket
    accepting: threading.Thread


class Server(ABC):
    """A server on the loopback interface; a context manager, for `with` and `async with`.

    In an event loop use `async with`: the loop continues while the server waits for its connections to
    finish. A plain `with` works there, too, but does not wait for connections that wait for the loop.

    When the server stops, it raises an exception of the test's own functions (a handler, a `Do` step), even
    if the body of the `with` block failed, because such an exception is usually the cause. Other errors are
    raised, too, or are added as notes to the exception of the body if there is one.

    Args:
        tls: the server's `ssl.SSLContext`; `None` for no TLS.
        family: `AF_INET`, `AF_INET6` or `AF_UNIX`; others raise `ValueError`.
        timeout: seconds after which a wait fails; more than 0, otherwise it raises `ValueError`.
        port: the port to listen on; 0 for any free port.

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
        if tls is not None:
            _arguments.method("tls", tls, "wrap_bio")
        _checks.number("port", port, 0, 0xFFFF)
        _arguments.timeout(timeout)
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
        """Return a `Peer` for an accepted connection."""

    @property
    def address(self) -> str:
        """The IP address to connect to, or the path of the Unix socket; `RuntimeError` if not running."""
        name = self._name()
        return name if isinstance(name, str) else str(name[0])

    @property
    def port(self) -> int:
        """The port to connect to, 0 for a Unix socket; `RuntimeError` if not running."""
        name = self._name()
        return 0 if isinstance(name, str) else int(name[1])

    @property
    def peers(self) -> tuple[Peer, ...]:
        """The connections accepted so far, in order."""
        return tuple(self._peers)

    @property
    def failures(self) -> tuple[BaseException, ...]:
        """The errors so far, which are raised when the server stops; those of the test's own code first."""
        return (*self._faults, *self._failures)

    @property
    def unread(self) -> tuple[bytes, ...]:
        """For each connection, the bytes that were received but not read; complete when it is closed."""
        return tuple(bytes(peer.unread) for peer in self._peers)

    def _name(self) -> str | tuple[str, int]:
        return self._run_state().name

    def _run_state(self) -> _Running:
        if self._running is None:
            raise RuntimeError("the server is not running: use it in a with statement")
        return self._running

    def __enter__(self) -> Self:
        """Start to listen and serve. Raises `OSError` if it cannot, `RuntimeError` if started before."""
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
        """Start to listen and serve, for `async with`."""
        return self.__enter__()

    def _accept(self, listening: socket.socket, waking: socket.socket) -> None:
        poller = make_poll()
        poller.register(listening, POLLIN)
        poller.register(waking, POLLIN)
        while True:
            # The last rounds accept the connections that were waiting when the server began to stop.
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
            # Descriptors, memory or threads have run out. Close the socket, so that clients notice it, too.
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
        except BaseException as error:  # noqa: BLE001  raised when the server stops
            self._failures.append(error)
        finally:
            peer.close()

    def _fault(self, error: BaseException) -> None:
        """Store an exception of the test's own code, which is raised when the server stops."""
        self._faults.append(error)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop: let connections finish, end those that do not, and raise the errors."""
        self._in_loop = loop_running()
        self._report(error, self._end(error))

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop like `__exit__`, while the event loop continues."""
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
        # After a failed test the rest of a script is of no use, so wait only a short time: enough for
        # connections that are about to end.
        self._failed = self._failed or error is not None
        patience = self._patience()
        self._join(min(SHORT_PATIENCE, patience) if self._failed else patience, self._is_hopeless)
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
        """Whether waiting is useless: the test is over, or its event loop is blocked by waiting."""
        busy = [peer for peer, thread in self._connections() if thread.is_alive()]
        blocked = self._in_loop or self._failed
        return self._hurried or (blocked and all(peer.stuck for peer in busy))

    def _join(self, patience: float, give_up: Callable[[], bool]) -> None:
        until = seconds(min(patience, SHORT_PATIENCE) if self._in_loop else patience)
        for thread in self._threads:
            while thread.is_alive() and (left := until - time.monotonic()) > 0 and not give_up():
                thread.join(min(left, LOOK))

    def _patience(self) -> float:
        """Return how many seconds connections have to finish when the server stops."""
        return self.timeout

    @abstractmethod
    def _unfinished(self, late: list[Peer]) -> list[Exception]:
        """Return further errors, given the connections that did not finish by themselves."""

    def _report(self, error: BaseException | None, late: list[Peer]) -> None:
        """Raise the first error, or add the errors as notes to that of the body of the `with` block."""
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


def has_failed(server: Server) -> None:
    """Note that the test has failed, so that the server waits only a short time when it stops."""
    server._failed = True  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # no method: users do not need it


def check_family(family: socket.AddressFamily) -> None:
    """Raise `ValueError` for a family that the servers do not support."""
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
            # A fixed port has to be available again after a restart.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((LOOPBACK[family], port))
    return sock


def seconds(timeout: float) -> float:
    """Return the `time.monotonic()` value `timeout` seconds from now."""
    return time.monotonic() + timeout if timeout != math.inf else math.inf
