"""What type checkers must know about replaying transcripts. Checked, never executed."""

from __future__ import annotations

from pathlib import Path
from typing import assert_type

import mint.testing
import mint.transcripts


def testing_replay(file: Path, check: bool) -> None:
    assert_type(mint.testing.replay(file, check=check), mint.transcripts.Replay)


def transcripts_replay(source: Path) -> None:
    assert_type(mint.transcripts.replay(source), mint.transcripts.Replay)
    mint.transcripts.replay(1.5)  # type: ignore[arg-type]  # no file


def transcripts_replay_check(it: mint.transcripts.Replay) -> None:
    it.check()


def transcripts_replay_differing(it: mint.transcripts.Replay) -> None:
    assert_type(it.differing, tuple[mint.transcripts.ReplayedStep, ...])


def transcripts_replayedstep(it: mint.transcripts.ReplayedStep) -> None:
    assert_type(it.differences, tuple[str, ...])
    assert_type(it.state_before, str)
    assert_type(it.state_after, str)
