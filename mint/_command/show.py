"""Printing: heads, content, a progress bar on a terminal, and what -v says."""

from __future__ import annotations

import logging
import shutil
import sys
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ..responses import Data, Headers, Informational, Status, StatusReason, Trailers

if TYPE_CHECKING:
    from ..responses import Response
    from ..types import HeaderFields, ProtocolName

_BAR = 40
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_STEP = 1024
_SPOOLED = 1_048_576
_NAMES: dict[ProtocolName, str] = {"http1": "HTTP/1.1", "http2": "HTTP/2"}


def amount(octets: float) -> str:
    """Return a number of octets as people read it."""
    unit = 0
    while octets >= _STEP and unit < len(_UNITS) - 1:
        octets /= _STEP
        unit += 1
    return f"{octets:.0f} {_UNITS[unit]}" if unit == 0 else f"{octets:.1f} {_UNITS[unit]}"


def visible(text: str) -> str:
    """Return a peer's text without what could drive a terminal."""
    return "".join(mark if mark.isprintable() else "?" for mark in text)


class Bar:
    """A progress bar, drawn over itself on a terminal and silent elsewhere."""

    def __init__(self, stream: IO[str] | None) -> None:
        """Draw on a stream; where the shell has closed it there is none."""
        self._stream = stream
        self._shown = stream is not None and stream.isatty()
        self._total = 0
        self._done = 0
        self._drawn = ""

    def expect(self, headers: HeaderFields) -> None:
        """Take the total from content-length, where there is one."""
        for name, value in headers:
            if name == "content-length" and value.isascii() and value.isdigit():
                self._total = int(value)

    def advance(self, octets: int) -> None:
        """Count what came and redraw if that changes the picture."""
        self._done += octets
        if self._stream is None or not self._shown:
            return
        if self._total:
            filled = _BAR * self._done // self._total
            line = f"[{'#' * filled:<{_BAR}}] {100 * self._done // self._total:3d}% {amount(self._done)}"
        else:
            line = f"{amount(self._done)}"
        if line != self._drawn:
            self._drawn = line
            self._stream.write(f"\r{line}")
            self._stream.flush()

    def finish(self) -> None:
        """Leave the bar behind."""
        if self._stream is not None and self._drawn:
            self._stream.write("\n")


class Page:
    """Where the responses of one request go: a file or the standard output, as they arrive."""

    def __init__(self, protocol: ProtocolName, *, include: bool, path: str | None, live: bool = True) -> None:
        """Start a page; one that is not live yet waits for its turn on the standard output."""
        self._protocol = _NAMES[protocol]
        self._include = include
        self._owned = path not in {None, "-"}
        self._bar = Bar(sys.stderr) if self._owned else None
        self._file: IO[bytes]
        if self._owned:
            self._file = Path(str(path)).open("wb")  # noqa: SIM115  # closed by close()
        elif live:
            self._file = sys.stdout.buffer
        else:
            self._file = tempfile.SpooledTemporaryFile(_SPOOLED)  # noqa: SIM115  # closed by close()
        self.begun: bool = False
        """Whether anything of a response came."""
        self.ended: bool = False
        """Whether its last response came."""

    def go_live(self) -> None:
        """Take the turn: what waited is printed, what comes is printed as it comes."""
        if not self._owned and self._file is not sys.stdout.buffer:
            self._file.seek(0)
            shutil.copyfileobj(self._file, sys.stdout.buffer)
            self._file.close()
            self._file = sys.stdout.buffer
            self._file.flush()

    def end(self) -> None:
        """Note that the last response came."""
        self.ended = True

    def _head(self, status: int) -> None:
        if self._include:
            self._file.write(f"{self._protocol} {status}\n".encode())

    def _fields(self, headers: HeaderFields) -> None:
        if self._include:
            lines = [f"{name}: {visible(value)}\n" for name, value in headers]
            self._file.write("".join([*lines, "\n"]).encode("latin-1", "replace"))

    def take(self, response: Response) -> None:
        """Print one response."""
        self.begun = True
        match response:
            case Informational(status=status, headers=headers):
                self._head(status)
                self._fields(headers)
            case Status(status=status):
                self._head(status)
            case Headers(headers=headers):
                self._fields(headers)
                if self._bar is not None:
                    self._bar.expect(headers)
            case Data(data=data):
                self._file.write(data)
                if self._bar is not None:
                    self._bar.advance(len(data))
            case Trailers(headers=headers):
                self._fields(headers)
            case StatusReason():
                pass
            case _:
                return
        if self._file is sys.stdout.buffer:
            self._file.flush()

    def close(self) -> None:
        """Finish the bar and the file."""
        if self._bar is not None:
            self._bar.finish()
        if self._owned:
            self._file.close()


def say_more() -> None:
    """Let the log of the library go to stderr: `>` out, `<` in; secrets are redacted by the library."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger("mint")
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)


def say(text: str) -> None:
    """Print one line on stderr, where there is one."""
    if sys.stderr is not None:
        sys.stderr.write(f"{visible(text)}\n")


def complain(text: str) -> None:
    """Print one clear line on stderr; the exit code says it where nobody takes the line."""
    try:
        say(f"mint: {text}")
    except OSError:
        give_up_output()


def give_up_output() -> None:
    """Keep Python from complaining at exit about what it cannot write any more."""
    sys.stdout = sys.stderr = None
