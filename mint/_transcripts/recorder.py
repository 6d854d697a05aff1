"""Writing of transcripts, to a file that the recorder owns or to one of the caller's."""

from __future__ import annotations

import io
import logging
import os
import weakref
from typing import TYPE_CHECKING, Protocol, Self, TypeAlias

from .._checks import flag, text
from .._core.link_base import Mutex
from .._process import current_process, share
from .._version import __version__
from .literals import written

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

FIRST_LINE = "mint-transcript 1"
"""The first line of a transcript: the format and its version."""


class TextSink(Protocol):
    """An object that text can be written to, for example a text file."""

    def write(self, text: str, /) -> object:
        """Write text."""
        ...


Record: TypeAlias = "str | os.PathLike[str] | TextSink | Recorder"
"""The type of `record=`: the path of a file, an object with a `write` method for text, or a `Recorder`."""


class _File:
    """A file that the recorder owns, written without a buffer: nothing is lost if the process ends."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
        flags |= getattr(os, "O_BINARY", 0)  # on Windows
        self._descriptor = os.open(path, flags, 0o600)

    def write(self, text: str) -> None:
        """Write all of the text."""
        octets = memoryview(text.encode())
        while octets:
            octets = octets[os.write(self._descriptor, octets) :]

    def close(self) -> None:
        """Close the descriptor; called once."""
        os.close(self._descriptor)


class _Desk:
    """The shared output of a recorder's connections; they write one step at a time."""

    def __init__(self, sink: TextSink) -> None:
        self.failure: Exception | None = None
        self.connections = 0
        self._sink: TextSink | None = sink
        self._lock = Mutex()
        self._process = current_process()
        self._inside = 0
        self._waiting: list[str] = []
        share(self)

    def begin_anew(self) -> None:
        """Continue in a forked child, which writes nothing; a thread of the parent may have been writing."""
        if not self._lock.held:
            self._lock, self._inside = Mutex(), 0
        self._waiting = []

    def enter(self) -> None:
        """Lock out other threads. Steps of this thread in a finalizer meanwhile are written afterwards."""
        self._lock.acquire()
        self._inside += 1

    def leave(self) -> bool:
        """Unlock; return whether something was written that had to wait."""
        late: list[str] = []
        self._inside -= 1
        if not self._inside:
            late, self._waiting = self._waiting, []
            for text in late:
                self._write(text)
        self._lock.release()
        return bool(late)

    def put(self, text: str) -> None:
        """Write text, now or after the step in progress."""
        with self._lock:
            if self._inside > 1:
                self._waiting.append(text)
            else:
                self._write(text)

    def close(self) -> None:
        """Stop writing."""
        with self._lock:
            self._sink = None

    def _write(self, text: str) -> None:
        if self._sink is None or self._process.inherited:
            return
        try:
            self._sink.write(text)
            flush = getattr(self._sink, "flush", None)
            if flush is not None:
                flush()
        except Exception as error:  # noqa: BLE001  # a connection must not break because a disk is full
            self.failure = error
            self._sink = None
            logging.getLogger("mint").warning("recording has ended: %s", error)


