"""Check the project's rules for which there is no other tool, in `.py`, `.pyx` and `.pxd` files.

    python ci/check_layers.py [FOLDER]      # the folder that contains mint/

Imports are relative and point strictly downwards through the layers. The core imports nothing that does I/O,
has no mutable state at module level, starts every file with the same directives, and declares for every C
function how it reports errors. No code depends on `assert`, and no file is too long. The rules are in the
tables below; `docs/architecture.md` gives the reasons.
"""

import ast
import re
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

# From top to bottom. A module may import from the layers below its own, and from its own layer if that makes
# no cycle. Imports for type checkers alone count as well. A name stands for the module, for everything inside
# the package, and for the modules into which it is split (`http1` for `http1_heads`).
LAYERS = (
    (
        "entry",
        ("mint", "mint.__main__", "mint._command", "mint.testing", "mint.httpx", "mint.httpx2", "mint.which"),
    ),
    ("httpx", ("mint._httpx",)),
    ("pools", ("mint.pool",)),
    ("helpers", ("mint.exchange", "mint.content", "mint._content")),
    (
        "public modules",
        ("mint.asyncio", "mint.trio", "mint.http1", "mint.http2", "mint.transport", "mint.transcripts"),
    ),
    ("connections", ("mint._connections",)),
    ("event loops", ("mint._loops",)),
    ("transcripts", ("mint._transcripts",)),
    ("connecting", ("mint._connect",)),
    ("wire", ("mint._wire",)),
    (
        "vocabulary",
        (
            *("mint.types", "mint.responses", "mint.messages", "mint.options", "mint.proxy"),
            "mint.tolerance",
            *(
                "mint.errors",
                "mint._certificates",
                "mint._checks",
                "mint._configuration",
                "mint._declarations",
                "mint._extras",
                "mint._hosts",
                "mint._pool_options",
                "mint._alternatives",
                "mint._priority",
                "mint._process",
                "mint._sessions",
                "mint._environment",
            ),
            "mint._version",
        ),
    ),
    ("engines", ("mint._core.http1", "mint._core.http2")),
    (
        "parts",
        (
            "mint._core.hpack",
            "mint._core.huffman",
            "mint._core.frames",
            "mint._core.streams",
            "mint._core.flow",
        ),
    ),
    (
        "ground",
        (
            "mint._core.events",
            "mint._core.faults",
            "mint._core.fields",
            "mint._core.logs",
            "mint._core.chars",
            "mint._core.atomics",
            "mint._core.values",
            "mint._core.messages",
            "mint._core.records",
            "mint._core.link_base",
            "mint._core.fast_path",
            "mint._core.watching",
            "mint._core.waiting",
        ),
    ),
    ("packages", ("mint._core",)),
)

# Modules outside the project: the one runtime dependency, and the optional ones.
DEPENDENCIES: dict[str, str | tuple[str, ...]] = {
    "backports": "mint._content.zstd",
    "compression": "mint._content.zstd",  # of Python 3.14
    "certifi": "mint._extras.with_certifi",
    "httpx": "mint.httpx",
    "httpx2": "mint.httpx2",
    "idna": "mint._extras.with_idna",
    "socksio": "mint._connect.socks",
    "trio": (
        *("mint._loops.trio", "mint._loops.trio_connecting", "mint._loops.trio_link"),
        *("mint._loops.trio_nursery", "mint._loops.trio_tunnels"),
        *("mint.exchange.trio", "mint.pool.trio", "mint.testing"),
    ),
    "truststore": "mint._extras.with_truststore",
    "hypothesis": "mint.testing",
    "pytest": "mint.testing",
    "trustme": "mint.testing",
}

# What the core may import from outside: no I/O, no clock, no environment, no randomness.
CORE_IMPORTS = frozenset({"cython", "cpython", "libc", "dataclasses", "enum"})

# C tables that are filled while their module is loaded and never afterwards; no rule here can check that.
FILLED_ONCE = {"mint/_core/hpack.pyx": ("static_entries", "known_names")}

DIRECTIVES = (
    "# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, "
    "autotestdict=False, freethreading_compatible=True"
)

