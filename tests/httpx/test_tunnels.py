"""What network streams tell about a connection, and TLS inside a tunnel, without a client of httpx."""

from __future__ import annotations

import asyncio
import socket
import ssl
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

import mint
from mint import errors
from mint._httpx import tunnels
from mint._httpx.tunnels import Inside, in_handshake, info
from mint.httpx import _AsyncNetwork, _Network
from mint.transport import Memory, SocketLink

if TYPE_CHECKING:
    from collections.abc import Callable

    from mint._connections.negotiation import Connection


def connection(near: socket.socket) -> Connection:
    link = SocketLink(near, mint.TCPOptions())
    return mint.http1.initiate(link, scheme="http", hostname="a")


def send_one(near: socket.socket, far: socket.socket) -> None:
    far.sendall(b"x")


def end(near: socket.socket, far: socket.socket) -> None:
    far.shutdown(socket.SHUT_WR)


def close_far(near: socket.socket, far: socket.socket) -> None:
    far.close()


def close_near(near: socket.socket, far: socket.socket) -> None:
    near.close()


def nothing(near: socket.socket, far: socket.socket) -> None:
    pass


@pytest.mark.parametrize(
    ("happens", "readable"),
    [(nothing, False), (send_one, True), (end, True), (close_far, True), (close_near, True)],
)
def test_whether_something_can_be_read(
    happens: Callable[[socket.socket, socket.socket], None], readable: bool
) -> None:
    near, far = socket.socketpair()
    with near, far:
        conn = connection(near)
        happens(near, far)
        assert info(conn, "is_readable") is readable
        assert info(conn, "is_readable") is readable  # asking reads nothing
        conn.close()


def test_a_connection_without_a_socket_is_readable() -> None:
    conn = mint.http1.initiate(Memory(), scheme="http", hostname="a")
    assert info(conn, "is_readable") is True
    assert info(conn, "socket") is None


