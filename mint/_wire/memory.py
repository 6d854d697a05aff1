"""A link without a wire: what is sent can be taken, what is put can be received.

With it the library is a pure sans-IO protocol core, and a connection value can be replayed. It never
waits: `recv` on it raises `TransportTimeout` where nothing was put. What was not taken yet is not written
yet: whoever drives a wire with it takes what that wire has room for.
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
        """Begin empty.

        Args:
            reads: what is sent counts as written before it is taken: the peer reads.
            clock: the time in seconds, for what HTTP/2 allows at a rate; without one no time passes, so that
                the same input always has the same result.

        """
        super().__init__()
        if clock is not None and not callable(clock):
            raise TypeError(
                f"clock must be a function that returns seconds, or None, not {type(clock).__name__}"
            )
        self.clock: Callable[[], float] | None = clock
        self.reads: bool = flag("reads", reads)
        # A subclass may have a wire of its own.
        self.still: bool = type(self) is Memory

    @property
    def write_ended(self) -> bool:
        """Whether this end has said that it sends no more."""
        return self._writing not in {Writing.OPEN, Writing.FAILED}

    @put_first
    def put(self, octets: bytes) -> None:
        """Let these octets come from the peer."""
        exact = exact_octets(octets)
        if exact is None:
            raise TypeError(f"octets must be bytes, not {type(octets).__name__}")
        if exact:
            self.arrive(exact)
            if self.armed:
                self._tell()

    def put_eof(self, *, clean: bool = True) -> None:
        """Let the peer end; `clean=False` is a TLS end without close_notify."""
        self._read_event("end" if clean else "cut")
        self._tell()

    def _tell(self) -> None:
        """Without a socket to look at, the mailbox must be told."""
        if self.armed and self.inbox is not None:
            self.inbox.watch(self)

    def _leave_rest(self) -> None:
        if self.has_next:
            self._tell()

    @take_first
    def take(self) -> bytes:
        """Return everything that was sent and not taken yet."""
        return self.taken()

    @property
    def socket(self) -> sockets.socket | None:
        """There is none."""
        return None

    def flush(self, timeout: float | None) -> None:
        """Do nothing: what is sent waits to be taken."""

    def _push(self) -> int:
        """Leave everything in the outbox for `take`."""
        return 0

    def _pull(self, until: float | None, *, wait: bool) -> bytes | None:  # noqa: ARG002  # never waits
        if wait:
            raise TransportTimeout("receiving from memory: put() has added nothing")
        return None

    def _end_writing(self) -> None:
        """There is no wire to be told."""

    def _shut(self) -> None:
        """There is no wire to be closed."""
