"""Translate and compile `mint._core` in place, in this tree or in a copy with its own flags.

    python ci/build_inplace.py                    # this tree, incrementally
    CC=clang CFLAGS=... python ci/build_inplace.py --into .cache/fuzz

Translation runs one process for each module, and skips modules that are newer than their sources. A copy
gets the C files of this tree, so that it only has to be compiled, unless directives are given for it
(`--directive linetrace=True`). The flags are those of CC, CFLAGS and LDSHARED.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ci.build import copy_stubs  # noqa: E402 - the line above makes it importable

# What is not copied: generated files, and names that begin with a dot.
MADE = ("build", "dist")
OBJECTS = {".so", ".pyc"}


def sources(root: Path) -> list[str]:
    """Return the source of every extension module, as the build configuration names them."""
    project = tomllib.loads((root / "pyproject.toml").read_text())
    modules = project["tool"]["setuptools"]["ext-modules"]
    return [source for module in modules for source in module["sources"]]


def copy_tree(root: Path, into: Path, left: set[str]) -> None:
    """Bring a copy up to date; files with a suffix in `left` stay as each tree made them."""
    tops = [
        path
        for path in root.iterdir()
        if not path.name.startswith(".") and path.name not in MADE and not path.name.endswith(".egg-info")
    ]
    wanted = {
        path.relative_to(root)
        for top in tops
        for path in ([top] if top.is_file() else top.rglob("*"))
        if path.is_file() and path.suffix not in left
    }
    for path in sorted(wanted):
        target = into / path
        target.parent.mkdir(parents=True, exist_ok=True)
        here = (root / path).stat()
        there = target.stat() if target.exists() else None
        if there is None or (there.st_mtime_ns, there.st_size) != (here.st_mtime_ns, here.st_size):
            shutil.copy2(root / path, target)
    for top in tops:
        for path in (into / top.name).rglob("*") if top.is_dir() else ():
            made = path.is_dir() or path.suffix in left
            if not made and path.relative_to(into) not in wanted:
                path.unlink()


def translate(root: Path, jobs: int, directives: list[str], *, quiet: bool = False) -> None:
    """Run Cython for every module whose C file is older than any of its possible sources."""
    options = [word for directive in directives for word in ("-X", directive)]
    shared = [*(root / "mint").rglob("*.pxd"), *(root / "mint").rglob("*.h")]
    newest = max(path.stat().st_mtime_ns for path in shared)

    def stale(source: str) -> bool:
        made = (root / source).with_suffix(".c")
        if not made.exists():
            return True
        return made.stat().st_mtime_ns < max(newest, (root / source).stat().st_mtime_ns)

    def cython(source: str) -> None:
        command = [sys.executable, "-m", "cython", *options, source]
        subprocess.run(command, cwd=root, check=True, stderr=subprocess.DEVNULL if quiet else None)

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(cython, [source for source in sources(root) if stale(source)]))


def compile_modules(root: Path, jobs: int) -> None:
    """Compile what changed, the extension modules beside their sources."""
    steps = ["-q", "build_py", "build_ext", "--inplace", f"--parallel={jobs}"]
    script = "import setuptools; setuptools.setup()"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, *steps],
        cwd=root,
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode:  # a build that works has nothing to say
        raise SystemExit(done.stdout)


def main() -> None:
    """Build."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--into", type=Path, help="build a copy in this folder")
    parser.add_argument(
        "--directive", action="append", default=[], help="a directive of Cython for the copy, NAME=VALUE"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many processes to run")
    chosen = parser.parse_args()
    if chosen.directive and not chosen.into:
        parser.error("--directive needs --into: this tree is translated as its files say")
    root = ROOT
    copy_stubs(root)
    if not chosen.directive:
        translate(root, chosen.jobs, [])
    if chosen.into:
        root = chosen.into.resolve()
        copy_tree(ROOT, root, {*OBJECTS, ".c"} if chosen.directive else OBJECTS)
        if chosen.directive:
            translate(root, chosen.jobs, chosen.directive)
    compile_modules(root, chosen.jobs)


if __name__ == "__main__":
    main()
