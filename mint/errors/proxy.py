"""Errors while a tunnel through a proxy is opened.

No byte has reached the origin yet, so `processed` is `Processed.NO` for all of them.
"""

from __future__ import annotations

from .._core.events import shown
from .base import HTTPError, Processed, TransportError

_SHOWN = 120


class ProxyError(HTTPError):
    """The tunnel through the proxy could not be opened."""

    reason = "proxy"
    processed = Processed.NO


class TunnelTimeout(ProxyError, TimeoutError):
    """The proxy did not answer CONNECT within `tunnel_timeout`."""

    reason = "tunnel_timeout"

    def __init__(self) -> None:
        super().__init__("the proxy did not open the tunnel in time")


class UnexpectedProxyStatus(ProxyError):
    """The proxy answered CONNECT with a status that does not open a tunnel; 407 asks for credentials."""

    reason = "unexpected_status"
    __match_args__ = ("status", "headers", "body")

    def __init__(self, status: int, headers: tuple[tuple[str, str], ...] = (), body: bytes = b"") -> None:
        super().__init__(f"the proxy answered CONNECT with status {status}")
        self.status = status
        self.headers = headers
        self.body = body

    def __repr__(self) -> str:
        """Show the proxy's answer without secrets, and only the beginning of a long body."""
        rest = "" if len(self.body) <= _SHOWN else f"... ({len(self.body)} bytes)"
        headers = shown(self.headers)
        return f"UnexpectedProxyStatus(status={self.status}, {headers=}, body={self.body[:_SHOWN]!r}{rest})"


class ProxyFailed(ProxyError):
    """The proxy violated HTTP or SOCKS, or disconnected, before the tunnel was open; `error` says how."""

    reason = "proxy_failed"
    __match_args__ = ("error",)

    def __init__(self, error: HTTPError | TransportError | str) -> None:
        super().__init__(f"the tunnel through the proxy failed: {error}")
        self.error = error