CEILING = 700
WIDTH = 110  # of Cython lines; the directive header, which cannot be broken, is longer
COUNTED = ("mint", "stubs", "tests", "fuzz", "bench", "ci", "docs")
SUFFIXES = (".py", ".pyx", ".pxd", ".pyi")

# A blanked string, or a comment, of Cython source.
TEXT = re.compile(r"(?s)(\"\"\"|\'\'\')(?:\\.|.)*?\1|\"(?:\\.|[^\"\\\n])*\"|\'(?:\\.|[^\'\\\n])*\'|#[^\n]*")
C_FUNCTION = re.compile(
    r"\s*cp?def\s+(?:(?:const|unsigned|signed|inline|api|public)\s+)*"
    r"(?:void|bint|char|short|int|long|float|double|size_t|Py_\w+|u?int\d+_t|unsigned)\b"
    r"(?!\s*\*)[\w\s]*?(\w+)\s*\((.*)$"
)
NO_VARIABLE = r"(?!class|struct|enum|union|inline|packed|fused|extern)"
CONSTANT = re.compile(rf"(?:cdef\s+{NO_VARIABLE}[\w\s*.]*?)?(\w+)\s*(\[[^\]]*\])?\s*(?::[^=]+)?=\s*(.+)")
VARIABLE = re.compile(rf"cdef\s+{NO_VARIABLE}[^(:]*?(\w+)\s*(?:\[[^\]]*\])?\s*$")
MUTABLE = re.compile(r"[\[{]|(?:dict|list|set|bytearray|defaultdict|deque|OrderedDict)\b")
MUTATORS = "|".join(
    (
        *("append", "extend", "insert", "remove", "pop", "popitem", "clear", "update"),
        *("setdefault", "add", "discard", "sort", "reverse"),
    )
)


class Import(NamedTuple):
    """One import: its line, what it names, its leading dots, and whether it is for type checkers only."""

    line: int
    module: str
    names: tuple[str, ...]
    dots: int
    typing: bool = False


class Finding(NamedTuple):
    """One broken rule."""

    path: Path
    line: int
    text: str


def blank(source: str) -> str:
    """Return Cython source in which comments and the contents of strings are blanks; lines stay the same."""

    def emptied(match: re.Match[str]) -> str:
        text = match.group()
        if text.startswith("#"):
            return ""
        return '"' + "\n" * text.count("\n") + '"'

    return TEXT.sub(emptied, source)


def logical_lines(source: str) -> Iterator[tuple[int, str]]:
    """Yield (line number, statement), with continued lines joined, from source that `blank` returned."""
    start, held, depth = 0, "", 0
    for number, line in enumerate(source.split("\n"), 1):
        if not held:
            start = number
        held += line.rstrip("\\") if not held else " " + line.strip().rstrip("\\")
        depth += sum(line.count(mark) for mark in "([{") - sum(line.count(mark) for mark in ")]}")
        if depth <= 0 and not line.endswith("\\"):
            if held.strip():
                yield start, held
            held, depth = "", 0


def own_lines(clean: str) -> Iterator[tuple[int, str]]:
    """Yield the logical lines outside `cdef extern` blocks, which declare what C defines."""
    foreign = -1  # how far such a block is indented
    for number, line in logical_lines(clean):
        depth = len(line) - len(line.lstrip())
        if depth <= foreign:
            foreign = -1
        if foreign < 0 and re.match(r"\s*cdef\s+extern\b", line):
            foreign = depth
        elif foreign < 0:
            yield number, line


def python_imports(source: str) -> Iterator[Import]:
    """Yield every import of a Python file, wherever it stands."""
    tree = ast.parse(source)
    unseen = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for branch in node.body
        for inner in ast.walk(branch)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(node.lineno, alias.name, (), 0, node in unseen)
        elif isinstance(node, ast.ImportFrom):
            names = tuple(alias.name for alias in node.names)
            yield Import(node.lineno, node.module or "", names, node.level, node in unseen)


