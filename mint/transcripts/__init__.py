"""Transcripts: what a connection's engine was given and what it said, as a file that can be replayed.

`record=` of every `connect` and `initiate` writes one.
"""

from .._transcripts.recorder import Record, Recorder, TextSink

__all__ = ["Record", "Recorder", "TextSink"]
