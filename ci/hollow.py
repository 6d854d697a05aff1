"""Remove parts from a copy of mint so that the rest still passes the type checks.

A file that nothing else imports is left out completely. Of any other file the public functions are kept, with
bodies that raise `ModuleNotFoundError`. Files that import optional packages get a comment that silences the
type checkers if the package is not installed.
"""

import ast
import sys
from collections.abc import Set as AbstractSet
from functools import cache
from pathlib import PurePosixPath

HEADER = (
    '# mypy: disable-error-code="import-not-found, import-untyped, misc, no-any-return, untyped-decorator"\n'
    "# pyright: reportMissingImports=false, reportMissingModuleSource=false, reportUnknownMemberType=false\n"
    "# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false\n"
    "# pyright: reportUnknownParameterType=false, reportUntypedBaseClass=false\n"
    "# pyright: reportMissingTypeStubs=false\n"
    "# pyright: reportUnknownLambdaType=false, reportUntypedFunctionDecorator=false\n"
    "# pyright: reportUntypedClassDecorator=false, reportAttributeAccessIssue=false\n"
    # What an optional package returns has no type, so values made from it have a wrong type.
    "# pyright: reportOptionalMemberAccess=false, reportReturnType=false, reportArgumentType=false\n"
    "# pyright: reportCallIssue=false\n"
)
# Arguments are checked for callers without a type checker, too.
CHECKING = "# pyright: reportUnnecessaryIsInstance=false\n"


def leave_out(files: dict[str, bytes], left: set[str]) -> dict[str, bytes]:
    """Return the files without those in `left`, and with the comments that type checkers need."""
    needed = {target for name in files if name not in left for target in imported(name, files)}
    made = {}
    for name, octets in files.items():
        if name in left:
            if name not in needed:
                continue
            octets = hollowed(octets.decode()).encode()
        if name.endswith(".py") and outside(octets.decode()):
            octets = HEADER.encode() + octets
        if name.endswith(".py") and b"isinstance(" in octets:
            octets = CHECKING.encode() + octets
        made[name] = octets
    return made


@cache
def outside(text: str) -> frozenset[str]:
    """Return the packages that a file imports and that are not in the standard library."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found.add(node.module.partition(".")[0])
    return frozenset(found - sys.stdlib_module_names)


def imported(name: str, files: dict[str, bytes]) -> AbstractSet[str]:
    """Return the files of the copy that a file imports."""
    return places(name, files[name]) & files.keys() if name.endswith(".py") else frozenset()


@cache
def places(name: str, octets: bytes) -> frozenset[str]:
    """Return the files to which the relative imports of a file may refer."""
    found = set()
    for node in ast.walk(ast.parse(octets)):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        folder = PurePosixPath(name).parents[node.level - 1]
        stem = folder.joinpath(*(node.module or "").split("."))
        for place in (stem, *(stem / alias.name for alias in node.names)):
            found |= {f"{place}.py", f"{place}/__init__.py"}
    return frozenset(found)


def hollowed(text: str) -> str:
    """Return a module whose public functions only raise, and whose `INCLUDED` is false."""
    tree = ast.parse(text)
    kept: list[ast.stmt] = []
    for node in tree.body:
        match node:
            case ast.Expr() | ast.ImportFrom(module="__future__"):
                kept.append(node)
            case ast.Assign(targets=[ast.Name(id="INCLUDED")]):
                kept.append(ast.parse("INCLUDED = False").body[0])
            case ast.FunctionDef(name="is_available"):
                kept.append(ast.parse("def is_available() -> bool:\n    return False").body[0])
            case ast.FunctionDef(name=name) if not name.startswith("_"):
                message = f"{name}: this part was left out when mint was vendored"
                node.body = [
                    *node.body[: ast.get_docstring(node) is not None],
                    ast.parse(f"raise ModuleNotFoundError({message!r})").body[0],
                ]
                kept.append(node)
            case ast.ClassDef(name=name) if not name.startswith("_"):
                message = f"{name}: this part was left out when mint was vendored"
                text = (
                    f"class {name}:\n    def __init__(self, *_: object, **__: object) -> None:\n"
                    f"        raise ModuleNotFoundError({message!r})"
                )
                kept.append(ast.parse(text).body[0])
            case _:
                pass
    used = {inner.id for node in kept for inner in ast.walk(node) if isinstance(inner, ast.Name)}
    imports = [
        pruned
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        and getattr(node, "module", "") != "__future__"
        and (pruned := prune(node, used)) is not None
    ]
    first = (place for place, node in enumerate(kept) if not isinstance(node, (ast.Expr, ast.ImportFrom)))
    head = next(first, len(kept))
    return ast.unparse(ast.Module(body=[*kept[:head], *imports, *kept[head:]], type_ignores=[])) + "\n"


def prune(node: ast.Import | ast.ImportFrom, used: set[str]) -> ast.Import | ast.ImportFrom | None:
    """Return an import with only the names that are used; `None` if none is."""
    names = [alias for alias in node.names if (alias.asname or alias.name.partition(".")[0]) in used]
    if not names:
        return None
    node.names = names
    return node
