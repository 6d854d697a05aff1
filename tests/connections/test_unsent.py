"""Answers that wait to be written: when they count as written on each kind of link (RFC 9113 10.5)."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

import pytest

import mint
from mint import TCPOptions, errors
from mint.testing import frames as f
from mint.transport import Link, Memory, SocketLink

from ..ways import Narrow

if TYPE_CHECKING:
    from collections.abc import Callable

FEW = mint.HTTP2Options(max_unsent_acks=50)
GREETING = f.serialize([f.settings(), f.settings(ack=True)])


def pings(count: int) -> bytes:
    return f.serialize([f.ping()] * count)


def started(link: Link) -> mint.HTTP2:
    return mint.http2.initiate(link, scheme="http", hostname="example.org", identity=7, http2=FEW)


def test_a_fork_that_nobody_reads_from_goes_on_like_the_original() -> None:
    """The peer of a fork reads, so a replay need not take what is sent."""
    near, far = socket.socketpair()
    conn = started(SocketLink(near, TCPOptions()))
    far.sendall(GREETING)
    conn, _ = conn.recv(timeout=10)
    fork = conn.fork()
    replayed = fork.transport
    assert isinstance(replayed, Memory)
    conn = heard(conn, far, 60)
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


@pytest.mark.parametrize("operation", [streaming, pinging, widening, flushing])
def test_what_has_left_counts_no_more_whatever_is_done_next(
    operation: Callable[[mint.HTTP2, mint.RequestRef], mint.HTTP2],
) -> None:
    link = Memory()
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


def test_what_is_not_taken_from_a_memory_is_not_written() -> None:
    """A program that copies octets to a real transport takes as much as that accepts."""
    link = Memory()
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


def test_one_read_that_asks_for_too_many_answers_is_a_flood_on_any_link() -> None:
    link = Memory()
    link.put(GREETING)
    conn, _ = started(link).recv()
    link.put(pings(51))
    with pytest.raises(errors.EnhanceYourCalm):
        conn.recv()


def overfull() -> tuple[mint.HTTP2, SocketLink, socket.socket]:
    """Return a connection whose system accepts nothing more, and the other end."""
    near, far = socket.socketpair()
    link = SocketLink(near, TCPOptions())
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


def heard(conn: mint.HTTP2, far: socket.socket, count: int) -> mint.HTTP2:
    """Return the connection after a number of pings, one read each."""
    for _ in range(count):
        far.sendall(pings(1))
        conn, _ = conn.recv(timeout=10)
    return conn


@pytest.mark.rfc("9113-10.5-a")
def test_a_peer_that_does_not_read_its_answers_is_told_to_calm_down() -> None:
    conn, link, far = overfull()
    conn = heard(conn, far, 50)
    assert link.unsent == 17 * 50
    with pytest.raises(errors.EnhanceYourCalm):
        heard(conn, far, 1)
    far.close()


def test_a_peer_that_reads_again_starts_afresh() -> None:
    conn, link, far = overfull()
    conn = heard(conn, far, 50)
    far.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            far.recv(1 << 20)
    far.setblocking(True)
    link.write_waiting()
    assert link.unsent == 0
    conn = heard(conn, far, 60)
    conn.close()
    far.close()


def test_what_the_windows_of_a_tunnel_do_not_take_is_not_written() -> None:
    near, far = socket.socketpair()
    conn = started(SocketLink(near, TCPOptions(), (Narrow(),)))
    far.sendall(GREETING)
    conn, _ = conn.recv(timeout=10)
    with pytest.raises(errors.EnhanceYourCalm):
        heard(conn, far, 51)
    far.close()
