"""The interface of a reader: the mailbox of a shared HTTP/2 connection in an event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..types import Transport


class Reader(Protocol):
    """A mailbox of one connection that feeds every message at once. Implements `mint.types.Inbox`."""

    def admit(self, transport: Transport) -> None:
        """Raise `TypeError` for another connection."""
        ...

    def watch(self, transport: Transport) -> None:
        """Watch the connection."""
        ...

    def unwatch(self, transport: Transport) -> None:
        """Stop watching the connection."""
        ...

    def read_now(self, take: Callable[[object], object]) -> None:
        """Pass what has arrived to a function, without waiting."""
        ...

    def notify(self) -> None:
        """Wake the tasks that wait in `changed`."""
        ...

    def nudge(self) -> None:
        """Have the event loop run what a signal handler has woken."""
        ...

    async def changed(self, until: float | None, phase: str) -> None:
        """Wait for the next `notify`; raise `TransportTimeout` when the time is up."""
        ...

    def call_in_loop(self, work: Callable[[], object]) -> bool:
        """Have the event loop call a function; any thread may ask for that. Returns false after its end."""
        ...

    def stop(self) -> None:
        """Stop reading."""
        ...
