"""Which processors the end-to-end rows run on: clients on one, servers on the others.

Where both share a processor, the system's work for the server is often charged to the client, and a
transfer costs up to four times as much. Machines with one processor, or without affinities, do without.
"""

from __future__ import annotations

import os


def _known() -> list[int]:
    ask = getattr(os, "sched_getaffinity", None)
    return sorted(ask(0)) if ask is not None else []


_ALL = _known()


def keep(pid: int, *, client: bool) -> None:
    """Keep a process (0 is this one), and what it starts, on the processors of its side."""
    if len(_ALL) > 1:
        os.sched_setaffinity(pid, _ALL[-1:] if client else _ALL[:-1])
