"""The compiled fast path is taken where it should be: a slow one that gives the same would not be noticed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

import mint
from mint.testing import Origin, showcase
from mint.testing.frames import data, headers, settings
from mint.transport import Memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from mint._core.turns import Quick


class Watched:
    """Stands in for the compiled transactions and notes which of them gave a result."""

    def __init__(self, real: Quick[mint.Response]) -> None:
        self.real = real
        self.taken: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., object]:
        method: Callable[..., object] = getattr(self.real, name)

        def noted(*arguments: object) -> object:
            result = method(*arguments)
            if result is not None:
                self.taken.append(name)
            return result

        return noted


@pytest.fixture(params=["http1", "http2"])
def protocol(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def watched(protocol: str, monkeypatch: pytest.MonkeyPatch) -> Watched:
    owner = mint.HTTP1 if protocol == "http1" else mint.HTTP2
    stand_in = Watched(owner._quick)
    monkeypatch.setattr(owner, "_quick", stand_in)
    return stand_in


def over_memory(protocol: str) -> tuple[mint.Connection, Memory]:
    link = Memory()
    initiate: Callable[..., mint.Connection] = (
        mint.http1.initiate if protocol == "http1" else mint.http2.initiate
    )
    return initiate(link, scheme="http", hostname="example.org", port=80), link


ANSWER = {
    "http1": b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
    "http2": b"".join(
        one.serialize() for one in (settings(), headers(1, ((":status", "200"),)), data(1, b"ok", end=True))
    ),
}


def test_a_request_and_its_answer_over_memory_take_the_fast_path(protocol: str, watched: Watched) -> None:
    conn, link = over_memory(protocol)
    watched.taken.clear()  # the opening of HTTP/2 is committed, too
    conn, _ = conn.request("GET", "/")
    assert watched.taken == ["request"]
    link.put(ANSWER[protocol])
    conn, responses = conn.recv(timeout=0)
    assert [type(one).__name__ for one in responses] == ["Status", "Headers", "Data", "Done"]
    assert watched.taken == ["request", "recv"]


def test_a_link_with_ways_of_its_own_never_takes_it(protocol: str, watched: Watched) -> None:
    conn, link = over_memory(protocol)
    watched.taken.clear()  # the opening of HTTP/2 is committed, too
    link.plain = False
    conn, _ = conn.request("GET", "/")
    link.put(ANSWER[protocol])
    conn.recv(timeout=0)
    assert watched.taken == []


def test_a_socket_takes_the_fast_path(protocol: str, watched: Watched) -> None:
    with Origin(showcase) as origin:
        connect: Callable[..., mint.Connection] = (
            mint.http1.connect if protocol == "http1" else mint.http2.connect
        )
        with connect("http", origin.address, origin.port) as conn:
            conn, ref = conn.request("GET", "/hello")
            done = False
            while not done:
                conn, responses = conn.recv(timeout=10)
                done = any(isinstance(one, mint.Done) and one.ref == ref for one in responses)
    assert watched.taken.count("request") == 1
    assert "recv" in watched.taken


def test_a_refusal_comes_from_the_fast_path_too(protocol: str, watched: Watched) -> None:
    conn, _ = over_memory(protocol)
    watched.taken.clear()
    with pytest.raises(mint.MintError):
        conn.request("GET\n", "/")
    assert watched.taken == ["request"]
    conn.request("GET", "/")


def test_a_turn_that_failed_is_given_back(protocol: str, watched: Watched) -> None:
    """The lock of a link is free again after every way out of a transaction."""
    conn, link = over_memory(protocol)
    watched.taken.clear()  # the opening of HTTP/2 is committed, too
    with pytest.raises(TypeError):
        conn.request("GET", "/", [(1, 2)])  # type: ignore[list-item]  # what the test is about
    with pytest.raises(mint.MintError):
        conn.request("", "/")
    with pytest.raises(mint.MintError):
        conn.recv(timeout=0)
    results: list[object] = []
    thread = threading.Thread(target=lambda: results.append(conn.request("GET", "/")))
    thread.start()
    thread.join(10)
    assert len(results) == 1
    assert link.take()
    with pytest.raises(mint.StaleConnectionError):
        conn.request("GET", "/")
