"""`ci/systems`: the tests that it leaves out exist, so that renaming one is noticed without running it."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from ..loops import without

ROOT = Path(__file__).parents[2]
NAMED = sorted({word for words in without.UNSUITED.values() for word in words if "::" in word})


@cache
def defined() -> set[str]:
    """Return the tests of the repository: the path of each file, two colons, and the name of the function."""
    return {
        f"{path.relative_to(ROOT).as_posix()}::{node.name}"
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_")
    }


@pytest.mark.parametrize("word", NAMED)
def test_a_test_that_is_left_out_exists(word: str) -> None:
    assert any(name.lower().endswith(word) for name in defined())


def test_the_folders_exist() -> None:
    line = next(
        line for line in (ROOT / "ci" / "systems").read_text().splitlines() if line.startswith("wide=")
    )
    folders = line.removeprefix("wide=(").removesuffix(")").split()
    assert folders
    assert all((ROOT / folder).is_dir() for folder in folders)
