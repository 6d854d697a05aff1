"""What reads a shared HTTP/2 connection within an event loop, as the connection's mailbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..types import Transport


class Reader(Protocol):
    """A mailbox of one connection that takes every message as it comes. Implements `mint.types.Inbox`."""

    def admit(self, transport: Transport) -> None:
        """Raise `TypeError` for another connection."""
        ...

    def watch(self, transport: Transport) -> None:
        """Look after the connection."""
        ...

    def unwatch(self, transport: Transport) -> None:
        """Let go of the connection."""
        ...

    def read_now(self, take: Callable[[object], object]) -> None:
        """Give what is there to a function, without waiting."""
        ...

    def notify(self) -> None:
        """Wake whoever waits in `changed`."""
        ...

    async def changed(self, until: float | None, phase: str) -> None:
        """Wait until something came; raise `TransportTimeout` when the time is up."""
        ...

    def stop(self) -> None:
        """Read no more."""
        ...
