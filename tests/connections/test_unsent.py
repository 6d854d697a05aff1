"""Replies that wait to be written: when they count as written on each kind of link (RFC 9113 10.5)."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING, Literal

import pytest

import mint
from mint import TCPOptions, errors
from mint.testing import frames as f
from mint.transport import Link, Memory, SocketLink

from ..routes import Narrow

if TYPE_CHECKING:
    from collections.abc import Callable

FEW = mint.HTTP2Options(max_unsent_acks=50)
GREETING = f.serialize([f.settings(), f.settings(ack=True)])


class OwnMemory(Memory):
    """A link with a check of its own, so that no operation takes the compiled fast path."""

    def permit(self, call: Literal["recv", "flush"]) -> None:
        super().permit(call)


class OwnSocket(SocketLink):
    """The same over a socket."""

    def permit(self, call: Literal["recv", "flush"]) -> None:
        super().permit(call)


on_both_paths_in_memory = pytest.mark.parametrize("kind", [Memory, OwnMemory])
on_both_paths = pytest.mark.parametrize("kind", [SocketLink, OwnSocket])


def pings(count: int) -> bytes:
    return f.serialize([f.ping()] * count)


def started(link: Link) -> mint.HTTP2:
    return mint.http2.initiate(link, scheme="http", hostname="example.org", identity=7, http2=FEW)


def test_a_fork_without_a_reader_behaves_like_the_original() -> None:
    """A fork counts its replies as written, so a replay need not take them."""
    near, far = socket.socketpair()
    conn = started(SocketLink(near, TCPOptions()))
    far.sendall(GREETING)
    conn, _ = conn.recv(timeout=10)
    fork = conn.fork()
    replayed = fork.transport
    assert isinstance(replayed, Memory)
    conn = receive_data(conn, far, 60)
    for _ in range(60):
        replayed.put(pings(1))
        fork, _ = fork.recv()
    assert fork == conn
    assert len(replayed.take()) == 17 * 60
    conn.close()
    far.close()


def streaming(conn: mint.HTTP2, ref: mint.RequestRef) -> mint.HTTP2:
    return conn.stream_request_body(ref, b"x")


def pinging(conn: mint.HTTP2, _: mint.RequestRef) -> mint.HTTP2:
    return conn.ping()[0]


def widening(conn: mint.HTTP2, ref: mint.RequestRef) -> mint.HTTP2:
    return conn.set_window_size(ref, conn.get_window_size(ref) + 5_000_000)


def flushing(conn: mint.HTTP2, _: mint.RequestRef) -> mint.HTTP2:
    return conn.flush(10)


@on_both_paths_in_memory
@pytest.mark.parametrize("operation", [streaming, pinging, widening, flushing])
def test_sent_replies_no_longer_count_whichever_operation_follows(
    operation: Callable[[mint.HTTP2, mint.RequestRef], mint.HTTP2], kind: type[Memory]
) -> None:
    link = kind()
    assert link.plain is (kind is Memory)
    link.put(GREETING)
    conn, _ = started(link).recv()
    conn, ref = conn.request("POST", "/", (), mint.STREAM)
    link.take()
    for number in range(200):
        if number % 20 == 0 or operation is not widening:
            conn = operation(conn, ref)
        link.put(pings(1))
        conn, _ = conn.recv()
        link.take()


@on_both_paths_in_memory
def test_replies_that_were_not_taken_from_a_memory_count(kind: type[Memory]) -> None:
    """A program that copies octets to a real transport takes only as many as the transport accepts."""
    link = kind()
    link.put(GREETING)
    conn, _ = started(link).recv()
    for _ in range(2):
        link.take()
        for _ in range(50):
            link.put(pings(1))
            conn, _ = conn.recv()
    link.put(pings(1))
    with pytest.raises(errors.EnhanceYourCalm):
        conn.recv()


def test_one_read_with_too_many_pings_is_a_flood_on_any_link() -> None:
    link = Memory()
    link.put(GREETING)
    conn, _ = started(link).recv()
    link.put(pings(51))
    with pytest.raises(errors.EnhanceYourCalm):
        conn.recv()


def overfull(kind: type[SocketLink]) -> tuple[mint.HTTP2, SocketLink, socket.socket]:
    """Return a connection whose socket accepts no more output, and the other end."""
    near, far = socket.socketpair()
    link = kind(near, TCPOptions())
    assert link.plain is (kind is SocketLink)
    conn = started(link)
    far.sendall(GREETING)
    conn, _ = conn.recv(timeout=10)
    waits = near.gettimeout()
    near.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            near.send(bytes(65_536))
    near.settimeout(waits)
    return conn, link, far


def receive_data(conn: mint.HTTP2, far: socket.socket, count: int) -> mint.HTTP2:
    """Return the connection after a number of pings, one read each."""
    for _ in range(count):
        far.sendall(pings(1))
        conn, _ = conn.recv(timeout=10)
    return conn


@pytest.mark.rfc("9113-10.5-a")
@on_both_paths
def test_a_peer_that_does_not_read_replies_gets_enhance_your_calm(kind: type[SocketLink]) -> None:
    conn, link, far = overfull(kind)
    conn = receive_data(conn, far, 50)
    assert link.unsent == 17 * 50
    with pytest.raises(errors.EnhanceYourCalm):
        receive_data(conn, far, 1)
    far.close()


@on_both_paths
def test_replies_no_longer_count_when_the_peer_reads_again(kind: type[SocketLink]) -> None:
    conn, link, far = overfull(kind)
    conn = receive_data(conn, far, 50)
    far.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            far.recv(1 << 20)
    far.setblocking(True)
    link.write_waiting()
    assert link.unsent == 0
    conn = receive_data(conn, far, 60)
    conn.close()
    far.close()


@on_both_paths
def test_replies_that_wait_for_the_windows_of_a_tunnel_count(kind: type[SocketLink]) -> None:
    near, far = socket.socketpair()
    conn = started(kind(near, TCPOptions(), (Narrow(),)))
    far.sendall(GREETING)
    conn, _ = conn.recv(timeout=10)
    with pytest.raises(errors.EnhanceYourCalm):
        receive_data(conn, far, 51)
    far.close()
