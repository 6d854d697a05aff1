"""`python -m mint shrink FILE --check COMMAND`: make a smaller transcript with the same behaviour."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from .._checks import LONGEST
from ..transcripts._reading import Transcript, read_transcript
from .options import Parser
from .remaking import text
from .replay import FINE, INTERRUPTED, NO_OUTPUT, STANDARD, WRONG, errors_of, source_of
from .show import complain, say
from .shrinking import shrink
from .usage import CommandError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

_PLACE = "{}"


class _Spent(Exception):  # noqa: N818  # an event, not an error
    """The check was run as often as --runs allows."""


def parser() -> Parser:
    """Return the parser of the command line."""
    made = Parser(
        prog="python -m mint shrink",
        description="Make a transcript smaller. Steps, fields, octets and options are removed as long as a "
        "command finds that the transcript still shows the behaviour that you are looking for.",
        epilog="Exit codes: 0 success, 2 invalid transcript or command line, or the check fails for the "
        "whole transcript, 23 output cannot be written, 130 interrupted. After an interrupt, the smallest "
        "transcript found so far is written.",
    )
    add = made.add_argument
    add("file", metavar="FILE", help="the transcript; - for stdin")
    add(
        "--check",
        metavar="COMMAND",
        required=True,
        help="exits with 0 if a transcript still shows the behaviour; {} is replaced by the name of the "
        "file, which is otherwise added at the end",
    )
    add(
        "-o",
        "--output",
        metavar="FILE",
        help="write the result to this file; - for stdout (default: FILE with .min added, stdout for stdin)",
    )
    add(
        "--runs",
        type=int,
        default=10_000,
        metavar="COUNT",
        help="run the check at most this often (default 10000)",
    )
    add(
        "--timeout",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="let a check that takes longer than this fail (default 60)",
    )
    return made


class _Check:
    """Runs the command on candidates."""

    def __init__(self, command: str, folder: str, runs: int, timeout: float) -> None:
        try:
            self._words = shlex.split(command)
        except ValueError as error:
            raise UsageError(f"--check: {error}") from None
        if not self._words:
            raise UsageError("--check needs a command")
        if not any(_PLACE in word for word in self._words):
            self._words.append(_PLACE)
        self._path = str(Path(folder, "transcript"))
        self._left = runs
        self._timeout = timeout

    def __call__(self, candidate: Transcript) -> bool:
        if self._left <= 0:
            raise _Spent
        self._left -= 1
        _write(candidate, self._path)
        command = [word.replace(_PLACE, self._path) for word in self._words]
        try:
            ended = subprocess.run(  # noqa: S603  # the command is the user's
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=self._timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False
        except OSError as error:
            raise CommandError(f"--check: {self._words[0]}: {error.strerror or error}") from error
        return ended.returncode == 0


def _write(transcript: Transcript, path: str) -> None:
    with open(path, "w", encoding="utf-8", opener=_private) as file:  # with an opener
        transcript.write(file)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _finish(transcript: Transcript, output: str) -> None:
    """Write the result and say how large it is."""
    made = text(transcript)
    if output != STANDARD:
        _write(transcript, output)
    elif sys.stdout is None:
        raise UsageError("standard output is closed")
    else:
        sys.stdout.write(made)
        sys.stdout.flush()
    named = "standard output" if output == STANDARD else output
    say(f"* {named}: {len(transcript.parts)} steps, {len(made.encode())} octets")


def _read(file: str) -> Transcript:
    with errors_of(file):
        return read_transcript(source_of(file))


def _run(arguments: Sequence[str]) -> int:
    made = parser()
    made.refuse_unknown(arguments)
    given = made.parse_args(arguments)
    if given.runs < 1:
        raise UsageError("--runs must be a number, 1 or more")
    if not 0 < given.timeout <= LONGEST:
        raise UsageError("--timeout must be a positive number of seconds")
    output: str = given.output or (STANDARD if given.file == STANDARD else f"{given.file}.min")
    best = _read(given.file)
    code = FINE
    with tempfile.TemporaryDirectory(prefix="mint-") as folder:
        check = _Check(given.check, folder, given.runs, given.timeout)
        try:
            if not check(best):
                raise CommandError("--check must exit with code 0 for the whole transcript")
            # A place that cannot be written is noticed now, not after all the work.
            if output != STANDARD:
                _write(best, output)
            for smaller in shrink(best, check):
                best = smaller
        except _Spent:
            say(f"* stopped after {given.runs} runs of the check (see --runs)")
        except KeyboardInterrupt:
            code = INTERRUPTED
    _finish(best, output)
    return code


def main(arguments: Sequence[str]) -> int:
    """Run the command and return the exit code."""
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        complain("interrupted")
        return INTERRUPTED
    except CommandError as error:
        complain(str(error))
        return WRONG
    except OSError as error:
        complain(f"{error.filename or 'cannot write'}: {error.strerror or error}")
        return NO_OUTPUT
