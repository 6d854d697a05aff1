"""`python -m mint replay FILE`: replay a transcript with the engine, and show every step."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from ..transcripts import Replay, ReplayedStep, TranscriptError, replay
from .options import Parser
from .show import complain, give_up_output
from .usage import CommandError, UsageError

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

FINE, DIFFERS, WRONG, NO_OUTPUT, INTERRUPTED = 0, 1, 2, 23, 130
STANDARD = "-"
"""The name that stands for standard input or output."""
_HELP = "Enter: next step; b: previous step; a number: that step; l: list the steps that differ; q: quit"


def parser() -> Parser:
    """Return the parser of the command line."""
    made = Parser(
        prog="python -m mint replay",
        description="Replay a transcript without a network and show every step, with the states before and "
        "after it. Steps that differ from the transcript are marked.",
        epilog="Exit codes: 0 no step differs, 1 a step differs, 2 invalid transcript or command line, "
        "23 output cannot be written, 130 interrupted.",
    )
    add = made.add_argument
    add("file", metavar="FILE", help="the transcript; - for stdin")
    add("--step", action="store_true", help="stop after each step and ask which step to show next")
    add("--from", dest="first", type=int, default=0, metavar="STEP", help="the first step to show")
    add("--until", dest="last", type=int, metavar="STEP", help="the last step to show")
    add("--json", action="store_true", help="print each step as a JSON object on a line of its own")
    add("-q", "--quiet", action="store_true", help="show only the steps that differ")
    return made


def _as_text(step: ReplayedStep) -> str:
    """Return a step as text for people."""
    lines = [f"step {step.index}: {step.call}, connection {step.connection}, line {step.line}"]
    if step.before is not None:
        lines.append(f"  before: {step.state_before}")
    lines += [f"  {line}" for line in step.input]
    lines += [f"  {line}" for line in step.results if not line.startswith(".")]
    lines.append(f"  after: {step.state_after}")
    if step.recorded is None:
        lines.append("  no results were recorded")
    if step.differences:
        lines.append("  the result (+) differs from the record (-):")
        lines += [f"    {line}" for line in step.differences]
    return "\n".join([*lines, ""])


def _as_json(step: ReplayedStep) -> str:
    return json.dumps(
        {
            "step": step.index,
            "connection": step.connection,
            "number": step.number,
            "line": step.line,
            "call": step.call,
            "input": step.input,
            "before": step.state_before or None,
            "after": step.state_after,
            "results": step.results,
            "output": step.output.hex(),
            "error": None if step.error is None else {"reason": step.error.reason, "text": str(step.error)},
            "recorded": step.recorded,
            "differences": step.differences,
        }
    )


def _put(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _walk(steps: Replay, first: int) -> None:
    """Show steps one by one, as requested on the standard input."""
    by_index = {str(step.index): place for place, step in enumerate(steps)}
    place = 0
    _put(_HELP)
    while 0 <= place < len(steps):
        _put(_as_text(steps[place]))
        while True:
            sys.stdout.write("> ")
            sys.stdout.flush()
            line = sys.stdin.readline() if sys.stdin is not None else ""
            word = line.strip()
            if not line or word == "q":
                return
            if word == "l":
                _put(" ".join(str(step.index) for step in steps.differing) or "none differs")
                continue
            if word in {"", "n", "b"}:
                place = max(0, place - 1) if word == "b" else place + 1
                break
            if word in by_index:
                place = by_index[word]
                break
            _put(f"{_HELP} (steps {first} to {first + len(steps) - 1})")


def source_of(file: str) -> str | TextIO:
    """Return what to read a transcript from: the name of a file, or standard input for `-`."""
    if file != STANDARD:
        return file
    if sys.stdin is None:
        raise UsageError("standard input is closed")
    return sys.stdin


@contextmanager
def errors_of(file: str) -> Generator[None]:
    """Raise errors of reading a transcript as those of the command, with the name of the file."""
    try:
        yield
    except TranscriptError as error:
        raise CommandError(f"{file}: {error}") from error
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror or error}") from error
    except ValueError as error:  # NUL in the name of a file
        raise CommandError(f"{file!a}: {error}") from error


def _replayed(file: str) -> Replay:
    with errors_of(file):
        return replay(source_of(file))


def _run(arguments: Sequence[str]) -> int:
    made = parser()
    made.refuse_unknown(arguments)
    given = made.parse_args(arguments)
    if given.step and (given.json or given.file == STANDARD):
        raise UsageError(
            "--step reads keys from standard input and shows text: it cannot be used with --json or -"
        )
    if given.first < 0 or (given.last is not None and given.last < given.first):
        raise UsageError("--from and --until must be numbers of steps, and --from must not be greater")
    whole = _replayed(given.file)
    if given.first >= max(1, len(whole)):
        raise UsageError(
            f"--from: the last step is {len(whole) - 1}" if whole else "--from: there are no steps"
        )
    shown = whole[given.first : None if given.last is None else given.last + 1]
    if given.step:
        _walk(shown, given.first)
    else:
        for step in shown:
            if not given.quiet or step.differences:
                _put(_as_json(step) if given.json else _as_text(step))
    differing = shown.differing
    if differing and not given.json:
        steps = ", ".join(str(step.index) for step in differing[:10])
        _put(f"{len(differing)} of {len(shown)} steps differ from the record: {steps}")
    elif not given.json:
        _put(f"{len(shown)} steps, and none differs from the record")
    return DIFFERS if differing else FINE


def main(arguments: Sequence[str]) -> int:
    """Run the command and return the exit code."""
    if sys.stdout is None:
        complain("standard output is closed")
        return NO_OUTPUT
    try:
        return _run(arguments)
    except BrokenPipeError:
        give_up_output()
        return NO_OUTPUT
    except KeyboardInterrupt:
        complain("interrupted")
        return INTERRUPTED
    except CommandError as error:
        complain(str(error))
        return WRONG
    except OSError as error:
        complain(f"cannot write: {error.strerror or error}")
        give_up_output()
        return NO_OUTPUT
