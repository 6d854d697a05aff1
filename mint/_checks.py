"""Checks of arguments: an error names an argument of the wrong type or out of range before anything happens.

Instances of subclasses of `str`, `bytes` and numbers are replaced with the value of the base class, and
methods that they override are ignored. An error never shows a value that may be a secret.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final, TypeGuard, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

_T = TypeVar("_T")
_SHOWN: Final = 120

TCHAR: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]"
"""A regular expression for one character of a token: of a method or a field name (RFC 9110 5.6.2)."""

LONGEST: Final = sys.float_info.max
"""The longest time in seconds. A time that is too long for the system is treated as no limit."""


def shown(value: object) -> str:
    """Return a value as a message may show it: escaped, shortened, and without what may be a password."""
    text = ascii(value)
    if "@" in text:
        text = f"(redacted){text[text.rindex('@') :]}"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def flag(name: str, value: object) -> bool:
    """Return a bool. `None` is refused, so that it never means "off" by accident (CVE-2021-22939)."""
    if value is True or value is False:
        return value
    raise ValueError(f"{name} must be True or False, not {shown(value)}")


def number(name: str, value: object, least: int, most: int, more: str = "") -> int:
    """Return an `int` in a range."""
    if isinstance(value, int) and not isinstance(value, bool):
        exact = int.__index__(value)
        if least <= exact <= most:
            return exact
    raise ValueError(f"{name} must be a number from {least} to {most}{more}, not {shown(value)}")


def seconds(name: str, value: object, least: float = 0.0) -> float:
    """Return a time: a finite number of seconds."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        exact = int.__index__(value) if isinstance(value, int) else float.__float__(value)
        if least <= exact <= LONGEST:
            return exact
    raise ValueError(f"{name} must be a number of seconds, or None for no limit, not {shown(value)}")


def until(name: str, value: object, now: float) -> float:
    """Return the deadline of a timeout that begins now; a negative timeout has already expired."""
    return now + seconds(name, value, -LONGEST)


CODECS: Final = {
    "text": ("utf-8", "strict", ""),
    "ASCII": ("ascii", "strict", " in ASCII"),
    "a path": ("utf-8", "surrogateescape", ""),
}
"""For each kind of text: the codec, its error handler, and what an error message adds about it."""


def encodes(value: str, kind: str) -> bool:
    """Whether text can be encoded. `UnicodeEncodeError` contains the text, so it is never passed on."""
    codec, handler, _ = CODECS[kind]
    try:
        value.encode(codec, handler)
    except UnicodeEncodeError:
        return False
    return True


def text(
    name: str,
    value: object,
    *,
    secret: bool = False,
    empty: bool = False,
    more: str = "",
    kind: str = "text",
) -> str:
    """Return a `str` without NUL that can be encoded."""
    if isinstance(value, str):
        exact = str.__str__(value)
        if (exact or empty) and "\0" not in exact and encodes(exact, kind):
            return exact
        said = "another" if secret else shown(exact)
        where = CODECS[kind][2]
        raise ValueError(f"{name} must be non-empty text{where} without NUL or lone surrogates, not {said}")
    raise ValueError(f"{name} must be a str{more}, not {type(value).__name__}")


def octets(value: object) -> bytes | None:
    """Return the contents of a bytes-like value as `bytes`; `None` for anything else.

    `bytes` are not copied. Methods that a subclass overrides are ignored.
    """
    if type(value) is bytes:
        return value
    if isinstance(value, bytes):
        return bytes.__getitem__(value, slice(None))
    if isinstance(value, bytearray):
        return bytes(bytearray.__getitem__(value, slice(None)))
    if isinstance(value, memoryview):
        return value.tobytes()
    return None


def _buffer(value: object) -> memoryview[int] | None:
    try:
        # `memoryview` itself raises TypeError for an object without a buffer.
        return memoryview(value)  # type: ignore[arg-type]  # see above
    except TypeError:
        return None


def view(name: str, value: object) -> memoryview[int]:
    """Return the octets of a piece of content, without a copy if that is possible."""
    whole = _buffer(value)
    if whole is None:
        raise TypeError(
            f"{name} must be bytes or an iterable of bytes (encode text first), not {type(value).__name__}"
        )
    return whole.cast("B") if whole.c_contiguous and whole.nbytes else memoryview(whole.tobytes())


def exact_text(name: str, value: object) -> str:
    """Return a `str` that is not of a subclass; raise `TypeError` for anything else."""
    if isinstance(value, str):
        return str.__str__(value)
    raise TypeError(f"{name} must be a str, not {type(value).__name__}")


_COROUTINE: Final = 0x80
"""The flag of the code of a coroutine function (`inspect.CO_COROUTINE`; importing inspect takes too long)."""


