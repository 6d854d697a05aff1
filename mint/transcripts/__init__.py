"""Transcripts: the input and the results of a connection's engine, in a file that can be replayed.

The argument `record` of every `connect` and `initiate` writes one; `replay` makes the recorded calls again,
without a network. The format is described in the guide.
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
