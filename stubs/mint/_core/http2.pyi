from collections.abc import Iterable
from typing import ClassVar, final

from .events import Course, RequestRef, Step
from .faults import Fault
from .http2_config import Config as Config
from .http2_state import Core

COURSE: Course

@final
class State(Core):
    """A connection as a value. It is never written after it was given out."""
    __hash__: ClassVar[None]  # type: ignore[assignment]  # a value, but compared by content
    @staticmethod
    def open(config: Config, trace: bool = False) -> Step[State]:
        """Open a connection: the output is the preface and our first SETTINGS (9113-3.4-a).

        With `trace`, steps carry notes from this one on.
        """
    @property
    def settings_received(self) -> bool:
        """Whether the server's first SETTINGS came."""
    @property
    def open_request_count(self) -> int:
        """How many requests wait for the end of their response."""
    @property
    def is_open_read(self) -> bool:
        """Whether responses may still come."""
    @property
    def is_open_write(self) -> bool:
        """Whether requests can be sent."""
    @property
    def draining(self) -> bool:
        """Whether the server takes no new requests and finishes those it has."""
    def request(
        self,
        method: str,
        target: str,
        headers: Iterable[tuple[str, str]],
        body: tuple[bytes, ...] | None,
        streaming: bool,
    ) -> Step[State]:
        """Send a request: `body` None for none, else pieces; `streaming` announces one to come."""
    def stream_body(self, ref: RequestRef, data: bytes) -> Step[State]:
        """Send a piece of a streamed body, within `body_window`."""
    def end_body(self, ref: RequestRef, trailers: Iterable[tuple[str, str]] = ()) -> Step[State]:
        """End a streamed body, with trailers or without."""
    def cancel(self, ref: RequestRef) -> Step[State]:
        """Give a request or push up; nothing more comes of it."""
    def feed(self, data: bytes) -> Step[State]:
        """Take what the server sent."""
    def feed_eof(self, clean: bool) -> Step[State]:
        """Take the end of what the server sends; HTTP/2 does not need it clean."""
    def lose(self, broken: Fault) -> Step[State]:
        """Take that the wire broke: everything open fails with this fault."""
    def close(self) -> Step[State]:
        """Say goodbye; refs that are open get nothing more (9113-6.8-e)."""
    def ping(self, payload: bytes) -> Step[State]:
        """Send a PING of eight octets; a Pong with the ref answers it."""
    def update_priority(self, ref: RequestRef, value: bytes) -> Step[State]:
        """Tell the server how urgent a request is now: `value` is that of a priority field (RFC 9218 7.1)."""
    def put_settings(self, settings: tuple[tuple[str, int], ...]) -> Step[State]:
        """Send SETTINGS; they count when the server has acknowledged them."""
    def server_setting(self, name: str) -> int | None:
        """Return a setting of the server's; None is unlimited."""
    def client_setting(self, name: str) -> int | None:
        """Return a setting of ours as it is in force; None is unlimited."""
    def send_window(self, ref: RequestRef | None) -> int:
        """Return the octets the server takes now, for the connection or for one request; may be negative."""
    def body_window(self, ref: RequestRef) -> int:
        """Return how many octets of body can be sent now."""
    def body_is_open(self, ref: RequestRef) -> bool:
        """Return whether the request still has a body to send."""
    def set_receive_window(self, ref: RequestRef | None, size: int) -> Step[State]:
        """Enlarge what the server may send ahead, on the connection or one stream (W-15)."""
    def set_refill(self, ref: RequestRef, on: bool) -> Step[State]:
        """Refill the receive window of a request as octets come; or leave it, so that the server stops."""
    def flushed(self) -> State:
        """Take that everything written so far has left: the peer reads its answers.

        An input like octets: a replay that gives it at the same places comes to an equal state.
        """
    def left(self, queued: int) -> State:
        """Take that no more than so many octets, the last that were given out, wait to be written.

        An input like `flushed`, which is the same with 0: an answer counts as unsent until its own octets
        have left, whatever was written behind it.
        """
    @property
    def timed(self) -> bool:
        """Whether something was counted that time takes back: then `at` is to be called before each input."""
    def at(self, milliseconds: int) -> State:
        """Take what time it is, on a clock that never goes back; its zero does not matter.

        An input like octets: a replay that gives the same times at the same places comes to an equal
        state. A state that is not `timed` stays as it is.
        """
    def traced(self, on: bool) -> State:
        """Return the same state with notes about frames on or off."""
    def __eq__(self, value: object, /) -> bool: ...
