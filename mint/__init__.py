"""mint: a typed, low-level HTTP/1.1 and HTTP/2 client whose connections are immutable values.

    conn = mint.connect("https", "example.org", 443)
    conn, ref = conn.request("GET", "/")
    conn, responses = conn.recv(timeout=10.0)

Whoever holds the value feeds it bytes and gets responses back; there is no thread, loop or pool inside.
"""

from . import errors, http1, http2, proxy, transport
from .errors import HTTPError, MintError, Processed, StaleConnectionError, TransportError
from .http import Connection, connect
from .http1 import HTTP1
from .http2 import HTTP2
from .mailbox import Mailbox
from .messages import Broken, Closed, Message, Received
from .options import ClientSettings, HTTP1Options, HTTP2Options, TCPOptions, TLSOptions
from .proxy import Proxy
from .responses import (
    Data,
    Done,
    Headers,
    Informational,
    Pong,
    PushPromise,
    RequestFailed,
    RequestRef,
    Response,
    Status,
    StatusReason,
    Trailers,
)
from .sessions import TLSSessions
from .tunnels import Tunnels
from .types import STREAM, UNKNOWN, Eof, TLSInfo, UnixAddress
from .version import __version__

__all__ = [
    "HTTP1",
    "HTTP2",
    "STREAM",
    "UNKNOWN",
    "Broken",
    "ClientSettings",
    "Closed",
    "Connection",
    "Data",
    "Done",
    "Eof",
    "HTTP1Options",
    "HTTP2Options",
    "HTTPError",
    "Headers",
    "Informational",
    "Mailbox",
    "Message",
    "MintError",
    "Pong",
    "Processed",
    "Proxy",
    "PushPromise",
    "Received",
    "RequestFailed",
    "RequestRef",
    "Response",
    "StaleConnectionError",
    "Status",
    "StatusReason",
    "TCPOptions",
    "TLSInfo",
    "TLSOptions",
    "TLSSessions",
    "Trailers",
    "TransportError",
    "Tunnels",
    "UnixAddress",
    "__version__",
    "connect",
    "errors",
    "http1",
    "http2",
    "proxy",
    "transport",
]
