"""The interface of the compiled engine states, which connection values of both protocols use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self, TypeVar

if TYPE_CHECKING:
    from .._core.events import RequestRef, Step
    from .._core.faults import Fault
    from ..types import HeaderPairs


class Engine(Protocol):
    """An immutable protocol state: every call returns a `Step` with the successor."""

    @property
    def open_request_count(self) -> int:
        """The number of requests whose response is not complete."""
        ...

    @property
    def is_open_read(self) -> bool:
        """Whether responses may still arrive."""
        ...

    @property
    def is_open_write(self) -> bool:
        """Whether requests can be sent."""
        ...

    def request(
        self,
        method: str,
        target: str,
        headers: HeaderPairs,
        body: tuple[bytes, ...] | None,
        streaming: bool,
    ) -> Step[Self]:
        """Serialize a request, or refuse it."""
        ...

    def stream_body(self, ref: RequestRef, data: bytes) -> Step[Self]:
        """Serialize a piece of a body."""
        ...

    def end_body(self, ref: RequestRef, trailers: HeaderPairs) -> Step[Self]:
        """Serialize the end of a body."""
        ...

    def feed(self, data: bytes) -> Step[Self]:
        """Parse octets from the peer."""
        ...

    def feed_eof(self, clean: bool) -> Step[Self]:
        """Handle the peer's end; `clean` is false if TLS ended without close_notify."""
        ...

    def lose(self, fault: Fault, /) -> Step[Self]:
        """Fail everything that is open, because the transport broke."""
        ...

    def close(self) -> Step[Self]:
        """Close: open requests get no further responses. HTTP/2 sends GOAWAY."""
        ...

    def traced(self, on: bool) -> Self:
        """Return the same state with notes for the log turned on or off."""
        ...


_S = TypeVar("_S", bound=Engine)


def unrecorded(state: _S) -> _S:
    """Return the state inside a recorded one, for operations whose result is discarded."""
    made: _S = getattr(state, "unrecorded", state)
    return made
