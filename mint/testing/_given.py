"""What steps are given: a mistake in a script is raised where it is written, not where it is played.

Some mistakes would never show otherwise: a piece of -1 octets sends nothing, and a pattern that matches the
empty string is met before anything has arrived.
"""

import re


def octets(name: str, value: object) -> None:
    """Refuse what is not bytes."""
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise TypeError(f"{name} must be bytes, not {type(value).__name__}")


def pattern(name: str, value: object) -> None:
    """Refuse what is no compiled pattern of bytes."""
    source: object = getattr(value, "pattern", None)
    if not isinstance(value, re.Pattern) or not isinstance(source, bytes):
        raise TypeError(f"{name} must be a compiled pattern of bytes, not {value!r}")


def number(name: str, value: object, least: int) -> None:
    """Refuse what is no number, or too small."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be an int, not {type(value).__name__}")
    if value < least:
        raise ValueError(f"{name} must be {least} or more, not {value}")


def function(name: str, value: object) -> None:
    """Refuse what cannot be called."""
    if not callable(value):
        raise TypeError(f"{name} must be a function, not {type(value).__name__}")


def method(name: str, value: object, wanted: str) -> None:
    """Refuse an object without a method that is needed."""
    if not callable(getattr(value, wanted, None)):
        raise TypeError(f"{name} must have a method {wanted}, and {value!r} has none")
