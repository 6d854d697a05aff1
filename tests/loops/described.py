"""A link whose state a test describes, for the rules of mailboxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mint import TCPOptions
from mint._loops.mailbox import Mailbox, _Watch
from mint.transport import SocketLink

if TYPE_CHECKING:
    import socket

    from mint.types import Inbox


class Described(SocketLink):
    """A link in a state that the test describes; what a mailbox does with it is counted."""

    def __init__(self, sock: socket.socket) -> None:
        self.asks, self.waits, self.arrived, self.credit, self.gives = 0, 0, False, False, False
        self.writes = 0
        super().__init__(sock, TCPOptions())

    @property
    def wants(self) -> int:
        return self.asks

    @property
    def unsent(self) -> int:
        return self.waits

    @property
    def has_next(self) -> bool:
        return self.arrived

    @property
    def needs_credit(self) -> bool:
        return self.credit

    def write_waiting(self) -> None:
        self.writes += 1

    def take_message(self, inbox: Inbox, out: list[object]) -> bool:
        if self.gives:
            out.append("message")
        return self.gives


def watched(mailbox: Mailbox, link: Described, events: int, *, queued: bool = False) -> _Watch:
    """Have the mailbox watch the link for these events, and forget what came before."""
    if isinstance(link.note, _Watch):
        mailbox.unwatch(link)
    watch = link.note = _Watch.of(link, lambda _: None)
    mailbox._register(watch, events)
    for each in (mailbox._ready, mailbox._near, mailbox._orders):
        each.clear()
    watch.queued, link.writes = queued, 0
    return watch
