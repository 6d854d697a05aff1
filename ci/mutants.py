"""Change the sources in one place at a time, build what the change affects, and run the closest tests first.

A mutant is killed if a test fails or does not end. A mutant that does not compile is not counted. The same
seed always draws the same mutants from the same sources.
"""

import argparse
import io
import os
import random
import shutil
import subprocess
import sys
import time
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from ci.build_inplace import translate  # noqa: E402 - the line above makes it importable

PLACE = ROOT / ".cache" / "mutate"
# setuptools builds in `build` and copies from there, so an old module there would come back.
TOUCHED = ("mint", "build")
CORE = (".pyx", ".pxd")
SWAPS = {
    "<": ("<=", ">="),
    "<=": ("<", ">"),
    ">": (">=", "<="),
    ">=": (">", "<"),
    "==": ("!=",),
    "!=": ("==",),
    "+": ("-",),
    "-": ("+",),
    "+=": ("-=",),
    "-=": ("+=",),
    "|=": ("&=",),
    "&": ("|",),
    "|": ("&",),
    "<<": (">>",),
    ">>": ("<<",),
    "*": ("+",),
    "//": ("*",),
    "and": ("or",),
    "or": ("and",),
    "not": ("",),
    "True": ("False",),
    "False": ("True",),
    "is": ("is not",),
    "in": ("not in",),
    "min": ("max",),
    "max": ("min",),
    "break": ("continue",),
    "continue": ("break",),
}
# What is about types and imports, where a change says nothing about what happens.
SKIPPED_STARTS = (
    "import",
    "from",
    "cimport",
    "cdef extern",
    "@",
    "class ",
    "cdef class",
    "cdef struct",
    "if TYPE_",
)
# Tests that are closest to a source: the first rule whose part is in its path.
CLOSEST: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "_core/http1",
        ("tests/core/http1", "tests/fuzz", "tests/properties/test_http1_engine.py", "tests/conformance"),
    ),
    (
        "_core/http2",
        ("tests/core/http2", "tests/fuzz", "tests/properties/test_http2.py", "tests/conformance"),
    ),
    (
        "_core/hpack",
        ("tests/core", "tests/fuzz", "tests/properties/test_hpack_properties.py", "tests/conformance"),
    ),
    ("_core/courses", ("tests/properties", "tests/connections", "tests/loops", "tests/wire")),
    ("_core/turns", ("tests/properties", "tests/connections", "tests/loops", "tests/wire")),
    ("_core/", ("tests/core", "tests/fuzz", "tests/properties", "tests/conformance")),
    ("_wire/", ("tests/wire", "tests/connections", "tests/loops")),
    ("_loops/", ("tests/loops", "tests/simulation", "tests/connections")),
    ("_connect/", ("tests/connect", "tests/connections")),
    ("_connections/", ("tests/connections", "tests/loops")),
    ("_command/", ("tests/command",)),
    ("errors/", ("tests/errors", "tests/connections")),
    ("testing/", ("tests/testing",)),
    ("", ("tests",)),
)


# Tests that read sources as text: they would kill a mutant for being one.
ABOUT_SOURCES = ("--ignore=tests/conformance/test_rows.py", "--ignore=tests/fuzz/test_planted.py")


@dataclass(frozen=True)
class Mutant:
    """One change: octets of a line."""

    file: str
    row: int
    start: int
    end: int
    new: str
    old: str

    def applied(self, text: str) -> str:
        """Return the text with the change."""
        lines = text.splitlines(keepends=True)
        line = lines[self.row]
        lines[self.row] = line[: self.start] + self.new + line[self.end :]
        return "".join(lines)

    def __str__(self) -> str:
        return f"{self.file}:{self.row + 1}: `{self.old}` -> `{self.new or '(nothing)'}`"


def tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    """Yield the tokens of a source as far as Python's own tokenizer understands it."""
    try:
        yield from tokenize.generate_tokens(io.StringIO(text).readline)
    except (tokenize.TokenError, IndentationError, SyntaxError):
        return


