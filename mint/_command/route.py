"""The route to a server on the command line: proxies, given addresses, and what -v prints about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .._hosts import MAX_PORT, ascii_host, literal
from ..options import TLSOptions
from ..proxy import Proxy, from_environment
from .show import NAMES, say
from .usage import UsageError, header

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from .._connections.negotiation import Connection
    from ..types import Scheme


def add_options(made: argparse.ArgumentParser) -> None:
    """Add the options about proxies and addresses."""
    add = made.add_argument
    add(
        "-x",
        "--proxy",
        metavar="URL",
        help="use this proxy: {http,https,socks5,socks5h,socks4a}://[user:password@]host[:port]",
    )
    add(
        "--proxy-env",
        action="store_true",
        help="take the proxy from http_proxy, no_proxy and similar environment variables",
    )
    add(
        "--proxy-header",
        action="append",
        default=[],
        metavar="LINE",
        help="send this header field only to the proxy",
    )
    add("--proxy-http2", action="store_true", help="use HTTP/2 with the proxy")
    add(
        "--proxy-cacert",
        metavar="FILE",
        help="trust only the certificates in this PEM file for an https proxy",
    )
    add("--proxy-insecure", action="store_true", help="do not check the certificate of an https proxy")
    add("-p", "--proxytunnel", action="store_true", help="use a tunnel for http:// URLs, too")
    add(
        "--resolve",
        action="append",
        default=[],
        metavar="HOST:PORT:ADDRESS",
        help="use this address for the host, or several separated by commas, instead of resolving its name",
    )


@dataclass(frozen=True, slots=True)
class Route:
    """The options about proxies and addresses."""

    proxy: Proxy | None = None
    from_environment: bool = False
    resolved: tuple[tuple[str, int, tuple[str, ...]], ...] = ()

    def proxy_for(self, scheme: Scheme, host: str, port: int) -> Proxy | None:
        """Return the proxy for an origin, or `None`. Raises `UsageError`."""
        if not self.from_environment:
            return self.proxy
        try:
            return from_environment(scheme, host, port)
        except ValueError as error:
            raise UsageError(str(error)) from error

    def addresses(self, host: str, port: int) -> Sequence[str] | None:
        """Return the addresses of `--resolve` for a host and port, or `None`."""
        for name, its_port, addresses in self.resolved:
            if (name, its_port) == (host.lower(), port):
                return addresses
        return None


def parse_route(given: argparse.Namespace) -> Route:
    """Parse the options of `add_options`. Raises `UsageError`."""
    if given.proxy is not None and given.proxy_env:
        raise UsageError("--proxy and --proxy-env cannot be used together")
    if given.proxy is None:
        about = (given.proxy_header, given.proxy_http2, given.proxy_cacert is not None, given.proxy_insecure)
        if any(about):
            raise UsageError("the options about a proxy need --proxy")
    proxy = None if given.proxy is None else _proxy(given)
    return Route(proxy, given.proxy_env, tuple(_resolved(text) for text in given.resolve))


def _proxy(given: argparse.Namespace) -> Proxy:
    headers = tuple(header(line, "--proxy-header") for line in given.proxy_header)
    option = "--proxy"
    try:
        proxy = Proxy.from_url(given.proxy)
        proxy = replace(
            proxy,
            tls=TLSOptions(verify=not given.proxy_insecure, ca_file=given.proxy_cacert),
            tunnel=given.proxytunnel,
        )
        option = "--proxy-http2"
        proxy = replace(proxy, protocols=("http2",) if given.proxy_http2 else ("http1",))
        option = "--proxy-header"
        return replace(proxy, headers=headers)
    except ValueError as error:
        raise UsageError(f"{option}: {str(error).removeprefix('headers: ')}") from error


def _is_host(text: str) -> bool:
    try:
        return bool(ascii_host(text))
    except ValueError:
        return False


def _resolved(text: str) -> tuple[str, int, tuple[str, ...]]:
    host, _, rest = text.partition(":")
    port, _, addresses = rest.partition(":")
    found = tuple(addresses.split(","))
    number = int(port) if port.isascii() and port.isdigit() and len(port) <= len(str(MAX_PORT)) else -1
    if not _is_host(host) or not 0 <= number <= MAX_PORT or any(literal(each) is None for each in found):
        raise UsageError(f"--resolve must be HOST:PORT:ADDRESS, not {text!r}")
    return (host if host.isascii() else ascii_host(host)).lower(), number, found


def report_route(conn: Connection, proxy: Proxy | None) -> None:
    """Print on stderr how the connection was made and what was negotiated."""
    peer = conn.peer_address
    where = peer if isinstance(peer, str) else "?" if peer is None else f"{peer[0]} port {peer[1]}"
    if proxy is None:
        say(f"* connected to {where}")
    else:
        forwarded = proxy.is_http and conn.tls is None and not proxy.tunnel and conn.protocol == "http1"
        how = "which forwards" if forwarded and proxy.protocols == ("http1",) else "by a tunnel"
        say(f"* connected to {where}, the {proxy.scheme} proxy, {how}")
    tls = conn.tls
    if tls is not None:
        again = ", resumed" if tls.resumed else ""
        say(f"* {tls.version}, {tls.cipher}, for {tls.server_hostname}, ALPN {tls.alpn or 'none'}{again}")
    say(f"* using {NAMES[conn.protocol]}")
