"""`ci/build.py`: its errors if a compiler or Python's headers are missing, and when it strips symbols."""

from __future__ import annotations

import sysconfig
from typing import TYPE_CHECKING

import pytest
from setuptools import Distribution, Extension
from setuptools.errors import CompileError, PlatformError

from ci import build

if TYPE_CHECKING:
    from pathlib import Path

ADVICE = r"Install a C compiler and the headers of this Python .*, or install a wheel\.$"


def made(folder: Path, source: str = "int one(void) { return 1; }\n") -> build.CheckedBuildExt:
    """Return the command for one extension module, which would be built in a folder."""
    (folder / "one.c").write_text(source)
    project = Distribution({"name": "one", "ext_modules": [Extension("one", [str(folder / "one.c")])]})
    command = build.CheckedBuildExt(project)
    command.build_lib = str(folder / "lib")
    command.build_temp = str(folder / "temp")
    command.ensure_finalized()
    return command


@pytest.mark.parametrize("compiler", ["/nowhere/cc", "/nowhere/ccache cc"])
def test_without_a_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiler: str) -> None:
    monkeypatch.setenv("CC", compiler)
    with pytest.raises(PlatformError, match=ADVICE) as caught:
        made(tmp_path).run()
    assert f"the compiler {compiler.partition(' ')[0]!r} does not run here" in str(caught.value)


def test_without_headers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = made(tmp_path)
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(tmp_path))
    with pytest.raises(PlatformError, match=ADVICE) as caught:
        command.run()
    assert f"Python.h is not in {tmp_path}" in str(caught.value)


def test_an_error_in_the_sources_is_not_reported_as_a_missing_compiler(tmp_path: Path) -> None:
    with pytest.raises(CompileError, match="exit status 1"):
        made(tmp_path, "no C\n").run()


@pytest.mark.parametrize(
    ("flags", "expected"),
    [("", False), ("-O2", False), ("-g", True), ("-g0", False), ("-g0 -g3", True), ("-g -g0", False)],
)
def test_symbols_are_kept_on_request(flags: str, *, expected: bool) -> None:
    assert build.wants_symbols(flags) is expected
