"""SOCKS5 and SOCKS4a as a procedure. The sans-IO library `socksio` serializes and parses the messages.

This module does what `socksio` leaves to its users, such as finding the end of a message.
RFC 1928, RFC 1929; SOCKS4a has no RFC. Needs the extra `socks`.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from .._hosts import literal, without_zone
from ..errors import ProxyFailed
from .race import Attempt, receive, resolve, send

if TYPE_CHECKING:
    from collections.abc import Generator
    from enum import Enum

    from ..proxy import Proxy
    from ..types import Address
    from .race import Answer, IOStep, Plan

_ADDRESS_SIZES = {1: 4, 4: 16}
_DOMAIN = 3


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
    from socksio import ProtocolError  # noqa: PLC0415  # an optional dependency

    wire = _Wire(attempt)
    try:
        if proxy.scheme == "socks4a":
            yield from _socks4a(wire, proxy, target, port)
        else:
            yield from _socks5(wire, proxy, target, port)
    except ProtocolError as error:
        raise ProxyFailed("the answer is not SOCKS") from error
    return bytes(wire.unread)


class _Wire:
    """The connection during a handshake; it reads an exact number of octets, whatever one read returns."""

    __slots__ = ("attempt", "unread")

    def __init__(self, attempt: Attempt) -> None:
        self.attempt = attempt
        self.unread = bytearray()

    def write(self, octets: bytes) -> Generator[IOStep, Answer, None]:
        yield from send(self.attempt, (), octets)

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
    chosen = yield from wire.take(2)
    if chosen[:1] != b"\x05":
        raise ProxyFailed("the answer is not SOCKS5")
    method = socks5.SOCKS5AuthReply.loads(chosen).method
    if method not in methods:
        raise ProxyFailed("the proxy requires an authentication method that was not offered")
    if method is socks5.SOCKS5AuthMethod.USERNAME_PASSWORD:
        credentials = ((proxy.username or "").encode(), (proxy.password or "").encode())
        yield from wire.write(socks5.SOCKS5UsernamePasswordRequest(*credentials).dumps())
        if not socks5.SOCKS5UsernamePasswordReply.loads((yield from wire.take(2))).success:
            raise ProxyFailed("the proxy refused the credentials")
    kind, octets = _encoded(target)
    asked = socks5.SOCKS5AType(bytes((kind,)))
    yield from wire.write(
        socks5.SOCKS5CommandRequest(socks5.SOCKS5Command.CONNECT, asked, octets, port).dumps()
    )
    head = yield from wire.peek(5)
    size = 1 + head[4] if head[3] == _DOMAIN else _ADDRESS_SIZES.get(head[3])
    if size is None:
        raise ProxyFailed("the answer is not SOCKS5")
    head = yield from wire.take(6 + size)
    # The bound address is not needed, and socksio would decode the length octet of a name as text.
    code = socks5.SOCKS5Reply.loads(head[:3] + b"\x01" + bytes(6)).reply_code
    if code is not socks5.SOCKS5ReplyCode.SUCCEEDED:
        raise ProxyFailed(f"SOCKS: {_words(code)}")


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
    code = socks4.SOCKS4Reply.loads((yield from wire.take(8))).reply_code
    if code is not socks4.SOCKS4ReplyCode.REQUEST_GRANTED:
        raise ProxyFailed(f"SOCKS: {_words(code)}")


def _words(code: Enum) -> str:
    return code.name.replace("_", " ").lower()


def _encoded(target: Address) -> tuple[int, bytes]:
    """Return the address type and the octets of a target (RFC 1928 5)."""
    known = literal(target)
    if known is None:
        return _DOMAIN, str(target).encode("ascii")
    return (1 if known.version == 4 else 4), ipaddress.ip_address(without_zone(known)).packed
