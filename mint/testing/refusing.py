"""Addresses to which no connection succeeds: it is refused at once, or never answered."""

import selectors
import socket
from contextlib import ExitStack
from types import TracebackType
from typing import Final, Self

from .._loops.system import UNIX
from . import _arguments
from .server import bind, check_family

ATTEMPTS: Final = 64


class RefusingServer:
    """An address on the loopback interface to which nobody can connect; a context manager.

    It starts no thread, and no other program can get the port meanwhile. It works with `with` and
    `async with`.

    Args:
        silent: do not answer attempts to connect, so that the client's own timeout expires. By default they
            are refused.
        family: `AF_INET`, `AF_INET6` or `AF_UNIX`; others raise `ValueError`.

    With `silent`, entering the context raises `RuntimeError` if the system still accepts connections.

    """

    def __init__(self, *, silent: bool = False, family: socket.AddressFamily = socket.AF_INET) -> None:
        check_family(family)
        _arguments.flags(silent=silent)
        self.family = family
        self.silent = silent
        self._cleanup = ExitStack()
        self._name: str | tuple[str, int] | None = None

    @property
    def address(self) -> str:
        """The IP address to connect to, or the path of the Unix socket; `RuntimeError` if not running."""
        name = self._running()
        return name if isinstance(name, str) else str(name[0])

    @property
    def port(self) -> int:
        """The port to connect to, 0 for a Unix socket; `RuntimeError` if not running."""
        name = self._running()
        return 0 if isinstance(name, str) else int(name[1])

    def _running(self) -> str | tuple[str, int]:
        if self._name is None:
            raise RuntimeError("the server is not running: use it in a with statement")
        return self._name

    def __enter__(self) -> Self:
        """Reserve an address. Raises `RuntimeError` if the server has one already."""
        if self._name is not None:
            raise RuntimeError("the server is running already")
        with ExitStack() as cleanup:
            sock = bind(self.family, cleanup)
            name: str | tuple[str, int] = sock.getsockname()
            if self.silent:
                sock.listen(0)
                self._fill(sock, cleanup)
            self._name = name
            self._cleanup = cleanup.pop_all()
        return self

    def _fill(self, listening: socket.socket, cleanup: ExitStack) -> None:
        """Connect until the queue of connections that wait to be accepted is full."""
        for _ in range(ATTEMPTS):
            sock = cleanup.enter_context(socket.socket(self.family, socket.SOCK_STREAM))
            sock.setblocking(False)
            try:
                sock.connect(listening.getsockname())
            except BlockingIOError:
                # With a Unix socket the queue is full. TCP is still connecting, which is fast on loopback.
                with selectors.DefaultSelector() as selector:
                    selector.register(sock, selectors.EVENT_WRITE)
                    if self.family == UNIX or not selector.select(0.1):
                        return
        raise RuntimeError(f"the system still accepts connections after {ATTEMPTS}")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Release the address."""
        self._name = None
        self._cleanup.close()

    async def __aenter__(self) -> Self:
        """Reserve an address, for `async with`."""
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Release the address."""
        self.__exit__(kind, error, traceback)
