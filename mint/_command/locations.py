"""The locations of URLs, both of the command line and of redirects."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from .._hosts import DEFAULT_PORTS, ascii_host
from .usage import BadURLError, SchemeRefused

if TYPE_CHECKING:
    from collections.abc import Collection

    from ..types import Scheme

_SCHEME = re.compile("[A-Za-z][A-Za-z0-9+.-]*://")

# RFC 3986 appendix B: scheme, authority, path, query; the fragment is left out.
_REFERENCE = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#.*)?")
_UNSENDABLE = re.compile(r"[^\x21-\x7e]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Location:
    """The location of one URL: an origin and a target on it."""

    url: str
    scheme: Scheme
    host: str
    port: int
    target: str

    @property
    def origin(self) -> tuple[Scheme, str, int]:
        """The scheme, host and port."""
        return self.scheme, self.host, self.port

    def at(self, target: str) -> Location:
        """Return another target on the same origin."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return Location(f"{self.scheme}://{host}{port}{target}", self.scheme, self.host, self.port, target)

    @property
    def path(self) -> str:
        """The path without the query."""
        return self.target.partition("?")[0]


def _shown(url: str) -> str:
    """Return a URL without credentials. It is not certain where they end, so too much may be removed."""
    before, at, after = url.rpartition("@")
    found = _SCHEME.match(before)
    return f"{found[0] if found else ''}(redacted)@{after}" if at else url


def _host(text: str) -> str:
    """Return the host to connect to: a name in ASCII, or an IP address, which may have a zone."""
    if ":" in text:
        text = text.replace("%25", "%", 1)  # RFC 6874 2: the zone of an IPv6 address
    try:
        made = ascii_host(text)
    except ValueError as error:
        # The percent-encoded text may include a password and the "@" after it.
        raise BadURLError("the URL has no valid host" if "%" in text else f"{error}") from None
    return text if text.isascii() else made.lower()


def parse_location(url: str) -> Location:
    """Parse a URL; the default scheme is `http`. Raises `BadURLError`. RFC 3986 3, RFC 9110 4.2."""
    if any(mark <= " " or "\x7f" <= mark <= "\xa0" for mark in url):
        # urlsplit would remove some of them.
        raise BadURLError(f"{_shown(url)!a}: a URL must not contain whitespace or control characters")
    try:
        parts = urlsplit(url if _SCHEME.match(url) else f"http://{url}")
    except ValueError:
        raise BadURLError(f"{_shown(url)}: this is not a valid URL") from None
    try:
        port = parts.port
    except ValueError:
        # The text may be a password, if the "@" after it was forgotten or escaped.
        raise BadURLError(f"{parts.hostname}: the port in the URL is not a number from 0 to 65535") from None
    url = _shown(url)
    scheme: Literal["http", "https"]
    if parts.scheme == "http":
        scheme = "http"
    elif parts.scheme == "https":
        scheme = "https"
    else:
        raise BadURLError(f"{url}: the scheme {parts.scheme!r} is not supported: use http or https")
    if not parts.hostname:
        raise BadURLError(f"{url}: the URL has no host")
    if parts.username is not None or parts.password is not None:
        # 9110-4.2.4-a: credentials in a URL could appear in logs.
        raise BadURLError("credentials in a URL are not sent: use -u, or -H 'authorization: ...'")
    host = _host(parts.hostname)
    target = parts.path or "/"
    if parts.query:
        target += f"?{parts.query}"
    return Location(url, scheme, host, DEFAULT_PORTS[scheme] if port is None else port, target)


def _without_dots(path: str) -> str:
    """Remove the segments `.` and `..`. RFC 3986 5.2.4."""
    kept: list[str] = []
    parts = path.split("/")[1:]
    for number, part in enumerate(parts):
        if part == "..":
            kept[-1:] = []
        elif part != ".":
            kept.append(part)
        if part in {".", ".."} and number == len(parts) - 1:
            kept.append("")
    return "/" + "/".join(kept)


def resolve(base: Location, reference: str, allowed: Collection[str]) -> Location:
    """Return the location that a `location` header refers to, relative to the URL of its request.

    `reference` is the field value, with one character for each octet. Octets that a URL cannot contain are
    percent-encoded in the path and the query. Raises `BadURLError` and `SchemeRefused`. RFC 3986 5.2.
    """
    if _CONTROL.search(reference):
        raise BadURLError(f"{_shown(reference)!a}: the location of the redirect contains control characters")
    found = _REFERENCE.fullmatch(reference.strip(" "))
    scheme, authority, path, query = found.groups() if found else (None, None, "", None)
    if scheme is not None and scheme.lower() not in DEFAULT_PORTS:
        raise SchemeRefused(f"the redirect to the scheme {scheme!a} is not followed: only http and https are")
    if (authority is None and scheme is not None) or _UNSENDABLE.search(authority or ""):
        raise BadURLError("the redirect has no valid host")
    if authority is None:
        own, _, own_query = base.target.partition("?")
        if not path:
            path, query = own, (own_query or None) if query is None else query
        elif not path.startswith("/"):
            path = own.rpartition("/")[0] + "/" + path
        authority = f"[{base.host}]" if ":" in base.host else base.host
        authority += f":{base.port}" if base.port != DEFAULT_PORTS[base.scheme] else ""
    target = _without_dots(path or "/") + ("" if query is None else f"?{query}")
    target = _UNSENDABLE.sub(lambda octet: f"%{ord(octet[0]):02X}", target)
    made = parse_location(f"{(scheme or base.scheme).lower()}://{authority}{target}")
    if made.scheme not in allowed:
        raise SchemeRefused(
            f"the redirect from {base.scheme} to {made.scheme} is not followed: allow it with "
            f"--proto-redir {','.join(sorted({*allowed, made.scheme}))}"
        )
    return made
