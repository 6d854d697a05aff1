"""What is known before a request is sent: refused mailboxes, windows, ports, and input of a lost link."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import mint
from mint import errors
from mint._connections.lookahead import events_of, feed_remaining, stays_open
from mint.testing.frames import headers, settings
from mint.transport import Memory
from mint.types import Unread

from ..inboxes import Box

if TYPE_CHECKING:
    from collections.abc import Callable


PAGE = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


class Elsewhere(Box):
    """A mailbox of another event loop."""

    _loop_name = "trio"


@pytest.mark.parametrize("connect", [mint.connect, mint.http1.connect, mint.http2.connect], ids=range(3))
def test_a_mailbox_is_checked_before_connecting(connect: Callable[..., mint.Connection]) -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise AssertionError(host)

    closed = mint.Mailbox()
    closed.close()
    for mailbox, kind in ((object(), TypeError), (Elsewhere(), TypeError), (closed, errors.MailboxClosed)):
        with pytest.raises(kind):
            connect("http", "a.example", 80, mailbox=mailbox, resolver=resolve)


def opened(protocol: str) -> tuple[mint.Connection, Memory]:
    link = Memory()
    if protocol == "http1":
        return mint.http1.initiate(link, scheme="http", hostname="a.example"), link
    return mint.http2.initiate(link, scheme="http", hostname="a.example"), link


@pytest.mark.parametrize(("port", "named"), [(None, b""), (0, b""), (1, b":1"), (80, b"")])
def test_a_port_is_named_unless_there_is_none(port: int | None, named: bytes) -> None:
    conn, link = opened("http1")
    if port is not None:
        conn = mint.http1.initiate(link, scheme="http", hostname="a.example", port=port)
    conn.request("GET", "/")
    assert b"\r\nhost: a.example" + named + b"\r\n" in link.take().lower()


@pytest.mark.parametrize("protocol", ["http1", "http2"])
@pytest.mark.parametrize("arrived", [False, True])
@pytest.mark.parametrize("beyond", [0, 1])
def test_a_congested_connection_takes_no_piece_of_a_body(protocol: str, arrived: bool, beyond: int) -> None:
    conn, link = opened(protocol)
    conn, ref = conn.request("POST", "/", body=mint.STREAM)
    if arrived:
        link.put(settings().serialize() if protocol == "http2" else b"HTTP/1.1 100 Continue\r\n\r\n")
    link.high_water = link.unsent - beyond
    assert (conn.request_body_window(ref) == 0) is (arrived and beyond > 0)


def asked() -> mint.HTTP1:
    conn, _ = mint.http1.initiate(Memory(), scheme="http", hostname="a").request("GET", "/")
    return conn


@pytest.mark.parametrize("clean", [False, True])
@pytest.mark.parametrize(
    ("head", "completes"), [(b"HTTP/1.1 200 OK\r\n\r\n", True), (PAGE[:-5], False), (b"", False)]
)
@pytest.mark.parametrize("ends", [False, True])
def test_what_had_arrived_before_a_link_was_lost(
    head: bytes, completes: bool, ends: bool, clean: bool
) -> None:
    """A response that extends to the end of the connection is complete; any other is not."""
    conn, link = asked(), Memory()
    link.put(head)
    link.put(b"hell" if head else b"")
    if ends:
        link.put_eof(clean=clean)
    _, events = feed_remaining(link, conn._state, errors.TransportReset())
    kinds = [type(event) for event in events]
    assert kinds[:3] == ([mint.Status, mint.Headers, mint.Data] if head else [])
    assert (mint.Done in kinds) is (completes and ends and clean)


def test_what_would_follow_from_what_has_arrived() -> None:
    conn = asked()
    pieces = (PAGE[:20], PAGE[20:-1], PAGE[-1:])
    found = Unread(pieces, ended=False, failure=None, handed_out=False)
    assert [type(event) for event in events_of(conn._state, found)] == [
        *(mint.Status, mint.Headers, mint.Data, mint.Data, mint.Done)
    ]
    assert stays_open(conn._state, found)
    last = (*pieces[:-1], b"o", b"HTTP/1.1 408 X\r\n")
    assert not stays_open(conn._state, Unread(last, ended=False, failure=None, handed_out=False))
    for ended, failure in ((True, None), (False, errors.TransportReset()), (True, errors.TransportReset())):
        assert not stays_open(conn._state, Unread(pieces, ended, failure, handed_out=False))


def test_the_frames_of_http2_after_which_a_connection_stays_open() -> None:
    conn, _ = opened("http2")
    conn, _ = conn.request("GET", "/")
    octets = settings().serialize(), headers(1, ((":status", "200"),), end=True).serialize()
    found = Unread(octets, ended=False, failure=None, handed_out=False)
    assert stays_open(conn._state, found)
    assert [type(event) for event in events_of(conn._state, found)][-1] is mint.Done
