"""What `mint replay` prints, step by step, and how it ends."""

from __future__ import annotations

import errno
import io
import os
from typing import TYPE_CHECKING

import pytest

from mint._command import main, replay
from mint.transcripts import TranscriptError
from mint.transcripts import replay as replayed

from .test_replay import file_of, recorded

if TYPE_CHECKING:
    from pathlib import Path

HELP = "Enter: next step; b: previous step; a number: that step; l: list the steps that differ; q: quit\n"


class Terminal:
    """Both ends of a dialog: what is typed, and what is shown by then."""

    def __init__(self, *typed: str) -> None:
        self.typed = [f"{each}\n" for each in typed]
        self.waiting = ""
        self.shown = [""]

    def write(self, text: str) -> None:
        """Take text that is not shown yet."""
        self.waiting += text

    def flush(self) -> None:
        """Show it."""
        self.shown[-1] += self.waiting
        self.waiting = ""

    def readline(self) -> str:
        """Return the next line, or nothing at the end."""
        self.shown.append("")
        return self.typed.pop(0) if self.typed else ""


def dialog(
    text: str, folder: Path, patch: pytest.MonkeyPatch, *typed: str, more: tuple[str, ...] = ()
) -> list[str]:
    """Return what is shown before each line that is typed, and at the end."""
    terminal = Terminal(*typed)
    patch.setattr("sys.stdin", terminal)
    patch.setattr("sys.stdout", terminal)
    main(["replay", "--step", *more, file_of(text, folder)])
    assert terminal.waiting == ""
    return terminal.shown


def steps_of(text: str) -> list[str]:
    return [replay._as_text(step) + "\n" for step in replayed(io.StringIO(text))]


def test_a_dialog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is shown before the next line is read, and only that."""
    text = recorded("http1")
    steps = steps_of(text)
    last = len(steps) - 1
    shown = dialog(
        text, tmp_path, monkeypatch, "", "n", "b", "b", "b", "l", str(last), f"{last + 1}", "x", " 1 ", "q"
    )
    mistake = f"{HELP[:-1]} (steps 0 to {last})\n> "
    assert shown == [
        f"{HELP}{steps[0]}> ",
        f"{steps[1]}> ",
        f"{steps[2]}> ",
        f"{steps[1]}> ",
        f"{steps[0]}> ",
        f"{steps[0]}> ",
        "none differs\n> ",
        f"{steps[last]}> ",
        mistake,
        mistake,
        f"{steps[1]}> ",
        f"{len(steps)} steps, and none differs from the record\n",
    ]


def test_a_dialog_over_a_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The numbers are those of the whole transcript."""
    text = recorded("http1")
    steps = steps_of(text)
    shown = dialog(text, tmp_path, monkeypatch, "1", "3", "", more=("--from", "2", "--until", "3"))
    assert shown == [
        f"{HELP}{steps[2]}> ",
        f"{HELP[:-1]} (steps 2 to 3)\n> ",
        f"{steps[3]}> ",
        "2 steps, and none differs from the record\n",
    ]


def test_a_dialog_about_differences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`l` names each step that differs."""
    text = recorded("http1").replace("* status ", "* status 9")
    differing = [str(step.index) for step in replayed(io.StringIO(text)).differing]
    assert len(differing) > 1
    shown = dialog(text, tmp_path, monkeypatch, "l", "q")
    assert shown[1] == f"{' '.join(differing)}\n> "
    assert shown[2].endswith(f" steps differ from the record: {', '.join(differing)}\n")


def test_a_closed_standard_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout", None)
    assert main(["replay", file_of(recorded("http1"), tmp_path)]) == 23
    assert capsys.readouterr().err == "mint: standard output is closed\n"


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (
            OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
            23,
            "mint: cannot write: No space left on device\n",
        ),
        (OSError("no text"), 23, "mint: cannot write: no text\n"),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 23, ""),
        (KeyboardInterrupt(), 130, "mint: interrupted\n"),
    ],
)
def test_an_output_that_fails(
    error: BaseException,
    code: int,
    says: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The rest of the output is given up, so that Python does not fail again at its end."""
    given_up: list[None] = []
    monkeypatch.setattr(replay, "give_up_output", lambda: given_up.append(None))

    class Failing(io.StringIO):
        def flush(self) -> None:
            raise error

    monkeypatch.setattr("sys.stdout", Failing())
    assert main(["replay", file_of(recorded("http1"), tmp_path)]) == code
    assert capsys.readouterr().err == says
    assert len(given_up) == (code == 23)


def test_lines_without_their_ends() -> None:
    """Two or more strings without any newline are lines; one is text, whose last line is not complete."""
    assert len(replayed(["mint-transcript 1", ""])) == 0
    assert len(replayed(["mint-transcript 1\r", "\r"])) == 0
    with pytest.raises(TranscriptError, match="line 1"):
        replayed(["mint-transcript 1"])
    assert len(replayed(["mint-transcript 1\n"])) == 0
