"""The output of -v: the log of the library, with each field on a separate line, and flags by name."""

from __future__ import annotations

import ast
import io
import logging
import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .show import visible
from .usage import OutputRefused

if TYPE_CHECKING:
    from collections.abc import Generator

_FRAME = re.compile(r"([<>]) (\S+) stream=(\d+) length=(\d+) flags=0x([0-9a-f]{2})(?: (.*))?", re.DOTALL)
_PADDED, _PRIORITY, _END_HEADERS, _END_STREAM, _ACK = (
    (0x08, "PADDED"),
    (0x20, "PRIORITY"),
    (0x04, "END_HEADERS"),
    (0x01, "END_STREAM"),
    (0x01, "ACK"),
)
_FLAGS: dict[str, tuple[tuple[int, str], ...]] = {  # RFC 9113 6
    "DATA": (_END_STREAM, _PADDED),
    "HEADERS": (_END_STREAM, _END_HEADERS, _PADDED, _PRIORITY),
    "PUSH_PROMISE": (_END_HEADERS, _PADDED),
    "CONTINUATION": (_END_HEADERS,),
    "SETTINGS": (_ACK,),
    "PING": (_ACK,),
}


def flags_by_name(kind: str, flags: int) -> str:
    """Return the names of the flags of a frame, and those without a name as a number."""
    names: list[str] = []
    for bit, name in _FLAGS.get(kind, ()):
        if flags & bit:
            names.append(name)
            flags &= ~bit
    if flags:
        names.append(f"0x{flags:02x}")
    return " ".join(names)


def lines(text: str) -> list[str]:
    """Return one record of the log as lines."""
    found = _FRAME.fullmatch(text)
    if found is None:
        return text.splitlines() or [text]
    mark, kind, stream, length, flags, more = found.groups()
    named = flags_by_name(kind, int(flags, 16))
    first = f"{mark} {kind} stream={stream} length={length}{' ' if named else ''}{named}"
    if more is None or more in {"[]", "b''"}:
        return [first]
    if more.startswith("["):
        try:
            fields = [str(each) for each in ast.literal_eval(more)]
        except (SyntaxError, ValueError):
            return [f"{first} {more}"]
        return [first, *(f"{mark}   {each}" for each in fields)]
    return [f"{first} {more}"]


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(visible(line) for line in lines(record.getMessage()))


class Handler(logging.StreamHandler):  # type: ignore[type-arg]  # generic only for type checkers
    """Notes that stderr cannot be written, because an exception would be raised inside a connection."""

    failed = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, ARG002  # the name of logging
        self.failed = True


@contextmanager
def quiet() -> Generator[None]:
    """Prevent Python from printing warnings of the library, which have no other handler, on stderr."""
    handler = logging.NullHandler()
    logger = logging.getLogger("mint")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def log_to_stderr() -> Handler:
    """Print the log of the library on stderr. The library redacts secrets."""
    # If the shell has closed stderr, Python has no stream for it.
    handler = Handler(io.StringIO() if sys.stderr is None else sys.stderr)
    handler.setFormatter(_Formatter())
    logger = logging.getLogger("mint")
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    return handler


def stop_logging(handler: Handler) -> None:
    """Undo `log_to_stderr`. Raises `OutputRefused` if something could not be printed."""
    logging.getLogger("mint").removeHandler(handler)
    if handler.failed:
        raise OutputRefused("cannot write to standard error")
