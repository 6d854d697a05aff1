"""Proxies from environment variables; `mint.proxy.from_environment` documents the rules.

No other module reads the environment to decide how to reach a server, and this one reads it only when called.
"""

from __future__ import annotations

import ipaddress
import os
from typing import TYPE_CHECKING, TypeAlias

from ._hosts import DEFAULT_PORTS, literal, without_zone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .types import Scheme

_Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


def proxy_url(
    scheme: Scheme, host: str, port: int | None, environ: Mapping[str, str] | None
) -> tuple[str, str] | None:
    """Return the variable that names the proxy for this origin, and its value; `None` to go directly."""
    if scheme not in DEFAULT_PORTS:
        raise ValueError(f'scheme must be "http" or "https", not {scheme!r}')
    read = os.environ if environ is None else environ
    for name in _names(scheme, read):
        url = read.get(name, "").strip()
        if url:
            entries = read.get("no_proxy") or read.get("NO_PROXY") or ""
            excepted = is_excepted(host, DEFAULT_PORTS[scheme] if port is None else port, entries)
            return None if excepted else (name, url)
    return None


def _names(scheme: Scheme, environ: Mapping[str, str]) -> tuple[str, ...]:
    lower = f"{scheme}_proxy"
    # httpoxy: a CGI program gets the headers of a request as HTTP_*, and `Proxy:` as HTTP_PROXY.
    unsafe = scheme == "http" and "REQUEST_METHOD" in environ
    return (lower, *(() if unsafe else (lower.upper(),)), "all_proxy", "ALL_PROXY")


def is_excepted(host: str, port: int, entries: str) -> bool:
    """Whether a list in the form of NO_PROXY excepts this origin, which is then reached directly."""
    return any(_matches(host, port, entry) for entry in entries.replace(",", " ").split())


def _matches(host: str, port: int, entry: str) -> bool:
    if entry == "*":
        return True
    name, only = _cut_port(entry)
    if only is not None and only != port:
        return False
    known = literal(host)
    if known is not None:
        # CVE-2025-22870: a zone is neither a name nor a part of the address, whatever it contains.
        network = _network(name)
        return network is not None and ipaddress.ip_address(without_zone(known)) in network
    wanted, below = name.lower().removesuffix("."), False
    for mark in ("*.", "."):
        if wanted.startswith(mark):
            wanted, below = wanted[len(mark) :], True
            break
    asked = host.lower().removesuffix(".")
    return bool(wanted) and (asked.endswith(f".{wanted}") or (asked == wanted and not below))


def _cut_port(entry: str) -> tuple[str, int | None]:
    """Split an entry into a name and a port; an IPv6 address without brackets has no port."""
    if entry.startswith("["):
        name, _, rest = entry[1:].partition("]")
        digits = rest.removeprefix(":")
    elif entry.count(":") == 1:
        name, _, digits = entry.partition(":")
    else:
        return entry, None
    if digits.isascii() and digits.isdigit():
        return name, int(digits[:6])
    # An entry whose port cannot be parsed matches nothing.
    return (name, None) if not digits else ("", None)


def _network(text: str) -> _Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
