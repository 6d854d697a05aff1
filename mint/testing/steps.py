"""The steps of a script: what the server sends, what it expects, and how it ends.

A step is a frozen dataclass with a method `play(peer)`, so you can write your own. A step raises `Unexpected`
if the client does something else than it expects. The steps for HTTP/2 frames are in `http2.py`.
"""

import math
import re
import ssl
import threading
from abc import abstractmethod
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final, Protocol

from . import _arguments
from .peer import Peer

SHOWN: Final = 240


class Unexpected(Exception):  # noqa: N818  the error that users catch is `ScriptError`
    """The client did something else than a step expects. The server turns it into a `ScriptError`."""


class Step(Protocol):
    """One step of a script: anything with this method."""

    @abstractmethod
    def play(self, peer: Peer) -> None:
        """Carry out the step on this connection. Waits must end at `peer.deadline`. Raises `Unexpected`."""


def shown(data: bytes) -> str:
    """Return bytes as a short literal for an error message."""
    return repr(data) if len(data) <= SHOWN else f"{data[:SHOWN]!r}... ({len(data)} bytes)"


def _difference(wanted: bytes, came: bytes, why: str) -> Unexpected:
    return Unexpected(f"{why}\n  expected: {shown(wanted)}\n  received: {shown(came)}")


