"""Every Python block and mint command of the pages runs as it is written, with local servers as hosts.

The blocks of a page run in their order; those of Python share their names. A command prints what the page
shows. Commands that build, install or measure are compared with the repository. conftest.py has the hosts.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any  # names that an example defines

import pytest

import mint
import mint._command

from . import console

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(python|console|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    *sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")),
)


def blocks(page: str) -> list[tuple[str, str]]:
    """Return the blocks that can run, each with its language."""
    return BLOCK.findall((ROOT / page).read_text())


@pytest.mark.usefixtures("hosts")
@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)])
def test_the_blocks_of_a_page_run(page: str, capfd: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    for number, (language, block) in enumerate(blocks(page), 1):
        if language == "python":
            exec(compile(block, f"{page}, block {number}", "exec"), names)  # the test runs it on purpose
        else:
            for command in console.commands(block):
                enter(command, capfd)
    for made in names.values():
        if isinstance(made, mint.Mailbox):
            made.close()


def enter(command: console.Command, capfd: pytest.CaptureFixture[str]) -> None:
    """Run a command of a page, or check that it could be run."""
    if command.runs_mint:
        words = command.words[3:]
        shrinks = words[0] == "shrink"
        capfd.readouterr()
        # Without --runs, it would start Python several hundred times.
        assert mint._command.main([*words, "--runs", "3"] if shrinks else words) == 0, command
        printed = "".join(capfd.readouterr())
        assert shrinks or not command.shown or console.matches(command.shown, printed), printed
    elif command.words[0] == "cat":
        Path(command.words[1]).write_text(command.shown)
    else:
        assert console.problem(command.words) is None, command


@pytest.mark.parametrize(
    "line",
    [
        "pip install mynt-http",
        "pip install mint-http[teapot]",
        "ci/tost",
        "README.md",
        "ci/test --teapot",
        "python ci/vendor.py --teapot",
        "bash -c '. ci/common.sh; make_tea'",
        ".venv-ci/bin/python -m pytest tests/teapot",
    ],
)
def test_a_command_that_cannot_be_run_is_found(line: str) -> None:
    (command,) = console.commands(f"$ {line}\n")
    assert console.problem(command.words)


def test_links_between_pages_are_not_broken() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    missing = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#:\s]+)\)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert not missing
