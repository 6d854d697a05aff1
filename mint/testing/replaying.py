"""Transcripts in tests: `replay` fails if mint no longer behaves as recorded."""

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
        file: the path of a transcript, an open text file, or an iterable of lines.
        check: whether to raise `ReplayDiffers`, an `AssertionError`, if a step has another result than was
            recorded.

    Raises `mint.transcripts.TranscriptError` if it is not a transcript, and `OSError` if the file cannot be
    read.
    """
    made = _replay(file)
    if check:
        made.check()
    return made