def cython_imports(source: str) -> Iterator[Import]:
    """Yield every import and cimport of a Cython file."""
    for number, line in logical_lines(blank(source)):
        if found := re.match(r"\s*from\s+(\.*)\s*([\w.]*)\s+c?import\s+\(?([^)]*)", line):
            dots, module, listed = found.groups()
            names = tuple(name.split()[0] for name in listed.split(",") if name.strip())
            yield Import(number, module, names, len(dots))
        elif found := re.match(r"\s*c?import\s+(.+)", line):
            for name in found.group(1).split(","):
                yield Import(number, name.split()[0], (), 0)


def layer_of(module: str) -> int:
    """Return the index of a module's layer, from the top; -1 if no row names it."""
    best, place = "", -1
    for row, (_, members) in enumerate(LAYERS):
        for member in members:
            inside = member not in {"mint", "mint._core"} and module.startswith((f"{member}.", f"{member}_"))
            if (module == member or inside) and len(member) > len(best):
                best, place = member, row
    return place


def module_name(root: Path, path: Path) -> str:
    """Return the dotted name of a file."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


class Checker:
    """Collects findings over one tree."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.findings: list[Finding] = []
        self.modules = {
            module_name(root, path): path
            for suffix in (".py", ".pyx", ".pxd")
            for path in sorted((root / "mint").rglob(f"*{suffix}"))
        }
        self.edges: dict[str, set[str]] = {}

    def report(self, path: Path, line: int, text: str) -> None:
        """Note a broken rule."""
        self.findings.append(Finding(path.relative_to(self.root), line, text))

    def run(self) -> list[Finding]:
        """Check everything."""
        for suffix in (".py", ".pyx", ".pxd"):
            for path in sorted((self.root / "mint").rglob(f"*{suffix}")):
                self.check_imports(path)
                self.check_statements(path)
                if suffix != ".py":
                    self.check_width(path)
        for path in sorted((self.root / "mint").rglob("*.pyx")):
            self.check_header(path)
        self.check_cycles()
        self.check_ceilings()
        return self.findings

    # ---- imports ----

    def targets(self, path: Path, found: Import) -> list[str]:
        """Return the modules of the project that an import names."""
        module = module_name(self.root, path)
        package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
        base = package[: len(package) - (found.dots - 1)]
        if not base:
            self.report(path, found.line, "relative import leaves the package")
            return []
        stem = ".".join([*base, *filter(None, [found.module])])
        inner = [f"{stem}.{name}" for name in found.names if f"{stem}.{name}" in self.modules]
        # `from . import x` imports from the package itself only the names that are not modules of it.
        return inner if inner and len(inner) == len(found.names) else [*inner, stem]

    def check_imports(self, path: Path) -> None:
        """Check that imports follow the layers, and that imports from outside the project are listed."""
        module = module_name(self.root, path)
        here = layer_of(module)
        if here < 0:
            self.report(path, 1, f"{module} is in no layer; add it to the table in ci/check_layers.py")
            return
        source = path.read_text()
        imports = python_imports(source) if path.suffix == ".py" else cython_imports(source)
        for found in imports:
            if not found.dots:
                self.check_outside(path, module, found)
                continue
            for target in self.targets(path, found):
                there = layer_of(target)
                if there < 0:
                    self.report(path, found.line, f"imports {target}, which is in no layer")
                elif there < here:
                    where = f"{LAYERS[here][0]} import {LAYERS[there][0]}"
                    self.report(path, found.line, f"imports {target}: upwards, {where}")
                elif target != module:
                    self.edges.setdefault(module, set()).add(target)

    def check_outside(self, path: Path, module: str, found: Import) -> None:
        """Check that only the standard library and the listed dependencies are imported from outside."""
        top = found.module.split(".")[0]
        if top == "mint":
            self.report(path, found.line, "absolute import of mint: the package is relocatable")
        elif module.startswith("mint._core"):
            if top not in CORE_IMPORTS:
                self.report(path, found.line, f"the core may not import {found.module}")
        elif top in DEPENDENCIES:
            places = DEPENDENCIES[top]
            inside = (places,) if isinstance(places, str) else places
            if not (module + ".").startswith(tuple(f"{each}." for each in inside)):
                self.report(path, found.line, f"{top} is for {places} only")
        elif top not in sys.stdlib_module_names and not (found.typing and top == "_typeshed"):
            self.report(path, found.line, f"{top} is not a dependency")

    def check_cycles(self) -> None:
        """Find cycles of imports, also within a layer."""
        try:
            TopologicalSorter(self.edges).prepare()
        except CycleError as error:
            cycle = error.args[1]
            self.report(self.modules[cycle[0]], 1, "imports in a circle: " + " -> ".join(cycle))

    # ---- statements ----

    def check_statements(self, path: Path) -> None:
        """Find `assert`; in the core also mutable module state, and C functions that declare no errors."""
        if path.suffix == ".py":
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Assert):
                    self.report(path, node.lineno, "assert: python -O removes it")
        if "_core" not in path.relative_to(self.root).parts:
            return
        clean = blank(path.read_text())
        for number, line in own_lines(clean):
            if path.suffix != ".py" and re.match(r"\s*assert\b", line):
                self.report(path, number, "assert: python -O removes it")
            if re.match(r"\s*global\b", line):
                self.report(path, number, "global: the core keeps no module-level state")
            if not line[0].isspace():
                self.check_module_level(path, number, line, clean)
            self.check_error_protocol(path, number, line)

    def check_module_level(self, path: Path, number: int, line: str, clean: str) -> None:
        """Check that module-level names are constants: spelled as such, and never written to."""
        if found := VARIABLE.match(line):
            known = FILLED_ONCE.get(path.relative_to(self.root).as_posix(), ())
            if "const " not in line and found.group(1) not in known:
                self.report(path, number, f"module-level C variable {found.group(1)}")
            return
        found = CONSTANT.match(line)
        if not found or not (found.group(2) or MUTABLE.match(found.group(3))):
            return
        name = found.group(1)
        if not re.fullmatch(r"_?[A-Z][A-Z0-9_]*", name):
            self.report(path, number, f"module-level mutable {name}; a table is spelled UPPER_CASE")
        written = re.search(
            rf"\b{name}\s*(?:\.\s*(?:{MUTATORS})\s*\(|\[[^\]\n]*\]\s*(?:[-+*/|&^]|//)?=(?!=))"
            rf"|\bdel\s+{name}\b",
            clean,
        )
        if written:
            at = clean.count("\n", 0, written.start()) + 1
            self.report(path, at, f"writes to the module-level {name}")

    def check_error_protocol(self, path: Path, number: int, line: str) -> None:
        """Check that every C function with a C result has `noexcept` or `except`."""
        found = C_FUNCTION.match(line)
        if not found:
            return
        name, after = found.groups()
        depth = 1
        for place, mark in enumerate(after):
            depth += (mark == "(") - (mark == ")")
            if not depth:
                after = after[place + 1 :]
                break
        if not re.search(r"\b(?:noexcept|except)\b", after):
            self.report(path, number, f"{name}() says neither noexcept nor except")

    # ---- files ----

    def check_header(self, path: Path) -> None:
        """Check that a file starts with the directives, the same in every file."""
        with path.open() as lines:
            first = lines.readline().rstrip("\n")
        if first != DIRECTIVES:
            self.report(path, 1, "the first line is not the directive header of every module")

    def check_width(self, path: Path) -> None:
        """Find Cython lines that are too long; the header may be longer."""
        for number, line in enumerate(path.read_text().split("\n"), 1):
            if len(line) > WIDTH and line != DIRECTIVES:
                self.report(path, number, f"{len(line)} characters; {WIDTH} is the width")

    def check_ceilings(self) -> None:
        """Find files with too many lines."""
        for folder in COUNTED:
            for path in sorted((self.root / folder).rglob("*")):
                if path.suffix in SUFFIXES and path.is_file():
                    with path.open() as lines:
                        count = sum(1 for _ in lines)
                    if count > CEILING:
                        self.report(path, CEILING + 1, f"{count} lines; {CEILING} is the ceiling")


def main(arguments: list[str]) -> int:
    """Print the findings; return 1 if there are any."""
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent
    findings = Checker(root.resolve()).run()
    for path, line, text in findings:
        print(f"{path}:{line}: {text}")
    if not findings:
        print("layers: nothing to report")
    return 1 if findings else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
