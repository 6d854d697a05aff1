"""Content codings, one stage per coding. The decoder that joins them is in mint/content.py."""
