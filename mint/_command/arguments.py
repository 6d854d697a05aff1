"""What the command line asks for, checked before anything is dialled. Option names are curl's."""

from __future__ import annotations

import argparse
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn
from urllib.parse import urlsplit

from .._checks import LONGEST
from .._version import __version__
from ..types import UnixAddress
from .usage import BadURLError, UsageError, header, is_token
from .way import Way, add_options, parse_way

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..types import Address, ProtocolName, Scheme

_SCHEME = re.compile("[A-Za-z][A-Za-z0-9+.-]*://")
_NUMBER = re.compile(r"-\d+|-\d*\.\d+")
_QUOTED = re.compile("'.*'|\".*\"", re.DOTALL)
_PORTS: dict[str, int] = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Location:
    """Where one URL points to: an origin and a target on it."""

    url: str
    scheme: Scheme
    host: str
    port: int
    target: str

    @property
    def origin(self) -> tuple[Scheme, str, int]:
        """What one connection can serve."""
        return self.scheme, self.host, self.port


@dataclass(frozen=True, slots=True)
class Wanted:
    """Everything the command line says."""

    locations: tuple[Location, ...]
    method: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None
    include: bool
    outputs: tuple[str, ...]
    insecure: bool
    ca_file: str | None
    cert: str | None
    key: str | None
    verbose: bool
    protocols: tuple[ProtocolName, ...]
    max_time: float | None
    unix_socket: str | None
    way: Way

    def address(self, location: Location) -> Address:
        """Return what to dial for a location."""
        return location.host if self.unix_socket is None else UnixAddress(self.unix_socket)


def _shown(url: str) -> str:
    """Return a URL without credentials; where they end is not certain, so rather too much is cut."""
    before, at, after = url.rpartition("@")
    found = _SCHEME.match(before)
    return f"{found[0] if found else ''}(redacted)@{after}" if at else url


def parse_location(url: str) -> Location:
    """Take a URL apart; `http` where it names no scheme. RFC 3986 3, RFC 9110 4.2."""
    if any(mark <= " " or "\x7f" <= mark <= "\xa0" for mark in url):
        # urlsplit would remove some of them.
        raise BadURLError(f"{_shown(url)!a}: no blank and no control character is part of a URL")
    try:
        parts = urlsplit(url if _SCHEME.match(url) else f"http://{url}")
    except ValueError:
        raise BadURLError(f"{_shown(url)}: this is no URL") from None
    try:
        port = parts.port
    except ValueError:
        # What stands there may be a password, with the @ behind it forgotten or escaped.
        raise BadURLError(f"{parts.hostname}: the port in the URL is no number from 0 to 65535") from None
    url = _shown(url)
    scheme: Literal["http", "https"]
    if parts.scheme == "http":
        scheme = "http"
    elif parts.scheme == "https":
        scheme = "https"
    else:
        raise BadURLError(f"{url}: the scheme {parts.scheme!r} is not spoken here, http and https are")
    if not parts.hostname:
        raise BadURLError(f"{url}: there is no host in it")
    if parts.username is not None or parts.password is not None:
        # 9110-4.2.4-a: credentials in a URL end up where they should not.
        raise BadURLError("credentials in a URL are not sent: use -H 'authorization: ...'")
    target = parts.path or "/"
    if parts.query:
        target += f"?{parts.query}"
    return Location(url, scheme, parts.hostname, _PORTS[scheme] if port is None else port, target)


def _content(pieces: Sequence[str]) -> bytes | None:
    """Join the -d options with `&`, reading `@file` and `@-`, as curl does."""
    if not pieces:
        return None
    contents: list[bytes] = []
    for piece in pieces:
        if piece.startswith("@"):
            contents.append(_file(piece[1:]))
        else:
            # As the shell gave them: what is no text in this locale is octets all the same.
            contents.append(os.fsencode(piece))
    return b"&".join(contents)


