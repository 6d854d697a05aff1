"""The options of a pool, and the statistics that it reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from .._pool_options import PoolOptions, Timeouts
from ..exchange import Origin

if TYPE_CHECKING:
    from collections.abc import Mapping


__all__ = ["IDEMPOTENT", "PoolOptions", "Statistics", "Timeouts"]

IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
"""The methods of RFC 9110 9.2.2."""


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
