"""Origins for the examples, over either protocol."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, TypeAlias

import mint
from mint.testing import Origin, showcase

from ..tls import server_context, trusting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mint.testing import Handler

Protocol: TypeAlias = Literal["http1", "http2"]
PROTOCOLS: tuple[Protocol, ...] = ("http1", "http2")

TLS = trusting()


@contextmanager
def serving(protocol: Protocol = "http1", handler: Handler = showcase) -> Iterator[Origin]:
    """Run an origin that speaks one protocol, over TLS."""
    alpn = "h2" if protocol == "http2" else "http/1.1"
    with Origin(handler, tls=server_context(alpn=(alpn,))) as origin:
        yield origin


@contextmanager
def connected(protocol: Protocol = "http1", handler: Handler = showcase) -> Iterator[mint.Connection]:
    """Run an origin, and connect to it."""
    with (
        serving(protocol, handler) as origin,
        mint.connect("https", "localhost", origin.port, tls=TLS) as conn,
    ):
        assert conn.protocol == protocol
        yield conn
