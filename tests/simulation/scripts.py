"""How origins handle a request, in either protocol: one script for each behaviour of a peer.

A script is a generator. It yields what it does next and gets what it asked for: `READ` gives the next
piece of the request's content, `b""` at its end. `Reply` and the sessions of http1_server.py and
http2_server.py put that into octets.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from .kernel import Kernel
    from .record import Record


class Act(Enum):
    """An action of a script without arguments."""

    READ = "read"
    """Wait for the next piece of the request's content."""
    END = "end"
    """End the response."""
    FINISH = "finish"
    """End the outgoing direction of the connection (HTTP/2: of the stream)."""
    CUT = "cut"
    """End it without close_notify."""
    RESET = "reset"
    """Break the connection (HTTP/2: the stream)."""
    CLOSE = "close"
    """Close the connection, even if more arrives."""


class Head(NamedTuple):
    """Send the head of a response; without a length the content is chunked."""

    status: int
    length: int | None = None
    until_close: bool = False
    """Whether the end of the connection ends the content."""


class Piece(NamedTuple):
    """Send content, and wait until most of it has been sent."""

    octets: bytes


class Pause(NamedTuple):
    """Do nothing for some seconds."""

    seconds: float


Deed: TypeAlias = Act | Head | Piece | Pause
Script: TypeAlias = Generator[Deed, bytes, None]


class Reply(Protocol):
    """The target of a script's actions."""

    def head(self, head: Head) -> None:
        """Send a head."""
        ...

    def piece(self, octets: bytes) -> None:
        """Send content."""
        ...

    def pending(self) -> int:
        """Return how many octets are not sent yet."""
        ...

    def act(self, act: Act) -> None:
        """Perform one of the actions from END to CLOSE."""
        ...


class Incoming(NamedTuple):
    """The request that a script handles."""

    number: int
    """The number of the request in the run, which is in its target."""
    method: str
    record: Record


class Running:
    """A script that is being performed."""

    def __init__(self, kernel: Kernel, script: Script, reply: Reply) -> None:
        self._kernel = kernel
        self._script = script
        self._reply = reply
        self._deed: Deed | None = next(script, None)
        self._until = 0.0
        self._arrived: list[bytes] = []
        self._ended = False
        self.stopped = False
        self._begin()

    def _begin(self) -> None:
        self._until = self._kernel.now + self._deed.seconds if isinstance(self._deed, Pause) else 0.0

    @property
    def reading(self) -> bool:
        """Whether it waits for content that has not arrived."""
        return self._deed is Act.READ and not self._arrived and not self._ended and not self.stopped

    def arrived(self, octets: bytes) -> None:
        """Pass content of the request to the script."""
        if octets:
            self._arrived.append(octets)

    def ended(self) -> None:
        """Note the end of the request's content."""
        self._ended = True

    def can_move(self) -> bool:
        """Whether the next action can be performed."""
        if self.stopped or self._deed is None:
            return False
        if self._deed is Act.READ:
            return bool(self._arrived) or self._ended
        if isinstance(self._deed, Pause):
            return self._until <= self._kernel.now
        return not isinstance(self._deed, Piece) or self._reply.pending() == 0

    def alarm(self) -> float:
        """Return when a pause ends, even if that time has passed since the last call of `can_move`."""
        waits = isinstance(self._deed, Pause) and not self.stopped
        return self._until if waits else math.inf

    def move(self) -> None:
        """Perform the next action."""
        given = b""
        deed = self._deed
        if isinstance(deed, Head):
            self._reply.head(deed)
        elif isinstance(deed, Piece):
            self._reply.piece(deed.octets)
        elif deed is Act.READ:
            given = self._arrived.pop(0) if self._arrived else b""
        elif isinstance(deed, Act):
            self._reply.act(deed)
        try:
            self._deed = self._script.send(given)
        except StopIteration:
            self._deed = None
        self._begin()


Behaviour: TypeAlias = Callable[["Incoming"], Script]


def content(number: int, size: int) -> bytes:
    """Return content without repetition, so that wrong order and duplicates are noticed."""
    words = b"".join((number * 1_000_003 + at).to_bytes(4, "big") for at in range((size + 3) // 4))
    return words[:size]
