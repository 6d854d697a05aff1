"""Fetch the URLs one after another, or several at once, with the connections of a pool.

Every failure becomes one line on stderr and an exit code. A traceback is a defect.
"""

from __future__ import annotations

import sys
import threading
from contextlib import ExitStack
from time import monotonic
from typing import TYPE_CHECKING

from .. import errors
from .arguments import parse
from .codes import exit_code, text_of
from .connecting import Dialer
from .outputs import OutputOrder
from .progress import Progress
from .show import clearing, complain, give_up_output
from .transfer import Transfer
from .usage import CommandError, OutputRefused
from .verbose import log_to_stderr, quiet, stop_logging

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..pool import Pool
    from .arguments import CommandLine

_FAILURES = (CommandError, errors.MintError, OSError, ValueError)
_PATIENCE = 1.0
"""How many seconds to wait for transfers that were interrupted."""


class Fetcher:
    """Fetches all URLs of the command line."""

    def __init__(self, settings: CommandLine) -> None:
        """Prepare the transfers; `run` starts them."""
        self._settings = settings
        self._until = None if settings.max_time is None else monotonic() + settings.max_time
        self._dialer = Dialer(settings)
        self._progress = Progress(sys.stderr, shown=not (settings.silent or settings.verbose))
        outputs = OutputOrder()
        self._transfers = [
            Transfer(settings, order, number, outputs.add(), self._progress)
            for number, order in enumerate(settings.orders)
        ]
        self._codes = [0] * len(self._transfers)
        self._fatal: list[BaseException] = []
        """Exceptions that end all transfers, for example because the output cannot be written."""

    def run(self) -> int:
        """Fetch everything; return the exit code of the first transfer that failed."""
        with ExitStack() as stack:
            stack.enter_context(clearing(self._progress.clear))
            if self._settings.verbose:
                stack.callback(stop_logging, log_to_stderr())
            pool = stack.enter_context(self._dialer.make_pool())
            if self._settings.parallel > 1 and len(self._transfers) > 1:
                self._run_together(pool)
            else:
                for number in range(len(self._transfers)):
                    self._run_one(number, pool)
        try:
            self._dialer.end_recording()
        except OutputRefused as error:
            self._codes.append(error.code)
            self._complain(error)
        return next((code for code in self._codes if code), 0)

    def _run_one(self, number: int, pool: Pool) -> None:
        try:
            self._transfers[number].run(pool, self._dialer, self._until)
        except BrokenPipeError:
            raise
        except _FAILURES as error:
            self._codes[number] = exit_code(error)
            if not (self._fatal and isinstance(error, errors.PoolClosed)):  # what closed the pool is reported
                self._complain(error)

    def _complain(self, error: BaseException) -> None:
        if not self._settings.silent or self._settings.show_error:
            complain(text_of(error))

    def _run_together(self, pool: Pool) -> None:
        waiting = iter(range(len(self._transfers)))
        lock = threading.Lock()

        def work() -> None:
            try:
                while not self._fatal:
                    with lock:
                        number = next(waiting, None)
                    if number is None:
                        return
                    self._run_one(number, pool)
            except BaseException as error:  # noqa: BLE001  # raised again in the main thread
                self._fatal.append(error)
                pool.close()

        count = min(self._settings.parallel, len(self._transfers))
        threads = [threading.Thread(target=work, daemon=True) for _ in range(count)]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        except BaseException as error:
            self._fatal.append(error)
            pool.close()
            _await_end(threads)
            raise
        if self._fatal:
            raise self._fatal[0]


def _await_end(threads: Sequence[threading.Thread]) -> None:
    """Wait a moment for threads that were interrupted; some may not have been started."""
    until = monotonic() + _PATIENCE
    for thread in threads:
        if thread.is_alive():
            thread.join(max(0.0, until - monotonic()))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    if sys.stdout is None:
        # Python has no stream if the shell has closed the descriptor (>&-).
        complain("standard output is closed")
        return 23
    try:
        with quiet():
            return Fetcher(parse(arguments)).run()
    except BrokenPipeError:
        # The reader of the output has closed it. Python must not report that again at exit.
        give_up_output()
        return 23
    except KeyboardInterrupt:
        complain("interrupted")
        return 130
    except _FAILURES as error:
        complain(text_of(error))
        return exit_code(error)
