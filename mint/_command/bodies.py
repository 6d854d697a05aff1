"""The content of requests: the values of -d and --json, and the files of -T."""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import quote

from .usage import CannotRewind, ReadFailed, UsageError

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from contextlib import ExitStack

_PIECE = 65_536


def joined(pieces: Sequence[str], mark: bytes) -> bytes | None:
    """Join the values of -d or --json with `mark`, and read `@file` and `@-`, as curl does."""
    if not pieces:
        return None
    contents: list[bytes] = []
    for piece in pieces:
        if piece.startswith("@"):
            contents.append(_file(piece[1:]))
        else:
            # The octets from the shell, even if they are not text in this locale.
            contents.append(os.fsencode(piece))
    return mark.join(contents)


def _file(name: str) -> bytes:
    if name == "-":
        check_stdin()
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except (OSError, ValueError) as error:
        named = "standard input" if name == "-" else name or "-d @"
        raise UsageError(f"{named}: {getattr(error, 'strerror', None) or error}") from error


def check_stdin() -> None:
    """Raise `UsageError` if the shell has closed the standard input."""
    if sys.stdin is None:
        raise UsageError("standard input is closed")


@dataclass(slots=True)
class Upload:
    """A file that is sent as it is read; `-` is the standard input, which can be read only once."""

    path: str
    _begun: bool = field(default=False, init=False)

    def target(self, target: str) -> str:
        """Return the target to which the file is sent: its name is added to a path that ends with `/`."""
        path, mark, query = target.partition("?")
        if self.path != "-" and path.endswith("/"):
            path += quote(os.fsencode(Path(self.path).name), safe="")
        return path + mark + query

    def open(self, files: ExitStack) -> tuple[int | None, Generator[bytes]]:
        """Return the size, or `None` if it is unknown, and the pieces.

        The file is closed after the last piece, and by `files` if the pieces are not read to their end.
        Raises `ReadFailed` and `CannotRewind`; reading the pieces raises `ReadFailed`, too.
        """
        if self.path == "-":
            if self._begun:
                raise CannotRewind("standard input has to be sent again, but can be read only once")
            return None, self._pieces(sys.stdin.buffer, None)
        try:
            file = files.enter_context(Path(self.path).open("rb"))  # noqa: SIM115  # `files` closes it
            found = os.fstat(file.fileno())
        except (OSError, ValueError) as error:
            raise ReadFailed(f"{self.path}: {getattr(error, 'strerror', None) or error}") from error
        size = found.st_size if stat.S_ISREG(found.st_mode) else None
        return size, self._pieces(file, size)

    def _pieces(self, file: BinaryIO, size: int | None) -> Generator[bytes]:
        self._begun = True
        sent = 0
        try:
            while size is None or sent < size:
                most = _PIECE if size is None else min(_PIECE, size - sent)
                piece = file.read1(most) if isinstance(file, BufferedReader) else file.read(most)
                if not piece:
                    break
                sent += len(piece)
                yield piece
        except OSError as error:
            raise ReadFailed(f"{self.path}: {error.strerror or error}") from error
        finally:
            if self.path != "-":
                file.close()
        if size is not None and sent < size:
            raise ReadFailed(f"{self.path}: the file became shorter while it was being sent")
