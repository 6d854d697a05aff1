"""The fixtures of `mint.testing` in a separate test suite; nothing is imported without them."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from typing import TYPE_CHECKING

from mint.testing import Origin, Response
from mint.testing import pytest as plugin

if TYPE_CHECKING:
    import pytest

pytest_plugins = ["pytester"]

SUITE = """
import inspect
import socket
import ssl
import pytest
from mint.testing import Expect, Origin, RefusingServer, Response, ScriptedServer, Send

pytest_plugins = ["mint.testing.pytest"]

def ask(port, octets):
    with socket.create_connection(("127.0.0.1", port), 10) as sock:
        sock.sendall(octets)
        sock.shutdown(socket.SHUT_WR)
        return sock.makefile("rb").read()

def test_good(scripted_server):
    assert ask(scripted_server([Expect(b"x"), Send(b"y")]).port, b"x") == b"y"

def test_bad(scripted_server):
    ask(scripted_server([Expect(b"x"), Send(b"y")]).port, b"z")

def test_hidden(scripted_server):
    server = scripted_server([Expect(b"x")])
    with pytest.raises(ZeroDivisionError):
        ask(server.port, b"z")
        1 / 0

def test_unread(scripted_server):
    ask(scripted_server([Expect(b"x")], strict=True).port, b"xz")

def test_handler(origin_server):
    origin = origin_server(lambda request: Response(200, [], b"hello"))
    assert b"hello" in ask(origin.port, b"GET / HTTP/1.1\\r\\nhost: a\\r\\n\\r\\n")

def test_bad_handler(origin_server):
    ask(origin_server(lambda request: pytest.fail("no")).port, b"GET / HTTP/1.1\\r\\nhost: a\\r\\n\\r\\n")

def test_others(refusing_server, certificate_authority, fake_clock):
    with pytest.raises(ConnectionRefusedError):
        ask(refusing_server().port, b"x")
    assert isinstance(certificate_authority.server_context(), ssl.SSLContext)
    fake_clock.advance(1)

@pytest.mark.parametrize("made", ["scripted_server", "origin_server", "refusing_server"])
def test_arguments(made, request):
    # each fixture takes the arguments of its server, with the same defaults, and passes each on
    fixture = request.getfixturevalue(made)
    servers = {"scripted_server": ScriptedServer, "origin_server": Origin, "refusing_server": RefusingServer}
    assert inspect.signature(fixture).parameters == inspect.signature(servers[made]).parameters
    if made == "scripted_server":
        server = fixture([Expect(b"x")], family=socket.AF_INET6, strict=True, timeout=9)
        with socket.create_connection((server.address, server.port), 10) as sock:
            sock.sendall(b"x")
    elif made == "origin_server":
        server = fixture(
            lambda request: Response(),
            family=socket.AF_INET6,
            timeout=9,
            settings={3: 7},
            protocols=["http2"],
        )
    else:
        server = fixture(family=socket.AF_INET6, silent=True)
        assert server.silent
    assert (server.family, server.address) == (socket.AF_INET6, "::1")
"""


def test_the_fixtures(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SUITE)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=10, errors=4)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_bad *"])
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_hidden *"])
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_unread *"])
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_bad_handler *"])
    result.stdout.fnmatch_lines(["*other bytes were received*"])


FAILING = """
import socket
import pytest
from mint.testing import Expect, Origin, Response, Send

pytest_plugins = ["mint.testing.pytest"]

@pytest.fixture
def client():
    with socket.socket() as sock:
        sock.settimeout(10)
        yield sock

def test_in_the_middle(client, scripted_server):
    server = scripted_server([Expect(b"x"), Send(b"y"), Expect(b"z")], timeout=3600)
    other = scripted_server([Expect(b"x")], timeout=3600)
    client.connect((server.address, server.port))
    client.sendall(b"x")
    assert client.recv(1) == b"n"

def test_in_a_handler(client, origin_server):
    origin = origin_server(lambda request: 1 / 0, timeout=3600)
    client.connect((origin.address, origin.port))
    client.sendall(b"GET / HTTP/1.1\\r\\nhost: a\\r\\n\\r\\n")
    assert client.recv(100).startswith(b"HTTP/1.1 200 ")
"""


def test_after_a_failure_the_servers_do_not_wait(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(FAILING)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", timeout=120)
    result.assert_outcomes(failed=2, errors=2)
    result.stdout.fnmatch_lines(["*assert b'y' == b'n'*"])
    result.stdout.fnmatch_lines(["*step 3 of 3*still busy*"])
    result.stdout.fnmatch_lines(["*ZeroDivisionError*"])


def test_only_the_servers_of_a_failed_test_are_told(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a test that has passed, a server waits for the rest of its script."""
    told: list[object] = []
    monkeypatch.setattr(plugin, "has_failed", told.append)
    found: list[bool] = []
    for has_failed in (None, False, True):
        if has_failed is not None:
            request.node.stash[plugin._FAILED] = has_failed
        with plugin._Running(request.node) as running:
            server = running.start(Origin(lambda _: Response()))
        found.append(server in told)
    request.node.stash[plugin._FAILED] = False
    assert found == [False, False, True]


def test_importing_mint_testing_loads_no_test_library() -> None:
    found = importlib.metadata.entry_points(group="pytest11")
    assert not [point for point in found if point.value.startswith("mint")]
    code = "import sys, mint.testing; print({'pytest', 'hypothesis', 'trustme', 'trio'} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "set()\n"
