"""What a loop of asyncio talks to, and what is known of loops: how they read, and how much is let come.

The loop holds the transport, the transport holds a `Wire`, and a `Wire` holds the link weakly: who drops the
last connection value closes the connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .asyncio_link import AsyncioLink

MOST_HELD = 524_288
"""Above how many octets that nobody has asked for yet reading pauses: two reads of asyncio's own loop."""

MOST_HELD_ELSEWHERE = 131_072
"""The same for loops that read on and on before anybody could take what came (uvloop)."""

FIRST_READ = 262_144
"""The octets of a read of our own, to begin with: as much as asyncio's loop reads at once."""

MUCH = 65_536
"""After how many octets in one push there is probably more to be had at once."""


def most_held(loop: asyncio.AbstractEventLoop) -> int:
    """Return above how many octets that nobody has asked for yet reading pauses."""
    return MOST_HELD if isinstance(loop, asyncio.SelectorEventLoop) else MOST_HELD_ELSEWHERE


def much(loop: asyncio.AbstractEventLoop) -> int:
    """Return after how many octets in one push the socket is read by others than the loop.

    Only loops that read once the system says that there is something leave the rest in the socket. One that
    asks the system to read for it (IOCP) has a read under way at any time, which comes before ours.
    """
    by_readiness = isinstance(loop, asyncio.SelectorEventLoop) or (
        sys.platform != "win32" and type(loop).__module__.partition(".")[0] == "uvloop"
    )
    return MUCH if by_readiness else sys.maxsize


class Wire(asyncio.Protocol):
    """What the loop talks to: passes on to the link, while there is one."""

    def __init__(self, link: AsyncioLink, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.transport: asyncio.Transport | None = None
        self._link = weakref.ref(link, self._dropped)

    def _dropped(self, _: object) -> None:
        # The garbage collector runs in any thread.
        if self.transport is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self.transport.abort)

    def data_received(self, data: bytes) -> None:
        """Take one read."""
        link = self._link()
        if link is not None:
            link.read(data)

    def eof_received(self) -> bool:
        """Take the peer's end; our direction stays open."""
        link = self._link()
        if link is not None:
            link.read(b"")
        return link is not None

    def pause_writing(self) -> None:
        """Take that the system is full."""
        link = self._link()
        if link is not None:
            link.full = True

    def resume_writing(self) -> None:
        """Take that the system has taken everything."""
        link = self._link()
        if link is not None:
            link.resumed()

    def connection_lost(self, exc: Exception | None) -> None:
        """Take that the transport is gone."""
        link = self._link()
        if link is not None:
            link.lost(exc)
