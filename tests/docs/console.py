"""Console blocks of the pages: the commands, and the output that is shown after them."""

from __future__ import annotations

import re
import shlex
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
REST = "  ..."
"""A placeholder for any number of lines."""


@dataclass(frozen=True)
class Command:
    """A command, and the output that the page shows, which may be empty."""

    words: tuple[str, ...]
    shown: str

    @property
    def runs_mint(self) -> bool:
        """Return whether it is mint's own command line."""
        return self.words[:3] == ("python", "-m", "mint")


def commands(block: str) -> list[Command]:
    """Return the commands of a block: the lines that begin with a prompt, or all lines if none does."""
    lines = block.splitlines()
    if not any(line.startswith("$ ") for line in lines):
        return [Command(tuple(shlex.split(line, comments=True)), "") for line in lines if line]
    found: list[Command] = []
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        line, _, shown = part.partition("\n")
        found.append(Command(tuple(shlex.split(line, comments=True)), shown))
    return found


def matches(shown: str, printed: str) -> bool:
    """Return whether a page shows what was printed, except for the numbers of lines."""
    pattern = r"(?:.*\n)*".join(re.escape(part) for part in shown.split(f"{REST}\n"))
    return re.fullmatch(re.sub(r"line\\ \d+", r"line \\d+", pattern), printed) is not None


def problem(words: tuple[str, ...]) -> str | None:
    """Return what is wrong with a command that the tests do not run, or `None`."""
    match words:
        case ("python" | ".venv-ci/bin/python", "-m", "pip", "install", *rest) | ("pip", "install", *rest):
            return _problem_of_installing(rest)
        case (".venv-ci/bin/python", "-m", "pytest", *rest):
            missing = [word for word in rest if not word.startswith("-") and not (ROOT / word).exists()]
            return f"there is no {missing[0]}" if missing else None
        case ("bash", "-c", script):
            called = re.search(r"; (\w+)", script)
            known = (ROOT / "ci" / "common.sh").read_text()
            return None if called and f"\n{called[1]}() {{" in known else "no such function in ci/common.sh"
        case ("cythonize", "-i", *_):
            return None
        case ("python" | ".venv-ci/bin/python", script, *rest) | (script, *rest):
            return _problem_of_script(script, rest)
    return "a kind of command that this test does not know"


def _problem_of_installing(words: list[str]) -> str | None:
    for word in words:
        name, _, extras = word.rstrip("]").partition("[")
        if name.startswith(("-", ".")) or name == "bench":
            continue
        if name != PROJECT["name"]:
            return f"{name} is not this project"
        unknown = {*extras.split(",")} - {"", *PROJECT["optional-dependencies"]}
        if unknown:
            return f"no such extra: {unknown}"
    return None


def _problem_of_script(script: str, words: list[str]) -> str | None:
    """Return what is wrong: the script is missing, or neither it nor what it calls mentions an option."""
    path = ROOT / script
    if not path.is_file():
        return f"there is no {script}"
    if not script.endswith(".py") and not path.stat().st_mode & 0o100:
        return f"{script} cannot be executed"
    sources = "".join(each.read_text() for each in (path, *path.parent.glob("*.py")))
    unknown = [word for word in words if word.startswith("--") and word not in sources]
    return f"{script} knows no {unknown[0]}" if unknown else None
