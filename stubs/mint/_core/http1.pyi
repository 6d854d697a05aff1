from collections.abc import Iterable
from typing import ClassVar, final

from .events import RequestRef, StateMethods, Step
from .faults import Fault
from .fields import SENSITIVE as SENSITIVE
from .http1_config import Config as Config
from .http1_responses import Reading

METHODS: StateMethods

@final
class State(Reading):
    """One HTTP/1 connection. It is never changed after it was published, and is compared by content."""
    __hash__: ClassVar[None]  # type: ignore[assignment]  # a value, but compared by content
    def __init__(self, config: Config) -> None: ...
    @property
    def open_request_count(self) -> int:
        """The number of requests whose response is not complete."""
    @property
    def is_open_read(self) -> bool:
        """Whether octets of the peer are still accepted."""
    @property
    def is_open_write(self) -> bool:
        """Whether a request may follow; none may after a request that has opened, or may open, a tunnel."""
    @property
    def is_tunnel(self) -> bool:
        """Whether another protocol has taken over."""
    @property
    def reads_fields(self) -> bool:
        """Whether the next line is part of a head or of trailers."""
    @property
    def is_streaming(self) -> bool:
        """Whether the body of a request is being sent; no other request may follow until it has ended."""
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
        """Send a request; with `streaming`, its body is sent with `stream_body`."""
    def stream_body(self, ref: RequestRef, data: bytes) -> Step[State]:
        """Send a piece of a streamed body, or octets through a tunnel."""
    def end_body(self, ref: RequestRef, trailers: Iterable[tuple[str, str]]) -> Step[State]:
        """End a streamed body, with trailers if it is chunked; or end the outgoing direction of a tunnel."""
    def feed(self, data: bytes) -> Step[State]:
        """Read octets that the peer sent."""
    def unasked(self, data: bytes) -> Step[State]:
        """Read octets that came while no request was open, or before any of it was written.

        They are never the response to a request that is sent later, so the connection fails and closes; only
        empty lines may be tolerated (9112-9.2-b). If a CR has arrived before them, they are not empty lines.
        """
    def feed_eof(self, clean: bool) -> Step[State]:
        """Handle the end of the input; `clean` is false if TLS ended without close_notify (9112-9.8-b)."""
    def lose(self, broken: Fault) -> Step[State]:
        """Handle a failure of the transport: every open request fails with this fault."""
    def close(self) -> Step[State]:
        """Close the connection and forget its open requests."""
    def __eq__(self, value: object, /) -> bool: ...
