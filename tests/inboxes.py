"""A mailbox for tests that hand out the messages themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mint.types import Transport


class Box:
    """A mailbox that receives nothing, and records in `calls` what links have asked for."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    @property
    def watched(self) -> int:
        """How often it was asked to watch a link."""
        return self.calls.count("watch")

    def admit(self, transport: Transport) -> None:
        """Accept every link."""

    def watch(self, transport: Transport) -> None:  # the signature of mailboxes
        self.calls.append("watch")

    def unwatch(self, transport: Transport) -> None:  # the signature of mailboxes
        self.calls.append("unwatch")
