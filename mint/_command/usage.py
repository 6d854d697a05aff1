"""What every part of the command line shares: its own errors with their exit codes, and what a header is."""

from __future__ import annotations

import re
from typing import ClassVar

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[^\t\x20-\x7e\x80-\xff]")


def is_token(text: str) -> bool:
    """Whether a method or the name of a field may be this. RFC 9110 5.6.2."""
    return _TOKEN.fullmatch(text) is not None


class CommandError(Exception):
    """What the command line itself finds wrong; the text is the line on stderr."""

    code: ClassVar[int] = 2
    """The exit code."""


class UsageError(CommandError):
    """The command line makes no sense; the text says why."""


class BadURLError(UsageError):
    """A URL is none, or none that can be fetched here."""

    code = 3


class SchemeRefused(CommandError):  # noqa: N818  # what happened, as of the library's errors
    """A redirect leads to another scheme than those that were allowed."""

    code = 1


class StatusRefused(CommandError):  # noqa: N818  # as above
    """The status is 400 or above, and `-f` makes that a failure."""

    code = 22


class OutputRefused(CommandError):  # noqa: N818  # as above
    """The content cannot be written where it should go."""

    code = 23


class ReadFailed(CommandError):  # noqa: N818  # as above
    """The file to upload cannot be read."""

    code = 26


class TooManyRedirects(CommandError):  # noqa: N818  # as above
    """One redirect more than `--max-redirs` allows."""

    code = 47


class CannotRewind(CommandError):  # noqa: N818  # as above
    """The content has to be sent again and can be read only once."""

    code = 65


def header(text: str, option: str = "-H") -> tuple[str, str]:
    """Take a header line apart. Raises `UsageError`."""
    name, colon, value = text.partition(":")
    if not colon:
        # It is not repeated: it may be a secret whose colon was forgotten.
        raise UsageError(f"{option} must be 'name: value', but there is no colon in it")
    name, value = name.strip(), value.strip()
    # Neither is repeated: what a line break separated from its name may be a secret.
    if not is_token(name):
        raise UsageError(f"{option} must be 'name: value', but the name is not a token")
    if _CONTROL.search(value):
        raise UsageError(f"{option}: the value of a header must be latin-1 text without control characters")
    return name, value
