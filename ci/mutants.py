"""Change the sources in one place at a time, build what the change affects, and run the closest tests first.

A mutant is killed if a test fails or does not end, and the same tests pass without it. A mutant that does not
compile is not counted. The same seed always draws the same mutants from the same sources. Only a copy of the
tree is changed; a copy in which an earlier run left a mutant is made anew.
"""

import argparse
import contextlib
import io
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from ci.build_inplace import translate  # noqa: E402 - the line above makes it importable

PLACE = ROOT / ".cache" / "mutate"
# What a mutant in the copy replaces; it is there exactly as long as a mutant is.
KEPT = PLACE.with_name("mutate-kept")
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
# Lines about types and imports: changing them does not change behaviour.
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
    "elif TYPE_",
)
OF_TYPES = (": TypeAlias =", "TypeVar(", "NewType(")
# The tests that are closest to a source: first those that are named like it, then those of the first rule
# whose text is in its path.
CLOSEST: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "_core/http1",
        ("tests/core/http1", "tests/core", "tests/properties", "tests/fuzz", "tests/conformance"),
    ),
    (
        "_core/http2",
        ("tests/core/http2", "tests/core", "tests/properties", "tests/fuzz", "tests/conformance"),
    ),
    ("_core/hpack", ("tests/core", "tests/properties", "tests/fuzz", "tests/conformance")),
    ("_core/fast_path", ("tests/properties", "tests/connections", "tests/loops", "tests/wire")),
    ("_core/watching", ("tests/loops", "tests/simulation")),
    ("_core/waiting", ("tests/loops/test_asyncio_waiting.py", "tests/loops", "tests/simulation")),
    ("_core/link_base", ("tests/properties", "tests/connections", "tests/loops", "tests/wire")),
    ("_core/", ("tests/core", "tests/fuzz", "tests/properties", "tests/conformance")),
    ("_wire/", ("tests/wire", "tests/connections", "tests/loops")),
    ("_loops/", ("tests/loops", "tests/simulation", "tests/connections")),
    ("_connect/", ("tests/connect", "tests/connections")),
    ("_connections/", ("tests/connections", "tests/loops")),
    ("_command/", ("tests/command", "tests/transcripts")),
    ("ranscripts/", ("tests/transcripts", "tests/command")),
    ("errors/", ("tests/errors", "tests/connections")),
    ("testing/", ("tests/testing", "tests/kit")),
    ("_pool", ("tests/pool", "tests/httpx")),
    ("pool/", ("tests/pool", "tests/httpx", "tests/simulation")),
    ("exchange/", ("tests/exchange", "tests/pool", "tests/httpx")),
    ("httpx", ("tests/httpx",)),
    ("content", ("tests/content",)),
    ("", ("tests/connections", "tests/connect", "tests/pool", "tests/exchange")),
)
REST = (
    "tests",
    "--ignore=tests/integration",
    "--ignore=tests/ci",
    "--ignore=tests/docs",
    "-m",
    "not integration",
)


# Tests that compare sources as text; they would fail for any mutant of a line that they know.
ABOUT_SOURCES = (
    "--ignore=tests/conformance/test_rows.py",
    "--ignore=tests/fuzz/test_planted.py",
    "--ignore=tests/simulation/test_planted.py",
    "--deselect=tests/httpx/test_transports.py::test_the_modules_for_both_packages_are_the_same",
)


@dataclass(frozen=True)
class Mutant:
    """One change of some octets in a line."""

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
    """Yield the tokens of a source, up to the first place that Python's tokenizer does not understand."""
    try:
        yield from tokenize.generate_tokens(io.StringIO(text).readline)
    except (tokenize.TokenError, IndentationError, SyntaxError):
        return


def mutants(file: str, text: str) -> Iterator[Mutant]:
    """Yield every possible mutant of a source."""
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
        if is_skipped(line) or token.start[0] != token.end[0]:
            continue
        if is_declaration(line) and not is_default(token, line):
            continue
        for new in changes(token, line, in_enum=row in enums):
            yield Mutant(file, row, token.start[1], token.end[1], new, token.string)
    for row, token in starts.items():
        if not is_skipped(lines[row]):
            yield from whole_changes(file, row, token, lines[row])


