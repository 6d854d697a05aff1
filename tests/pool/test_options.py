"""Every option and timeout of a pool has an effect, and raises the error that its declaration names.

The tests carry out the steps of a pool themselves, with servers that never answer or that close every
connection. The clock advances only when a procedure waits until a certain time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

import pytest

import mint
from mint._declarations import declarations
from mint.errors import MintError, TransportClosed, TransportTimeout
from mint.exchange import URL
from mint.pool import PoolOptions, Timeouts
from mint.pool._procedures import Connect, Park, Procedure, Pull, Receive, Room, acquire, begin, send
from mint.pool._requests import make_request
from mint.pool._state import PoolState
from mint.responses import Data, Headers, Status

from .test_procedures import FakeLoop

if TYPE_CHECKING:
    from collections.abc import Callable

    from mint.pool._session import Session
    from mint.types import ProtocolName

_T = TypeVar("_T")
Options: TypeAlias = "PoolOptions | Timeouts"
Play: TypeAlias = "Callable[[PoolOptions, Timeouts], object]"

WAITS: Final = "waits for ever"
HERE, THERE = (URL("https", host, 443, "/") for host in ("example.org", "example.com"))


@dataclass
class Harness:
    """A pool with these options, and servers that never answer."""

    options: PoolOptions
    timeouts: Timeouts
    protocol: ProtocolName = "http1"
    connects: bool = True
    closes: bool = False
    loop: FakeLoop = field(default_factory=FakeLoop)
    connections: int = 0

    def __post_init__(self) -> None:
        self.pool = PoolState(self.loop, self.options, lambda _: self.protocol == "http2")

    def make_request(self, url: URL = HERE, body: bytes | None = None) -> mint.pool._procedures.PoolRequest:
        """Return a request."""
        return make_request("GET", url, (), body, (), self.timeouts, self.loop.clock)

    def acquire(self, url: URL = HERE) -> Session | str:
        """Return a connection for a request, or that it waits for ever."""
        self.last = self.make_request(url)
        return self.run(acquire(self.pool, self.last))

    def give_back(self) -> None:
        """End the request that was last given a connection."""
        assert self.last.ticket is not None
        self.pool.give_back(self.last.ticket, failed=False)

    def begin(self, body: bytes | None = None) -> object:
        """Return the result of a request."""
        return self.run(begin(self.pool, self.make_request(body=body)))

    def run(self, procedure: Procedure[_T]) -> _T | str:
        """Return the result of a procedure, or that it waits for ever."""
        while True:
            try:
                step = next(procedure)
            except StopIteration as over:
                value: _T = over.value
                return value
            if isinstance(step, Pull):
                assert isinstance(step.source, Iterator)
                step.piece = next(step.source, None)
            elif isinstance(step, Receive) and self.closes:
                step.session.lose(TransportClosed().marked(processed=mint.Processed.MAYBE))
            elif isinstance(step, Connect) and self.connects:
                step.conn = self.connected()
            elif isinstance(step, (Connect, Park, Receive, Room)):
                if step.until is None:
                    return WAITS
                self.loop.now = max(self.loop.now, step.until)

    def connected(self) -> mint.Connection:
        """Return a new connection."""
        self.connections += 1
        module = mint.http1 if self.protocol == "http1" else mint.http2
        link = mint.transport.Memory(reads=True)
        made: mint.Connection = module.initiate(
            link, scheme="https", hostname="a.example", identity=self.connections
        )
        return made

    def outcome(self, body: bytes | None = None) -> object:
        """Return the result of a request, or its error and the time of it."""
        try:
            return self.begin(body)
        except MintError as error:
            return error, self.loop.now


def requests_to(*urls: URL, protocol: ProtocolName = "http1") -> Play:
    """Return a function that counts the connections made for concurrent requests."""

    def play(options: PoolOptions, timeouts: Timeouts) -> object:
        harness = Harness(options, timeouts, protocol)
        for url in urls:
            harness.acquire(url)
        return harness.connections

    return play


def asked_later(options: PoolOptions, timeouts: Timeouts) -> object:
    """Return how many connections are made for two requests, the second two seconds later."""
    harness = Harness(options, timeouts)
    session = harness.acquire()
    assert not isinstance(session, str)
    harness.give_back()
    harness.loop.now = 2.0
    harness.acquire()
    return harness.connections


def shared(options: PoolOptions, timeouts: Timeouts) -> object:
    """Return how many connections are made for two requests over HTTP/2, the second after the first."""
    harness = Harness(options, timeouts, "http2")
    return harness.acquire() and harness.acquire() and harness.connections


def silent(protocol: ProtocolName = "http1", body: bytes | None = None, *, connects: bool = True) -> Play:
    """Return a function that makes a request which no server answers, and returns its result."""

    def play(options: PoolOptions, timeouts: Timeouts) -> object:
        return Harness(options, timeouts, protocol, connects).outcome(body)

    return play


def upload(options: PoolOptions, timeouts: Timeouts) -> object:
    """Return the result of a request whose body the server does not read."""
    return Harness(replace(options, ping_interval=None), timeouts, "http2").outcome(bytes(100_000))


def waiting(options: PoolOptions, timeouts: Timeouts) -> object:
    """Return the result of a request while the only connection is in use."""
    harness = Harness(replace(options, max_per_origin=1), timeouts)
    harness.acquire()
    return harness.outcome()


def closing(options: PoolOptions, timeouts: Timeouts) -> object:
    """Return how many connections are made if servers close each of them without an answer."""
    harness = Harness(options, timeouts, closes=True)
    with pytest.raises(TransportClosed):
        harness.begin()
    return harness.connections


def closing_again(options: PoolOptions, timeouts: Timeouts) -> object:
    """Return the same as `closing`, for requests that may be repeated."""
    return closing(replace(options, retry_idempotent=True), timeouts)


def unread(options: PoolOptions, timeouts: Timeouts) -> object:
    """Return whether the stream is paused once 1000 octets of content are unread."""
    harness = Harness(options, timeouts, "http2")
    session = harness.acquire()
    assert not isinstance(session, str)
    events = harness.pool.make_event(), harness.pool.make_event()
    ticket = harness.last.ticket
    assert ticket is not None
    stream = session.open("GET", "/", (), None, streamed=False, ticket=ticket, events=events)
    session.process(
        session.conn, [Status(stream.ref, 200), Headers(stream.ref, ()), Data(stream.ref, bytes(1000))]
    )
    return stream.is_paused


PLAYS: dict[tuple[type[Options], str], tuple[object, Play]] = {
    (PoolOptions, "max_connections"): (1, requests_to(HERE, THERE)),
    (PoolOptions, "max_per_origin"): (1, requests_to(HERE, HERE)),
    (PoolOptions, "max_streams"): (1, shared),
    (PoolOptions, "idle_timeout"): (1.0, asked_later),
    (PoolOptions, "max_age"): (1.0, asked_later),
    (PoolOptions, "ping_interval"): (5.0, silent("http2")),
    (PoolOptions, "ping_timeout"): (5.0, silent("http2")),
    (PoolOptions, "max_retries"): (0, closing_again),
    (PoolOptions, "retry_idempotent"): (True, closing),
    (PoolOptions, "buffer_size"): (999, unread),
    (Timeouts, "total"): (5.0, silent()),
    (Timeouts, "pool"): (5.0, waiting),
    (Timeouts, "connect"): (5.0, silent(connects=False)),
    (Timeouts, "read"): (5.0, silent()),
    (Timeouts, "write"): (5.0, upload),
}


@pytest.mark.parametrize(("kind", "name"), PLAYS)
def test_an_option_has_an_effect(kind: type[Options], name: str) -> None:
    value, play = PLAYS[kind, name]
    made = kind(**{name: value})  # type: ignore[arg-type]  # options by name
    given = (made, Timeouts()) if isinstance(made, PoolOptions) else (PoolOptions(), made)
    found, plain = play(*given), play(PoolOptions(), Timeouts())
    assert found != plain
    declared = declarations(kind)[name]
    if declared.error:
        assert isinstance(found, tuple)
        error, when = found
        assert type(error).__name__ == declared.error
        # A PING is sent first, after 30 seconds.
        assert when == (35.0 if name == "ping_timeout" else 5.0)
    if kind is Timeouts:
        assert plain == WAITS


def test_every_option_of_pools_is_tested_here() -> None:
    assert set(PLAYS) == {(kind, each.name) for kind in (PoolOptions, Timeouts) for each in fields(kind)}


def test_the_write_timeout_applies_to_each_call_of_send() -> None:
    """The server reads nothing more; frames that it sends meanwhile do not extend the timeout."""
    harness = Harness(PoolOptions(ping_interval=2.0, ping_timeout=60.0), Timeouts(write=5.0), "http2")
    request = make_request("POST", HERE, (), mint.STREAM, (), harness.timeouts, harness.loop.clock)
    stream = harness.run(begin(harness.pool, request))
    assert not isinstance(stream, str)
    for began in (0.0, 5.0):
        with pytest.raises(TransportTimeout, match="sending"):
            harness.run(send(harness.pool, stream, bytes(100_000), request))
        assert harness.loop.now == began + 5.0