class Recorder:
    """Writes transcripts of connections, any number of them, into one place.

    A file that is given by its path belongs to the recorder: it is overwritten, readable only by its owner,
    and closed by `close`, or when the last value of the last connection is dropped. Anything else is yours to
    close. Each step is written at once, its input before the engine processes it, so nothing is lost if the
    process ends.

    One recorder may serve many connections, forks and threads; recorded connections do one step at a time. If
    writing fails, recording ends and the connections continue: `failure` says why, and a warning is logged to
    the logger `mint`. After a fork of the process, only the parent continues to record.

    Args:
        target: a path, or an object with a `write` method for text.
        secrets: record secrets as they are. Otherwise `authorization`, cookies, proxy credentials, the
            fields in `sensitive_headers` and credentials in URLs are masked, wherever they occur.

    Raises `OSError` if the file cannot be created, `ValueError` for a file that is not open for writing,
    `TypeError` for any other target, such as a binary file.

    """

    def __init__(self, target: str | os.PathLike[str] | TextSink, *, secrets: bool = False) -> None:
        self._secrets = flag("secrets", secrets)
        self._end: weakref.finalize[[], Recorder] | None = None
        if isinstance(target, (str, os.PathLike)):
            if isinstance(target, str):
                target = text("record", target, kind="a path")
            owned = _File(target)
            self._end = weakref.finalize(self, owned.close)
            self._desk = _Desk(owned)
        elif _is_binary(target):
            raise TypeError("record must be a text file, not a binary one")
        elif callable(getattr(target, "write", None)) and not isinstance(target, type):
            if isinstance(target, io.IOBase) and not target.writable():
                raise ValueError("record must be a file that is open for writing")
            self._desk = _Desk(target)
        else:
            raise TypeError(f"record must be a path, a text file or a Recorder, not {type(target).__name__}")
        self._desk.put(f"{FIRST_LINE}\nby mint {__version__}\n")

    @property
    def failure(self) -> Exception | None:
        """The error that ended recording early; `None` if there was none."""
        return self._desk.failure

    def close(self) -> None:
        """End recording, and close the file if the recorder owns it; connections stay open. Idempotent.

        Connections that are opened later with this recorder are not recorded.
        """
        self._desk.close()
        if self._end is not None:
            self._end()

    def __enter__(self) -> Self:
        """Close the recorder at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def track(self, protocol: str, identity: int) -> Track:
        """Return the track of one more connection; called by connections."""
        return Track(self, self._desk, protocol, identity, secrets=self._secrets)


def _is_binary(target: object) -> bool:
    """Whether it is a binary file, or a temporary one."""
    return isinstance(getattr(target, "file", target), (io.RawIOBase, io.BufferedIOBase))


def as_recorder(record: Record) -> Recorder:
    """Return the recorder itself, or a new one for a path or a file."""
    return record if isinstance(record, Recorder) else Recorder(record)


class Track:
    """One connection's part of a transcript."""

    def __init__(
        self, recorder: Recorder, desk: _Desk, protocol: str, identity: int, *, secrets: bool
    ) -> None:
        self.secrets = secrets
        self.protocol = protocol
        self.identity = identity
        self.began: int | None = None
        """The first time that was set, in milliseconds: transcripts count from there."""
        self._recorder = recorder  # keeps the file open as long as a connection may write to it
        self._desk = desk
        self._latest = 0
        self._steps = 0
        with self:
            desk.connections += 1
            self._number = desk.connections

    def begin_connection(self, options: Iterable[tuple[str, object]], results: Iterable[str]) -> None:
        """Write the options of the connection, and its first results."""
        lines = [f"  {name} {written(each)}" for name, each in options]
        lines += [f"  {line}" for line in results]
        self._put([f"\nconnection {self._number} {self.protocol}", *lines])

    def __enter__(self) -> None:
        """Start a step, or other text that must not be mixed with that of other connections."""
        self._desk.enter()

    def __exit__(self, *_: object) -> None:
        if self._desk.leave():
            self._latest = -1  # something else is at the end of the transcript

    def begin_step(self, verb: str, base: int, lines: Iterable[str]) -> int:
        """Write a call on the state that step `base` led to; return the number of this step."""
        self._steps += 1
        head = [f"\n{self._number} {verb}"]
        if base != self._latest:
            head.append(f"  from {base}")
        self._latest = self._steps
        self._put([*head, *(f"  {line}" for line in lines)])
        return self._steps

    def end_step(self, state: int, lines: Iterable[str]) -> None:
        """Write the results of a step; `state` is the number of the step whose state is the current one."""
        self._latest = state
        self._put([f"  {line}" for line in lines])

    def _put(self, lines: list[str]) -> None:
        self._desk.put("\n".join([*lines, ""]))
