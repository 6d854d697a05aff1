"""How a pool behaves: limits, times, retries; and what it says about itself."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from sys import maxsize
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from .. import _checks
from ..exchange import Origin

if TYPE_CHECKING:
    from collections.abc import Mapping


IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
"""The methods of RFC 9110 9.2.2."""


def _check(options: object, least: Mapping[str, int] = MappingProxyType({})) -> None:
    """Refuse what is out of range; keep the exact value of what misreports itself."""
    for each in fields(options):  # type: ignore[arg-type]  # every caller is a dataclass
        name, value = each.name, getattr(options, each.name)
        match each.type:
            case "bool":
                exact: object = _checks.flag(name, value)
            case "int":
                exact = _checks.number(name, value, least.get(name, 0), maxsize)
            case _:
                exact = None if value is None and "None" in str(each.type) else _checks.seconds(name, value)
        if exact is not value:
            object.__setattr__(options, name, exact)


@dataclass(frozen=True, slots=True)
class PoolOptions:
    """Limits and times of a pool. Times are in seconds.

    Attributes:
        max_connections: how many connections there may be.
        max_per_origin: how many of them may lead to one origin; those that are draining are not counted.
        max_streams: how many requests may share one HTTP/2 connection; the server may allow fewer.
        idle_timeout: close a connection that was not used for so long; `None` keeps it.
        max_age: use a connection for new requests only so long; `None` for no limit.
        ping_interval: send a PING over HTTP/2 after so much silence, while a request waits and before a
            connection is used again; `None` sends none.
        ping_timeout: how long the answer to a PING may take.
        max_retries: how often one request may be sent again.
        retry_idempotent: send idempotent requests (RFC 9110 9.2.2) again also where the server may have
            acted on them. Without it only what the server did not act on is sent again.
        buffer_size: how many bytes of one response may wait to be read, beyond what its window holds. Over
            HTTP/2 its window is not refilled above that; over HTTP/1 nothing is read ahead.

    """

    max_connections: int = 100
    max_per_origin: int = 10
    max_streams: int = 100
    idle_timeout: float | None = 60.0
    max_age: float | None = None
    ping_interval: float | None = 30.0
    ping_timeout: float = 10.0
    max_retries: int = 2
    retry_idempotent: bool = False
    buffer_size: int = 262_144

    def __post_init__(self) -> None:
        _check(self, {"max_connections": 1, "max_per_origin": 1, "max_streams": 1})


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Limits of time for one request, in seconds; `None` for no limit. Each raises `TransportTimeout`.

    Attributes:
        total: everything, from the call to the end of the answer.
        pool: waiting for a connection.
        connect: connecting, beside `TCPOptions.connect_timeout`.
        read: waiting for the next part of the response.
        write: waiting until more of the request can be sent.

    """

    total: float | None = None
    pool: float | None = None
    connect: float | None = None
    read: float | None = None
    write: float | None = None

    def __post_init__(self) -> None:
        _check(self)


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a pool is doing, and what it has done.

    Attributes:
        connections: how many connections there are, those being opened among them.
        opening: how many of them are being opened.
        idle: how many of them are not in use.
        draining: how many of them take no new requests and have not ended yet.
        active: how many requests are under way on connections.
        waiting: how many requests wait for a connection.
        requests: how many requests were sent, retries among them.
        retries: how many of them were retries.
        opened: how many connections were opened.
        by_origin: how many connections there are for each origin.

    """

    connections: int = 0
    opening: int = 0
    idle: int = 0
    draining: int = 0
    active: int = 0
    waiting: int = 0
    requests: int = 0
    retries: int = 0
    opened: int = 0
    by_origin: Mapping[Origin, int] = field(default_factory=dict[Origin, int], hash=False)
