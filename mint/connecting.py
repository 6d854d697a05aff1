"""Connecting, written once: a generator of I/O steps from an address to octets that can carry HTTP.

It resolves, dials (RFC 8305: families interleaved, attempts staggered), and shakes hands. No socket is
touched here: the generator yields what it needs and is driven by a short loop in each world. Whoever
drives it keeps every attempt it made and closes all but the one that is returned.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from .errors import NameNotResolved, TransportClosed, TransportError, TransportTimeout
from .transport.tls import TLSLayer, make_context
from .types import UnixAddress

if TYPE_CHECKING:
    from .options import TCPOptions, TLSOptions
    from .types import Address, Scheme, SocketAddress

MAX_PORT = 65_535

ATTEMPT_DELAY = 0.25
"""Seconds between attempts (RFC 8305 5)."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address that can be dialled. `family` is `"inet6"`, `"inet4"` or `"unix"`."""

    family: str
    address: SocketAddress


class Attempt:
    """One dialled connection of some world; opaque here."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Resolve:
    """Ask for the addresses of a name. Answer: `Resolved`."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Dial:
    """Begin to connect. Answer: `Dialled`, at once."""

    endpoint: Endpoint


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait until an attempt is decided, at most `seconds` (`None`: the deadline). Answer: `Decided`."""

    attempts: tuple[Attempt, ...]
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Abandon:
    """Close an attempt. Answer: `Ready`."""

    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Send:
    """Write all of it. Answer: `Ready`."""

    attempt: Attempt
    octets: bytes


@dataclass(frozen=True, slots=True)
class Receive:
    """Read once. Answer: `Arrived`, empty at the end."""

    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Resolved:
    """The addresses of a name, in the resolver's order."""

    endpoints: tuple[Endpoint, ...]


@dataclass(frozen=True, slots=True)
class Dialled:
    """An attempt has begun; `error` where it failed at once."""

    attempt: Attempt
    error: TransportError | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """An attempt is connected (`error` is `None`) or failed; no attempt when the time was up first."""

    attempt: Attempt | None
    error: TransportError | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """It is done."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """What was read; empty at the end."""

    octets: bytes


IOStep: TypeAlias = Resolve | Dial | Wait | Abandon | Send | Receive
Answer: TypeAlias = Resolved | Dialled | Decided | Ready | Arrived


@dataclass(frozen=True, slots=True)
class Established:
    """What connecting gives: the attempt that won, its TLS layers, and the protocol agreed on."""

    attempt: Attempt
    layers: tuple[TLSLayer, ...]
    alpn: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything connecting needs to know; made of validated options."""

    address: Address
    port: int
    hostname: str
    tcp: TCPOptions
    tls: TLSOptions | None
    """`None` in clear."""
    alpn: tuple[str, ...]


Procedure: TypeAlias = Generator[IOStep, Answer, Established]


def make_plan(
    scheme: Scheme,
    address: Address,
    port: int,
    hostname: str | None,
    tcp: TCPOptions,
    tls: TLSOptions,
    alpn: tuple[str, ...],
) -> Plan:
    """Check what names the origin and return the plan; `ValueError` says what is wrong with it."""
    if scheme not in {"http", "https"}:
        raise ValueError(f'scheme wants "http" or "https", not {scheme!r}')
    if not isinstance(port, int) or not 0 <= port <= MAX_PORT:
        raise ValueError(f"port wants a number from 0 to {MAX_PORT}, not {port!r}")
    if hostname is None:
        if isinstance(address, UnixAddress):
            raise ValueError("a Unix socket has no name: give hostname, for Host and the certificate")
        known = literal(address)
        hostname = str(address) if known is None else str(known)
    # R29: nothing is decoded or cut; what could end a line or hide userinfo is refused.
    if not hostname or not hostname.isprintable() or set(hostname) & set(" /?#@\\"):
        raise ValueError(f"hostname wants a host name or an IP address, not {hostname!r}")
    return Plan(address, port, hostname, tcp, tls if scheme == "https" else None, alpn)


