"""A thread that watches sockets for event loops of asyncio that cannot.

The default loop of Windows (`ProactorEventLoop`) has no `add_reader`. The thread exists while a socket is
registered. It reports the sockets that are ready, and waits again after the loop has called their callbacks.
"""

from __future__ import annotations

import contextlib
import selectors
import socket as sockets
import threading
import weakref
from typing import TYPE_CHECKING

from .._core.link_base import Mutex
from .lock_event import LockEvent
from .system import CONNECTED, POLLIN, POLLOUT, make_poll, no_descriptor

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    Callbacks = dict[tuple[int, int], Callable[[], object]]

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
_EVENTS = {READ: POLLIN, WRITE: CONNECTED}


class _Watch:
    """A thread that waits for sockets until it is stopped."""

    def __init__(self, loop: weakref.ref[asyncio.AbstractEventLoop]) -> None:
        self._loop = loop
        self._lock = Mutex()
        self.callbacks: Callbacks = {}
        self._delivered = LockEvent()
        """Set unless the loop still has to call what was reported."""
        self._delivered.set()
        self._stopped = False
        try:
            self._wake_receiver, self._wake_sender = sockets.socketpair()
        except OSError as error:
            raise no_descriptor(error, "watching sockets") from error
        self._wake_receiver.setblocking(False)
        self._wake_sender.setblocking(False)
        threading.Thread(target=self._run, name="mint-sockets", daemon=True).start()

    # -- in the thread of the loop

    def change(self, key: tuple[int, int], callback: Callable[[], object] | None) -> None:
        """Register the callback for a descriptor and an event; `None` removes it."""
        with self._lock:
            if callback is None:
                self.callbacks.pop(key, None)
            else:
                self.callbacks[key] = callback
            self._wake()

    def stop(self) -> None:
        """End the thread, which closes its own sockets."""
        with self._lock:
            self._stopped = True
            self._delivered.set()
            self._wake()

    def _wake(self) -> None:
        # If the buffer is full, the thread will wake anyway; if the socket is closed, the thread has ended.
        with contextlib.suppress(OSError):
            self._wake_sender.send(b"\0")

    def _deliver(self, ready: Callbacks) -> None:
        """Call the callbacks that are still registered."""
        try:
            for key, callback in ready.items():
                # A callback may have changed the registrations, and the number may belong to another socket.
                if self.callbacks.get(key) == callback:
                    callback()
        finally:
            self._delivered.set()

    # -- in its own thread

    def _run(self) -> None:
        with contextlib.closing(self._wake_receiver), contextlib.closing(self._wake_sender):
            while True:
                self._delivered.wait(None)
                with self._lock:
                    if self._stopped:
                        return
                    wanted = dict(self.callbacks)
                if ready := self._wait(wanted):
                    self._delivered.clear()
                    loop = self._loop()
                    if loop is None or self._stopped:  # or `stop` set the event before it was cleared
                        return
                    try:
                        loop.call_soon_threadsafe(self._deliver, ready)
                    except RuntimeError:  # the loop is closed
                        return
                    del loop

    def _wait(self, wanted: Callbacks) -> Callbacks:
        """Wait until one of these, or the wake-up socket, is ready; return those that are ready."""
        poll = make_poll()
        events: dict[int, int] = {}
        for number, event in wanted:
            events[number] = events.get(number, 0) | _EVENTS[event]
        for number, asked in events.items():
            poll.register(number, asked)
        poll.register(self._wake_receiver, POLLIN)
        found = dict(poll.poll())
        with contextlib.suppress(OSError):
            while self._wake_receiver.recv(4096):
                pass
        # An error or a hang-up is reported for reading and for writing.
        concerned = {READ: ~POLLOUT, WRITE: ~POLLIN}
        return {key: each for key, each in wanted.items() if found.get(key[0], 0) & concerned[key[1]]}


class ThreadPoller:
    """Calls back in the thread of a loop while a descriptor can be read or written."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = weakref.ref(loop)
        self._watch: _Watch | None = None

    def add_reader(self, fd: int, callback: Callable[[], object]) -> None:
        """Call back while the descriptor can be read."""
        self._change((fd, READ), callback)

    def remove_reader(self, fd: int) -> None:
        """Stop calling back for reading."""
        self._change((fd, READ), None)

    def add_writer(self, fd: int, callback: Callable[[], object]) -> None:
        """Call back while the descriptor can be written."""
        self._change((fd, WRITE), callback)

    def remove_writer(self, fd: int) -> None:
        """Stop calling back for writing."""
        self._change((fd, WRITE), None)

    def _change(self, key: tuple[int, int], callback: Callable[[], object] | None) -> None:
        if self._watch is None:
            if callback is None:
                return
            self._watch = _Watch(self._loop)
        self._watch.change(key, callback)
        if not self._watch.callbacks:
            self._watch.stop()
            self._watch = None
