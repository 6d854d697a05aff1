"""Check that every comment that turns a check off gives its reason on the same line.

    python ci/check_reasons.py

`noqa`, `type: ignore` and `pyright: ignore` must be followed by words. `cast` and `Any` of `typing` need a
comment on the line of each use, or on that of the import, which is then the reason for the whole module.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("mint", "stubs", "tests", "ci", "bench", "fuzz", "docs")

SWITCH = re.compile(r"(type|pyright): *ignore(\[[^\]]*\])?|noqa(: *[A-Z]+[0-9]+(, *[A-Z]+[0-9]+)*)?")
WORD = re.compile(r"[A-Za-z]{2,}|\d+\.\d+")
HOLES = ("Any", "cast")


def comments_of(text: str) -> dict[int, str]:
    """Return the comment of each line that has one."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return {token.start[0]: token.string for token in tokens if token.type == tokenize.COMMENT}


def reason_of(comment: str) -> str:
    """Return the text of a comment without the parts that turn checks off."""
    return SWITCH.sub("", comment).strip("# ")


def holes_of(tree: ast.Module, comments: dict[int, str]) -> Iterator[tuple[int, str]]:
    """Yield each use of `Any` and `cast` of `typing` without a reason."""
    imports = [
        node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == "typing"
    ]
    names = {each.asname or each.name: node for node in imports for each in node.names if each.name in HOLES}
    excused = {
        name for name, node in names.items() if any(reason_of(comments.get(at, "")) for at in lines_of(node))
    }
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) if name in names and name not in excused:
                pass
            case ast.Attribute(value=ast.Name(id="typing"), attr=name) if name in HOLES:
                pass
            case _:
                continue
        if not reason_of(comments.get(node.lineno, "")):
            yield node.lineno, name


def lines_of(node: ast.stmt) -> range:
    """Return the line numbers of a statement."""
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def findings(text: str) -> list[tuple[int, str]]:
    """Return the lines of a source that lack a reason, each with what needs the reason."""
    comments = comments_of(text)
    switches = [(line, SWITCH.search(comment)) for line, comment in comments.items()]
    found = [
        (line, switch[0])
        for line, switch in switches
        if switch and not WORD.search(reason_of(comments[line]))
    ]
    return sorted({*found, *holes_of(ast.parse(text), comments)})


def sources(root: Path) -> Iterator[Path]:
    """Yield the paths of the Python sources and of the stubs of the compiled modules."""
    for folder in FOLDERS:
        yield from sorted((root / folder).rglob("*.py"))
    yield from sorted((root / "stubs").rglob("*.pyi"))


def main() -> int:
    """Print the lines that lack a reason; return 1 if there are any."""
    failed = 0
    for path in sources(ROOT):
        for line, what in findings(path.read_text(encoding="utf-8")):
            print(f"{path.relative_to(ROOT)}:{line}: {what} needs a reason on its line")
            failed = 1
    if not failed:
        print("reasons: nothing to report")
    return failed


if __name__ == "__main__":
    sys.exit(main())
