"""Which processors the end-to-end rows use: clients run on one, servers on the others.

If both share a processor, the system's work for the server is often charged to the client, and a transfer
costs up to four times as much. On machines with one processor, or without affinities, this does nothing.
"""

from __future__ import annotations

import os


def _known() -> list[int]:
    ask = getattr(os, "sched_getaffinity", None)
    return sorted(ask(0)) if ask is not None else []


_ALL = _known()


def keep(pid: int, *, client: bool) -> None:
    """Restrict a process (0 is this one), and what it starts, to the processors of clients or servers."""
    if len(_ALL) > 1:
        os.sched_setaffinity(pid, _ALL[-1:] if client else _ALL[:-1])
