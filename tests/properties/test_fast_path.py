"""The compiled fast path is used where it should be; the results alone would not show that."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import mint
from mint.testing import Origin, showcase
from mint.testing.frames import data, headers, settings
from mint.transport import Memory
from tests.inboxes import Box

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from mint.types import Inbox


PACKAGE = str(Path(mint.__file__).parent)


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


GENERAL = ("_transact", "_current", "_commit", "_fed", "_finish_stream", "_read", "_stream", "_take")


def counted(conn: mint.Connection, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that gets the name of each general method when it is called."""
    called: list[str] = []
    for name in GENERAL:
        real = getattr(type(conn), name)

        def method(
            *args: object, name: str = name, real: Callable[..., object] = real, **more: object
        ) -> object:
            called.append(name)
            return real(*args, **more)

        monkeypatch.setattr(type(conn), name, method)
    return called


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
            called = counted(conn, monkeypatch)
            conn, ref = conn.request("GET", "/hello")
            done = False
            while not done:
                conn, responses = conn.recv(timeout=10.0)
                done = any(isinstance(one, mint.Done) and one.ref == ref for one in responses)
            assert watched.claims == 0
            assert "_take" not in called


@pytest.mark.parametrize("byte_count", [0, 1])
@pytest.mark.parametrize("body", [None, b"ab", [b"a", b"b"], bytearray(b"ab")])
def test_no_part_of_an_exchange_takes_the_general_path(
    protocol: str, body: mint.types.Body, byte_count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    conn, link = over_memory(protocol)
    if protocol == "http2":  # the reply to its SETTINGS takes the general path
        link.put(settings().serialize())
        conn, _ = conn.recv(timeout=0)
        link.take()
    called = counted(conn, monkeypatch)
    conn, ref = conn.request("POST", "/", (), body)
    assert called == []
    link.put(ANSWER[protocol].removeprefix(settings().serialize() if protocol == "http2" else b""))
    conn, responses = conn.recv(byte_count, timeout=0)
    assert [one.ref for one in responses if isinstance(one, mint.Done)] == [ref]
    assert called == ["_read", "_take"] * byte_count


def entered(operation: Callable[[], object]) -> list[str]:
    """Run an operation; return the functions of mint that ran as Python code."""
    names: list[str] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(PACKAGE):
            names.append(frame.f_code.co_name)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        operation()
    finally:
        sys.setprofile(before)
    return names


@pytest.mark.parametrize("flush", [True, False])
@pytest.mark.parametrize("timeout", [None, 0, 0.0, 1, 1.5, 10**9])
def test_frequent_operations_run_no_python_code_of_mint(
    protocol: str, timeout: float | None, flush: bool
) -> None:
    conn, link = over_memory(protocol)
    if protocol == "http2":  # the reply to its SETTINGS takes the general path
        link.put(settings().serialize())
        conn, _ = conn.recv(timeout=0)
    streaming, ref = conn.request("POST", "/", (), mint.STREAM)
    assert entered(lambda: streaming.stream_request_body(ref, b"ab", flush=flush)) == []
    conn, link = over_memory(protocol)
    names = entered(lambda: conn.request("GET", "/", (("a", "b"),), flush=flush))
    if flush or protocol == "http2":
        assert names == []
    else:  # the first request of a connection is told that it only waits
        assert names[0] == "_check_unsolicited"
    assert entered(link.take) == []
    octets = ANSWER[protocol]
    conn, link = over_memory(protocol)
    conn, _ = conn.request("GET", "/", flush=flush)
    if protocol == "http2":
        hello = settings().serialize()
        link.put(hello)
        conn, _ = conn.recv(timeout=0)
        octets = octets.removeprefix(hello)
    assert entered(lambda: link.put(octets)) == []
    active = conn.fork()
    assert entered(lambda: conn.recv(timeout=timeout)) == []
    inbox: Inbox = Box()
    active = active.set_mode("active", inbox)
    fork_link = active.transport
    assert isinstance(fork_link, Memory)
    message = fork_link.deliver(octets)
    assert entered(lambda: active.stream(message)) == []


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_no_piece_of_a_body_takes_the_general_path(
    protocol: str, kind: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    conn, _ = over_memory(protocol)
    conn, ref = conn.request("POST", "/", (), mint.STREAM)
    called = counted(conn, monkeypatch)
    for flush in (True, False):
        conn = conn.stream_request_body(ref, kind(b"ab"), flush=flush)
    assert called == []


def test_a_message_of_a_mailbox_takes_the_fast_path(protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    conn, link = over_memory(protocol)
    inbox: Inbox = Box()
    conn = conn.set_mode("active", inbox)
    conn, _ = conn.request("GET", "/")
    octets = ANSWER[protocol]
    if protocol == "http2":
        hello = settings().serialize()
        octets = octets.removeprefix(hello)
        made = conn.stream(link.deliver(hello))
        assert made is not mint.UNKNOWN
        conn, _ = made
    called = counted(conn, monkeypatch)
    for piece in (octets[:5], octets[5:-1], octets[-1:]):
        made = conn.stream(link.deliver(piece))
        assert made is not mint.UNKNOWN
        conn, _ = made
    assert called == []
    assert conn.open_request_count == 0


def test_opening_an_http2_connection_takes_the_fast_path(monkeypatch: pytest.MonkeyPatch) -> None:
    conn, _ = over_memory("http2")
    called = counted(conn, monkeypatch)
    over_memory("http2")
    assert called == []


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


def act(name: str, conn: mint.Connection, ref: mint.RequestRef, message: object) -> object:
    """Run a frequent operation."""
    if name == "request":
        return conn.request("GET", "/")
    if name == "piece":
        return conn.stream_request_body(ref, b"a")
    if name == "recv":
        return conn.recv(timeout=0)
    return conn.stream(message)


@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("operation", ["request", "piece", "recv", "stream"])
def test_a_link_that_is_not_free_is_left_alone(protocol: str, operation: str, plain: bool) -> None:
    """A value that is not the newest one is refused, and so is the newest while its link is in use."""
    conn, link = over_memory(protocol)
    if operation == "stream":
        inbox: Inbox = Box()
        conn = conn.set_mode("active", inbox)
    conn, ref = conn.request("POST", "/", (), mint.STREAM)
    stale = conn
    conn = conn.stream_request_body(ref, b"ab")
    link.plain = plain
    octets = ANSWER[protocol]
    message: object = link.deliver(octets) if operation == "stream" else link.put(octets)
    link.take()
    with pytest.raises(mint.StaleConnectionError):
        act(operation, stale, ref, message)
    link.claim(link.generation)
    with pytest.raises(RuntimeError, match="in use"):
        act(operation, conn, ref, message)
    link.release(moved=False)
    assert link.take() == b""
    if operation == "request" and protocol == "http1":
        return  # its body has not ended
    assert act(operation, conn, ref, message) is not mint.UNKNOWN
