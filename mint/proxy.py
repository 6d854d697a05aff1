"""Proxies as values. Nothing here opens a connection.

The protocols of proxies are in _connect/tunnel.py and _connect/socks.py; the environment variables are read
in _environment.py. RFC 9110 9.3.6, RFC 9112 3.2.2, RFC 1928.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, get_args

from . import _checks
from ._core.http1 import Config, State
from ._declarations import check, documented, flag, option, required, seconds
from ._environment import proxy_url
from ._extras import remedy, with_socksio
from ._hosts import MAX_PORT, ascii_host, literal
from ._version import USER_AGENT
from .options import HTTP1Options, HTTP2Options, TLSOptions
from .types import UnixAddress

if TYPE_CHECKING:
    from .types import Address, HeaderFields, ProtocolName, Scheme

ProxyScheme: TypeAlias = Literal["http", "https", "socks5", "socks5h", "socks4a"]
"""HTTP in clear text or over TLS; SOCKS with names resolved here (`socks5`) or by the proxy."""

_SCHEMES: dict[str, ProxyScheme] = {name: name for name in get_args(ProxyScheme)}
_PORTS: dict[ProxyScheme, int] = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080, "socks4a": 1080}
_HTTP = frozenset({"http", "https"})
_SOCKS_MOST = 255
_TLS = TLSOptions()
_HTTP1 = HTTP1Options()
_HTTP2 = HTTP2Options()


@documented
@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy, and how to connect through it.

    An HTTP proxy forwards requests for `http`, unless `tunnel` is true. Requests for `https`, and all
    requests through SOCKS, use a tunnel. A connection through a proxy is an `HTTP1` or `HTTP2` like any
    other. Its socket is connected to the proxy, so the `tcp` options of the connection apply to that socket.
    `connect_timeout` covers everything, from connecting to the proxy to the last handshake with the server.
    """

    scheme: ProxyScheme = required(
        '`"http"`, `"https"` (TLS to the proxy), `"socks5"` (names are resolved here), `"socks5h"` or '
        '`"socks4a"` (names are resolved by the proxy).'
    )
    address: Address = required("a host name, an IP address, or a `UnixAddress`.")
    port: int = required("the port, 0 to 65,535; a Unix socket ignores it.")
    hostname: str | None = option(
        None, "the proxy's name for the certificate check; the address unless given."
    )
    headers: HeaderFields = option(
        (),
        "what is sent to an HTTP proxy: with CONNECT, or with every request that it forwards. None of it "
        "reaches an origin through a tunnel.",
        repr=False,
    )
    username: str | None = option(None, "for Basic authentication, or for SOCKS.", repr=False)
    password: str | None = option(
        None, "the password that belongs to `username`; SOCKS4a has none.", repr=False
    )
    tls: TLSOptions = option(
        _TLS, "the TLS options for an `https` proxy; the connection's own `tls` applies to the origin."
    )
    http1: HTTP1Options = option(_HTTP1, "the limits on the proxy's answer to CONNECT.")
    http2: HTTP2Options = option(_HTTP2, "the same for a proxy that speaks HTTP/2.")
    protocols: tuple[ProtocolName, ...] = option(
        ("http1",),
        'the protocol to use with the proxy, `("http1",)` or `("http2",)`. A tunnel through HTTP/2 is one '
        "stream of a connection of its own; `Tunnels` carries many on one connection.",
    )
    tunnel: bool = flag(False, "open a tunnel for `http`, too.")
    tunnel_timeout: float | None = seconds(
        30.0,
        "how long the proxy may take to open the tunnel, inside `connect_timeout`; `None` sets no limit of "
        "its own.",
        error="TunnelTimeout",
    )

    def __post_init__(self) -> None:
        put = partial(object.__setattr__, self)
        put("scheme", _checks.one_of("scheme", self.scheme, _SCHEMES))
        put("port", _checks.number("port", self.port, 0, MAX_PORT))
        check(self)
        if _checks.words(self.protocols) not in {("http1",), ("http2",)}:
            raise ValueError(
                f'protocols must be ("http1",) or ("http2",), not {_checks.shown(self.protocols)}'
            )
        for name, kind in (("tls", TLSOptions), ("http1", HTTP1Options), ("http2", HTTP2Options)):
            _checks.instance(name, getattr(self, name), kind)
        put("headers", _checks.pairs("headers", self.headers))
        for name in ("username", "password"):
            given = getattr(self, name)
            if given is not None:
                put(name, self._checked_secret(name, given))
        self._check_name()
        if self.is_http:
            self._check_headers()
        else:
            self._check_socks()

    @staticmethod
    def _checked_secret(name: str, given: object) -> str:
        """Return credentials that can be sent. Errors never show them."""
        if not isinstance(given, str):
            raise ValueError(f"{name} must be a str or None, not {type(given).__name__}")  # noqa: TRY004  # as options do
        exact = str.__str__(given)
        # Not by encoding it: a UnicodeEncodeError would contain the text.
        if "\0" in exact or any("\ud800" <= mark <= "\udfff" for mark in exact):
            raise ValueError(f"{name} must not contain NUL or characters that UTF-8 cannot encode")
        return exact

    def _check_name(self) -> None:
        address: object = self.address
        if isinstance(address, str):
            object.__setattr__(self, "address", _checks.text("address", address))
        elif not isinstance(address, (UnixAddress, IPv4Address, IPv6Address)):
            kind = type(address).__name__
            raise TypeError(f"address must be a str, an IP address or a mint.UnixAddress, not {kind}")
        if self.hostname is not None:
            object.__setattr__(self, "hostname", _checks.text("hostname", self.hostname))
            ascii_host(self.hostname)
        elif not isinstance(self.address, UnixAddress):
            ascii_host(str(self.address))
        elif self.scheme == "https":
            raise ValueError("a Unix socket has no host name: give hostname for the certificate")

    def _check_headers(self) -> None:
        if self.password is not None and self.username is None:
            raise ValueError("password must not be given without username")
        for name in ("username", "password"):
            if any(mark < " " or mark == "\x7f" for mark in getattr(self, name) or ""):
                raise ValueError(
                    f"{name} must not contain control characters: Basic authentication cannot carry them"
                )
        if ":" in (self.username or ""):
            raise ValueError("username must not contain a colon: Basic authentication cannot carry it")
        names = {name.lower() for name, _ in self.headers}
        if self.username is not None and "proxy-authorization" in names:
            raise ValueError("username and a proxy-authorization header cannot be used together")
        check_sent_headers(self.sent_headers)

    def _check_socks(self) -> None:
        if self.headers:
            raise ValueError("headers can be used only with HTTP proxies, not with SOCKS")
        if self.protocols != ("http1",):
            raise ValueError("protocols can be used only with HTTP proxies, not with SOCKS")
        if self.scheme == "socks4a" and self.password is not None:
            raise ValueError("SOCKS4a does not support passwords: use socks5 or socks5h")
        if not with_socksio.is_available():
            advice = remedy("socks", is_included=with_socksio.INCLUDED)
            raise ValueError(f"SOCKS needs the package socksio: {advice}")
        if self.scheme != "socks4a" and (self.username is None) is not (self.password is None):
            raise ValueError("SOCKS5 needs both a username and a password, or neither")
        # One octet is the length of each (RFC 1929 2); a NUL ends the user id of SOCKS4.
        for name in ("username", "password"):
            text = getattr(self, name)
            if text is not None and not 0 < len(text.encode()) <= _SOCKS_MOST:
                raise ValueError(f"{name} must be 1 to {_SOCKS_MOST} bytes long")
        if self.scheme == "socks4a" and "\0" in (self.username or ""):
            raise ValueError("username must not contain NUL")

    def check_target(self, target: Address) -> None:
        """Refuse an origin that the protocol cannot express. A zone means nothing to a proxy."""
        known = literal(target)
        if known is not None and "%" in str(known):
            raise ValueError(f"the zone of {known} is valid only on this machine: a proxy cannot use it")
        if self.scheme == "socks4a" and isinstance(known, IPv6Address):
            raise ValueError("SOCKS4a supports only IPv4 addresses and host names: use socks5 or socks5h")

    @property
    def is_http(self) -> bool:
        """Whether this is an HTTP proxy and not a SOCKS proxy."""
        return self.scheme in _HTTP

    @property
    def sent_headers(self) -> HeaderFields:
        """The headers to send to an HTTP proxy, including the credentials (RFC 7617)."""
        if self.username is None:
            return self.headers
        token = base64.b64encode(f"{self.username}:{self.password or ''}".encode()).decode("ascii")
        # Spelled as in RFC 9110, for `case_sensitive_headers`; otherwise it is sent in lower case.
        return (*self.headers, ("Proxy-Authorization", f"Basic {token}"))

    @classmethod
    def from_url(cls, url: str) -> Proxy:
        """Return the proxy of a URL `scheme://user:password@host:port`; the default scheme is `http`.

        The default port is 80 for http, 443 for https, and 1080 for SOCKS. Credentials are percent-decoded,
        the host is not. Raises `ValueError` if the URL is not that of a proxy; the message never contains the
        URL.
        """
        if not isinstance(url, str):
            raise TypeError(f"url must be a str, not {type(url).__name__}")
        exact = str.__str__(url)
        parts = _split(exact)
        if parts is None:
            raise ValueError("url must be the URL of a proxy, such as http://proxy.example:3128")
        scheme = _SCHEMES.get(parts.scheme)
        if scheme is None:
            raise ValueError(f"the scheme of a proxy URL must be one of {', '.join(_SCHEMES)}")
        if not parts.host or parts.more:
            raise ValueError("the URL of a proxy must have a host and no path, query or fragment")
        port = _PORTS[scheme] if parts.port is None else parts.port
        try:
            return cls(scheme, parts.host, port, username=parts.username, password=parts.password)
        except ValueError as error:
            fault = str(error)
        # Not raised in the handler, because the original error, whose traceback has the credentials, would
        # become its context.
        raise ValueError(fault)


