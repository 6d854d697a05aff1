"""`ci/clash.py`: another distribution `mint`, installed before and after this one."""

from __future__ import annotations

import sys
import venv
from typing import TYPE_CHECKING

import pytest

from ci import clash
from mint import which

if TYPE_CHECKING:
    from pathlib import Path

HELD = ("__init__.py", "_version.py", "which.py")
"""The modules that `import mint` and `mint.which` need. ci/wheel runs the same check with the real wheel."""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> clash.Environment:
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    return clash.Environment(str(folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"))


@pytest.mark.parametrize("ours_first", [True, False], ids=["ours first", "theirs first"])
@pytest.mark.parametrize("files", [clash.MODULE, clash.PACKAGE], ids=["module", "package"])
def test_both_are_installed(
    tmp_path: Path, environment: clash.Environment, files: dict[str, str], *, ours_first: bool
) -> None:
    held = {f"mint/{name}": (which.OURS / name).read_text() for name in HELD}
    ours = clash.make_wheel(tmp_path, "mint-http", "0.1.0", held)
    theirs = clash.make_wheel(tmp_path, "mint", "0.5", files)
    assert clash.faults(environment, ours, theirs, ours_first=ours_first) == []


def test_a_mint_which_that_does_not_help_is_found(tmp_path: Path, environment: clash.Environment) -> None:
    silent = {"mint/__init__.py": "", "mint/which.py": "print('Run: pip uninstall mint')\n"}
    ours = clash.make_wheel(tmp_path, "mint-http", "0.1.0", silent)
    theirs = clash.make_wheel(tmp_path, "mint", "0.5", clash.MODULE)
    output = "\n".join(clash.faults(environment, ours, theirs, ours_first=True))
    assert "does not see the other distribution" in output
    assert "does not help" in output
    assert "mint cannot be imported" in output
