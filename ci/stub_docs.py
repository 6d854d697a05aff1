"""Copy the docstrings of compiled classes and functions into their stubs, where editors look for them.

    python ci/stub_docs.py           # reports stubs that differ from the compiled modules
    python ci/stub_docs.py --write   # updates them

The docstrings are written in the .pyx files and nowhere else. A name that is not in the stubs, or that has no
docstring, is ignored.
"""

import ast
import importlib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STUBS = ROOT / "stubs"


def wanted_of(found: object, name: str) -> str:
    """Return the docstring of an object if its source defines one, or `None`."""
    if name.startswith("__"):
        return ""  # the docstring that Python gives every class
    text = getattr(found, "__doc__", None)
    if not isinstance(text, str) or (isinstance(found, type) and text == found.__base__.__doc__):
        return ""
    return inspect.cleandoc(text)


def documented(body: list[ast.stmt], owner: object) -> Iterator[tuple[ast.ClassDef | ast.FunctionDef, str]]:
    """Yield every class and function of a stub with the docstring it should have."""
    seen: set[str] = set()
    for node in body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            found = inspect.getattr_static(owner, node.name, None)
            if node.name not in seen:  # the first of several overloads has the docstring
                yield node, wanted_of(getattr(found, "__func__", found), node.name)
            seen.add(node.name)
            if isinstance(node, ast.ClassDef):
                yield from documented(node.body, found)


def quoted(text: str, indent: str) -> list[str]:
    """Return the lines of a docstring in source text."""
    escaped = text.replace("\\", "\\\\").replace('"""', '\\"""')
    lines = escaped.split("\n")
    if len(lines) == 1:
        return [f'{indent}"""{escaped}"""']
    return [f'{indent}"""{lines[0]}', *(f"{indent}{line}".rstrip() for line in lines[1:]), f'{indent}"""']


def with_docstring(lines: list[str], node: ast.ClassDef | ast.FunctionDef, text: str) -> None:
    """Return the source of a stub in which a class or function has this docstring."""
    first, last = node.body[0], node.body[-1]
    has_one = ast.get_docstring(node) is not None
    is_empty = len(node.body) == 1 and isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    made = quoted(text, " " * (node.col_offset + 4))
    if first.lineno == node.lineno or lines[first.lineno - 1][: first.col_offset].strip():
        # The body is on the last line of the signature: `def f(self) -> int: ...`
        head = lines[first.lineno - 1][: first.col_offset].rstrip()
        rest = [] if is_empty else [" " * (node.col_offset + 4) + lines[first.lineno - 1][first.col_offset :]]
        lines[first.lineno - 1 : last.end_lineno] = [head, *made, *rest]
        return
    # The line number of a decorated function is that of its `def`.
    start = min(each.lineno for each in (first, *getattr(first, "decorator_list", ())))
    lines[start - 1 : first.end_lineno if has_one or is_empty else start - 1] = made


def put_right(source: str, module: object) -> tuple[str, list[str]]:
    """Return a stub with the docstrings of a module, and the names whose docstrings it changed."""
    lines = source.split("\n")
    missing = []
    found = [(node, text) for node, text in documented(ast.parse(source).body, module) if text]
    for node, text in sorted(found, key=lambda each: -each[0].lineno):
        if ast.get_docstring(node) != text:
            missing.append(node.name)
            with_docstring(lines, node, text)
    return "\n".join(lines), missing


def main(arguments: list[str]) -> int:
    """Check the stubs, or update them."""
    failed = False
    for stub in sorted((STUBS / "mint").rglob("*.pyi")):
        name = ".".join(stub.relative_to(STUBS).with_suffix("").parts)
        made, missing = put_right(stub.read_text(), importlib.import_module(name))
        if "--write" in arguments:
            stub.write_text(made)
        elif missing:
            failed = True
            print(f"{stub.relative_to(ROOT)} lacks docstrings of {', '.join(reversed(missing))}")
    if failed:
        print("run: python ci/stub_docs.py --write")
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