def literal(address: Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the IP address that an address is, with or without brackets; `None` for a name."""
    if isinstance(address, (ipaddress.IPv4Address, ipaddress.IPv6Address)):
        return address
    if isinstance(address, UnixAddress):
        return None
    text = address[1:-1] if address.startswith("[") and address.endswith("]") else address
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def interleave(endpoints: Sequence[Endpoint]) -> list[Endpoint]:
    """Order the endpoints so that families alternate, IPv6 first (RFC 8305 4)."""
    sixes = [each for each in endpoints if each.family == "inet6"]
    fours = [each for each in endpoints if each.family == "inet4"]
    mixed: list[Endpoint] = []
    for turn in range(max(len(sixes), len(fours))):
        mixed += sixes[turn : turn + 1] + fours[turn : turn + 1]
    return mixed


def _allowed(endpoints: Sequence[Endpoint], tcp: TCPOptions) -> list[Endpoint]:
    refused = {family for family, wanted in (("inet4", tcp.inet4), ("inet6", tcp.inet6)) if not wanted}
    return interleave([each for each in endpoints if each.family not in refused])


def resolve(plan: Plan) -> Generator[IOStep, Answer, list[Endpoint]]:
    """Find the endpoints of the plan's address."""
    if isinstance(plan.address, UnixAddress):
        return [Endpoint("unix", plan.address.path)]
    known = literal(plan.address)
    if known is None:
        answer = yield Resolve(str(plan.address), plan.port)
        if not isinstance(answer, Resolved):
            raise _unexpected(answer)
        found: Sequence[Endpoint] = answer.endpoints
    elif isinstance(known, ipaddress.IPv4Address):
        found = [Endpoint("inet4", (str(known), plan.port))]
    # The zone of a link-local address stays in the text; getaddrinfo makes the scope of it.
    elif known.scope_id:
        answer = yield Resolve(str(known), plan.port)
        if not isinstance(answer, Resolved):
            raise _unexpected(answer)
        found = answer.endpoints
    else:
        found = [Endpoint("inet6", (str(known), plan.port, 0, 0))]
    allowed = _allowed(found, plan.tcp)
    if not allowed:
        raise NameNotResolved(str(plan.address), "no address of a family that is allowed")
    return allowed


def race(endpoints: Sequence[Endpoint]) -> Generator[IOStep, Answer, Attempt]:
    """Dial the endpoints, each a moment after the last, until one is connected (RFC 8305 5)."""
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


def exchange(attempt: Attempt, layers: Sequence[TLSLayer]) -> Generator[IOStep, Answer, None]:
    """Carry what the innermost layer has to say to the wire."""
    for inner, outer in zip(layers[:0:-1], layers[-2::-1], strict=True):
        octets = inner.leaving()
        if octets:
            outer.write(octets)
    octets = layers[0].leaving()
    if octets:
        yield Send(attempt, octets)


def shake_hands(attempt: Attempt, layers: Sequence[TLSLayer]) -> Generator[IOStep, Answer, None]:
    """Do the handshake of the innermost layer, through the ones around it."""
    *outside, inside = layers
    while True:
        try:
            done = inside.handshake()
        except TransportError:
            yield from exchange(attempt, layers)  # the alert tells the server why
            raise
        yield from exchange(attempt, layers)
        if done:
            return
        answer = yield Receive(attempt)
        if not isinstance(answer, Arrived):
            raise _unexpected(answer)
        octets = answer.octets
        if not octets:
            raise TransportClosed
        for layer in outside:
            layer.feed(octets)
            octets = layer.read()
        if octets:
            inside.feed(octets)


def establish(plan: Plan) -> Procedure:
    """Connect: the whole procedure."""
    # Contexts first: a file that cannot be loaded must not cost a connection.
    context = None if plan.tls is None else make_context(plan.tls, plan.alpn)
    endpoints = yield from resolve(plan)
    attempt = yield from race(endpoints)
    if plan.tls is None or context is None:
        return Established(attempt, (), None)
    layer = TLSLayer(context, plan.tls.server_hostname or plan.hostname)
    yield from shake_hands(attempt, (layer,))
    return Established(attempt, (layer,), layer.alpn)


def _unexpected(answer: Answer) -> TypeError:
    return TypeError(f"the driver answered with {type(answer).__name__}")
