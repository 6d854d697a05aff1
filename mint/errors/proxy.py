"""Errors on the way through a proxy: what the proxy did, before any byte reached the origin.

Every one of them is `Processed.NO` for the origin.
"""

from __future__ import annotations

from .._core.events import shown
from .base import HTTPError, Processed, TransportError

_SHOWN = 120


class ProxyError(HTTPError):
    """The tunnel through the proxy could not be made."""

    reason = "proxy"
    processed = Processed.NO


class TunnelTimeout(ProxyError, TimeoutError):
    """The proxy did not answer CONNECT in `tunnel_timeout`."""

    reason = "tunnel_timeout"

    def __init__(self) -> None:
        super().__init__("the proxy did not open the tunnel in time")


class UnexpectedProxyStatus(ProxyError):
    """The proxy answered CONNECT with a status that opens no tunnel; 407 asks for credentials."""

    reason = "unexpected_status"
    __match_args__ = ("status", "headers", "body")

    def __init__(self, status: int, headers: tuple[tuple[str, str], ...] = (), body: bytes = b"") -> None:
        super().__init__(f"the proxy answered CONNECT with status {status}")
        self.status = status
        self.headers = headers
        self.body = body

    def __repr__(self) -> str:
        """Show what the proxy said without its secrets, and not all of a long body."""
        rest = "" if len(self.body) <= _SHOWN else f"... ({len(self.body)} bytes)"
        headers = shown(self.headers)
        return f"UnexpectedProxyStatus(status={self.status}, {headers=}, body={self.body[:_SHOWN]!r}{rest})"


class ProxyFailed(ProxyError):
    """The proxy broke HTTP or SOCKS, or its connection broke, while the tunnel was made; `error` says how."""

    reason = "proxy_failed"
    __match_args__ = ("error",)

    def __init__(self, error: HTTPError | TransportError | str) -> None:
        super().__init__(f"the tunnel through the proxy failed: {error}")
        self.error = error
