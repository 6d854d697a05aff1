from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Generic, Self, TypeVar, final

from typing_extensions import disjoint_base

from .messages import Source

_T = TypeVar("_T")
_I = TypeVar("_I")
_L = TypeVar("_L")
_M = TypeVar("_M")

def shift(near: deque[_T], out: list[_T]) -> None:
    """Move the first entry of a deque to the end of a list. No signal handler can run in between."""
@final
class Mutex:
    """A lock that its owner may acquire again.

    `count` is the number of threads that hold it or wait for it. While no thread waits, acquiring and
    releasing only change `count`. Waiting threads wait for `lock`. A thread that releases the mutex while
    others wait releases `lock`, and one of them owns the mutex then.
    """
    @property
    def held(self) -> bool:
        """Whether this thread holds it."""
    def acquire(self, blocking: bool = True) -> bool:
        """Acquire it; return false if another thread holds it and `blocking` is false."""
    def release(self) -> None:
        """Release it once."""
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def attempt(self, work: Callable[[_T], object], argument: _T, seconds: float) -> bool:
        """Call `work` with the argument while holding the lock; return false if it was not acquired in time.

        Wait for at most `seconds`, or without a limit if they are negative. A signal ends the wait early,
        after its handlers have run. No signal handler runs between acquiring the lock and the call, or
        between the call and the release, so an exception in a handler never leaves the lock held. Raises
        `RuntimeError` if this thread holds the lock already.
        """

@disjoint_base
class ProcessBase:
    """The base class of what stands for a process."""
    inherited: bool

@disjoint_base
class LinkBase(Generic[_I, _L, _M]):
    """The base class of every link.

    It has two locks. One operation at a time holds the guard, and no thread waits for it. An operation also
    holds the wire. A mailbox holds the wire for the time of one read, and an operation waits for that.
    """
    generation: int
    @property
    def _guard(self) -> Mutex: ...
    @property
    def _wire(self) -> Mutex: ...
    _process: ProcessBase | None
    home: int
    source: Source
    inbox: _I | None
    note: object
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
        """Whether nothing waits to be written."""
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
    def begin_operation(self, generation: int) -> bool:
        """Claim the link for one operation; return false if it is in use or has a newer generation."""
    def end_operation(self, moved: bool) -> int:
        """Release the link and return the newest generation: the next one if `moved`."""
    def settle(self, generation: int, error: BaseException) -> None:
        """Close the link if an exception interrupted an operation of the value of this generation.

        An operation was interrupted if the link is still claimed, or if it has made a successor that was
        never returned. The value becomes the newest again and reports that the connection is closed. An error
        that has a successor does not interrupt an operation.
        """
    def poison(self) -> None:
        """Close the link after this thread's operation was interrupted; the value then reports it."""
    def write_waiting(self) -> None:
        """Write what the wire accepts, without waiting; for mailboxes.

        If another thread's operation holds the wire, `wanted` stays set, and that operation calls `watch` at
        its end.
        """
    def end_wire(self, speaks: bool) -> None:
        """Shut the wire; first say goodbye if `speaks` is set and no other thread holds the wire."""
    def take_output(self) -> bytes:
        """Take everything out of the output queue."""
    def arrive(self, octets: bytes) -> None:
        """Append plaintext to what has arrived."""
    @property
    def has_next(self) -> bool:
        """Whether something can be received without reading from the wire."""
    @property
    def is_quiet(self) -> bool:
        """Whether there is nothing to do until the wire is ready: nothing has arrived, nothing is queued."""
    @property
    def has_queued(self) -> bool:
        """Whether anything is queued for the layers or the wire."""
    def arm(self) -> None:
        """Let the mailbox read one message, unless the last one was not fed to `stream` yet."""
    def next_number(self) -> int:
        """Disarm the link and return the number of the next message."""
    def take_message(self, inbox: _I, out: list[object]) -> bool:
        """Append a message to `out`: octets that have arrived, or one read; return false if there is none.

        If another thread's operation holds the wire, `wanted` stays set, and that operation calls `watch` at
        its end. No signal handler runs between making a message and appending it. If an exception prevents a
        message from being appended, it is delivered later; if the exception loses octets, the link breaks.
        """
