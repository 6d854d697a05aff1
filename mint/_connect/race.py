"""The connecting procedure as a generator of I/O steps, which all event loops share.

It resolves the name, tries the addresses (RFC 8305: families interleaved, attempts staggered), and does the
TLS handshake. No socket is touched here: the generator yields the steps it needs, and a short driver for each
event loop performs them. The driver remembers all its attempts and closes all but the one that is returned.

The steps and the parts of the procedure are here; `tunnel.establish` is the complete procedure, with proxies.
Steps and answers are named tuples: users never see them, and a dataclass takes seven times as long to import.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Coroutine, Generator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from .. import _checks
from .._hosts import MAX_PORT, ascii_host, ascii_name, literal, without_zone
from ..errors import NameNotResolved, TransportClosed, TransportError, TransportTimeout
from ..options import TCPOptions, TLSOptions
from ..types import UnixAddress

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .._wire.layer import Layer
    from .._wire.tls import TLSLayer
    from ..proxy import Proxy
    from ..types import Address, HeaderFields, Scheme, SocketAddress


ATTEMPT_DELAY = 0.25
"""Seconds between the starts of two attempts (RFC 8305 5)."""

MOST_ADDRESSES = 256
"""How many addresses a resolver may return; an endless iterator must not fill the memory."""

_ADDRESSES = (ipaddress.IPv4Address, ipaddress.IPv6Address)


class Endpoint(NamedTuple):
    """One address to connect to. `family` is `"inet6"`, `"inet4"` or `"unix"`."""

    family: str
    address: SocketAddress


class Attempt:
    """One connection attempt; only the driver that made it knows its contents."""

    __slots__ = ()


class Resolve(NamedTuple):
    """Look up the addresses of a name. Answer: `Resolved`."""

    host: str
    port: int


class Dial(NamedTuple):
    """Start to connect. Answer: `Dialled`, without waiting for the connection."""

    endpoint: Endpoint


class Wait(NamedTuple):
    """Wait until an attempt succeeds or fails, at most `seconds` (`None`: until the deadline).

    Answer: `Decided`.
    """

    attempts: tuple[Attempt, ...]
    seconds: float | None


class Abandon(NamedTuple):
    """Close an attempt. Answer: `Ready`."""

    attempt: Attempt


class Send(NamedTuple):
    """Write all these octets. Answer: `Ready`."""

    attempt: Attempt
    octets: bytes


class Receive(NamedTuple):
    """Read once. Answer: `Arrived`, empty at the end."""

    attempt: Attempt


class Limit(NamedTuple):
    """Limit the time of all following steps together; `None` removes that limit. Answer: `Ready`.

    The deadline of the whole procedure still applies: this limit can only be earlier.
    """

    seconds: float | None


class Resolved(NamedTuple):
    """The addresses of a name, in the resolver's order.

    Attributes:
        endpoints: the addresses.
        in_order: whether to try them in this order; otherwise families alternate, IPv6 first.

    """

    endpoints: tuple[Endpoint, ...]
    in_order: bool = False


class Dialled(NamedTuple):
    """An attempt was started; `error` is set if it failed immediately."""

    attempt: Attempt
    error: TransportError | None = None


class Decided(NamedTuple):
    """The attempt that connected (`error` is `None`) or failed; `None` if the time was up first."""

    attempt: Attempt | None
    error: TransportError | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """The step was performed."""


class Arrived(NamedTuple):
    """The octets that were read; empty at the end of the connection."""

    octets: bytes


IOStep: TypeAlias = Resolve | Dial | Wait | Abandon | Send | Receive | Limit
Answer: TypeAlias = Resolved | Dialled | Decided | Ready | Arrived


class Established(NamedTuple):
    """The result of connecting.

    Attributes:
        attempt: the attempt that connected first.
        layers: the TLS and tunnel layers on top of it, the outermost (nearest to the socket) first.
        alpn: the protocol that was negotiated by ALPN with the server.
        proxy_headers: the headers of the proxy's answer to CONNECT, or those to send to a forward proxy.
        arrived: octets of the server that followed the proxy's answer, if no TLS layer has taken them.

    """

    attempt: Attempt
    layers: tuple[Layer, ...]
    alpn: str | None
    proxy_headers: HeaderFields = ()
    arrived: bytes = b""


class Plan(NamedTuple):
    """The validated arguments of connecting.

    Attributes:
        address: the address to connect to, directly or through a proxy.
        port: the port to connect to.
        hostname: the server's name in header fields and certificates: in ASCII, without brackets or zone.
        tcp: options of the socket.
        tls: options of TLS with the server; `None` in clear.
        alpn: the protocols to offer to the server.
        proxy: the proxy to connect through, if any.

    """

    address: Address
    port: int
    hostname: str
    tcp: TCPOptions
    tls: TLSOptions | None
    alpn: tuple[str, ...]
    proxy: Proxy | None = None

    @property
    def forwarded(self) -> bool:
        """Whether a proxy forwards each request; false for a tunnel, and without a proxy.

        HTTP/2 in clear uses a tunnel, because only HTTP/1 requests are forwarded.
        """
        proxy = self.proxy
        if proxy is None or self.tls is not None or not proxy.is_http:
            return False
        return not proxy.tunnel and "http/1.1" in self.alpn and proxy.protocols == ("http1",)


Procedure: TypeAlias = Generator[IOStep, Answer, Established]


def _check_kinds(tcp: object, tls: object, proxy: object) -> None:
    """Raise `TypeError` for arguments of the wrong type, before other code uses them."""
    _checks.instance("tcp", tcp, TCPOptions)
    _checks.instance("tls", tls, TLSOptions)
    if proxy is None:
        return  # without a proxy, do not import its module
    if isinstance(proxy, str):  # it may hold a password
        raise TypeError("proxy must be a mint.Proxy: mint.Proxy.from_url() makes one from a URL")
    from ..proxy import Proxy  # noqa: PLC0415  # as above

    _checks.instance("proxy", proxy, Proxy)


def checked_address(address: Address) -> Address:
    """Return the address to connect to: a Unix socket, an IP address, or a host name in ASCII."""
    if isinstance(address, (UnixAddress, *_ADDRESSES)):
        return address
    if not isinstance(address, str):
        kind = type(address).__name__
        raise TypeError(f"address must be a str, an IP address or a mint.UnixAddress, not {kind}")
    exact = str.__str__(address)
    known = literal(exact)
    # R29: nothing is decoded or cut off; characters that could end a line or hide userinfo are refused.
    try:
        return ascii_name(exact) if known is None else known
    except ValueError as error:
        raise ValueError(f"address: {error}") from error


def make_plan(
    scheme: Scheme,
    address: Address,
    port: int,
    hostname: str | None,
    tcp: TCPOptions,
    tls: TLSOptions,
    alpn: tuple[str, ...],
    proxy: Proxy | None = None,
) -> Plan:
    """Check the arguments and return the plan. Raises `ValueError` or `TypeError` if one is wrong."""
    secure = _checks.one_of("scheme", scheme, ("http", "https")) == "https"
    number = _checks.number("port", port, 0, MAX_PORT)
    _check_kinds(tcp, tls, proxy)
    dialled = checked_address(address)
    is_known = False
    if isinstance(dialled, UnixAddress):
        if hostname is None:
            raise ValueError(
                "a Unix socket has no host name: give hostname for the Host field and the certificate"
            )
        if proxy is not None:
            raise ValueError("a proxy cannot reach a Unix socket")
        if tcp.local_address is not None:
            raise ValueError("local_address is an IP address and cannot be used with a Unix socket")
    else:
        if proxy is not None:
            proxy.check_target(dialled)
        if hostname is None:
            hostname = dialled if isinstance(dialled, str) else without_zone(dialled)
            # Values of exactly these types were checked above, or cannot be wrong.
            is_known = type(dialled) in {str, *_ADDRESSES}
    if is_known:
        name = hostname
    else:
        try:
            name = ascii_host(_checks.text("hostname", hostname))
        except ValueError as error:
            raise ValueError(f"hostname: {error}") from error
    if secure and tls.post_handshake_auth and "h2" in alpn:
        raise ValueError('post_handshake_auth works with HTTP/1 only: give protocols=("http1",) too')
    return Plan(dialled, number, name, tcp, tls if secure else None, alpn, proxy)


def proxy_plan(proxy: Proxy, tcp: TCPOptions) -> Plan:
    """Return the plan for connecting to the proxy itself."""
    scheme: Scheme = "https" if proxy.scheme == "https" else "http"
    hostname = proxy.hostname
    if hostname is None and isinstance(proxy.address, UnixAddress):
        hostname = "localhost"
    alpn = ("h2",) if proxy.protocols == ("http2",) else ("http/1.1",)
    return make_plan(scheme, proxy.address, proxy.port, hostname, tcp, proxy.tls, alpn)


def as_endpoints(answers: Iterable[object], host: str, port: int) -> tuple[Endpoint, ...]:
    """Convert the answers of a caller's resolver. Raises `NameNotResolved` if one is not an IP address."""
    if hasattr(answers, "__await__"):
        if isinstance(answers, Coroutine):
            answers.close()
        raise TypeError(
            "the resolver returned an awaitable: declare it with async def, or return the addresses"
        )
    endpoints: list[Endpoint] = []
    for each in islice(answers, MOST_ADDRESSES):
        known = literal(each) if isinstance(each, (str, *_ADDRESSES)) else None
        if known is None:
            raise NameNotResolved(
                host, f"the resolver answered {_checks.shown(each)}, which is not an IP address"
            )
        endpoints.append(_endpoint(known, port))
    return tuple(endpoints)


