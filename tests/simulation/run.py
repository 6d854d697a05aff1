"""One run of a row of the table with a seed, and the violations that it finds."""

from __future__ import annotations

import gc
import signal
import warnings
from typing import TYPE_CHECKING, NamedTuple

import mint

from .async_callers import CALLERS
from .choices import Choices
from .handles import Late
from .kernel import Kernel, Stuck
from .programs import PROGRAMS, Program
from .record import Record
from .routes import listen
from .sockets import Machine
from .table import behaviours

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .table import Row


class Result(NamedTuple):
    """The result of a run."""

    violations: tuple[str, ...]
    choices: tuple[int, ...]
    calls: int
    trace: tuple[str, ...] = ()


LONGEST = 60
"""The seconds of real time after which a run is stopped; it usually takes a few milliseconds."""

MOST_SEALED = 400_000
"""How much more than the high-water mark may be encrypted before it can leave, in octets."""

MOST_WAITING = 80_000
"""How many octets may wait for the windows of a tunnel: 64 KiB, and what TLS adds.

Octets that wait are processed again for every WINDOW_UPDATE, so if all of an upload waited, it would take
quadratic time.
"""


def run(
    row: Row,
    seed: int | None = None,
    recorded: Sequence[int] = (),
    *,
    traced: bool = False,
    program: Program | None = None,
) -> Result:
    """Run a row by a seed, or by recorded choices. The simulated system must be in place.

    `program` replaces what the row says that the caller does.
    """
    choices = Choices(None if seed is None else f"{row} {seed}", recorded)
    kernel = Kernel(choices)
    kernel.capacity = (65_536, 4_096, 16_384)[choices.below(3)]
    if traced:
        kernel.trace = []
    Machine.current = kernel
    record = Record(kernel)
    listen(record, row.route, behaviours(row.action)[row.peer])
    high_water = (1_048_576, 1_000, 30_000)[choices.below(3)]
    caller = None

    def spin(_number: int, _frame: object) -> None:
        kernel.blame("the program goes round in circles without a system call")
        raise Stuck

    before = signal.signal(signal.SIGALRM, spin)
    signal.alarm(LONGEST)
    try:
        caller = CALLERS[row.loop](record, row.route, mint.TCPOptions(high_water=high_water))
        caller.run(program or PROGRAMS[row.action])
    except Stuck:
        kernel.note("stuck")
    except Late:
        kernel.blame("waited in vain")
    except Exception as error:  # noqa: BLE001  # any exception is a finding
        kernel.blame(f"{type(error).__name__} left the library: {error}")
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    kernel.quiet = True
    for each in record.check() if "everyone waits and nothing will happen" not in kernel.violations else ():
        kernel.blame(each)
    if "TLS" in row.route and kernel.largest > high_water + MOST_SEALED:
        kernel.blame("much more was encrypted than the queue may hold")
    if kernel.waiting > MOST_WAITING:
        kernel.blame("much more waited in a tunnel than its windows are given at once")
    check_end(kernel, caller)
    result = Result(tuple(kernel.violations), tuple(choices.made), kernel.calls, tuple(kernel.trace or ()))
    kernel.over = True
    Machine.current = None
    return result


def check_end(kernel: Kernel, caller: object) -> None:
    """Check that no lock is held and nothing is left open."""
    if kernel.violations:
        return
    if any(lock.locked() for lock in kernel.locks):
        kernel.blame("a lock is still held")
    del caller
    if kernel.files:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()
        if kernel.files:
            kernel.blame(f"{len(kernel.files)} descriptors are left open")
