"""What depends on the process: whether a fork has happened, and numbers that no other process uses.

The answers take no system call, because they are needed for every connection. They rely on the hooks that
Python calls in a child process (`os.register_at_fork`).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from ._core.messages import Numbers

if TYPE_CHECKING:
    from collections.abc import Callable

IDENTITIES: Final = 2**64
"""The number of possible identities of a connection, which its refs carry."""


class Process:
    """Stands for a process; a forked child makes one of its own."""

    __slots__ = ("identity",)

    def __init__(self) -> None:
        self.identity: Callable[[], int] = Numbers(int.from_bytes(os.urandom(8))).next
        """Return a number of 64 bits that this process has not returned before.

        The numbers start at a random one, so that two processes return different ones. They are no secret.
        """


_current = Process()


def current_process() -> Process:
    """Return the object that stands for this process; compare it with `is`."""
    return _current


def _forked() -> None:
    global _current  # noqa: PLW0603  # a child must not continue with what its parent uses
    _current = Process()


if hasattr(os, "register_at_fork"):  # where processes can fork
    os.register_at_fork(after_in_child=_forked)