def _endpoint(known: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int) -> Endpoint:
    if isinstance(known, ipaddress.IPv4Address):
        return Endpoint("inet4", (without_zone(known), port))
    return Endpoint("inet6", (without_zone(known), port, 0, 0))


def interleave(endpoints: Sequence[Endpoint]) -> list[Endpoint]:
    """Order the endpoints so that families alternate, IPv6 first (RFC 8305 4)."""
    if len(endpoints) < 2:
        return list(endpoints)
    sixes = [each for each in endpoints if each.family == "inet6"]
    fours = [each for each in endpoints if each.family == "inet4"]
    mixed: list[Endpoint] = []
    for turn in range(max(len(sixes), len(fours))):
        mixed += sixes[turn : turn + 1] + fours[turn : turn + 1]
    return mixed


def _allowed(endpoints: Sequence[Endpoint], tcp: TCPOptions) -> list[Endpoint]:
    if tcp.inet4 and tcp.inet6 and tcp.local_address is None:
        return list(endpoints)
    refused = {family for family, wanted in (("inet4", tcp.inet4), ("inet6", tcp.inet6)) if not wanted}
    if tcp.local_address is not None:
        # A socket that is bound to an address of one family cannot reach the other.
        refused.add("inet4" if ":" in tcp.local_address[0] else "inet6")
    return [each for each in endpoints if each.family not in refused]


