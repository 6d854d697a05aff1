"""Declare an option once, as the default of a dataclass field.

A declaration states the default, the range, the unit, the error and the documentation of an option. From it
come the check of its value (`check`), its part of the documentation of the class (`documented`) and, through
`ci/generated.py`, the compiled configuration of the engines and the tables of the pages.
"""

from __future__ import annotations

import sys
from dataclasses import field, fields, is_dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias, TypeVar, overload

from . import _checks

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_T = TypeVar("_T")
Kind: TypeAlias = Literal["limit", "setting", "flag", "lenient", "names", "seconds", "other"]

MAX_LIMIT: Final = 2**31 - 1
"""The largest limit: the engines count in C."""

_KEY: Final = "mint"
_WIDTH: Final = 106
_POWERS: Final = {2**bits - 1: f"2**{bits} - 1" for bits in (31, 32)} | {sys.maxsize: ""}


class Declaration(NamedTuple):
    """Everything about an option except its name, type and default."""

    kind: Kind
    text: str
    """What it does; the range, the error and the default are added to it."""
    least: int = 1
    most: int = MAX_LIMIT
    unit: str = ""
    """What a number counts: octets, fields, requests ..."""
    error: str = ""
    """The class of `mint.errors` for a value beyond the limit or time; empty if that is not an error."""
    config: str = ""
    """The name of the option in the configuration of an engine, if it is different there."""
    unset: int | None = None
    """The value that a setting has if it is not sent, for settings that are not sent by default."""
    identifier: int = 0
    """The identifier of a setting (RFC 9113 6.5.2)."""
    fixed: bool = False
    """Whether the setting cannot change after the connection has begun."""
    accepts: type | None = None
    """A class whose instances the option accepts besides `True` and `False`."""

    @property
    def range(self) -> str:
        """The values of a number, in words."""
        most = _POWERS.get(self.most, f"{self.most:,}")
        return f"{self.least:,} to {most}" if most else f"{self.least:,} or more"


@overload
def limit(
    default: int,
    text: str,
    *,
    unit: str = ...,
    error: str = ...,
    least: int = ...,
    most: int = ...,
    config: str = ...,
) -> int: ...
@overload
def limit(default: None, text: str, *, unit: str = ..., least: int = ..., most: int = ...) -> int | None: ...
def limit(
    default: int | None,
    text: str,
    *,
    unit: str = "octets",
    error: str = "",
    least: int = 1,
    most: int = MAX_LIMIT,
    config: str = "",
) -> int | None:
    """Declare a number in a range; `None` is allowed if it is the default."""
    declaration = Declaration("limit", text, least, most, unit, error, config)
    return field(default=default, metadata={_KEY: declaration})


def setting(
    default: int | None,
    text: str,
    *,
    identifier: int,
    least: int,
    most: int,
    unset: int | None = None,
    unit: str = "octets",
    error: str = "",
) -> int | None:
    """Declare an HTTP/2 setting whose value is a number; `None` means that it is not sent."""
    declaration = Declaration("setting", text, least, most, unit, error, unset=unset, identifier=identifier)
    return field(default=default, metadata={_KEY: declaration})


def flag_setting(default: bool | None, text: str, *, identifier: int, fixed: bool = False) -> bool | None:
    """Declare an HTTP/2 setting that is on or off; `None` means that it is not sent."""
    declaration = Declaration("setting", text, 0, 1, identifier=identifier, fixed=fixed)
    return field(default=default, metadata={_KEY: declaration})


def flag(default: bool, text: str) -> bool:
    """Declare an option that is on or off."""
    return field(default=default, metadata={_KEY: Declaration("flag", text)})


def flag_or(accepts: type[_T], text: str, *, config: str = "") -> bool | _T:
    """Declare an option that is on, off, or an object that says in detail what is on; off by default."""
    return field(default=False, metadata={_KEY: Declaration("lenient", text, config=config, accepts=accepts)})


