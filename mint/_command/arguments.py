"""Parse and check the command line, before any connection is opened."""

from __future__ import annotations

import base64
import getpass
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .._checks import LONGEST
from ..types import UnixAddress
from .bodies import Upload, check_stdin, joined
from .locations import Location, parse_location
from .options import parser
from .outputs import REMOTE_NAME, remote_name
from .redirects import PlannedRequest
from .route import Route, parse_route
from .summary import check_format
from .usage import UsageError, header, is_token

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ..types import Address, ProtocolName

__all__ = ["CommandLine", "Location", "Order", "parse", "parse_location"]

_MOST = 1_000_000_000_000_000


@dataclass(frozen=True, slots=True)
class Order:
    """One URL: its first request, and the file to write the content to, if any."""

    request: PlannedRequest
    output: str | None = None


@dataclass(frozen=True, slots=True)
class CommandLine:
    """The contents of the command line."""

    orders: tuple[Order, ...]
    method: str
    headers: tuple[tuple[str, str], ...]
    include: bool
    fail: bool
    insecure: bool
    ca_file: str | None
    cert: str | None
    key: str | None
    verbose: bool
    silent: bool
    show_error: bool
    protocols: tuple[ProtocolName, ...]
    max_time: float | None
    connect_timeout: float
    unix_socket: str | None
    route: Route
    follows: bool
    max_redirects: int
    redirect_schemes: frozenset[str] | None
    compressed: bool
    max_size: int | None
    summary: str | None
    parallel: int
    record: str | None = None
    record_secrets: bool = False

    @property
    def locations(self) -> tuple[Location, ...]:
        """The locations of the URLs."""
        return tuple(order.request.location for order in self.orders)

    def address(self, host: str) -> Address:
        """Return the address to connect to for a host."""
        return host if self.unix_socket is None else UnixAddress(self.unix_socket)


def _seconds(text: str, option: str) -> float:
    try:
        made = float(text) if text.isascii() else 0.0
    except ValueError:
        made = 0.0
    if not 0 < made <= LONGEST:
        raise UsageError(f"{option} must be a positive number of seconds")
    return made


def _count(text: str, option: str, least: int = 0) -> int:
    made = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(_MOST)) else -1
    if made < least:
        raise UsageError(f"{option} must be a number, {least} or more")
    return made


