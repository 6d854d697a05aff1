"""What -v prints: the log of the library, with each header field on its own line and flags by name."""

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
    """Return the flags of a frame by name; those that have none as a number."""
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
    """Notes where stderr takes no more: an exception here would come up inside a connection."""

    failed = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, ARG002  # the name of logging
        self.failed = True


@contextmanager
def quiet() -> Generator[None]:
    """Keep the warnings of the library off stderr, where Python puts those that nobody handles."""
    handler = logging.NullHandler()
    logger = logging.getLogger("mint")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def say_more() -> Handler:
    """Let the log of the library go to stderr; secrets are redacted by the library."""
    # Where the shell has closed stderr, Python has no stream for it.
    handler = Handler(io.StringIO() if sys.stderr is None else sys.stderr)
    handler.setFormatter(_Formatter())
    logger = logging.getLogger("mint")
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    return handler


def say_less(handler: Handler) -> None:
    """Undo `say_more`. Raises `OutputRefused` where something could not be printed."""
    logging.getLogger("mint").removeHandler(handler)
    if handler.failed:
        raise OutputRefused("cannot write to standard error")
