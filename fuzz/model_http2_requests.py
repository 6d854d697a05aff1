"""The rules of RFC 9113 8 for what a client sends, written down in the simplest form."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fuzz_http1_requests import SINGLE, TARGET, TOKEN, VALUE, Fields, right_target

if TYPE_CHECKING:
    import hpack

CONNECTION = frozenset(["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"])
PSEUDO = (":protocol", ":scheme", ":path", ":authority")


@dataclass
class Asked:
    """A request, as the caller gives it."""

    method: str
    target: str
    headers: Fields
    body: tuple[bytes, ...] | None = None
    streaming: bool = False
    trailers: Fields = field(default_factory=list)

    @property
    def total(self) -> int:
        """The octets of the body."""
        return sum(map(len, self.body or ()))

    def values(self, name: str) -> list[str]:
        """Return the values of a field."""
        return [value for other, value in self.headers if other.lower() == name]


@dataclass
class Server:
    """What the server keeps: its decoder, and which extensions it allows."""

    connects: bool
    agent: str
    decoder: hpack.Decoder
    most_frame: int


def is_value(value: str) -> bool:
    """Whether a value may be sent."""
    return bool(VALUE.fullmatch(value)) and all(ord(mark) < 256 for mark in value)  # latin-1


def is_authority(value: str) -> bool:
    """Whether it is a host, possibly with a port."""
    return bool(value) and value.isascii() and not re.search(r'[@/?#\\, \t"<>]', value)


def is_path(target: str) -> bool:
    """Whether it is a path."""
    return bool(TARGET.fullmatch(target)) and target.startswith("/") and "#" not in target


def wrongs(asked: Asked, server: Server) -> str:
    """Return why a request must be refused; empty if it must be sent."""
    method, names = asked.method, [name.lower() for name, _ in asked.headers]
    if not TOKEN.fullmatch(method):
        return "method"
    for name, value in asked.headers:
        lower = name.lower()
        if name.startswith(":"):
            if name not in PSEUDO or names.count(name) > 1:
                return f"pseudo-header {name!r}"
        elif not TOKEN.fullmatch(name):
            return f"name {name!r}"
        if not is_value(value):
            return f"value {value!r}"
        if lower in SINGLE and names.count(lower) > 1:
            return f"{name} twice"
        if lower in CONNECTION:
            return f"{name} in HTTP/2"
        if lower == "te" and value.lower() != "trailers":
            return "te"
        if lower == "host" and not is_authority(value):
            return "host"
        if lower == "content-length" and not re.fullmatch("0*[0-9]{1,18}", value):
            return "content-length"
        if method == "TRACE" and lower in ("authorization", "proxy-authorization", "cookie", "x-private"):
            return "a secret in TRACE"
    return wrong_target(asked, server) or wrong_content(asked)


def wrong_target(asked: Asked, server: Server) -> str:
    """Return what is wrong with the target and the pseudo-headers."""
    given = dict(pair for pair in asked.headers if pair[0].startswith(":"))
    hosts = asked.values("host")
    if ":protocol" not in given:
        if given:
            return "pseudo-headers without :protocol"
        if asked.method == "CONNECT":
            if not right_target("CONNECT", asked.target):
                return "target"
            return "another host" if hosts and hosts[0].lower() != asked.target.lower() else ""
        star = asked.target == "*" and asked.method == "OPTIONS"
        return "" if star or is_path(asked.target) else "target"
    if asked.method != "CONNECT" or not server.connects:
        return ":protocol without permission"
    if not TOKEN.fullmatch(given[":protocol"]) or given.get(":scheme", "https") not in ("http", "https"):
        return "pseudo-header"
    if not is_path(given.get(":path", asked.target)):
        return "path"
    named = given.get(":authority")
    if named is not None and (not is_authority(named) or (hosts and hosts[0].lower() != named.lower())):
        return "authority"
    if {"sec-websocket-key", "sec-websocket-accept"} & {name.lower() for name, _ in asked.headers}:
        return "a field of the handshake of HTTP/1"
    return ""


def wrong_content(asked: Asked) -> str:
    """Return how the content contradicts the fields or the method."""
    lengths = [int(value) for value in asked.values("content-length")]
    expects = any(value.lower() == "100-continue" for value in asked.values("expect"))
    extended = any(name == ":protocol" for name, _ in asked.headers)
    # The octets that follow CONNECT are no content.
    if expects and asked.total == 0 and (not asked.streaming or asked.method == "CONNECT"):
        return "expect without content"
    if asked.method == "CONNECT" and not extended and (asked.body is not None or lengths):
        return "CONNECT with content"
    if asked.method == "TRACE" and (asked.streaming or asked.total):
        return "TRACE with content"
    if lengths and not asked.streaming and lengths[0] != asked.total:
        return "another content-length"
    return ""


def wanted(asked: Asked, server: Server) -> Fields:
    """Return the fields that the server must read."""
    given = dict(pair for pair in asked.headers if pair[0].startswith(":"))
    hosts, agents = asked.values("host"), asked.values("user-agent")
    host = hosts[0] if hosts else "example.org"
    fields: Fields = [(":method", asked.method)]
    if asked.method == "CONNECT" and not given:
        fields.append((":authority", asked.target))
    else:
        fields += [
            (":scheme", given.get(":scheme", "https")),
            (":path", given.get(":path", asked.target)),
            (":authority", given.get(":authority", host)),
        ]
    if ":protocol" in given:
        fields.append((":protocol", given[":protocol"]))
    if server.agent:
        fields.append(("user-agent", agents[0] if agents else server.agent))
    for name, value in asked.headers:
        moved = name.lower() == "host" or (name.lower() == "user-agent" and server.agent)
        if not (name.startswith(":") or moved):
            fields.append((name.lower(), value))
    if not asked.values("content-length") and not asked.streaming:
        if asked.body is not None:
            fields.append(("content-length", str(asked.total)))
        elif asked.method in ("POST", "PUT", "PATCH"):
            fields.append(("content-length", "0"))
    return fields
