"""What all parts of the command line share: its errors with their exit codes, and parsing a header."""

from __future__ import annotations

import re
from typing import ClassVar

from .._checks import TCHAR

_TOKEN = re.compile(f"{TCHAR}+")
_CONTROL = re.compile(r"[^\t\x20-\x7e\x80-\xff]")


def is_token(text: str) -> bool:
    """Whether the text is a token, as methods and field names must be (RFC 9110 5.6.2)."""
    return _TOKEN.fullmatch(text) is not None


class CommandError(Exception):
    """An error of the command line itself; its text is printed on stderr."""

    code: ClassVar[int] = 2
    """The exit code."""


class UsageError(CommandError):
    """The command line is invalid; the text says why."""


class BadURLError(UsageError):
    """A URL is invalid, or cannot be fetched."""

    code = 3


class SchemeRefused(CommandError):  # noqa: N818  # named after what happened, as the errors of the library
    """A redirect leads to a scheme that is not allowed."""

    code = 1


class StatusRefused(CommandError):  # noqa: N818  # as above
    """The status is 400 or above, and `-f` makes that a failure."""

    code = 22


class OutputRefused(CommandError):  # noqa: N818  # as above
    """The output cannot be written."""

    code = 23


class ReadFailed(CommandError):  # noqa: N818  # as above
    """The file to upload cannot be read."""

    code = 26


class TooManyRedirects(CommandError):  # noqa: N818  # as above
    """There are more redirects than `--max-redirs` allows."""

    code = 47


class CannotRewind(CommandError):  # noqa: N818  # as above
    """The content would have to be sent again, but can be read only once."""

    code = 65


def header(text: str, option: str = "-H") -> tuple[str, str]:
    """Split a header line into name and value. Raises `UsageError`."""
    name, colon, value = text.partition(":")
    if not colon:
        # The error does not show it, because it may be a secret without its name.
        raise UsageError(f"{option} must be 'name: value', but there is no colon in it")
    name, value = name.strip(), value.strip()
    # The errors show neither: if there is a line break in it, the name may be a part of a secret.
    if not is_token(name):
        raise UsageError(f"{option} must be 'name: value', but the name is not a token")
    if _CONTROL.search(value):
        raise UsageError(f"{option}: the value of a header must be latin-1 text without control characters")
    return name, value
