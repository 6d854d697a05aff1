"""The steps of a script: what the server sends, what it expects, and how it ends.

A step is a frozen dataclass with a method `play(peer)`, so you can write your own. A step that finds
something other than what it expects raises `Unexpected`. Nothing here knows HTTP; the steps for HTTP/2
frames are in `http2.py`.
"""

import math
import re
import ssl
import threading
from abc import abstractmethod
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final, Protocol

from . import _given
from .peer import Peer

SHOWN: Final = 240


class Unexpected(Exception):  # noqa: N818  the error that users catch is `ScriptError`
    """The client did something else than the step expects."""


class Step(Protocol):
    """One step of a script."""

    @abstractmethod
    def play(self, peer: Peer) -> None:
        """Do the step on this connection; every wait ends at `peer.deadline`."""


def shown(data: bytes) -> str:
    """Return bytes as a short literal for an error message."""
    return repr(data) if len(data) <= SHOWN else f"{data[:SHOWN]!r}... ({len(data)} bytes)"


def _difference(wanted: bytes, came: bytes, why: str) -> Unexpected:
    return Unexpected(f"{why}\n  expected: {shown(wanted)}\n  received: {shown(came)}")


@dataclass(frozen=True, slots=True)
class Send(Step):
    """Send `data`, in one write, or cut at the offsets `cuts`.

    Each piece is a write of its own and, under TLS, a record of its own. TCP may still join pieces
    that the client did not read yet; `Wait` between them is the way to be sure.
    """

    data: bytes
    cuts: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what is not bytes, and cuts that cut nothing."""
        _given.octets("data", self.data)
        if list(self.cuts) != sorted(set(self.cuts)) or not all(
            0 < cut < len(self.data) for cut in self.cuts
        ):
            raise ValueError(f"cuts must ascend between 0 and {len(self.data)}, got {self.cuts}")

    def play(self, peer: Peer) -> None:
        """Send each piece."""
        start = 0
        for end in (*self.cuts, len(self.data)):
            peer.send(self.data[start:end])
            start = end


def bytewise(data: bytes, size: int = 1) -> Send:
    """Return a `Send` that cuts `data` into pieces of `size` bytes."""
    _given.number("size", size, 1)
    return Send(data, tuple(range(size, len(data), size)))


@dataclass(frozen=True, slots=True)
class SendRaw(Step):
    """Send `data` beneath TLS."""

    data: bytes

    def __post_init__(self) -> None:
        """Refuse what is not bytes."""
        _given.octets("data", self.data)

    def play(self, peer: Peer) -> None:
        """Send."""
        peer.send_raw(self.data)


@dataclass(frozen=True, slots=True)
class Flood(Step):
    """Send `data` again and again, until the client ends the connection."""

    data: bytes

    def __post_init__(self) -> None:
        """Refuse what is not bytes, or empty."""
        _given.octets("data", self.data)
        if not self.data:
            raise ValueError("a flood must have at least one byte")

    def play(self, peer: Peer) -> None:
        """Send without end; a client that never gives up meets the deadline."""
        try:
            with suppress(ConnectionError, ssl.SSLError):
                while not peer.stopping.is_set():
                    peer.send(self.data)
        except TimeoutError:
            raise Unexpected(
                f"the client did not end the connection in time\n  sent again and again: {shown(self.data)}"
            ) from None


@dataclass(frozen=True, slots=True)
class Expect(Step):
    r"""Expect exactly these bytes next, or bytes that this pattern matches.

    A pattern is tried whenever bytes arrive and takes what it matches then: end it with something
    definite (``rb"...\r\n\r\n"``). One that matches the empty string is refused.
    """

    wanted: bytes | re.Pattern[bytes]

    def __post_init__(self) -> None:
        """Refuse what could not be compared, or is there before anything has come."""
        if isinstance(self.wanted, (bytes, bytearray, memoryview)):
            return
        _given.pattern("wanted", self.wanted)
        if self.wanted.match(b""):
            raise ValueError(f"wanted must not match the empty string: {self.wanted.pattern!r}")

    def play(self, peer: Peer) -> None:
        """Read until it is there, or cannot come any more."""
        if isinstance(self.wanted, bytes):
            self._exactly(peer, self.wanted)
        else:
            self._matching(peer, self.wanted)

    @staticmethod
    def _exactly(peer: Peer, wanted: bytes) -> None:
        while True:
            came = bytes(peer.unread[: len(wanted)])
            if came == wanted:
                peer.take(len(wanted))
                return
            if not wanted.startswith(came):
                raise _difference(wanted, bytes(peer.unread), "other bytes were received")
            _more(peer, wanted)

    @staticmethod
    def _matching(peer: Peer, wanted: re.Pattern[bytes]) -> None:
        while (found := wanted.match(bytes(peer.unread))) is None:
            _more(peer, wanted.pattern)
        peer.take(found.end())


def _more(peer: Peer, wanted: bytes) -> None:
    try:
        alive = peer.fill()
    except TimeoutError:
        raise _difference(wanted, bytes(peer.unread), "the expected bytes did not arrive in time") from None
    except ConnectionError as error:
        if peer.aborted:
            raise
        why = f"the connection broke before the expected bytes arrived ({error})"
        raise _difference(wanted, bytes(peer.unread), why) from error
    if not alive:
        raise _difference(wanted, bytes(peer.unread), "the client ended before the expected bytes arrived")


@dataclass(frozen=True, slots=True)
class ExpectUntil(Step):
    """Expect anything up to and with `marker`; if `matching` is given, it must be found in that."""

    marker: bytes = b"\r\n\r\n"
    matching: re.Pattern[bytes] | None = None

    def __post_init__(self) -> None:
        """Refuse a marker that is everywhere, and what is no pattern."""
        _given.octets("marker", self.marker)
        if not self.marker:
            raise ValueError("the marker needs at least one byte")
        if self.matching is not None:
            _given.pattern("matching", self.matching)

    def play(self, peer: Peer) -> None:
        """Read through the marker, then look."""
        while (at := peer.unread.find(self.marker)) < 0:
            _more(peer, self.marker)
        came = peer.take(at + len(self.marker))
        if self.matching and not self.matching.search(came):
            raise _difference(self.matching.pattern, came, "the pattern was not found")


def request(pattern: bytes = b"") -> ExpectUntil:
    """Return a step that expects one HTTP/1 request head, in which `pattern` is found."""
    return ExpectUntil(b"\r\n\r\n", re.compile(pattern))


@dataclass(frozen=True, slots=True)
class ExpectCount(Step):
    """Expect `count` bytes, whatever they are."""

    count: int

    def __post_init__(self) -> None:
        """Refuse what is no number of bytes."""
        _given.number("count", self.count, 0)

    def play(self, peer: Peer) -> None:
        """Read them."""
        while len(peer.unread) < self.count:
            _more(peer, b"%d bytes" % self.count)
        peer.take(self.count)


@dataclass(frozen=True, slots=True)
class ExpectEnd(Step):
    """Expect that the client ends the connection and sends nothing before that.

    `clean` asks for an announced end: close_notify under TLS, FIN and no reset in clear.
    """

    clean: bool = False

    def play(self, peer: Peer) -> None:
        """Wait for the end."""
        try:
            while not peer.unread and peer.fill():
                pass
        except TimeoutError:
            raise _difference(
                b"", bytes(peer.unread), "the client did not end the connection in time"
            ) from None
        except (ConnectionError, ssl.SSLError) as error:
            if self.clean:
                raise Unexpected(f"the client did not end cleanly: {error}") from error
            return
        if peer.unread:
            raise _difference(b"", bytes(peer.unread), "bytes were received instead of the end")
        if self.clean and not peer.ended_cleanly:
            raise Unexpected("the client ended without close_notify")


@dataclass(frozen=True, slots=True)
class Drain(Step):
    """Read and drop whatever comes until the client ends, in whichever way."""

    def play(self, peer: Peer) -> None:
        """Wait for the end."""
        peer.drain()


@dataclass(frozen=True, slots=True)
class StartTLS(Step):
    """Shake hands as a TLS server on top of what is there; again: TLS inside TLS.

    With `refused=True` the step expects that the handshake fails (a client that does not trust the
    certificate); the connection is then at its end.
    """

    context: ssl.SSLContext
    refused: bool = False

    def __post_init__(self) -> None:
        """Refuse what is no context, however it is made (`truststore` and others have their own)."""
        _given.method("context", self.context, "wrap_bio")

    def play(self, peer: Peer) -> None:
        """Shake hands; a refusal may show only in the first read after it (TLS 1.3)."""
        try:
            peer.start_tls(self.context)
            if self.refused:
                peer.fill()
        except TimeoutError:
            raise Unexpected("the TLS handshake did not finish in time") from None
        except (ssl.SSLError, ConnectionError) as error:
            if not self.refused:
                raise Unexpected(f"the TLS handshake failed: {error}") from error
        else:
            if self.refused and not (peer.ended and not peer.unread):
                raise Unexpected("the client sent more after the TLS handshake")


@dataclass(frozen=True, slots=True)
class ShutWrite(Step):
    """End the server's direction (close_notify, FIN); the client's stays open."""

    def play(self, peer: Peer) -> None:
        """End it."""
        peer.shut_write()


@dataclass(frozen=True, slots=True)
class Close(Step):
    """Close both directions, with close_notify under TLS. The end of a script does the same."""

    def play(self, peer: Peer) -> None:
        """Close."""
        peer.close()


@dataclass(frozen=True, slots=True)
class Truncate(Step):
    """Close the TCP connection without close_notify: what a cut in the middle of TLS looks like."""

    def play(self, peer: Peer) -> None:
        """Close."""
        peer.truncate()


@dataclass(frozen=True, slots=True)
class Reset(Step):
    """Close the TCP connection with a RST."""

    def play(self, peer: Peer) -> None:
        """Close."""
        peer.reset()


@dataclass(frozen=True, slots=True)
class Wait(Step):
    """Wait until the test sets `event`."""

    event: threading.Event

    def __post_init__(self) -> None:
        """Refuse what cannot be waited for."""
        _given.method("event", self.event, "wait")

    def play(self, peer: Peer) -> None:
        """Wait, and notice when the server is stopped meanwhile."""
        with _holding(peer):
            while not self.event.wait(0.01):
                if peer.aborted or peer.overdue:
                    raise Unexpected("the event was not set in time")


@contextmanager
def _holding(peer: Peer) -> Generator[None]:
    peer.holding = True
    try:
        yield
    finally:
        peer.holding = False


@dataclass(frozen=True, slots=True)
class Pause(Step):
    """Do nothing for `seconds`, neither read nor write: a server that is slow.

    The pause is not part of the time that a step may take, and it ends early with the server.
    """

    seconds: float

    def __post_init__(self) -> None:
        """Refuse what is no duration."""
        if not isinstance(self.seconds, (int, float)):
            raise TypeError(f"seconds must be a number, not {type(self.seconds).__name__}")
        if not 0 <= self.seconds < math.inf:
            raise ValueError(f"seconds must be finite and not negative, got {self.seconds}")

    def play(self, peer: Peer) -> None:
        """Wait until the time is over or the server gives the connection up."""
        with _holding(peer):
            peer.gone.wait(self.seconds)


def trickle(data: bytes, seconds: float, size: int = 1) -> tuple[Step, ...]:
    """Return steps that send `data` in pieces of `size` bytes with a pause of `seconds` between them."""
    _given.number("size", size, 1)
    steps: list[Step] = []
    for start in range(0, len(data), size):
        steps += [Pause(seconds), Send(data[start : start + size])]
    return tuple(steps[1:])


@dataclass(frozen=True, slots=True)
class Set(Step):
    """Set `event`: tells the test that the script got here."""

    event: threading.Event

    def __post_init__(self) -> None:
        """Refuse what cannot be set."""
        _given.method("event", self.event, "set")

    def play(self, peer: Peer) -> None:  # noqa: ARG002  every step is given the connection
        """Set it."""
        self.event.set()


@dataclass(frozen=True, slots=True)
class Forever(Step):
    """Do nothing, neither read nor write, until the server stops."""

    def play(self, peer: Peer) -> None:
        """Wait for the stop."""
        with _holding(peer):
            peer.stopping.wait()


@dataclass(frozen=True, slots=True)
class Do(Step):
    """Call a function with the connection: for what no other step does. What it returns is ignored.

    What it raises ends the script and is raised where the server stops; a connection that ends or takes
    too long (`OSError`, `EOFError`) and a `ValueError` make it a `ScriptError`.
    """

    function: Callable[[Peer], object]

    def __post_init__(self) -> None:
        """Refuse what cannot be called."""
        _given.function("function", self.function)

    def play(self, peer: Peer) -> None:
        """Call it."""
        self.function(peer)


@dataclass(frozen=True, slots=True, init=False)
class MayEnd(Step):
    """Play these steps, and let the client end the connection at any time: the rest is left out then.

    It is for servers that misbehave, which a client may leave in the middle of what they send. The steps
    share the time of one step.
    """

    steps: tuple[Step, ...]

    def __init__(self, *steps: Step) -> None:
        for place, step in enumerate(steps, 1):
            _given.method(f"step {place}", step, "play")
        object.__setattr__(self, "steps", steps)

    def play(self, peer: Peer) -> None:
        """Play the steps until one of them finds the connection broken."""
        with suppress(ConnectionError, ssl.SSLError):
            for step in self.steps:
                step.play(peer)
