from collections.abc import Callable, Iterable
from typing import Generic, TypeVar, final

from .events import Event, RequestRef, StateMethods, Step
from .faults import Fault
from .values import Slots

_T = TypeVar("_T")
_R = TypeVar("_R")
_F = TypeVar("_F", bound=Callable[..., object])

@final
class FastPath(Generic[_R]):
    """Runs the frequent operations on the values of one class with slots."""
    def __init__(self, slots: Slots, link: str, flushes: bool, methods: StateMethods) -> None: ...
    def request(
        self,
        value: _T,
        method: str,
        target: str,
        headers: Iterable[tuple[str, str]],
        body: tuple[bytes, ...] | None,
        streaming: bool,
        flush: bool,
    ) -> tuple[_T, RequestRef] | Fault | None:
        """Send a request; return the successor and the ref, or the fault if it is refused.

        Return None, without having done anything, if the link needs the general path or is closed, or if this
        value cannot claim it.
        """
    def stream_body(self, value: _T, ref: RequestRef, data: bytes, flush: bool) -> _T | Fault | None:
        """Send a piece of a streamed body; return the successor, or the fault if it is refused.

        Return None, without having done anything, if the link needs the general path or is closed, or if this
        value cannot claim it.
        """
    def commit(self, value: _T, made: Step[object]) -> _T | None:
        """Queue the output of a step on a claimed link; return the successor, or None if more is needed."""
    def remind(self, value: object) -> None:
        """Make the next operation pass the time to the state."""
    def take(self, value: _T, data: bytes, responses: list[_R]) -> _T | None:
        """Feed one read of a claimed link; return the successor and extend `responses`.

        Return None if the link needs the general path, or if there are no octets.
        """

def responses_of(
    events: list[Event], slots: Slots, make: Callable[[Fault], Exception]
) -> list[_R]:  # pyright: ignore[reportInvalidTypeVarUse]  # the caller says of what
    """Return the events as responses: each `Failed` is replaced by a value of the class of `slots`.

    The value holds the ref and `(make, fault)`; its error is created when it is first used.
    """
def requests_first(slow: _F) -> _F:
    """Return `request` of a connection with the fast path; `slow` is the general one."""
def pieces_first(slow: _F) -> _F:
    """Return `stream_request_body` of a connection with the fast path."""
def reads_first(slow: _F) -> _F:
    """Return `recv` of a connection with the fast path. The clock is `monotonic` of the module of `slow`."""
def messages_first(slow: _F) -> _F:
    """Return `stream` of a connection with the fast path."""
def put_first(slow: _F) -> _F:
    """Return `put` of an in-memory link with the fast path."""
def take_first(slow: _F) -> _F:
    """Return `take` of an in-memory link as a compiled method."""
