"""Failures between `Mailbox.receive` and `stream`: octets are decoded in order, or not at all."""

from __future__ import annotations

import asyncio
import socket
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeAlias

import pytest
import trio

import mint
import mint.asyncio
import mint.trio
from mint.testing import http2

from ..event_loops import run_trio
from ..together import finish

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PARTS = [b"a" * 3_000, b"b" * 3_000, b"c" * 3_000]
"""The content, in the parts that the mailbox returns; the last part arrives before sending fails."""

Loop: TypeAlias = Literal["blocking", "asyncio", "trio"]
Protocol: TypeAlias = Literal["http1", "http2"]
Operation: TypeAlias = "Callable[[mint.Connection, mint.RequestRef], mint.Connection]"


def parts_of(protocol: Protocol, count: int, *, complete: bool) -> list[bytes]:
    """Return `count` parts of a response; if it is not complete, its length announces more."""
    if protocol == "http1":
        head = b"HTTP/1.1 413 No\r\ncontent-length: %d\r\n\r\n" % (3_000 * count + (not complete))
        return [head + PARTS[0], *PARTS[1:count]]
    frames = [http2.data(1, part, end=complete and at == count - 1) for at, part in enumerate(PARTS[:count])]
    first = http2.settings(), http2.settings(ack=True), http2.headers(1, ((":status", "413"),)), frames[0]
    return [b"".join(each.serialize() for each in first), *(each.serialize() for each in frames[1:])]


def send(conn: mint.Connection, ref: mint.RequestRef) -> mint.Connection:
    return conn.stream_request_body(ref, b"more of the request")


def cancel(conn: mint.Connection, _: mint.RequestRef) -> mint.Connection:
    conn, ref = conn.request("GET", "/another")
    return conn.cancel_request(ref) if isinstance(conn, mint.HTTP2) else conn


def content(received: list[mint.Response]) -> bytes:
    return b"".join(each.data for each in received if isinstance(each, mint.Data))


async def scenario(
    conn: mint.Connection,
    server: socket.socket,
    parts: list[bytes],
    operation: Operation,
    receive: Callable[[], Awaitable[object]],
    *,
    closes: bool,
) -> list[mint.Response]:
    """Return everything that was received, in order, from all sources."""
    received: list[mint.Response] = []
    conn, ref = conn.request("POST", "/", (("content-length", "1000000"),), mint.STREAM)

    def note(step: Callable[[], mint.Connection]) -> None:
        nonlocal conn
        try:
            conn = step()
        except mint.MintError as error:
            received.extend(error.responses)
            conn = conn.after(error)

    def feed(message: object) -> mint.Connection:
        fed = conn.stream(message)
        assert fed is not mint.UNKNOWN
        received.extend(fed[1])
        return fed[0]

    server.sendall(parts[0])
    message = await receive()
    note(partial(feed, message))
    server.sendall(parts[1])
    message = await receive()
    server.sendall(b"".join(parts[2:]))
    if closes:
        server.close()
    note(lambda: operation(conn, ref))
    note(partial(feed, message))
    while conn.is_open("read"):
        message = await receive()
        note(partial(feed, message))
    return [each for each in received if getattr(each, "ref", ref) == ref]


def play(
    loop: Loop,
    protocol: Protocol,
    parts: list[bytes],
    operation: Operation,
    tcp: mint.TCPOptions | None = None,
) -> list[mint.Response]:
    client, server = socket.socketpair()
    if loop == "blocking":
        with mint.Mailbox() as box, server:
            conn = mint.connect(
                "http",
                "example.org",
                80,
                protocols=[protocol],
                socket=client,
                mailbox=box,
                tcp=tcp or mint.TCPOptions(),
            )

            async def receive() -> object:
                return box.receive(10)

            return finish(scenario(conn, server, parts, operation, receive, closes=tcp is None))

    async def in_asyncio() -> list[mint.Response]:
        with mint.asyncio.Mailbox() as box, server:
            conn = await mint.asyncio.connect(
                "http", "example.org", 80, protocols=[protocol], socket=client, mailbox=box
            )
            async with asyncio.timeout(10):
                return await scenario(conn, server, parts, operation, box.receive, closes=True)

    async def in_trio() -> list[mint.Response]:
        with mint.trio.Mailbox() as box, server:
            conn = await mint.trio.connect(
                "http", "example.org", 80, protocols=[protocol], socket=client, mailbox=box
            )
            with trio.fail_after(10):
                return await scenario(conn, server, parts, operation, box.receive, closes=True)

    return run_trio(in_trio) if loop == "trio" else asyncio.run(in_asyncio())


