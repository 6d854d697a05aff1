"""Differences between operating systems: `poll`, Unix sockets, `MSG_DONTWAIT` and `sendmsg`.

Windows has none of them, and macOS ignores `MSG_DONTWAIT` when sending. The rest of mint uses these names
instead of those of `select` and `socket`. The events are the bits of `poll`.
"""

from __future__ import annotations

import math
import os
import select
import socket as sockets
import sys
from time import monotonic, sleep
from typing import TYPE_CHECKING, Final, Protocol

from ..errors.base import Processed
from ..errors.transport import system_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..errors import TransportError

UNIX: Final[sockets.AddressFamily | None] = getattr(sockets, "AF_UNIX", None)
"""The family of Unix sockets; `None` if the system has none."""

AT_ONCE: Final = 0 if sys.platform == "darwin" else int(getattr(sockets, "MSG_DONTWAIT", 0))
"""The flag that makes one call non-blocking; 0 if there is none, and then the socket must be non-blocking.

macOS has MSG_DONTWAIT but ignores it in `send`.
"""

HAS_SENDMSG: Final = hasattr(sockets.socket, "sendmsg")

JOINED: Final = 65_536
"""How many octets are joined at most for one call if there is no `sendmsg`."""

POLLIN: Final = int(getattr(select, "POLLIN", 0x01))
POLLOUT: Final = int(getattr(select, "POLLOUT", 0x04))
POLLERR: Final = int(getattr(select, "POLLERR", 0x08))

CONNECTED: Final = POLLOUT | POLLERR
"""The events of a socket that is connecting. `poll` reports a failure as both; Windows as an exception."""

LONGEST: Final = 2_000_000.0
"""Longer waits, in seconds, have no time limit: `poll` counts milliseconds in 31 bits."""

_NAP: Final = 0.05
"""How many seconds to sleep at a time if there is no socket that `select` could wait for."""


class Poll(Protocol):
    """The methods of `select.poll()` that mint uses."""

    def register(self, file: sockets.socket | int, events: int, /) -> object:
        """Register a socket for these events. Raises `ValueError` if it is closed."""
        ...

    def modify(self, file: sockets.socket | int, events: int, /) -> object:
        """Change the events of a socket."""
        ...

    def poll(self, timeout: float | None = None, /) -> list[tuple[int, int]]:
        """Wait for events, at most `timeout` milliseconds; return descriptors and events."""
        ...


def milliseconds(left: float | None) -> int | None:
    """Convert seconds to the timeout of `poll`; `None` means no limit."""
    if left is None or left > LONGEST:
        return None
    return math.ceil(max(0.0, left) * 1000)


def make_poll() -> Poll:
    """Return an object that waits for sockets."""
    return select.poll() if hasattr(select, "poll") else SelectPoll()


class SelectPoll:
    """Waits with `select.select`, as `select.poll()` does.

    A hang-up is reported only to those who ask to read or write.
    """

    def __init__(self) -> None:
        self._wanted: dict[int, int] = {}

    def register(self, file: sockets.socket | int, events: int, /) -> None:
        """Register a socket for these events. Raises `ValueError` if it is closed."""
        number = file if isinstance(file, int) else file.fileno()
        if number < 0:
            raise ValueError("the socket was closed")
        self._wanted[number] = events

    modify = register

    def poll(self, timeout: float | None = None, /) -> list[tuple[int, int]]:
        """Wait for events, at most `timeout` milliseconds; return descriptors and events."""
        seconds = None if timeout is None or timeout < 0 else timeout / 1000
        reading, writing, failing = (
            [number for number, events in self._wanted.items() if events & event]
            for event in (POLLIN, POLLOUT, POLLERR)
        )
        if not (reading or writing or failing):
            # On Windows, `select` raises an error if there is no socket.
            until = None if seconds is None else monotonic() + seconds
            while until is None or until > monotonic():
                sleep(_NAP if until is None else max(0.0, min(_NAP, until - monotonic())))
            return []
        try:
            found = select.select(reading, writing, failing, seconds)
        except OSError:
            # One of the sockets was closed meanwhile; using it will report that.
            return [(number, events | POLLERR) for number, events in self._wanted.items()]
        ready: dict[int, int] = {}
        for numbers, event in zip(found, (POLLIN, POLLOUT, POLLERR), strict=True):
            for number in numbers:
                ready[number] = ready.get(number, 0) | event
        return list(ready.items())


def joined(pieces: Sequence[bytes | memoryview]) -> bytes | memoryview:
    """Join the first pieces, up to `JOINED` octets, for a socket without `sendmsg`."""
    first = pieces[0]
    if len(first) >= JOINED:
        return first
    made = bytearray()
    for piece in pieces:
        if len(made) + len(piece) > JOINED:
            break
        made += piece
    return memoryview(made)


def describe(code: int) -> str:
    """Return the message for an error number of a socket."""
    # On Windows, `strerror` does not know the numbers of sockets.
    known: dict[int, str] = getattr(sockets, "errorTab", {})
    return known.get(code) or os.strerror(code)


def pass_on(error: BaseException) -> None:
    """Raise an `OSError` without a number again: a signal handler raised it, and not the system."""
    if isinstance(error, OSError) and error.errno is None:
        raise error


class _Reported:
    """A context that suppresses the errors that the system reports, but none that a signal handler raises."""

    __slots__ = ()

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        return isinstance(error, OSError) and error.errno is not None


REPORTED: Final = _Reported()


def no_descriptor(error: OSError, doing: str) -> TransportError:
    """Return the error for a selector or a pair of sockets that the system refused; nothing was sent yet."""
    return system_error(error, address=doing).marked(processed=Processed.NO)