def is_coroutine_function(value: object) -> bool:
    """Whether calling a function, method, partial or callable object is known to return a coroutine."""
    while hasattr(value, "func") and hasattr(value, "keywords"):
        value = getattr(value, "func")  # noqa: B009  # a functools.partial, not imported to save time
    if not hasattr(value, "__code__") and not hasattr(value, "__func__"):
        value = getattr(type(value), "__call__", None)  # noqa: B004  # for its code, not to see if it is callable
    code: object = getattr(getattr(value, "__func__", value), "__code__", None)
    flags: object = getattr(code, "co_flags", 0)
    return isinstance(flags, int) and bool(flags & _COROUTINE)


def instance(name: str, value: object, kind: type[_T], said: str = "") -> _T:
    """Return the value if it is an instance of the class; raise `TypeError` otherwise."""
    if isinstance(value, kind):
        return value
    raise TypeError(f"{name} must be {said or f'a mint.{kind.__name__}'}, not {type(value).__name__}")


def one_of(name: str, value: object, allowed: Iterable[str]) -> str:
    """Return the value if it is one of these words; raise `ValueError` otherwise."""
    names = tuple(allowed)
    if isinstance(value, str) and (exact := str.__str__(value)) in names:
        return exact
    raise ValueError(f"{name} must be {' or '.join(map(repr, names))}, not {shown(value)}")


def _is_set(value: object) -> TypeGuard[frozenset[object]]:
    return isinstance(value, frozenset)


def is_sequence(value: object) -> TypeGuard[tuple[object, ...] | list[object]]:
    """Whether a value is a tuple or a list."""
    return isinstance(value, (tuple, list))


def _is_tuple(value: object) -> TypeGuard[tuple[object, ...]]:
    return isinstance(value, tuple)


def _items(value: tuple[object, ...]) -> tuple[object, ...]:
    # Not `value[:]`, which a subclass may override. pyright does not know the type of these items.
    return tuple.__getitem__(value, slice(None))  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # as above


def words(value: object) -> tuple[str, ...] | None:
    """Return a tuple of `str` without instances of subclasses; `None` for anything but a tuple of `str`."""
    if not _is_tuple(value):
        return None
    held = _items(value)
    exact = tuple(str.__str__(each) for each in held if isinstance(each, str))
    return exact if len(exact) == len(held) else None


def _is_iterable(value: object) -> TypeGuard[Iterable[object]]:
    return hasattr(value, "__iter__")


def lower_names(name: str, value: object) -> frozenset[str]:
    """Return a set of field names in lower case."""
    if _is_set(value):
        held: set[object] = set()
        held.update(value)  # copies the elements without calling methods of a subclass
        exact = frozenset(str.__str__(each) for each in held if isinstance(each, str))
        if len(exact) == len(held) and all(each == each.lower() for each in exact):
            return exact
    raise ValueError(f"{name} must be a frozenset of names in lower case, not {shown(value)}")


def sent_fields(name: str, value: object) -> list[tuple[str, str]]:
    """Return the pairs of name and value to send. Errors never show them, because they may be secret.

    A mapping and text are refused even if they are empty.
    """
    made: list[tuple[str, str]] = []
    if not isinstance(value, (str, bytes)) and not hasattr(value, "keys") and _is_iterable(value):
        for pair in value:
            match pair:
                case (str() as key, str() as content):
                    made.append((str.__str__(key), str.__str__(content)))
                case _:
                    break
        else:
            return made
    raise TypeError(f"{name} must be pairs of name and value, both str: pass the items() of a mapping")


def content(name: str, value: object, *, needed: bool = False) -> None:
    """Raise `TypeError` for text, a mapping, and anything that is neither bytes nor iterable."""
    if (value is None and not needed) or octets(value) is not None:
        return
    pieces = value if is_sequence(value) else ()
    if isinstance(value, str) or hasattr(value, "keys") or any(octets(piece) is None for piece in pieces):
        raise TypeError(f"{name} must be bytes or an iterable of bytes: encode text first")
    if not hasattr(value, "__iter__") and not hasattr(value, "__aiter__"):
        raise TypeError(f"{name} must be bytes, or an iterable of bytes, not {type(value).__name__}")


def size(name: str, value: object, least: int = 0) -> int | None:
    """Return a limit, which is a number of bytes or a count; `None` for no limit."""
    return None if value is None else number(name, value, least, sys.maxsize, " or None")


def pairs(name: str, value: object) -> tuple[tuple[str, str], ...]:
    """Return pairs of name and value. Errors never show them, because they may be secret."""
    made: list[tuple[str, str]] = []
    if is_sequence(value):
        for pair in value:
            match pair:
                case tuple((str() as key, str() as content)):
                    made.append((str.__str__(key), str.__str__(content)))
                case _:
                    break
        else:
            return tuple(made)
    raise ValueError(f"{name} must be a tuple of pairs of name and value, both str")
