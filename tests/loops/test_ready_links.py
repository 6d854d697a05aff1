"""What a mailbox does with the sockets that are reported to be ready, and what it returns first."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

import mint
from mint.transport import SocketLink

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mint._wire.link import Link

STREAK = 64


@pytest.fixture
def mailbox() -> Iterator[mint.Mailbox]:
    with mint.Mailbox() as made:
        yield made


@pytest.fixture
def ready(mailbox: mint.Mailbox) -> Iterator[mint.Connection]:
    """A connection that is registered, and then has something to read."""
    near, far = socket.socketpair()
    with far:
        link = SocketLink(near, mint.TCPOptions())
        conn = mint.http1.initiate(link, scheme="http", hostname="a", mailbox=mailbox)
        assert not mailbox._take([])
        far.sendall(b"x")
        yield conn
        conn.close()


def watched(mailbox: mint.Mailbox) -> Link:
    """Return the only link that is registered."""
    (watch,) = mailbox._watches
    link = watch()
    assert link is not None
    return link


def test_a_socket_that_is_reported_again_is_read_once(mailbox: mint.Mailbox, ready: mint.Connection) -> None:
    for _ in range(3):
        mailbox._look(10)
        assert len(mailbox._ready) == 1
    out: list[object] = []
    assert mailbox._take(out)
    assert not mailbox._take(out)
    assert len(out) == 1


def test_a_reported_link_that_is_not_watched_is_unregistered(
    mailbox: mint.Mailbox, ready: mint.Connection
) -> None:
    link = watched(mailbox)
    link.note = None
    mailbox._look(10)
    assert [*mailbox._ready, *mailbox._watches] == []
    assert mailbox._selector.select(0) == []


def test_a_ready_link_that_is_no_longer_watched_is_not_read(
    mailbox: mint.Mailbox, ready: mint.Connection
) -> None:
    link = watched(mailbox)
    mailbox._look(10)
    link.note = None
    out: list[object] = []
    assert not mailbox._take(out)
    assert out == []
    assert link.armed


@pytest.mark.parametrize("count", [STREAK - 1, STREAK, STREAK + 1, 2 * STREAK])
def test_posts_come_before_what_is_ready_64_times(
    mailbox: mint.Mailbox, ready: mint.Connection, count: int
) -> None:
    mailbox._look(10)
    for number in range(count):
        mailbox.post(number)
    got: list[object] = []
    while mailbox._take(got):
        pass
    numbers = [each for each in got if isinstance(each, int)]
    assert numbers == list(range(count))
    (at,) = [at for at, each in enumerate(got) if isinstance(each, mint.Received)]
    assert at == min(count, STREAK)


@pytest.mark.parametrize("times", [1, 2, 100])
def test_a_mailbox_that_was_woken_waits_again(mailbox: mint.Mailbox, times: int) -> None:
    for _ in range(times):
        mailbox._wake()
    mailbox._look(10)
    assert mailbox._selector.select(0) == []
