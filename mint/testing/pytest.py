"""Fixtures for pytest: servers that stop when the test ends, certificates, and a clock.

A test suite enables them in its `conftest.py`::

    pytest_plugins = ["mint.testing.pytest"]

In projects that do not do this, nothing is loaded. If a server of these fixtures detects a mistake, the test
fails, even if it expected and caught an error of the client. After a test that has failed, the servers do not
wait for the rest of their scripts.
"""

import socket
import ssl
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

import pytest

from .clock import FakeClock
from .messages import Handler
from .origin import Origin
from .refusing import RefusingServer
from .scripted import Script, ScriptedServer
from .server import Server, has_failed
from .steps import Step

if TYPE_CHECKING:
    from .certificates import Authority

_Server = TypeVar("_Server", bound=Server)

_FAILED: Final[pytest.StashKey[bool]] = pytest.StashKey()
"""Whether the body of a test has failed."""


def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Note that the body of a test has failed, before its fixtures end."""
    if call.when == "call" and call.excinfo is not None:
        item.stash[_FAILED] = True


class _Running(ExitStack):
    """Starts the servers of a test, which stop at the end of the block."""

    def __init__(self, item: object) -> None:
        super().__init__()
        self._item = item

    def start(self, server: _Server) -> _Server:
        """Start a server and return it."""
        self.enter_context(server)
        # The callback is added later, so it is called before the server stops.
        self.callback(_tell, self._item, server)
        return server


def _tell(item: object, server: Server) -> None:
    if isinstance(item, pytest.Item) and item.stash.get(_FAILED, default=False):
        has_failed(server)


class ServeScripts(Protocol):
    """Starts a `ScriptedServer` that stops when the test ends."""

    def __call__(
        self,
        *scripts: Iterable[Step] | Script,
        tls: ssl.SSLContext | None = None,
        family: socket.AddressFamily = socket.AF_INET,
        timeout: float = 10.0,
        strict: bool = False,
    ) -> ScriptedServer:
        """Return a running server; the arguments are those of `ScriptedServer`."""
        ...


class ServeHandler(Protocol):
    """Starts an `Origin` that stops when the test ends."""

    def __call__(
        self,
        handler: Handler,
        *,
        tls: ssl.SSLContext | None = None,
        family: socket.AddressFamily = socket.AF_INET,
        timeout: float = 10.0,
        settings: Mapping[int, int] | None = None,
        port: int = 0,
        protocols: Collection[str] = ("http1", "http2"),
    ) -> Origin:
        """Return a running server; the arguments are those of `Origin`."""
        ...


class Refuse(Protocol):
    """Reserves an address of a `RefusingServer` until the test ends."""

    def __call__(
        self, *, silent: bool = False, family: socket.AddressFamily = socket.AF_INET
    ) -> RefusingServer:
        """Return a running server; the arguments are those of `RefusingServer`."""
        ...


@pytest.fixture
def scripted_server(request: pytest.FixtureRequest) -> Iterator[ServeScripts]:
    """Return a function that starts a `ScriptedServer`; what it raises is raised when the test is over."""
    with _Running(request.node) as running:

        def serve(
            *scripts: Iterable[Step] | Script,
            tls: ssl.SSLContext | None = None,
            family: socket.AddressFamily = socket.AF_INET,
            timeout: float = 10.0,
            strict: bool = False,
        ) -> ScriptedServer:
            return running.start(
                ScriptedServer(*scripts, tls=tls, family=family, timeout=timeout, strict=strict)
            )

        yield serve


@pytest.fixture
def origin_server(request: pytest.FixtureRequest) -> Iterator[ServeHandler]:
    """Return a function that starts an `Origin`; what its handler raised is raised when the test is over."""
    with _Running(request.node) as running:

        def serve(
            handler: Handler,
            *,
            tls: ssl.SSLContext | None = None,
            family: socket.AddressFamily = socket.AF_INET,
            timeout: float = 10.0,
            settings: Mapping[int, int] | None = None,
            port: int = 0,
            protocols: Collection[str] = ("http1", "http2"),
        ) -> Origin:
            origin = Origin(
                handler,
                tls=tls,
                family=family,
                timeout=timeout,
                settings=settings,
                port=port,
                protocols=protocols,
            )
            return running.start(origin)

        yield serve


@pytest.fixture
def refusing_server() -> Iterator[Refuse]:
    """Return a function that starts a `RefusingServer`, which stops when the test ends."""
    with ExitStack() as running:

        def refuse(*, silent: bool = False, family: socket.AddressFamily = socket.AF_INET) -> RefusingServer:
            return running.enter_context(RefusingServer(silent=silent, family=family))

        yield refuse


@pytest.fixture(scope="session")
def certificate_authority() -> "Authority":
    """Return a certificate authority for all tests of this run, with contexts for servers and clients."""
    from .certificates import Authority  # noqa: PLC0415  only this fixture needs trustme

    return Authority()


@pytest.fixture
def fake_clock() -> FakeClock:
    """Return a clock that advances only when the test advances it."""
    return FakeClock()
