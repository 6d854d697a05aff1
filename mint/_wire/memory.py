"""A link without a network: `take` returns what was sent, and what was `put` can be received.

With it the library is a pure sans-IO protocol core, and a connection value can be replayed. It never waits:
`recv` raises `TransportTimeout` if nothing was put. Octets count as written when they are taken, so a program
that copies them to a real transport should take as much as that transport accepts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._checks import flag
from .._checks import octets as exact_octets
from .._core.fast_path import put_first, take_first
from ..errors import TransportTimeout
from .link import Link
from .pipe import Writing

if TYPE_CHECKING:
    import socket as sockets
    from collections.abc import Callable

    from .link import LoopName


class Memory(Link):
    """An in-memory link. `put` and `put_eof` play the peer; `take` returns what was sent to it."""

    loop_name: LoopName = "any"

    def __init__(self, *, reads: bool = False, clock: Callable[[], float] | None = None) -> None:
        """Start empty.

        Args:
            reads: what is sent counts as written at once, before it is taken, as if the peer read it.
            clock: a function that returns the time in seconds, for the rate limits of HTTP/2; without one no
                time passes, so that the same input always has the same result.

        """
        super().__init__()
        self._process: None = None  # there is nothing that it would share with the parent of a forked child
        if clock is not None and not callable(clock):
            raise TypeError(
                f"clock must be a function that returns seconds, or None, not {type(clock).__name__}"
            )
        self.clock: Callable[[], float] | None = clock
        self.reads: bool = reads if reads is True or reads is False else flag("reads", reads)
        # A subclass may write to a real transport.
        self.still: bool = type(self) is Memory

    @property
    def write_ended(self) -> bool:
        """Whether this end has ended its outgoing direction."""
        return self._writing not in {Writing.OPEN, Writing.FAILED}

    @put_first
    def put(self, octets: bytes) -> None:
        """Add octets from the peer."""
        exact = exact_octets(octets)
        if exact is None:
            raise TypeError(f"octets must be bytes, not {type(octets).__name__}")
        if exact:
            self.arrive(exact)
            if self.armed:
                self._notify_inbox()

    def put_eof(self, *, clean: bool = True) -> None:
        """End the peer's direction; `clean=False` stands for an end of TLS without close_notify."""
        self._read_event("end" if clean else "cut")
        self._notify_inbox()

    def _notify_inbox(self) -> None:
        """Tell the mailbox, which has no socket to watch."""
        if self.armed and self.inbox is not None:
            self.inbox.watch(self)

    def _leave_rest(self) -> None:
        if self.has_next:
            self._notify_inbox()

    @take_first
    def take(self) -> bytes:
        """Return everything that was sent and not taken yet."""
        return self.take_output()

    @property
    def socket(self) -> sockets.socket | None:
        """None: there is no socket."""
        return None

    def flush(self, timeout: float | None) -> None:
        """Do nothing: octets that were sent wait until they are taken."""

    def _push(self) -> int:
        """Leave everything in the outbox for `take`."""
        return 0

    def _pull(self, until: float | None, *, wait: bool) -> bytes | None:  # noqa: ARG002  # never waits
        if wait:
            raise TransportTimeout("receiving from memory: put() has added nothing")
        return None

    def _end_writing(self) -> None:
        """Do nothing: there is no socket to shut down."""

    def _shut(self) -> None:
        """Do nothing: there is no socket to close."""
