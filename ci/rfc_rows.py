"""Show which rules of the RFCs have tests.

    python ci/rfc_rows.py [--all]       # the rules without a test; --all: each rule with its tests
    python ci/rfc_rows.py --page        # write docs/conformance.md

The rules are in tests/conformance/rows.txt. A test names its rule with `@pytest.mark.rfc("9112-6.3-d")`; this
script reads the test files and does not run them. tests/conformance/not_ours.txt lists the rules that do not
concern mint, each with the reason.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests"
ROWS = TESTS / "conformance" / "rows.txt"
NOT_OURS = TESTS / "conformance" / "not_ours.txt"
PAGE = ROOT / "docs" / "conformance.md"
SPECIFICATIONS = {
    "9110": "RFC 9110: HTTP semantics",
    "9112": "RFC 9112: HTTP/1.1",
    "9113": "RFC 9113: HTTP/2",
    "7541": "RFC 7541: HPACK",
    "8441": "RFC 8441: extended CONNECT",
    "9218": "RFC 9218: priorities",
}
DIRECTIONS = {"S": "sent", "R": "received", "S/R": "both", "R/S": "both"}
INTRODUCTION = """\
# Conformance

Each row is a rule of an RFC that concerns an HTTP client, in a few words. It names tests that show that
mint follows the rule, or says why the rule does not apply. If a rule has neither, `ci/test` fails. *Sent*
rules concern what mint sends, *received* rules what it accepts. The id of a rule consists of the RFC, the
section and a letter; tests name it in their `rfc` mark.

`python ci/rfc_rows.py --page` makes this page from `tests/conformance/rows.txt` and the tests.
"""


@dataclass(frozen=True)
class Row:
    """One rule: the layer is CORE or IO, the direction S (sent), R (received) or both."""

    id: str
    layer: str
    direction: str
    title: str


def lines(path: Path) -> Iterator[str]:
    """Yield the lines of a file that are neither empty nor comments."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line


def rows(path: Path = ROWS) -> list[Row]:
    """Return the rules in the order of the list."""
    return [Row(*line.split(maxsplit=3)) for line in lines(path)]


def not_ours(path: Path = NOT_OURS) -> dict[str, str]:
    """Return the rules that do not concern mint, each with the reason."""
    pairs = (line.partition(" ") for line in lines(path))
    return {name: reason.strip() for name, _, reason in pairs}


def marks(node: ast.AST) -> Iterator[str]:
    """Yield the ids of the `rfc` marks on a function or class."""
    for decorator in getattr(node, "decorator_list", ()):
        match decorator:
            case ast.Call(func=ast.Attribute(attr="rfc"), args=[*ids]):
                for each in ids:
                    if isinstance(each, ast.Constant) and isinstance(each.value, str):
                        yield each.value


def covered(folder: Path = TESTS) -> dict[str, list[str]]:
    """Return the tests of each rule that has any, as `file::test`."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for name in marks(node):
                where = f"{path.relative_to(folder)}::{getattr(node, 'name', '')}"
                found.setdefault(name, []).append(where)
    return found


def shown(tests: list[str], reason: str | None) -> str:
    """Return a cell of the page: one or two tests of a rule, or why the rule does not apply.

    Tests in tests/conformance come first, so that a new test elsewhere does not change the page.
    """
    if not tests:
        return f"does not apply: {reason}" if reason else "**no test**"
    first = [each for each in tests if each.startswith("conformance/")] or tests
    return ", ".join(f"`{each}`" for each in first[:2])


def page() -> str:
    """Return the conformance page."""
    tests, excused = covered(), not_ours()
    known = rows()
    made = [INTRODUCTION]
    count = sum(row.id in tests for row in known)
    made.append(f"{len(known)} rules: {count} have tests, {len(known) - count} do not apply.\n")
    others = [row for row in known if row.id.split("-")[0] not in SPECIFICATIONS]
    for number, title in (*SPECIFICATIONS.items(), ("", "Neighbouring specifications")):
        chosen = [row for row in known if row.id.split("-")[0] == number] if number else others
        if not chosen:
            continue
        made += [f"## {title}\n", "| id | rule | concerns | shown by |", "|---|---|---|---|"]
        for row in chosen:
            cell = shown(tests.get(row.id, []), excused.get(row.id))
            about = DIRECTIONS.get(row.direction, row.direction)
            made.append(f"| {row.id} | {row.title.replace('|', chr(92) + '|')} | {about} | {cell} |")
        made.append("")
    return "\n".join(made).rstrip() + "\n"


def main(arguments: list[str]) -> int:
    """Print the rules; return 1 if one has neither a test nor a reason."""
    if "--page" in arguments:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    tests, excused = covered(), not_ours()
    missing = 0
    for row in rows():
        shown = tests.get(row.id, [])
        reason = excused.get(row.id)
        missing += not shown and reason is None
        if "--all" in arguments or not (shown or reason):
            print(f"{row.id:<16} {row.layer:<5} {row.title}")
            for each in shown or ([f"not ours: {reason}"] if reason else ["NO TEST"]):
                print(f"    {each}")
    print(f"{len(rows())} rules, {len(tests)} with tests, {len(excused)} not ours, {missing} missing")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
