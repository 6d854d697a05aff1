"""A clock that advances only when the test advances it."""

import math
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from types import ModuleType
from typing import Final

_REAL: Final = {"monotonic": time.monotonic, "time": time.time, "sleep": time.sleep}


class FakeClock:
    """A clock that replaces `time.monotonic`, `time.time` and `time.sleep`.

    Pass `clock.monotonic` to code that takes a clock; `installed` replaces the functions in modules that do
    not. The operating system waits for sockets with its own clock, so use connections in memory
    (`mint.testing.memory`) with this one.

    Args:
        now: the time at the beginning, in seconds, which must be finite (`ValueError`). The attribute `now`
            is the current time.

    """

    def __init__(self, now: float = 1000.0) -> None:
        if not math.isfinite(now):
            raise ValueError(f"now must be a finite number of seconds, got {now}")
        self.now: float = now

    def monotonic(self) -> float:
        """Return the time in seconds; calling the clock does the same."""
        return self.now

    __call__ = monotonic

    def time(self) -> float:
        """Return the time in seconds; it is the same as `monotonic`."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Advance the clock instead of sleeping; the arguments and errors are those of `advance`."""
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Advance the clock. Raises `ValueError` if `seconds` is negative or not finite."""
        if not 0 <= seconds < math.inf:
            raise ValueError(
                f"seconds must be finite and not negative, because a clock cannot go back: got {seconds}"
            )
        self.now += seconds

    @contextmanager
    def installed(self, *modules: ModuleType) -> Generator["FakeClock"]:
        """Replace `monotonic`, `time` and `sleep` in these modules while the `with` block runs.

        Without arguments, it replaces them in all modules of mint that are loaded, except `mint.testing`. It
        affects only modules that import these functions by name: `from time import monotonic`, but not
        `import time`.
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