class _Parts(NamedTuple):
    """The parts of the URL of a proxy."""

    scheme: str
    host: str | None
    port: int | None
    username: str | None
    password: str | None
    more: bool


def _split(url: str) -> _Parts | None:
    """Split a URL; return `None` if that fails, since an error of `urllib` would contain the credentials."""
    import re  # noqa: PLC0415  # few programs have proxies
    from urllib.parse import unquote, urlsplit  # noqa: PLC0415  # few programs have proxies

    if not re.match("[A-Za-z][A-Za-z0-9+.-]*://", url):
        url = f"http://{url}"
    if not url.isprintable():
        return None
    try:
        parts = urlsplit(url)
        return _Parts(
            parts.scheme,
            parts.hostname,
            parts.port,
            None if parts.username is None else unquote(parts.username, errors="strict"),
            None if parts.password is None else unquote(parts.password, errors="strict"),
            parts.path not in {"", "/"} or bool(parts.query or parts.fragment),
        )
    except ValueError:
        return None


def check_sent_headers(headers: HeaderFields) -> None:
    """Raise `ValueError` for headers that cannot be sent to a proxy."""
    if any(name.lower() == "host" for name, _ in headers):
        raise ValueError("headers must not contain host, which names the origin")
    # Ask the serializer itself, so that what it refuses is an error before a connection is opened.
    config = Config(hostname="a", port=1, scheme="http", identity=0, user_agent=USER_AGENT)
    refused = State(config).request("CONNECT", "a:1", headers, None, False).fault
    if refused is not None:
        about = f": {refused.name}" if refused.name else ""
        raise ValueError(f"headers: {refused.reason.replace('_', ' ')}{about}")


