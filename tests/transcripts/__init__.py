"""Transcripts: what they record, that they can be replayed, and that they hold no secrets."""
