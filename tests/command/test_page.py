"""The page about the command line names every option, variable and exit code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mint._command import codes
from mint._command.options import parser
from mint._command.summary import _VARIABLES
from mint._command.usage import CommandError

PAGE = Path(__file__).parents[2].joinpath("docs", "command.md").read_text(encoding="utf-8")
OPTIONS = [action.option_strings for action in parser()._actions if action.option_strings]
SELF_EVIDENT = {"--help", "--version"}


@pytest.mark.parametrize("names", OPTIONS, ids=lambda names: names[-1])
def test_every_option_is_compared(names: list[str]) -> None:
    table = PAGE.partition("## Compared")[2]
    assert set(names) & SELF_EVIDENT or any(re.search(rf"{re.escape(name)}\b", table) for name in names)


@pytest.mark.parametrize("name", _VARIABLES)
def test_every_variable_is_named(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_every_exit_code_is_explained_on_the_page_and_in_the_help() -> None:
    used = {code for _, code in codes._CODES} | {kind.code for kind in CommandError.__subclasses__()}
    used |= {0, CommandError.code, 3}
    assert {int(found) for found in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)} == used
    text = parser().epilog or ""
    assert {int(found) for found in re.findall(r"(?:codes: |, )(\d+) ", text)} == used
