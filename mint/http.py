"""`mint.connect`: from an address to a connection value, whichever protocol the server speaks.

Everything is validated before anything is dialled. The procedure is in connecting.py, the blocking
world's driver in blocking.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import http1 as http1_module
from .options import HTTP1Options, TCPOptions, TLSOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .http1 import HTTP1
    from .types import Address, Inbox, ProtocolName, Scheme

_HTTP1 = HTTP1Options()
_TCP = TCPOptions()
_TLS = TLSOptions()


def connect(
    scheme: Scheme,
    address: Address,
    port: int,
    *,
    hostname: str | None = None,
    protocols: Sequence[ProtocolName] = ("http1",),
    mailbox: Inbox | None = None,
    tcp: TCPOptions = _TCP,
    tls: TLSOptions = _TLS,
    http1: HTTP1Options = _HTTP1,
    log: bool = False,
) -> HTTP1:
    """Connect to a server and return the connection value.

    Args:
        scheme: `"http"` in clear, `"https"` over TLS.
        address: a host name, an IP address, or a `UnixAddress`.
        port: the port, 0 to 65535; it counts for nothing on a Unix socket.
        hostname: the name for Host, SNI and the certificate check; the address unless given.
        protocols: what may be spoken. Over TLS the server chooses among them (ALPN).
        mailbox: active mode with this mailbox; passive mode (`recv`) without.
        tcp: timeouts, families, socket options.
        tls: trust, certificates, versions.
        http1: limits and ways of HTTP/1.
        log: log one record per message head, to the logger `mint`.

    Raises:
        TransportError: nobody answers, the name is not known, TLS failed, the time is up.
        ValueError: an option makes no sense; raised before anything is dialled.

    """
    if tuple(protocols) != ("http1",):
        raise ValueError(f'protocols wants ("http1",), not {protocols!r}')
    return http1_module.connect(
        scheme,
        address,
        port,
        hostname=hostname,
        mailbox=mailbox,
        tcp=tcp,
        tls=tls,
        http1=http1,
        log=log,
    )
