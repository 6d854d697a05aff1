from collections.abc import Iterable
from typing import ClassVar, final

from .events import Course, RequestRef, Step
from .faults import Fault
from .fields import SENSITIVE as SENSITIVE
from .http1_config import Config as Config
from .http1_responses import Reading

COURSE: Course

@final
class State(Reading):
    """One HTTP/1 connection. Never written after it was published; compared by content."""
    __hash__: ClassVar[None]  # type: ignore[assignment]  # a value, but compared by content
    def __init__(self, config: Config) -> None: ...
    @property
    def open_request_count(self) -> int:
        """Requests whose response is not complete."""
    @property
    def is_open_read(self) -> bool:
        """Whether octets of the peer are still taken."""
    @property
    def is_open_write(self) -> bool:
        """Whether a request may follow: none does behind one that has opened, or may open, a tunnel."""
    @property
    def is_tunnel(self) -> bool:
        """Whether another protocol has taken over."""
    @property
    def reads_fields(self) -> bool:
        """Whether a line that comes now is part of a head or of trailers."""
    @property
    def is_streaming(self) -> bool:
        """Whether the body of a request is being sent; no other may follow until it has ended."""
    @property
    def is_traced(self) -> bool:
        """Whether steps carry notes."""
    def body_is_open(self, ref: RequestRef) -> bool:
        """Whether `stream_body` of this request would be accepted."""
    def traced(self, on: bool) -> State:
        """Return the state with notes on or off."""
    def request(
        self,
        method: str,
        target: str,
        headers: Iterable[tuple[str, str]],
        body: tuple[bytes, ...] | None,
        streaming: bool,
    ) -> Step[State]:
        """Send a request; with `streaming` its body follows through `stream_body`."""
    def stream_body(self, ref: RequestRef, data: bytes) -> Step[State]:
        """Send a piece of a streamed body, or of what a tunnel carries."""
    def end_body(self, ref: RequestRef, trailers: Iterable[tuple[str, str]]) -> Step[State]:
        """End a streamed body, with trailers where it is chunked; or a tunnel's outgoing direction."""
    def feed(self, data: bytes) -> Step[State]:
        """Take what the peer sent."""
    def unasked(self, data: bytes) -> Step[State]:
        """Take what came while no request was open, or none was written: the state, or a fault.

        It is never the answer to a request that is sent later (9112-9.2-b): the connection closes.
        """
    def feed_eof(self, clean: bool) -> Step[State]:
        """The peer ended; `clean` is false where TLS ended without close_notify (9112-9.8-b)."""
    def lose(self, broken: Fault) -> Step[State]:
        """The wire broke: every open request fails with it."""
    def close(self) -> Step[State]:
        """The caller closes: open requests are forgotten."""
    def __eq__(self, value: object, /) -> bool: ...
