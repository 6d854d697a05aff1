"""Transcripts: what a connection's engine was given and what it said, as a file that can be replayed.

`record=` of every `connect` and `initiate` writes one; `replay` gives it to an engine again, without a
network. The format is described in the guide.
"""

from .._transcripts.recorder import Record, Recorder, TextSink
from ._reading import TranscriptError
from ._replaying import Replay, ReplayDiffers, ReplayedStep, replay

__all__ = [
    "Record",
    "Recorder",
    "Replay",
    "ReplayDiffers",
    "ReplayedStep",
    "TextSink",
    "TranscriptError",
    "replay",
]
