"""mint: a typed, low-level HTTP/1.1 and HTTP/2 client whose connections are immutable values.

    conn = mint.connect("https", "example.org", 443)
    conn, ref = conn.request("GET", "/")
    conn, responses = conn.recv(timeout=10.0)

You hold the connection, feed it bytes, and get responses back. A connection contains no thread, event loop
or pool.

Importing this package loads only its table of names. Each part of mint is imported when it is first used
(PEP 562).
"""

from importlib import import_module
from typing import TYPE_CHECKING

from ._version import __version__

if TYPE_CHECKING:
    from . import errors, http1, http2, proxy, transcripts, transport
    from ._alternatives import Alternative, alternatives
    from ._certificates import CertificateNames
    from ._connections.http1 import HTTP1
    from ._connections.http2 import HTTP2
    from ._connections.negotiation import Connection, connect
    from ._connections.tunnels import Tunnels
    from ._loops.mailbox import Mailbox
    from ._priority import Priority
    from ._sessions import TLSSessions
    from .errors import HTTPError, MintError, Processed, StaleConnectionError, TransportError
    from .messages import Broken, Closed, Message, Received
    from .options import ClientSettings, HTTP1Options, HTTP2Options, TCPOptions, TLSOptions
    from .proxy import Proxy
    from .responses import (
        AltSvc,
        ConnectionEvent,
        Data,
        Done,
        GoAway,
        Headers,
        Informational,
        Origins,
        Pong,
        PushPromise,
        RequestFailed,
        RequestRef,
        Response,
        ServerSettings,
        Status,
        StatusReason,
        Trailers,
    )
    from .tolerance import Tolerance
    from .types import STREAM, UNKNOWN, Eof, TLSInfo, UnixAddress

__all__ = [
    "HTTP1",
    "HTTP2",
    "STREAM",
    "UNKNOWN",
    "AltSvc",
    "Alternative",
    "Broken",
    "CertificateNames",
    "ClientSettings",
    "Closed",
    "Connection",
    "ConnectionEvent",
    "Data",
    "Done",
    "Eof",
    "GoAway",
    "HTTP1Options",
    "HTTP2Options",
    "HTTPError",
    "Headers",
    "Informational",
    "Mailbox",
    "Message",
    "MintError",
    "Origins",
    "Pong",
    "Priority",
    "Processed",
    "Proxy",
    "PushPromise",
    "Received",
    "RequestFailed",
    "RequestRef",
    "Response",
    "ServerSettings",
    "StaleConnectionError",
    "Status",
    "StatusReason",
    "TCPOptions",
    "TLSInfo",
    "TLSOptions",
    "TLSSessions",
    "Tolerance",
    "Trailers",
    "TransportError",
    "Tunnels",
    "UnixAddress",
    "__version__",
    "alternatives",
    "connect",
    "errors",
    "http1",
    "http2",
    "proxy",
    "transcripts",
    "transport",
]

_HOMES = {
    "_alternatives": ("Alternative", "alternatives"),
    "_certificates": ("CertificateNames",),
    "_priority": ("Priority",),
    "errors": ("HTTPError", "MintError", "Processed", "StaleConnectionError", "TransportError"),
    "_connections.negotiation": ("Connection", "connect"),
    "_connections.http1": ("HTTP1",),
    "_connections.http2": ("HTTP2",),
    "_loops.mailbox": ("Mailbox",),
    "messages": ("Broken", "Closed", "Message", "Received"),
    "options": ("ClientSettings", "HTTP1Options", "HTTP2Options", "TCPOptions", "TLSOptions"),
    "proxy": ("Proxy",),
    "tolerance": ("Tolerance",),
    "responses": (
        "AltSvc",
        "ConnectionEvent",
        "Data",
        "Done",
        "GoAway",
        "Headers",
        "Informational",
        "Origins",
        "Pong",
        "PushPromise",
        "RequestFailed",
        "RequestRef",
        "Response",
        "ServerSettings",
        "Status",
        "StatusReason",
        "Trailers",
    ),
    "_sessions": ("TLSSessions",),
    "_connections.tunnels": ("Tunnels",),
    "types": ("STREAM", "UNKNOWN", "Eof", "TLSInfo", "UnixAddress"),
}
"""The module that defines each name. The other names in `__all__` are modules."""

_OTHER = dict.fromkeys(
    ("Loader", "Markup", "Printer", "Template", "TemplateError", "TemplateNotFound"),
    "; the distribution mint, a template engine, has it. This is the HTTP client mint-http, and only one of "
    "the two can be imported: run pip uninstall mint-http, or pip uninstall mint",
)
"""Names that the module of the unrelated distribution `mint` defines, and what the error adds for them."""

_FOUND = {name: home for home, names in _HOMES.items() for name in names}


if not TYPE_CHECKING:  # otherwise type checkers would accept any name

    def __getattr__(name: str) -> object:
        if name not in __all__ and name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}{_OTHER.get(name, '')}")
        home = _FOUND.get(name)
        if home is None:
            return import_module(f".{name}", __name__)
        found = globals()[name] = getattr(import_module(f".{home}", __name__), name)
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
