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
    # The proxy has ended its direction of the stream (RFC 9113 8.5), and more than `high_water` octets wait
    # for its windows. The link reads no more then, so they never open: `flush` raises TransportClosed, but
    # `request_body_window` stays 0, and whoever receives until it opens waits for ever.
    Defect(
        "a window that never opens after the end of a tunnel",
        r"tunnel/(asyncio|trio)/HTTP2 tunnel/(half-closes|ends without close_notify)$",
        r"waited in vain in a tunnel$",
    ),
)


def explained(row: Row, violation: str) -> Defect | None:
    """Return the known defect that explains a violation."""
    for defect in DEFECTS:
        if re.match(defect.rows, str(row)) and re.match(defect.violation, violation):
            return defect
    return None
