"""`python -m mint.which`, and the errors for users of the template engine that is also called mint."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import mint
from mint import which

FILE = Path(which.__file__)


def installed_as_well(folder: Path) -> None:
    """Install a distribution `mint` in a directory, as pip would."""
    (folder / "mint.py").write_text("print 'a template engine for Python 2'\n")
    info = folder / "mint-0.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mint\nVersion: 0.5\n")


def run(*arguments: str, path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": str(path)},
        cwd=path,
        capture_output=True,
        text=True,
        check=False,
    )


def test_only_mint_http_is_installed(tmp_path: Path) -> None:
    ran = run("-m", "mint.which", path=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "That is the HTTP client mint-http." in ran.stdout


def test_the_other_distribution_is_imported_instead(tmp_path: Path) -> None:
    installed_as_well(tmp_path)
    ran = run("-P", str(FILE), path=tmp_path)
    assert ran.returncode == 1
    assert f"import mint gives {tmp_path / 'mint.py'}" in ran.stdout
    assert "The distribution mint 0.5 is installed" in ran.stdout
    assert "pip uninstall mint; pip install --force-reinstall mint-http" in ran.stdout


def test_both_are_installed_and_ours_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    installed_as_well(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.syspath_prepend(FILE.parents[1])
    assert which.main() == 1
    output = capsys.readouterr().out
    assert "programs that want the template engine get the wrong one" in output
    assert output.endswith("Run: pip uninstall mint\n")


def test_the_error_for_a_name_of_the_template_engine_explains_it() -> None:
    with pytest.raises(AttributeError, match="a template engine, has it"):
        getattr(mint, "Loader")  # noqa: B009  # type checkers know that there is none
