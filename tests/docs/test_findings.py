"""The tables of findings in the guide to testing are true, row by row, for the versions that they name."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final  # names that a program defines

import pytest

from mint.testing import hostile

PAGE: Final = (Path(__file__).parents[2] / "docs" / "testing.md").read_text()
BLOCKS: Final = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
TABLES: Final = {"urllib3": hostile.HTTP1, "httpx2": hostile.HTTP2}
ROWS: Final = [
    (client, *row)
    for client in TABLES
    for row in re.findall(
        r"^\| ([^|]+?) \| (RFC [^|]+?) \| (\w+) \| (\w[\w ]*?) \|$",
        PAGE.partition(f"### {client} over")[2].partition("\n### ")[0],
        re.MULTILINE,
    )
]


def program() -> dict[str, Any]:
    """Return the names that the program in the guide defines, without running the part that prints."""
    names: dict[str, Any] = {}
    exec(BLOCKS[0].partition("\n\n")[0], names)
    exec("from mint.testing import ScriptError, ScriptedServer", names)
    exec(BLOCKS[-1].partition("\n\n\nprint(")[0], names)
    return names


def test_the_tables_have_every_behaviour_and_name_the_versions() -> None:
    for client, table in TABLES.items():
        assert [row[1] for row in ROWS if row[0] == client] == list(table)
        assert len(table) >= 20
        major, minor, *_ = version(client).split(".")
        assert f"| {client} {major}.{minor} |" in PAGE, "the client has a new version: check each row again"


@pytest.mark.parametrize(("client", "name", "rule", "must", "found"), ROWS)
def test_a_finding_is_true(client: str, name: str, rule: str, must: str, found: str) -> None:
    behaviour = TABLES[client][name]
    assert (behaviour.rule, behaviour.expected) == (rule, must)
    names = program()
    assert names["finding"](behaviour, names[f"with_{client}"]) == found


def test_the_message_in_the_guide_is_the_real_one(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    exec(BLOCKS[0], names)
    capsys.readouterr()
    exec(BLOCKS[1], names)
    shown = capsys.readouterr().out
    assert f"```text\n{shown}```" in PAGE