@dataclass(frozen=True, slots=True)
class Send(Step):
    """Send bytes, in one write or in pieces.

    Each piece is sent with a separate write and, with TLS, in a separate record. TCP may still join pieces
    that the client has not read yet; to prevent that, use several steps with a `Wait` in between.

    Attributes:
        data: the bytes.
        cuts: the offsets at which `data` is cut into pieces, in ascending order; by default none.

    Raises `TypeError` if `data` is not bytes, and `ValueError` for other offsets.

    """

    data: bytes
    cuts: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Refuse data that is not bytes, and offsets that are out of range or not in order."""
        object.__setattr__(self, "data", _arguments.octets("data", self.data))
        object.__setattr__(self, "cuts", tuple(self.cuts))
        for cut in self.cuts:
            _arguments.number("a cut", cut, 1)
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
    """Return a `Send` that cuts `data` into pieces of `size` bytes, 1 or more (`ValueError`)."""
    _arguments.number("size", size, 1)
    return Send(data, tuple(range(size, len(data), size)))


@dataclass(frozen=True, slots=True)
class SendRaw(Step):
    """Send `data` beneath TLS. Raises `TypeError` if it is not bytes."""

    data: bytes

    def __post_init__(self) -> None:
        """Refuse data that is not bytes."""
        object.__setattr__(self, "data", _arguments.octets("data", self.data))

    def play(self, peer: Peer) -> None:
        """Send the bytes."""
        peer.send_raw(self.data)


@dataclass(frozen=True, slots=True)
class Flood(Step):
    """Send `data` repeatedly, until the client ends the connection. It is an error if the client does not.

    Raises `TypeError` if `data` is not bytes, and `ValueError` if it is empty.
    """

    data: bytes

    def __post_init__(self) -> None:
        """Refuse data that is empty or not bytes."""
        object.__setattr__(self, "data", _arguments.octets("data", self.data))
        if not self.data:
            raise ValueError("a flood must have at least one byte")

    def play(self, peer: Peer) -> None:
        """Send until the client ends the connection, or the deadline has passed."""
        try:
            with suppress(ConnectionError, ssl.SSLError):
                while True:
                    peer.send(self.data)
        except TimeoutError:
            raise Unexpected(
                f"the client did not end the connection in time\n  sent again and again: {shown(self.data)}"
            ) from None


@dataclass(frozen=True, slots=True)
class Expect(Step):
    r"""Expect exactly these bytes next, or bytes that a pattern matches.

    A pattern is tried whenever bytes arrive, and what it matches then is read. So its end should be definite,
    as in ``rb"...\r\n\r\n"``.

    Attributes:
        wanted: the bytes, or a compiled pattern of bytes that does not match the empty string.

    Raises `TypeError` for anything else, and `ValueError` for a pattern that matches the empty string.

    """

    wanted: bytes | re.Pattern[bytes]

    def __post_init__(self) -> None:
        """Refuse what is neither bytes nor a pattern, and a pattern that matches before anything arrives."""
        if isinstance(self.wanted, (bytes, bytearray, memoryview)):
            object.__setattr__(self, "wanted", _arguments.octets("wanted", self.wanted))
            return
        _arguments.pattern("wanted", self.wanted)
        if self.wanted.match(b""):
            raise ValueError(f"wanted must not match the empty string: {self.wanted.pattern!r}")

    def play(self, peer: Peer) -> None:
        """Read until the expected bytes have arrived, or it is certain that they will not."""
        if isinstance(self.wanted, bytes):
            self._exactly(peer, self.wanted)
        else:
            self._matching(peer, self.wanted)

    @staticmethod
    def _exactly(peer: Peer, wanted: bytes) -> None:
        compared = 0
        while True:
            came = min(len(peer.unread), len(wanted))
            if not wanted.startswith(peer.unread[compared:came], compared):
                raise _difference(wanted, bytes(peer.unread), "other bytes were received")
            if came == len(wanted):
                peer.take(came)
                return
            compared = came
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
    r"""Expect any bytes up to and including a marker.

    Attributes:
        marker: the bytes that end it, at least one; by default ``b"\r\n\r\n"``.
        matching: a compiled pattern of bytes that must be found in what was read; `None` for none.

    Raises `TypeError` for a marker or pattern of another type, and `ValueError` for an empty marker.

    """

    marker: bytes = b"\r\n\r\n"
    matching: re.Pattern[bytes] | None = None

    def __post_init__(self) -> None:
        """Refuse an empty marker, and arguments of the wrong type."""
        object.__setattr__(self, "marker", _arguments.octets("marker", self.marker))
        if not self.marker:
            raise ValueError("the marker needs at least one byte")
        if self.matching is not None:
            _arguments.pattern("matching", self.matching)

    def play(self, peer: Peer) -> None:
        """Read up to and including the marker, then search for the pattern."""
        searched = 0
        while (at := peer.unread.find(self.marker, searched)) < 0:
            searched = max(0, len(peer.unread) - len(self.marker) + 1)
            _more(peer, self.marker)
        came = peer.take(at + len(self.marker))
        if self.matching and not self.matching.search(came):
            raise _difference(self.matching.pattern, came, "the pattern was not found")


def request(pattern: bytes = b"") -> ExpectUntil:
    """Return a step that expects the head of an HTTP/1 request, in which the regular expression is found."""
    return ExpectUntil(b"\r\n\r\n", re.compile(pattern))


@dataclass(frozen=True, slots=True)
class ExpectCount(Step):
    """Expect `count` bytes (0 or more) with any contents. Raises `TypeError` and `ValueError`."""

    count: int

    def __post_init__(self) -> None:
        """Refuse anything but a number of bytes."""
        _arguments.number("count", self.count, 0)

    def play(self, peer: Peer) -> None:
        """Read the bytes."""
        while len(peer.unread) < self.count:
            _more(peer, b"%d bytes" % self.count)
        peer.take(self.count)


@dataclass(frozen=True, slots=True)
class ExpectEnd(Step):
    """Expect that the client ends the connection, and sends nothing before that.

    Attributes:
        clean: whether the client must end it properly: with TLS by close_notify, otherwise by a FIN and not a
            reset. Raises `TypeError` if it is not a `bool`.

    """

    clean: bool = False

    def __post_init__(self) -> None:
        """Refuse anything but a bool."""
        _arguments.flags(clean=self.clean)

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
    """Discard everything that the client sends, until it ends the connection in any manner."""

    def play(self, peer: Peer) -> None:
        """Wait for the end."""
        peer.drain()


@dataclass(frozen=True, slots=True)
class StartTLS(Step):
    """Do a TLS handshake as the server. A second one on the same connection starts TLS inside TLS.

    Attributes:
        context: the server's `ssl.SSLContext`, or another object with `wrap_bio` (otherwise `TypeError`).
        refused: whether the client must end the connection in the handshake or directly after it, for example
            because it does not trust the certificate.

    """

    context: ssl.SSLContext
    refused: bool = False

    def __post_init__(self) -> None:
        """Refuse an object without `wrap_bio`; contexts need not be of `ssl` (`truststore` has its own)."""
        _arguments.method("context", self.context, "wrap_bio")
        _arguments.flags(refused=self.refused)

    def play(self, peer: Peer) -> None:
        """Do the handshake. With TLS 1.3, a refusal may be noticed only by the first read after it."""
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
    """Close the server's direction (close_notify with TLS, and FIN); the client's stays open."""

    def play(self, peer: Peer) -> None:
        """Close the direction."""
        peer.shut_write()


@dataclass(frozen=True, slots=True)
class Close(Step):
    """Close the connection, with TLS after close_notify. The end of a script does the same."""

    def play(self, peer: Peer) -> None:
        """Close the connection."""
        peer.close()


@dataclass(frozen=True, slots=True)
class Truncate(Step):
    """Close the TCP connection without close_notify, so that TLS is truncated."""

    def play(self, peer: Peer) -> None:
        """Close the connection."""
        peer.truncate()


@dataclass(frozen=True, slots=True)
class Reset(Step):
    """Close the TCP connection with a RST; a Unix socket is only closed."""

    def play(self, peer: Peer) -> None:
        """Reset the connection."""
        peer.reset()


@dataclass(frozen=True, slots=True)
class Wait(Step):
    """Wait until the test sets `event`, a `threading.Event`. Raises `TypeError` for another kind of event."""

    event: threading.Event

    def __post_init__(self) -> None:
        """Refuse anything but an event for threads."""
        _arguments.event(self.event, "wait")

    def play(self, peer: Peer) -> None:
        """Wait for the event, until the deadline or until the server no longer waits for the connection."""
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
    """Do nothing for a time, neither read nor write, like a slow server.

    It may be longer than the time for a step, and ends early when the server no longer waits for the
    connection.

    Attributes:
        seconds: the time in seconds, 0 or more and finite.

    Raises `TypeError` if it is not a number, and `ValueError` if it is out of range.

    """

    seconds: float

    def __post_init__(self) -> None:
        """Refuse anything but a finite number that is not negative."""
        if not isinstance(self.seconds, (int, float)) or isinstance(self.seconds, bool):
            raise TypeError(f"seconds must be a number, not {type(self.seconds).__name__}")
        if not 0 <= self.seconds < math.inf:
            raise ValueError(f"seconds must be finite and not negative, got {self.seconds}")

    def play(self, peer: Peer) -> None:
        """Wait until the time is over, or the server no longer waits for the connection."""
        with _holding(peer):
            peer.gone.wait(min(self.seconds, threading.TIMEOUT_MAX))


def trickle(data: bytes, seconds: float, size: int = 1) -> tuple[Step, ...]:
    """Return steps that send `data` in pieces of `size` bytes, with a pause between them.

    `seconds` is the length of each pause, as for `Pause`. Raises `ValueError` if `size` is less than 1.
    """
    _arguments.number("size", size, 1)
    octets, pause = _arguments.octets("data", data), Pause(seconds)
    steps: list[Step] = []
    for start in range(0, len(octets), size):
        steps += [pause, Send(octets[start : start + size])]
    return tuple(steps[1:])


@dataclass(frozen=True, slots=True)
class Set(Step):
    """Set `event`, a `threading.Event`, so that the test can wait for it; `TypeError` for another kind."""

    event: threading.Event

    def __post_init__(self) -> None:
        """Refuse anything but an event for threads."""
        _arguments.event(self.event, "set")

    def play(self, peer: Peer) -> None:  # noqa: ARG002  every step is given the connection
        """Set the event."""
        self.event.set()


@dataclass(frozen=True, slots=True)
class Forever(Step):
    """Do nothing, neither read nor write, until the server stops."""

    def play(self, peer: Peer) -> None:
        """Wait until the server stops."""
        with _holding(peer):
            peer.stopping.wait()


@dataclass(frozen=True, slots=True)
class Do(Step):
    """Call a function with the `Peer` of the connection; its result is ignored.

    If it raises an exception, the script ends, and the exception is raised when the server stops. `OSError`
    and `EOFError` (a connection that breaks or takes too long) and `ValueError` become a `ScriptError`.

    Attributes:
        function: the function. Raises `TypeError` if it is not callable, or a coroutine function.

    """

    function: Callable[[Peer], object]

    def __post_init__(self) -> None:
        """Refuse an object that is not callable, and a coroutine function, which would do nothing."""
        _arguments.function("function", self.function)

    def play(self, peer: Peer) -> None:
        """Call the function. Raises `TypeError` if it returns a coroutine, which nothing would run."""
        result = self.function(peer)
        if isinstance(result, Coroutine):
            result.close()
            raise TypeError("the function of Do returned a coroutine: it is called outside the event loop")


@dataclass(frozen=True, slots=True, init=False)
class MayEnd(Step):
    """Play several steps, but end without an error if the client breaks the connection meanwhile.

    It is for servers that break rules, since a client may then end the connection at any time. All these
    steps together have the time of one step. Raises `TypeError` for an argument that is not a step.
    """

    steps: tuple[Step, ...]

    def __init__(self, *steps: Step) -> None:
        for place, step in enumerate(steps, 1):
            _arguments.method(f"step {place}", step, "play")
        object.__setattr__(self, "steps", steps)

    def play(self, peer: Peer) -> None:
        """Play the steps until one of them finds that the connection is broken."""
        with suppress(ConnectionError, ssl.SSLError):
            for step in self.steps:
                step.play(peer)
