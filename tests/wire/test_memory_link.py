"""The in-memory link: its two directions, and replies to input that arrived before the first read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import mint
from mint.testing.frames import data, headers, ping, settings
from mint.transport import Memory
from tests.refs import ref_of

from ..inboxes import Box

if TYPE_CHECKING:
    from collections.abc import Callable


def opened(protocol: str) -> tuple[mint.Connection, Memory]:
    link = Memory()
    initiate: Callable[..., mint.Connection] = (
        mint.http1.initiate if protocol == "http1" else mint.http2.initiate
    )
    return initiate(link, scheme="http", hostname="example.org", port=80), link


def tunnel() -> tuple[mint.Connection, Memory, mint.RequestRef]:
    conn, link = opened("http1")
    conn, ref = conn.request("CONNECT", "far.example:443", body=mint.STREAM)
    link.put(b"HTTP/1.1 200 OK\r\n\r\n")
    conn, _ = conn.recv(timeout=0)
    link.take()
    return conn, link, ref


def test_the_outgoing_end_of_a_tunnel_ends_that_of_the_link() -> None:
    conn, link, ref = tunnel()
    assert not link.write_ended
    conn = conn.stream_request_body(ref, b"before the end")
    assert not link.write_ended
    conn = conn.stream_request_body(ref, mint.Eof())
    assert link.write_ended
    assert link.take() == b"before the end"
    # The other direction continues.
    link.put(b"still")
    conn, responses = conn.recv(timeout=0)
    assert responses == [mint.Data(ref, b"still")]
    assert conn.is_open("read")
    assert not conn.is_open("write")


@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_a_request_that_ends_does_not_end_the_direction(protocol: str) -> None:
    conn, link = opened(protocol)
    conn, ref = conn.request("POST", "/", body=mint.STREAM)
    conn = conn.stream_request_body(ref, b"x")
    conn = conn.stream_request_body(ref, mint.Eof())
    assert link.take()
    assert not link.write_ended
    link.put(
        b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
        if protocol == "http1"
        else settings().serialize() + headers(1, ((":status", "200"),), end=True).serialize()
    )
    conn, responses = conn.recv(timeout=0)
    assert isinstance(responses[-1], mint.Done)
    assert not link.write_ended
    assert conn.is_open("write")


def test_replies_to_octets_before_the_first_read_are_sent_with_it() -> None:
    """SETTINGS, a PING and DATA that arrived before the first read are answered when they are read."""
    conn, link = opened("http2")
    opening = link.take()
    assert opening
    conn, ref = conn.request("GET", "/")
    link.take()
    link.put(settings().serialize() + b"\0\0\x08\6\0\0\0\0\0" + b"are you?")
    link.put(headers(1, ((":status", "200"),)).serialize() + data(1, b"x").serialize())
    assert link.take() == b""
    got: list[mint.Response] = []
    while len(got) < 3:
        conn, responses = conn.recv(timeout=0)
        got += responses
    assert [type(one).__name__ for one in got] == ["Status", "Headers", "Data"]
    assert all(ref_of(one) == ref for one in got)
    assert link.take() == b"\0\0\0\4\1\0\0\0\0" + b"\0\0\x08\6\1\0\0\0\0" + b"are you?"


class Subclass(bytes):
    """Octets that take the general path."""


@pytest.mark.parametrize("octets", [b"HTTP/1.1 ", Subclass(b"HTTP/1.1 ")], ids=["bytes", "subclass"])
def test_octets_for_a_link_that_may_be_read_wake_its_mailbox(octets: bytes) -> None:
    conn, link = opened("http1")
    link.put(b"")
    assert not link.has_next
    box = Box()
    conn = conn.set_mode("active", box)
    conn, _ = conn.request("GET", "/")
    before = box.watched
    link.put(b"")
    assert box.watched == before
    link.put(octets)
    assert box.watched == before + 1
    link.armed = False  # as while a message waits to be fed
    link.put(octets)
    assert box.watched == before + 1
    assert link.has_next


@pytest.mark.parametrize("clean", [False, True])
@pytest.mark.parametrize("waits", [False, True])
def test_a_mailbox_is_told_of_an_end_in_memory(clean: bool, waits: bool) -> None:
    """There is no socket that could report it, also not while the mailbox already watches the link."""
    with mint.Mailbox() as mailbox:
        conn, link = opened("http1")
        conn = conn.set_mode("active", mailbox)
        if waits:
            with pytest.raises(mint.errors.TransportTimeout):
                mailbox.receive(0)
        link.put_eof(clean=clean)
        message = mailbox.receive(0)
        assert message == mint.Closed(conn.source, 1, clean)
        fed = conn.stream(message)
        assert fed is not mint.UNKNOWN
        assert not fed[0].is_open("read")


@pytest.mark.parametrize("step", [None, 0.0, 1_000.0])
def test_in_memory_time_passes_as_the_clock_says(step: float | None) -> None:
    """Without a clock, time is not known, and nothing that depends on it is an error."""
    now = 1.0

    def clock() -> float:
        nonlocal now
        now += step or 0.0
        return now

    link = Memory(clock=None if step is None else clock)
    options = mint.HTTP2Options(max_glitches=10)
    conn = mint.http2.initiate(link, scheme="http", hostname="example.org", http2=options)
    link.put(settings().serialize())
    conn, _ = conn.recv()

    def receive_often(conn: mint.HTTP2) -> None:
        for _ in range(50):
            link.put(ping().serialize())
            conn, _ = conn.recv()
            link.take()

    if step == 0:
        with pytest.raises(mint.errors.EnhanceYourCalm):
            receive_often(conn)
    else:
        receive_often(conn)
