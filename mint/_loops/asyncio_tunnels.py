"""Asyncio: the reader of a connection that carries tunnels."""

from __future__ import annotations

import asyncio
import weakref
from time import monotonic
from typing import TYPE_CHECKING

from .asyncio_connecting import within
from .asyncio_link import AsyncioLink, EagerInbox, NextIteration
from .asyncio_waiting import Waiter, nudge

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._wire.link import Link
    from ..types import Transport


class LoopReader(EagerInbox):
    """Reads the connection that carries tunnels whenever the loop reports that it is readable."""

    def __init__(self, wire: Link, take: weakref.WeakMethod[Callable[[object], None]]) -> None:
        self._loop = asyncio.get_running_loop()
        self._wire = weakref.ref(wire)
        self._take = take
        self._soon = NextIteration(self._loop)
        self._waiting: set[Waiter] = set()
        if isinstance(wire, AsyncioLink):
            wire.progressed = self.notify  # a flush waits until the system has accepted everything

    def admit(self, transport: Transport) -> None:
        """Raise `TypeError` for a connection of another event loop."""
        if not isinstance(transport, AsyncioLink) or transport.loop is not self._loop:
            raise TypeError("these tunnels belong to another event loop than the connection")

    def watch(self, transport: Transport) -> None:
        """Watch the connection."""
        if not isinstance(transport, AsyncioLink):
            return
        if transport.armed and (transport.has_next or transport.likely):
            self._soon.ask(self._read)
        transport.ask()

    def unwatch(self, transport: Transport) -> None:
        """Stop watching the connection."""

    def _read(self) -> None:
        try:
            self._soon.begun()
            wire, take = self._wire(), self._take()
            out: list[object] = []
            if wire is None:
                return
            if take is None:
                wire.armed = False  # the tunnels were dropped, but not their connection; stop watching it
            elif wire.take_message(self, out):
                take(out[0])
            else:
                self.watch(wire)
        except BaseException:
            self._interrupted()
            raise

    def _interrupted(self) -> None:
        """Abandon the connection after an exception, because a message may have been lost."""
        self._soon.begun()
        wire = self._wire()
        if isinstance(wire, AsyncioLink):
            wire.armed = True  # for the message that reports it
            wire.loop_interrupted()

    def read_now(self, take: Callable[[object], object]) -> None:
        """Pass what has arrived to a function, without waiting."""
        try:
            wire = self._wire()
            out: list[object] = []
            while wire is not None and wire.take_message(self, out):
                take(out.pop())
        except BaseException:
            self._interrupted()
            raise

    def notify(self) -> None:
        """Wake the tasks that wait in `changed`."""
        for waiter in self._waiting:
            waiter.wake()

    def nudge(self) -> None:
        """Have the event loop run what a signal handler has woken."""
        nudge(self._loop)

    async def changed(self, until: float | None, phase: str) -> None:
        """Wait for the next `notify`; raise `TransportTimeout` when the time is up."""
        waiter = Waiter(loop=self._loop)
        self._waiting.add(waiter)
        try:
            await within(waiter, None if until is None else until - monotonic(), phase)
        finally:
            self._waiting.discard(waiter)

    def call_in_loop(self, work: Callable[[], object]) -> bool:
        """Have the loop call a function; any thread may ask for that. Returns false if the loop is closed."""
        try:
            self._loop.call_soon_threadsafe(work)
        except RuntimeError:
            return False
        return True

    def stop(self) -> None:
        """Stop reading."""
        self.notify()