def resolve(plan: Plan) -> Generator[IOStep, Answer, list[Endpoint]]:
    """Find the endpoints of the plan's address."""
    if isinstance(plan.address, UnixAddress):
        return [Endpoint("unix", plan.address.path)]
    known = literal(plan.address)
    # The zone of a link-local address stays in the text; getaddrinfo converts it to a scope ID.
    if known is None or (isinstance(known, ipaddress.IPv6Address) and known.scope_id):
        answer = yield Resolve(str(plan.address), plan.port)
        if not isinstance(answer, Resolved):
            raise _unexpected(answer)
        found: Sequence[Endpoint] = answer.endpoints if answer.in_order else interleave(answer.endpoints)
    else:
        found = [_endpoint(known, plan.port)]
    allowed = _allowed(found, plan.tcp)
    if not allowed:
        raise NameNotResolved(str(plan.address), "no address of a family that TCPOptions allows")
    return allowed


def race(endpoints: Sequence[Endpoint]) -> Generator[IOStep, Answer, Attempt]:
    """Try the endpoints, each `ATTEMPT_DELAY` after the last, until one connects (RFC 8305 5)."""
    waiting = list(endpoints)
    running: list[Attempt] = []
    first_error: TransportError | None = None
    while waiting or running:
        if waiting:
            answer = yield Dial(waiting.pop(0))
            if not isinstance(answer, Dialled):
                raise _unexpected(answer)
            if answer.error is None:
                running.append(answer.attempt)
            else:
                first_error = first_error or answer.error
                continue
        decided = yield Wait(tuple(running), ATTEMPT_DELAY if waiting else None)
        if not isinstance(decided, Decided):
            raise _unexpected(decided)
        if decided.attempt is None:
            continue
        running.remove(decided.attempt)
        if decided.error is None:
            for loser in running:
                yield Abandon(loser)
            return decided.attempt
        first_error = first_error or decided.error
        yield Abandon(decided.attempt)
    raise first_error or TransportTimeout("connecting")


