"""What `mint shrink` writes, and how it ends: its files, an interrupt, an unusable standard output."""

from __future__ import annotations

import errno
import io
import os
from typing import TYPE_CHECKING

from mint._command import main, shrink, shrinking

from .test_replay import file_of, recorded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

    from mint.transcripts._reading import Transcript


def test_only_the_user_can_read_what_it_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A transcript may have secrets."""
    before = os.umask(0)
    try:
        check = """sh -c 'test -n "$(find "$0" -perm 600)"' {}"""
        code = main(["shrink", file_of(recorded("http1"), tmp_path), "--check", check])
    finally:
        os.umask(before)
    assert (code, capsys.readouterr().err.count("\n")) == (0, 1)
    assert (tmp_path / "transcript.min").stat().st_mode & 0o777 == 0o600


def test_an_interrupt_of_the_first_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends the command like any other."""

    def interrupted(*_: object) -> Transcript:
        raise KeyboardInterrupt

    monkeypatch.setattr(shrink, "_read", interrupted)
    assert main(["shrink", file_of(recorded("http1"), tmp_path), "--check", "true"]) == 130
    assert capsys.readouterr() == ("", "mint: interrupted\n")


def test_an_interrupt_of_the_search(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was found until then is written, and the exit code says that this is not all."""
    shrunk = shrinking.shrink

    def interrupted(best: Transcript, check: object) -> Iterator[Transcript]:
        yield next(shrunk(best, lambda _: True))
        raise KeyboardInterrupt

    monkeypatch.setattr(shrink, "shrink", interrupted)
    given = recorded("http1")
    assert main(["shrink", file_of(given, tmp_path), "--check", "true"]) == 130
    made = (tmp_path / "transcript.min").read_text()
    assert 0 < len(made) < len(given)
    assert capsys.readouterr().err.startswith(f"* {tmp_path / 'transcript.min'}: ")


def test_a_closed_standard_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is reported like every wrong use."""
    monkeypatch.setattr("sys.stdout", None)
    line = ["shrink", file_of(recorded("http1"), tmp_path), "--check", "true", "-o", "-"]
    assert main(line) == 2
    assert "standard output is closed" in capsys.readouterr().err


class _Full(io.StringIO):
    """A buffered file on a full disk."""

    def flush(self) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_standard_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is reported when the octets are written, not lost at the end of the process."""
    monkeypatch.setattr("sys.stdout", _Full())
    line = ["shrink", file_of(recorded("http1"), tmp_path), "--check", "true", "-o", "-"]
    assert main(line) == 23
    assert capsys.readouterr().err.endswith("cannot write: No space left on device\n")


def test_the_manual_has_the_defaults() -> None:
    """The text of an option names the value that is used without it."""
    made = shrink.parser()
    text = " ".join(made.format_help().split())
    for option in ("runs", "timeout"):
        assert f"(default {made.get_default(option):g})" in text
