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
"""The idempotent methods (RFC 9110 9.2.2)."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Numbers of connections and requests of a pool, as they were when the pool was last used.

    A connection past its idle or age limit still counts until the next request begins or ends, which closes
    it. A connection that its server has closed counts until the pool has noticed.

    Attributes:
        connections: the connections that exist, including those that are being opened.
        opening: those of them that are being opened.
        idle: those of them that no request uses.
        draining: those of them that accept no new requests and have not ended yet.
        active: the requests that use a connection.
        waiting: the requests that wait for a connection.
        requests: the requests that were sent since the pool was made, including retries.
        retries: the retries among them.
        opened: the connections that were opened since the pool was made.
        by_origin: the number of connections for each origin.

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
