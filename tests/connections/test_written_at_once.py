"""Operations give their octets to the system before they return, unless the caller asks them not to."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

import pytest

import mint
from mint import ClientSettings, HTTP2Options, TCPOptions
from mint.testing import frames as f
from mint.transport import SocketLink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WINDOW = 65_535
GREETING = f.serialize([f.settings((f.Setting.NO_RFC7540_PRIORITIES, 1)), f.settings(ack=True)])
RESPONSE = f.serialize([f.headers(1, ((":status", "200"),)), *[f.data(1, bytes(10_000))] * 4])
OPTIONS = HTTP2Options(
    client_settings=ClientSettings(initial_window_size=WINDOW), connection_window_size=WINDOW
)


def arrived(far: socket.socket) -> bytes:
    """Return what the system has for the peer, without waiting."""
    try:
        return far.recv(1_000_000)
    except BlockingIOError:
        return b""


@contextlib.contextmanager
def over_http2() -> Iterator[tuple[mint.HTTP2, mint.RequestRef, socket.socket]]:
    """Open a connection with a request whose body is open, and a peer that has read everything."""
    near, far = socket.socketpair()
    far.setblocking(False)
    with far:
        link = SocketLink(near, TCPOptions())
        conn = mint.http2.initiate(link, scheme="http", hostname="example.org", http2=OPTIONS)
        assert arrived(far).startswith(b"PRI * HTTP/2.0\r\n")
        far.sendall(GREETING)
        conn, _ = conn.recv(timeout=10)
        conn, ref = conn.request("POST", "/", (), mint.STREAM)
        conn = conn.set_refill(ref, False)
        far.sendall(RESPONSE)
        conn, _ = conn.recv(len(RESPONSE), timeout=10)
        assert arrived(far)
        yield conn, ref, far
        conn.close()


HTTP2: dict[str, tuple[f.FrameType, Callable[[mint.HTTP2, mint.RequestRef], object]]] = {
    "request": (f.FrameType.HEADERS, lambda conn, _: conn.request("GET", "/")),
    "request that streams": (f.FrameType.HEADERS, lambda conn, _: conn.request("GET", "/", (), mint.STREAM)),
    "request with trailers": (
        f.FrameType.HEADERS,
        lambda conn, ref: conn.stream_request_body(ref, mint.Eof((("a", "b"),))),
    ),
    "data": (f.FrameType.DATA, lambda conn, ref: conn.stream_request_body(ref, b"x")),
    "end": (f.FrameType.DATA, lambda conn, ref: conn.stream_request_body(ref, mint.Eof())),
    "cancel": (f.FrameType.RST_STREAM, lambda conn, ref: conn.cancel_request(ref)),
    "ping": (f.FrameType.PING, lambda conn, _: conn.ping()),
    "priority": (f.FrameType.PRIORITY_UPDATE, lambda conn, ref: conn.update_priority(ref, mint.Priority())),
    "settings": (f.FrameType.SETTINGS, lambda conn, _: conn.put_settings(max_frame_size=20_000)),
    "window": (f.FrameType.WINDOW_UPDATE, lambda conn, ref: conn.set_window_size(ref, WINDOW + 1)),
    "window of all": (
        f.FrameType.WINDOW_UPDATE,
        lambda conn, _: conn.set_window_size("connection", WINDOW + 1),
    ),
    "refill": (f.FrameType.WINDOW_UPDATE, lambda conn, ref: conn.set_refill(ref, True)),
    "close": (f.FrameType.GOAWAY, lambda conn, _: conn.close()),
}


@pytest.mark.parametrize("operation", HTTP2)
def test_an_operation_of_http2_is_sent_at_once(operation: str) -> None:
    kind, operate = HTTP2[operation]
    with over_http2() as (conn, ref, far):
        operate(conn, ref)
        octets = arrived(far)
        assert octets[3:4] == bytes([kind])


QUEUED: dict[str, Callable[[mint.Connection, mint.RequestRef, bool], mint.Connection]] = {
    "request": lambda conn, _, flush: conn.request("GET", "/", flush=flush)[0],
    "data": lambda conn, ref, flush: conn.stream_request_body(ref, b"x", flush=flush),
    "end": lambda conn, ref, flush: conn.stream_request_body(ref, mint.Eof(), flush=flush),
}


@pytest.mark.parametrize("operation", QUEUED)
def test_an_operation_of_http2_waits_for_the_next_flush(operation: str) -> None:
    operate = QUEUED[operation]
    with over_http2() as (conn, ref, far):
        queued = operate(conn, ref, False)
        assert arrived(far) == b""
        queued.flush()
        later = arrived(far)
    with over_http2() as (conn, ref, far):
        operate(conn, ref, True)
        assert arrived(far) == later != b""


@contextlib.contextmanager
def over_http1(body: mint.types.Body) -> Iterator[tuple[mint.HTTP1, mint.RequestRef, socket.socket]]:
    near, far = socket.socketpair()
    far.setblocking(False)
    with far:
        conn = mint.http1.initiate(SocketLink(near, TCPOptions()), scheme="http", hostname="example.org")
        conn, ref = conn.request("POST", "/first", (), body)
        assert arrived(far)
        yield conn, ref, far
        conn.close()


@pytest.mark.parametrize("operation", QUEUED)
def test_an_operation_of_http1_is_sent_at_once_or_at_the_next_flush(operation: str) -> None:
    operate = QUEUED[operation]
    body = None if operation == "request" else mint.STREAM
    with over_http1(body) as (conn, ref, far):
        queued = operate(conn, ref, False)
        assert arrived(far) == b""
        queued.flush()
        later = arrived(far)
    with over_http1(body) as (conn, ref, far):
        operate(conn, ref, True)
        assert arrived(far) == later != b""
