from collections import deque
from collections.abc import Callable
from typing import Generic, Self, TypeVar, final

from typing_extensions import disjoint_base

from .messages import Source

_T = TypeVar("_T")
_I = TypeVar("_I")
_L = TypeVar("_L")
_M = TypeVar("_M")

def shift(near: deque[_T], out: list[_T]) -> None:
    """Move the first entry of a deque to the end of a list, in one step for signal handlers."""
@final
class Mutex:
    """A lock that its owner may take again.

    `count` says who holds it or waits; where nobody waits, that is all there is to taking it and giving it
    back. `lock` is what waiting threads wait for: whoever gives the mutex back while others wait releases it
    for one of them, which has the mutex then.
    """
    @property
    def held(self) -> bool:
        """Whether this thread holds it."""
    def acquire(self, blocking: bool = True) -> bool:
        """Take it; false where somebody else has it and `blocking` is false."""
    def release(self) -> None:
        """Give it back once."""
    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...
    def attempt(self, work: Callable[[_T], object], argument: _T, seconds: float) -> bool:
        """Call `work` with the argument while holding the lock; false where it was not to be had in time.

        It waits so many seconds, for ever where they are negative. A signal ends the wait early, after its
        handlers have run. Taking the lock, the call and giving it back are one step for signal handlers: no
        exception of theirs leaves the lock taken. Raises `RuntimeError` where this thread holds it already.
        """

@disjoint_base
class Turns(Generic[_I, _L, _M]):
    """What a link keeps for its turns: the base of every link.

    Two locks. The turn is one operation's, and nobody waits for it. The wire is that operation's too, or
    a mailbox's for the moment of one read, for which an operation does wait.
    """
    generation: int
    @property
    def _guard(self) -> Mutex: ...
    @property
    def _wire(self) -> Mutex: ...
    home: int
    source: Source
    inbox: _I | None
    armed: bool
    wanted: bool
    @property
    def closed(self) -> bool:
        """Whether this end was closed."""
    plain: bool
    still: bool
    reads: bool
    lone: bool
    windowed: bool
    @property
    def written(self) -> bool:
        """Whether all that was sent has left."""
    _layers: tuple[_L, ...]
    _outbox: deque[bytes | memoryview[int]]
    _pending: deque[bytes | memoryview[int]]
    _queued: int
    _unsealed: int
    _arrived: deque[bytes]
    _held: int
    _reading: int
    _writing: int
    _failure: Exception | None
    shared: bool
    descriptor: int
    likely: bool
    _sequence: int
    _accepted: int
    def begin_turn(self, generation: int) -> bool:
        """Take the link for one operation; false where the generation is not the newest."""
    def end_turn(self, moved: bool) -> int:
        """Give the link back, one generation on if octets moved; return the newest generation."""
    def settle(self, generation: int, error: BaseException) -> None:
        """Close the link where an exception broke an operation of this generation's value off.

        That is so where the link is still taken, and where the successor is known to nobody. The value is
        current again then, and says that the connection is closed. An error with a successor is no such
        exception.
        """
    def poison(self) -> None:
        """Close the link whose operation this thread has broken off; the value it was called on says so."""
    def write_waiting(self) -> None:
        """Write what the wire takes; for mailboxes. Never waits.

        Where another thread's operation holds the wire, `wanted` stays set: its end calls `watch`.
        """
    def end_wire(self, speaks: bool) -> None:
        """Shut the wire, after a goodbye where nobody else is inside."""
    def taken(self) -> bytes:
        """Take everything out of the output queue."""
    def arrive(self, octets: bytes) -> None:
        """Put plaintext behind what has arrived."""
    @property
    def has_next(self) -> bool:
        """Whether something can be received without asking the wire."""
    @property
    def is_quiet(self) -> bool:
        """Whether only the wire can bring anything about: nothing has arrived, and nothing is queued."""
    @property
    def has_queued(self) -> bool:
        """Whether anything is queued that the layers or the wire could be given."""
    def arm(self) -> None:
        """Let the mailbox read one message, unless one is still to be fed to `stream`."""
    def numbered(self) -> int:
        """Return the number of the next message; with it the link is no longer armed."""
    def take_message(self, inbox: _I, out: list[object]) -> bool:
        """Put a message of what has arrived, or of one read, into `out`; false where nothing is there.

        Where another thread's operation holds the wire, `wanted` stays set: its end calls `watch`. A message
        is made and put into `out` in one step for signal handlers. What an exception keeps from being put
        there is handed out later; octets that it destroys break the link.
        """
