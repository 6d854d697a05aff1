"""Split an http or https URL strictly: nothing is guessed, decoded or repaired (RFC 3986 3)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from .._checks import exact_text
from .._hosts import DEFAULT_PORTS, MAX_PORT, ascii_host
from ..errors.base import shown

if TYPE_CHECKING:
    from ..types import Scheme

_MAX_DIGITS = 5
_REMEMBERED = 256
"""How many authorities are cached in parsed form, because most programs use the same servers repeatedly."""
_URL = re.compile(r"(?i:(https?))://([^/?#]*)([^?#]*)(\?[^#]*)?(?:#.*)?", re.ASCII)
_AUTHORITY = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::([0-9]*))?", re.ASCII)
_NOT_IN_A_TARGET = re.compile(r"[^\x21-\x7e]")


class Origin(NamedTuple):
    """Where a request goes: scheme, host and port (RFC 9110 4.3.1). Hosts are in lower case."""

    scheme: Scheme
    host: str
    port: int


class URL(NamedTuple):
    """The parts of a URL, as arguments for `mint.connect` and `request`."""

    scheme: Scheme
    host: str
    """A name in lower case, or an IP address without brackets."""
    port: int
    target: str
    """The path and the query, at least `"/"`; the fragment is left out."""

    @property
    def origin(self) -> Origin:
        """The scheme, host and port."""
        return Origin(self.scheme, self.host, self.port)


def split_url(url: str) -> URL:
    """Return the parts of an absolute http or https URL.

    Raises `TypeError` for anything but text. Raises `ValueError` if the text is not such a URL, if it
    contains credentials (they would end up in logs; use a header instead), or if it contains characters that
    have to be percent-encoded. RFC 3986 3, RFC 9110 4.2.
    """
    url = exact_text("url", url)
    found = _URL.fullmatch(url)
    if found is None:
        raise ValueError(f"{shown(_without_credentials(url))} is not an absolute http or https URL")
    name, authority, path, query = found.groups()
    if "@" in authority:
        # RFC 9110 4.2.4: credentials in a URL must not be shown either.
        raise ValueError("credentials in a URL are not sent: use an authorization header")
    target = (path or "/") + (query or "")
    if bad := _NOT_IN_A_TARGET.search(target):
        raise ValueError(f"a URL must not contain the character {bad.group()!a}: percent-encode it")
    scheme: Scheme = "https" if name.lower() == "https" else "http"
    try:
        host, port = _host_and_port(authority)
    except ValueError:
        if "@" not in url:
            raise
    else:
        return URL(scheme, host, DEFAULT_PORTS[scheme] if port is None else port, target)
    # If a password contains "/", "?" or "#", the authority ends there, so the first error may show a part of
    # the password. It is not the context of this one, which is raised outside the handler.
    raise ValueError(f"the authority of the URL is not a host with a port from 0 to {MAX_PORT}")


@lru_cache(_REMEMBERED)
def _host_and_port(authority: str) -> tuple[str, int | None]:
    parts = _AUTHORITY.fullmatch(authority)
    digits = "" if parts is None else parts.group(2) or ""
    # Leading zeros are ignored. The number of digits is limited because int() is slow for very many.
    if parts is None or len(digits.lstrip("0")) > _MAX_DIGITS or int(digits[-_MAX_DIGITS:] or 0) > MAX_PORT:
        raise ValueError(f"{shown(authority)} is not a host with a port from 0 to {MAX_PORT}")
    host = parts.group(1)
    if host.startswith("[") and ":" not in host:
        raise ValueError(f"{shown(host)} is not an IPv6 address")
    return ascii_host(host).lower(), int(digits) if digits else None


def _without_credentials(url: str) -> str:
    """Return the URL without what may be credentials, so that a message may show it."""
    return url.rpartition("@")[2]
