"""Checks of the arguments of steps, so that a mistake in a script is an error where the step is made.

Some mistakes would otherwise go unnoticed: a piece of -1 octets sends nothing, and a pattern that matches the
empty string matches before anything has arrived.
"""

import re
from types import MethodType

from .. import _checks
from .._checks import is_sequence, shown


def octets(name: str, value: object) -> bytes:
    """Return a copy of a bytearray or memoryview as bytes; raise `TypeError` for anything else than bytes."""
    made = _checks.octets(value)
    if made is None:
        raise TypeError(f"{name} must be bytes, not {type(value).__name__}")
    return made


def pattern(name: str, value: object) -> None:
    """Raise `TypeError` if the value is not a compiled pattern of bytes."""
    source: object = getattr(value, "pattern", None)
    if not isinstance(value, re.Pattern) or not isinstance(source, bytes):
        raise TypeError(f"{name} must be a compiled pattern of bytes, not {value!r}")


def number(name: str, value: object, least: int, most: int | None = None) -> None:
    """Raise `TypeError` if the value is not an `int`, `ValueError` if it is out of range."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be an int, not {type(value).__name__}")
    if most is not None and not least <= value <= most:
        raise ValueError(f"{name} must be from {least} to {most}, not {value}")
    if value < least:
        raise ValueError(f"{name} must be {least} or more, not {value}")


def flags(**given: object) -> None:
    """Raise `TypeError` if one of the values is not a `bool`."""
    for name, value in given.items():
        if not isinstance(value, bool):
            raise TypeError(f"{name} must be a bool, not {type(value).__name__}")


def timeout(value: object) -> None:
    """Raise `TypeError` if the value is not a number, `ValueError` if it is not positive."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise TypeError(f"timeout must be a number, not {type(value).__name__}")
    if not value > 0:
        raise ValueError(f"timeout must be a positive number of seconds, got {value}")


def fields(name: str, value: object) -> None:
    """Raise `TypeError` if it is not a list of pairs of `str`, `ValueError` if it is not ISO 8859-1 text."""
    if not is_sequence(value):
        raise TypeError(
            f"{name} must be a list or tuple of pairs of name and value, not {type(value).__name__}"
        )
    for pair in value:
        if not is_sequence(pair) or len(pair) != 2 or not all(isinstance(each, str) for each in pair):
            raise TypeError(f"{name} must be pairs of name and value, both str, not {shown(pair)}")
        if not all(ord(mark) < 256 for text in pair for mark in str(text)):  # the last one of ISO 8859-1
            raise ValueError(f"{name} must be ISO 8859-1 text: {shown(pair)}")


def function(name: str, value: object) -> None:
    """Raise `TypeError` if the value is not callable, or a coroutine function."""
    if not callable(value):
        raise TypeError(f"{name} must be a function, not {type(value).__name__}")
    if _checks.is_coroutine_function(value):
        raise TypeError(
            f"{name} must not be a coroutine function: it is called in a thread, outside the event loop"
        )


def method(name: str, value: object, wanted: str) -> None:
    """Raise `TypeError` if the object does not have this method, or is a class in place of an object."""
    if isinstance(value, type) and not isinstance(getattr(value, wanted, None), MethodType):
        raise TypeError(
            f"{name} must be an object, not the class {value.__name__}: write {value.__name__}(...)"
        )
    found: object = getattr(value, wanted, None)
    if not callable(found):
        raise TypeError(f"{name} must have a method {wanted}, and {value!r} has none")
    if _checks.is_coroutine_function(found):
        raise TypeError(
            f"{name} must have a method {wanted} that is not a coroutine function, because a thread of the"
            f" server calls it: {value!r}"
        )


def event(value: object, wanted: str) -> None:
    """Raise `TypeError` without this method, or for an event of an event loop, which threads cannot use."""
    for each in {wanted, "wait"} if hasattr(value, "wait") else {wanted}:
        method("event", value, each)