@overload
def seconds(default: float, text: str, *, error: str = ...) -> float: ...
@overload
def seconds(default: None, text: str, *, error: str = ...) -> float | None: ...
def seconds(default: float | None, text: str, *, error: str = "") -> float | None:
    """Declare a time in seconds; `None` means no limit."""
    return field(default=default, metadata={_KEY: Declaration("seconds", text, unit="seconds", error=error)})


def names(text: str) -> frozenset[str]:
    """Declare a set of field names in lower case."""
    return field(default=frozenset(), metadata={_KEY: Declaration("names", text, config="sensitive")})


def option(default: _T, text: str, *, config: str = "", repr: bool = True, compare: bool = True) -> _T:  # noqa: A002  # as `dataclasses.field`
    """Declare an option of any other kind, which its class checks."""
    declaration = Declaration("other", text, config=config)
    return field(default=default, repr=repr, compare=compare, metadata={_KEY: declaration})


def required(text: str) -> Any:  # as `dataclasses.field`: there is no default to take the type from
    """Declare an option that has no default, which its class checks."""
    return field(metadata={_KEY: Declaration("other", text)})


def declarations(options: DataclassInstance | type[DataclassInstance]) -> dict[str, Declaration]:
    """Return what is declared about each option of a class, by name."""
    found: dict[str, Declaration] = {}
    for each in fields(options):
        declared: object = each.metadata.get(_KEY)
        if isinstance(declared, Declaration):
            found[each.name] = declared
    return found


def check(options: DataclassInstance) -> None:
    """Raise `ValueError` for a value out of range; replace instances of subclasses with exact values."""
    for name, declared, optional in _checks_of(type(options)):
        value: object = getattr(options, name, None)
        if not (optional and value is None):
            exact = _checked(name, value, declared, ", or None" if optional else "")
            if exact is not value:
                object.__setattr__(options, name, exact)


@lru_cache(maxsize=64)  # more than there are classes; some options are made for every request
def _checks_of(options: type[DataclassInstance]) -> tuple[tuple[str, Declaration, bool], ...]:
    """Return the names of the options of a class, what is declared, and whether they may be `None`."""
    known = declarations(options)
    return tuple(
        (each.name, known[each.name], "None" in str(each.type))
        for each in fields(options)
        if each.name in known
    )


def _checked(name: str, value: object, declared: Declaration, more: str) -> object:
    match declared.kind:
        case "setting" if not declared.unit:
            if value is not True and value is not False:
                raise ValueError(f"{name} must be True, False or None, not {_checks.shown(value)}")
        case "limit" | "setting":
            return _checks.number(name, value, declared.least, declared.most, more)
        case "flag" | "lenient":
            accepts = declared.accepts
            return value if accepts and isinstance(value, accepts) else _checks.flag(name, value)
        case "names":
            return _checks.lower_names(name, value)
        case "seconds":
            return _checks.seconds(name, value)
        case "other":
            pass
    return value


def documented(options: type[_T]) -> type[_T]:
    """Add what is declared about the options of a class to its documentation."""
    if options.__doc__ and is_dataclass(options):
        lines = [f"{options.__doc__.rstrip()}\n\n    Attributes:"]
        for name, declared in declarations(options).items():
            lines += _wrapped(f"{name}: {described(declared)}")
        options.__doc__ = "\n".join([*lines, "    "])
    return options


def described(declared: Declaration) -> str:
    """Return the documentation of an option: what it does, its range and its error."""
    text = declared.text.rstrip(".")
    counted = declared.kind in {"limit", "setting"} and declared.unit
    if counted and (declared.least, declared.most) != (1, MAX_LIMIT):
        text += f"; {declared.range}"
    if declared.kind == "setting" and declared.unset is not None:
        text += f"; {declared.unset:,} if it is not sent"
    if declared.error:
        text += f". Error if exceeded: `{declared.error}`"
    return f"{text}."


def _wrapped(text: str) -> list[str]:
    """Return text as lines of a docstring; `textwrap` would load `re` with every import."""
    lines: list[str] = []
    line = " " * 7
    for part in text.replace(" - 1", "\0-\x001").split():
        word = part.replace("\0", " ")
        if len(line) + len(word) >= _WIDTH:
            lines.append(line)
            line = " " * 11
        line += f" {word}"
    return [*lines, line]
