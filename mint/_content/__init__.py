"""Content codings: one stage per coding, and the decoder that joins them. Public names: mint/content.py."""