@pytest.mark.parametrize("number", [-1, 0, 1, 2])
def test_every_number_but_that_of_a_closed_socket_is_asked(
    monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """A program without standard streams has sockets with the numbers 0 to 2."""
    asked: list[int] = []

    class Poll:
        """Nothing can be read."""

        def register(self, number: int, events: int) -> None:
            asked.append(number)

        def poll(self, timeout: float) -> list[tuple[int, int]]:
            return []

    monkeypatch.setattr(tunnels, "make_poll", Poll)
    conn = SimpleNamespace(socket=SimpleNamespace(fileno=lambda: number))
    assert info(conn, "is_readable") is (number < 0)  # type: ignore[arg-type]  # it has what is used here
    assert asked == ([] if number < 0 else [number])


def test_the_names_of_attributes() -> None:
    near, far = socket.socketpair()
    with far:
        conn = connection(near)
        assert info(conn, "socket") is near
        assert info(conn, "client_addr") == conn.local_address
        assert info(conn, "server_addr") == conn.peer_address
        for name in ("tls", "ssl_object", "", "local_address", "Socket"):
            assert info(conn, name) is None
        conn.close()


# -- TLS inside a tunnel


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the time, which the test sets."""
    now = [100.0]
    monkeypatch.setattr(tunnels, "monotonic", lambda: now[0])
    return now


@pytest.mark.parametrize(
    ("timeout", "passed", "left"),
    [
        (None, 1e9, None),
        (5.0, 0.0, 5.0),
        (5.0, 4.5, 0.5),
        (5.0, 5.0, "over"),
        (5.0, 9.0, "over"),
        (0.0, 0.0, "over"),
    ],
)
def test_the_time_that_a_handshake_has_left(
    clock: list[float], timeout: float | None, passed: float, left: float | str | None
) -> None:
    inside = Inside(ssl.create_default_context(), "a", timeout)
    clock[0] += passed
    if left == "over":
        with pytest.raises(errors.TransportTimeout, match="shaking hands"):
            inside.left()
    else:
        assert inside.left() == left


def test_a_timeout_of_another_phase_becomes_one_of_the_handshake() -> None:
    cause = errors.TransportTimeout("receiving")
    made = in_handshake(cause)
    assert (made.phase, made.__cause__) == ("shaking hands", cause)


@pytest.mark.parametrize("given", [None, "context", ssl.SSLContext, object()])
def test_only_a_context_is_accepted(given: object) -> None:
    with pytest.raises(TypeError, match=r"ssl_context must be an ssl\.SSLContext, not "):
        Inside(given, "a", None)  # type: ignore[arg-type]  # the error is tested


class Fake:
    """A layer in a given state."""

    def __init__(self, found: bytes, *, ended: bool, clean_end: bool) -> None:
        self.found, self.ended, self.clean_end = found, ended, clean_end
        self.fed: list[bytes] = []

    def feed(self, octets: bytes) -> None:
        self.fed.append(octets)

    def read(self) -> bytes:
        return self.found


@pytest.mark.parametrize("octets", [None, b"", b"x"])
@pytest.mark.parametrize(
    ("found", "ended", "clean_end", "plaintext"),
    [
        (b"", False, False, None),
        (b"a", False, False, b"a"),
        (b"a", True, False, b"a"),
        (b"a", True, True, b"a"),
        (b"", True, True, b""),
        (b"", True, False, "error"),
    ],
)
def test_plaintext_comes_before_the_end(
    found: bytes, ended: bool, clean_end: bool, plaintext: bytes | str | None, octets: bytes | None
) -> None:
    inside, layer = (
        Inside(ssl.create_default_context(), "a", None),
        Fake(found, ended=ended, clean_end=clean_end),
    )
    inside.layer = layer  # type: ignore[assignment]  # it has what is used here
    if plaintext == "error":
        with pytest.raises(errors.TransportClosed):
            inside.plaintext(octets)
    else:
        assert inside.plaintext(octets) == plaintext
    assert layer.fed == ([] if octets is None else [octets])


def test_an_end_in_the_handshake_is_an_error() -> None:
    inside, layer = Inside(ssl.create_default_context(), "a", None), Fake(b"", ended=False, clean_end=False)
    inside.layer = layer  # type: ignore[assignment]  # it has what is used here
    inside.feed(b"x")
    with pytest.raises(errors.TransportClosed):
        inside.feed(b"")
    assert layer.fed == [b"x"]


def test_what_the_inside_tells() -> None:
    """Everything else is that of the connection."""
    inside = Inside(ssl.create_default_context(), "a", None)
    assert inside.info("ssl_object") == (inside.layer.ssl_object,)
    for name in ("socket", "client_addr", "is_readable", ""):
        assert inside.info(name) is None


class Layer:
    """Stands for TLS that answers what it reads, as it does when the peer changes its keys."""

    def __init__(self) -> None:
        self.answers = [b"first", b"second"]

    def leaving(self) -> bytes:
        return self.answers.pop(0)


class Slow:
    """Stands for TLS of which the plaintext is complete with the second input."""

    def __init__(self) -> None:
        self.layer = Layer()
        self.fed: list[bytes | None] = []

    def plaintext(self, octets: bytes | None = None) -> bytes | None:
        self.fed.append(octets)
        return b"text" if len(self.fed) > 2 else None


class Under:
    """Stands for the stream beneath TLS, for both kinds of callers."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, object]] = []

    def take(self, timeout: float | None) -> bytes:
        self.calls.append(("take", timeout))
        return b"piece"

    def put(self, buffer: bytes, timeout: float | None) -> None:
        self.calls.append((buffer.decode(), timeout))


class AsyncUnder:
    """The asynchronous twin."""

    def __init__(self) -> None:
        self.same = Under()

    async def take(self, left: float | None) -> bytes:
        return self.same.take(left)

    async def put(self, buffer: bytes, left: float | None) -> None:
        self.same.put(buffer, left)


@pytest.mark.parametrize("is_async", [False, True])
def test_what_tls_in_a_tunnel_has_to_say_is_sent_while_it_reads(is_async: bool) -> None:
    """After each piece, and with the time limit of the caller."""
    inside, under = Slow(), Under()
    if is_async:
        slow = AsyncUnder()
        stream = _AsyncNetwork(None, None, slow, inside)  # type: ignore[arg-type]  # stand-ins
        found, under = asyncio.run(stream.read(3, 5.0)), slow.same
    else:
        found = _Network(None, None, under, inside).read(3, 5.0)  # type: ignore[arg-type]  # stand-ins
    assert found == b"tex"
    assert inside.fed == [None, b"piece", b"piece"]
    assert under.calls == [("take", 5.0), ("first", 5.0), ("take", 5.0), ("second", 5.0)]