@pytest.mark.parametrize("operation", [send, cancel])
@pytest.mark.parametrize("complete", [True, False])
@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("protocol", ["http1", "http2"])
@pytest.mark.parametrize("loop", ["blocking", "asyncio", "trio"])
def test_responses_are_received_in_order(
    loop: Loop, protocol: Protocol, count: int, complete: bool, operation: Operation
) -> None:
    """The peer has closed; `count` says whether more octets arrived after the outstanding message."""
    received = play(loop, protocol, parts_of(protocol, count, complete=complete), operation)
    assert content(received) == b"".join(PARTS[:count])
    ends = [type(each) for each in received if isinstance(each, (mint.Done, mint.RequestFailed))]
    assert ends == [mint.Done if complete else mint.RequestFailed]


@pytest.mark.parametrize("complete", [True, False])
@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_a_timeout_of_sending_loses_nothing(protocol: Protocol, count: int, complete: bool) -> None:
    """The peer reads nothing until `send_timeout` has passed, after which nothing more is sent.

    Octets that were read meanwhile follow those of the outstanding message, and are returned after it.
    """

    def too_much(conn: mint.Connection, ref: mint.RequestRef) -> mint.Connection:
        with pytest.raises(mint.errors.TransportTimeout) as caught:
            for _ in range(100):
                conn = conn.stream_request_body(ref, bytes(10_000))
        raise caught.value

    tcp = mint.TCPOptions(high_water=1, send_timeout=0.01, send_buffer=1)
    window = (http2.settings((4, 10_000_000)), http2.window_update(0, 10_000_000))
    parts = parts_of(protocol, count, complete=complete)
    if protocol == "http2":
        parts[0] = b"".join(each.serialize() for each in window) + parts[0]
    received = play("blocking", protocol, parts, too_much, tcp)
    assert content(received) == b"".join(PARTS[:count])
    ends = [type(each) for each in received if isinstance(each, (mint.Done, mint.RequestFailed))]
    assert ends == [mint.Done if complete else mint.RequestFailed]


@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_a_timeout_of_sending_in_passive_mode_loses_nothing(protocol: Protocol) -> None:
    """A message is outstanding, but the connection has changed to passive mode."""
    client, server = socket.socketpair()
    tcp = mint.TCPOptions(high_water=1, send_timeout=0.01, send_buffer=1)
    window = http2.settings((4, 10_000_000)).serialize() + http2.window_update(0, 10_000_000).serialize()
    parts = parts_of(protocol, 3, complete=False)
    received: list[mint.Response] = []
    with mint.Mailbox() as box, server:
        conn = mint.connect(
            "http", "example.org", 80, protocols=[protocol], socket=client, mailbox=box, tcp=tcp
        )
        conn, ref = conn.request("POST", "/", (("content-length", "1000000"),), mint.STREAM)
        server.sendall((window if protocol == "http2" else b"") + parts[0])
        message = box.receive(10)
        server.sendall(b"".join(parts[1:]))
        fed = conn.stream(message)
        assert fed is not mint.UNKNOWN
        conn, new = fed
        received += new
        message = box.receive(10)
        conn = conn.set_mode("passive")
        with pytest.raises(mint.errors.TransportTimeout) as caught:
            for _ in range(100):
                conn = conn.stream_request_body(ref, bytes(10_000))
        assert not caught.value.responses
        conn = conn.after(caught.value).flush(10)
        fed = conn.stream(message)
        assert fed is not mint.UNKNOWN
        conn, new = fed
        received += new
        with pytest.raises(mint.errors.TransportClosed) as lost:
            while True:
                conn, new = conn.recv(timeout=10)
                received += new
        received += lost.value.responses
        assert not conn.after(lost.value).is_open("read")
    assert content(received) == b"".join(PARTS)
    assert [type(each) for each in received].count(mint.RequestFailed) == 1