def whole_changes(file: str, row: int, token: tokenize.TokenInfo, line: str) -> Iterator[Mutant]:
    """Yield the changes of a whole statement or condition; `token` is the first of the line."""
    stripped = line.strip()
    if token.type == tokenize.NAME and is_statement(line):
        yield Mutant(file, row, token.start[1], len(line), "pass", stripped)
    for word in ("if ", "elif "):
        if stripped.startswith(word) and stripped.endswith(":"):
            at = line.index(word) + len(word)
            for new in ("True", "False"):
                yield Mutant(file, row, at, line.rindex(":"), new, line[at : line.rindex(":")])


def is_skipped(line: str) -> bool:
    """Whether a line is about types and imports only."""
    return line.strip().startswith(SKIPPED_STARTS) or any(part in line for part in OF_TYPES)


def enum_rows(lines: list[str]) -> set[int]:
    """Return the lines of enumerations, whose numbers have no meaning of their own."""
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


def is_default(token: tokenize.TokenInfo, line: str) -> bool:
    """Whether a token is the default of a parameter on the line of a signature."""
    return line.lstrip().startswith(("def ", "async def ")) and line[: token.start[1]].rstrip().endswith("=")


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
    """Yield the replacements of a token."""
    text = token.string
    if token.type == tokenize.NUMBER and not in_enum:
        with contextlib.suppress(ValueError):  # a fraction
            yield str(int(text, 0) + 1)
    elif token.type in (tokenize.OP, tokenize.NAME) and text in SWAPS:
        before, after = line[: token.start[1]].rstrip(), line[token.end[1] :]
        pointer = text in ("*", "<", ">", "-", "&") and (
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
    """Return the files that may be changed: those whose path contains `module`."""
    found = []
    for path in sorted((ROOT / "mint").rglob("*")):
        name = str(path.relative_to(ROOT))
        if path.suffix in (".py", *CORE) and "__pycache__" not in name and module in name:
            found.append(name)
    return found


def closest(file: str, root: Path, *, quick: bool) -> list[list[str]]:
    """Return the tests to run in rounds, the closest first: those named like the source, then its folders.

    Tests of arguments, values and options are in no folder; they are the closest to modules in no folder.
    """
    stem = Path(file).stem.strip("_")
    near = next(paths for part, paths in CLOSEST if part in file)
    rounds = [[path] for path in near if (root / path).exists()]
    if file.endswith(".py"):
        general = sorted(str(path.relative_to(root)) for path in (root / "tests").glob("test_*.py"))
        rounds.insert(0 if near is CLOSEST[-1][1] else len(rounds), general)
    others = {Path(other).stem.strip("_") for other in sources("")} - {stem}
    named = sorted(
        str(path.relative_to(root))
        for path in (root / "tests").rglob(f"test_*{stem}*.py")
        if "integration" not in path.parts and path.parent.name not in {"ci", "docs"}
        # `test_request_checks.py` is named like another source than `checks.py`.
        if path.stem.removeprefix("test_") not in others
    )
    if named and len(stem) > 3:  # a shorter name is part of too many others
        rounds.insert(0, named)
    if not quick:
        rounds.append(list(REST))
    return rounds


def build() -> bool:
    """Build what changed in the copy; return False if it does not compile."""
    try:
        translate(PLACE, 1, [], quiet=True)
    except subprocess.CalledProcessError:
        return False
    script = "import setuptools; setuptools.setup()"
    command = [sys.executable, "-W", "ignore", "-c", script, "-q", "build_ext", "--inplace"]
    done = subprocess.run(command, cwd=PLACE, env=compiling(), check=False, capture_output=True)
    return not done.returncode


def compiling() -> dict[str, str]:
    """Return the environment in which the copy is compiled."""
    return {**os.environ, "CFLAGS": "-O1 -g0", "CC": "ccache gcc" if shutil.which("ccache") else "gcc"}


def failure(place: Path, paths: Sequence[str], limit: float) -> str:
    """Run tests in a tree and return the first failure; empty where all pass.

    Tests that do not end in time are ended, with every process that they started.
    """
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=1"]
    environment = {**os.environ, "PYTHONPATH": str(place), "PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen(
        [*command, *ABOUT_SOURCES, *paths],
        cwd=place,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as running:
        try:
            output, _ = running.communicate(timeout=limit)
        except BaseException as error:
            os.killpg(running.pid, signal.SIGKILL)
            running.communicate()
            if isinstance(error, subprocess.TimeoutExpired):
                return f"{paths[0]} (it does not end)"
            raise
    if running.returncode in (0, 5):  # 5: there is no such test
        return ""
    failed = [line for line in output.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return failed[0][:120] if failed else f"{paths[0]}: exit status {running.returncode}"


class Planted:
    """The copy with a mutant in it; leaving takes it out again, with all that was built."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant
        self._path = PLACE / mutant.file
        # Nothing is built for a Python file.
        self._touched = TOUCHED if self._path.suffix in CORE else (mutant.file,)

    def __enter__(self) -> None:
        """Keep what will be touched, then plant the mutant."""
        made = KEPT.with_name("mutate-keeping")
        shutil.rmtree(made, ignore_errors=True)
        for name in self._touched:
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            if (PLACE / name).is_dir():
                shutil.copytree(PLACE / name, made / name, copy_function=shutil.copy2)
            else:
                shutil.copy2(PLACE / name, made / name)
        made.rename(KEPT)
        self._path.write_text(self._mutant.applied(self._path.read_text("utf-8")), encoding="utf-8")

    def __exit__(self, *_: object) -> None:
        """Bring everything back."""
        for name in self._touched:
            if (PLACE / name).is_dir():
                shutil.rmtree(PLACE / name)
            shutil.move(str(KEPT / name), str(PLACE / name))
        shutil.rmtree(KEPT)


def prepare() -> None:
    """Bring the copy up to date and build it; make it anew if a run was ended with a mutant in it.

    What was built from a mutant is newer than every source, so that building would keep it.
    """
    if KEPT.exists():
        shutil.rmtree(PLACE, ignore_errors=True)
        shutil.rmtree(KEPT)
    command = [sys.executable, "ci/build_inplace.py", "--into", str(PLACE), "--jobs", "1"]
    subprocess.run(command, cwd=ROOT, env=compiling(), check=True)


class Trial:
    """Tries mutants; remembers which tests are known to pass without any."""

    def __init__(self, limit: float, *, quick: bool) -> None:
        self._limit = limit
        self._quick = quick
        self._sound: set[tuple[str, ...]] = set()

    def outcome(self, mutant: Mutant) -> tuple[bool, str]:
        """Return whether a mutant compiles, and the test that notices it; empty where none does."""
        with Planted(mutant):
            if not self._compiles(mutant):
                return False, ""
            for paths in closest(mutant.file, PLACE, quick=self._quick):
                found = failure(PLACE, paths, self._limit)
                if found:
                    break
            else:
                return True, ""
        if tuple(paths) not in self._sound:
            without = failure(PLACE, paths, self._limit)
            if without:
                raise SystemExit(f"these tests fail without any mutant: {without}")
            self._sound.add(tuple(paths))
        return True, found

    def _compiles(self, mutant: Mutant) -> bool:
        if Path(mutant.file).suffix in CORE:
            return build()
        try:
            compile((PLACE / mutant.file).read_text("utf-8"), mutant.file, "exec")
        except SyntaxError:
            return False
        return True


def main() -> int:
    """Draw mutants and test them."""
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
    if not every:
        parser.error(f"no file to mutate has {chosen.module!r} in its path")
    drawn = random.Random(chosen.seed).sample(every, min(chosen.sample, len(every)))
    print(f"{len(every)} mutants, {len(drawn)} drawn with seed {chosen.seed}", flush=True)
    if chosen.list:
        print(*drawn, sep="\n")
        return 0
    prepare()
    trial = Trial(chosen.limit, quick=chosen.quick)
    survivors: list[Mutant] = []
    counts = {"core": [0, 0], "python": [0, 0]}  # tried, killed
    for mutant in drawn:
        begun = time.monotonic()
        compiles, by = trial.outcome(mutant)
        if compiles:
            count = counts["core" if Path(mutant.file).suffix in CORE else "python"]
            count[0] += 1
            count[1] += bool(by)
            if not by:
                survivors.append(mutant)
        became = f"killed by {by}" if by else "SURVIVED" if compiles else "does not compile"
        print(f"{mutant}: {became} ({time.monotonic() - begun:.0f} s)", flush=True)
    for kind, (tried, dead) in counts.items():
        if tried:
            print(f"{kind}: {dead} of {tried} killed, {100 * dead / tried:.1f} %")
    print(*(f"survived: {one}" for one in survivors), sep="\n", flush=True)
    return 1 if survivors else 0


if __name__ == "__main__":
    raise SystemExit(main())
