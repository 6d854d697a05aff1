"""Declared lengths compared with the content that is sent, over both protocols, for lengths around limits."""

from __future__ import annotations

from itertools import product

import pytest

import mint
from mint.errors import ContentLengthMismatch
from mint.testing import frames as f
from mint.testing import memory
from tests import http1_driver, http2_driver

CASES = list(
    product(["http1", "http2"], ["GET", "POST", "DELETE", "X"], [None, 0, 1, 2, 10], [None, 0, 1, 2, 10])
)


def opened(protocol: str) -> tuple[mint.Connection, memory.MemoryServer]:
    conn: mint.Connection
    conn, server = memory.http1() if protocol == "http1" else memory.http2()
    server.received()
    return conn, server


def fields_of(declared: int | None) -> list[tuple[str, str]]:
    return [] if declared is None else [("content-length", str(declared))]


def octets_of(protocol: str, server: memory.MemoryServer) -> bytes:
    """Return the content that was sent."""
    if protocol == "http1":
        return server.received().partition(b"\r\n\r\n")[2]
    return b"".join(each.payload for each in server.frames() if each.type == f.FrameType.DATA)


@pytest.mark.parametrize(("protocol", "method", "declared", "size"), CASES)
def test_content_that_is_given_with_the_request(
    protocol: str, method: str, declared: int | None, size: int | None
) -> None:
    conn, server = opened(protocol)
    content = None if size is None else bytes(size)
    if declared in {None, size or 0}:
        conn, _ = conn.request(method, "/", fields_of(declared), content)
        assert octets_of(protocol, server) == (content or b"")
        assert conn.open_request_count == 1
    else:
        with pytest.raises(ContentLengthMismatch) as caught:
            conn.request(method, "/", fields_of(declared), content)
        assert caught.value.local
        assert server.received() == b""


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "X"])
@pytest.mark.parametrize(
    ("declared", "size"), [(None, None), (None, 0), (None, 2), (0, None), (0, 0), (2, 2)]
)
def test_a_length_is_sent_once(method: str, declared: int | None, size: int | None) -> None:
    content = None if size is None else bytes(size)
    length = size if declared is None else declared
    if length is None and method in ("POST", "PUT", "PATCH"):
        length = 0
    wanted = [] if length is None else [str(length)]
    head = (
        http1_driver.sent(method, "/", fields_of(declared), content)
        .partition(b"\r\n\r\n")[0]
        .decode()
        .lower()
    )
    lines = [line.partition(": ") for line in head.split("\r\n")]
    assert [value for name, _, value in lines if name == "content-length"] == wanted
    talk = http2_driver.opened()
    talk.request(method, "/", fields_of(declared), None if content is None else (content,))
    assert [value for name, value in talk.fields() if name == "content-length"] == wanted


@pytest.mark.parametrize("protocol", ["http1", "http2"])
@pytest.mark.parametrize("declared", [0, 1, 2, 3])
@pytest.mark.parametrize("sizes", [(), (1,), (2,), (1, 1), (1, 2), (4,)])
def test_content_that_is_streamed(protocol: str, declared: int, sizes: tuple[int, ...]) -> None:
    conn, server = opened(protocol)
    conn, ref = conn.request("POST", "/", fields_of(declared), mint.STREAM)
    server.received()
    sent = 0
    for size in sizes:
        server.received()
        if sent + size > declared:
            with pytest.raises(ContentLengthMismatch):
                conn.stream_request_body(ref, bytes(size))
            assert server.received() == b""
            return
        sent += size
        conn = conn.stream_request_body(ref, bytes(size))
    server.received()
    if sent < declared:
        with pytest.raises(ContentLengthMismatch):
            conn.stream_request_body(ref, mint.Eof())
        assert server.received() == b""
    else:
        conn = conn.stream_request_body(ref, mint.Eof())
        with pytest.raises(ValueError, match=r"."):
            conn.request_body_window(ref)
