"""A clock that advances only when the test says so."""

import math
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from types import ModuleType
from typing import Final

_REAL: Final = {"monotonic": time.monotonic, "time": time.time, "sleep": time.sleep}


class FakeClock:
    """A clock for code that reads `monotonic` or `time`, or sleeps, through this object.

    `now` is in seconds. Give `clock.monotonic` to code that takes a clock; `installed` puts the clock in
    the place of the real one in modules that do not. A wait for a socket is a wait of the operating
    system and goes by the real clock: use a memory transport with it.
    """

    def __init__(self, now: float = 1000.0) -> None:
        if not math.isfinite(now):
            raise ValueError(f"a clock shows a finite number of seconds, got {now}")
        self.now: float = now

    def monotonic(self) -> float:
        """Return the time; calling the clock does the same."""
        return self.now

    __call__ = monotonic

    def time(self) -> float:
        """Return the time as seconds since the epoch."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let the time pass. Time does not go backwards, and has no end: `ValueError`."""
        if not 0 <= seconds < math.inf:
            raise ValueError(
                f"seconds must be finite and not negative: a clock cannot go back, got {seconds}"
            )
        self.now += seconds

    @contextmanager
    def installed(self, *modules: ModuleType) -> Generator["FakeClock"]:
        """Replace `monotonic`, `time` and `sleep` in these modules; without any, in all of mint's.

        What counts are the functions of the module `time` that a module has under these names. A module
        that imports `time` itself is not changed.
        """
        chosen = modules or tuple(module for name, module in list(sys.modules.items()) if _is_mint(name))
        replaced = [
            (module, name)
            for module in chosen
            for name, real in _REAL.items()
            if vars(module).get(name) is real
        ]
        for module, name in replaced:
            setattr(module, name, getattr(self, name))
        try:
            yield self
        finally:
            for module, name in replaced:
                setattr(module, name, _REAL[name])


def _is_mint(name: str) -> bool:
    package = __name__.removesuffix(".testing.clock")
    testing = __name__.removesuffix(".clock")
    return name.startswith(f"{package}.") and not (name + ".").startswith(f"{testing}.")
