"""What every part of the command line shares: how it says that it was misused, and what a header is."""

from __future__ import annotations


class UsageError(Exception):
    """The command line makes no sense; the text says why."""


class BadURLError(UsageError):
    """A URL is none, or none that is spoken here."""


def header(text: str, option: str = "-H") -> tuple[str, str]:
    """Take a header line apart. Raises `UsageError`."""
    name, colon, value = text.partition(":")
    if not colon:
        # It is not repeated: it may be a secret whose colon was forgotten.
        raise UsageError(f"{option} wants 'name: value', and there is no colon in it")
    return name.strip(), value.strip()