def mutants(file: str, text: str) -> Iterator[Mutant]:
    """Yield every change of a source that is tried."""
    lines = text.splitlines()
    starts: dict[int, tokenize.TokenInfo] = {}
    enums = enum_rows(lines)
    for token in tokens(text):
        row = token.start[0] - 1
        if row >= len(lines) or token.type in (
            tokenize.ENDMARKER,
            tokenize.INDENT,
            tokenize.DEDENT,
            tokenize.NL,
            tokenize.NEWLINE,
            tokenize.COMMENT,
        ):
            continue
        starts.setdefault(row, token)
        line = lines[row]
        if line.strip().startswith(SKIPPED_STARTS) or is_declaration(line) or token.start[0] != token.end[0]:
            continue
        for new in changes(token, line, in_enum=row in enums):
            yield Mutant(file, row, token.start[1], token.end[1], new, token.string)
    for row, token in starts.items():
        line = lines[row]
        if token.type == tokenize.NAME and is_statement(line) and not line.strip().startswith(SKIPPED_STARTS):
            yield Mutant(file, row, token.start[1], len(line), "pass", line.strip())
        for word in ("if ", "elif ", "while "):
            stripped = line.strip()
            if stripped.startswith(word) and stripped.endswith(":") and word != "while ":
                at = line.index(word) + len(word)
                for new in ("True", "False"):
                    yield Mutant(file, row, at, line.rindex(":"), new, line[at : line.rindex(":")])


def enum_rows(lines: list[str]) -> set[int]:
    """Return the rows of enumerations, whose numbers are names and no more."""
    inside = False
    found = set()
    for row, line in enumerate(lines):
        if line.strip().startswith("cdef enum"):
            inside = True
        elif inside and line.strip() and not line.startswith((" ", "\t")):
            inside = False
        if inside:
            found.add(row)
    return found


def is_declaration(line: str) -> bool:
    """Whether a line only declares: a signature, a C variable without a value, an annotation."""
    stripped = line.strip()
    if stripped.startswith(("cdef ", "cpdef ", "ctypedef ")):
        return "=" not in stripped or stripped.endswith((":", "*", "except -1", "noexcept"))
    return stripped.startswith(("def ", "async def ", "global ", "nonlocal ", '"'))


def is_statement(line: str) -> bool:
    """Whether a line is a simple statement that can be left out."""
    stripped = line.strip()
    if stripped.startswith(
        ("return", "raise", "pass", "yield", "break", "continue", "cdef", "ctypedef", "del ")
    ):
        return False
    balanced = all(stripped.count(one) == stripped.count(two) for one, two in ("()", "[]", "{}"))
    return (
        balanced
        and not stripped.endswith((":", ",", "\\", "("))
        and ("=" in stripped or stripped.endswith(")"))
    )


def changes(token: tokenize.TokenInfo, line: str, *, in_enum: bool) -> Iterator[str]:
    """Yield what a token is replaced by."""
    text = token.string
    if token.type == tokenize.NUMBER and text.isdigit() and not in_enum:
        yield str(int(text) + 1)
    elif token.type in (tokenize.OP, tokenize.NAME) and text in SWAPS:
        before, after = line[: token.start[1]].rstrip(), line[token.end[1] :]
        pointer = text in ("*", "<", ">", "-") and (
            not before or before[-1] in "(,=<[" or before.endswith("return")
        )
        cast = text in ("<", ">") and not (before.endswith((" ", ")")) or after.startswith(" "))
        loop = (text == "in" and line.strip().startswith(("for ", "async for "))) or (
            " for " in line and text == "in"
        )
        identity = text == "is" and after.lstrip().startswith("not")
        negation = text == "not" and (before.endswith("is") or after.lstrip().startswith("in "))
        annotation = text == "|" and ("->" in before or (": " in line and "=" not in before))
        starred = text == "*" and (before.endswith(("(", ",")) or after[:1] == "*")
        if not (pointer or cast or loop or identity or negation or annotation or starred):
            yield from SWAPS[text]


def sources(module: str) -> list[str]:
    """Return the files that may be changed; only those whose path has `module` in it."""
    found = []
    for path in sorted((ROOT / "mint").rglob("*")):
        name = str(path.relative_to(ROOT))
        if path.suffix in (".py", *CORE) and "__pycache__" not in name and module in name:
            found.append(name)
    return found


def closest(file: str, *, quick: bool) -> list[list[str]]:
    """Return the test paths to run, the closest first."""
    near = next(paths for part, paths in CLOSEST if part in file)
    near = tuple(path for path in near if (PLACE / path).exists())
    rounds = [[path] for path in near]
    if not quick:
        rounds.append(
            [
                "tests",
                "--ignore=tests/integration",
                "--ignore=tests/ci",
                "--ignore=tests/docs",
                "-m",
                "not integration",
            ]
        )
    return rounds


