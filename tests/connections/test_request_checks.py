"""Checks of the arguments of a request before anything is sent: what they refuse, and what they allow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import mint
from mint import errors
from mint._connections.request_checks import check_trailers, refusal
from mint.transport import Memory

if TYPE_CHECKING:
    from collections.abc import Callable

Fields = tuple[tuple[str, str], ...]

START: dict[str, Callable[..., mint.Connection]] = {
    "http1": mint.http1.initiate,
    "http2": mint.http2.initiate,
}


def started(protocol: str) -> tuple[mint.Connection, Memory]:
    link = Memory()
    conn = START[protocol](link, scheme="http", hostname="example.org")
    link.take()
    return conn, link


@pytest.mark.parametrize("protocol", START)
@pytest.mark.parametrize(
    ("headers", "body", "streaming"),
    [
        ((), None, False),
        ((("x-a", "b"),), b"x", False),
        ((("content-length", "1"),), b"x", False),
        ((("content-length", "1"),), None, True),
    ],
)
def test_what_can_be_sent(protocol: str, headers: Fields, body: bytes | None, streaming: bool) -> None:
    conn, link = started(protocol)
    assert refusal(conn, "POST", "/", headers, body, streaming=streaming) is None
    assert link.take() == b""


@pytest.mark.parametrize(
    ("protocol", "method", "target", "headers", "reason"),
    [
        *[
            (protocol, *row)
            for protocol in START
            for row in (
                ("G T", "/", (), "invalid_request_method"),
                ("GET", "/ ", (), "invalid_request_target"),
                ("GET", "/", (("a b", "c"),), "invalid_header_name"),
                ("GET", "/", (("a", "b\n"),), "invalid_header_value"),
                ("GET", "/", (("content-length", "1"), ("content-length", "2")), "invalid_request_framing"),
                ("GET", "/", (("content-length", "2"),), "content_length_mismatch"),
            )
        ],
        ("http1", "GET", "/", (("connection", ""),), "empty_token_list"),
        ("http1", "GET", "/", (("connection", "a b"),), "invalid_token_list"),
        ("http2", "GET", "/", ((":a", "b"),), "invalid_pseudo_header"),
        ("http2", "GET", "/", (("connection", "close"),), "connection_specific_header"),
    ],
)
def test_each_reason_for_which_no_connection_sends_a_request(
    protocol: str, method: str, target: str, headers: Fields, reason: str
) -> None:
    conn, link = started(protocol)
    error = refusal(conn, method, target, headers, b"x", streaming=False)
    assert error is not None
    assert (error.reason, error.local) == (reason, True)
    assert link.take() == b""


TRAILERS = [
    *[
        (protocol, *row)
        for protocol in START
        for row in (
            ((), None),
            ((("x-a", "b"),), None),
            ((("content-length", "1"),), "unallowed_trailing_header"),
            ((("a b", "c"),), "invalid_header_name"),
            ((("a", "b\n"),), "invalid_header_value"),
        )
    ],
    ("http2", ((":a", "b"),), "invalid_pseudo_header"),
]


@pytest.mark.parametrize(("protocol", "trailers", "reason"), TRAILERS)
def test_trailers_of_a_request_that_is_not_sent_yet(
    protocol: str, trailers: Fields, reason: str | None
) -> None:
    conn, link = started(protocol)
    error = refusal(conn, "POST", "/", (), None, streaming=True, trailers=trailers)
    assert (None if error is None else error.reason) == reason
    assert link.take() == b""


@pytest.mark.parametrize(("protocol", "trailers", "reason"), TRAILERS)
def test_trailers_of_a_request_whose_body_is_open(
    protocol: str, trailers: Fields, reason: str | None
) -> None:
    conn, link = started(protocol)
    conn, ref = conn.request("POST", "/", (), mint.STREAM)
    link.take()
    if reason is None:
        check_trailers(conn, ref, trailers)
    else:
        with pytest.raises(errors.HTTPError) as caught:
            check_trailers(conn, ref, trailers)
        assert (caught.value.reason, caught.value.local) == (reason, True)
        assert conn.after(caught.value) is conn
    assert link.take() == b""


@pytest.mark.parametrize("protocol", START)
@pytest.mark.parametrize("trailers", [(), (("x-a", "b"),), (("a", "b\n"),)])
@pytest.mark.parametrize("end", ["close", "peer"])
def test_trailers_are_no_error_if_the_connection_has_ended(protocol: str, trailers: Fields, end: str) -> None:
    """The caller learns that it has ended: that says more than what is wrong with the trailers."""
    conn, link = started(protocol)
    conn, ref = conn.request("POST", "/", (), mint.STREAM)
    if end == "close":
        conn = conn.close()
    else:
        link.put_eof()
        with pytest.raises(errors.TransportClosed) as caught:
            conn.recv()
        conn = conn.after(caught.value)
    check_trailers(conn, ref, trailers)


def test_trailers_are_refused_in_a_tunnel_whose_peer_has_ended() -> None:
    """They were refused only after the content had been sent."""
    conn, link = started("http1")
    conn, ref = conn.request("CONNECT", "inner.example:80", (), mint.STREAM)
    link.put(b"HTTP/1.1 200 OK\r\n\r\n")
    conn, _ = conn.recv()
    link.put_eof()
    conn, _ = conn.recv()
    assert not conn.is_open("read")
    conn = conn.stream_request_body(ref, b"this direction is open")
    check_trailers(conn, ref, ())
    with pytest.raises(errors.TrailingHeadersButNotChunkedEncoding):
        check_trailers(conn, ref, (("x-a", "b"),))
