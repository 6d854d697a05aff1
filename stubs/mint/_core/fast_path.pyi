from collections.abc import Callable, Iterable
from typing import Generic, TypeVar, final

from .events import Course, Event, RequestRef, Step
from .faults import Fault
from .values import Slots

_T = TypeVar("_T")
_R = TypeVar("_R")
_F = TypeVar("_F", bound=Callable[..., object])

@final
class Quick(Generic[_R]):
    """The frequent transactions on the values of one slotted class."""
    def __init__(self, slots: Slots, link: str, flushes: bool, course: Course) -> None: ...
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
        """Send a request: the successor and the ref, or the fault that refuses it.

        None where the link has its own ways or is closed, or it is not this value's turn; nothing has
        happened then.
        """
    def stream_body(self, value: _T, ref: RequestRef, data: bytes, flush: bool) -> _T | Fault | None:
        """Send a piece of a streamed body: the successor, or the fault that refuses it.

        None where the link has its own ways or is closed, or it is not this value's turn; nothing has
        happened then.
        """
    def commit(self, value: _T, made: Step[object]) -> _T | None:
        """Queue what a step of a claimed link says: the successor. None where there is more to do."""
    def remind(self, value: object) -> None:
        """Let the next operation tell the state the time."""
    def recv(self, value: _T, until: float | None) -> tuple[_T, list[_R]] | None:
        """Feed one read, that of what has arrived first: the successor and the responses.

        None where it is not this value's turn, or the link may not wait; nothing has happened then.
        """
    def stream(self, value: _T, message: object) -> tuple[_T, list[_R]] | None:
        """Feed a message in its turn: the successor and the responses.

        None for what is no octets, or not this value's next message; nothing has happened then.
        """
    def take(self, value: _T, data: bytes, responses: list[_R]) -> _T | None:
        """Feed one read of a link that is claimed: the successor, with `responses` extended.

        None where the link has its own ways.
        """

def responses_of(
    events: list[Event], slots: Slots, make: Callable[[Fault], Exception]
) -> list[_R]:  # pyright: ignore[reportInvalidTypeVarUse]  # the caller says of what
    """Return the events as responses: in the place of each failure stands a value of the class of `slots`.

    It holds the ref and `(make, fault)`: its error is made once somebody asks for it.
    """
def requests_first(slow: _F) -> _F:
    """Make `request` of a connection: `slow` is what takes everything."""
def pieces_first(slow: _F) -> _F:
    """Make `stream_request_body` of a connection."""
def reads_first(slow: _F) -> _F:
    """Make `recv` of a connection. Time is what the module of `slow` calls `monotonic`, at each call."""
def messages_first(slow: _F) -> _F:
    """Make `stream` of a connection."""
def put_first(slow: _F) -> _F:
    """Make `put` of an in-memory link."""
def take_first(slow: _F) -> _F:
    """Make `take` of an in-memory link."""