def _file(name: str) -> bytes:
    if name == "-" and sys.stdin is None:
        raise UsageError("standard input is closed")
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except (OSError, ValueError) as error:
        named = "standard input" if name == "-" else name or "-d @"
        raise UsageError(f"{named}: {getattr(error, 'strerror', None) or error}") from error


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, like everything else."""

    def unknown(self, given: Sequence[str]) -> list[str]:
        """Return the names of options that there are none of; what stands behind a name may be a secret."""
        known = self._option_string_actions
        found: list[str] = []
        for each in given:
            if len(each) < len("-x") or each[0] != "-" or " " in each or _NUMBER.fullmatch(each):
                continue  # a value, as argparse sees it
            if each.startswith("--"):
                name = each.partition("=")[0]
                if not any(full.startswith(name) for full in known):
                    found.append(name)
            elif each[:2] not in known:
                found.append(each[:2])
        return found

    def error(self, message: str) -> NoReturn:
        # What was given may be a secret.
        raise UsageError(f"{_QUOTED.sub('...', message)} (--help says more)")


def parser() -> _Parser:
    """Return the parser; its help is the manual."""
    made = _Parser(
        prog="python -m mint",
        description="Fetch URLs over HTTP/1.1 and HTTP/2 and print what the servers say.",
        epilog="Exit codes: 0 fine, 2 usage, 3 bad URL, 6 unknown host, 7 refused or unreachable, "
        "8 broken HTTP, 23 cannot write, 28 time is up, 35 TLS failed, 56 connection lost, "
        "60 certificate rejected, 97 no way through the proxy, 130 interrupted.",
    )
    add = made.add_argument
    add("urls", nargs="*", metavar="URL", help="what to fetch; several of one origin share a connection")
    add("-X", "--request", metavar="METHOD", help="the method; GET, or POST with -d")
    add("-H", "--header", action="append", default=[], metavar="LINE", help="a header: 'name: value'")
    add("-d", "--data", action="append", default=[], metavar="DATA", help="content; @file reads it, @- stdin")
    add("-i", "--include", action="store_true", help="print status, headers and trailers too")
    add("-I", "--head", action="store_true", help="ask for the head only (HEAD)")
    add("-o", "--output", action="append", default=[], metavar="FILE", help="write to a file, one per URL")
    add("-k", "--insecure", action="store_true", help="do not check the certificate")
    add("--cacert", metavar="FILE", help="trust only the certificates in this PEM file")
    add("--cert", metavar="FILE", help="the client certificate, PEM")
    add("--key", metavar="FILE", help="the key of the client certificate, PEM")
    add("-v", "--verbose", action="store_true", help="say on stderr what goes out and comes in")
    add("--http1.1", action="store_true", dest="http1", help="speak HTTP/1.1 only")
    add("--http2", action="store_true", help="speak HTTP/2 only (over TLS)")
    add("--h2c", action="store_true", help="speak HTTP/2 in clear, with prior knowledge")
    add("--max-time", metavar="SECONDS", help="give up after so many seconds in all")
    add("--unix-socket", metavar="PATH", help="connect to this socket instead of the host")
    add_options(made)
    add("--version", action="version", version=f"mint {__version__}")
    return made


def _seconds(text: str) -> float:
    """Return the number of --max-time."""
    try:
        made = float(text)
    except ValueError:
        made = 0.0
    if not 0 < made <= LONGEST:
        raise UsageError("--max-time wants a positive number of seconds")
    return made


def _check(given: argparse.Namespace) -> None:
    """Refuse options that make no sense, or none together."""
    if given.key is not None and given.cert is None:
        raise UsageError("--key wants --cert beside it")
    if given.unix_socket is not None and (given.proxy is not None or given.proxy_env):
        raise UsageError("--unix-socket and a proxy exclude each other")


def _given(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the options; one that is not known matters more than whatever else is wrong."""
    told = list(sys.argv[1:] if arguments is None else arguments)
    end = told.index("--") if "--" in told else len(told)
    made = parser()
    if unknown := made.unknown(told[:end]):
        raise UsageError(f"there is no option {', '.join(unknown)} (--help says more)")
    given = made.parse_intermixed_args(told[:end])
    given.urls += told[end + 1 :]
    if not given.urls:
        raise UsageError("there is no URL (--help says more)")
    return given


def parse(arguments: Sequence[str] | None) -> Wanted:
    """Read the command line. Raises `UsageError`; exits for `--help` and `--version`."""
    given = _given(arguments)
    max_time = None if given.max_time is None else _seconds(given.max_time)
    protocols: tuple[ProtocolName, ...] = ("http1", "http2")
    if given.http1:
        protocols = ("http1",)
    if given.http2 or given.h2c:
        if given.http1:
            raise UsageError("--http1.1 and --http2 exclude each other")
        protocols = ("http2",)
    locations = tuple(parse_location(url) for url in given.urls)
    if given.h2c and any(location.scheme == "https" for location in locations):
        raise UsageError("--h2c is for http:// URLs; over TLS use --http2")
    if given.http2 and not given.h2c and any(location.scheme == "http" for location in locations):
        raise UsageError("--http2 is for https:// URLs; in clear use --h2c")
    if len(given.output) > len(locations):
        raise UsageError("there are more -o than URLs")
    _check(given)
    body = _content(given.data)
    headers = tuple(header(line) for line in given.header)
    if body is not None and not any(name.lower() == "content-type" for name, _ in headers):
        headers = (*headers, ("content-type", "application/x-www-form-urlencoded"))
    if not any(name.lower() == "accept" for name, _ in headers):
        headers = (("accept", "*/*"), *headers)
    if given.request is not None and not is_token(given.request):
        raise UsageError(f"-X wants a method, which is a token, not {given.request!a}")
    default = "HEAD" if given.head else "GET" if body is None else "POST"
    return Wanted(
        locations=locations,
        method=given.request or default,
        headers=headers,
        body=body,
        include=given.include or given.head,
        outputs=tuple(given.output),
        insecure=given.insecure,
        ca_file=given.cacert,
        cert=given.cert,
        key=given.key,
        verbose=given.verbose,
        protocols=protocols,
        max_time=max_time,
        unix_socket=given.unix_socket,
        way=parse_way(given),
    )