def carry_out(layers: Sequence[Layer]) -> bytes:
    """Move the output of each layer to the next one outwards; return the octets for the socket."""
    for inner, outer in zip(layers[:0:-1], layers[-2::-1], strict=True):
        octets = inner.leaving()
        if octets:
            outer.write(octets)
    return layers[0].leaving()


def exchange(attempt: Attempt, layers: Sequence[Layer]) -> Generator[IOStep, Answer, None]:
    """Send the pending output of the layers."""
    octets = carry_out(layers)
    if octets:
        yield Send(attempt, octets)


def send(attempt: Attempt, layers: Sequence[Layer], octets: bytes) -> Generator[IOStep, Answer, None]:
    """Write octets through the layers."""
    if not layers:
        yield Send(attempt, octets)
        return
    layers[-1].write(octets)
    yield from exchange(attempt, layers)


def tolerating_close(steps: Generator[IOStep, Answer, None]) -> Generator[IOStep, Answer, None]:
    """Send to a proxy that may have answered and closed already.

    If sending fails, the error is ignored, because the answer may still be read.
    """
    try:
        yield from steps
    except TransportTimeout:
        raise
    except TransportError:
        return


def receive(attempt: Attempt, layers: Sequence[Layer]) -> Generator[IOStep, Answer, bytes]:
    """Read octets through the layers; empty at the end."""
    while True:
        answer = yield Receive(attempt)
        if not isinstance(answer, Arrived):
            raise _unexpected(answer)
        octets = answer.octets
        for layer in layers:
            layer.feed(octets)
            octets = layer.read()
            if not octets and not layer.ended:
                break
        if layers:
            yield from exchange(attempt, layers)
        if octets or not layers or layers[-1].ended:
            return octets


def shake_hands(
    attempt: Attempt, outside: Sequence[Layer], inside: TLSLayer, arrived: bytes = b""
) -> Generator[IOStep, Answer, None]:
    """Do the TLS handshake of the `inside` layer through the layers `outside` it.

    `arrived` contains octets for the layer that were received before.
    """
    layers = (*outside, inside)
    if arrived:
        # R28: octets that came before TLS began can only be TLS records, or the handshake fails. They are
        # never interpreted as anything else.
        inside.feed(arrived)
    while True:
        try:
            done = inside.handshake()
        except TransportError:
            yield from exchange(attempt, layers)  # the alert tells the server why
            raise
        yield from exchange(attempt, layers)
        if done:
            return
        octets = yield from receive(attempt, outside)
        if not octets:
            raise TransportClosed
        inside.feed(octets)


def _unexpected(answer: Answer) -> TypeError:
    return TypeError(f"the driver answered the last step with {type(answer).__name__}, the wrong type")
