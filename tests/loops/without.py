"""A plugin of pytest that makes Python lack what it lacks on other systems, before mint is imported.

    PYTHONPATH=tests/loops MINT_WITHOUT=windows python -m pytest -p without tests/loops/test_async_loops.py

So the parts of mint that are for other systems run on this one. `test_other_systems.py` does that.
"""

from __future__ import annotations

import asyncio
import os
import select
import selectors
import socket
from typing import Final

import trio  # noqa: F401  # imported before anything is removed, so that they keep what they found
import uvloop  # noqa: F401  # as above

POLL: Final = ("poll", "POLLIN", "POLLOUT", "POLLERR", "POLLHUP", "POLLNVAL", "POLLPRI")
LACKING: Final = {
    "windows": {select: POLL, socket: ("AF_UNIX", "MSG_DONTWAIT"), os: ("fork", "register_at_fork")},
    # macOS has MSG_DONTWAIT, but a `send` that waits in spite of it; some versions have no `poll` that works.
    "macos": {select: POLL, socket: ("MSG_DONTWAIT",)},
}
"""The names to remove, by system. (`select` keeps `epoll`, of which the event loop of trio is made.)"""


class Absent:
    """An attribute that a class seems not to have, though its base class has it."""

    def __get__(self, instance: object, owner: type) -> object:
        raise AttributeError


def remove(system: str) -> None:
    """Remove what the system lacks; what stays works as before."""
    make_pair, family = socket.socketpair, socket.AF_UNIX

    def socketpair() -> tuple[socket.socket, socket.socket]:
        return make_pair(family)

    socket.socketpair = socketpair  # type: ignore[assignment]  # the real one looks for AF_UNIX
    for module, names in LACKING[system].items():
        for name in names:
            delattr(module, name)
    if system == "windows":
        socket.socket.sendmsg = Absent()  # type: ignore[method-assign, assignment]  # it hides the method
        selectors.DefaultSelector = selectors.SelectSelector  # type: ignore[misc, assignment]  # no descriptor
        for name in ("add_reader", "add_writer"):
            # The default loop of Windows inherits them, and they raise NotImplementedError. (The methods that
            # remove are used inside asyncio.)
            setattr(asyncio.SelectorEventLoop, name, getattr(asyncio.AbstractEventLoop, name))


if lacking := os.environ.get("MINT_WITHOUT"):
    remove(lacking)