def from_environment(
    scheme: Scheme, host: str, port: int | None = None, environ: Mapping[str, str] | None = None
) -> Proxy | None:
    """Return the proxy that the environment sets for an origin; `None` for a direct connection.

    Only this function reads the environment for proxies, and only when you call it. It uses `http_proxy` or
    `https_proxy`, depending on the scheme, and otherwise `all_proxy`. Each name is looked up in lower case
    first, then in upper case; an empty variable counts as unset. `HTTP_PROXY` in upper case is ignored if
    `REQUEST_METHOD` is set, because in a CGI program a `Proxy:` header of the request could set it (httpoxy).

    `no_proxy` (or `NO_PROXY`) is a list whose entries are separated by commas or white space. An entry that
    ends in `:port` applies only to that port. An entry is `*` for every host, an IP address, an IP network
    such as `10.0.0.0/8`, or a name. A name applies to the host of that name and to its subdomains; after a
    dot or ``*.``, it applies only to the subdomains. Names are compared case-insensitively, and a trailing
    dot is ignored. IP addresses are compared by value. Nothing is resolved.

    Args:
        scheme: the scheme of the origin, `"http"` or `"https"`.
        host: the host of the origin.
        port: the port of the origin; by default that of the scheme.
        environ: a mapping to read instead of `os.environ`.

    Raises `ValueError` if the value of a variable is not a proxy; the message contains the name of the
    variable and never its value.

    """
    _checks.text("host", host)
    if port is not None:
        _checks.number("port", port, 0, MAX_PORT, " or None")
    if environ is not None and not isinstance(environ, Mapping):
        raise TypeError(f"environ must be a mapping of str to str, or None, not {type(environ).__name__}")
    found = proxy_url(scheme, host, port, environ)
    if found is None:
        return None
    name, url = found
    try:
        return Proxy.from_url(url)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
