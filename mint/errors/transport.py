"""Errors below HTTP: name resolution, sockets, TLS. Most are also the matching built-in exceptions.

Closed and refused connections are `ConnectionError`s, timeouts are `TimeoutError`s, and TLS failures have
the `ssl.SSLError` as their `__cause__`. `system_error` maps an `OSError` to one of these classes.
"""

from __future__ import annotations

import errno as numbers
import socket

from .base import TransportError, shown


class TransportClosed(TransportError, ConnectionError):
    """The peer closed the connection while something was still open."""

    reason = "closed"

    def __init__(self) -> None:
        super().__init__("the server closed the connection")


class TransportReset(TransportError, ConnectionResetError):
    """The connection was reset by the peer or the network."""

    reason = "econnreset"

    def __init__(self) -> None:
        super().__init__("the connection was reset")


class TransportTimeout(TransportError, TimeoutError):
    """A time limit expired; `phase` says what was being done.

    A timeout of `recv` leaves the connection usable. A timeout in the middle of sending closes it, because
    it is unknown how much has arrived.
    """

    reason = "timeout"
    __match_args__ = ("phase",)

    def __init__(self, phase: str = "") -> None:
        super().__init__(f"the timeout expired while {phase}" if phase else "the timeout expired")
        self.phase = phase


class ConnectionRefused(TransportError, ConnectionRefusedError):
    """The connection was refused: no server listens at the address."""

    reason = "econnrefused"
    __match_args__ = ("address",)

    def __init__(self, address: str = "") -> None:
        super().__init__(f"the connection to {address or 'the server'} was refused")
        self.address = address


class NameNotResolved(TransportError, OSError):
    """The host name has no address (or the resolver failed)."""

    reason = "nxdomain"
    __match_args__ = ("host", "detail")

    def __init__(self, host: str, detail: str = "") -> None:
        super().__init__(f"the name {shown(host)} has no address: {detail or 'unknown name'}")
        self.host = host
        self.detail = detail


class Unreachable(TransportError, OSError):
    """The network or the host cannot be reached, or the system refused the socket."""

    reason = "unreachable"
    __match_args__ = ("detail",)

    def __init__(self, detail: str) -> None:
        super().__init__(f"the connection failed: {detail}")
        self.detail = detail


class TLSFailed(TransportError, OSError):
    """The TLS handshake or a TLS record failed; the `ssl.SSLError` is the `__cause__`."""

    reason = "tls_alert"
    __match_args__ = ("detail",)

    def __init__(self, detail: str) -> None:
        super().__init__(f"TLS failed: {detail}")
        self.detail = detail


class CertificateRejected(TLSFailed):
    """The server's certificate is not trusted, or is for another name."""

    reason = "certificate_rejected"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.message: str = f"the server's certificate was rejected: {detail}"


class HostnameRejected(CertificateRejected):
    """The server's certificate is for other names, or `TLSOptions.check_hostname` did not accept its names.

    No request was sent. If `check_hostname` raised an exception, that is the `__cause__`.
    """

    reason = "hostname_rejected"


class CertificateNotPinned(CertificateRejected):
    """The server's certificate has none of `TLSOptions.fingerprints`; no request was sent."""

    reason = "certificate_not_pinned"


class ProtocolNotNegotiated(TransportError):
    """The server did not negotiate a protocol (ALPN), so HTTP/2 cannot be used."""

    reason = "protocol_not_negotiated"

    def __init__(self) -> None:
        super().__init__("the server negotiated no protocol (ALPN), but HTTP/2 is required")


class BadALPNProtocol(TransportError):
    """The server chose a protocol that was not offered or that mint does not support."""

    reason = "bad_alpn_protocol"
    __match_args__ = ("protocol",)

    def __init__(self, protocol: str) -> None:
        super().__init__(
            f"the server chose the ALPN protocol {shown(protocol)};"
            " mint supports only those of 'http/1.1' and 'h2' that it offered"
        )
        self.protocol = protocol


_CLOSED = frozenset({numbers.EPIPE, numbers.ESHUTDOWN, numbers.ENOTCONN, numbers.EBADF, numbers.ENOTSOCK})
# macOS reports EPROTOTYPE if a socket is reset while something is being sent on it.
_RESET = frozenset({numbers.ECONNRESET, numbers.ECONNABORTED, numbers.ENETRESET, numbers.EPROTOTYPE})
_TIMED_OUT = frozenset({numbers.ETIMEDOUT})


def system_error(error: OSError, *, doing: str = "", address: str = "") -> TransportError:
    """Return the transport error for an error of the operating system; the original is its cause."""
    made: TransportError
    if isinstance(error, TimeoutError) or error.errno in _TIMED_OUT:
        made = TransportTimeout(doing)
    elif isinstance(error, ConnectionRefusedError):
        made = ConnectionRefused(address)
    elif isinstance(error, socket.gaierror):
        made = NameNotResolved(address, error.strerror or "")
    elif error.errno in _RESET:
        made = TransportReset()
    elif error.errno in _CLOSED:
        made = TransportClosed()
    else:
        detail = error.strerror or str(error)
        made = Unreachable(f"{address}: {detail}" if address else detail)
    made.__cause__ = error
    return made
