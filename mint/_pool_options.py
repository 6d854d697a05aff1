"""The options of pools. They are public as `mint.pool.PoolOptions` and `mint.pool.Timeouts`.

They are declared beside the other options, and not in `mint/pool`, so that `ci/generated.py` can make their
tables while the compiled core is out of date.
"""

from __future__ import annotations

from dataclasses import dataclass
from sys import maxsize

from ._declarations import check, documented, flag, limit, seconds


@documented
@dataclass(frozen=True, slots=True)
class PoolOptions:
    """Limits and times of a pool. Times are in seconds."""

    max_connections: int = limit(100, "how many connections there may be.", unit="connections", most=maxsize)
    max_per_origin: int = limit(
        10,
        "how many connections may lead to one origin; those that are draining are not counted.",
        unit="connections",
        most=maxsize,
    )
    max_streams: int = limit(
        100,
        "how many requests may share one HTTP/2 connection; the server may allow fewer.",
        unit="requests",
        most=maxsize,
    )
    idle_timeout: float | None = seconds(
        60.0, "close a connection that has not been used for this long; `None` keeps it open."
    )
    max_age: float | None = seconds(
        None, "use a connection for new requests only while it is younger than this; `None` for no limit."
    )
    ping_interval: float | None = seconds(
        30.0,
        "send a PING over HTTP/2 after this much silence, while a request waits and before a connection is "
        "used again; `None` sends none.",
    )
    ping_timeout: float = seconds(10.0, "how long the answer to a PING may take.", error="TransportTimeout")
    max_retries: int = limit(
        2, "how often one request may be sent again.", unit="retries", least=0, most=maxsize
    )
    retry_idempotent: bool = flag(
        False,
        "send idempotent requests (RFC 9110 9.2.2) again even if the server may have acted on them. By "
        "default, only requests that the server did not act on are sent again.",
    )
    buffer_size: int = limit(
        262_144,
        "how many octets of one response may wait to be read, beyond what its window holds. Over HTTP/2 its "
        "window is not refilled above that; over HTTP/1 nothing is read ahead.",
        least=0,
        most=maxsize,
    )

    def __post_init__(self) -> None:
        check(self)


@documented
@dataclass(frozen=True, slots=True)
class Timeouts:
    """Limits of time for one request, in seconds; `None` for no limit."""

    total: float | None = seconds(
        None, "everything, from the call to the end of the answer.", error="TransportTimeout"
    )
    pool: float | None = seconds(None, "waiting for a connection.", error="TransportTimeout")
    connect: float | None = seconds(
        None, "connecting; `TCPOptions.connect_timeout` also applies.", error="TransportTimeout"
    )
    read: float | None = seconds(None, "waiting for the next part of the response.", error="TransportTimeout")
    write: float | None = seconds(
        None, "waiting until more of the request can be sent.", error="TransportTimeout"
    )

    def __post_init__(self) -> None:
        check(self)
