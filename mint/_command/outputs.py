"""Where the content of one URL goes: a file, or the standard output when its turn has come."""

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
"""Stands for -O among the values of -o, which no name of a file can be."""


def remote_name(location: Location) -> str:
    """Return the name that -O gives a file: the last part of the path, as it stands in the URL of the user.

    No redirect and no header of a server changes it, and it can be in no other folder.
    """
    name = location.path.rpartition("/")[2]
    if not name or name in {".", ".."}:
        raise UsageError(f"{location.url}: the URL has no file name for -O: use -o")
    if any(mark in name for mark in {"/", "\\", os.sep, os.altsep or "/"}) or not name.isprintable():
        raise UsageError(f"{location.url}: -O cannot use the file name in the URL: use -o")
    return name


def writes_file() -> bool:
    """Whether the standard output is a file, so that a line about progress disturbs nobody."""
    try:
        return stat.S_ISREG(os.fstat(sys.stdout.fileno()).st_mode)
    except (OSError, ValueError, AttributeError):
        return False


class Turns:
    """Lets what several transfers print reach the standard output in the order of their URLs."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._turns: deque[Turn] = deque()

    def add(self) -> Turn:
        """Return the next place in the order."""
        turn = Turn(self)
        self._turns.append(turn)
        return turn

    def is_first(self, turn: Turn) -> bool:
        """Whether a place is the one that prints."""
        return bool(self._turns) and self._turns[0] is turn

    def advance(self) -> None:
        """Go on to the first place that has not ended."""
        while self._turns:
            first = self._turns[0]
            first.print_held()
            if not first.ended:
                return
            self._turns.popleft()


class Turn:
    """One place in the order."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._held: IO[bytes] | None = None
        self.ended = False

    def write(self, data: bytes) -> None:
        """Print, or hold it until those before have ended."""
        with self._turns.lock:
            if self._turns.is_first(self):
                sys.stdout.buffer.write(data)
                sys.stdout.buffer.flush()
                return
            if self._held is None:
                self._held = tempfile.SpooledTemporaryFile(_SPOOLED)  # noqa: SIM115  # closed when printed
            self._held.write(data)

    def end(self) -> None:
        """Let the next one print."""
        with self._turns.lock:
            self.ended = True
            self._turns.advance()

    def print_held(self) -> None:
        """Print what was held; called with the lock held."""
        held, self._held = self._held, None
        if held is not None:
            with held:
                held.seek(0)
                shutil.copyfileobj(held, sys.stdout.buffer)
                sys.stdout.buffer.flush()


class Output:
    """Where one transfer writes heads and content. A file is created once there is something to write."""

    def __init__(self, turn: Turn, path: str | None) -> None:
        """Write to a file, or to the standard output where there is none or it is `-`."""
        self._turn = turn
        self._path = None if path == "-" else path
        self._file: IO[bytes] | None = None
        # Who says `-o -` takes what may come.
        self._guard = ForTerminal() if path is None and sys.stdout.isatty() else None

    @property
    def path(self) -> str | None:
        """The file, if there is one."""
        return self._path

    def open(self) -> None:
        """Create the file."""
        if self._path is not None and self._file is None:
            try:
                self._file = Path(self._path).open("wb")  # noqa: SIM115  # closed by close()
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or error
                raise OutputRefused(f"{self._path}: {reason}") from error

    def write(self, data: bytes, *, safe: bool = False) -> None:
        """Write more; `safe` says that it may drive no terminal."""
        if self._path is not None:
            self.open()
        if self._file is not None:
            try:
                self._file.write(data)
            except OSError as error:
                raise OutputRefused(f"{self._path}: {error.strerror or error}") from error
        else:
            self._turn.write(data if safe or self._guard is None else self._guard(data))

    def say(self, text: str) -> None:
        """Print text to the standard output, whatever the content goes to."""
        self._turn.write(text.encode("utf-8", "replace"))

    def close(self) -> None:
        """Finish the file."""
        if self._file is not None:
            file, self._file = self._file, None
            try:
                file.close()
            except OSError as error:
                raise OutputRefused(f"{self._path}: {error.strerror or error}") from error