def build() -> bool:
    """Build what changed in the copy; False where the change does not compile."""
    environment = {**os.environ, "CFLAGS": "-O1 -g0", "CC": "ccache gcc" if shutil.which("ccache") else "gcc"}
    try:
        translate(PLACE, 1, [])
    except subprocess.CalledProcessError:
        return False
    script = "import setuptools; setuptools.setup()"
    command = [sys.executable, "-W", "ignore", "-c", script, "-q", "build_ext", "--inplace"]
    done = subprocess.run(command, cwd=PLACE, env=environment, check=False, capture_output=True)
    return not done.returncode


def killed(file: str, limit: float, *, quick: bool) -> str:
    """Return the tests that notice; empty where none does."""
    for paths in closest(file, quick=quick):
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-x",
            "-q",
            "-p",
            "no:cacheprovider",
            "--hypothesis-seed=1",
            *ABOUT_SOURCES,
            *paths,
        ]
        environment = {**os.environ, "PYTHONPATH": str(PLACE), "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            done = subprocess.run(
                command,
                cwd=PLACE,
                env=environment,
                check=False,
                capture_output=True,
                text=True,
                timeout=limit,
            )
        except subprocess.TimeoutExpired:
            return f"{paths[0]} (it does not end)"
        if done.returncode not in (0, 5):
            failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
            return failed[0][:120] if failed else f"{paths[0]}: exit status {done.returncode}"
    return ""


def main() -> int:
    """Draw mutants and try them."""
    parser = argparse.ArgumentParser(prog="ci/mutate", description=__doc__)
    parser.add_argument("--sample", type=int, default=20, help="how many mutants to draw (default 20)")
    parser.add_argument(
        "--seed", type=int, default=1, help="the seed that decides which mutants are drawn (default 1)"
    )
    parser.add_argument(
        "--module",
        default="",
        help="draw only from files whose path contains this, such as http1_responses or _wire/",
    )
    parser.add_argument("--quick", action="store_true", help="run only the closest tests")
    parser.add_argument(
        "--limit", type=float, default=600, help="how many seconds a round of tests may take (default 600)"
    )
    parser.add_argument("--list", action="store_true", help="print the mutants without testing them")
    chosen = parser.parse_args()
    every = [
        one for file in sources(chosen.module) for one in mutants(file, (ROOT / file).read_text("utf-8"))
    ]
    drawn = random.Random(chosen.seed).sample(every, min(chosen.sample, len(every)))
    print(f"{len(every)} mutants, {len(drawn)} drawn with seed {chosen.seed}", flush=True)
    if chosen.list:
        print(*drawn, sep="\n")
        return 0
    command = [sys.executable, "ci/build_inplace.py", "--into", str(PLACE), "--jobs", "1"]
    environment = {**os.environ, "CFLAGS": "-O1 -g0", "CC": "ccache gcc" if shutil.which("ccache") else "gcc"}
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    kept = PLACE.with_name("mutate-kept")
    survivors: list[Mutant] = []
    counts = {"core": [0, 0], "python": [0, 0]}  # tried, killed
    for mutant in drawn:
        shutil.rmtree(kept, ignore_errors=True)
        for name in TOUCHED:
            shutil.copytree(PLACE / name, kept / name, copy_function=shutil.copy2)
        path = PLACE / mutant.file
        path.write_text(mutant.applied(path.read_text("utf-8")), encoding="utf-8")
        begun = time.monotonic()
        is_core = path.suffix in CORE
        if is_core and not build():
            outcome = "does not compile"
        else:
            by = killed(mutant.file, chosen.limit, quick=chosen.quick)
            count = counts["core" if is_core else "python"]
            count[0] += 1
            count[1] += bool(by)
            if not by:
                survivors.append(mutant)
            outcome = f"killed by {by}" if by else "SURVIVED"
        print(f"{mutant}: {outcome} ({time.monotonic() - begun:.0f} s)", flush=True)
        for name in TOUCHED:
            shutil.rmtree(PLACE / name)
            shutil.move(str(kept / name), str(PLACE / name))
    for kind, (tried, dead) in counts.items():
        if tried:
            print(f"{kind}: {dead} of {tried} killed, {100 * dead / tried:.1f} %")
    print(*(f"survived: {one}" for one in survivors), sep="\n", flush=True)
    return 1 if survivors else 0


if __name__ == "__main__":
    raise SystemExit(main())
