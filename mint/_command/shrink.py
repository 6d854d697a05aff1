"""`python -m mint shrink FILE --check COMMAND`: make a smaller transcript with the same behaviour."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from .._checks import LONGEST
from ..transcripts import TranscriptError
from ..transcripts._reading import Transcript, read_transcript
from .options import Parser
from .replay import FINE, INTERRUPTED, NO_OUTPUT, WRONG
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
    add("file", metavar="FILE", help="the transcript")
    add(
        "--check",
        metavar="COMMAND",
        required=True,
        help="exits with 0 if a transcript still shows the behaviour; {} is replaced by the name of the "
        "file, which is otherwise added at the end",
    )
    add(
        "-o", "--output", metavar="FILE", help="write the result to this file (default: FILE with .min added)"
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


def _sizes(transcript: Transcript, path: str) -> str:
    return f"{len(transcript.parts)} steps, {Path(path).stat().st_size} octets"


def _run(arguments: Sequence[str]) -> int:
    made = parser()
    made.refuse_unknown(arguments)
    given = made.parse_args(arguments)
    if given.runs < 1:
        raise UsageError("--runs must be a number, 1 or more")
    if not 0 < given.timeout <= LONGEST:
        raise UsageError("--timeout must be a positive number of seconds")
    output: str = given.output or f"{given.file}.min"
    try:
        best = read_transcript(given.file)
    except TranscriptError as error:
        raise CommandError(f"{given.file}: {error}") from error
    except OSError as error:
        raise CommandError(f"{given.file}: {error.strerror or error}") from error
    except ValueError as error:  # NUL in the name of a file
        raise CommandError(f"{given.file!a}: {error}") from error
    code = FINE
    with tempfile.TemporaryDirectory(prefix="mint-") as folder:
        check = _Check(given.check, folder, given.runs, given.timeout)
        try:
            if not check(best):
                raise CommandError("--check must exit with code 0 for the whole transcript")
            # A place that cannot be written is noticed now, not after all the work.
            _write(best, output)
            for smaller in shrink(best, check):
                best = smaller
        except _Spent:
            say(f"* stopped after {given.runs} runs of the check (see --runs)")
        except KeyboardInterrupt:
            code = INTERRUPTED
    _write(best, output)
    say(f"* {output}: {_sizes(best, output)}")
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
