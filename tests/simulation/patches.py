"""Replaces the real system by the simulated one in the modules of mint, asyncio and trio.

The modules of mint do not know of it: while a simulation runs, `socket`, `select`, `selectors`, `threading`
and `time`, and their functions, are replaced in the namespaces of modules.
"""

from __future__ import annotations

import asyncio.selector_events
import importlib
import pkgutil
import select
import selectors
import socket
import sys
import threading
import time
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING

import trio._core._io_epoll
import trio._core._wakeup_socketpair

import mint
from mint._core import link_base
from mint._loops.lock_event import LockEvent
from mint._wire.stream import Tunnel

from .locks import SimCondition, SimEvent, SimLock, SimMutex, SimRLock
from .polling import SimEpoll, SimEpollSelector, SimPoll, sim_select
from .sockets import Machine, SimSocket, socketpair

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Replaced(ModuleType):
    """A module in which some names are replaced."""

    def __init__(self, module: ModuleType, names: Mapping[str, object]) -> None:
        super().__init__(module.__name__)
        self.__dict__.update(vars(module), **names)


def now() -> float:
    """Return the time of the simulated clock."""
    return Machine.kernel().now


def sleep(seconds: float) -> None:
    """Wait on the simulated clock."""
    Machine.kernel().wait(lambda: False, seconds)


NAMES: dict[ModuleType, dict[str, object]] = {
    socket: {"socket": SimSocket, "socketpair": socketpair},
    select: {"poll": SimPoll, "epoll": SimEpoll, "select": sim_select},
    selectors: {"DefaultSelector": SimEpollSelector, "EpollSelector": SimEpollSelector},
    threading: {"Lock": SimLock, "RLock": SimRLock, "Condition": SimCondition, "Event": SimEvent},
    time: {"monotonic": now, "sleep": sleep, "perf_counter": now},
}


def modules() -> list[ModuleType]:
    """Return every module whose view of the system is replaced."""
    for found in pkgutil.walk_packages(mint.__path__, "mint."):
        if not found.name.endswith("__main__") and ".testing" not in found.name:
            importlib.import_module(found.name)
    ours = [module for name, module in sys.modules.items() if name.partition(".")[0] == "mint"]
    return [
        *(module for module in ours if not {"testing", "_core"} & set(module.__name__.split("."))),
        asyncio.selector_events,
        trio._core._io_epoll,
        trio._core._wakeup_socketpair,
    ]


@contextmanager
def simulated_system() -> Iterator[None]:
    """Replace the system for the length of the block."""
    counterparts: dict[int, object] = {}
    for module, names in NAMES.items():
        counterparts[id(module)] = Replaced(module, names)
        counterparts.update({id(getattr(module, name)): what for name, what in names.items()})
    # Waiting for it would block the only thread that runs; compiled code waits only for locks held briefly.
    counterparts[id(link_base.Mutex)] = SimMutex
    counterparts[id(LockEvent)] = SimEvent
    undo: list[tuple[ModuleType, str, object]] = []
    wakeup = trio._core._wakeup_socketpair.WakeupSocketpair
    on_signals = wakeup.wakeup_on_signals
    # The real system must not get a descriptor number of the simulated one.
    wakeup.wakeup_on_signals = lambda self: None  # type: ignore[method-assign]  # undone below
    write = Tunnel.write

    def counted(self: Tunnel, octets: bytes | memoryview[int]) -> None:
        write(self, octets)
        kernel = Machine.kernel()
        kernel.waiting = max(kernel.waiting, self.waiting)

    Tunnel.write = counted  # type: ignore[method-assign]  # undone below
    try:
        for module in modules():
            for name, value in list(vars(module).items()):
                if id(value) in counterparts and not name.startswith("__"):
                    undo.append((module, name, value))
                    setattr(module, name, counterparts[id(value)])
        yield
    finally:
        wakeup.wakeup_on_signals = on_signals  # type: ignore[method-assign]  # as above
        Tunnel.write = write  # type: ignore[method-assign]  # as above
        for module, name, value in undo:
            setattr(module, name, value)
