"""The compiled fast path is used where it should be; the results alone would not show that."""

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


class Watched:
    """Counts how often a link is claimed in Python, which only the general path does."""

    def __init__(self, conn: mint.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
        self.claims = 0
        link = conn.transport
        real = link.claim

        def claim(generation: int) -> None:
            self.claims += 1
            real(generation)

        monkeypatch.setattr(link, "claim", claim)


@pytest.fixture(params=["http1", "http2"])
def protocol(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


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


def test_a_request_and_its_answer_over_memory_take_the_fast_path(
    protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    conn, link = over_memory(protocol)
    watched = Watched(conn, monkeypatch)
    conn, _ = conn.request("GET", "/")
    link.put(ANSWER[protocol])
    conn, responses = conn.recv(timeout=0.0)
    assert [type(one).__name__ for one in responses] == ["Status", "Headers", "Data", "Done"]
    assert watched.claims == 0


def test_a_body_and_a_wait_take_the_fast_path(protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    conn, link = over_memory(protocol)
    watched = Watched(conn, monkeypatch)
    conn, ref = conn.request("POST", "/", (("content-length", "4"),), mint.STREAM)
    conn = conn.stream_request_body(ref, b"ab")
    conn = conn.stream_request_body(ref, b"cd", flush=False)
    link.put(ANSWER[protocol])
    conn.recv(timeout=1.0)
    assert watched.claims == 0


def test_a_link_that_is_not_plain_takes_the_general_path(
    protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    conn, link = over_memory(protocol)
    watched = Watched(conn, monkeypatch)
    link.plain = False
    conn, _ = conn.request("GET", "/")
    assert watched.claims == 1
    link.put(ANSWER[protocol])
    conn.recv(timeout=0.0)
    assert watched.claims == 2


def test_a_socket_takes_the_fast_path(protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Origin(showcase) as origin:
        connect: Callable[..., mint.Connection] = (
            mint.http1.connect if protocol == "http1" else mint.http2.connect
        )
        with connect("http", origin.address, origin.port) as conn:
            watched = Watched(conn, monkeypatch)
            conn, ref = conn.request("GET", "/hello")
            done = False
            while not done:
                conn, responses = conn.recv(timeout=10.0)
                done = any(isinstance(one, mint.Done) and one.ref == ref for one in responses)
            assert watched.claims == 0


def test_a_refused_request_takes_the_fast_path(protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    conn, _ = over_memory(protocol)
    watched = Watched(conn, monkeypatch)
    with pytest.raises(mint.MintError):
        conn.request("GET\n", "/")
    assert watched.claims == 0
    conn.request("GET", "/")


def test_a_failed_operation_releases_the_lock_of_the_link(protocol: str) -> None:
    """Whichever error ends an operation, another thread can use the link afterwards."""
    conn, link = over_memory(protocol)
    with pytest.raises(TypeError):
        conn.request("GET", "/", [(1, 2)])  # type: ignore[list-item]  # wrong on purpose
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
