"""Where the content of a transfer goes: a file, a terminal or the standard output, and what can fail."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from mint._command.outputs import Output, OutputOrder, writes_file
from mint._command.usage import OutputRefused

if TYPE_CHECKING:
    from collections.abc import Callable


class Standard:
    """Stands in for the standard output."""

    encoding = "utf-8"

    def __init__(self, *, is_terminal: bool = False) -> None:
        self.buffer = io.BytesIO()
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal


def output(
    monkeypatch: pytest.MonkeyPatch, path: str | None, *, is_terminal: bool = False
) -> tuple[Output, io.BytesIO]:
    """Return the output of one transfer, and what reaches the standard output."""
    standard = Standard(is_terminal=is_terminal)
    monkeypatch.setattr(sys, "stdout", standard)
    return Output(OutputOrder().add(), path), standard.buffer


def raising(error: Exception) -> Callable[[], int]:
    def fileno() -> int:
        raise error

    return fileno


def test_whether_the_standard_output_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "file").open("wb") as file, Path("/dev/null").open("wb") as device:
        for stream, expected in (
            (file, True),
            (device, False),
            (None, False),
            (io.StringIO(), False),
            (SimpleNamespace(fileno=raising(ValueError())), False),
            (SimpleNamespace(fileno=raising(OSError())), False),
            (SimpleNamespace(fileno=lambda: 1_000_000), False),
        ):
            monkeypatch.setattr(sys, "stdout", stream)
            assert writes_file() is expected, stream


@pytest.mark.parametrize("is_terminal", [False, True])
@pytest.mark.parametrize("path", [None, "-", "page"])
def test_only_content_for_a_terminal_is_changed(
    path: str | None, is_terminal: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not what is safe, not what goes to a file, and nothing at all with `-o -`."""
    monkeypatch.chdir(tmp_path)
    made, standard = output(monkeypatch, path, is_terminal=is_terminal)
    assert made.path == (None if path == "-" else path)
    for octets, safe in ((b"\x1b[1m", False), (b"\x1b[2m", True), (b"a\r", False)):
        made.write(octets, safe=safe)
    made.end_content()
    made.say("\x1b€")
    made.close()
    everything = b"\x1b[1m\x1b[2ma\r"
    said = "\x1b€".encode()
    if path == "page":
        assert Path(path).read_bytes() == everything
        assert standard.getvalue() == said
    elif path is None and is_terminal:
        assert standard.getvalue() == b"?[1m\x1b[2ma?" + said
    else:
        assert standard.getvalue() == everything + said


def test_a_file_is_created_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "page"
    made, _ = output(monkeypatch, str(path))
    made.close()
    assert not path.exists(), "nothing was written"
    made.open()
    assert path.read_bytes() == b""
    for piece in (b"one", b"", b"two"):
        made.open()
        made.write(piece)
    made.close()
    made.close()
    assert path.read_bytes() == b"onetwo"
    nothing, standard = output(monkeypatch, None)
    nothing.open()
    nothing.close()
    assert standard.getvalue() == b""


@pytest.mark.parametrize(
    ("name", "reason"),
    [("absent/page", "No such file or directory"), (".", "Is a directory"), ("a\0b", "null")],
)
def test_a_file_that_cannot_be_created(
    name: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made, _ = output(monkeypatch, name)
    for call in (made.open, lambda: made.write(b"x")):
        with pytest.raises(OutputRefused) as caught:
            call()
        assert str(caught.value).startswith(f"{name}: ")
        assert reason in str(caught.value)
    made.close()


class Full(io.BytesIO):
    """A file on a full disk."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error

    def write(self, _: object) -> int:
        raise self.error

    def close(self) -> None:
        raise self.error


@pytest.mark.parametrize(
    ("error", "reason"), [(OSError(28, "No space left"), "No space left"), (OSError("odd"), "odd")]
)
def test_a_file_that_cannot_be_written(error: OSError, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for the rest that is written when it is closed; a second time, it is closed already."""
    monkeypatch.setattr(Path, "open", lambda *_: Full(error))
    made, _ = output(monkeypatch, "page")
    calls: list[Callable[[], None]] = [lambda: made.write(b"x"), made.close]
    for call in calls:
        with pytest.raises(OutputRefused) as caught:
            call()
        assert str(caught.value) == f"page: {reason}"
        assert caught.value.__cause__ is error
    made.close()
