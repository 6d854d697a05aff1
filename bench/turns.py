"""Downloads in turns, all in one process: `python -m bench.turns`.

Loopback has a quick and a slow way of passing octets on, and chance decides which one a connection falls
into. In turns, everybody meets the same machine: time and CPU of 100 MB, medians.
"""

from __future__ import annotations

import statistics
import time

from . import net, places
from .contenders import net_stdlib, net_worlds
from .measure import duration

TURNS = 31
LOOPS = {
    "recv loop": net_stdlib.recv_loop,
    "mint, recv": net_worlds.blocking,
    "mint, mailbox": net_worlds.mailbox,
    "asyncio loop": net_worlds.recv_asyncio,
    "mint, asyncio": net_worlds.under_asyncio,
    "uvloop loop": net_worlds.recv_uvloop,
    "mint, uvloop": net_worlds.under_uvloop,
}


def main() -> None:
    """Print the medians."""
    errand = net.down()
    places.keep(0, client=True)
    runs = {name: make(errand) for name, make in LOOPS.items()}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for _ in range(TURNS):
        for name, run in runs.items():
            lasted, spent = time.perf_counter(), time.process_time()
            run(1)
            times[name].append((time.perf_counter() - lasted, time.process_time() - spent))
    for name, taken in times.items():
        lasted, spent = (statistics.median(column) for column in zip(*taken, strict=True))
        print(f"{name:16} {duration(lasted):>8}  CPU {duration(spent):>8}")


if __name__ == "__main__":
    main()
