"""Text for people, and messages on stderr."""

from __future__ import annotations

import codecs
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .usage import OutputRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ..types import HeaderFields, ProtocolName

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_STEP = 1024
NAMES: dict[ProtocolName, str] = {"http1": "HTTP/1.1", "http2": "HTTP/2"}


def amount(octets: float) -> str:
    """Return a number of octets for people, such as `1.5 KiB`."""
    unit = 0
    while octets >= _STEP and unit < len(_UNITS) - 1:
        octets /= _STEP
        unit += 1
    return f"{octets:.0f} {_UNITS[unit]}" if unit == 0 else f"{octets:.1f} {_UNITS[unit]}"


def visible(text: str) -> str:
    """Return text from a peer without anything that could control a terminal."""
    return "".join(mark if mark.isprintable() else "?" for mark in text)


def head(protocol: ProtocolName, status: int, headers: HeaderFields) -> bytes:
    """Return the head of a response as -i prints it."""
    return f"{NAMES[protocol]} {status}\n".encode() + fields(headers)


def fields(headers: HeaderFields) -> bytes:
    """Return fields as -i prints them, and the empty line after them."""
    lines = [f"{name}: {visible(value)}\n" for name, value in headers]
    return "".join([*lines, "\n"]).encode("latin-1", "replace")


class ForTerminal:
    """Makes content safe for a terminal: replaces everything except text, which could control it."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""
        """A carriage return at the end of the last piece; a line feed may follow in the next one."""

    def __call__(self, data: bytes, *, final: bool = False) -> bytes:
        """Return the next piece of content, made safe. Raises `OutputRefused` if it is not text."""
        if b"\0" in data:
            raise OutputRefused(
                "the content is not text that a terminal can show: write it to a file with -o, or use -o -"
            )
        text = (self._held + self._decoder.decode(data, final)).replace("\r\n", "\n")
        self._held = "\r" if text.endswith("\r") and not final else ""
        text = text.removesuffix(self._held)
        return "".join(mark if mark.isprintable() or mark in "\n\t" else "?" for mark in text).encode(
            sys.stdout.encoding or "utf-8", "replace"
        )


_cleaners: list[Callable[[], None]] = []
"""Functions that clear the progress line before a message is printed."""


@contextmanager
def clearing(clear: Callable[[], None]) -> Generator[None]:
    """Call `clear` before each message on stderr, as long as the block runs."""
    _cleaners.append(clear)
    try:
        yield
    finally:
        _cleaners.remove(clear)


def say(text: str) -> None:
    """Print one line on stderr, if it is open."""
    for clear in _cleaners:
        clear()
    if sys.stderr is not None:
        sys.stderr.write(f"{visible(text)}\n")


def complain(text: str) -> None:
    """Print an error on stderr. If that fails, only the exit code reports it."""
    try:
        say(f"mint: {text}")
    except OSError:
        give_up_output()


def give_up_output() -> None:
    """Prevent Python from reporting at exit that output could not be written."""
    sys.stdout = sys.stderr = None
