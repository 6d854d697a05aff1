"""Open connections with the options of the command line, for the pool that all transfers share."""

from __future__ import annotations

import threading
from time import monotonic
from typing import TYPE_CHECKING

from .._connections.negotiation import connect
from ..options import TCPOptions, TLSOptions
from ..pool import Pool, PoolOptions
from ..transcripts import Recorder
from .route import report_route
from .usage import OutputRefused

if TYPE_CHECKING:
    from .._connections.negotiation import Connection
    from ..exchange import Origin
    from .arguments import CommandLine


class Dialer:
    """Opens the connections, and remembers which origins have answered on the present ones."""

    def __init__(self, settings: CommandLine) -> None:
        """Begin without connections."""
        self._settings = settings
        self._lock = threading.Lock()
        self._served: set[tuple[str, str, int]] = set()
        self._mine = threading.local()
        self._recorder = (
            None if settings.record is None else Recorder(settings.record, secrets=settings.record_secrets)
        )

    def make_pool(self) -> Pool:
        """Return a pool that does not retry requests, because `Transfer` decides about that."""
        settings = self._settings
        options = PoolOptions(
            max_connections=max(100, settings.parallel),
            max_per_origin=max(10, settings.parallel),
            max_retries=0,
            ping_interval=None,
        )
        return Pool(options=options, timeout=None, connect=self._connect)

    def _connect(self, origin: Origin, left: float | None) -> Connection:
        settings = self._settings
        timeout = settings.connect_timeout if left is None else min(left, settings.connect_timeout)
        route = settings.route
        proxy = route.proxy_for(origin.scheme, origin.host, origin.port)
        given = route.addresses(origin.host, origin.port)
        with self._lock:
            self._served.discard(tuple(origin))
        conn = connect(
            origin.scheme,
            settings.address(origin.host),
            origin.port,
            hostname=origin.host,
            protocols=settings.protocols,
            proxy=proxy,
            resolver=None if given is None else lambda _host, _port: given,
            tcp=TCPOptions(connect_timeout=timeout, send_timeout=None),
            tls=TLSOptions(
                verify=not settings.insecure,
                ca_file=settings.ca_file,
                cert_file=settings.cert,
                key_file=settings.key,
            ),
            log=settings.verbose,
            record=self._recorder,
        )
        self._mine.connects = self.connects + 1
        self._mine.last = monotonic()
        if settings.verbose:
            report_route(conn, proxy)
        return conn

    def end_recording(self) -> None:
        """Close the transcript. Raises `OutputRefused` if it could not be written completely."""
        if self._recorder is None:
            return
        failure: Exception | None = None
        try:
            self._recorder.close()
        except OSError as error:
            failure = error
        failure = self._recorder.failure or failure
        if failure is not None:
            why = failure.strerror if isinstance(failure, OSError) else None
            raise OutputRefused(f"--record: {self._settings.record}: {why or failure}")

    @property
    def connects(self) -> int:
        """The number of connections that this thread has opened."""
        found: int = getattr(self._mine, "connects", 0)
        return found

    @property
    def last(self) -> float:
        """The `monotonic()` time when this thread opened its last connection."""
        found: float = getattr(self._mine, "last", 0.0)
        return found

    def served(self, origin: tuple[str, str, int]) -> None:
        """Note that an answer was complete; to an origin that never answered, requests are not sent again."""
        with self._lock:
            self._served.add(origin)

    def has_served(self, origin: tuple[str, str, int]) -> bool:
        """Whether the origin has answered since the last connection to it was opened."""
        with self._lock:
            return origin in self._served
