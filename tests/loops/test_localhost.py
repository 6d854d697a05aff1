"""Names of this machine are used without the resolver of the system, in every event loop (RFC 6761 6.3)."""

from __future__ import annotations

import socket as sockets
from typing import TYPE_CHECKING

import pytest

import mint
from mint._hosts import is_localhost
from mint._loops.dialer import Dialler
from mint.testing import Origin, showcase

from ..event_loops import no_socket_left
from .test_async_loops import EVENT_LOOPS

if TYPE_CHECKING:
    from collections.abc import Callable

BLOCKING = "blocking"
NAMES = ("localhost", "LocalHost", "localhost.", "app.localhost", "a.B.LOCALHOST.")


@pytest.fixture(params=[BLOCKING, *EVENT_LOOPS])
def connected(request: pytest.FixtureRequest) -> Callable[[str, int, mint.TCPOptions], None]:
    """Return a function that connects to an origin in one of the event loops, and closes."""

    def connect(name: str, port: int, tcp: mint.TCPOptions) -> None:
        if request.param == BLOCKING:
            mint.connect("http", name, port, tcp=tcp).close()
            return
        loop = EVENT_LOOPS[request.param]

        async def main() -> None:
            conn = await loop.connect("http", name, port, tcp=tcp)
            conn.close()

        loop.run(main())

    return connect


def refuse(*_: object, **__: object) -> None:
    raise AssertionError("the resolver of the system was called")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("family", [sockets.AF_INET, sockets.AF_INET6])
def test_no_resolver_is_called_for_a_name_of_this_machine(
    connected: Callable[[str, int, mint.TCPOptions], None],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    family: sockets.AddressFamily,
) -> None:
    four = family == sockets.AF_INET
    with no_socket_left(), Origin(showcase, family=family) as origin:
        monkeypatch.setattr(sockets, "getaddrinfo", refuse)
        monkeypatch.setattr(Dialler, "ask", refuse)  # it would start a thread
        connected(name, origin.port, mint.TCPOptions())
        connected(name, origin.port, mint.TCPOptions(inet4=four, inet6=not four))


def test_a_resolver_of_the_caller_is_called() -> None:
    resolved: list[tuple[str, int]] = []

    def resolver(host: str, port: int) -> list[str]:
        resolved.append((host, port))
        return ["127.0.0.1"]

    with Origin(showcase) as origin:
        mint.connect("http", "app.localhost", origin.port, resolver=resolver).close()
    assert resolved == [("app.localhost", origin.port)]


@pytest.mark.parametrize(
    "name", ["localhost.example", "notlocalhost", "local", "localhost-", "my-localhost.", "localhost.."]
)
def test_other_names_are_resolved(name: str) -> None:
    assert not is_localhost(name)
