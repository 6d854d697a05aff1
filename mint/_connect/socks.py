"""SOCKS5 and SOCKS4a as a procedure. The sans-IO library `socksio` serializes the requests.

The answers are read here: `socksio` parses only complete messages, and refusals are often cut short.
RFC 1928, RFC 1929; SOCKS4a has no RFC. Needs the extra `socks`.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from .._hosts import literal, without_zone
from ..errors import ProxyFailed
from .race import Attempt, receive, resolve, send, tolerating_close

if TYPE_CHECKING:
    from collections.abc import Generator
    from enum import Enum

    from ..proxy import Proxy
    from ..types import Address
    from .race import Answer, IOStep, Plan

_ADDRESS_SIZES = {1: 4, 4: 16}
_DOMAIN = 3
_NOT_SOCKS5 = "the answer is not SOCKS5"
_NOT_SOCKS4 = "the answer is not SOCKS4"


def resolved_here(proxy: Proxy, plan: Plan) -> Generator[IOStep, Answer, Address]:
    """Return the target for the proxy; with `socks5`, its name is resolved here, to an IP address."""
    if proxy.scheme != "socks5":
        return plan.address
    endpoints = yield from resolve(plan)
    return ipaddress.ip_address(endpoints[0].address[0])


def open_socks(
    proxy: Proxy, target: Address, port: int, attempt: Attempt
) -> Generator[IOStep, Answer, bytes]:
    """Have a SOCKS proxy open a tunnel; return the octets that followed its answer."""
    wire = _Wire(attempt)
    if proxy.scheme == "socks4a":
        yield from _socks4a(wire, proxy, target, port)
    else:
        yield from _socks5(wire, proxy, target, port)
    return bytes(wire.unread)


class _Wire:
    """The connection during a handshake; it reads an exact number of octets, whatever one read returns."""

    __slots__ = ("attempt", "unread")

    def __init__(self, attempt: Attempt) -> None:
        self.attempt = attempt
        self.unread = bytearray()

    def write(self, octets: bytes) -> Generator[IOStep, Answer, None]:
        # A proxy that refuses may close early; its refusal is read, not the error of this write.
        yield from tolerating_close(send(self.attempt, (), octets))

    def peek(self, count: int) -> Generator[IOStep, Answer, bytes]:
        """Wait until `count` octets have arrived and return them, without consuming them."""
        while len(self.unread) < count:
            octets = yield from receive(self.attempt, ())
            if not octets:
                raise ProxyFailed("the proxy closed the connection in the middle of SOCKS")
            self.unread += octets
        return bytes(self.unread[:count])

    def take(self, count: int) -> Generator[IOStep, Answer, bytes]:
        octets = yield from self.peek(count)
        del self.unread[:count]
        return octets


def _socks5(wire: _Wire, proxy: Proxy, target: Address, port: int) -> Generator[IOStep, Answer, None]:
    from socksio import socks5  # noqa: PLC0415  # an optional dependency

    methods = [socks5.SOCKS5AuthMethod.NO_AUTH_REQUIRED]
    if proxy.username is not None:
        methods.append(socks5.SOCKS5AuthMethod.USERNAME_PASSWORD)
    yield from wire.write(socks5.SOCKS5AuthMethodsRequest(methods).dumps())
    yield from _version(wire, b"\x05", _NOT_SOCKS5)
    method = (yield from wire.take(2))[1:]
    if method not in {each.value for each in methods}:
        raise ProxyFailed("the proxy requires an authentication method that was not offered")
    if method == socks5.SOCKS5AuthMethod.USERNAME_PASSWORD.value:
        credentials = ((proxy.username or "").encode(), (proxy.password or "").encode())
        yield from wire.write(socks5.SOCKS5UsernamePasswordRequest(*credentials).dumps())
        # The version of this answer is 1. Some proxies send 5; if they refuse, the error says so.
        yield from _version(wire, b"\x01\x05", _NOT_SOCKS5)
        answer = yield from wire.take(2)
        if answer[1]:
            raise ProxyFailed("the proxy refused the credentials")
        if answer != b"\x01\x00":
            raise ProxyFailed(_NOT_SOCKS5)
    kind, octets = _encoded(target)
    asked = socks5.SOCKS5AType(bytes((kind,)))
    yield from wire.write(
        socks5.SOCKS5CommandRequest(socks5.SOCKS5Command.CONNECT, asked, octets, port).dumps()
    )
    yield from _version(wire, b"\x05", _NOT_SOCKS5)
    code = (yield from wire.peek(2))[1:]
    # A refusal is complete with its code: many proxies send no address after it, or one of type 0.
    if code != socks5.SOCKS5ReplyCode.SUCCEEDED.value:
        raise ProxyFailed(_refusal(socks5.SOCKS5ReplyCode, code))
    head = yield from wire.peek(5)
    size = 1 + head[4] if head[3] == _DOMAIN else _ADDRESS_SIZES.get(head[3])
    if size is None:
        raise ProxyFailed(_NOT_SOCKS5)
    yield from wire.take(6 + size)  # the bound address is not needed


def _socks4a(wire: _Wire, proxy: Proxy, target: Address, port: int) -> Generator[IOStep, Answer, None]:
    from socksio import socks4  # noqa: PLC0415  # an optional dependency

    user = (proxy.username or "").encode()
    known = literal(target)
    connect = socks4.SOCKS4Command.CONNECT
    if known is None:
        asked = socks4.SOCKS4ARequest(connect, port, str(target).encode("ascii"), user).dumps()
    else:
        asked = socks4.SOCKS4Request(connect, port, known.packed, user).dumps()
    yield from wire.write(asked)
    # The version of the answer is 0. Some proxies send 4; if they refuse, the error says so.
    yield from _version(wire, b"\x00\x04", _NOT_SOCKS4)
    answer = yield from wire.peek(2)
    if answer[1:] != socks4.SOCKS4ReplyCode.REQUEST_GRANTED.value:
        raise ProxyFailed(_refusal(socks4.SOCKS4ReplyCode, answer[1:]))
    if answer[0]:
        raise ProxyFailed(_NOT_SOCKS4)
    yield from wire.take(8)


def _version(wire: _Wire, versions: bytes, message: str) -> Generator[IOStep, Answer, None]:
    """Wait for the first octet of an answer; raise an error unless it is one of `versions`."""
    if (yield from wire.peek(1)) not in versions:
        raise ProxyFailed(message)


def _refusal(names: type[Enum], code: bytes) -> str:
    """Return what a reply code says; a code without a name refuses as well."""
    for each in names:
        if each.value == code:
            return f"SOCKS: {each.name.replace('_', ' ').lower()}"
    return f"SOCKS: reply code {code[0]}"


def _encoded(target: Address) -> tuple[int, bytes]:
    """Return the address type and the octets of a target (RFC 1928 5)."""
    known = literal(target)
    if known is None:
        return _DOMAIN, str(target).encode("ascii")
    return (1 if known.version == 4 else 4), ipaddress.ip_address(without_zone(known)).packed
