"""What every part of the command line shares: how it says that it was misused, and what a header is."""

from __future__ import annotations

import re

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[^\t\x20-\x7e\x80-\xff]")


def is_token(text: str) -> bool:
    """Whether a method or the name of a field may be this. RFC 9110 5.6.2."""
    return _TOKEN.fullmatch(text) is not None


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
    name, value = name.strip(), value.strip()
    # Neither is repeated: what a line break separated from its name may be a secret.
    if not is_token(name):
        raise UsageError(f"{option} wants 'name: value', and the name is no token")
    if _CONTROL.search(value):
        raise UsageError(f"{option}: a value of a header has no control characters and is latin-1 text")
    return name, value
