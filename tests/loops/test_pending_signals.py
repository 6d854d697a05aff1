"""A signal that arrives between compiled steps is handled before a message is taken, not within a read."""

from __future__ import annotations

import ctypes
import signal
import socket
from functools import partial
from operator import methodcaller
from typing import TYPE_CHECKING, NoReturn

import pytest

import mint
from mint.transport import Memory, SocketLink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Alarm(TimeoutError):  # noqa: N818  # it is not always an error
    """What programs raise in a handler of SIGALRM."""


# `signal.raise_signal` would run the handler itself; this function of C leaves it to the next check.
signalled: Callable[[], object] = partial(getattr(ctypes.CDLL(None), "raise"), signal.SIGUSR1)


@pytest.fixture
def mailbox() -> Iterator[mint.Mailbox]:
    with mint.Mailbox() as made:
        yield made


@pytest.fixture(autouse=True)
def handler() -> Iterator[None]:
    def ring(*_: object) -> NoReturn:
        raise Alarm

    before = signal.signal(signal.SIGUSR1, ring)
    yield
    signal.signal(signal.SIGUSR1, before)


def taken(mailbox: mint.Mailbox, *first: Callable[[], object]) -> list[object]:
    """Take a message after other calls, with no Python code between them; return what a handler left."""
    out: list[object] = []
    try:
        list(map(methodcaller("__call__"), (*first, partial(mailbox._take, out))))
    except Alarm:
        return ["alarm", *out]
    return out


def test_a_post_is_not_taken(mailbox: mint.Mailbox) -> None:
    mailbox.post("post")
    assert taken(mailbox, signalled) == ["alarm"]
    assert taken(mailbox) == ["post"]


def test_a_link_in_memory_is_not_read(mailbox: mint.Mailbox) -> None:
    link = Memory()
    conn = mint.http1.initiate(link, scheme="http", hostname="a", mailbox=mailbox)
    link.put(b"HTTP/1.1 200 OK")
    assert taken(mailbox, signalled) == ["alarm"]
    (message,) = taken(mailbox)
    assert isinstance(message, mint.Received)
    assert message.data == b"HTTP/1.1 200 OK"
    conn.close()


def test_a_socket_is_not_read(mailbox: mint.Mailbox) -> None:
    near, far = socket.socketpair()
    with far:
        conn = mint.http1.initiate(
            SocketLink(near, mint.TCPOptions()), scheme="http", hostname="a", mailbox=mailbox
        )
        conn, _ = conn.request("GET", "/")
        assert taken(mailbox) == []
        far.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        assert taken(mailbox, partial(mailbox._look, 10), signalled) == ["alarm"]
        streamed = conn.stream(taken(mailbox)[0])
        assert streamed is not mint.UNKNOWN
        conn, responses = streamed
        assert getattr(responses[0], "status", None) == 204
        conn.close()
