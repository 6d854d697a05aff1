"""Errors are freed with their last reference, because they are in no reference cycle with a frame."""

from __future__ import annotations

import asyncio
import gc
import socket
import warnings
import weakref
from typing import TYPE_CHECKING

import pytest
import uvloop

import mint
import mint.asyncio
from mint import TCPOptions
from mint.transport import Memory, SocketLink

from ..event_loops import Loop

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.usefixtures("uncollected")


def started(link: Memory | SocketLink) -> mint.HTTP1:
    conn = mint.http1.initiate(link, scheme="http", hostname="example.org")
    return conn.request("GET", "/")[0]


def broken_http() -> None:
    link = Memory()
    conn = started(link)
    link.put(b"SMTP ready\r\n")
    conn.recv()


def broken_http2() -> None:
    link = Memory()
    conn = mint.http2.initiate(link, scheme="http", hostname="example.org")
    link.put(b"HTTP/1.1 400 No\r\n\r\n")
    conn.recv()


def broken_http_and_the_goodbye_fails() -> None:
    near, far = socket.socketpair()
    conn = mint.http2.initiate(SocketLink(near, TCPOptions()), scheme="http", hostname="example.org")
    far.sendall(b"HTTP/1.1 400 No\r\n\r\n")
    far.close()
    with conn:
        conn.recv()


def local_refusal() -> None:
    started(Memory()).request("NO METHOD", "/")


def stale_value() -> None:
    conn = mint.http1.initiate(Memory(), scheme="http", hostname="example.org")
    conn.request("GET", "/")
    conn.request("GET", "/")


def nothing_came() -> None:
    started(Memory()).recv()


def nothing_came_in_time() -> None:
    near, far = socket.socketpair()
    with far, started(SocketLink(near, TCPOptions())) as conn:
        conn.recv(timeout=0)


def reset_while_receiving() -> None:
    near, far = socket.socketpair()
    with started(SocketLink(near, TCPOptions())) as conn:
        # A socket that is closed with unread input sends a reset.
        far.close()
        conn.recv()


def gone_while_sending() -> None:
    near, far = socket.socketpair()
    with mint.http1.initiate(SocketLink(near, TCPOptions()), scheme="http", hostname="h") as conn:
        far.close()
        conn.request("GET", "/")


def gone_while_flushing() -> None:
    near, far = socket.socketpair()
    with mint.http1.initiate(SocketLink(near, TCPOptions()), scheme="http", hostname="h") as conn:
        conn, _ = conn.request("GET", "/", flush=False)
        far.close()
        conn.flush()


def unknown_name() -> None:
    mint.connect("http", "name.invalid", 80)


@pytest.mark.parametrize(
    "fail",
    [
        broken_http,
        broken_http2,
        broken_http_and_the_goodbye_fails,
        local_refusal,
        stale_value,
        nothing_came,
        nothing_came_in_time,
        reset_while_receiving,
        gone_while_sending,
        gone_while_flushing,
        unknown_name,
    ],
)
def test_an_error_is_freed_at_once(fail: Callable[[], None]) -> None:
    with pytest.raises(mint.MintError) as caught:
        fail()
    gone = weakref.ref(caught.value)
    del caught
    assert gone() is None


class Failing(Memory):
    """A link that raises an exception which is not a transport error."""

    def _pull(self, until: float | None, *, wait: bool) -> bytes | None:
        raise UnforeseenError("no fault of the peer's")


class UnforeseenError(RuntimeError):
    """An exception that supports weak references."""


def test_another_exception_is_raised_to_the_receiver_and_freed() -> None:
    with mint.Mailbox() as mailbox:
        link = Failing()
        conn = mint.http1.initiate(link, scheme="http", hostname="a", mailbox=mailbox)

        def receive() -> weakref.ref[UnforeseenError]:
            try:
                link.take_message(mailbox, [])
            except UnforeseenError as error:
                return weakref.ref(error)
            raise AssertionError("nothing was raised")

        assert receive()() is None
        # No message was returned, and the lock is released.
        assert link.armed
        conn.close()


class Cycle:
    """Keeps a connection, and itself."""

    def __init__(self, conn: mint.Connection) -> None:
        self.conn = conn
        self.me = self


@pytest.mark.parametrize("make", [asyncio.SelectorEventLoop, uvloop.new_event_loop])
@pytest.mark.parametrize("cycle", [False, True])
@pytest.mark.parametrize("asked", [False, True])
def test_a_connection_of_asyncio_that_is_dropped_is_closed(
    make: Callable[[], asyncio.AbstractEventLoop], cycle: bool, asked: bool
) -> None:
    """Also if the garbage collector finds it together with its socket, for which nothing is registered."""

    async def main() -> None:
        near, far = socket.socketpair()
        far.setblocking(False)
        conn: mint.Connection = await mint.asyncio.connect("http", "a.example", 80, socket=near)
        del near
        mailbox = mint.asyncio.Mailbox()
        if asked:
            conn = conn.set_mode("active", mailbox)
        with far, warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            holder = Cycle(conn) if cycle else conn
            del conn, holder
            gc.collect()
            loop = asyncio.get_running_loop()
            assert await asyncio.wait_for(loop.sock_recv(far, 1), 10) == b""
        assert not warned

    Loop(make)(main())
