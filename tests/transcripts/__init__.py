"""Tests of transcripts: what they record, how they are replayed, and that they contain no secrets."""
