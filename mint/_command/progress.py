"""The progress line: redrawn in place on a terminal, and cleared at the end."""

from __future__ import annotations

import os
import threading
from collections import deque
from time import monotonic
from typing import IO, TYPE_CHECKING

from .show import amount, visible

if TYPE_CHECKING:
    from collections.abc import Callable

_PAUSE = 0.1
"""The shortest time between two drawings, in seconds."""
_SPAN = 5.0
"""The number of seconds over which the rate is measured."""
_NAME = 24
_COLUMNS = 80
_CLEAR = "\r\x1b[K"


def duration(seconds: float) -> str:
    """Return a duration for people: `0:07`, `12:30`, `3:05:00`."""
    whole = int(seconds)
    minutes, hours = whole // 60 % 60, whole // 3600
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


class Item:
    """One transfer on the progress line."""

    def __init__(self, line: Progress, name: str) -> None:
        """Made by `Progress.start`."""
        self._line = line
        self.name = visible(name)
        self.total: int | None = None
        self.done = 0

    def expect(self, total: int | None) -> None:
        """Begin to count one direction, of `total` octets if that is known."""
        with self._line.lock:
            self.total, self.done = total, 0

    def advance(self, octets: int) -> None:
        """Count octets that were sent or received."""
        self._line.advance(self, octets)

    def end(self) -> None:
        """Remove the transfer from the line."""
        self._line.end(self)


class Progress:
    """The progress line. Nothing is drawn without a terminal, or if `shown` is false."""

    def __init__(
        self, stream: IO[str] | None, *, shown: bool = True, clock: Callable[[], float] | None = None
    ) -> None:
        """Draw on a stream if it is a terminal; the stream is `None` if the shell has closed it."""
        self.lock = threading.Lock()
        self._stream = stream if shown and stream is not None and stream.isatty() else None
        self._clock = monotonic if clock is None else clock
        self._items: list[Item] = []
        self._ended = 0
        self._total = 0
        self._samples: deque[tuple[float, int]] = deque()
        self._drawn_at = self._clock()
        self._drawn = False

    def start(self, name: str) -> Item:
        """Add a transfer to the line."""
        item = Item(self, name)
        with self.lock:
            if not self._items:
                self._samples.clear()
                self._samples.append((self._clock(), self._total))
            self._items.append(item)
        return item

    def advance(self, item: Item, octets: int) -> None:
        """Count octets of an item, and draw the line if enough time has passed since the last drawing."""
        with self.lock:
            item.done += octets
            self._total += octets
            now = self._clock()
            if self._stream is None or now - self._drawn_at < _PAUSE:
                return
            self._drawn_at = now
            self._samples.append((now, self._total))
            while len(self._samples) > 2 and now - self._samples[0][0] > _SPAN:  # two are needed for a rate
                self._samples.popleft()
            if self._items:
                self._drawn = True
                self._stream.write(_CLEAR + self._text(now)[: _columns(self._stream) - 1])
                self._stream.flush()

    def end(self, item: Item) -> None:
        """Remove an item from the line."""
        with self.lock:
            if item in self._items:
                self._items.remove(item)
                self._ended += 1
            self._clear()

    def clear(self) -> None:
        """Leave the terminal as if nothing had been drawn."""
        with self.lock:
            self._clear()

    def _clear(self) -> None:
        if self._drawn and self._stream is not None:
            self._stream.write(_CLEAR)
            self._stream.flush()
        self._drawn = False

    def _text(self, now: float) -> str:
        since, before = self._samples[0]
        rate = (self._total - before) / (now - since) if now > since else 0.0
        done = sum(each.done for each in self._items)
        totals = [each.total for each in self._items]
        if len(self._items) == 1:
            name = self._items[0].name
            text = name if len(name) <= _NAME else f"{name[: _NAME - 3]}..."
        else:
            text = f"{len(self._items)} at once, {self._ended} done"
        known = sum(each for each in totals if each is not None)
        if None not in totals and known:
            text += f"  {min(100, 100 * done // known)}%"
        text += f"  {amount(done)}  {amount(rate)}/s"
        if None not in totals and rate and known >= done:
            text += f"  {duration((known - done) / rate)} left"
        return text


def _columns(terminal: IO[str]) -> int:
    try:
        found = os.get_terminal_size(terminal.fileno()).columns
    except (OSError, ValueError):
        found = 0
    return found or _COLUMNS
