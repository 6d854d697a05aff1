"""What is known to be wrong in the code that is simulated: rows that may fail, and how.

Each entry names a defect of the issue "Rebuild the transports as a state machine". The table must be empty
once that is done.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from .table import Row


class Defect(NamedTuple):
    """One known defect: where it shows, and what is violated there. Patterns match from the beginning."""

    name: str
    rows: str
    violation: str


DEFECTS: Final[tuple[Defect, ...]] = (
    Defect(
        "a mailbox loses a connection: a descriptor number used again, or passive mode and back",
        r"(close|set_mode|move_to|cancel|interrupt)/(mailbox|trio)/",
        "waited in vain|a request has no end",
    ),
    Defect(
        "Mailbox.close() in a signal handler deadlocks; an interrupt after `acquire` leaves the lock held",
        r"interrupt/mailbox/",
        "everyone waits|after an interrupt|a lock is still held|a request has no end|the server got",
    ),
    Defect(
        "an interrupt loses what a system call has read, and the connection does not say that it is closed",
        r"interrupt/",
        "waited in vain|a request (has no end|failed that)|not the whole|content that|[0-9]+ descriptors",
    ),
    Defect(
        "uploads through HTTP/2 tunnels stall, and flush does not return",
        r"(upload|both directions|tunnel)/[^/]+/HTTP2 tunnel/",
        r"waited in vain|a request failed that must be done \(TransportClosed",
    ),
    Defect(
        "an early response that the peer's end delimits fails though all of it arrived",
        r"(upload|both directions)/[^/]+/plain/answers early",
        "a response failed though all of it arrived",
    ),
    Defect(
        "when both peers write, everything waits once the queue for input is full",
        r"both directions/[^/]+/plain/(answers|stalls)",
        r"waited in vain while sending|a request failed that must be done \(TransportTimeout",
    ),
    Defect(
        "Tunnels: recv never sends what a window update allowed",
        r"[^/]+/blocking/shared tunnel/",
        "waited in vain",
    ),
    Defect(
        "asyncio: a bare OSError where the peer has closed and its end has not been read yet",
        r"[^/]+/asyncio/",
        "OSError left the library|the event loop reports|a request has no end",
    ),
    Defect(
        "a fixed body over TLS is encrypted whole before anything is sent",
        r"upload/[^/]+/.*TLS",
        "much more was encrypted",
    ),
)


def explained(row: Row, violation: str) -> Defect | None:
    """Return the known defect that explains a violation."""
    for defect in DEFECTS:
        if re.match(defect.rows, str(row)) and re.match(defect.violation, violation):
            return defect
    return None
