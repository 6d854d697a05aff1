"""A tunnel by hand, as docs/driving.md shows it, on both protocols. RFC 9110 9.3.6, RFC 9113 8.5."""

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


def test_another_body_ends_our_direction_over_http2() -> None:
    with Origin(echo) as origin, connected(origin, "http2") as conn:
        conn, ref = conn.request("CONNECT", "origin.example:443")
        with pytest.raises(errors.RequestIsNotStreaming):
            conn.stream_request_body(ref, b"too late")
