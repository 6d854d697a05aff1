"""Processes that keep the machine busy while something is measured."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

# It ends when the pipe to its parent is closed, so it does not outlive a run that was killed. A thread waits
# for that, and the loop itself makes no system call.
_LOOP = """
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.buffer.read(), os._exit(0)), daemon=True).start()
while True:
    pass
"""


@contextlib.contextmanager
def busy(count: int) -> Generator[None]:
    """Run so many processes that loop in Python, with the priority of this one, for the length of a block."""
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            loop = stack.enter_context(subprocess.Popen([sys.executable, "-c", _LOOP], stdin=subprocess.PIPE))
            stack.callback(loop.kill)
        yield