def _given(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the options. An unknown option is reported before any other mistake."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    end = words.index("--") if "--" in words else len(words)
    made = parser()
    made.refuse_unknown(words)
    given = made.parse_intermixed_args(words[:end])
    given.urls += words[end + 1 :]
    if not given.urls:
        raise UsageError("a URL is required: see --help")
    return given


def _check_files(given: argparse.Namespace) -> None:
    files = (
        *(("--cacert", given.cacert), ("--cert", given.cert), ("--key", given.key)),
        *(("--record", given.record), ("--unix-socket", given.unix_socket)),
        *(("--proxy-cacert", given.proxy_cacert),),
        *(("-o", each) for each in given.output),
    )
    for option, name in files:
        if name == "":
            raise UsageError(f"{option} must be the name of a file, not an empty string")
    if given.record == "-":
        raise UsageError("--record must be the name of a file: write ./- for a file named -")


def _check_method(method: str | None) -> None:
    if method is not None and not is_token(method):
        raise UsageError(f"-X must be a method, which is a token, not {method!a}")
    if method == "CONNECT":
        raise UsageError("-X CONNECT is not supported, since nothing could use the tunnel: see -p")


def _check(given: argparse.Namespace) -> None:
    """Refuse options that are invalid, or cannot be used together."""
    _check_files(given)
    if given.key is not None and given.cert is None:
        raise UsageError("--key needs --cert")
    if given.record_secrets and given.record is None:
        raise UsageError("--record-secrets needs --record")
    if given.unix_socket is not None and (given.proxy is not None or given.proxy_env):
        raise UsageError("--unix-socket and a proxy cannot be used together")
    bodies = [
        name
        for name, value in (("-d", given.data), ("--json", given.json), ("-T", given.upload_file))
        if value
    ]
    if len(bodies) > 1:
        raise UsageError(f"{' and '.join(bodies)} cannot be used together")
    if given.head and bodies:
        raise UsageError(f"-I and {bodies[0]} cannot be used together")
    if len(given.output) > len(given.urls):
        raise UsageError("there are more -o and -O than URLs")
    if len(given.upload_file) > len(given.urls):
        raise UsageError("there are more -T than URLs")
    if given.upload_file.count("-") > 1:
        raise UsageError("standard input can be sent only once")
    _check_method(given.request)


def _protocols(given: argparse.Namespace, locations: Sequence[Location]) -> tuple[ProtocolName, ...]:
    schemes = {location.scheme for location in locations}
    if given.http1 and (given.http2 or given.h2c):
        raise UsageError("--http1.1 and --http2 cannot be used together")
    if given.h2c and "https" in schemes:
        raise UsageError("--h2c is for http:// URLs; over TLS use --http2")
    if given.http2 and not given.h2c and "http" in schemes:
        raise UsageError("--http2 is for https:// URLs; without TLS use --h2c")
    if given.http1:
        return ("http1",)
    return ("http2",) if given.http2 or given.h2c else ("http1", "http2")


def _authorization(text: str) -> str:
    """Return the value of the authorization field for -u (RFC 7617 2)."""
    name, colon, password = text.partition(":")
    if not colon:
        if sys.stdin is None or not sys.stdin.isatty():
            raise UsageError("-u needs NAME:PASSWORD if there is no terminal to ask for the password")
        password = getpass.getpass("password: ")
    pair = os.fsencode(f"{name}:{password}")
    if any(octet < 0x20 or octet == 0x7F for octet in pair):  # control characters of ASCII
        raise UsageError("-u: the name and the password must not contain control characters")
    return f"Basic {base64.b64encode(pair).decode('ascii')}"


def _headers(given: argparse.Namespace, *, form: bool, json: bool) -> tuple[tuple[str, str], ...]:
    headers = [header(line) for line in given.header]
    names = {name.lower() for name, _ in headers}
    if given.user is not None:
        if "authorization" in names:
            raise UsageError("-u and -H authorization cannot be used together")
        headers.append(("authorization", _authorization(given.user)))
    if (form or json) and "content-type" not in names:
        headers.append(("content-type", "application/json" if json else "application/x-www-form-urlencoded"))
    if "accept" not in names:
        headers.insert(0, ("accept", "application/json" if json else "*/*"))
    return tuple(headers)


def _schemes(text: str | None) -> frozenset[str] | None:
    if text is None:
        return None
    found = frozenset(text.removeprefix("=").split(","))
    if not found <= {"http", "https"}:
        raise UsageError("--proto-redir must be http, https, or both, separated by a comma")
    return found


def _format(text: str | None) -> str | None:
    """Return the format of -w; for `@file`, the contents of the file."""
    if text is not None and text.startswith("@"):
        text = (joined([text], b"") or b"").decode("utf-8", "replace")
    if text is not None:
        check_format(text)
    return text


def _orders(
    given: argparse.Namespace,
    locations: Sequence[Location],
    headers: tuple[tuple[str, str], ...],
    content: bytes | None,
) -> tuple[Order, ...]:
    orders: list[Order] = []
    for number, location in enumerate(locations):
        path = given.upload_file[number] if number < len(given.upload_file) else None
        output = given.output[number] if number < len(given.output) else None
        body: bytes | Upload | None = content
        default = "HEAD" if given.head else "GET" if content is None else "POST"
        if path is not None:
            if path == "-":
                check_stdin()
            body, default = Upload(path), "PUT"
            target = body.target(location.target)
            location = location.at(target)  # to which the name of the file may have been added
        if output == REMOTE_NAME:
            output = remote_name(location)
        orders.append(Order(PlannedRequest(location, given.request or default, headers, body), output))
    return tuple(orders)


def parse(arguments: Sequence[str] | None) -> CommandLine:
    """Parse the command line. Raises `UsageError`; exits for `--help` and `--version`."""
    given = _given(arguments)
    max_time = None if given.max_time is None else _seconds(given.max_time, "--max-time")
    locations = tuple(parse_location(url) for url in given.urls)
    protocols = _protocols(given, locations)
    _check(given)
    most = _count(given.parallel_max, "--parallel-max", 1)
    content = joined(given.data, b"&") if given.data else joined(given.json, b"")
    headers = _headers(given, form=bool(given.data), json=bool(given.json))
    orders = _orders(given, locations, headers, content)
    return CommandLine(
        orders=orders,
        method=orders[0].request.method,
        headers=headers,
        include=given.include or given.head,
        fail=given.fail,
        insecure=given.insecure,
        ca_file=given.cacert,
        cert=given.cert,
        key=given.key,
        verbose=given.verbose,
        silent=given.silent,
        show_error=given.show_error,
        protocols=protocols,
        max_time=max_time,
        connect_timeout=_seconds(given.connect_timeout, "--connect-timeout"),
        unix_socket=given.unix_socket,
        route=parse_route(given),
        follows=given.location,
        max_redirects=_count(given.max_redirs, "--max-redirs"),
        redirect_schemes=_schemes(given.proto_redir),
        compressed=given.compressed,
        max_size=None if given.max_filesize is None else _count(given.max_filesize, "--max-filesize"),
        summary=_format(given.write_out),
        parallel=most if given.parallel else 1,
        record=given.record,
        record_secrets=given.record_secrets,
    )


def shown_name(order: Order) -> str:
    """Return the name of a transfer for the progress line."""
    location = order.request.location
    if order.output not in {None, "-"}:
        return Path(str(order.output)).name
    return location.path.rpartition("/")[2] or location.host
