from collections.abc import Iterable
from typing import ClassVar, final

from .events import RequestRef, StateMethods, Step
from .faults import Fault
from .http2_config import Config as Config
from .http2_state import Core

METHODS: StateMethods

@final
class State(Core):
    """A connection as a value. It is never changed after it was published."""
    __hash__: ClassVar[None]  # type: ignore[assignment]  # a value, but compared by content
    @staticmethod
    def open(config: Config, trace: bool = False) -> Step[State]:
        """Open a connection: the output is the preface and our first SETTINGS (9113-3.4-a).

        With `trace`, steps carry notes from this one on.
        """
    @property
    def settings_received(self) -> bool:
        """Whether the first SETTINGS of the server has come."""
    @property
    def open_request_count(self) -> int:
        """The number of requests whose response is not complete."""
    @property
    def is_open_read(self) -> bool:
        """Whether responses can still arrive."""
    @property
    def is_open_write(self) -> bool:
        """Whether requests can be sent."""
    @property
    def draining(self) -> bool:
        """Whether the server accepts no new requests and finishes those it has."""
    def request(
        self,
        method: str,
        target: str,
        headers: Iterable[tuple[str, str]],
        body: tuple[bytes, ...] | None,
        streaming: bool,
    ) -> Step[State]:
        """Send a request. `body` is None or the pieces of a body; with `streaming`, it is sent later."""
    def stream_body(self, ref: RequestRef, data: bytes) -> Step[State]:
        """Send a piece of a streamed body, within `body_window`."""
    def end_body(self, ref: RequestRef, trailers: Iterable[tuple[str, str]] = ()) -> Step[State]:
        """End a streamed body, with or without trailers."""
    def cancel(self, ref: RequestRef) -> Step[State]:
        """Cancel a request or push; no more responses to it are returned."""
    def feed(self, data: bytes) -> Step[State]:
        """Read octets that the server sent."""
    def feed_eof(self, clean: bool) -> Step[State]:
        """Handle the end of the input. HTTP/2 does not need to know whether it was `clean`."""
    def lose(self, broken: Fault) -> Step[State]:
        """Handle a failure of the transport: every open request and push fails with this fault."""
    def close(self) -> Step[State]:
        """Send GOAWAY and close; no more responses to open requests are returned (9113-6.8-e)."""
    def ping(self, payload: bytes) -> Step[State]:
        """Send a PING of eight octets; its reply is a Pong with the ref."""
    def update_priority(self, ref: RequestRef, value: bytes) -> Step[State]:
        """Change the priority of a request; `value` is the value of a priority field (RFC 9218 7.1)."""
    def put_settings(self, settings: tuple[tuple[str, int], ...]) -> Step[State]:
        """Send SETTINGS; they take effect when the server has acknowledged them."""
    def server_setting(self, name: str) -> int | None:
        """Return a setting of the server; None means unlimited."""
    def client_setting(self, name: str) -> int | None:
        """Return a setting of this client as it is in effect; None means unlimited."""
    def send_window(self, ref: RequestRef | None) -> int:
        """Return the send window of the connection (None) or of a request, in octets; it may be negative."""
    def body_window(self, ref: RequestRef) -> int:
        """Return how many octets of body can be sent now."""
    def body_is_open(self, ref: RequestRef) -> bool:
        """Return whether the body of the request has not ended."""
    def set_receive_window(self, ref: RequestRef | None, size: int) -> Step[State]:
        """Enlarge the receive window of the connection (None) or of one stream."""
    def set_refill(self, ref: RequestRef, on: bool) -> Step[State]:
        """Set whether the receive window of a request is refilled; if not, the server stops at its end."""
    def flushed(self) -> State:
        """Note that everything so far has been written, so the server reads the replies to its frames.

        This is an input, like octets: a replay that repeats it at the same places results in an equal state.
        """
    def left(self, queued: int) -> State:
        """Note that only the last `queued` octets of the output still wait to be written.

        This is an input, like `flushed`, which is the same with 0. A reply counts as unsent until its own
        octets have been written, no matter how many octets follow it.
        """
    @property
    def timed(self) -> bool:
        """Whether a count is not 0 that decreases with time: then `at` must be called before each input."""
    def at(self, milliseconds: int) -> State:
        """Set the current time, from a clock that never goes back and starts anywhere.

        This is an input, like octets: a replay that repeats it at the same places results in an equal state.
        A state that is not `timed` does not change.
        """
    def traced(self, on: bool) -> State:
        """Return the state with notes about frames on or off."""
    def __eq__(self, value: object, /) -> bool: ...
