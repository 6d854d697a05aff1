"""Transcripts in tests: `replay` fails if the engine no longer does what was recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..transcripts import replay as _replay

if TYPE_CHECKING:
    from ..transcripts import Replay
    from ..transcripts._reading import Source

__all__ = ["replay"]


def replay(file: Source, *, check: bool = True) -> Replay:
    """Replay a transcript without a network, and return its steps.

    Args:
        file: the path of a transcript, a text file, or lines of text.
        check: raise `ReplayDiffers`, an `AssertionError`, where a step does not give what was recorded.

    Raises `mint.transcripts.TranscriptError` for what is no transcript, `OSError` for a file that cannot
    be read.
    """
    made = _replay(file)
    if check:
        made.check()
    return made
