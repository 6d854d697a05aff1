"""The log of a connection: the engine's notes as records of the logger `mint`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._core.events import Note


def log_notes(notes: Sequence[Note]) -> None:
    """Log the engine's notes: one record per frame or message head. They contain no secrets."""
    import logging  # noqa: PLC0415  # imported only if the log is used

    log = logging.getLogger("mint")
    if log.isEnabledFor(logging.DEBUG):
        for note in notes:
            log.debug("%s %s", ">" if note.outgoing else "<", note.text)
