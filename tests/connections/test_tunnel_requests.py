"""Tunnels that the caller opens, as docs/driving.md shows, over both protocols (RFC 9110 9.3.6, 9113 8.5)."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

import mint
from mint import errors
from mint.testing import Origin, Request, Response

PAGE = Path(__file__).parent.parent.parent / "docs" / "driving.md"


def snippet(heading: str) -> str:
    """Return the code below a heading of the page."""
    section = PAGE.read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return section.split("```python\n")[1].split("```")[0]


def echo(request: Request) -> Response:
    assert request.method == "CONNECT"
    return Response(200, (), request.body)


def connected(origin: Origin, protocol: Literal["http1", "http2"]) -> mint.Connection:
    return mint.connect("http", "127.0.0.1", origin.port, protocols=(protocol,))


@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_the_tunnel_of_the_page(protocol: Literal["http1", "http2"]) -> None:
    with Origin(echo) as origin, connected(origin, protocol) as conn:
        names: dict[str, object] = {"mint": mint, "conn": conn}
        exec(snippet("Tunnels"), names)
        conn, ref = names["conn"], names["ref"]  # type: ignore[assignment]  # what the page calls them
        assert isinstance(ref, mint.RequestRef)
        conn = conn.stream_request_body(ref, mint.Eof())
        came: list[mint.Response] = []
        while conn.open_request_count:
            conn, responses = conn.recv(timeout=10)
            came += responses
    assert b"".join(each.data for each in came if isinstance(each, mint.Data)) == b"to the far end"
    assert came[-1] == mint.Done(ref)


def test_without_a_streamed_body_the_outgoing_direction_ends_over_http2() -> None:
    with Origin(echo) as origin, connected(origin, "http2") as conn:
        conn, ref = conn.request("CONNECT", "origin.example:443")
        with pytest.raises(errors.RequestIsNotStreaming):
            conn.stream_request_body(ref, b"too late")


ASKED: dict[str, tuple[Literal["http1", "http2"], str, str, tuple[tuple[str, str], ...]]] = {
    "upgrade": ("http1", "GET", "/chat", (("upgrade", "echo"),)),
    "connect over http1": ("http1", "CONNECT", "origin.example:443", ()),
    "connect over http2": ("http2", "CONNECT", "origin.example:443", ()),
    "extended connect": (
        "http2",
        "CONNECT",
        "/chat",
        ((":protocol", "echo"), ("sec-websocket-version", "13")),
    ),
}


@pytest.mark.parametrize("case", ASKED)
def test_every_kind_of_tunnel_is_used_alike(case: str) -> None:
    """101, CONNECT and extended CONNECT (RFC 9110 7.8, 9.3.6; RFC 8441 4): octets, then the end."""
    protocol, method, target, fields = ASKED[case]
    seen: list[Request] = []

    def far(request: Request) -> Response:
        seen.append(request)
        return Response(
            101 if case == "upgrade" else 200,
            (("upgrade", "echo"),) if case == "upgrade" else (),
            request.body,
        )

    with Origin(far) as origin, connected(origin, protocol) as conn:
        if isinstance(conn, mint.HTTP2):
            while not conn.get_server_setting("enable_connect_protocol"):
                conn, _ = conn.recv(timeout=10)
        conn, ref = conn.request(method, target, fields, mint.STREAM)
        came: list[mint.Response] = []
        while not any(isinstance(each, mint.Headers) for each in came):
            conn, responses = conn.recv(timeout=10)
            came += responses
        assert came[0] == mint.Status(ref, 101 if case == "upgrade" else 200)
        for piece in (b"one", b"two"):
            conn = conn.stream_request_body(ref, piece)
        conn = conn.stream_request_body(ref, mint.Eof())
        while conn.open_request_count:
            conn, responses = conn.recv(timeout=10)
            came += responses
    assert b"".join(each.data for each in came if isinstance(each, mint.Data)) == b"onetwo"
    assert came[-1] == mint.Done(ref)
    assert (seen[0].method, seen[0].protocol) == (method, None if case.startswith("connect") else "echo")
    assert (seen[0].authority if case.startswith("connect") else seen[0].target) == target


def test_an_extended_connect_before_the_server_allows_it_is_refused() -> None:
    """RFC 8441 3: `:protocol` is not used before the server has sent its setting."""
    link = mint.transport.Memory()
    conn = mint.http2.initiate(link, scheme="https", hostname="origin.example")
    with pytest.raises(errors.ExtendedConnectNotEnabled):
        conn.request("CONNECT", "/chat", [(":protocol", "websocket")], mint.STREAM)
