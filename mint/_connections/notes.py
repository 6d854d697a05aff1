"""The log of a connection: what an engine noted, as records of the logger `mint`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._core.events import Note


def log_notes(notes: Sequence[Note]) -> None:
    """Write what an engine noted: one record per frame or head; secrets are redacted already."""
    import logging  # noqa: PLC0415  # only who turns the log on waits for it

    log = logging.getLogger("mint")
    if log.isEnabledFor(logging.DEBUG):
        for note in notes:
            log.debug("%s %s", ">" if note.outgoing else "<", note.text)
