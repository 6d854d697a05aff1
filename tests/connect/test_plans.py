"""The functions of connecting, each by itself: plans, addresses, attempts, layers, and answers to steps."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, TypeVar

import pytest

import mint
from mint import errors
from mint._connect.race import (
    ATTEMPT_DELAY,
    MOST_ADDRESSES,
    Abandon,
    Arrived,
    Attempt,
    Decided,
    Dial,
    Dialled,
    Endpoint,
    Ready,
    Receive,
    Resolve,
    Resolved,
    Send,
    Wait,
    as_endpoints,
    carry_out,
    interleave,
    make_plan,
    proxy_plan,
    race,
    receive,
    resolve,
    send,
)
from mint._connect.socks import resolved_here
from mint._connect.tunnel import authority, check_alpn

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from mint._connect.race import Answer, IOStep, Plan
    from mint.proxy import ProxyScheme
    from mint.types import Address, ProtocolName, Scheme

_T = TypeVar("_T")

TCP, TLS = mint.TCPOptions(), mint.TLSOptions()
FOUR, SIX = Endpoint("inet4", ("192.0.2.1", 80)), Endpoint("inet6", ("2001:db8::1", 80, 0, 0))
REFUSED, UNREACHABLE = errors.ConnectionRefused("nowhere"), errors.Unreachable("No route to host")


def planned(
    scheme: Scheme = "http",
    address: Address = "a.example",
    *,
    hostname: str | None = None,
    tcp: mint.TCPOptions = TCP,
    tls: mint.TLSOptions = TLS,
    alpn: tuple[str, ...] = ("h2", "http/1.1"),
    proxy: mint.Proxy | None = None,
) -> Plan:
    return make_plan(scheme, address, 80, hostname, tcp, tls, alpn, proxy)


def finished(procedure: Generator[IOStep, Answer, _T], answer: Answer | None = None) -> _T:
    """Answer the last step, and return the result."""
    with pytest.raises(StopIteration) as ended:
        if answer is None:
            next(procedure)
        else:
            procedure.send(answer)
    result: _T = ended.value.value
    return result


# -- plans


H1: tuple[ProtocolName, ...] = ("http1",)
H2: tuple[ProtocolName, ...] = ("http2",)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("alpn", [("h2", "http/1.1"), ("http/1.1",), ("h2",)])
@pytest.mark.parametrize(
    ("kind", "spoken"),
    [(None, H1), ("http", H1), ("http", H2), ("https", H1), ("https", H2), ("socks5", H1), ("socks5h", H1)],
)
@pytest.mark.parametrize("tunnel", [False, True])
def test_when_a_proxy_forwards(
    scheme: Scheme,
    alpn: tuple[str, ...],
    kind: ProxyScheme | None,
    spoken: tuple[ProtocolName, ...],
    tunnel: bool,
) -> None:
    proxy = None
    if kind is not None:
        proxy = mint.Proxy(kind, "proxy.example", 3128, tunnel=tunnel, protocols=spoken)
    expected = (
        scheme == "http"
        and kind in {"http", "https"}
        and not tunnel
        and "http/1.1" in alpn
        and spoken == ("http1",)
    )
    assert planned(scheme, alpn=alpn, proxy=proxy).forwarded is expected


@pytest.mark.parametrize(
    ("scheme", "alpn", "refused"),
    [
        ("https", ("h2",), True),
        ("https", ("h2", "http/1.1"), True),
        ("https", ("http/1.1",), False),
        ("http", ("h2",), False),
    ],
)
@pytest.mark.parametrize("wanted", [False, True])
def test_authentication_after_the_handshake_is_for_http1_over_tls(
    scheme: Scheme, alpn: tuple[str, ...], refused: bool, wanted: bool
) -> None:
    tls = mint.TLSOptions(post_handshake_auth=wanted)
    if refused and wanted:
        with pytest.raises(ValueError, match="HTTP/1 only"):
            planned(scheme, tls=tls, alpn=alpn)
    else:
        plan = planned(scheme, tls=tls, alpn=alpn)
        assert plan.tls is (tls if scheme == "https" else None)


@pytest.mark.parametrize("port", [0, 1, 65_535])
def test_every_port_can_be_connected_to(port: int) -> None:
    assert make_plan("http", "a.example", port, None, TCP, TLS, ()).port == port


@pytest.mark.parametrize(
    ("proxy", "secure", "hostname", "alpn"),
    [
        (mint.Proxy("http", "p.example", 1), False, "p.example", ("http/1.1",)),
        (mint.Proxy("https", "p.example", 1), True, "p.example", ("http/1.1",)),
        (mint.Proxy("https", "p.example", 1, protocols=("http2",)), True, "p.example", ("h2",)),
        (mint.Proxy("https", "192.0.2.1", 1, hostname="q.example"), True, "q.example", ("http/1.1",)),
        (mint.Proxy("http", mint.UnixAddress("/run/proxy"), 0), False, "localhost", ("http/1.1",)),
        (
            mint.Proxy("http", mint.UnixAddress("/run/proxy"), 0, hostname="q.example"),
            *(False, "q.example", ("http/1.1",)),
        ),
    ],
)
def test_how_a_proxy_is_connected_to(
    proxy: mint.Proxy, secure: bool, hostname: str, alpn: tuple[str, ...]
) -> None:
    plan = proxy_plan(proxy, TCP)
    assert (str(plan.address), plan.port) == (str(proxy.address), proxy.port)
    assert (plan.hostname, plan.alpn) == (hostname, alpn)
    assert plan.tls == (proxy.tls if secure else None)
    assert plan.proxy is None


@pytest.mark.parametrize(
    ("address", "target"),
    [
        ("a.example", "a.example:80"),
        ("192.0.2.1", "192.0.2.1:80"),
        ("2001:db8::1", "[2001:db8::1]:80"),
        ("[2001:db8::1]", "[2001:db8::1]:80"),
    ],
)
def test_the_authority_of_a_tunnel(address: str, target: str) -> None:
    assert authority(planned(address=address, hostname="other.example")) == target


class Chosen:
    """A TLS layer whose handshake has selected this protocol."""

    def __init__(self, alpn: str | None) -> None:
        self.alpn = alpn


@pytest.mark.parametrize(
    ("offer", "alpn", "error"),
    [
        (("h2",), "h2", None),
        (("h2",), None, errors.ProtocolNotNegotiated),
        (("h2",), "http/1.1", errors.BadALPNProtocol),
        (("http/1.1",), "http/1.1", None),
        (("http/1.1",), None, None),
        (("http/1.1",), "h2", errors.BadALPNProtocol),
        (("http/1.1",), "", errors.BadALPNProtocol),
    ],
)
def test_which_protocol_a_proxy_may_choose(
    offer: tuple[str, ...], alpn: str | None, error: type[errors.MintError] | None
) -> None:
    layer = Chosen(alpn)
    if error is None:
        check_alpn(layer, offer)  # type: ignore[arg-type]  # a fake
    else:
        with pytest.raises(error):
            check_alpn(layer, offer)  # type: ignore[arg-type]  # a fake


# -- addresses


@pytest.mark.parametrize("count", [0, 1, MOST_ADDRESSES - 1, MOST_ADDRESSES, MOST_ADDRESSES + 1])
def test_how_many_addresses_of_a_resolver_are_used(count: int) -> None:
    given = [f"192.0.2.{at % 256}" if at < 256 else "198.51.100.1" for at in range(count)]
    assert len(as_endpoints(given, "a.example", 80)) == min(count, 256)


def test_an_endless_result_of_a_resolver_is_read_up_to_a_limit() -> None:
    read = 0

    def endless() -> Iterator[str]:
        nonlocal read
        while True:
            read += 1
            yield "192.0.2.1"

    assert len(as_endpoints(endless(), "a.example", 80)) == 256
    assert read == 256


@pytest.mark.parametrize(("inet4", "inet6"), [(True, True), (True, False), (False, True)])
@pytest.mark.parametrize("local", [None, ("127.0.0.1", 0), ("::1", 0)])
def test_which_families_are_used(inet4: bool, inet6: bool, local: tuple[str, int] | None) -> None:
    tcp = mint.TCPOptions(inet4=inet4, inet6=inet6, local_address=local)
    expected = [
        endpoint
        for endpoint, wanted, other in ((SIX, inet6, "127.0.0.1"), (FOUR, inet4, "::1"))
        if wanted and (local is None or local[0] != other)
    ]
    steps = resolve(planned(tcp=tcp))
    assert next(steps) == Resolve("a.example", 80)
    answer = Resolved((FOUR, SIX))
    if expected:
        assert finished(steps, answer) == expected
    else:
        with pytest.raises(errors.NameNotResolved, match="family"):
            steps.send(answer)


@pytest.mark.parametrize("in_order", [False, True])
def test_the_order_of_a_resolver_is_kept_if_it_says_so(in_order: bool) -> None:
    steps = resolve(planned())
    next(steps)
    found = finished(steps, Resolved((FOUR, FOUR, SIX), in_order))
    assert found == ([FOUR, FOUR, SIX] if in_order else [SIX, FOUR, FOUR])


@pytest.mark.parametrize("sixes", range(4))
@pytest.mark.parametrize("fours", range(4))
def test_families_alternate(sixes: int, fours: int) -> None:
    every = [Endpoint("inet4", (f"192.0.2.{at}", 80)) for at in range(fours)]
    every += [Endpoint("inet6", (f"2001:db8::{at}", 80, 0, 0)) for at in range(sixes)]
    found = interleave(every)
    assert sorted(found) == sorted(every)
    shared = min(sixes, fours)
    assert [each.family for each in found[: 2 * shared]] == ["inet6", "inet4"] * shared
    for family in ("inet4", "inet6"):
        assert [each for each in found if each.family == family] == [
            each for each in every if each.family == family
        ]


@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "socks4a"])
def test_who_resolves_the_name_behind_a_socks_proxy(scheme: ProxyScheme) -> None:
    proxy = mint.Proxy(scheme, "proxy.example", 1080)
    steps = resolved_here(proxy, planned(proxy=proxy))
    if scheme == "socks5":
        assert next(steps) == Resolve("a.example", 80)
        assert str(finished(steps, Resolved((FOUR, SIX)))) == "2001:db8::1"
    else:
        assert finished(steps) == "a.example"


# -- attempts


class Try(Attempt):
    """An attempt whose result the test determines."""


def test_how_long_each_wait_is() -> None:
    """A wait lasts until the next attempt starts; with the last attempt it has no limit."""
    first, second = Try(), Try()
    steps = race([SIX, FOUR])
    assert next(steps) == Dial(SIX)
    assert steps.send(Dialled(first)) == Wait((first,), ATTEMPT_DELAY)
    assert steps.send(Decided(None)) == Dial(FOUR)
    assert steps.send(Dialled(second)) == Wait((first, second), None)
    assert steps.send(Decided(second)) == Abandon(first)
    assert finished(steps, Ready()) is second
    assert ATTEMPT_DELAY == 0.25


def test_an_attempt_that_fails_later_is_closed_and_not_waited_for_again() -> None:
    first, second = Try(), Try()
    steps = race([SIX, FOUR])
    next(steps)
    assert steps.send(Dialled(first)) == Wait((first,), ATTEMPT_DELAY)
    assert steps.send(Decided(first, REFUSED)) == Abandon(first)
    assert steps.send(Ready()) == Dial(FOUR)
    assert steps.send(Dialled(second)) == Wait((second,), None)
    assert steps.send(Decided(second, UNREACHABLE)) == Abandon(second)
    with pytest.raises(errors.ConnectionRefused):
        steps.send(Ready())


@pytest.mark.parametrize("at_once", [*itertools.product([False, True], repeat=2)])
@pytest.mark.parametrize("order", [(REFUSED, UNREACHABLE), (UNREACHABLE, REFUSED)])
def test_the_first_failure_is_raised(
    at_once: tuple[bool, bool], order: tuple[errors.TransportError, errors.TransportError]
) -> None:
    steps = race([SIX, FOUR])
    next(steps)
    with pytest.raises(type(order[0])) as caught:
        for error, immediately in zip(order, at_once, strict=True):
            attempt = Try()
            if immediately:
                steps.send(Dialled(attempt, error))
            else:
                assert isinstance(steps.send(Dialled(attempt)), Wait)
                assert steps.send(Decided(attempt, error)) == Abandon(attempt)
                steps.send(Ready())
    assert caught.value is order[0]


def test_without_an_address_the_time_is_up() -> None:
    with pytest.raises(errors.TransportTimeout):
        next(race([]))


@pytest.mark.parametrize(
    ("begin", "right"),
    [
        (lambda: resolve(planned()), []),
        (lambda: race([FOUR]), []),
        (lambda: race([FOUR]), [Dialled(Try())]),
        (lambda: receive(Try(), ()), []),
    ],
)
def test_an_answer_of_the_wrong_type_is_refused(
    begin: Callable[[], Generator[IOStep, Answer, object]], right: list[Answer]
) -> None:
    steps = begin()
    next(steps)
    for answer in right:
        steps.send(answer)
    with pytest.raises(TypeError, match="Ready, the wrong type"):
        steps.send(Ready())


# -- layers


class Shift:
    """A layer that adds a number to each outgoing octet, and subtracts it from each incoming one."""

    def __init__(self, by: int, *, least: int = 1) -> None:
        self.ended = False
        self._by = by
        self._least = least
        """How many octets have to arrive before it passes any on."""
        self._in = b""
        self._out = b""

    def feed(self, octets: bytes) -> None:
        self._in += bytes(each - self._by for each in octets)
        self.ended = not octets

    def read(self) -> bytes:
        if len(self._in) < self._least and not self.ended:
            return b""
        octets, self._in = self._in, b""
        return octets

    def write(self, octets: bytes) -> None:
        self._out += bytes(each + self._by for each in octets)

    def leaving(self) -> bytes:
        octets, self._out = self._out, b""
        return octets


@pytest.mark.parametrize("count", [1, 2, 3])
def test_octets_leave_through_every_layer(count: int) -> None:
    layers = [Shift(10**at) for at in range(count)]
    layers[-1].write(b"\1\2")
    by = sum(10**at for at in range(count))
    assert carry_out(layers) == bytes([1 + by, 2 + by])  # type: ignore[arg-type]  # fakes
    assert carry_out(layers) == b""  # type: ignore[arg-type]  # fakes


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_octets_are_sent_through_every_layer(count: int) -> None:
    attempt = Try()
    layers = [Shift(10**at) for at in range(count)]
    by = sum(10**at for at in range(count))
    steps = send(attempt, layers, b"\1\2")  # type: ignore[arg-type]  # fakes
    assert next(steps) == Send(attempt, bytes([1 + by, 2 + by]))
    finished(steps, Ready())


@pytest.mark.parametrize(
    ("count", "slow"), [(count, slow) for count in range(4) for slow in (None, *range(count))]
)
def test_octets_arrive_through_every_layer(count: int, slow: int | None) -> None:
    attempt = Try()
    layers = [Shift(10**at, least=3 if at == slow else 1) for at in range(count)]
    by = sum(10**at for at in range(count))
    steps = receive(attempt, layers)  # type: ignore[arg-type]  # fakes
    assert next(steps) == Receive(attempt)
    if slow is not None:
        assert steps.send(Arrived(bytes([1 + by, 2 + by]))) == Receive(attempt)
        assert finished(steps, Arrived(bytes([3 + by]))) == b"\1\2\3"
    else:
        assert finished(steps, Arrived(bytes([1 + by, 2 + by]))) == b"\1\2"
    steps = receive(attempt, layers)  # type: ignore[arg-type]  # fakes
    next(steps)
    assert finished(steps, Arrived(b"")) == b""


class Text(str):
    """A subclass of `str`, which may override anything."""

    __slots__ = ()


@pytest.mark.parametrize("kind", [str, Text])
def test_the_name_in_a_plan_is_an_exact_string(kind: type[str]) -> None:
    for given in (planned(address=kind("example.org")), planned(address="::1", hostname=kind("example.org"))):
        assert type(given.hostname) is str
        assert given.hostname == "example.org"
