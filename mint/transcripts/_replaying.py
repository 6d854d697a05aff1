"""Replaying transcripts: the recorded calls are made again, and the results can be compared.

An engine uses no network, no clock and no randomness, so the results are the same. Every step keeps the
connections before and after it. They are immutable values, so a replay can be read in both directions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import ndiff
from typing import TYPE_CHECKING, overload

from .._connections.replayed import connection_of
from .._core import http1, http2
from .._core.events import Failed, Step
from .._transcripts.results import of_error, of_state, of_step
from ..errors.table import from_fault
from ..responses import RequestFailed
from ._reading import Beginning, Entry, Transcript, read_transcript

if TYPE_CHECKING:
    from .._connections.negotiation import Connection
    from .._core.events import Event
    from .._transcripts.calls import State
    from ..errors import HTTPError, TransportError
    from ..responses import Response
    from ._reading import Source

_OPENING = "connect"


@dataclass(frozen=True, slots=True)
class ReplayedStep:
    """One step of a replay.

    Attributes:
        index: the number of the step in the transcript, from 0; the start of a connection is a step, too.
        connection: the number of its connection in the transcript.
        number: the number of the step within its connection; 0 is the start of the connection.
        line: the number of its first line in the transcript.
        call: the name of the call, such as `"request"` or `"feed"`; `"connect"` at the start of a connection.
        input: the arguments of the call, as lines of the transcript.
        before: the connection before the call, over its own `Memory`; `None` at the start.
        after: the connection after the call.
        responses: the responses of the step.
        output: the octets to send.
        error: the error that the step ended with, or that refused the call; `None` if there was none.
        results: the results of the step, as lines of the transcript.
        recorded: the recorded results; `None` if the transcript has none.

    """

    index: int
    connection: int
    number: int
    line: int
    call: str
    input: tuple[str, ...]
    before: Connection | None
    after: Connection
    responses: tuple[Response, ...]
    output: bytes
    error: HTTPError | TransportError | None
    results: tuple[str, ...]
    recorded: tuple[str, ...] | None

    @property
    def differences(self) -> tuple[str, ...]:
        """The lines that differ: `-` marks a recorded line, `+` a line of the replay."""
        if self.recorded is None:
            return ()
        recorded = [line for line in self.recorded if not line.startswith("~")]
        if not any(line.startswith(".") for line in recorded) and _is_raised(self.results) is _is_raised(
            recorded
        ):
            recorded += self.results[len(recorded) :]  # the process ended while the step was written
        if recorded == list(self.results):
            return ()
        return tuple(line for line in ndiff(recorded, self.results) if line[:1] in {"-", "+"})

    @property
    def state_before(self) -> str:
        """A summary of the connection before the step, in one line."""
        return "" if self.before is None else _standing(self.before)

    @property
    def state_after(self) -> str:
        """A summary of the connection after the step, in one line."""
        return _standing(self.after)


def _is_raised(lines: Sequence[str]) -> bool:
    return bool(lines) and lines[-1].startswith("! raised")


def _standing(conn: Connection) -> str:
    return of_state(conn._state)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # there is no other name for it


class Replay(Sequence[ReplayedStep]):
    """The replayed steps of a transcript, as a sequence that can be read in both directions."""

    def __init__(self, steps: tuple[ReplayedStep, ...]) -> None:
        self._steps = steps

    @overload
    def __getitem__(self, index: int) -> ReplayedStep: ...
    @overload
    def __getitem__(self, index: slice) -> Replay: ...
    def __getitem__(self, index: int | slice) -> ReplayedStep | Replay:
        """Return a step, or a part of the replay."""
        return self._steps[index] if isinstance(index, int) else Replay(self._steps[index])

    def __len__(self) -> int:
        return len(self._steps)

    @property
    def differing(self) -> tuple[ReplayedStep, ...]:
        """The steps whose results differ from those that were recorded."""
        return tuple(step for step in self._steps if step.differences)

    def check(self) -> None:
        """Raise `ReplayDiffers` if a step differs from what was recorded."""
        if self.differing:
            raise ReplayDiffers(self.differing)


class ReplayDiffers(AssertionError):  # noqa: N818  # what happened, as of the library's errors
    """The results of a replay differ from what was recorded; the message says where.

    Attributes:
        steps: the steps that differ.

    """

    def __init__(self, steps: tuple[ReplayedStep, ...]) -> None:
        first = steps[0]
        super().__init__(
            f"{len(steps)} steps differ from the record; the first is step {first.index}, {first.call}, "
            + "\n".join([f"in line {first.line}:", *first.differences])
        )
        self.steps = steps


def replay(source: Source) -> Replay:
    """Replay a transcript, given as the path of a file, a text file, or lines of text.

    Nothing is compared unless you ask for it: see `Replay.check` and `ReplayedStep.differences`. Raises
    `TranscriptError` for an invalid transcript, `OSError` for a file that cannot be read.
    """
    return Replay(tuple(replayed(read_transcript(source))))


def replayed(transcript: Transcript) -> Iterator[ReplayedStep]:
    """Replay one step after another."""
    states: dict[int, list[State]] = {}
    for index, part in enumerate(transcript.parts):
        if isinstance(part, Beginning):
            step = _opened(part)
            states[part.connection] = [step.state]
            yield _shown(index, part, None, step, of_opening(part, step))
        else:
            history = states[part.beginning.connection]
            before = history[part.base]
            try:
                made = part.call.make(before)
            except Exception as error:  # noqa: BLE001  # it may have been recorded
                history.append(before)
                nothing: Step[State] = Step(before, [], (), None, None, 0, ())
                yield _shown(index, part, before, nothing, (of_error(error),))
                continue
            step = made if isinstance(made, Step) else Step(made, [], (), None, None, 0, ())
            history.append(step.state)
            results = tuple(of_step(step, part.beginning.protocol, part.beginning.identity))
            yield _shown(index, part, before, step, results)


def _opened(part: Beginning) -> Step[State]:
    config = part.config()
    if isinstance(config, http1.Config):
        return Step(http1.State(config), [], (), None, None, 0, ())
    opening = http2.State.open(config)
    return opening.leading_to(opening.state)


def of_opening(part: Beginning, step: Step[State]) -> tuple[str, ...]:
    """Return the first results of a connection."""
    return tuple(of_step(step, part.protocol, part.identity))


def _shown(
    index: int, part: Beginning | Entry, before: State | None, step: Step[State], results: tuple[str, ...]
) -> ReplayedStep:
    beginning = part if isinstance(part, Beginning) else part.beginning
    given = () if isinstance(part, Beginning) else part.call.lines(beginning.protocol, beginning.identity)
    return ReplayedStep(
        index=index,
        connection=beginning.connection,
        number=0 if isinstance(part, Beginning) else part.number,
        line=part.line,
        call=_OPENING if isinstance(part, Beginning) else part.call.verb,
        input=tuple(given),
        before=None if before is None else connection_of(before),
        after=connection_of(step.state),
        responses=tuple(_response(each) for each in step.responses),
        output=b"".join(step.output),
        error=None if step.fault is None else from_fault(step.fault),
        results=results,
        recorded=part.results,
    )


def _response(event: Event) -> Response:
    return RequestFailed(event.ref, from_fault(event.fault)) if isinstance(event, Failed) else event
