"""The files that CONTRIBUTING.md names exist, and a check fails for each missing step of a recipe."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
TREE = ("mint", "ci", "docs", "fuzz", "stubs", "tests", "pyproject.toml", "SECURITY.md", "CHANGELOG.md")
LIMIT = "max_reason"


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`((?:mint|ci|docs|tests|stubs|bench)/[\w./]*)`", PAGE)))
)
def test_the_files_of_the_recipes_exist(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize(
    "path",
    [
        ".editorconfig",
        ".pre-commit-config.yaml",
        ".github/ISSUE_TEMPLATE/bug.md",
        ".github/ISSUE_TEMPLATE/feature.md",
        ".github/ISSUE_TEMPLATE/config.yml",
        ".github/workflows/ci.yml",
    ],
)
def test_files_that_contributors_expect_exist(path: str) -> None:
    assert (ROOT / path).read_text().strip()


def test_the_workflow_runs_the_same_checks_as_ci_test() -> None:
    assert ".ci/run" in (ROOT / ".github/workflows/ci.yml").read_text()
    assert "ci/test" in (ROOT / ".ci/run").read_text()


def run(copy: Path, *arguments: str) -> tuple[bool, str]:
    """Run Python in the copy; return whether it succeeded, and its output."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(copy),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONOPTIMIZE": "",
    }
    done = subprocess.run(
        [sys.executable, *arguments], cwd=copy, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode == 0, done.stdout + done.stderr


def check(copy: Path, test: str) -> tuple[bool, str]:
    """Run one test in the copy."""
    return run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", test)


def edit(path: Path, old: str, new: str) -> None:
    """Replace the only occurrence of `old`."""
    text = path.read_text()
    assert text.count(old) == 1, (path, old)
    path.write_text(text.replace(old, new))


def test_the_checks_guide_through_the_recipe_for_a_limit(tmp_path: Path) -> None:
    for name in TREE:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "*.c"))
        else:
            shutil.copy(source, tmp_path / name)
    read = "tests/ci/test_generated.py::test_the_engine_reads_every_option"
    shown = "tests/connections/test_limits.py::test_every_limit_with_an_error_is_exceeded"
    assert run(tmp_path, "ci/generated.py")[0]

    declaration = (
        f'    {LIMIT}: int = limit(99, "the octets of a reason phrase.", error="StatusLineTooLong")\n'
    )
    place = "    max_informational: int = limit(\n        32,"
    edit(tmp_path / "mint/options.py", place, declaration + place)
    good, output = run(tmp_path, "ci/generated.py")
    assert not good
    for file in ("mint/_core/http1_config.pyx", "mint/_configuration.py", "SECURITY.md"):
        assert f"{file} is out of date" in output

    assert run(tmp_path, "ci/generated.py", "--write")[0]
    assert run(tmp_path, "ci/generated.py")[0]
    for file in (
        "mint/_core/http1_config.pxd",
        "stubs/mint/_core/http1_config.pyi",
        "docs/reference/options.md",
    ):
        assert LIMIT in (tmp_path / file).read_text()
    good, output = check(tmp_path, read)
    assert not good
    assert LIMIT in output

    engine = tmp_path / "mint/_core/http1_responses.pyx"
    engine.write_text(engine.read_text() + f"\n# self.config.{LIMIT}\n")
    assert not check(tmp_path, read)[0]  # a comment does not read the option
    engine.write_text(
        engine.read_text() + f"\n\ncdef bint fits(self, int n):\n    return n <= self.config.{LIMIT}\n"
    )
    good, output = check(tmp_path, read)
    assert good, output
    good, output = check(tmp_path, shown)
    assert not good
    assert f"unexpected keyword argument '{LIMIT}'" in output  # the core has not been rebuilt yet

    # Compiling the copy would take minutes, so the new option is not passed to the engine.
    edit(tmp_path / "mint/_configuration.py", f"        {LIMIT}=options.{LIMIT},\n", "")
    good, output = check(tmp_path, shown)
    assert not good
    assert LIMIT in output
    row = '    (HTTP1Options, "max_pipelined"): (3, requested(4), requested(3)),\n'
    edit(
        tmp_path / "tests/connections/test_limits.py",
        row,
        row + f'    (HTTP1Options, "{LIMIT}"): (3, requested(4), requested(3)),\n',
    )
    good, output = check(tmp_path, shown)
    assert good, output
