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
    # An interrupt in the middle of `receive` closes the connection it was reading, as documented, but the
    # mailbox has no message that says so: whoever receives again, without a limit of time, waits.
    Defect(
        "a connection that an interrupt closed has no message",
        r"interrupt/mailbox/",
        r"waited in vain for what the server sent$",
    ),
)


def explained(row: Row, violation: str) -> Defect | None:
    """Return the known defect that explains a violation."""
    for defect in DEFECTS:
        if re.match(defect.rows, str(row)) and re.match(defect.violation, violation):
            return defect
    return None
