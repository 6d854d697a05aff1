"""What the facade asks of an engine state, of either protocol; the compiled ones say how they do it."""

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
        """How many requests wait for the end of their response."""
        ...

    @property
    def is_open_read(self) -> bool:
        """Whether responses may still come."""
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
        """Take what the peer sent."""
        ...

    def feed_eof(self, clean: bool) -> Step[Self]:
        """Take the peer's end; `clean` is false where TLS ended without close_notify."""
        ...

    def lose(self, fault: Fault, /) -> Step[Self]:
        """Take that the wire broke: everything open fails."""
        ...

    def close(self) -> Step[Self]:
        """Say goodbye and forget what is open."""
        ...

    def traced(self, on: bool) -> Self:
        """Return the same state with notes on or off."""
        ...


_S = TypeVar("_S", bound=Engine)


def unrecorded(state: _S) -> _S:
    """Return the state itself where it is recorded: for what is tried and thrown away."""
    made: _S = getattr(state, "unrecorded", state)
    return made
