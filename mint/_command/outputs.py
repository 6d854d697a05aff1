"""Write the content of one URL to a file, or to the standard output in the order of the URLs."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
import threading
from collections import deque
from pathlib import Path
from typing import IO, TYPE_CHECKING

from .show import ForTerminal
from .usage import OutputRefused, UsageError

if TYPE_CHECKING:
    from .locations import Location

_SPOOLED = 1_048_576
REMOTE_NAME = "\0"
"""The value for -O among those of -o; it cannot be the name of a file."""


def remote_name(location: Location) -> str:
    """Return the file name for -O: the last part of the path in the URL of the command line.

    Redirects and headers of a server cannot change it, and it cannot lead to another directory.
    """
    name = location.path.rpartition("/")[2]
    if not name or name in {".", ".."}:
        raise UsageError(f"{location.url}: the URL has no file name for -O: use -o")
    if any(mark in name for mark in {"/", "\\", os.sep, os.altsep or "/"}) or not name.isprintable():
        raise UsageError(f"{location.url}: -O cannot use the file name in the URL: use -o")
    return name


def writes_file() -> bool:
    """Whether the standard output is a file, so that the progress line is not mixed with the content."""
    try:
        return stat.S_ISREG(os.fstat(sys.stdout.fileno()).st_mode)
    except (OSError, ValueError, AttributeError):
        return False


class OutputOrder:
    """Lets several transfers write to the standard output in the order of their URLs."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._places: deque[OutputPlace] = deque()

    def add(self) -> OutputPlace:
        """Return the next place in the order."""
        place = OutputPlace(self)
        self._places.append(place)
        return place

    def is_first(self, place: OutputPlace) -> bool:
        """Whether a place is the first one, which may write."""
        return bool(self._places) and self._places[0] is place

    def advance(self) -> None:
        """Remove the places that have ended, up to the first one that has not."""
        while self._places:
            first = self._places[0]
            first.print_held()
            if not first.ended:
                return
            self._places.popleft()


class OutputPlace:
    """The place of one transfer in the order."""

    def __init__(self, order: OutputOrder) -> None:
        self._order = order
        self._held: IO[bytes] | None = None
        self.ended = False

    def write(self, data: bytes) -> None:
        """Write data if this is the first place; otherwise hold it until those before have ended."""
        with self._order.lock:
            if self._order.is_first(self):
                sys.stdout.buffer.write(data)
                sys.stdout.buffer.flush()
                return
            if self._held is None:
                self._held = tempfile.SpooledTemporaryFile(_SPOOLED)  # noqa: SIM115  # closed when printed
            self._held.write(data)

    def end(self) -> None:
        """End this place, so that the next one may write."""
        with self._order.lock:
            self.ended = True
            self._order.advance()

    def print_held(self) -> None:
        """Write the data that was held. The lock must be held."""
        held, self._held = self._held, None
        if held is not None:
            with held:
                held.seek(0)
                shutil.copyfileobj(held, sys.stdout.buffer)
                sys.stdout.buffer.flush()


class Output:
    """The output of one transfer: heads and content. A file is created when there is something to write."""

    def __init__(self, place: OutputPlace, path: str | None) -> None:
        """Write to a file, or to the standard output if `path` is `None` or `-`."""
        self._place = place
        self._path = None if path == "-" else path
        self._file: IO[bytes] | None = None
        # With `-o -`, the user accepts any content on the terminal.
        self._guard = ForTerminal() if path is None and sys.stdout.isatty() else None

    @property
    def path(self) -> str | None:
        """The file, if there is one."""
        return self._path

    def open(self) -> None:
        """Create the file, if there is one. Raises `OutputRefused`."""
        if self._path is not None and self._file is None:
            try:
                self._file = Path(self._path).open("wb")  # noqa: SIM115  # closed by close()
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or error
                raise OutputRefused(f"{self._path}: {reason}") from error

    def write(self, data: bytes, *, safe: bool = False) -> None:
        """Write more; `safe` says that it contains nothing that could control a terminal."""
        self.open()
        if self._file is not None:
            try:
                self._file.write(data)
            except OSError as error:
                raise OutputRefused(f"{self._path}: {error.strerror or error}") from error
        else:
            self._place.write(data if safe or self._guard is None else self._guard(data))

    def end_content(self) -> None:
        """Write what the guard of the terminal still holds: the beginning of something that never came."""
        if self._guard is not None and (rest := self._guard(b"", final=True)):
            self._place.write(rest)

    def say(self, text: str) -> None:
        """Write text to the standard output, even if the content is written to a file."""
        self._place.write(text.encode("utf-8", "replace"))

    def close(self) -> None:
        """Close the file. Raises `OutputRefused`."""
        if self._file is not None:
            file, self._file = self._file, None
            try:
                file.close()
            except OSError as error:
                raise OutputRefused(f"{self._path}: {error.strerror or error}") from error
